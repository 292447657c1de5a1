// Goal: each format knows its own files and leaves the others' alone, and the table is complete.
// Method: the fuzz corpus and the public data sets, each with the format that must be chosen.

#include <gtest/gtest.h>

#include <set>

#include "importers/test_sink.h"

namespace fh::importers {
namespace {

struct Sample {
  const char* file;
  const char* format;
};

constexpr Sample kCorpus[] = {
    {"claude_code.jsonl", "claude-code"},
    {"claude_code_sidechain.jsonl", "claude-code"},
    {"escapes.jsonl", "claude-code"},
    {"codex.jsonl", "codex"},
    {"gemini.json", "gemini-cli"},
    {"gemini_stats.json", "gemini-cli"},
    {"anthropic_usage.json", "anthropic-usage"},
    {"anthropic_cost.json", "anthropic-cost"},
    {"anthropic_claude_code.json", "anthropic-claude-code"},
    {"openai_usage.json", "openai-usage"},
    {"bom.json", "openai-usage"},
    {"openai_costs.jsonl", "openai-costs"},
    {"bedrock.jsonl", "bedrock"},
    {"freehold.json", "freehold"},
    {"freehold.csv", "freehold"},
    {"cursor.csv", "cursor"},
    {"copilot.csv", "copilot"},
    {"copilot_api.json", "copilot-api"},
    {"openrouter.csv", "openrouter"},
    {"focus.csv", "focus"},
    {"aws_cur.csv", "aws-cur"},
    {"azure.csv", "azure-trace"},
    {"burstgpt.csv", "burstgpt-trace"},
    {"litellm.csv", "litellm"},
    {"generic.csv", "csv"},
    {"generic_semicolons.csv", "csv"},
    {"mooncake.jsonl", "mooncake-trace"},
    {"session.json", "session-trace"},
    {"bailian.jsonl", "bailian-trace"},
    {"copilot_otel.jsonl", "copilot-otel"},
    {"copilot_otlp.json", "copilot-otel"},
    {"cursor_events.json", "cursor"},
    {"bedrock_events.json", "bedrock"},
    {"codex_exec.jsonl", "codex"},
    {"claude_code_list.json", "claude-code"},
    {"deep.json", ""},
    {"deep_object.json", ""},
    {"empty", ""},
    {"newlines", ""},
};

constexpr Sample kPublic[] = {
    {"tracelab/claude-projects/-workspace-project/claude-session-01.jsonl", "claude-code"},
    {"claude-code-traces/trace_0010.json", "session-trace"},
    {"mooncake-fast25/synthetic_trace.jsonl", "mooncake-trace"},
    {"azure-llm-2023/AzureLLMInferenceTrace_code.csv", "azure-trace"},
    {"focus/focus_sample.csv", "focus"},
    {"LICENSE-Apache-2.0.txt", ""},
    {"LICENSES.md", ""},
    {"tracelab/explanation-claude.md", ""},
    {"llmservingsim/RTX4090/Llama-3.1-8B/meta.json", ""},
};

TEST(Formats, EachFileIsReadByItsOwn) {
  for (const Sample& sample : kCorpus) {
    const std::string path =
        std::string(FH_SOURCE_DIR "/tests/fuzz/corpus/importers/") + sample.file;
    EXPECT_EQ(test::format_of(test::file_bytes(path), path), sample.format) << sample.file;
  }
  for (const Sample& sample : kPublic) {
    const std::string path = test::validation_path(sample.file);
    EXPECT_EQ(test::format_of(test::file_bytes(path), path), sample.format) << sample.file;
  }
}

TEST(Formats, AreNamedOnceAndComplete) {
  std::set<std::string_view> names;
  for (const Format& format : formats()) {
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_FALSE(format.title.empty());
    EXPECT_EQ(format.recognise({"", ""}), 0) << format.name;
  }
  EXPECT_EQ(names.size(), 24U);
}

TEST(Formats, WhatTheyReadCarriesTheirName) {
  for (const Sample& sample : kCorpus) {
    if (sample.format[0] == '\0') continue;
    const std::string text =
        test::file_bytes(std::string(FH_SOURCE_DIR "/tests/fuzz/corpus/importers/") + sample.file);
    for (const Format& format : formats()) {
      if (format.name != sample.format) continue;
      const test::KeepingSink sink = test::read_with(format, text, 100);
      for (const domain::UsageRecord& record : sink.records) {
        EXPECT_EQ(record.format, format.name);
      }
      for (const domain::CostRecord& record : sink.costs) EXPECT_EQ(record.format, format.name);
    }
  }
}

}  // namespace
}  // namespace fh::importers
