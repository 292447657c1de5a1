// The parser on top of llama-common's, for a template whose call format is not Hermes.
#include "engine/llama/output_native.h"

#include <random>

#include "engine/llama/chat.h"
#include "engine/llama/chat_test_templates.h"
#include "engine/llama/output_test_fold.h"

namespace fh::engine::llama {
namespace {

using domain::EndReason;

RenderedPrompt rendered(bool offer = true, bool parallel = true) {
  static base::SeededRandom ids(3);
  static const auto chat = ChatTemplate::create_from_text(nullptr, kNativeTemplate, ids);
  domain::Generation generation;
  auto& conversation = generation.conversation;
  conversation.messages = {{domain::Role::User, {domain::TextPart{"hello"}}}};
  conversation.tools = {
      {"write_file", "",
       R"({"type":"object","properties":{"text":{"type":"string"}},"required":["text"]})", false}};
  conversation.tool_choice.mode =
      offer ? domain::ToolChoice::Mode::Auto : domain::ToolChoice::Mode::None;
  conversation.tool_choice.parallel = parallel;
  auto out = (*chat)->render(generation);
  EXPECT_TRUE(out.has_value());
  return std::move(*out);
}

const std::string kCall =
    R"(<TOOLCALL>[{"name": "write_file", "arguments": {"text": "a \"b\" ü"}}]</TOOLCALL>)";

TEST(NativeParser, TextIsText) {
  const auto prompt = rendered();
  const Folded got = run_parser(*prompt.parser, {"Hello", " there ", "world"});
  EXPECT_EQ(got.text, "Hello there world");
  EXPECT_EQ(got.reason, EndReason::Complete);
}

TEST(NativeParser, ACallHoweverItIsCut) {
  std::mt19937 random(9);
  for (int round = 0; round < 30; ++round) {
    std::vector<std::string> pieces{""};
    const std::string output = "I write. " + kCall;
    for (std::size_t i = 0; i < output.size(); ++i) {
      pieces.back() += output[i];
      const bool inside =
          i + 1 < output.size() && (static_cast<unsigned char>(output[i + 1]) & 0xC0) == 0x80;
      if (!inside && random() % (1 + static_cast<unsigned>(round) % 7) == 0) pieces.emplace_back();
    }
    const auto prompt = rendered();
    const Folded got = run_parser(*prompt.parser, pieces);
    ASSERT_EQ(got.calls.size(), 1U);
    EXPECT_EQ(got.calls[0].first, "write_file");
    EXPECT_EQ(got.calls[0].second, R"({"text": "a \"b\" ü"})");
    EXPECT_EQ(got.text, "I write.");
    EXPECT_EQ(got.order, "TC");
    EXPECT_EQ(got.reason, EndReason::ToolCall);
  }
}

TEST(NativeParser, ArgumentsFlow) {
  const auto prompt = rendered();
  std::vector<std::string> pieces{"<TOOLCALL>[{\"name\": \"write_file\", ",
                                  "\"arguments\": {\"text\": \""};
  for (int i = 0; i < 40; ++i) pieces.emplace_back("0123456789");
  pieces.emplace_back("\"}");
  pieces.emplace_back("}]</TOOLCALL>");
  const Folded got = run_parser(*prompt.parser, pieces);
  ASSERT_EQ(got.calls.size(), 1U);
  EXPECT_GT(got.deltas, 5U);
}

TEST(NativeParser, CutOff) {
  const auto prompt = rendered();
  const Folded got = run_parser(
      *prompt.parser, {"<TOOLCALL>[{\"name\": \"write_file\", \"arguments\": {\"text\": \"half"},
      EndReason::Length);
  EXPECT_EQ(got.reason, EndReason::Length);
  EXPECT_FALSE(got.made_call);
  EXPECT_EQ(got.text, "");
}

TEST(NativeParser, WithoutToolsNothingIsACall) {
  const auto prompt = rendered(false);
  const Folded got = run_parser(*prompt.parser, {kCall});
  EXPECT_TRUE(got.calls.empty());
  EXPECT_EQ(got.text, kCall);
}

TEST(NativeParser, WhatDoesNotFollowTheFormatIsText) {
  const auto prompt = rendered();
  const Folded got = run_parser(*prompt.parser, {"<TOOLCALL>[{\"x\"</TOOLCALL>"});
  EXPECT_TRUE(got.calls.empty());
  EXPECT_FALSE(got.text.empty());
  EXPECT_EQ(got.reason, EndReason::Complete);
}

}  // namespace
}  // namespace fh::engine::llama
