// Names as real sources write them, and the price book entry that each must find or not find.

#include "planner/model_names.h"

#include <gtest/gtest.h>

namespace fh::planner {
namespace {

const ModelNames& names() {
  static const ModelNames instance(pricing::PriceBook::bundled());
  return instance;
}

struct Case {
  const char* provider;
  const char* name;
  const char* id;
  bool fast = false;
};

TEST(ModelNames, FindsTheEntry) {
  for (const Case& c : {
           Case{"anthropic", "claude-opus-5-5", "anthropic/claude-opus-5-5"},
           Case{"", "claude-opus-5-5", "anthropic/claude-opus-5-5"},
           Case{"", "anthropic/claude-opus-5-5", "anthropic/claude-opus-5-5"},
           Case{"anthropic", "claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5"},
           Case{"google-vertex", "claude-haiku-4-5@20251001", "anthropic/claude-haiku-4-5"},
           Case{"anthropic", "claude-opus-4-8[1m]", "anthropic/claude-opus-4-8"},
           Case{"openrouter", "anthropic/claude-haiku-4.5", "anthropic/claude-haiku-4-5"},
           Case{"cursor", "claude-4.5-sonnet-thinking", "anthropic/claude-sonnet-4-5"},
           Case{"cursor", "claude-4-sonnet", "anthropic/claude-sonnet-4-0"},
           Case{"anthropic", "claude-sonnet-4-20250514", "anthropic/claude-sonnet-4-0"},
           Case{"cursor", "gpt-5.6-luna-high", "openai/gpt-5.6-luna"},
           Case{"cursor", "gpt-5.6-luna-high-fast", "openai/gpt-5.6-luna", true},
           Case{"cursor", "gpt-6.1-sol-xhigh", "openai/gpt-6.1-sol"},
           Case{"openai", "gpt-5.4-mini-2026-03-17", "openai/gpt-5.4-mini"},
           Case{"azure", "gpt-5.4", "openai/gpt-5.4"},
           Case{"anthropic", "claude-opus-5-5-fast", "anthropic/claude-opus-5-5", true},
           Case{"copilot", "Auto: Claude Haiku 4.5", "anthropic/claude-haiku-4-5"},
           Case{"copilot", "Claude Sonnet 4.5", "anthropic/claude-sonnet-4-5"},
           Case{"google", "models/gemini-2.5-pro", "google/gemini-2.5-pro"},
           Case{"litellm", "vertex_ai/gemini-2.5-pro", "google/gemini-2.5-pro"},
           Case{"litellm", "bedrock/us.anthropic.claude-opus-4-8-v1:0",
                "aws-bedrock/regional.anthropic.claude-opus-4-8-v1:0"},
           Case{"aws-bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0",
                "aws-bedrock/regional.anthropic.claude-haiku-4-5-20251001-v1:0"},
           Case{"aws-bedrock", "global.anthropic.claude-opus-4-8-v1:0",
                "aws-bedrock/global.anthropic.claude-opus-4-8-v1:0"},
           Case{"aws-bedrock", "amazon.nova-pro-v1:0", "aws-bedrock/amazon.nova-pro-v1:0"},
           Case{"aws-bedrock", "Claude4.6Opus", "anthropic/claude-opus-4-6"},
           Case{"aws-bedrock", "Claude4Sonnet", "anthropic/claude-sonnet-4-0"},
           Case{"aws-bedrock", "Claude Opus 4.6 (Amazon Bedrock Edition)",
                "anthropic/claude-opus-4-6"},
           Case{"groq", "openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"},
           Case{"deepseek", "deepseek-v4.1-flash", "deepseek/deepseek-flash"},
           // Suffixes that belong to the name.
           Case{"alibaba", "qwen3.8-max", "alibaba/qwen3.8-max"},
           Case{"x-ai", "grok-code-fast-1", "x-ai/grok-code-fast-1"},
           Case{"google", "gemini-3-flash-preview", "google/gemini-3-flash-preview"},
       }) {
    const ModelName n = names().normalise(c.provider, c.name);
    EXPECT_EQ(n.kind, NameKind::Known) << c.name;
    EXPECT_EQ(n.entry_id, c.id) << c.name;
    EXPECT_EQ(n.fast, c.fast) << c.name;
  }
}

TEST(ModelNames, NeverGuesses) {
  for (const char* router : {"auto", "Auto", "default", "", "openrouter/auto", "<synthetic>"}) {
    EXPECT_EQ(names().normalise("cursor", router).kind, NameKind::Router) << router;
  }
  for (const char* unknown :
       {"gpt-7", "claude-opus-9-9", "claude4", "claude9.9opus", "claude4.6", "composer-1",
        "my-deployment", "Auto: Something New", "gpt-oss-120b" /* several hosts, several prices */,
        "meta.llama9-70b-v1:0", "-high", "/"}) {
    const ModelName n = names().normalise("", unknown);
    EXPECT_EQ(n.kind, NameKind::Unknown) << unknown << " became " << n.entry_id;
    EXPECT_TRUE(n.entry_id.empty());
  }
  EXPECT_EQ(names().normalise("", std::string(10'000, 'a')).kind, NameKind::Unknown);
}

TEST(ModelNames, OwnMapWins) {
  const ModelNames own(pricing::PriceBook::bundled(),
                       {{"my-deployment", "openai/gpt-5.4"}, {"broken", "openai/no-such"}});
  EXPECT_EQ(own.normalise("azure", "my-deployment").entry_id, "openai/gpt-5.4");
  EXPECT_EQ(own.normalise("azure", "broken").kind, NameKind::Unknown);
}

TEST(ModelNames, PlainNameGroupsUnknownOnes) {
  EXPECT_EQ(names().normalise("", "composer-1-high").plain, "composer-1");
  EXPECT_EQ(names().normalise("", "composer-1").plain, "composer-1");
}

}  // namespace
}  // namespace fh::planner
