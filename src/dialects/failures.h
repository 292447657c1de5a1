#pragma once
// What the surfaces' errors have in common: the overflow counts, what a client should do next, the
// words shown.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace fh::dialects {

// Machine-readable reasons that have an answer of their own. Others travel unchanged as the error's
// code.
inline constexpr std::string_view kReasonOverflow = "context_length_exceeded";
inline constexpr std::string_view kReasonModelNotFound = "model_not_found";
inline constexpr std::string_view kReasonTooLarge = "request_too_large";
inline constexpr std::string_view kReasonImages = "images_unsupported";
inline constexpr std::string_view kReasonContent = "content_unsupported";
inline constexpr std::string_view kReasonBudget = "budget_exceeded";  // retrying does not help

struct OverflowCounts {
  std::uint64_t prompt_tokens = 0;  // tools included
  std::uint64_t tool_tokens = 0;    // 0: not known
  std::uint64_t context_tokens = 0;
};
// Of an OutOfRange error with reason kReasonOverflow, whose message is the three counts in decimal.
std::optional<OverflowCounts> overflow_counts(const base::Error& error);

// Whether the same request may succeed later. Official client libraries obey `x-should-retry`.
bool should_retry(const base::Error& error);
// `x-should-retry`, and for errors worth retrying `retry-after-ms` and `retry-after` (seconds,
// rounded up). Without `retry_after_ms` a value that suits the error is chosen.
std::vector<std::pair<std::string, std::string>> retry_headers(
    const base::Error& error, std::optional<std::uint32_t> retry_after_ms = std::nullopt);

// "field: message (hint)", without what is missing.
std::string shown_message(const base::Error& error);

}  // namespace fh::dialects
