#pragma once
// From a request and the rule that matched it to the list of steps of its answer. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "domain/conversation.h"
#include "domain/event.h"
#include "engine/scripted/script.h"

namespace fh::engine::scripted {

struct Step {
  enum class Kind : std::uint8_t {
    Text,       // a token; `text` may end inside a code point
    Reasoning,  // a token
    ToolBegin,  // a token; `text` is the name
    ToolArgs,   // a token
    ToolEnd,
    Delay,
    Pace,
    Hang,
    Wedge,
    Die,
    Fail,
    Finish,  // `text` is the stop string
  };
  Kind kind = Kind::Text;
  std::string text{};
  base::Duration duration{};
  domain::EndReason reason = domain::EndReason::Complete;
  base::Error error{};
};
bool is_token(Step::Kind kind);

struct Plan {
  std::vector<Step> steps;  // what follows the last one is the natural end
  std::optional<std::uint64_t> cached_tokens;
};

// Facts of a request that conditions may ask for.
struct RequestFacts {
  const domain::Generation& generation;
  std::string_view model;
  std::string_view tenant;
  std::uint64_t number = 0;  // 1 = first request prepared
};

bool matches(const Condition& condition, const RequestFacts& facts);
// Text of the last user message.
std::string last_user_text(const domain::Conversation& conversation);

// `rule` may be null: the engine's own way to answer. At most `tokens_max` tokens are planned (and
// one more, so that a cut shows). Errors: the rule's Refuse; InvalidArgument for a tool choice or a
// schema that cannot be satisfied.
base::Result<Plan> make_plan(const Rule* rule, const domain::Generation& generation,
                             const Settings& settings, std::uint64_t tokens_max);

}  // namespace fh::engine::scripted
