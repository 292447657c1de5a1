// Whole renders: golden prompts, thinking, enforcement, refusals; with the real models where they
// are at hand (FH_TEST_MODEL: SmolLM2-135M-Instruct, FH_TEST_CODER_MODEL:
// Qwen2.5-Coder-1.5B-Instruct).
#include "engine/llama/chat.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "engine/llama/chat_test_templates.h"
#include "engine/llama/grammar_test_model.h"
#include "engine/llama/json_schema.h"
#include "engine/llama/output_test_fold.h"

namespace fh::engine::llama {
namespace {

using domain::Generation;
using domain::Message;
using domain::OutputFormat;
using domain::Role;
using domain::TextPart;
using Mode = domain::ToolChoice::Mode;
using Thinking = domain::Reasoning::Mode;

base::SeededRandom& ids() {
  static base::SeededRandom random(5);
  return random;
}

std::unique_ptr<ChatTemplate> from_text(std::string_view source) {
  auto out = ChatTemplate::create_from_text(nullptr, source, ids());
  EXPECT_TRUE(out.has_value());
  return std::move(*out);
}

Message text(Role role, std::string body) {
  return {role, {TextPart{std::move(body)}}};
}

Generation hello() {
  Generation generation;
  generation.conversation.messages = {text(Role::User, "hello")};
  return generation;
}

constexpr const char* kWeather =
    R"({"type":"object","properties":{"city":{"type":"string","maxLength":12},"unit":{"enum":["C","F"]}},"required":["city"],"additionalProperties":false})";

Generation with_tools(Mode mode = Mode::Auto) {
  Generation generation = hello();
  generation.conversation.tools = {{"get_weather", "Weather of a city", kWeather, false},
                                   {"now", "The time", "{}", false}};
  generation.conversation.tool_choice.mode = mode;
  generation.conversation.tool_choice.name = mode == Mode::Named ? "now" : "";
  return generation;
}

// The conversation of the golden renders: everything that a coding client sends.
Generation everything() {
  Generation generation = with_tools();
  generation.conversation.messages = {
      {Role::System, {TextPart{"x-anthropic-billing-header: cch=1;"}, TextPart{"Be brief."}}},
      text(Role::User, "Weather in Köln?"),
      {Role::Assistant,
       {domain::ReasoningPart{"Look it up.", "sig"}, TextPart{"I look."},
        domain::ToolCallPart{"call_1", "get_weather", R"({"unit":"C","city":"Köln"})"}}},
      {Role::Tool, {domain::ToolResultPart{"call_1", "get_weather", "12 degrees", false, {}}}},
      text(Role::System, "900 tokens left"),
      text(Role::User, "And?"),
      text(Role::Assistant, "It has"),
  };
  return generation;
}

std::string prompt_of(const ChatTemplate& chat, const Generation& generation) {
  const auto out = chat.render(generation);
  return out ? out->prompt : "error " + out.error().field + ": " + out.error().message;
}

TEST(Chat, GoldenHermes) {
  EXPECT_EQ(prompt_of(*from_text(kHermesTemplate), everything()),
            R"([tools 01 Jan 2026]
{"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 12}, "unit": {"enum": ["C", "F"]}}, "required": ["city"], "additionalProperties": false}}}
{"type": "function", "function": {"name": "now", "description": "The time", "parameters": {}}}[/]
[system]Be brief.[/]
[user]Weather in Köln?[/]
[assistant]<think>
Look it up.
</think>

I look.
<tool_call>
{"name": "get_weather", "arguments": {"unit": "C", "city": "Köln"}}
</tool_call>[/]
[tool]12 degrees[/]
[system]900 tokens left[/]
[user]And?[/]
[assistant]It has)");
}

TEST(Chat, GoldenStrictWithDescribedTools) {
  const std::string prompt = prompt_of(*from_text(kStrictTemplate), everything());
  EXPECT_TRUE(prompt.starts_with("[system]Be brief.\n\n# Tools\n"));
  const std::size_t rest = prompt.find("[/]\n[user]");
  ASSERT_NE(rest, std::string::npos);
  EXPECT_EQ(prompt.substr(rest),
            R"([/]
[user]Weather in Köln?[/]
[assistant]I look.
<tool_call>
{"name": "get_weather", "arguments": {"unit":"C","city":"Köln"}}
</tool_call>[/]
[user]<tool_response>
12 degrees
</tool_response>

<system>
900 tokens left
</system>

And?[/]
[assistant]It has)");
}

TEST(Chat, RenderingIsStable) {
  for (const auto source : {kPlainTemplate, kStrictTemplate, kNoSystemTemplate, kHermesTemplate,
                            kThinkingTemplate, kNativeTemplate}) {
    const std::string once = prompt_of(*from_text(source), everything());
    EXPECT_FALSE(once.starts_with("error")) << once;
    EXPECT_EQ(prompt_of(*from_text(source), everything()), once);
    EXPECT_EQ(once.find("billing"), std::string::npos);
  }
}

TEST(Chat, ToolChoiceDoesNotChangeThePrompt) {
  for (const auto source : {kPlainTemplate, kHermesTemplate, kNativeTemplate}) {
    const auto chat = from_text(source);
    const std::string prompt = prompt_of(*chat, with_tools(Mode::Auto));
    EXPECT_EQ(prompt_of(*chat, with_tools(Mode::Required)), prompt);
    EXPECT_EQ(prompt_of(*chat, with_tools(Mode::Named)), prompt);
    EXPECT_EQ(prompt_of(*chat, with_tools(Mode::None)), prompt_of(*chat, hello()));
  }
}

TEST(Chat, Thinking) {
  Generation generation = hello();
  const auto hermes = from_text(kHermesTemplate);
  EXPECT_EQ(prompt_of(*hermes, generation), "[user]hello[/]\n[assistant]");
  generation.conversation.reasoning.mode = Thinking::Off;
  EXPECT_EQ(prompt_of(*hermes, generation), "[user]hello[/]\n[assistant]<think>\n\n</think>\n\n");
  const auto opened = from_text(kThinkingTemplate);
  EXPECT_TRUE(opened->supports_reasoning());
  EXPECT_EQ(prompt_of(*opened, generation), "[user]hello[/]\n[assistant]<think>\n\n</think>\n\n");
  generation.conversation.reasoning.mode = Thinking::On;
  const auto on = opened->render(generation);
  ASSERT_TRUE(on);
  EXPECT_TRUE(on->parser->in_reasoning());
  EXPECT_TRUE(on->grammar.starts_in_reasoning);
  generation.conversation.messages.push_back(text(Role::Assistant, "So"));
  EXPECT_EQ(prompt_of(*opened, generation), "[user]hello[/]\n[assistant]<think>\n\n</think>\n\nSo");
  generation.conversation.messages.back().parts = {domain::ReasoningPart{"I wonder", ""}};
  EXPECT_EQ(prompt_of(*opened, generation), "[user]hello[/]\n[assistant]<think>\nI wonder");
  EXPECT_FALSE(from_text(kPlainTemplate)->supports_reasoning());
}

TEST(Chat, Refusals) {
  const auto chat = from_text(kHermesTemplate);
  const auto field = [&](const Generation& generation) {
    const auto out = chat->render(generation);
    return out ? std::string() : out.error().field;
  };
  Generation generation = with_tools(Mode::Named);
  generation.conversation.tool_choice.name = "nothing";
  EXPECT_EQ(field(generation), "tool_choice");
  generation = hello();
  generation.conversation.tool_choice.mode = Mode::Required;
  EXPECT_EQ(field(generation), "tool_choice");

  generation = with_tools(Mode::Required);
  generation.conversation.tools[1].parameters_json = R"({"type":"object","not":{}})";
  EXPECT_EQ(field(generation), "tools.1.parameters");
  generation.conversation.tool_choice.mode = Mode::Auto;
  EXPECT_EQ(field(generation), "");  // any object then
  generation.conversation.tools[1].strict = true;
  EXPECT_EQ(field(generation), "tools.1.parameters");
  generation.conversation.tools[1].parameters_json = "{";
  EXPECT_EQ(field(generation), "tools.1.parameters");
  generation = with_tools();
  generation.conversation.tools[1].name = "get_weather";
  EXPECT_EQ(field(generation), "tools.1.name");

  generation = hello();
  generation.conversation.format = {OutputFormat::Kind::JsonSchema, R"({"not":{}})"};
  EXPECT_EQ(field(generation), "response_format");
  generation.conversation.format = {OutputFormat::Kind::JsonObject, ""};
  EXPECT_EQ(field(generation), "");
  generation.conversation.messages.push_back(text(Role::Assistant, "{"));
  EXPECT_EQ(field(generation), "response_format");
}

TEST(Chat, SchemasOfOtherFormatsAreHeldToTheSameRule) {
  const auto chat = from_text(kNativeTemplate);
  ASSERT_TRUE(chat->supports_tools());
  Generation generation = with_tools(Mode::Required);
  generation.conversation.tools[0].parameters_json =
      R"({"type":"object","properties":{"a":{"type":"array","uniqueItems":true}}})";
  const auto out = chat->render(generation);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().field, "tools.0.parameters");
  generation = hello();
  generation.conversation.format = {OutputFormat::Kind::JsonSchema, R"({"not":{}})"};
  const auto loose = chat->render(generation);
  ASSERT_FALSE(loose);
  EXPECT_EQ(loose.error().field, "response_format");
  generation.conversation.format.schema_json = R"({"type":"object"})";
  const auto held = chat->render(generation);
  ASSERT_TRUE(held);
  EXPECT_FALSE(held->grammar.gbnf.empty());
}

// Required calls come in our own format whatever the template's is, and are read as such.
TEST(Chat, ARequiredCallInAnotherFormat) {
  const auto chat = from_text(kNativeTemplate);
  const auto out = chat->render(with_tools(Mode::Named));
  ASSERT_TRUE(out);
  EXPECT_TRUE(out->must_call);
  EXPECT_FALSE(out->grammar.lazy);
  EXPECT_FALSE(out->grammar.native);
  EXPECT_NE(out->grammar.gbnf.find("now"), std::string::npos);
  EXPECT_EQ(out->grammar.gbnf.find("get_weather"), std::string::npos);
  const Folded got = run_parser(
      *out->parser, {"<tool_call>\n{\"name\": \"now\", ", "\"arguments\": {}}\n</tool_call>"});
  ASSERT_EQ(got.calls.size(), 1U);
  EXPECT_EQ(got.reason, domain::EndReason::ToolCall);
  EXPECT_TRUE(got.made_call);
}

TEST(Chat, TheAnswerGoesThroughTheParser) {
  const auto chat = from_text(kHermesTemplate);
  auto out = chat->render(with_tools());
  ASSERT_TRUE(out);
  EXPECT_GT(out->tool_bytes, 100U);
  Folded got = run_parser(
      *out->parser, {"<tool_call>\n{\"name\": \"now\", ", "\"arguments\": {}}\n</tool_call>"});
  EXPECT_EQ(got.calls.size(), 1U);
  out = chat->render(with_tools(Mode::None));
  ASSERT_TRUE(out);
  got = run_parser(*out->parser,
                   {"<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>"});
  EXPECT_TRUE(got.calls.empty());
  EXPECT_TRUE(out->grammar.gbnf.empty());
}

// With the real model: what is asked for comes, for several seeds and at temperature 1.
TEST(ChatModel, ARequiredCallAlwaysComes) {
  FH_NEEDS_MODEL();
  const auto chat = ChatTemplate::create(test_model(), ids());
  ASSERT_TRUE(chat);
  for (const Mode mode : {Mode::Required, Mode::Named}) {
    for (std::uint32_t seed = 1; seed <= 3; ++seed) {
      Generation generation = with_tools(mode);
      generation.conversation.tools[1].parameters_json = R"({"type":"object","properties":{}})";
      generation.conversation.tool_choice.parallel = false;
      const auto out = (*chat)->render(generation);
      ASSERT_TRUE(out) << out.error().message;
      const Sampled answer = sample_answer(out->prompt, out->grammar, seed, 120);
      ASSERT_TRUE(answer.ended);
      const Folded got = run_parser(*out->parser, answer.pieces);
      ASSERT_EQ(got.calls.size(), 1U);
      EXPECT_EQ(got.reason, domain::EndReason::ToolCall);
      EXPECT_EQ(got.text, "");
      if (mode == Mode::Named) {
        EXPECT_EQ(got.calls[0].first, "now");
      }
      const auto schema = JsonSchema::parse(got.calls[0].first == "now" ? "{}" : kWeather);
      const auto arguments = codec::json::Document::parse(got.calls[0].second);
      ASSERT_TRUE(arguments) << got.calls[0].second;
      EXPECT_TRUE((*schema)->accepts(arguments->root())) << got.calls[0].second;
    }
  }
}

TEST(ChatModel, JsonFormatsAreAlwaysValid) {
  FH_NEEDS_MODEL();
  const auto chat = ChatTemplate::create(test_model(), ids());
  ASSERT_TRUE(chat);
  const char* const schemas[] = {
      R"({"type":"object","properties":{"name":{"type":"string","maxLength":10},"kind":{"enum":["a","b"]},"n":{"type":"integer","minimum":3,"maximum":40}},"required":["name","n"],"additionalProperties":false})",
      R"({"$defs":{"leaf":{"type":"object","properties":{"v":{"type":"number","minimum":0,"maximum":1}},"required":["v"]}},"type":"object","properties":{"list":{"type":"array","items":{"$ref":"#/$defs/leaf"},"minItems":2,"maxItems":3},"or":{"anyOf":[{"type":"null"},{"type":"boolean"}]}},"required":["list","or"]})",
      R"({"type":"string","pattern":"^[A-Z]{2}-[0-9]{3}$"})",
  };
  for (const char* schema_text : schemas) {
    const auto schema = JsonSchema::parse(schema_text);
    for (std::uint32_t seed = 1; seed <= 3; ++seed) {
      Generation generation = hello();
      generation.conversation.format = {OutputFormat::Kind::JsonSchema, schema_text};
      const auto out = (*chat)->render(generation);
      ASSERT_TRUE(out) << out.error().message;
      const Sampled answer = sample_answer(out->prompt, out->grammar, seed, 150);
      ASSERT_TRUE(answer.ended);
      const Folded got = run_parser(*out->parser, answer.pieces);
      const auto value = codec::json::Document::parse(got.text);
      ASSERT_TRUE(value) << got.text;
      EXPECT_TRUE((*schema)->accepts(value->root())) << got.text;
    }
  }
}

TEST(ChatModel, UnderAutoTextIsFreeAndMarkersAreHeldToTheGrammar) {
  FH_NEEDS_MODEL();
  const auto chat = ChatTemplate::create(test_model(), ids());
  ASSERT_TRUE(chat);
  const auto out = (*chat)->render(with_tools());
  ASSERT_TRUE(out);
  const std::string& gbnf = out->grammar.gbnf;
  const std::string call = "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>";
  EXPECT_TRUE(grammar_takes(gbnf, "Any text < at all, <tool"));
  EXPECT_TRUE(grammar_takes(gbnf, "I look. " + call));
  EXPECT_TRUE(grammar_takes(gbnf, call + "\n" + call));
  EXPECT_FALSE(
      grammar_takes(gbnf, "<tool_call>\n{\"name\": \"rm\", \"arguments\": {}}\n</tool_call>"));
  EXPECT_FALSE(grammar_takes(gbnf, "<tool_call>"));
}

TEST(ChatModel, GoldenSmolLm) {
  FH_NEEDS_MODEL();
  const auto chat = ChatTemplate::create(test_vocab_model(), ids());
  ASSERT_TRUE(chat);
  EXPECT_FALSE((*chat)->supports_tools());
  Generation generation = everything();
  generation.conversation.tool_choice.mode = Mode::None;
  EXPECT_EQ(prompt_of(**chat, generation),
            R"(<|im_start|>system
Be brief.<|im_end|>
<|im_start|>user
Weather in Köln?<|im_end|>
<|im_start|>assistant
I look.
<tool_call>
{"name": "get_weather", "arguments": {"unit":"C","city":"Köln"}}
</tool_call><|im_end|>
<|im_start|>user
<tool_response>
12 degrees
</tool_response><|im_end|>
<|im_start|>system
900 tokens left<|im_end|>
<|im_start|>user
And?<|im_end|>
<|im_start|>assistant
It has)");
}

TEST(ChatModel, GoldenQwenCoder) {
  const char* path = std::getenv("FH_TEST_CODER_MODEL");
  if (path == nullptr) GTEST_SKIP() << "FH_TEST_CODER_MODEL names no model file";
  const ModelPtr model = load_test_model(path, true);
  ASSERT_NE(model, nullptr);
  const auto chat = ChatTemplate::create(model.get(), ids());
  ASSERT_TRUE(chat);
  const auto free = (*chat)->render(with_tools());
  ASSERT_TRUE(free);
  EXPECT_TRUE(free->grammar.lazy) << "the marker is one token of this model: a trigger";
  common_params_sampling sampling;
  apply_grammar(free->grammar, llama_model_get_vocab(model.get()), sampling);
  ASSERT_EQ(sampling.grammar_triggers.size(), 1U);
  EXPECT_EQ(sampling.grammar_triggers[0].type, COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN);
  EXPECT_TRUE((*chat)->supports_tools());
  const std::string prompt = prompt_of(**chat, everything());
  EXPECT_TRUE(prompt.starts_with("<|im_start|>system\nBe brief.\n\n# Tools\n")) << prompt;
  const std::size_t rest = prompt.find("<|im_start|>user");
  ASSERT_NE(rest, std::string::npos);
  EXPECT_EQ(prompt.substr(rest),
            R"(<|im_start|>user
Weather in Köln?<|im_end|>
<|im_start|>assistant
I look.
<tool_call>
{"name": "get_weather", "arguments": {"unit": "C", "city": "Köln"}}
</tool_call><|im_end|>
<|im_start|>user
<tool_response>
12 degrees
</tool_response><|im_end|>
<|im_start|>system
900 tokens left<|im_end|>
<|im_start|>user
And?<|im_end|>
<|im_start|>assistant
It has)");
}

}  // namespace
}  // namespace fh::engine::llama
