#pragma once
// The one event stream. A backend answers a started request with: at most one Started, any number
// of deltas, exactly one terminal event (Finished or Failed), nothing after it. Tool calls are
// sequential: Start, deltas, End, and never interleave with text. Text is whole UTF-8: no delta
// splits a code point.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "domain/usage.h"

namespace fh::domain {

enum class EndReason : std::uint8_t {
  Complete,     // the model ended its turn
  Stop,         // a stop string matched
  Length,       // max_tokens reached
  ContextFull,  // the context window is full
  ToolCall,     // the answer ends with a tool call
  ClientAbort,  // the client went away
  UpstreamCut,
  UpstreamError,  // the worker failed or died
  Timeout,
  Budget,
  Cancelled,  // an operator or a drain ended it
  Crash,      // found admitted and not settled at the next start
  Rejected,   // refused after admission, before any work
};
std::string_view end_reason_name(EndReason reason);
std::optional<EndReason> end_reason_from_name(std::string_view name);

struct TokenLogprob {
  std::string token;  // bytes of the token as text (may be a part of a code point; then bytes tell)
  std::vector<std::uint8_t> bytes;
  double logprob = 0;
  struct Top {
    std::string token;
    std::vector<std::uint8_t> bytes;
    double logprob = 0;
    bool operator==(const Top&) const = default;
  };
  std::vector<Top> top;
  bool operator==(const TokenLogprob&) const = default;
};

// Prefill begins; the prompt's token count and what of it need not be computed are now known.
struct Started {
  std::uint64_t prompt_tokens = 0;
  PromptWork work;
  bool operator==(const Started&) const = default;
};
struct TextDelta {
  std::string text;
  std::vector<TokenLogprob> logprobs;  // only if asked for
  bool operator==(const TextDelta&) const = default;
};
struct ReasoningDelta {
  std::string text;
  bool operator==(const ReasoningDelta&) const = default;
};
struct ToolCallStart {
  std::string id;  // "call_..." ; dialects map the prefix
  std::string name;
  bool operator==(const ToolCallStart&) const = default;
};
struct ToolCallDelta {
  std::string arguments_fragment;  // the concatenation is one JSON object
  bool operator==(const ToolCallDelta&) const = default;
};
struct ToolCallEnd {
  bool operator==(const ToolCallEnd&) const = default;
};
struct Finished {
  EndReason reason = EndReason::Complete;
  std::string stop_sequence;  // Stop only
  Usage usage;
  PromptWork work;
  Timings timings;
  bool operator==(const Finished&) const = default;
};
struct Failed {
  base::Error error;  // Code::Unavailable: a retry may succeed
  Usage usage;        // what was done until then
  PromptWork work;
  Timings timings;
};

using Event = std::variant<Started, TextDelta, ReasoningDelta, ToolCallStart, ToolCallDelta,
                           ToolCallEnd, Finished, Failed>;
inline bool is_terminal(const Event& event) {
  return std::holds_alternative<Finished>(event) || std::holds_alternative<Failed>(event);
}

}  // namespace fh::domain
