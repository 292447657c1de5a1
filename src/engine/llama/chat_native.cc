// llama-common's templates behind our types.
#include "engine/llama/chat_native.h"

#include <chat.h>

#include "base/memory_budget.h"
#include "engine/llama/output_native.h"
#include "engine/llama/template_limits.h"

namespace fh::engine::llama {
namespace {

// strftime_now() as a macro that knows one day, Thursday 2026-01-01.
constexpr std::string_view kDateMacro =
    "{%- macro strftime_now(format) -%}{{- format | replace('%d', '01') | replace('%-d', '1') | "
    "replace('%m', '01') | replace('%Y', '2026') | replace('%y', '26') | replace('%B', 'January') "
    "| "
    "replace('%b', 'Jan') | replace('%A', 'Thursday') | replace('%a', 'Thu') | "
    "replace('%H', '00') | replace('%M', '00') | replace('%S', '00') | "
    "replace('%j', '001') -}}{%- endmacro -%}";

std::vector<common_chat_msg> to_common(const std::vector<PromptMessage>& messages) {
  std::vector<common_chat_msg> out;
  for (const auto& message : messages) {
    common_chat_msg msg;
    msg.role = message.role;
    msg.content = message.text;
    msg.reasoning_content = message.reasoning;
    msg.tool_call_id = message.tool_call_id;
    msg.tool_name = message.tool_name;
    for (const auto& call : message.calls) {
      msg.tool_calls.push_back({call.name, call.arguments_json, call.id});
    }
    out.push_back(std::move(msg));
  }
  return out;
}

std::vector<common_chat_tool> to_common(const std::vector<domain::Tool>& tools) {
  std::vector<common_chat_tool> out;
  for (const auto& tool : tools) {
    out.push_back(
        {tool.name, tool.description, tool.parameters_json.empty() ? "{}" : tool.parameters_json});
  }
  return out;
}

void fill_grammar(const common_chat_params& params, const domain::Conversation& conversation,
                  GrammarSpec& spec) {
  spec.native = true;
  spec.gbnf = params.grammar;
  spec.lazy = params.grammar_lazy;
  spec.generation_prompt = params.generation_prompt;
  for (const auto& trigger : params.grammar_triggers) {
    switch (trigger.type) {
      case COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN:
      case COMMON_GRAMMAR_TRIGGER_TYPE_WORD: spec.trigger_words.push_back(trigger.value); break;
      case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN:
        spec.trigger_patterns.push_back(trigger.value);
        break;
      case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL:
        spec.trigger_full_patterns.push_back(trigger.value);
        break;
    }
  }
  if (params.supports_thinking && !params.thinking_end_tags.empty()) {
    spec.think_start = params.thinking_start_tag;
    spec.think_end = params.thinking_end_tags[0];
    spec.think_budget_tokens = conversation.reasoning.budget_tokens;
  }
}

// A start tag at the end of the prompt is closed: for a text that the client began, which stands
// after the thinking, and for thinking that is off where the template has no switch.
void close_thinking(common_chat_params& params, std::string& prompt) {
  const std::string& start = params.thinking_start_tag;
  if (start.empty() || params.thinking_end_tags.empty()) return;
  const std::size_t end = prompt.find_last_not_of(" \n");
  if (end == std::string::npos || !std::string_view(prompt).substr(0, end + 1).ends_with(start)) {
    return;
  }
  const std::string closing = "\n" + params.thinking_end_tags[0] + "\n\n";
  prompt += closing;
  params.generation_prompt += closing;
}

common_chat_templates_inputs inputs_of(const NativeRequest& request) {
  const auto& conversation = *request.conversation;
  common_chat_templates_inputs inputs;
  inputs.messages = to_common(request.normal->messages);
  inputs.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK;
  inputs.enable_thinking = conversation.reasoning.mode != domain::Reasoning::Mode::Off;
  inputs.parallel_tool_calls = conversation.tool_choice.parallel;
  inputs.chat_template_kwargs = {{"date_string", "\"01 Jan 2026\""},
                                 {"datetime", "\"Jan 01 2026\""}};
  if (!request.effort.empty()) {
    inputs.chat_template_kwargs["reasoning_effort"] = "\"" + request.effort + "\"";
  }
  if (request.offer_tools) {
    inputs.tools = to_common(conversation.tools);
    inputs.tool_choice = COMMON_CHAT_TOOL_CHOICE_AUTO;
  } else if (conversation.format.kind == domain::OutputFormat::Kind::JsonSchema) {
    inputs.json_schema = conversation.format.schema_json;
  } else if (conversation.format.kind == domain::OutputFormat::Kind::JsonObject) {
    inputs.json_schema = R"({"type": "object"})";
  }
  return inputs;
}

std::size_t input_bytes(const common_chat_templates_inputs& inputs) {
  std::size_t bytes = inputs.json_schema.size();
  for (const auto& message : inputs.messages) {
    bytes += message.content.size() + message.reasoning_content.size();
    for (const auto& call : message.tool_calls) bytes += call.name.size() + call.arguments.size();
  }
  for (const auto& tool : inputs.tools) {
    bytes += tool.name.size() + tool.description.size() + tool.parameters.size();
  }
  constexpr std::size_t kFrame = 100;
  return bytes + kFrame * (inputs.messages.size() + inputs.tools.size());
}

}  // namespace

struct NativeTemplates::Impl {
  common_chat_templates_ptr templates;
};

NativeTemplates::NativeTemplates() : impl_(std::make_unique<Impl>()) {}
NativeTemplates::~NativeTemplates() = default;

base::Result<std::unique_ptr<NativeTemplates>> NativeTemplates::create(const llama_model* model,
                                                                       const std::string& source) {
  std::unique_ptr<NativeTemplates> out(new NativeTemplates());
  const bool dated = source.find("strftime_now") != std::string::npos;
  base::MemoryBudget memory(template_memory_max({}, source.size()));
  try {
    out->impl_->templates =
        common_chat_templates_init(model, dated ? std::string(kDateMacro) + source : source);
  } catch (const std::exception&) {
    memory.lift();
    return base::fail(base::Code::FailedPrecondition, "the model's chat template cannot be parsed");
  }
  return out;
}

base::Result<RenderedPrompt> NativeTemplates::render(const NativeRequest& request,
                                                     base::Random& random) const {
  const auto& conversation = *request.conversation;
  common_chat_templates_inputs inputs = inputs_of(request);
  RenderedPrompt out;
  base::MemoryBudget memory(template_memory_max({}, input_bytes(inputs)));
  try {
    common_chat_params params = common_chat_templates_apply(impl_->templates.get(), inputs);
    out.prompt = params.prompt;
    // Grammar and parser are made of the tools that are shown, so those come from the tools as they
    // are, and the prompt from a second run.
    if (request.offer_tools && request.shown_tools != nullptr) {
      inputs.tools = to_common(*request.shown_tools);
      out.prompt = common_chat_templates_apply(impl_->templates.get(), inputs).prompt;
    }
    if (!inputs.enable_thinking || request.no_thinking || !request.normal->prefill_text.empty()) {
      close_thinking(params, out.prompt);
    }
    fill_grammar(params, conversation, out.grammar);
    out.stops = params.additional_stops;
    out.preserved_tokens = params.preserved_tokens;
    auto syntax = std::make_shared<common_chat_parser_params>(params);
    syntax->reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK;
    syntax->parse_tool_calls = request.offer_tools;
    if (!params.parser.empty()) syntax->parser.load(params.parser);
    NativeOptions options;
    options.syntax = std::move(syntax);
    options.prefill = request.normal->prefill_text;
    options.calls = request.offer_tools;
    options.parallel = conversation.tool_choice.parallel;
    out.parser = make_native_parser(std::move(options), random);
  } catch (const std::exception&) {
    memory.lift();
    if (memory.exceeded()) return template_too_large();
    return base::fail_field("messages",
                            "the model's chat template refuses this conversation or its tools",
                            "template_refused");
  }
  memory.lift();
  out.prompt += request.normal->prefill_text;
  out.grammar.generation_prompt += request.normal->prefill_text;
  return out;
}

bool NativeTemplates::usable() const {
  domain::Conversation conversation;
  conversation.messages = {{domain::Role::User, {domain::TextPart{"hello"}}}};
  conversation.tools = {
      {"probe", "a tool", R"({"type":"object","properties":{"x":{"type":"string"}}})", false}};
  NormalConversation normal;
  normal.messages.resize(1);
  normal.messages[0].role = "user";
  normal.messages[0].text = "hello";
  base::SeededRandom random(1);
  // Without a grammar under auto it has not understood where a call begins.
  const auto free = render({&conversation, &normal, nullptr, true, false, {}}, random);
  return free && !free->grammar.gbnf.empty();
}

}  // namespace fh::engine::llama
