// The chat template of a model: which profile it has, and what one request makes of it.
#include "engine/llama/chat.h"

#include <common.h>
#include <llama.h>
#include <log.h>

#include "engine/llama/chat_native.h"
#include "engine/llama/chat_normalise.h"
#include "engine/llama/chat_render.h"
#include "engine/llama/grammar_answer.h"
#include "engine/llama/grammar_schema.h"
#include "engine/llama/output_marker.h"
#include "engine/llama/profile.h"
#include "engine/llama/special_text.h"

namespace fh::engine::llama {
namespace {

using domain::OutputFormat;
using Mode = domain::ToolChoice::Mode;
using Thinking = domain::Reasoning::Mode;

// What llama.cpp uses for models without a template.
constexpr std::string_view kChatMl =
    "{%- for message in messages -%}{{- '<|im_start|>' + message.role + '\\n' + message.content + "
    "'<|im_end|>\\n' -}}{%- endfor -%}{%- if add_generation_prompt -%}{{- "
    "'<|im_start|>assistant\\n' "
    "-}}{%- endif -%}";

std::string token_text(const llama_vocab* vocab, llama_token token) {
  return token == LLAMA_TOKEN_NULL ? std::string() : common_token_to_piece(vocab, token, true);
}

std::string model_architecture(const llama_model* model) {
  char buffer[128] = {};
  const int size = llama_model_meta_val_str(model, "general.architecture", buffer, sizeof buffer);
  return size > 0 ? std::string(buffer) : std::string();
}

// Templates know three levels.
std::string effort_level(std::string_view effort) {
  if (effort == "minimal" || effort == "low") return "low";
  if (effort == "high" || effort == "xhigh" || effort == "max") return "high";
  return effort == "medium" ? "medium" : "";
}

std::size_t tool_text_bytes(const std::vector<domain::Tool>& tools) {
  constexpr std::size_t kFrame = 75;  // of the JSON around name, description and schema
  std::size_t out = 0;
  for (const auto& tool : tools) {
    out += tool.name.size() + tool.description.size() + tool.parameters_json.size() + kFrame;
  }
  return out;
}

std::string_view trimmed_end(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \n\t\r");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

class Template final : public ChatTemplate {
 public:
  const llama_vocab* vocab = nullptr;
  base::Random* random = nullptr;
  bool add_bos = false;
  std::string bos;
  bool call_open_is_token = false;
  std::unique_ptr<TemplateRunner> runner;
  std::unique_ptr<NativeTemplates> native;  // ToolFormat::Native only
  Profile profile;
  SpecialTexts specials;

  bool supports_tools() const override { return profile.tools != ToolFormat::Described; }
  bool supports_reasoning() const override {
    return profile.think.has_value() || native_thinking();
  }

  base::Result<RenderedPrompt> render(const domain::Generation& generation) const override {
    const domain::Conversation& conversation = generation.conversation;
    FH_TRY(const ToolRules rules, tool_rules(conversation.tools));
    FH_TRY_VOID(check_choice(conversation, rules));
    const bool offer = !rules.empty() && conversation.tool_choice.mode != Mode::None;
    const bool describe = offer && profile.tools == ToolFormat::Described;
    const std::optional<domain::Conversation> harmless = specials.broken_up(conversation);
    const domain::Conversation& shown = harmless ? *harmless : conversation;
    FH_TRY(const NormalConversation normal, normalise(shown, profile, describe));
    if (conversation.format.kind != OutputFormat::Kind::Text && !normal.prefill_text.empty()) {
      return base::fail_field("response_format",
                              "an answer that the client began cannot be held to a JSON format");
    }
    const auto* tools = offer ? &shown.tools : nullptr;
    auto out = !native ? marker_prompt(conversation, normal, rules, tools)
               : must_call(conversation, offer)
                   ? forced_native_prompt(conversation, normal, rules, tools)
                   : native_prompt(conversation, normal, tools);
    if (!out) return out;
    if (!out->grammar.gbnf.empty() && vocab != nullptr) {
      FH_TRY_VOID(checked(out->grammar.gbnf, conversation));
    }
    out->tool_bytes = offer ? tool_text_bytes(conversation.tools) : 0;
    out->add_bos = add_bos;
    if (add_bos && !bos.empty() && out->prompt.starts_with(bos)) out->prompt.erase(0, bos.size());
    return out;
  }

 private:
  bool native_thinking() const {
    return native && runner->source().find("<|channel|>") != std::string::npos;
  }

  static base::Status check_choice(const domain::Conversation& conversation,
                                   const ToolRules& rules) {
    const auto& choice = conversation.tool_choice;
    if (choice.mode == Mode::Named && find_tool(rules, choice.name) == nullptr) {
      return base::fail_field("tool_choice", "tool_choice names no tool of the request");
    }
    if (choice.mode == Mode::Required && rules.empty()) {
      return base::fail_field("tool_choice", "tool_choice needs tools");
    }
    return {};
  }

  base::Status checked(const std::string& gbnf, const domain::Conversation& conversation) const {
    auto status = check_grammar(gbnf, vocab);
    if (status) return {};
    const bool format = conversation.format.kind != OutputFormat::Kind::Text;
    return base::fail_field(format ? "response_format" : "tools", status.error().message,
                            "unsupported_schema");
  }

  static const std::vector<domain::Tool>* other_tools(const domain::Conversation& conversation,
                                                      const std::vector<domain::Tool>* offered) {
    return offered == &conversation.tools ? nullptr : offered;
  }

  static bool must_call(const domain::Conversation& conversation, bool offer) {
    const Mode mode = conversation.tool_choice.mode;
    return offer && (mode == Mode::Required || mode == Mode::Named);
  }

  // llama-common drops keywords of schemas that it does not know; the same request must not be held
  // more loosely on this path.
  base::Result<RenderedPrompt> native_prompt(const domain::Conversation& conversation,
                                             const NormalConversation& normal,
                                             const std::vector<domain::Tool>* offered) const {
    const bool offer = offered != nullptr;
    const bool json = conversation.format.kind != OutputFormat::Kind::Text;
    if (offer && json) {
      return base::fail_field("response_format",
                              "this model's format cannot hold both tools and a JSON format");
    }
    if (offer) FH_TRY_VOID(check_strict_schemas(conversation));
    if (json) {
      const ToolRules none;
      AnswerShape shape;
      shape.conversation = &conversation;
      shape.tools = &none;
      FH_TRY(const GrammarSpec checked, answer_grammar(shape));
      static_cast<void>(checked);
    }
    return native->render({&conversation, &normal, other_tools(conversation, offered), offer, false,
                           effort_level(conversation.reasoning.effort)},
                          *random);
  }

  static base::Status check_strict_schemas(const domain::Conversation& conversation) {
    for (std::size_t i = 0; i < conversation.tools.size(); ++i) {
      const auto& tool = conversation.tools[i];
      if (!tool.strict) continue;
      FH_TRY(const auto schema, JsonSchema::parse(tool.parameters_json));
      GrammarRules rules;
      const auto rule = add_schema_rules(rules, *schema, "t", true);
      if (!rule) {
        return base::fail_field(
            "tools." + std::to_string(i) + ".parameters",
            "the schema of tool \"" + tool.name + "\" cannot be enforced: " + rule.error().message,
            "unsupported_schema");
      }
    }
    return {};
  }

  // A call that must come in a format that only llama-common reads: the prompt is the template's,
  // the call is held to our own format from its first token on, without thinking. The past call
  // stands in the template's format again in the next turn.
  base::Result<RenderedPrompt> forced_native_prompt(
      const domain::Conversation& conversation, const NormalConversation& normal,
      const ToolRules& rules, const std::vector<domain::Tool>* offered) const {
    FH_TRY(RenderedPrompt out,
           native->render({&conversation, &normal, other_tools(conversation, offered), true, true,
                           effort_level(conversation.reasoning.effort)},
                          *random));
    const auto allowed = std::make_shared<ToolRules>(rules);
    AnswerShape shape;
    shape.conversation = &conversation;
    shape.tools = allowed.get();
    shape.call_open_is_token = call_open_is_token;
    FH_TRY(out.grammar, answer_grammar(shape));
    hold_calls(conversation, normal, allowed, out);
    return out;
  }

  // The parser of calls in our format that must come.
  void hold_calls(const domain::Conversation& conversation, const NormalConversation& normal,
                  std::shared_ptr<const ToolRules> tools, RenderedPrompt& out) const {
    MarkerOptions parsing;
    parsing.continues_text = !normal.prefill_text.empty();
    parsing.calls = true;
    parsing.parallel = conversation.tool_choice.parallel;
    parsing.must_call = true;
    parsing.calls_only = true;
    parsing.tools = std::move(tools);
    out.preserved_tokens = {std::string(kCallOpen), std::string(kCallClose)};
    out.must_call = true;
    out.parser = make_marker_parser(std::move(parsing), *random);
  }

  base::Result<RenderedPrompt> marker_prompt(const domain::Conversation& conversation,
                                             const NormalConversation& normal,
                                             const ToolRules& rules,
                                             const std::vector<domain::Tool>* offered) const {
    const auto& choice = conversation.tool_choice;
    const bool offer = offered != nullptr;
    RenderOptions options;
    if (profile.tools == ToolFormat::Hermes) options.tools = offered;
    if (conversation.reasoning.mode != Thinking::Default) {
      options.thinking = conversation.reasoning.mode == Thinking::On;
    }
    options.effort = effort_level(conversation.reasoning.effort);
    RenderedPrompt out;
    FH_TRY(out.prompt, runner->run(normal.messages, options));
    const bool opened = begin_answer(conversation.reasoning.mode, normal, out.prompt);
    const bool thinks = profile.think && conversation.reasoning.mode != Thinking::Off &&
                        normal.prefill_text.empty();

    auto allowed = std::make_shared<ToolRules>();
    if (offer) *allowed = rules;
    AnswerShape shape;
    shape.conversation = &conversation;
    shape.tools = allowed.get();
    shape.think = thinks ? &*profile.think : nullptr;
    shape.starts_in_reasoning = opened;
    shape.call_open_is_token = call_open_is_token;
    FH_TRY(out.grammar, answer_grammar(shape));

    MarkerOptions parsing;
    if (profile.think) {
      parsing.think_start = profile.think->start;
      parsing.think_end = profile.think->end;
      out.preserved_tokens = {profile.think->start, profile.think->end};
    }
    parsing.starts_in_reasoning = opened;
    parsing.continues_text = !normal.prefill_text.empty();
    parsing.calls = offer;
    parsing.parallel = choice.parallel;
    parsing.must_call = must_call(conversation, offer);
    parsing.calls_only = offer;
    parsing.lenient = offer && profile.lenient_calls && choice.mode == Mode::Auto &&
                      conversation.format.kind == OutputFormat::Kind::Text;
    parsing.fences = profile.fenced_calls;
    parsing.tools = std::move(allowed);
    if (offer) {
      out.preserved_tokens.emplace_back(kCallOpen);
      out.preserved_tokens.emplace_back(kCallClose);
    }
    out.must_call = parsing.must_call;
    out.parser = make_marker_parser(std::move(parsing), *random);
    return out;
  }

  // What the prompt holds of the answer: thinking switched off where the template cannot, and the
  // client's beginning. True when the prompt ends inside the model's thinking.
  bool begin_answer(Thinking mode, const NormalConversation& normal, std::string& prompt) const {
    if (!profile.think) {
      prompt += normal.prefill_text;
      return false;
    }
    const auto& [start, end] = *profile.think;
    bool opened = trimmed_end(prompt).ends_with(start);
    if (mode == Thinking::Off && opened) {
      prompt += "\n" + end + "\n\n";
      opened = false;
    } else if (mode == Thinking::Off && !profile.think_switch && !normal.continues) {
      prompt += start + "\n\n" + end + "\n\n";
    }
    if (!normal.continues) return opened;
    if (!normal.prefill_reasoning.empty() && mode != Thinking::Off) {
      if (!opened) prompt += start + "\n";
      prompt += normal.prefill_reasoning;
      opened = true;
    }
    if (opened && !normal.prefill_text.empty()) {
      prompt += "\n" + end + "\n\n";
      opened = false;
    }
    prompt += normal.prefill_text;
    return opened;
  }
};

}  // namespace

base::Result<std::unique_ptr<ChatTemplate>> ChatTemplate::create(const llama_model* model,
                                                                 base::Random& random) {
  // One template for all requests, also those without tools: the prefix stays the same.
  const char* text = llama_model_chat_template(model, "tool_use");
  if (text == nullptr) text = llama_model_chat_template(model, nullptr);
  return create_from_text(model, text == nullptr ? kChatMl : std::string_view(text), random);
}

base::Result<std::unique_ptr<ChatTemplate>> ChatTemplate::create_from_text(const llama_model* model,
                                                                           std::string_view text,
                                                                           base::Random& random) {
  // llama-common logs answers that it cannot parse and prompts that it cannot use; neither belongs
  // in a log.
  common_log_set_verbosity_thold(-1);
  auto out = std::make_unique<Template>();
  out->random = &random;
  std::string eos;
  std::string architecture;
  if (model != nullptr) {
    out->vocab = llama_model_get_vocab(model);
    out->bos = token_text(out->vocab, llama_vocab_bos(out->vocab));
    eos = token_text(out->vocab, llama_vocab_eos(out->vocab));
    out->add_bos = llama_vocab_get_add_bos(out->vocab);
    out->specials = SpecialTexts::of(out->vocab);
    architecture = model_architecture(model);
    out->call_open_is_token =
        common_tokenize(out->vocab, std::string(kCallOpen), false, true).size() == 1;
  }
  FH_TRY(out->runner, TemplateRunner::create(text, out->bos, eos));
  out->profile = probe_profile(*out->runner, architecture);
  if (out->runner->overrun()) {
    return base::fail(base::Code::FailedPrecondition,
                      "the model's chat template takes too long or too much memory over a few "
                      "messages");
  }
  if (out->profile.tools == ToolFormat::Native) {
    auto native = NativeTemplates::create(model, out->runner->source());
    if (native && (*native)->usable()) {
      out->native = std::move(*native);
    } else {
      out->profile.tools = ToolFormat::Described;
    }
  }
  return out;
}

}  // namespace fh::engine::llama
