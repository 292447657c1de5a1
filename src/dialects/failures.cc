// What the surfaces' errors have in common; see failures.h.

#include "dialects/failures.h"

#include <charconv>

namespace fh::dialects {

using base::Code;

std::optional<OverflowCounts> overflow_counts(const base::Error& error) {
  if (error.code != Code::OutOfRange || error.reason != kReasonOverflow) return std::nullopt;
  OverflowCounts counts;
  const char* at = error.message.data();
  const char* const end = at + error.message.size();
  for (std::uint64_t* slot : {&counts.prompt_tokens, &counts.tool_tokens, &counts.context_tokens}) {
    while (at != end && *at == ' ') ++at;
    const auto read = std::from_chars(at, end, *slot);
    if (read.ec != std::errc()) return std::nullopt;
    at = read.ptr;
  }
  if (at != end || counts.tool_tokens > counts.prompt_tokens) return std::nullopt;
  return counts;
}

bool should_retry(const base::Error& error) {
  switch (error.code) {
    case Code::ResourceExhausted:
      return error.reason != kReasonBudget && error.reason != kReasonTooLarge;
    case Code::Unavailable:
    case Code::DeadlineExceeded:
    case Code::Aborted:
    case Code::Internal:
    case Code::Unknown: return true;
    default: return false;
  }
}

std::vector<std::pair<std::string, std::string>> retry_headers(
    const base::Error& error, std::optional<std::uint32_t> retry_after_ms) {
  if (!should_retry(error)) return {{"x-should-retry", "false"}};
  const std::uint32_t fallback_ms = error.code == Code::ResourceExhausted ? 1000 : 2000;
  const std::uint32_t wait_ms = retry_after_ms.value_or(fallback_ms);
  const std::uint64_t wait_s = (std::uint64_t{wait_ms} + 999) / 1000;
  return {{"x-should-retry", "true"},
          {"retry-after-ms", std::to_string(wait_ms)},
          {"retry-after", std::to_string(wait_s)}};
}

std::string shown_message(const base::Error& error) {
  std::string text = error.text();
  if (text.empty()) text = base::code_name(error.code);
  if (error.field.empty()) return text;
  const std::string prefix = error.field + ": ";
  return text.starts_with(prefix) ? text : prefix + text;
}

}  // namespace fh::dialects
