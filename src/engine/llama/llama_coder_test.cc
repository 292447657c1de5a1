// Tool calls of a coding model, whole: prepared, generated and read by the engine. Needs
// FH_TEST_CODER_MODEL, the path of a Qwen2.5-Coder-Instruct GGUF file (1.5B is enough).
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/clock.h"
#include "base/random.h"
#include "codec/json.h"
#include "engine/llama/json_schema.h"
#include "engine/llama/llama_engine.h"
#include "engine/test_support.h"

namespace fh::engine::llama {
namespace {

using Mode = domain::ToolChoice::Mode;
using testing::Recorder;

class EngineCoder : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* path = std::getenv("FH_TEST_CODER_MODEL");
    if (path == nullptr) GTEST_SKIP() << "FH_TEST_CODER_MODEL names no model file";
    LlamaOptions options;
    options.model_path = path;
    options.model_id = "coder";
    options.context_tokens = 2048;
    options.sequences_max = 2;
    options.chunk_tokens = 64;
    options.kv_bytes_max = 256 << 20;
    options.parked_bytes_max = 256 << 20;
    auto created = LlamaEngine::create(std::move(options), {random_, clock_});
    ASSERT_TRUE(created.has_value());
    engine_ = std::move(*created);
    ASSERT_EQ(engine_->wait_loaded(), ModelState::Ready);
  }
  std::shared_ptr<Recorder> ask(Mode mode, const std::string& text) {
    PrepareRequest request = testing::ask(text);
    request.generation.max_tokens = 100;
    request.generation.sampling.temperature = 0;
    request.generation.conversation.tools = {testing::weather_tool(),
                                             {"now", "The time of day", "{}", false}};
    request.generation.conversation.tool_choice.mode = mode;
    request.generation.conversation.tool_choice.name = mode == Mode::Named ? "get_weather" : "";
    auto recorder = Recorder::make();
    engine_->prepare(std::move(request), recorder->on_prepared());
    EXPECT_TRUE(testing::wait_until([&] { return recorder->prepared().has_value(); }));
    EXPECT_TRUE(recorder->prepared()->has_value());
    engine_->start((*recorder->prepared())->ticket, recorder->on_event());
    for (int i = 0; i < 5 && !recorder->ended(); ++i) {
      testing::wait_until([&] { return recorder->ended(); });
    }
    EXPECT_EQ(recorder->fault(), "");
    return recorder;
  }
  static void expect_call(const Recorder& answer, const std::string& name) {
    ASSERT_TRUE(answer.finished());
    EXPECT_EQ(answer.finished()->reason, domain::EndReason::ToolCall);
    EXPECT_EQ(answer.text(), "");
    const auto calls = answer.calls();
    ASSERT_GE(calls.size(), 1U);
    if (!name.empty()) {
      EXPECT_EQ(calls[0].name, name);
    }
    for (const auto& call : calls) {
      const auto schema =
          JsonSchema::parse(call.name == "now" ? "{}" : testing::weather_tool().parameters_json);
      const auto arguments = codec::json::Document::parse(call.arguments_json);
      ASSERT_TRUE(arguments) << call.arguments_json;
      EXPECT_TRUE((*schema)->accepts(arguments->root())) << call.arguments_json;
    }
  }

  base::SeededRandom random_{1};
  base::SystemClock clock_;
  std::unique_ptr<LlamaEngine> engine_;
};

TEST_F(EngineCoder, CallsComeWhenRequiredAndWhenWanted) {
  EXPECT_TRUE(engine_->info().tools);
  expect_call(*ask(Mode::Required, "Say hello."), "");
  expect_call(*ask(Mode::Named, "Say hello."), "get_weather");
  // Written by this model in a fence of its own accord; it is a call all the same.
  expect_call(*ask(Mode::Auto, "What is the weather in Paris? Use the tool."), "get_weather");
  const auto none = ask(Mode::None, "What is the weather in Paris? Answer in three words.");
  ASSERT_TRUE(none->finished());
  EXPECT_TRUE(none->calls().empty());
  EXPECT_NE(none->text(), "");
}

}  // namespace
}  // namespace fh::engine::llama
