// Probing of templates, and the tables of known thinking tags and families.
#include "engine/llama/profile.h"

#include <array>
#include <initializer_list>

namespace fh::engine::llama {
namespace {

struct TagRow {
  std::string_view start;
  std::string_view end;
};
constexpr std::array kThinkTags{
    TagRow{"<think>", "</think>"},                     // Qwen3, DeepSeek-R1, SmolLM3, QwQ, Nemotron
    TagRow{"<seed:think>", "</seed:think>"},           // Seed-OSS
    TagRow{"[THINK]", "[/THINK]"},                     // Magistral, Ministral
    TagRow{"<thinking>", "</thinking>"},               // Apriel
    TagRow{"<|START_THINKING|>", "<|END_THINKING|>"},  // Command R7B, Command A
};

// Habits of families that no rendering shows.
struct FamilyRow {
  std::string_view architecture;  // prefix of general.architecture; empty: any
  std::string_view template_has;  // text in the template; empty: any
  bool lenient_calls;
  bool fenced_calls = false;
  bool system_leads = false;
};
constexpr std::array kFamilies{
    // Gemma answers with JSON in fences on its own; it must look exactly like a declared call to be
    // taken for one, as everywhere.
    FamilyRow{"gemma", "", true},
    // Qwen2.5-Coder fences its calls although its template asks for <tool_call>, and then goes on
    // with the result as it imagines it. Asked by a user's turn and a long system text behind it,
    // as coding clients do, it recites that text instead of answering the turn.
    FamilyRow{"qwen2", "<tool_call>", true, true, true},
    // Thinking Qwen3 models keep to the markers; a bare object of theirs is an answer.
    FamilyRow{"qwen3", "enable_thinking", false},
    FamilyRow{"", "", true},
};

PromptMessage message(std::string role, std::string text) {
  PromptMessage out;
  out.role = std::move(role);
  out.text = std::move(text);
  return out;
}

PromptMessage call_message(std::string id) {
  PromptMessage out = message("assistant", "");
  out.calls.push_back({std::move(id), "fh_probe", R"({"x": "y"})"});
  return out;
}

PromptMessage tool_message(std::string id, std::string text) {
  PromptMessage out = message("tool", std::move(text));
  out.tool_call_id = std::move(id);
  out.tool_name = "fh_probe";
  return out;
}

// All words stand in the text, each once, in this order.
bool in_order(const base::Result<std::string>& text,
              std::initializer_list<std::string_view> words) {
  if (!text) return false;
  std::size_t at = 0;
  for (const std::string_view word : words) {
    const std::size_t found = text->find(word);
    if (found == std::string::npos || found < at ||
        text->find(word, found + 1) != std::string::npos) {
      return false;
    }
    at = found;
  }
  return true;
}

std::string without_space(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\n') out += c;
  }
  return out;
}

std::string_view trimmed_end(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \n\t\r");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

const char* const kLongId = "call_0123456789abcdefghijABCD";
const char* const kShortId = "abcdef012";

void probe_roles(const TemplateRunner& runner, Profile& out) {
  const auto s0 = message("system", "FHs0");
  const auto s1 = message("system", "FHs1");
  const auto s2 = message("system", "FHs2");
  const auto u1 = message("user", "FHu1");
  const auto u2 = message("user", "FHu2");
  const auto a1 = message("assistant", "FHa1");
  const auto a2 = message("assistant", "FHa2");
  const RenderOptions options;
  out.system_first = in_order(runner.run({s0, u1}, options), {"FHs0", "FHu1"});
  out.system_anywhere =
      out.system_first &&
      in_order(runner.run({s0, s1, u1, a1, s2, u2}, options),
               {"FHs0", "FHs1", "FHu1", "FHa1", "FHs2", "FHu2"}) &&
      in_order(runner.run({u1, a1, u2, s2}, options), {"FHu1", "FHa1", "FHu2", "FHs2"});
  out.repeats =
      in_order(runner.run({u1, u2, a1, a2, s0}, options), {"FHu1", "FHu2", "FHa1", "FHa2"}) ||
      in_order(runner.run({u1, u2, a1, a2}, options), {"FHu1", "FHu2", "FHa1", "FHa2"});
  out.assistant_first = in_order(runner.run({a1, u1}, options), {"FHa1", "FHu1"});
}

void probe_tools(const TemplateRunner& runner, Profile& out) {
  const std::vector<domain::Tool> tools{
      {"fh_probe", "FHdescription",
       R"({"type": "object", "properties": {"x": {"type": "string"}}})", false}};
  RenderOptions options;
  options.tools = &tools;
  const auto user = message("user", "FHu1");
  auto text = runner.run({user, call_message(kLongId), tool_message(kLongId, "FHr1")}, options);
  const char* id = kLongId;
  if (!text) {
    text = runner.run({user, call_message(kShortId), tool_message(kShortId, "FHr1")}, options);
    out.short_call_ids = text.has_value();
    id = kShortId;
  }
  // It must show the tools, the past call and its result.
  if (!text || text->find("FHdescription") == std::string::npos ||
      !in_order(text, {"FHu1", "FHr1"})) {
    return;
  }
  const std::size_t asked = text->find("FHu1");
  if (text->find("fh_probe", asked) == std::string::npos) return;
  const bool hermes = without_space(*text).find(
                          R"(<tool_call>{"name":"fh_probe","arguments":{"x":"y"}}</tool_call>)") !=
                      std::string::npos;
  out.tools = hermes ? ToolFormat::Hermes : ToolFormat::Native;
  out.user_after_tool = in_order(
      runner.run({user, call_message(id), tool_message(id, "FHr1"), message("user", "FHu2")},
                 options),
      {"FHu1", "FHr1", "FHu2"});
}

void probe_thinking(const TemplateRunner& runner, Profile& out) {
  out.think = find_think_tags(runner.source());
  if (!out.think) return;
  const std::vector<PromptMessage> messages{message("user", "FHu1")};
  RenderOptions on;
  on.thinking = true;
  RenderOptions off;
  off.thinking = false;
  const auto with = runner.run(messages, on);
  const auto without = runner.run(messages, off);
  out.think_opened = with && trimmed_end(*with).ends_with(out.think->start);
  out.think_switch = with && without && *with != *without;
  auto assistant = message("assistant", "FHa1");
  assistant.reasoning = "FHthought";
  const auto past = runner.run({message("user", "FHu1"), assistant}, on);
  out.history_reasoning = past && past->find("FHthought") != std::string::npos;
}

}  // namespace

std::optional<ThinkTags> find_think_tags(std::string_view source) {
  for (const TagRow& row : kThinkTags) {
    if (source.find(row.end) != std::string_view::npos) {
      return ThinkTags{std::string(row.start), std::string(row.end)};
    }
  }
  return std::nullopt;
}

Profile probe_profile(const TemplateRunner& runner, std::string_view architecture) {
  Profile out;
  // Of one that takes too long nothing more has to be known.
  probe_roles(runner, out);
  if (!runner.overrun()) probe_tools(runner, out);
  if (!runner.overrun()) probe_thinking(runner, out);
  for (const FamilyRow& row : kFamilies) {
    if (!architecture.starts_with(row.architecture)) continue;
    if (runner.source().find(row.template_has) == std::string::npos) continue;
    out.lenient_calls = row.lenient_calls;
    out.fenced_calls = row.fenced_calls;
    out.system_leads = row.system_leads;
    break;
  }
  return out;
}

}  // namespace fh::engine::llama
