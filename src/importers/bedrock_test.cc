// Invocation logs of Bedrock: counts beside prompts and answers, in every shape that they are kept
// in.

#include "importers/bedrock.h"

#include <gtest/gtest.h>

#include "importers/test_sink.h"

namespace fh::importers {
namespace {

using test::format_of;
using test::KeepingSink;
using test::read_with;

TEST(Bedrock, CountsBesidePromptsAndAnswers) {
  const std::string call =
      R"({"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2025-01-15T14:30:00Z","accountId":"123456789012","region":"us-east-1","requestId":"r-1","operation":"Converse","modelId":"arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-8","inferenceRegion":"us-west-2","identity":{"arn":"arn:aws:iam::1:user/ada"},"input":{"inputContentType":"application/json","inputTokenCount":1500,"inputBodyJson":{"messages":[{"content":"\"inputTokenCount\":9"}]}},"output":{"outputTokenCount":150,"outputBodyJson":{"usage":{"inputTokens":1500,"outputTokens":150,"cacheReadInputTokens":700,"cacheWriteInputTokens":20},"metrics":{"latencyMs":1234}}}})"
      "\n";
  EXPECT_EQ(format_of(call), "bedrock");
  const KeepingSink sink =
      read_with(bedrock_format(), call + "{\"schemaType\":\"Other\"}\nnonsense\n" + call, 13);
  ASSERT_EQ(sink.records.size(), 2U);
  const domain::UsageRecord& r = sink.records[0];
  EXPECT_EQ(r.source_id, "r-1");
  EXPECT_EQ(r.model, "us.anthropic.claude-opus-4-8");
  EXPECT_EQ(r.user, "ada");
  EXPECT_EQ(r.region, "us-west-2");
  EXPECT_EQ(r.usage.input_uncached, 1500U);
  EXPECT_EQ(r.usage.cache_read, 700U);
  EXPECT_EQ(r.usage.cache_write(), 20U);
  EXPECT_EQ(r.usage.output, 150U);
  EXPECT_EQ(r.duration_ns, 1'234'000'000);
  EXPECT_EQ(sink.skips.size(), 2U);
}

TEST(Bedrock, TimesInMilliseconds) {
  const auto call = [](std::string_view time) {
    return R"({"schemaType":"ModelInvocationLog","timestamp":)" + std::string(time) +
           R"(,"requestId":"r","modelId":"m","input":{"inputTokenCount":1},"output":{}})" + "\n";
  };
  for (const std::string_view time :
       {R"("2025-01-15T14:30:00.250Z")", "1736951400250", R"("1736951400250")", "1736951400.25"}) {
    const KeepingSink sink = read_with(bedrock_format(), call(time), 11);
    ASSERT_EQ(sink.records.size(), 1U) << time;
    EXPECT_EQ(sink.records[0].start_unix_ns, 1'736'951'400'250'000'000) << time;
  }
  for (const std::string_view time : {"null", "true", "\"\"", "[1736951400250]"}) {
    const KeepingSink sink = read_with(bedrock_format(), call(time));
    EXPECT_TRUE(sink.records.empty()) << time;
    EXPECT_EQ(sink.skips.size(), 1U) << time;
  }
}

TEST(Bedrock, AListAndRecordsOverSeveralLines) {
  const auto call = [](const std::string& id, const std::string& gap) {
    return "{" + gap + R"("schemaType":"ModelInvocationLog",)" + gap +
           R"("timestamp":"2025-01-15T14:30:00Z",)" + gap + R"("requestId":")" + id + R"(",)" +
           gap + R"("modelId":"m","input":{)" + gap +
           R"("inputTokenCount":10,"inputBodyJson":{"text":"a ] in a { prompt"}},)" + gap +
           R"("output":{"outputTokenCount":2})" + gap + "}";
  };
  for (const std::string& text : {"[" + call("1", "") + "," + call("2", "") + "]",
                                  "[\n" + call("1", "\n  ") + ",\n" + call("2", "\n  ") + "\n]\n",
                                  call("1", "\r\n\t") + "\r\n" + call("2", "\r\n\t") + "\r\n"}) {
    EXPECT_EQ(format_of(text), "bedrock");
    for (const std::size_t piece : {1, 7, 1000}) {
      const KeepingSink sink = read_with(bedrock_format(), text, piece);
      EXPECT_TRUE(sink.skips.empty()) << text;
      ASSERT_EQ(sink.records.size(), 2U) << text;
      EXPECT_EQ(sink.records[0].source_id, "1");
      EXPECT_EQ(sink.records[1].usage.input_uncached, 10U);
    }
  }
}

constexpr std::string_view kCall =
    R"({"schemaType":"ModelInvocationLog","timestamp":"2025-01-15T14:30:00Z","requestId":"r","modelId":"m","input":{"inputTokenCount":1500},"output":{"outputTokenCount":150,"outputBodyJson":)";

TEST(Bedrock, CacheClassesOfAnswersThatWereStreamed) {
  for (
      const std::string_view body :
      {R"([{"type":"message_start","message":{"usage":{"input_tokens":1500,"cache_read_input_tokens":400,"cache_creation_input_tokens":30,"cache_creation":{"ephemeral_1h_input_tokens":20},"output_tokens":1}}},{"type":"message_delta","usage":{"output_tokens":150,"cache_read_input_tokens":0,"cache_creation_input_tokens":null}}])",
       R"([{"text":"usage"},{"metadata":{"usage":{"cacheReadInputTokens":400,"cacheWriteInputTokens":30,"cacheDetails":[{"ttl":"5m","inputTokens":10},{"ttl":"1h","inputTokens":20}]}}}])",
       R"([7,{"amazon-bedrock-invocationMetrics":{"cacheReadInputTokenCount":400,"cacheWriteInputTokenCount":30},"usage":{"cache_creation":{"ephemeral_1h_input_tokens":20}}}])"}) {
    const std::string text = std::string(kCall) + std::string(body) + "}}\n";
    const KeepingSink sink = read_with(bedrock_format(), text, 21);
    EXPECT_TRUE(sink.skips.empty());
    ASSERT_EQ(sink.records.size(), 1U) << body;
    EXPECT_EQ(sink.records[0].usage.input_uncached, 1500U);
    EXPECT_EQ(sink.records[0].usage.cache_read, 400U) << body;
    EXPECT_EQ(sink.records[0].usage.cache_write_5m, 10U) << body;
    EXPECT_EQ(sink.records[0].usage.cache_write_1h, 20U) << body;
  }
}

TEST(Bedrock, LogEventsOfCloudWatch) {
  const std::string call = std::string(kCall) + R"({"text":"a \"b\""}}})";
  std::string escaped;
  for (const char c : call) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  const std::string event = R"({"timestamp":1736951400000,"message":")" + escaped + "\"}";
  for (const std::string& text :
       {"2025-01-15T14:30:01.123Z " + call + "\n", R"({"events":[)" + event + R"(],"n":1})",
        R"({"messageType":"DATA_MESSAGE","logEvents":[)" + event + "]}", event + "\n",
        R"([{"@timestamp":"2025-01-15 14:30:00.000","@message":)" + call + "}]"}) {
    EXPECT_EQ(format_of(text), "bedrock") << text;
    const KeepingSink sink = read_with(bedrock_format(), text, 19);
    EXPECT_TRUE(sink.skips.empty()) << text;
    ASSERT_EQ(sink.records.size(), 1U) << text;
    EXPECT_EQ(sink.sum().input_uncached, 1500U);
  }
  // A conversation about such a log is a conversation.
  EXPECT_EQ(format_of(R"({"type":"user","sessionId":"s","parentUuid":null,"message":")" + escaped +
                      "\"}\n"),
            "claude-code");
}

}  // namespace
}  // namespace fh::importers
