// Goal: providers' usage and cost answers give disjoint classes, exact money and identities that
// survive a later pull, in all documented shapes. Method: answers in the documented shape, whole
// and in pieces, and the mistakes that such readers are known for.

#include <gtest/gtest.h>

#include <algorithm>

#include "importers/anthropic_claude_code.h"
#include "importers/anthropic_cost.h"
#include "importers/anthropic_usage.h"
#include "importers/copilot_api.h"
#include "importers/freehold_ledger.h"
#include "importers/openai_costs.h"
#include "importers/openai_usage.h"
#include "importers/test_sink.h"

namespace fh::importers {
namespace {

using test::format_of;
using test::KeepingSink;
using test::read_with;

constexpr std::string_view kMessages = R"({"data":[
 {"starting_at":"2025-08-01T00:00:00Z","ending_at":"2025-08-02T00:00:00Z","results":[{
 "uncached_input_tokens":1500,"cache_read_input_tokens":200,
 "cache_creation":{"ephemeral_1h_input_tokens":1000,"ephemeral_5m_input_tokens":500},
 "output_tokens":500,"server_tool_use":{"web_search_requests":10},
 "model":"claude-opus-4-6","service_tier":"priority_on_demand","context_window":"200k-1m",
 "inference_geo":"global","api_key_id":"apikey_1","account_id":"user_1","service_account_id":null,
 "workspace_id":"wrkspc_1"}]},
 {"starting_at":"2025-08-02T00:00:00Z","ending_at":"2025-08-03T00:00:00Z","results":[]}],
 "has_more":true,"next_page":"page_x"})";

TEST(AnthropicUsage, MessagesReport) {
  EXPECT_EQ(format_of(kMessages), "anthropic-usage");
  const KeepingSink sink = read_with(anthropic_usage_format(), kMessages, 17);
  EXPECT_TRUE(sink.skips.empty());
  ASSERT_EQ(sink.records.size(), 1U);
  const domain::UsageRecord& r = sink.records[0];
  EXPECT_EQ(r.usage.input_uncached, 1500U);
  EXPECT_EQ(r.usage.cache_read, 200U);
  EXPECT_EQ(r.usage.cache_write_5m, 500U);
  EXPECT_EQ(r.usage.cache_write_1h, 1000U);
  EXPECT_EQ(r.usage.output, 500U);
  EXPECT_EQ(r.web_searches, 10U);
  EXPECT_EQ(r.granularity, domain::Granularity::Day);
  EXPECT_FALSE(r.requests.has_value());
  EXPECT_EQ(r.tier, domain::ServiceTier::Priority);
  EXPECT_TRUE(r.prompt_band_known);
  EXPECT_EQ(r.prompt_over, 200'000U);
  EXPECT_EQ(r.key, "apikey_1");
  EXPECT_EQ(r.user, "user_1");
  EXPECT_EQ(r.workspace, "wrkspc_1");
  EXPECT_EQ(r.region, "global");
  EXPECT_EQ(base::format_rfc3339(r.end_unix_ns), "2025-08-02T00:00:00.000Z");
}

std::string usage_row(
    std::string_view more,
    std::string_view tokens =
        R"("uncached_input_tokens":5,"cache_read_input_tokens":1,"output_tokens":2)") {
  return "{" + std::string(tokens) + std::string(more) + "}";
}

std::string usage_page(const std::string& row) {
  return R"({"data":[{"starting_at":"2026-08-01T00:00:00Z","ending_at":"2026-08-01T00:01:00Z","results":[)" +
         row + "]}]}";
}

TEST(AnthropicUsage, IdentityIsTheGroupAndNotTheCount) {
  const auto id = [](const std::string& row) {
    const KeepingSink sink = read_with(anthropic_usage_format(), usage_page(row));
    EXPECT_EQ(sink.records.size(), 1U);
    return sink.records.empty() ? "" : sink.records[0].source_id;
  };
  const std::string first = id(usage_row(R"(,"model":"a","workspace_id":null)"));
  const std::string later = id(
      usage_row(R"(,"workspace_id":null,"model":"a")",
                R"("uncached_input_tokens":50,"cache_read_input_tokens":10,"output_tokens":20)"));
  EXPECT_EQ(first, later);
  EXPECT_NE(first, id(usage_row(R"(,"model":"b")")));
  EXPECT_NE(
      id(usage_row(R"(,"model":"a","actor":{"type":"user","email_address":"x@example.com"})")),
      id(usage_row(R"(,"model":"a","actor":{"type":"user","email_address":"y@example.com"})")));
  EXPECT_NE(first, id(usage_row(R"(,"model":"a","a_grouping_of_tomorrow":"x")")));
  EXPECT_EQ(first, id(usage_row(R"(,"model":"a","data_refreshed_at":"2026-08-02T00:00:00Z")")));
}

TEST(AnthropicUsage, AnalyticsCountRequests) {
  const KeepingSink sink = read_with(
      anthropic_usage_format(),
      usage_page(usage_row(R"(,"requests":7,"product":"claude_code","speed":"fast","model":"m")")));
  ASSERT_EQ(sink.records.size(), 1U);
  EXPECT_EQ(sink.records[0].requests, 7U);
  EXPECT_EQ(sink.records[0].application, "claude_code");
  EXPECT_EQ(sink.records[0].tier, domain::ServiceTier::Fast);
  EXPECT_EQ(sink.records[0].granularity, domain::Granularity::Minute);
}

TEST(AnthropicUsage, FlatRowsOfTheUnifiedEndpoint) {
  const std::string text =
      R"({"data":[{"starting_at":"2026-08-25T00:00:00Z","ending_at":"2026-08-26T00:00:00Z","model":"claude-opus-5-5","input_tokens":10,"cache_read_input_tokens":3,"cache_creation_input_tokens":4,"output_tokens":2,"request_count":9}],"next_page":null})";
  EXPECT_EQ(format_of(text), "anthropic-usage");
  const KeepingSink sink = read_with(anthropic_usage_format(), text);
  ASSERT_EQ(sink.records.size(), 1U);
  EXPECT_EQ(sink.records[0].usage.input_uncached, 10U);
  EXPECT_EQ(sink.records[0].usage.cache_write_5m, 4U);
  EXPECT_EQ(sink.records[0].requests, 9U);
}

TEST(AnthropicUsage, BadRowsAmongGoodOnes) {
  const std::string bad = usage_row("", R"("uncached_input_tokens":-5,"output_tokens":2)") + "," +
                          usage_row("", R"("uncached_input_tokens":"many","output_tokens":2)") +
                          ",7,{},";
  const std::string text = usage_page(bad + usage_row("")) + "\n" +
                           R"({"data":[{"starting_at":"whenever","results":[]}]})"
                           "\n" +
                           R"({"data":[{"starting_at":"2026-08-01T00:00:00Z","results":{}}]})";
  const KeepingSink sink = read_with(anthropic_usage_format(), text, 8);
  EXPECT_EQ(sink.records.size(), 1U);
  EXPECT_EQ(sink.skips.size(), 6U);
}

TEST(AnthropicUsage, EmptyDaysAreRecognisedToo) {
  EXPECT_EQ(
      format_of(
          R"({"data":[{"starting_at":"2026-08-01T00:00:00Z","ending_at":"2026-08-02T00:00:00Z","results":[]}]})"),
      "anthropic-usage");
}

TEST(AnthropicCost, AmountsAreCents) {
  const std::string text =
      R"({"data":[{"starting_at":"2026-08-01T00:00:00Z","ending_at":"2026-08-02T00:00:00Z","results":[
 {"currency":"USD","amount":"123.45","workspace_id":"w","description":"Claude Opus 5.5 Usage - Input Tokens","cost_type":"tokens","context_window":"0-200k","model":"claude-opus-5-5","service_tier":"standard","token_type":"uncached_input_tokens"},
 {"currency":"USD","amount":"0.00004","cost_type":"web_search","token_type":null},
 {"currency":"EUR","amount":"5"},
 {"currency":"USD","amount":"a lot"},
 {"currency":"USD","amount":"50","list_amount":"80.5","model":"m"}]}],"has_more":false})";
  EXPECT_EQ(format_of(text), "anthropic-cost");
  const KeepingSink sink = read_with(anthropic_cost_format(), text, 31);
  ASSERT_EQ(sink.costs.size(), 3U);
  EXPECT_EQ(sink.costs[0].billed.value, 1'234'500);
  EXPECT_EQ(sink.costs[0].model, "claude-opus-5-5");
  EXPECT_EQ(sink.costs[0].item, "uncached_input_tokens");
  EXPECT_EQ(sink.costs[0].service, "tokens");
  EXPECT_EQ(sink.costs[1].billed.value, 0);  // 0.4 micro-dollars
  EXPECT_EQ(sink.costs[2].billed.value, 500'000);
  EXPECT_EQ(sink.costs[2].list->value, 805'000);
  EXPECT_EQ(sink.skips.size(), 2U);
  EXPECT_TRUE(sink.records.empty());
}

TEST(AnthropicCost, AmountsInObjectsAreCentsToo) {
  const std::string text =
      R"({"data":[{"starting_at":"2026-08-01T00:00:00Z","ending_at":"2026-08-02T00:00:00Z","results":[
 {"amount":{"value":"123.45","currency":"USD"},"model":"a","cost_type":"tokens"},
 {"amount":{"value":50.5,"currency":"usd"},"list_amount":{"value":"80","currency":"USD"},"model":"b"},
 {"amount":{"value":"5","currency":"EUR"}},
 {"amount":{"value":"5","currency":"USD"},"list_amount":{"value":"5","currency":"EUR"}},
 {"amount":{"currency":"USD"}},
 {"amount":null}]},
 {"starting_at":"2026-08-02T00:00:00Z","ending_at":"2026-08-03T00:00:00Z",
  "cost":{"amount":"12.5","currency":"USD","list_amount":"20"},
  "group":{"model":"c","token_type":"output_tokens","cost_type":"tokens","workspace_id":"w"}}]})";
  EXPECT_EQ(format_of(text), "anthropic-cost");
  const KeepingSink sink = read_with(anthropic_cost_format(), text, 31);
  ASSERT_EQ(sink.costs.size(), 3U);
  EXPECT_EQ(sink.costs[0].billed.value, 1'234'500);
  EXPECT_EQ(sink.costs[0].model, "a");
  EXPECT_EQ(sink.costs[1].billed.value, 505'000);
  EXPECT_EQ(sink.costs[1].list->value, 800'000);
  EXPECT_EQ(sink.costs[2].billed.value, 125'000);
  EXPECT_EQ(sink.costs[2].list->value, 200'000);
  EXPECT_EQ(sink.costs[2].model, "c");
  EXPECT_EQ(sink.costs[2].item, "output_tokens");
  EXPECT_EQ(sink.costs[2].service, "tokens");
  EXPECT_EQ(sink.costs[2].workspace, "w");
  std::vector<std::string> why;
  for (const auto& skip : sink.skips) why.push_back(skip.why);
  EXPECT_EQ(why,
            (std::vector<std::string>{
                "an amount in another currency than USD", "an amount in another currency than USD",
                "an amount that is no number", "an amount that is no number"}));
}

TEST(CopilotApi, ItemsAreCostsOfTheirPeriod) {
  const std::string item =
      R"({"product":"Copilot","sku":"Copilot AI Credit","model":"Claude Opus 5.5","unitType":"ai-credits","pricePerUnit":0.01,"grossQuantity":150.5,"grossAmount":1.505,"discountQuantity":100,"discountAmount":1,"netQuantity":50.5,"netAmount":0.505})";
  const auto answer = [&](std::string_view period) {
    return R"({"timePeriod":)" + std::string(period) + R"(,"organization":"acme","usageItems":[)" +
           item + "," + item + "]}";
  };
  const auto dates = [&](std::string_view period) {
    const KeepingSink sink = read_with(copilot_api_format(), answer(period), 9);
    return sink.costs.empty() ? std::string("none")
                              : base::format_date(sink.costs[0].start_unix_ns) + ' ' +
                                    base::format_date(sink.costs[0].end_unix_ns);
  };
  EXPECT_EQ(format_of(answer(R"({"year":2026})")), "copilot-api");
  EXPECT_EQ(dates(R"({"year":2026,"month":12})"), "2026-12-01 2027-01-01");
  EXPECT_EQ(dates(R"({"year":2026,"month":2})"), "2026-02-01 2026-03-01");
  EXPECT_EQ(dates(R"({"year":2026,"month":8,"day":31})"), "2026-08-31 2026-09-01");
  EXPECT_EQ(dates(R"({"year":2026})"), "2026-01-01 2027-01-01");
  for (const std::string_view bad :
       {R"({"month":2})", R"({"year":2026,"month":13})", R"({"year":2026,"day":3})", "null"}) {
    EXPECT_EQ(dates(bad), "none") << bad;
  }
  const KeepingSink sink = read_with(copilot_api_format(), answer(R"({"year":2026,"month":8})"));
  ASSERT_EQ(sink.costs.size(), 2U);
  const domain::CostRecord& cost = sink.costs[0];
  EXPECT_EQ(cost.billed.value, 505'000) << "what was discounted is not billed";
  EXPECT_EQ(cost.list->value, 1'505'000);
  EXPECT_EQ(cost.quantity, 150.5);
  EXPECT_EQ(cost.model, "Claude Opus 5.5");
  EXPECT_EQ(cost.workspace, "acme");
  EXPECT_NE(cost.source_id, sink.costs[1].source_id) << "equal items side by side count each";
  EXPECT_TRUE(sink.records.empty());
  EXPECT_EQ(sink.skips.size(), 2U) << "that there are no tokens is said";
}

TEST(CopilotApi, ItemsWithDatesAndBadItems) {
  const std::string text = R"({"usageItems":[
 {"date":"2026-08-03","product":"Actions","sku":"Actions Linux","quantity":100,"unitType":"minutes","pricePerUnit":0.008,"grossAmount":0.8,"discountAmount":0,"netAmount":0.8,"organizationName":"acme","repositoryName":"acme/shop"},
 {"date":"soon","product":"Actions","netAmount":0.8},
 {"product":"Actions","netAmount":0.8},
 {"date":"2026-08-03","product":"Actions"}]})";
  EXPECT_EQ(format_of(text), "copilot-api");
  const KeepingSink sink = read_with(copilot_api_format(), text, 50);
  ASSERT_EQ(sink.costs.size(), 1U);
  EXPECT_EQ(base::format_date(sink.costs[0].start_unix_ns), "2026-08-03");
  EXPECT_EQ(sink.costs[0].billed.value, 800'000);
  EXPECT_EQ(sink.costs[0].quantity, 100);
  EXPECT_EQ(sink.skips.size(), 3U);
}

TEST(AnthropicClaudeCode, OneRecordPerPersonDayAndModel) {
  const std::string text =
      R"({"data":[{"date":"2026-09-01T00:00:00Z","actor":{"type":"user_actor","email_address":"ada@example.com"},"organization_id":"org","customer_type":"subscription","terminal_type":"vscode","core_metrics":{"num_sessions":5},"tool_actions":{},"model_breakdown":[{"model":"claude-opus-5-5","tokens":{"input":100,"output":35,"cache_read":10,"cache_creation":5},"estimated_cost":{"currency":"USD","amount":1025}},{"model":"claude-haiku-5-5","tokens":{"input":1,"output":2,"cache_read":0,"cache_creation":0},"estimated_cost":{"currency":"USD","amount":10.5}}]},
 {"date":"2026-09-01T00:00:00Z","actor":{"type":"api_actor","api_key_name":"ci"},"customer_type":"api","model_breakdown":[{"model":"claude-opus-5-5","tokens":{"input":7,"output":1},"estimated_cost":{"currency":"USD","amount":3}}]}],"has_more":false})";
  EXPECT_EQ(format_of(text), "anthropic-claude-code");
  const KeepingSink sink = read_with(anthropic_claude_code_format(), text, 10);
  ASSERT_EQ(sink.records.size(), 3U);
  EXPECT_EQ(sink.records[0].user, "ada@example.com");
  EXPECT_EQ(sink.records[0].usage.cache_write_5m, 5U);
  EXPECT_EQ(sink.records[0].reported_cost->value, 10'250'000);
  EXPECT_EQ(sink.records[0].cost_kind, domain::CostKind::Included);
  EXPECT_EQ(sink.records[1].reported_cost->value, 105'000);
  EXPECT_EQ(sink.records[2].key, "ci");
  EXPECT_EQ(sink.records[2].cost_kind, domain::CostKind::Estimate);
  EXPECT_NE(sink.records[0].source_id, sink.records[1].source_id);
}

std::string openai_page(const std::string& results) {
  return R"({"object":"page","data":[{"object":"bucket","start_time":1730419200,"end_time":1730505600,"results":[)" +
         results + R"(]}],"has_more":false,"next_page":null})";
}

TEST(OpenAiUsage, CachedTokensComeOutOfTheInput) {
  const std::string text = openai_page(
      R"({"object":"organization.usage.completions.result","input_tokens":1000,"input_cached_tokens":800,"input_uncached_tokens":150,"input_cache_write_tokens":50,"output_tokens":500,"num_model_requests":5,"project_id":"proj_1","user_id":null,"api_key_id":"key_1","model":"gpt-6.1-sol","batch":true,"service_tier":null},
 {"object":"organization.usage.completions.result","input_tokens":1000,"input_cached_tokens":300,"output_tokens":5,"num_model_requests":1,"model":"gpt-6-luna","service_tier":"flex"},
 {"object":"organization.usage.completions.result","input_tokens":10,"input_cached_tokens":11,"output_tokens":5,"num_model_requests":1},
 {"object":"organization.usage.embeddings.result","input_tokens":70,"num_model_requests":2,"model":"text-embedding-3-large"},
 {"object":"organization.usage.images.result","images":3,"num_model_requests":2},
 {"object":"organization.usage.completions.result","input_tokens":0,"output_tokens":0,"num_model_requests":0})");
  EXPECT_EQ(format_of(text), "openai-usage");
  const KeepingSink sink = read_with(openai_usage_format(), text, 23);
  ASSERT_EQ(sink.records.size(), 3U);
  const domain::UsageRecord& r = sink.records[0];
  EXPECT_EQ(r.usage.input_uncached, 150U);
  EXPECT_EQ(r.usage.cache_read, 800U);
  EXPECT_EQ(r.usage.cache_write_30m, 50U);
  EXPECT_EQ(r.usage.prompt_total(), 1000U);
  EXPECT_EQ(r.requests, 5U);
  EXPECT_EQ(r.tier, domain::ServiceTier::Batch);
  EXPECT_EQ(r.workspace, "proj_1");
  EXPECT_EQ(r.granularity, domain::Granularity::Day);
  EXPECT_EQ(sink.records[1].usage.input_uncached, 700U);
  EXPECT_EQ(sink.records[1].tier, domain::ServiceTier::Flex);
  EXPECT_EQ(sink.records[2].usage.input_uncached, 70U);
  EXPECT_EQ(sink.skips.size(), 2U);
}

TEST(OpenAiUsage, AudioIsLeftOutAndSaysSo) {
  const std::string text = openai_page(
      R"({"object":"organization.usage.completions.result","input_tokens":1000,"input_cached_tokens":800,"input_text_tokens":120,"input_audio_tokens":30,"input_cached_audio_tokens":100,"output_tokens":500,"output_text_tokens":440,"output_audio_tokens":60,"num_model_requests":5,"model":"new"},
 {"object":"organization.usage.completions.result","input_tokens":1000,"input_cached_tokens":300,"output_tokens":5,"input_audio_tokens":70,"output_audio_tokens":9,"num_model_requests":1,"model":"older"},
 {"object":"organization.usage.completions.result","input_tokens":10,"input_text_tokens":0,"input_audio_tokens":11,"output_tokens":5,"num_model_requests":1,"model":"impossible"},
 {"object":"organization.usage.completions.result","input_tokens":10,"input_text_tokens":10,"input_audio_tokens":0,"output_tokens":5,"output_audio_tokens":null,"num_model_requests":1,"model":"none"})");
  const KeepingSink sink = read_with(openai_usage_format(), text, 31);
  ASSERT_EQ(sink.records.size(), 3U);
  EXPECT_EQ(sink.records[0].usage.input_uncached, 170U) << "1000 - 800, less 30 of audio";
  EXPECT_EQ(sink.records[0].usage.cache_read, 700U);
  EXPECT_EQ(sink.records[0].usage.output, 440U);
  EXPECT_EQ(sink.records[1].usage.input_uncached, 700U) << "text alone: nothing to take out";
  EXPECT_EQ(sink.records[1].usage.output, 5U);
  EXPECT_EQ(sink.records[2].usage.input_uncached, 10U);
  ASSERT_EQ(sink.skips.size(), 3U);
  EXPECT_EQ(sink.skips[0].why, "audio tokens are not counted: the row's others are kept");
  EXPECT_EQ(sink.skips[2].why, "more audio tokens than tokens");
}

TEST(OpenAiUsage, WebSearchesUnderBothNames) {
  const std::string text = openai_page(
      R"({"object":"organization.usage.web_searches.result","num_model_requests":5,"num_requests":7,"model":"m"},
 {"object":"organization.usage.web_search_calls.result","num_model_requests":5,"num_requests":2,"model":"m"})");
  const KeepingSink sink = read_with(openai_usage_format(), text, 40);
  ASSERT_EQ(sink.records.size(), 2U);
  EXPECT_EQ(sink.records[0].web_searches, 7U);
  EXPECT_EQ(sink.records[1].web_searches, 2U);
}

TEST(OpenAi, AFileOfSeveralEndpoints) {
  const std::string usage = openai_page(
      R"({"object":"organization.usage.completions.result","input_tokens":10,"output_tokens":5,"num_model_requests":1})");
  const std::string costs = openai_page(
      R"({"object":"organization.costs.result","amount":{"value":0.06,"currency":"usd"},"line_item":"a"})");
  for (const std::string& text : {usage + "\n" + costs, "[" + costs + "," + usage + "]"}) {
    for (const Format* format : {&openai_usage_format(), &openai_costs_format()}) {
      const KeepingSink sink = read_with(*format, text, 37);
      EXPECT_TRUE(sink.skips.empty());
      ASSERT_EQ(sink.records.size(), 1U);
      EXPECT_EQ(sink.records[0].format, "openai-usage");
      ASSERT_EQ(sink.costs.size(), 1U);
      EXPECT_EQ(sink.costs[0].format, "openai-costs");
    }
  }
}

TEST(OpenAiCosts, DollarsFromTheNumbersOwnText) {
  const std::string text = openai_page(
      R"({"object":"organization.costs.result","amount":{"value":0.06,"currency":"usd"},"line_item":"gpt-6.1-sol, input","project_id":"p"},
 {"object":"organization.costs.result","amount":{"value":1.2345675e-2,"currency":"usd"},"line_item":"Image models"},
 {"object":"organization.costs.result","amount":{"value":"7.5","currency":"usd"}},
 {"object":"organization.costs.result","amount":{"value":1,"currency":"gbp"}},
 {"object":"organization.costs.result","amount":null})");
  EXPECT_EQ(format_of(text), "openai-costs");
  const KeepingSink sink = read_with(openai_costs_format(), text, 29);
  ASSERT_EQ(sink.costs.size(), 3U);
  EXPECT_EQ(sink.costs[0].billed.value, 60'000);
  EXPECT_EQ(sink.costs[0].model, "gpt-6.1-sol");
  EXPECT_EQ(sink.costs[1].billed.value, 12'346);
  EXPECT_EQ(sink.costs[1].model, "");
  EXPECT_EQ(sink.costs[2].billed.value, 7'500'000);
  EXPECT_EQ(sink.skips.size(), 2U);
}

TEST(FreeholdLedger, SumsByDayAndByWeek) {
  const std::string text =
      R"({"by":"day","from_ms":null,"to_ms":null,"rows":[{"group":"2026-11-24","requests":3,"failed":1,"usage":{"input_uncached":10,"cache_read":20,"cache_write":5,"output":7,"reasoning":2},"work":{},"cost_micro_usd":1500,"cost_unpriced":0,"api_costs":[]}],"totals":{"requests":3,"usage":{"input_uncached":10,"cache_read":20,"cache_write":5,"output":7}}})";
  EXPECT_EQ(format_of(text), "freehold");
  const KeepingSink day = read_with(freehold_ledger_format(), text, 6);
  ASSERT_EQ(day.records.size(), 1U);
  EXPECT_TRUE(day.skips.empty());
  EXPECT_EQ(base::format_date(day.records[0].start_unix_ns), "2026-11-24");
  EXPECT_EQ(day.records[0].usage.prompt_total(), 35U);
  EXPECT_EQ(day.records[0].requests, 3U);
  EXPECT_EQ(day.records[0].reported_cost->value, 1500);

  const std::string csv =
      "week,requests,failed,input_uncached,cache_read,cache_write,output,reasoning,computed,cached,"
      "restored,cost_usd,cost_unpriced\r\n2026-W48,3,1,10,20,5,7,2,30,5,0,0.001500,0\r\n"
      "2026-W99,3,1,10,20,5,7,2,30,5,0,,0\r\n2027-W01,x,1\r\n";
  EXPECT_EQ(format_of(csv), "freehold");
  const KeepingSink week = read_with(freehold_ledger_format(), csv, 4);
  ASSERT_EQ(week.records.size(), 1U);
  EXPECT_EQ(base::format_date(week.records[0].start_unix_ns), "2026-11-23");
  EXPECT_EQ(base::format_date(week.records[0].end_unix_ns), "2026-11-30");
  EXPECT_EQ(week.skips.size(), 2U);
}

TEST(FreeholdLedger, SumsByModelNeedARange) {
  const auto page = [](std::string_view range) {
    return R"({"by":"model",)" + std::string(range) +
           R"("rows":[{"group":"qwen3-8b","requests":3,"usage":{"input_uncached":10,"cache_read":0,"cache_write":0,"output":7,"reasoning":0},"cost_unpriced":3}]})";
  };
  const KeepingSink placed = read_with(freehold_ledger_format(),
                                       page(R"("from_ms":1764547200000,"to_ms":1767225600000,)"));
  ASSERT_EQ(placed.records.size(), 1U);
  EXPECT_EQ(placed.records[0].model, "qwen3-8b");
  EXPECT_EQ(base::format_date(placed.records[0].end_unix_ns), "2026-01-01");
  EXPECT_EQ(
      read_with(freehold_ledger_format(), page(R"("from_ms":null,"to_ms":null,)")).skips.size(),
      1U);
}

TEST(FreeholdLedger, Requests) {
  const std::string row =
      R"({"request_id":"req_1","sequence":5,"state":"settled","key_id":"k","key_name":"ci","project":"shop","workload":"docs","model_requested":"a","model_served":"qwen3-8b","received_ms":1764547200000,"usage":{"input_uncached":10,"cache_read":4,"cache_write":0,"output":7,"reasoning":1},"ended_ms":1764547203000,"ttft_us":250000,"duration_us":3000000,"cost_micro_usd":null})";
  const std::string text =
      R"({"rows":[)" + row +
      R"(,{"request_id":"req_2","state":"running","model_served":"x"}],"next_before":null})";
  EXPECT_EQ(format_of(text), "freehold");
  const KeepingSink sink = read_with(freehold_ledger_format(), text, 12);
  ASSERT_EQ(sink.records.size(), 1U);
  const domain::UsageRecord& r = sink.records[0];
  EXPECT_EQ(r.granularity, domain::Granularity::Request);
  EXPECT_EQ(r.ttft_ns, 250'000'000);
  EXPECT_EQ(r.duration_ns, 3'000'000'000);
  EXPECT_EQ(r.key, "ci");
  EXPECT_EQ(r.workload, "docs");
  EXPECT_FALSE(r.reported_cost.has_value());
  EXPECT_EQ(sink.skips.size(), 1U);
}

TEST(Reports, RecognisedAloneOnly) {
  for (const std::string_view text :
       {"", "{}", "[]", "hello", "{\"data\":[]}",
        "\x7F"
        "ELF",
        "a,b,c\n1,2,3\n", "{\"messages\":[{\"role\":\"user\",\"content\":\"usage\"}]}"}) {
    EXPECT_EQ(format_of(text), "") << text;
  }
}

}  // namespace
}  // namespace fh::importers
