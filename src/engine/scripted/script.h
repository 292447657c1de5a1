#pragma once
// The text that drives the scripted engine: docs/formats/engine-script.md. Parsed once into plain
// values.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "domain/event.h"

namespace fh::engine::scripted {

struct Settings {
  std::uint32_t context_tokens = 8192;
  std::uint32_t running_max = 4;
  std::uint32_t queue_max = 64;
  std::uint32_t split_chars = 0;  // characters per token; 0 = a word with the space before it
  bool images = false;
  bool tools = true;
  bool reasoning = true;
  base::Duration pace{};     // between two tokens of an answer
  base::Duration prefill{};  // per computed token of the prompt
};

struct Condition {
  enum class Kind : std::uint8_t {
    Any,
    User,        // the last user message holds `text`
    System,      // a system message holds `text`
    Model,       // the model's name is `text`
    Tenant,      // the tenant is `text`
    Request,     // this is the `number`-th request that was prepared
    Tools,       // tools are declared
    Tool,        // the tool `text` is declared
    ToolResult,  // the conversation ends with a tool's result that holds `text` (empty: any)
    Json,        // JSON output is asked for
    Image,       // the last user message holds an image
  };
  Kind kind = Kind::Any;
  bool negated = false;
  std::string text;
  std::uint64_t number = 0;
};

struct Action {
  enum class Kind : std::uint8_t {
    Text,
    Tokens,  // `tokens` as they are, one by one; may hold parts of a code point
    Reasoning,
    Echo,  // the last user message
    Tool,  // call of `name` with `text` as arguments
    Delay,
    Pace,       // from here on
    Hang,       // nothing more until cancelled
    Wedge,      // nothing more, and no cancel helps
    Die,        // the process aborts
    Finish,     // `reason`; `text` is the stop string
    Fail,       // a Failed event with `error`
    Refuse,     // prepare fails with `error`
    Cached,     // `count` prompt tokens are reported as reused
    Unchecked,  // tool choice and output format are not enforced on this answer
  };
  Kind kind = Kind::Text;
  std::uint64_t repeat = 1;
  std::string text;
  std::string name;
  std::vector<std::string> tokens;
  base::Duration duration{};
  std::uint64_t count = 0;
  domain::EndReason reason = domain::EndReason::Complete;
  base::Error error;
};

struct Rule {
  std::vector<Condition> conditions;  // all must hold
  std::uint64_t times_max = 0;        // 0 = any number of times
  std::vector<Action> actions;
  int line = 0;
};

// Rules are tried in order; without a match the engine answers in its own way.
struct Script {
  Settings settings;
  std::vector<Rule> rules;
};

// Error InvalidArgument: "line N: what is wrong", hint: what is allowed.
base::Result<Script> parse_script(std::string_view text);

}  // namespace fh::engine::scripted
