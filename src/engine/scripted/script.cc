// Parser of engine scripts; see script.h and docs/formats/engine-script.md.
#include "engine/scripted/script.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "codec/utf8.h"
#include "engine/scripted/lexer.h"

namespace fh::engine::scripted {
namespace {

constexpr std::size_t kScriptMaxBytes = 4 * 1024 * 1024;
constexpr std::uint64_t kRepeatMax = 1'000'000;
constexpr std::int64_t kDurationMaxNs = 3'600'000'000'000;  // an hour

template <typename T>
std::optional<T> whole_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<base::Duration> duration_of(std::string_view text) {
  struct Unit {
    std::string_view suffix;
    std::int64_t ns;
  };
  static constexpr std::array<Unit, 4> kUnits = {
      {{"ns", 1}, {"us", 1000}, {"ms", 1'000'000}, {"s", 1'000'000'000}}};
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.suffix)) continue;
    const auto n = whole_number<std::int64_t>(text.substr(0, text.size() - unit.suffix.size()));
    if (!n || *n < 0 || *n > kDurationMaxNs / unit.ns) return std::nullopt;
    return base::Duration(*n * unit.ns);
  }
  return std::nullopt;
}

std::optional<base::Code> code_of(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(base::Code::Unauthenticated); ++i) {
    const auto code = static_cast<base::Code>(i);
    if (base::code_name(code) == name) return code;
  }
  return std::nullopt;
}

// The pieces of one line, taken from the left.
class Cursor {
 public:
  explicit Cursor(const Line& line) : line_(line) {}

  bool done() const { return at_ == line_.pieces.size(); }
  bool at(Piece::Kind kind) const { return !done() && line_.pieces[at_].kind == kind; }
  bool take_word(std::string_view word) {
    if (!at(Piece::Kind::Word) || line_.pieces[at_].text != word) return false;
    ++at_;
    return true;
  }
  base::Result<std::string> word(std::string_view what) { return take(Piece::Kind::Word, what); }
  base::Result<std::string> string(std::string_view what) {
    return take(Piece::Kind::String, what);
  }
  base::Result<std::string> json(std::string_view what) { return take(Piece::Kind::Json, what); }

  base::Result<std::uint64_t> number(std::string_view what, std::uint64_t max) {
    FH_TRY(const std::string text, word(what));
    const auto n = whole_number<std::uint64_t>(text);
    if (!n || *n > max)
      return error(std::string(what) + " is a number up to " + std::to_string(max));
    return *n;
  }
  base::Result<base::Duration> duration(std::string_view what) {
    FH_TRY(const std::string text, word(what));
    const auto d = duration_of(text);
    if (!d) return error(std::string(what) + " is a time like 20ms, at most an hour");
    return *d;
  }
  std::unexpected<base::Error> error(std::string message, std::string hint = {}) const {
    return line_error(line_.number, std::move(message), std::move(hint));
  }
  base::Status end() const {
    if (done()) return {};
    return error("nothing is expected after this, but there is \"" + line_.pieces[at_].text + "\"");
  }

 private:
  base::Result<std::string> take(Piece::Kind kind, std::string_view what) {
    if (!at(kind)) return error(std::string(what) + " is missing here");
    return line_.pieces[at_++].text;
  }
  const Line& line_;
  std::size_t at_ = 0;
};

base::Result<base::Error> read_error(Cursor& in) {
  base::Error error;
  FH_TRY(const std::string name, in.word("an error code"));
  const auto code = code_of(name);
  if (!code)
    return in.error("unknown error code " + name,
                    "e.g. unavailable, invalid_argument, resource_exhausted");
  error.code = *code;
  FH_TRY(error.message, in.string("the message, in quotes,"));
  while (!in.done()) {
    if (in.take_word("field")) {
      FH_TRY(error.field, in.string("the field, in quotes,"));
    } else if (in.take_word("reason")) {
      FH_TRY(error.reason, in.string("the reason, in quotes,"));
    } else if (in.take_word("hint")) {
      FH_TRY(error.hint, in.string("the hint, in quotes,"));
    } else {
      return in.error("unknown part of an error", "known are field, reason and hint");
    }
  }
  return error;
}

base::Status read_finish(Cursor& in, Action& action) {
  using domain::EndReason;
  if (in.take_word("stop")) {
    action.reason = EndReason::Complete;
  } else if (in.take_word("length")) {
    action.reason = EndReason::Length;
  } else if (in.take_word("context_full")) {
    action.reason = EndReason::ContextFull;
  } else if (in.take_word("tool")) {
    action.reason = EndReason::ToolCall;
  } else if (in.take_word("stop_sequence")) {
    action.reason = EndReason::Stop;
    FH_TRY(const std::string stop, in.string("the stop sequence, in quotes,"));
    action.text = codec::utf8::repaired(stop);
  } else {
    return in.error("unknown way to finish",
                    "known are stop, length, context_full, tool and stop_sequence");
  }
  return {};
}

base::Status read_tool(Cursor& in, Action& action) {
  FH_TRY(action.name,
         in.at(Piece::Kind::String) ? in.string("a name") : in.word("the tool's name"));
  FH_TRY(action.text, in.json("the arguments, a JSON object,"));
  action.name = codec::utf8::repaired(action.name);
  if (!action.text.starts_with('{')) return in.error("a tool's arguments are a JSON object");
  return {};
}

base::Status read_tokens(Cursor& in, Action& action) {
  do {
    FH_TRY(std::string token, in.string("a token, in quotes,"));
    action.tokens.push_back(std::move(token));
  } while (!in.done());
  return {};
}

base::Status read_operand(Cursor& in, Action& action) {
  switch (action.kind) {
    case Action::Kind::Text:
    case Action::Kind::Reasoning: {
      FH_TRY(const std::string text, in.string("the text, in quotes,"));
      action.text = codec::utf8::repaired(text);
      return {};
    }
    case Action::Kind::Tokens: return read_tokens(in, action);
    case Action::Kind::Tool: return read_tool(in, action);
    case Action::Kind::Delay:
    case Action::Kind::Pace: {
      FH_TRY(action.duration, in.duration("the time"));
      return {};
    }
    case Action::Kind::Finish: return read_finish(in, action);
    case Action::Kind::Fail:
    case Action::Kind::Refuse: {
      FH_TRY(action.error, read_error(in));
      return {};
    }
    case Action::Kind::Cached: {
      FH_TRY(action.count, in.number("the number of tokens", UINT32_MAX));
      return {};
    }
    default: return {};
  }
}

base::Result<Action> read_action(const Line& line) {
  struct Verb {
    std::string_view name;
    Action::Kind kind;
  };
  static constexpr std::array<Verb, 15> kVerbs = {{
      {"text", Action::Kind::Text},
      {"token", Action::Kind::Tokens},
      {"reasoning", Action::Kind::Reasoning},
      {"echo", Action::Kind::Echo},
      {"tool", Action::Kind::Tool},
      {"delay", Action::Kind::Delay},
      {"pace", Action::Kind::Pace},
      {"hang", Action::Kind::Hang},
      {"wedge", Action::Kind::Wedge},
      {"die", Action::Kind::Die},
      {"finish", Action::Kind::Finish},
      {"fail", Action::Kind::Fail},
      {"refuse", Action::Kind::Refuse},
      {"cached", Action::Kind::Cached},
      {"unchecked", Action::Kind::Unchecked},
  }};
  Cursor in(line);
  Action action;
  if (in.take_word("repeat")) {
    FH_TRY(action.repeat, in.number("the number of repetitions", kRepeatMax));
  }
  FH_TRY(const std::string name, in.word("an action"));
  const auto* const verb = std::ranges::find(kVerbs, name, &Verb::name);
  if (verb == kVerbs.end()) {
    return in.error("unknown action " + name,
                    "known are text, token, reasoning, echo, tool, delay, pace, hang, die, finish, "
                    "fail, refuse, cached, unchecked, and repeat N before one of them");
  }
  action.kind = verb->kind;
  FH_TRY_VOID(read_operand(in, action));
  FH_TRY_VOID(in.end());
  return action;
}

base::Result<Condition> read_condition(Cursor& in) {
  Condition condition;
  condition.negated = in.take_word("not");
  FH_TRY(const std::string name, in.word("a condition"));
  using Kind = Condition::Kind;
  if (name == "any") {
    condition.kind = Kind::Any;
  } else if (name == "tools" || name == "json" || name == "image") {
    condition.kind = name == "tools" ? Kind::Tools : name == "json" ? Kind::Json : Kind::Image;
  } else if (name == "tool_result") {
    condition.kind = Kind::ToolResult;
    if (in.at(Piece::Kind::String)) {
      FH_TRY(condition.text, in.string("text"));
    }
  } else if (name == "request") {
    condition.kind = Kind::Request;
    FH_TRY(condition.number, in.number("the request's number", UINT32_MAX));
  } else if (name == "user" || name == "system" || name == "model" || name == "tenant" ||
             name == "tool") {
    condition.kind = name == "user"     ? Kind::User
                     : name == "system" ? Kind::System
                     : name == "model"  ? Kind::Model
                     : name == "tenant" ? Kind::Tenant
                                        : Kind::Tool;
    FH_TRY(condition.text, in.string("the text to look for, in quotes,"));
  } else {
    return in.error(
        "unknown condition " + name,
        "known are any, user, system, model, tenant, request, tools, tool, tool_result, "
        "json and image, each with not before it if wanted");
  }
  return condition;
}

base::Result<Rule> read_rule(Cursor& in, int line) {
  Rule rule;
  rule.line = line;
  do {
    if (in.take_word("times")) {
      FH_TRY(rule.times_max, in.number("the number of times", UINT32_MAX));
      if (rule.times_max == 0) return in.error("times is at least 1");
    } else {
      FH_TRY(Condition condition, read_condition(in));
      rule.conditions.push_back(std::move(condition));
    }
  } while (in.take_word("and"));
  FH_TRY_VOID(in.end());
  return rule;
}

base::Result<bool> read_switch(Cursor& in) {
  if (in.take_word("on")) return true;
  if (in.take_word("off")) return false;
  return in.error("this setting is on or off");
}

base::Result<std::uint32_t> read_u32(Cursor& in, std::uint32_t min) {
  FH_TRY(const std::uint64_t n, in.number("the value", UINT32_MAX));
  if (n < min) return in.error("the value is at least " + std::to_string(min));
  return static_cast<std::uint32_t>(n);
}

base::Status read_setting(Cursor& in, Settings& settings) {
  FH_TRY(const std::string name, in.word("a setting"));
  if (name == "context_tokens") {
    FH_TRY(settings.context_tokens, read_u32(in, 1));
  } else if (name == "running_max") {
    FH_TRY(settings.running_max, read_u32(in, 1));
  } else if (name == "queue_max") {
    FH_TRY(settings.queue_max, read_u32(in, 0));
  } else if (name == "split") {
    settings.split_chars = 0;
    if (!in.take_word("words")) {
      FH_TRY(settings.split_chars, read_u32(in, 1));
    }
  } else if (name == "images") {
    FH_TRY(settings.images, read_switch(in));
  } else if (name == "tools") {
    FH_TRY(settings.tools, read_switch(in));
  } else if (name == "reasoning") {
    FH_TRY(settings.reasoning, read_switch(in));
  } else if (name == "pace") {
    FH_TRY(settings.pace, in.duration("the time between tokens"));
  } else if (name == "prefill") {
    FH_TRY(settings.prefill, in.duration("the time per prompt token"));
  } else {
    return in.error("unknown setting " + name,
                    "known are context_tokens, running_max, queue_max, split, images, tools, "
                    "reasoning, pace and prefill");
  }
  return in.end();
}

}  // namespace

base::Result<Script> parse_script(std::string_view text) {
  if (text.size() > kScriptMaxBytes) {
    return base::fail(base::Code::InvalidArgument, "the engine script is larger than 4 MiB");
  }
  FH_TRY(const std::vector<Line> lines, split_lines(text));
  Script script;
  bool in_rule = false;
  for (const Line& line : lines) {
    if (line.indented) {
      if (!in_rule)
        return line_error(line.number, "an action without a rule", "begin with: on any");
      FH_TRY(Action action, read_action(line));
      script.rules.back().actions.push_back(std::move(action));
      continue;
    }
    Cursor in(line);
    in_rule = in.take_word("on");
    if (in_rule) {
      FH_TRY(Rule rule, read_rule(in, line.number));
      script.rules.push_back(std::move(rule));
    } else if (in.take_word("set")) {
      FH_TRY_VOID(read_setting(in, script.settings));
    } else {
      return in.error("a line begins with set, with on, or with blanks before an action");
    }
  }
  return script;
}

}  // namespace fh::engine::scripted
