// The overflow error's text form; see engine.h.
#include "engine/engine.h"

#include <array>
#include <charconv>
#include <string_view>

namespace fh::engine {
namespace {
constexpr std::string_view kOverflowReason = "context_length_exceeded";
}

base::Error make_overflow(const ContextOverflow& overflow) {
  base::Error error;
  error.code = base::Code::OutOfRange;
  error.reason = kOverflowReason;
  error.message = std::to_string(overflow.prompt_tokens) + ' ' +
                  std::to_string(overflow.tool_tokens) + ' ' +
                  std::to_string(overflow.context_tokens);
  error.hint = "shorten the conversation or use a model with a larger context window";
  return error;
}

std::optional<ContextOverflow> overflow_of(const base::Error& error) {
  if (error.code != base::Code::OutOfRange || error.reason != kOverflowReason) return std::nullopt;
  std::array<std::uint64_t, 3> counts{};
  const char* at = error.message.data();
  const char* const end = at + error.message.size();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (i > 0) {
      if (at == end || *at != ' ') return std::nullopt;
      ++at;
    }
    const auto [next, status] = std::from_chars(at, end, counts[i]);
    if (status != std::errc{}) return std::nullopt;
    at = next;
  }
  if (at != end) return std::nullopt;
  return ContextOverflow{counts[0], counts[1], counts[2]};
}

}  // namespace fh::engine
