// Goal: the public traces give their published numbers. Method: the bundled files against counts,
// totals, quantiles and prefix-cache shares that were computed apart from this code.

#include <algorithm>
#include <cmath>

#include "importers/azure_trace.h"
#include "importers/collect.h"
#include "importers/mooncake_trace.h"
#include "importers/numbers.h"
#include "importers/prefix_trace.h"
#include "importers/session_trace.h"

namespace fh::importers {
namespace {

using Reasons = std::vector<std::string>;

constexpr const char* kSessions[] = {"0010", "0042", "0063", "0175", "0274", "0291", "0332", "0422",
                                     "0479", "0498", "0504", "0513", "0576", "0690", "0732"};

std::string session_file(const char* number) {
  return validation_file(std::string("claude-code-traces/trace_") + number + ".json");
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

TEST(AzureTrace, KnownNumbers) {
  const std::string text = validation_file("azure-llm-2023/AzureLLMInferenceTrace_code.csv");
  EXPECT_GE(recognised(azure_trace_format(), text), 90);
  const Collect got = read_all(azure_trace_format(), text, 1000);
  EXPECT_EQ(got.reasons(), Reasons{});
  ASSERT_EQ(got.records.size(), 8819U);
  std::vector<double> input, output, gaps;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < got.records.size(); ++i) {
    const domain::UsageRecord& r = got.records[i];
    input.push_back(static_cast<double>(r.usage.input_uncached));
    output.push_back(static_cast<double>(r.usage.output));
    ids.insert(r.source_id);
    if (i > 0)
      gaps.push_back(static_cast<double>(r.start_unix_ns - got.records[i - 1].start_unix_ns) / 1e9);
  }
  EXPECT_EQ(ids.size(), 8819U);
  EXPECT_EQ(got.records[0].start_unix_ns, *parse_time_ns("2023-11-16T18:17:03.97996Z"));
  EXPECT_NEAR(mean(input), 2048, 1);
  EXPECT_EQ(quantile(input, 0.99), 7436);
  EXPECT_NEAR(mean(output), 27.9, 0.05);
  EXPECT_EQ(quantile(output, 0.99), 252);
  double variance = 0;
  const double gap = mean(gaps);
  for (const double g : gaps) variance += (g - gap) * (g - gap) / static_cast<double>(gaps.size());
  EXPECT_NEAR(std::sqrt(variance) / gap, 13.2, 0.05);
}

TEST(BurstGptTrace, BothLayouts) {
  const std::string_view text =
      "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log "
      "Type\n"
      "5,s1,2.5,ChatGPT,472,18,490,Conversation log\n45,s2,1,GPT-4,1087,230,1317,API "
      "log\n118,,,GPT-4,0,0,0,API log\n";
  EXPECT_GE(recognised(burstgpt_trace_format(), text), 90);
  EXPECT_EQ(recognised(azure_trace_format(), text), 0);
  const Collect got = read_all(burstgpt_trace_format(), text);
  ASSERT_EQ(got.records.size(), 2U);
  EXPECT_EQ(got.records[0].start_unix_ns, 5 * kSecondNs);
  EXPECT_EQ(got.records[0].duration_ns, 2'500'000'000);
  EXPECT_EQ(got.records[1].usage.input_uncached, 1087U);
  EXPECT_EQ(got.reasons(), Reasons{"4: the row has no token counts"});
}

TEST(MooncakeTrace, KnownNumbers) {
  const std::string text = validation_file("mooncake-fast25/synthetic_trace.jsonl");
  EXPECT_GE(recognised(mooncake_trace_format(), text), 90);
  const auto trace = read_mooncake_trace(text);
  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(trace->refused, 0U);
  EXPECT_EQ(trace->requests.size(), 3993U);
  const PrefixShare unlimited = prefix_share(*trace);
  EXPECT_EQ(unlimited.requests, 3993U);
  EXPECT_NEAR(unlimited.share(), 0.6512444, 1e-6);
  EXPECT_NEAR(prefix_share(*trace, 300 * kSecondNs).share(), 0.5951167, 1e-6);
  EXPECT_NEAR(static_cast<double>(unlimited.input_tokens) / 3993, 15'325, 1);
  EXPECT_NEAR(static_cast<double>(unlimited.output_tokens) / 3993, 149, 0.5);

  const Collect got = read_all(mooncake_trace_format(), text, 5000);
  EXPECT_EQ(got.reasons(), Reasons{});
  ASSERT_EQ(got.records.size(), 3993U);
  EXPECT_EQ(got.total().cache_read, unlimited.hit_tokens);
  EXPECT_EQ(got.total().prompt_total(), 61'194'628U);
}

TEST(SessionTrace, KnownNumbers) {
  PrefixShare unlimited, hour, minutes;
  domain::Usage imported;
  std::size_t requests = 0;
  std::set<std::string> ids;
  for (const char* number : kSessions) {
    const std::string text = session_file(number);
    EXPECT_GE(recognised(session_trace_format(), text), 90);
    const auto trace = read_session_trace(text);
    ASSERT_TRUE(trace.has_value()) << number;
    EXPECT_EQ(trace->refused, 0U);
    unlimited += prefix_share(*trace);
    hour += prefix_share(*trace, 3600 * kSecondNs);
    minutes += prefix_share(*trace, 300 * kSecondNs);
    const Collect got = read_all(session_trace_format(), text, 100'000);
    EXPECT_EQ(got.reasons(), Reasons{});
    requests += got.records.size();
    imported.input_uncached += got.total().input_uncached;
    imported.cache_read += got.total().cache_read;
    imported.output += got.total().output;
    for (const domain::UsageRecord& record : got.records) ids.insert(record.source_id);
  }
  EXPECT_EQ(unlimited.requests, 1002U);
  EXPECT_EQ(unlimited.input_tokens, 104'740'893U);
  EXPECT_EQ(unlimited.output_tokens, 510'699U);
  EXPECT_NEAR(unlimited.share(), 0.9579956, 1e-6);
  EXPECT_NEAR(hour.share(), 0.9549930, 1e-6);
  EXPECT_NEAR(minutes.share(), 0.9129027, 1e-6);
  EXPECT_EQ(requests, 1002U);
  EXPECT_EQ(ids.size(), 1002U);
  EXPECT_EQ(imported.prompt_total(), 104'740'893U);
  EXPECT_EQ(imported.cache_read, unlimited.hit_tokens);
  EXPECT_EQ(imported.output, 510'699U);
}

TEST(SessionTrace, SubAgentsCountFromTheirStart) {
  const std::string_view text =
      R"({"id":"s","block_size":64,"hash_id_scope":"local","requests":[)"
      R"({"t":10,"type":"n","model":"claude-opus-4-6","in":100,"out":5,"hash_ids":[1,2],"api_time":2.5},)"
      R"({"t":20,"type":"subagent","subagent_type":"explore","requests":[)"
      R"({"t":1.5,"type":"n","model":"claude-haiku-4-5","in":130,"out":6,"hash_ids":[1,2,9]}]},)"
      R"({"t":21,"type":"s","model":"claude-opus-4-6","in":64,"out":7,"hash_ids":[9],"ttft":0.5},)"
      R"({"t":"x","type":"n","model":"m","in":1,"out":1,"hash_ids":[]}]})";
  const Collect got = read_all(session_trace_format(), text, 7);
  EXPECT_EQ(got.reasons(), Reasons{"0: 1 requests without believable numbers"});
  ASSERT_EQ(got.records.size(), 3U);
  EXPECT_EQ(got.records[0].source_id, "s/0");
  EXPECT_EQ(got.records[0].end_unix_ns, 12'500'000'000);
  EXPECT_EQ(got.records[0].provider, "anthropic");
  EXPECT_EQ(got.records[1].source_id, "s/2");
  EXPECT_EQ(got.records[1].ttft_ns, 500'000'000);
  EXPECT_EQ(got.records[1].usage.cache_read, 0U) << "the sub-agent begins later, at 21.5 s";
  EXPECT_EQ(got.records[2].source_id, "s/1.0");
  EXPECT_EQ(got.records[2].start_unix_ns, 21'500'000'000);
  EXPECT_EQ(got.records[2].workload, "explore");
  EXPECT_EQ(got.records[2].usage.cache_read, 130U) << "three blocks are more than the input";
  EXPECT_EQ(got.records[2].usage.input_uncached, 0U);
}

TEST(SessionTrace, IsRecognisedWithoutTheScopeOfItsHashes) {
  EXPECT_GE(
      recognised(
          session_trace_format(),
          R"({"id": "s", "models": ["m"], "block_size": 64, "requests": [{"t": 0.0, "hash_ids": [1]}]})"),
      90);
}

TEST(PrefixCache, LifetimeIsRenewedOnUse) {
  PrefixCache cache(10, 100);
  const auto ask = [&](std::int64_t at, std::vector<std::uint64_t> blocks) {
    PrefixRequest request;
    request.start_ns = at;
    request.input = 1000;
    request.blocks = std::move(blocks);
    return cache.serve(request);
  };
  EXPECT_EQ(ask(0, {1, 2, 3}), 0U);
  EXPECT_EQ(ask(100, {1, 2}), 20U);     // just alive
  EXPECT_EQ(ask(150, {1, 2, 3}), 20U);  // 3 was last used at 0
  EXPECT_EQ(ask(250, {3, 1}), 20U);
  EXPECT_EQ(ask(351, {1}), 0U);
  EXPECT_EQ(ask(352, {7, 1}), 0U) << "only leading blocks count";
}

// Like Mooncake's, but with conversations, seconds and blocks of 16 tokens.
TEST(Traces, BailianCountsInSecondsAndSmallBlocks) {
  const std::string text =
      R"({"chat_id": 1, "parent_chat_id": -1, "timestamp": 61.114, "input_length": 40, "output_length": 5, "type": "text", "turn": 1, "hash_ids": [1, 2, 3]})"
      "\n"
      R"({"chat_id": 2, "parent_chat_id": 1, "timestamp": 62.5, "input_length": 50, "output_length": 6, "type": "text", "turn": 2, "hash_ids": [1, 2, 9, 4]})"
      "\n";
  EXPECT_EQ(recognised(mooncake_trace_format(), text), 0);
  EXPECT_EQ(recognised(bailian_trace_format(), text), 98);
  const Collect got = read_all(bailian_trace_format(), text, 7);
  ASSERT_EQ(got.records.size(), 2U);
  EXPECT_EQ(got.records[1].format, "bailian-trace");
  EXPECT_EQ(got.records[1].start_unix_ns, 62'500'000'000);
  EXPECT_EQ(got.records[1].usage.cache_read, 32U);
  EXPECT_EQ(got.records[1].usage.input_uncached, 18U);
  EXPECT_EQ(got.total().output, 11U);
}

TEST(Traces, DamagedLinesAndFiles) {
  const std::string good =
      R"({"timestamp": 0, "input_length": 600, "output_length": 4, "hash_ids": [1, 2]})";
  const Collect got = read_all(
      mooncake_trace_format(),
      good + "\n{broken\n\n" + std::string(5, '\0') + "\n" +
          R"({"timestamp": 1, "input_length": -1, "output_length": 4, "hash_ids": []})" + "\n" +
          R"({"timestamp": 2, "input_length": 700, "output_length": 4, "hash_ids": [1, "x"]})" +
          "\n" + good + "\n{\"timesta",
      3);
  EXPECT_EQ(got.records.size(), 2U);
  ASSERT_EQ(got.skips.size(), 5U);
  const std::vector<std::uint64_t> lines = {2, 4, 5, 6, 8};
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(got.skips[i].line, lines[i]);
  EXPECT_EQ(got.records[1].usage.cache_read, 600U);
  EXPECT_NE(got.records[0].source_id, got.records[1].source_id);

  EXPECT_EQ(read_all(session_trace_format(), "{\"id\":1").skips.size(), 1U);
  EXPECT_EQ(read_all(session_trace_format(), "[]").skips.size(), 1U);
  EXPECT_EQ(read_all(session_trace_format(), R"({"requests":[],"block_size":0})").skips.size(), 1U);
  EXPECT_FALSE(read_mooncake_trace("").has_value());
  EXPECT_EQ(recognised(mooncake_trace_format(), ""), 0);
  EXPECT_EQ(recognised(session_trace_format(), "{}"), 0);
}

}  // namespace
}  // namespace fh::importers
