// Conditions, and the steps of an answer; see plan.h.
#include "engine/scripted/plan.h"

#include <algorithm>
#include <string>
#include <utility>

#include "codec/json.h"
#include "codec/utf8.h"
#include "engine/scripted/sample_json.h"

namespace fh::engine::scripted {
namespace {

namespace d = domain;
using Kind = Action::Kind;
using Mode = d::ToolChoice::Mode;

constexpr std::string_view kSentence =
    "Hello! This is the scripted engine: it answers every question with this friendly sentence.";
constexpr std::string_view kThought = "Nothing to work out here, a friendly sentence will do.";
constexpr std::string_view kJsonAnswer = R"({"answer": "Hello from the scripted engine."})";
constexpr std::size_t kQuotedResultMaxBytes = 200;
constexpr std::size_t kArgumentFragmentChars = 8;

std::string text_of(const d::Message& message) {
  std::string text;
  for (const d::Part& part : message.parts) {
    if (const auto* piece = std::get_if<d::TextPart>(&part)) text += piece->text;
  }
  return text;
}

const d::Message* last_user_message(const d::Conversation& conversation) {
  for (auto it = conversation.messages.rbegin(); it != conversation.messages.rend(); ++it) {
    if (it->role == d::Role::User) return &*it;
  }
  return nullptr;
}

// The result that the conversation ends with.
const d::ToolResultPart* last_tool_result(const d::Conversation& conversation) {
  if (conversation.messages.empty()) return nullptr;
  const auto& parts = conversation.messages.back().parts;
  for (auto it = parts.rbegin(); it != parts.rend(); ++it) {
    if (const auto* result = std::get_if<d::ToolResultPart>(&*it)) return result;
  }
  return nullptr;
}

bool ends_with_tool_result(const d::Conversation& conversation, const std::string& text) {
  if (conversation.messages.empty()) return false;
  return std::ranges::any_of(conversation.messages.back().parts, [&](const d::Part& part) {
    const auto* result = std::get_if<d::ToolResultPart>(&part);
    return result != nullptr && result->text.contains(text);
  });
}

const d::Tool* find_tool(const d::Conversation& conversation, std::string_view name) {
  const auto it = std::ranges::find(conversation.tools, name, &d::Tool::name);
  return it == conversation.tools.end() ? nullptr : &*it;
}

bool is_answer(Kind kind) {
  return kind == Kind::Text || kind == Kind::Tokens || kind == Kind::Tool;
}

Action text_action(std::string text) {
  Action action;
  action.kind = Kind::Text;
  action.text = std::move(text);
  return action;
}

base::Result<Action> call_action(const d::Tool& tool) {
  Action action;
  action.kind = Kind::Tool;
  action.name = tool.name;
  FH_TRY(action.text, sample_json(tool.parameters_json.empty() ? "{}" : tool.parameters_json));
  if (!action.text.starts_with('{')) action.text = "{}";
  return action;
}

std::vector<Action> own_actions(const d::Generation& generation) {
  const d::Conversation& conversation = generation.conversation;
  std::vector<Action> actions;
  if (conversation.reasoning.mode == d::Reasoning::Mode::On) {
    actions.push_back(text_action(std::string(kThought)));
    actions.back().kind = Kind::Reasoning;
  }
  if (const d::ToolResultPart* result = last_tool_result(conversation)) {
    const std::string_view quoted = codec::utf8::truncated(result->text, kQuotedResultMaxBytes);
    actions.push_back(text_action("The tool answered: " + std::string(quoted)));
    return actions;
  }
  if (!conversation.tools.empty()) {
    const std::string asked = last_user_text(conversation);
    const auto named = std::ranges::find_if(
        conversation.tools, [&](const d::Tool& tool) { return asked.contains(tool.name); });
    const bool wanted = named != conversation.tools.end() || asked.contains("tool");
    if (wanted) {
      const d::Tool& tool = named != conversation.tools.end() ? *named : conversation.tools.front();
      if (auto call = call_action(tool)) {
        actions.push_back(*std::move(call));
        return actions;
      }
    }
  }
  actions.push_back(text_action(std::string(kSentence)));
  return actions;
}

// Puts `action` where the answer was, or at the end but before what ends the answer.
void replace_answer(std::vector<Action>& actions, Action action) {
  const auto ends = [](const Action& a) {
    return a.kind == Kind::Finish || a.kind == Kind::Fail || a.kind == Kind::Hang ||
           a.kind == Kind::Wedge || a.kind == Kind::Die;
  };
  auto at =
      std::ranges::find_if(actions, [&](const Action& a) { return is_answer(a.kind) || ends(a); });
  actions.insert(at, std::move(action));
  bool kept = false;
  std::erase_if(actions, [&](const Action& a) {
    if (!is_answer(a.kind)) return false;
    return std::exchange(kept, true);
  });
}

base::Status force_call(std::vector<Action>& actions, const d::Conversation& conversation) {
  const d::ToolChoice& choice = conversation.tool_choice;
  const auto fits = [&](const Action& a) {
    return a.kind == Kind::Tool && find_tool(conversation, a.name) != nullptr &&
           (choice.mode != Mode::Named || a.name == choice.name);
  };
  if (std::ranges::any_of(actions, fits)) {
    std::erase_if(actions, [&](const Action& a) { return is_answer(a.kind) && !fits(a); });
    return {};
  }
  const d::Tool* tool = choice.mode == Mode::Named   ? find_tool(conversation, choice.name)
                        : conversation.tools.empty() ? nullptr
                                                     : &conversation.tools.front();
  if (tool == nullptr)
    return base::fail_field("tool_choice", "the tool to be called is not declared");
  auto call = call_action(*tool);
  if (!call) {
    const auto index = tool - conversation.tools.data();
    return base::fail_field("tools." + std::to_string(index) + ".parameters", call.error().message,
                            "unsupported_schema");
  }
  replace_answer(actions, *std::move(call));
  std::erase_if(actions, [](const Action& a) {
    return a.kind == Kind::Finish && a.reason == d::EndReason::Complete;
  });
  return {};
}

base::Status apply_tool_choice(std::vector<Action>& actions, const d::Conversation& conversation) {
  const d::ToolChoice& choice = conversation.tool_choice;
  const auto is_call = [](const Action& a) { return a.kind == Kind::Tool; };
  if (choice.mode == Mode::None) {
    const bool had_calls = std::erase_if(actions, is_call) > 0;
    const auto answers = [](const Action& a) { return is_answer(a.kind); };
    if (had_calls && std::ranges::none_of(actions, answers)) {
      replace_answer(actions, text_action(std::string(kSentence)));
    }
  } else if (choice.mode != Mode::Auto) {
    FH_TRY_VOID(force_call(actions, conversation));
  }
  if (!choice.parallel) {
    bool called = false;
    std::erase_if(actions,
                  [&](const Action& a) { return is_call(a) && std::exchange(called, true); });
    for (Action& action : actions) {
      if (is_call(action)) action.repeat = std::min<std::uint64_t>(action.repeat, 1);
    }
  }
  return {};
}

base::Status apply_format(std::vector<Action>& actions, const d::OutputFormat& format) {
  if (format.kind == d::OutputFormat::Kind::Text) return {};
  std::string text;
  for (const Action& action : actions) {
    if (action.kind == Kind::Tool) return {};
    if (action.kind == Kind::Text) text += action.text;
    for (const std::string& token : action.tokens) text += token;
  }
  std::string sample(kJsonAnswer);
  if (format.kind == d::OutputFormat::Kind::JsonSchema) {
    auto value = sample_json(format.schema_json);
    if (!value)
      return base::fail_field("response_format", value.error().message, "unsupported_schema");
    sample = *std::move(value);
  }
  if (!codec::json::Document::parse(text)) replace_answer(actions, text_action(std::move(sample)));
  return {};
}

// The smallest pieces that an answer is made of.
std::vector<std::string> split_chars(std::string_view text, std::size_t chars) {
  std::vector<std::string> out;
  std::size_t in_piece = 0;
  while (!text.empty()) {
    const std::size_t size = codec::utf8::first_sequence(text).size_bytes;
    if (in_piece == 0) out.emplace_back();
    out.back() += text.substr(0, size);
    text.remove_prefix(size);
    in_piece = (in_piece + 1) % chars;
  }
  return out;
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> out;
  const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\t'; };
  bool after_word = true;
  for (const char c : text) {
    if (out.empty() || (blank(c) && after_word)) out.emplace_back();
    after_word = !blank(c);
    out.back() += c;
  }
  return out;
}

class Expansion {
 public:
  Expansion(const Settings& settings, std::uint64_t tokens_max, std::optional<std::uint32_t> budget)
      : settings_(settings), tokens_left_(tokens_max + 1), thoughts_left_(budget) {}

  Plan run(const std::vector<Action>& actions) {
    for (const Action& action : actions) {
      for (std::uint64_t i = 0; i < action.repeat && tokens_left_ > 0; ++i) {
        if (!add(action)) return std::move(plan_);
        if (!repeats(action.kind)) break;
      }
    }
    return std::move(plan_);
  }

 private:
  // Repeating a setting or an end changes nothing.
  static bool repeats(Kind kind) {
    return kind == Kind::Text || kind == Kind::Tokens || kind == Kind::Reasoning ||
           kind == Kind::Tool || kind == Kind::Delay;
  }

  // False: nothing can follow.
  bool add(const Action& action) {
    switch (action.kind) {
      case Kind::Text: add_tokens(Step::Kind::Text, split(action.text)); return true;
      case Kind::Tokens: add_tokens(Step::Kind::Text, action.tokens); return true;
      case Kind::Reasoning: add_tokens(Step::Kind::Reasoning, split(action.text)); return true;
      case Kind::Tool: add_call(action); return true;
      case Kind::Delay: return add_delay(action);
      case Kind::Pace: plan_.steps.push_back({Step::Kind::Pace, {}, action.duration}); return true;
      case Kind::Cached: plan_.cached_tokens = action.count; return true;
      case Kind::Hang: plan_.steps.push_back({Step::Kind::Hang}); return false;
      case Kind::Wedge: plan_.steps.push_back({Step::Kind::Wedge}); return false;
      case Kind::Die: plan_.steps.push_back({Step::Kind::Die}); return false;
      case Kind::Fail:
        plan_.steps.push_back({.kind = Step::Kind::Fail, .error = action.error});
        return false;
      case Kind::Finish:
        plan_.steps.push_back({Step::Kind::Finish, action.text, {}, action.reason});
        return false;
      default: return true;
    }
  }

  // Delays make no tokens; their number is bounded all the same.
  bool add_delay(const Action& action) {
    constexpr std::size_t kStepsMax = 4'000'000;
    plan_.steps.push_back({Step::Kind::Delay, {}, action.duration});
    return plan_.steps.size() < kStepsMax;
  }

  std::vector<std::string> split(std::string_view text) const {
    return settings_.split_chars == 0 ? split_words(text)
                                      : split_chars(text, settings_.split_chars);
  }

  void add_tokens(Step::Kind kind, const std::vector<std::string>& tokens) {
    for (const std::string& token : tokens) {
      if (tokens_left_ == 0) return;
      if (kind == Step::Kind::Reasoning && thoughts_left_) {
        if (*thoughts_left_ == 0) return;
        --*thoughts_left_;
      }
      --tokens_left_;
      plan_.steps.push_back({kind, token});
    }
  }

  void add_call(const Action& action) {
    add_tokens(Step::Kind::ToolBegin, {action.name});
    add_tokens(Step::Kind::ToolArgs, split_chars(action.text, kArgumentFragmentChars));
    plan_.steps.push_back({Step::Kind::ToolEnd});
  }

  const Settings& settings_;
  std::uint64_t tokens_left_;
  std::optional<std::uint32_t> thoughts_left_;
  Plan plan_;
};

}  // namespace

bool is_token(Step::Kind kind) {
  return kind == Step::Kind::Text || kind == Step::Kind::Reasoning ||
         kind == Step::Kind::ToolBegin || kind == Step::Kind::ToolArgs;
}

std::string last_user_text(const d::Conversation& conversation) {
  const d::Message* message = last_user_message(conversation);
  return message == nullptr ? std::string() : text_of(*message);
}

bool matches(const Condition& condition, const RequestFacts& facts) {
  const d::Conversation& conversation = facts.generation.conversation;
  const auto holds = [&]() -> bool {
    switch (condition.kind) {
      case Condition::Kind::Any: return true;
      case Condition::Kind::User: return last_user_text(conversation).contains(condition.text);
      case Condition::Kind::System:
        return std::ranges::any_of(conversation.messages, [&](const d::Message& message) {
          return message.role == d::Role::System && text_of(message).contains(condition.text);
        });
      case Condition::Kind::Model: return facts.model == condition.text;
      case Condition::Kind::Tenant: return facts.tenant == condition.text;
      case Condition::Kind::Request: return facts.number == condition.number;
      case Condition::Kind::Tools: return !conversation.tools.empty();
      case Condition::Kind::Tool: return find_tool(conversation, condition.text) != nullptr;
      case Condition::Kind::ToolResult: return ends_with_tool_result(conversation, condition.text);
      case Condition::Kind::Json: return conversation.format.kind != d::OutputFormat::Kind::Text;
      case Condition::Kind::Image: {
        const d::Message* message = last_user_message(conversation);
        return message != nullptr && std::ranges::any_of(message->parts, [](const d::Part& part) {
                 return std::holds_alternative<d::ImagePart>(part);
               });
      }
    }
    return false;
  };
  return holds() != condition.negated;
}

base::Result<Plan> make_plan(const Rule* rule, const d::Generation& generation,
                             const Settings& settings, std::uint64_t tokens_max) {
  const d::Conversation& conversation = generation.conversation;
  std::vector<Action> actions = rule != nullptr ? rule->actions : own_actions(generation);
  bool checked = true;
  for (Action& action : actions) {
    if (action.kind == Kind::Refuse) return std::unexpected(action.error);
    if (action.kind == Kind::Unchecked) checked = false;
    if (action.kind == Kind::Echo) {
      const std::uint64_t repeat = action.repeat;
      action = text_action(last_user_text(conversation));
      action.repeat = repeat;
    }
  }
  if (checked) {
    FH_TRY_VOID(apply_tool_choice(actions, conversation));
    FH_TRY_VOID(apply_format(actions, conversation.format));
  }
  if (!settings.reasoning || conversation.reasoning.mode == d::Reasoning::Mode::Off) {
    std::erase_if(actions, [](const Action& a) { return a.kind == Kind::Reasoning; });
  }
  return Expansion(settings, tokens_max, conversation.reasoning.budget_tokens).run(actions);
}

}  // namespace fh::engine::scripted
