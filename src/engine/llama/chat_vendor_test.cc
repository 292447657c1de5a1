// Chat templates of many model families, as they come with the llama.cpp sources: each one loads,
// renders, and holds a required tool call to a grammar or refuses it. With FH_TEST_MODEL, any small
// model, answers are sampled under the grammars of some families and read back.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "codec/json.h"
#include "engine/llama/chat.h"
#include "engine/llama/grammar_test_model.h"
#include "engine/llama/json_schema.h"
#include "engine/llama/output_test_fold.h"

namespace fh::engine::llama {
namespace {

using domain::Generation;
using domain::Role;
using domain::TextPart;
using Mode = domain::ToolChoice::Mode;

base::SeededRandom& ids() {
  static base::SeededRandom random(5);
  return random;
}

std::filesystem::path folder() {
  return std::filesystem::path(FH_LLAMA_SOURCES) / "models" / "templates";
}

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::filesystem::path> templates() {
  std::vector<std::filesystem::path> out;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder(), ignored)) {
    if (entry.path().extension() == ".jinja") out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

constexpr const char* kWeather =
    R"({"type":"object","properties":{"city":{"type":"string","maxLength":12},"unit":{"enum":["C","F"]}},"required":["city"],"additionalProperties":false})";

Generation with_tools(Mode mode) {
  Generation generation;
  generation.conversation.messages = {{Role::User, {TextPart{"Weather in Rome?"}}}};
  generation.conversation.tools = {
      {"get_weather", "Weather of a city", kWeather, false},
      {"now", "The time", R"({"type":"object","properties":{}})", false}};
  generation.conversation.tool_choice.mode = mode;
  generation.conversation.tool_choice.name = mode == Mode::Named ? "get_weather" : "";
  generation.conversation.tool_choice.parallel = false;
  return generation;
}

bool forced_alike(const std::string& prompt, const std::string& free) {
  // But for thinking that is closed at the end.
  return prompt.starts_with(free) && prompt.size() < free.size() + 64;
}

TEST(ChatVendors, EveryTemplateLoadsAndHoldsRequiredCallsOrRefuses) {
  const auto all = templates();
  if (all.empty()) GTEST_SKIP() << "the llama.cpp sources bring no templates";
  std::size_t own = 0;
  std::size_t refused = 0;
  for (const auto& path : all) {
    SCOPED_TRACE(path.filename());
    const auto chat = ChatTemplate::create_from_text(nullptr, read(path), ids());
    ASSERT_TRUE(chat) << chat.error().message;
    own += (*chat)->supports_tools() ? 1 : 0;
    const auto free = (*chat)->render(with_tools(Mode::Auto));
    for (const Mode mode : {Mode::Required, Mode::Named}) {
      const auto out = (*chat)->render(with_tools(mode));
      ASSERT_EQ(out.has_value(), free.has_value());
      if (!out) {
        EXPECT_FALSE(out.error().field.empty());
        ++refused;
        continue;
      }
      EXPECT_TRUE(out->must_call);
      EXPECT_FALSE(out->grammar.gbnf.empty());
      EXPECT_FALSE(out->grammar.lazy);
      EXPECT_TRUE(forced_alike(out->prompt, free->prompt)) << out->prompt;
    }
    const auto none = (*chat)->render(with_tools(Mode::None));
    ASSERT_TRUE(none) << none.error().message;
    EXPECT_FALSE(none->must_call);
  }
  std::printf("%zu templates, %zu with a tool format of their own, %zu renders refused\n",
              all.size(), own, refused);
  EXPECT_GT(own, all.size() / 2);
  EXPECT_LT(refused, all.size() / 10);
}

// FH_TEST_ALL_TEMPLATES: every template, not only one of each kind.
TEST(ChatVendors, RequiredCallsComeWhateverTheFormat) {
  FH_NEEDS_MODEL();
  const auto schema = JsonSchema::parse(kWeather);
  for (const auto& path : templates()) {
    const std::string name = path.filename().string();
    SCOPED_TRACE(name);
    const bool chosen = std::ranges::any_of(
        std::initializer_list<std::string_view>{"google-gemma-4-31B-it.", "Mistral-Nemo", "gpt-oss",
                                                "GLM-4.6", "Qwen3-Coder", "Kimi-K2-Instruct",
                                                "google-gemma-2", "Llama-3.1"},
        [&](std::string_view part) { return name.find(part) != std::string::npos; });
    if (!chosen && std::getenv("FH_TEST_ALL_TEMPLATES") == nullptr) continue;
    const auto chat = ChatTemplate::create_from_text(test_model(), read(path), ids());
    ASSERT_TRUE(chat);
    const auto out = (*chat)->render(with_tools(Mode::Named));
    if (!out) continue;  // the test above knows how many these are
    const Sampled answer = sample_answer(out->prompt, out->grammar, 1, 100);
    std::string whole;
    for (const auto& piece : answer.pieces) whole += piece;
    ASSERT_TRUE(answer.ended) << whole;
    const Folded got = run_parser(*out->parser, answer.pieces);
    ASSERT_EQ(got.calls.size(), 1U) << whole;
    EXPECT_EQ(got.calls[0].first, "get_weather");
    EXPECT_EQ(got.text, "");
    EXPECT_TRUE(got.made_call);
    const auto arguments = codec::json::Document::parse(got.calls[0].second);
    ASSERT_TRUE(arguments) << got.calls[0].second;
    EXPECT_TRUE((*schema)->accepts(arguments->root())) << got.calls[0].second;
  }
}

// Gemma 2, without system role and tools, and Gemma 4, with its own tool format.
TEST(ChatVendors, GoldenGemma) {
  const auto file = folder() / "google-gemma-2-2b-it.jinja";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "the llama.cpp sources bring no templates";
  const auto gemma2 = ChatTemplate::create_from_text(nullptr, read(file), ids());
  ASSERT_TRUE(gemma2);
  Generation generation = with_tools(Mode::None);
  generation.conversation.messages.insert(generation.conversation.messages.begin(),
                                          {Role::System, {TextPart{"Be brief."}}});
  generation.conversation.messages.push_back({Role::Assistant, {TextPart{"Mild."}}});
  generation.conversation.messages.push_back({Role::User, {TextPart{"And Oslo?"}}});
  const auto plain = (*gemma2)->render(generation);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->prompt,
            R"(<start_of_turn>user
<system>
Be brief.
</system>

Weather in Rome?<end_of_turn>
<start_of_turn>model
Mild.<end_of_turn>
<start_of_turn>user
And Oslo?<end_of_turn>
<start_of_turn>model
)");
  const auto gemma4 = ChatTemplate::create_from_text(
      nullptr, read(folder() / "google-gemma-4-31B-it.jinja"), ids());
  ASSERT_TRUE(gemma4);
  EXPECT_TRUE((*gemma4)->supports_tools());
  const auto text = (*gemma4)->render(generation);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->prompt,
            R"(<|turn>system
<|think|>
Be brief.<turn|>
<|turn>user
Weather in Rome?<turn|>
<|turn>model
Mild.<turn|>
<|turn>user
And Oslo?<turn|>
<|turn>model
)");
  // Its calls are read as it writes them.
  const auto free = (*gemma4)->render(with_tools(Mode::Auto));
  ASSERT_TRUE(free);
  const Folded got = run_parser(
      *free->parser, {"<|tool_call>call:get_wea", "ther{city:<|\"|>Rome<|\"|>}<tool_call|>"});
  ASSERT_EQ(got.calls.size(), 1U) << got.text;
  EXPECT_EQ(got.calls[0].first, "get_weather");
  EXPECT_EQ(got.calls[0].second, R"({"city":"Rome"})");
}

}  // namespace
}  // namespace fh::engine::llama
