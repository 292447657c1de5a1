// Composes the grammar of an answer from rules of its parts.
#include "engine/llama/grammar_answer.h"

#include "engine/llama/grammar_schema.h"

namespace fh::engine::llama {
namespace {

using domain::OutputFormat;
using Mode = domain::ToolChoice::Mode;

// One call of any of the tools, markers included.
base::Result<std::string> call_rule(GrammarRules& rules, const AnswerShape& shape) {
  const auto& choice = shape.conversation->tool_choice;
  const bool forced = choice.mode == Mode::Required || choice.mode == Mode::Named;
  const std::string ws = rules.builtin("ws");
  std::string bodies;
  for (std::size_t i = 0; i < shape.tools->size(); ++i) {
    const ToolRule& tool = (*shape.tools)[i];
    if (choice.mode == Mode::Named && tool.name != choice.name) continue;
    const std::string place = "t" + std::to_string(i);
    const std::size_t before = rules.size();
    auto arguments = add_schema_rules(rules, *tool.schema, place, true);
    if (!arguments && (forced || tool.strict)) {
      return base::fail_field("tools." + std::to_string(i) + ".parameters",
                              "the schema of tool \"" + tool.name +
                                  "\" cannot be enforced: " + arguments.error().message,
                              "unsupported_schema");
    }
    if (!arguments) {
      rules.rollback(before);
      arguments = rules.builtin("object");
    }
    std::string name;
    codec::json::append_string(name, tool.name);
    const std::string body = "\"{\" " + ws + " \"\\\"name\\\"\" " + ws + " \":\" " + ws + " " +
                             gbnf_literal(name) + " " + ws + " \",\" " + ws +
                             " \"\\\"arguments\\\"\" " + ws + " \":\" " + ws + " " + *arguments +
                             " " + ws + " \"}\"";
    bodies += (bodies.empty() ? "" : " | ") + rules.add(place + "-call", body);
  }
  if (bodies.empty()) {
    return base::fail_field("tool_choice", "tool_choice names no tool of the request");
  }
  // The open marker is not part of the rule: under auto it is what leads here.
  return rules.add("call", "\"\\n\"? ( " + bodies + " ) \"\\n\"? " + gbnf_literal(kCallClose));
}

// One or several calls after the first open marker.
base::Result<std::string> calls_rule(GrammarRules& rules, const AnswerShape& shape) {
  FH_TRY(const std::string call, call_rule(rules, shape));
  if (!shape.conversation->tool_choice.parallel) return call;
  return rules.add("calls", call + " ( \"\\n\" " + gbnf_literal(kCallOpen) + " " + call + " )*");
}

base::Result<std::string> format_rule(GrammarRules& rules, const OutputFormat& format) {
  if (format.kind == OutputFormat::Kind::JsonObject) return rules.builtin("object");
  auto schema = JsonSchema::parse(format.schema_json);
  if (!schema) return base::fail_field("response_format", schema.error().message, "invalid_schema");
  auto rule = add_schema_rules(rules, **schema, "f", false);
  if (!rule) {
    return base::fail_field("response_format",
                            "the schema cannot be enforced: " + rule.error().message,
                            "unsupported_schema");
  }
  return rule;
}

}  // namespace

base::Result<GrammarSpec> answer_grammar(const AnswerShape& shape) {
  const auto& conversation = *shape.conversation;
  const Mode mode = conversation.tool_choice.mode;
  const bool calls = !shape.tools->empty();
  const bool forced = mode == Mode::Required || mode == Mode::Named;
  const bool json = conversation.format.kind != OutputFormat::Kind::Text;
  GrammarSpec spec;
  if (shape.think != nullptr) {
    spec.think_start = shape.think->start;
    spec.think_end = shape.think->end;
    spec.starts_in_reasoning = shape.starts_in_reasoning;
    spec.think_budget_tokens = conversation.reasoning.budget_tokens;
  }
  if (forced && !calls) return base::fail_field("tool_choice", "tool_choice needs tools");
  if (!calls && !json) return spec;

  GrammarRules rules;
  const std::string root = rules.reserve("root");
  const std::string open = gbnf_literal(kCallOpen);
  std::string answer;
  if (calls) {
    FH_TRY(const std::string after_open, calls_rule(rules, shape));
    if (forced || json) {
      answer = open + " " + after_open;
    } else if (shape.call_open_is_token) {
      spec.lazy = true;
      spec.trigger_words.emplace_back(kCallOpen);
      answer = open + " " + after_open;
    } else {
      // A trigger made of several tokens can be overrun by the last of them; free text is in the
      // grammar instead.
      answer = gbnf_until(rules, "free", kCallOpen, after_open, true);
    }
  }
  if (json && !forced) {
    FH_TRY(const std::string format, format_rule(rules, conversation.format));
    answer += (answer.empty() ? "" : " | ") + format;
  }
  if (!spec.lazy && shape.think != nullptr) {
    // A grammar that holds from the first token must let the model think.
    const std::string tail = "[ \\n]{0,4} ( " + answer + " )";
    const std::string inside = gbnf_until(rules, "think", shape.think->end, tail, false);
    answer = shape.starts_in_reasoning
                 ? inside
                 : gbnf_literal(shape.think->start) + " " + inside + " | " + answer;
  }
  rules.define(root, answer);
  spec.gbnf = rules.text();
  return spec;
}

}  // namespace fh::engine::llama
