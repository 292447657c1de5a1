// Goal: a call of a model that Copilot's telemetry tells by a span, by a log record and by the
// agent's turn counts once, in disjoint classes. Method: records in both forms of the file, each
// kind with and without its betters.

#include "importers/copilot_otel.h"

#include "importers/test_sink.h"

namespace fh::importers {
namespace {

using test::format_of;
using test::KeepingSink;
using test::read_with;

constexpr std::string_view kSpan =
    R"({"type":"span","traceId":"t1","spanId":"s1","name":"chat gpt-5","startTime":[1775934260,0],"endTime":[1775934264,967317833],"attributes":{"gen_ai.operation.name":"chat","gen_ai.request.model":"gpt-5","gen_ai.response.model":"gpt-5-2026","gen_ai.response.id":"r1","gen_ai.conversation.id":"c1","gen_ai.usage.input_tokens":19452,"gen_ai.usage.output_tokens":281,"gen_ai.usage.cache_read.input_tokens":123,"gen_ai.usage.cache_creation.input_tokens":25,"gen_ai.usage.reasoning.output_tokens":128,"gen_ai.input.messages":"{\"gen_ai.usage.input_tokens\":7}"}})"
    "\n";

std::string log_record(std::string_view trace, std::string_view response, int input,
                       std::string_view event = "gen_ai.client.inference.operation.details") {
  return R"({"hrTime":[1775934263,5],"spanContext":{"traceId":")" + std::string(trace) +
         R"(","spanId":"s9"},"attributes":{"event.name":")" + std::string(event) +
         R"(","gen_ai.response.id":")" + std::string(response) +
         R"(","turn.index":1,"gen_ai.request.model":"gpt-5","gen_ai.usage.input_tokens":)" +
         std::to_string(input) + R"(,"gen_ai.usage.output_tokens":20},"_body":"text"})" + "\n";
}

constexpr std::string_view kTurn = "copilot_chat.agent.turn";

TEST(CopilotOtel, ASpanIsACall) {
  EXPECT_EQ(format_of(kSpan), "copilot-otel");
  const KeepingSink sink = read_with(copilot_otel_format(), kSpan, 13);
  EXPECT_TRUE(sink.skips.empty());
  ASSERT_EQ(sink.records.size(), 1U);
  const domain::UsageRecord& r = sink.records[0];
  EXPECT_EQ(r.usage.input_uncached, 19'304U);
  EXPECT_EQ(r.usage.cache_read, 123U);
  EXPECT_EQ(r.usage.cache_write(), 25U);
  EXPECT_EQ(r.usage.output, 281U);
  EXPECT_EQ(r.usage.reasoning, 128U);
  EXPECT_EQ(r.model, "gpt-5-2026");
  EXPECT_EQ(r.provider, "github-copilot");
  EXPECT_EQ(r.session, "c1");
  EXPECT_EQ(r.start_unix_ns, 1'775'934'260'000'000'000);
  EXPECT_EQ(r.duration_ns, 4'967'317'833);
}

TEST(CopilotOtel, WhatASpanTellsIsNotToldAgain) {
  const auto inputs = [](const std::string& text) {
    std::vector<std::uint64_t> out;
    const KeepingSink sink = read_with(copilot_otel_format(), text, 50);
    EXPECT_TRUE(sink.skips.empty());
    for (const domain::UsageRecord& r : sink.records) out.push_back(r.usage.prompt_total());
    return out;
  };
  using Inputs = std::vector<std::uint64_t>;
  const std::string span(kSpan);
  EXPECT_EQ(inputs(log_record("t1", "x", 80) + span), Inputs{19'452});
  EXPECT_EQ(inputs(span + log_record("t7", "r1", 80)), Inputs{19'452}) << "by its response";
  EXPECT_EQ(inputs(span + log_record("t7", "x", 80)), (Inputs{19'452, 80}));
  EXPECT_EQ(inputs(log_record("t2", "a", 90, kTurn) + log_record("t2", "a", 80)), Inputs{80});
  EXPECT_EQ(inputs(log_record("t2", "a", 90, kTurn)), Inputs{90});
  EXPECT_EQ(inputs(span + log_record("t1", "r1", 90, kTurn)), Inputs{19'452});
}

TEST(CopilotOtel, AnAgentsSumAloneIsNamed) {
  std::string run(kSpan);
  run.replace(run.find("chat gpt-5"), 10, "invoke_agent GitHub Copilot");
  run.replace(run.find("\"chat\""), 6, "\"invoke_agent\"");
  const KeepingSink alone = read_with(copilot_otel_format(), run);
  EXPECT_TRUE(alone.records.empty());
  ASSERT_EQ(alone.skips.size(), 1U);
  const KeepingSink both = read_with(copilot_otel_format(), run + std::string(kSpan));
  EXPECT_EQ(both.records.size(), 1U);
  EXPECT_TRUE(both.skips.empty());
}

TEST(CopilotOtel, OtlpInJson) {
  const std::string text =
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"github-copilot"}}]},"scopeSpans":[{"scope":{"name":"x"},"spans":[)"
      R"({"traceId":"t1","spanId":"a","name":"chat gpt-5","kind":3,"startTimeUnixNano":"1775934260000000000","endTimeUnixNano":"1775934261000000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.request.model","value":{"stringValue":"gpt-5"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"50"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":7}}]},)"
      R"({"traceId":"t1","spanId":"b","name":"execute_tool ls","attributes":[]}]}]}]})"
      "\n";
  EXPECT_EQ(format_of(text), "copilot-otel");
  const KeepingSink sink = read_with(copilot_otel_format(), text, 40);
  EXPECT_TRUE(sink.skips.empty());
  ASSERT_EQ(sink.records.size(), 1U);
  EXPECT_EQ(sink.records[0].usage.input_uncached, 50U);
  EXPECT_EQ(sink.records[0].usage.output, 7U);
  EXPECT_EQ(sink.records[0].model, "gpt-5");
  EXPECT_EQ(sink.records[0].end_unix_ns, 1'775'934'261'000'000'000);
}

TEST(CopilotOtel, BadRecordsAreNamed) {
  std::string cached(kSpan), timeless(kSpan);
  cached.replace(cached.find("19452"), 5, "10");
  timeless.replace(timeless.find("\"startTime\""), 11, "\"x\"");
  timeless.replace(timeless.find("\"endTime\""), 9, "\"y\"");
  const std::string text = cached + timeless + std::string(kSpan).substr(0, 300) + "\n" +
                           R"({"type":"metric","name":"gen_ai.client.token.usage"})" + "\n" +
                           std::string(kSpan);
  const KeepingSink sink = read_with(copilot_otel_format(), text, 9);
  EXPECT_EQ(sink.records.size(), 1U);
  ASSERT_EQ(sink.skips.size(), 3U);
  EXPECT_EQ(sink.skips[0], (test::KeptSkip{1, "more cached tokens than input tokens"}));
  EXPECT_EQ(sink.skips[1], (test::KeptSkip{2, "a record without a time that can be read"}));
  EXPECT_EQ(sink.skips[2], (test::KeptSkip{3, "damaged JSON"}));
}

}  // namespace
}  // namespace fh::importers
