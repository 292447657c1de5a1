// Goal: the CSV exports of Cursor, Copilot, OpenRouter and LiteLLM are read as their makers mean
// them. Method: rows as the tools really write them, with totals computed by hand, in every layout
// that is in use; then the same files damaged.

#include "importers/collect.h"
#include "importers/copilot.h"
#include "importers/cursor.h"
#include "importers/litellm.h"
#include "importers/numbers.h"
#include "importers/openrouter.h"

namespace fh::importers {
namespace {

using domain::CostKind;
using domain::Granularity;
using domain::ServiceTier;
using Reasons = std::vector<std::string>;

constexpr std::string_view kCursor =
    "Date,Cloud Agent ID,Automation ID,Kind,Model,Max Mode,Input (w/ Cache Write),Input (w/o Cache "
    "Write),Cache Read,"
    "Output Tokens,Total Tokens,Cost\n"
    "\"2026-08-28T17:49:12.795Z\",\"bc-801\",\"\",\"Included\",\"gpt-5.6-luna-high\",\"No\","
    "\"120957\",\"611\","
    "\"1452080\",\"15625\",\"1589273\",\"Included\"\n"
    "\"2026-08-28T17:50:00.000Z\",\"\",\"\",\"On-Demand\",\"claude-4.6-opus-high-thinking-fast\","
    "\"Yes\",\"0\",\"1,000\","
    "\"\",\"50\",\"1050\",\"$0.32\"\n"
    "\"2026-08-28T17:51:00.000Z\",\"\",\"au-7\",\"Free\",\"auto\",\"No\",\"\",\"10\",\"\",\"5\","
    "\"15\",\"Free\"\n"
    "\"2026-08-28T17:52:00.000Z\",\"\",\"\",\"Included\",\"grok-4-fast\",\"No\",\"\",\"10\",\"\","
    "\"5\",\"15\",\"0.71\"\n";

TEST(Cursor, TheTwoInputColumnsAreSeparateAmounts) {
  EXPECT_GE(recognised(cursor_format(), kCursor), 90);
  const Collect got = read_all(cursor_format(), kCursor);
  EXPECT_EQ(got.reasons(), Reasons{});
  ASSERT_EQ(got.records.size(), 4U);
  const domain::UsageRecord& first = got.records[0];
  EXPECT_EQ(first.usage.cache_write_5m, 120'957U);
  EXPECT_EQ(first.usage.input_uncached, 611U);
  EXPECT_EQ(first.usage.cache_read, 1'452'080U);
  EXPECT_EQ(first.usage.output, 15'625U);
  EXPECT_EQ(first.usage.total(), 1'589'273U);
  EXPECT_EQ(first.model, "gpt-5.6-luna-high");
  EXPECT_EQ(first.tier, ServiceTier::Standard);
  EXPECT_EQ(first.cost_kind, CostKind::Included);
  EXPECT_EQ(first.reported_cost, std::nullopt);
  EXPECT_EQ(first.start_unix_ns, *parse_time_ns("2026-08-28T17:49:12.795Z"));
  EXPECT_EQ(first.granularity, Granularity::Request);
  EXPECT_EQ(first.session, "bc-801");
  EXPECT_EQ(first.format, "cursor");
}

TEST(Cursor, CostsTiersAndRouters) {
  const Collect got = read_all(cursor_format(), kCursor);
  ASSERT_EQ(got.records.size(), 4U);
  EXPECT_EQ(got.records[1].tier, ServiceTier::Fast);
  EXPECT_EQ(got.records[1].reported_cost->value, 320'000);
  EXPECT_EQ(got.records[1].cost_kind, CostKind::Billed);
  EXPECT_EQ(got.records[1].usage.input_uncached, 1000U);
  EXPECT_EQ(got.records[2].model, "auto");
  EXPECT_EQ(got.records[2].cost_kind, CostKind::Included);
  EXPECT_EQ(got.records[2].workload, "automation");
  EXPECT_EQ(got.records[3].tier, ServiceTier::Standard) << "the model's own name";
  EXPECT_EQ(got.records[3].reported_cost->value, 710'000);
  EXPECT_EQ(got.records[3].cost_kind, CostKind::Included);
}

TEST(Cursor, OlderLayouts) {
  const Collect eight = read_all(
      cursor_format(),
      "Date,Model,Input (w/ Cache Write),Input (w/o Cache Write),Cache Read,Output Tokens,Total "
      "Tokens,Cost\n2026-04-02T10:00:00Z,claude-4-sonnet,900,400,1000,50,1950,0.12\n"
      "2026-04-02T10:01:00Z,claude-4-sonnet,900,400,1000,50,2350,0.12\n");
  EXPECT_EQ(eight.reasons(), Reasons{});
  ASSERT_EQ(eight.records.size(), 2U);
  // 900 contains 400: 500 written, 400 fresh.
  EXPECT_EQ(eight.records[0].usage.cache_write_5m, 500U);
  EXPECT_EQ(eight.records[0].usage.input_uncached, 400U);
  EXPECT_EQ(eight.records[0].usage.total(), 1950U);
  EXPECT_EQ(eight.records[1].usage.cache_write_5m, 900U);
  EXPECT_EQ(eight.records[1].usage.total(), 2350U);

  const std::string_view to_you =
      "Date,User,Kind,Max Mode,Model,Input (w/ Cache Write),Input (w/o Cache Write),Cache "
      "Read,Output Tokens,Total "
      "Tokens,Cost,Cost to you\r\n"
      "\"2026-03-01T00:00:00.000Z\",a@b.c,Usage-based,No,gpt-5,0,100,0,10,110,0.50,$0.20\r\n";
  EXPECT_GE(recognised(cursor_format(), to_you), 90);
  const Collect third = read_all(cursor_format(), to_you);
  ASSERT_EQ(third.records.size(), 1U);
  EXPECT_EQ(third.records[0].reported_cost->value, 200'000);
  EXPECT_EQ(third.records[0].user, "a@b.c");
}

TEST(Cursor, DamagedRowsAreNamedAndTheRestIsKept) {
  std::string text(kCursor);
  text += "\"2026-08-28T18:00:00Z\",,,Included,m,No,1,2,3,4,99,Included\n";
  text += "not a date,,,Included,m,No,1,2,3,4,10,Included\n";
  text += "\"2026-08-28T18:00:00Z\",,,Included,m,No,-1,2,3,4,10,Included\n";
  text += "\"2026-08-28T18:00:00Z\",,,Included,m,No,,,,,,Included\n";
  text += std::string("2026-08-28T18\0,,", 16) + "\n";
  text += "\"2026-08-28T18:00:01Z\",,,Included,m,No,1,2,3,4,10,\"$$\"\n";
  text += "\"2026-08-28T18:00:02Z\",,,Included,m,No,1,2,3,4,10,Included\n";
  text += "\"2026-08-28T18:00:03Z\",,,Incl";
  const Collect got = read_all(cursor_format(), text, 11);
  EXPECT_EQ(got.records.size(), 5U);
  EXPECT_EQ(
      got.reasons(),
      (Reasons{"6: the token columns do not add up to Total Tokens", "7: date is not a time",
               "8: input_w_cache_write is not a believable count", "9: the row has no token counts",
               "10: the row holds a NUL byte, as after a crash of its writer",
               "11: cost is not an amount of money", "13: the row has 4 fields, the header 12"}));
}

TEST(Cursor, OverlappingExportsHaveEqualIdentities) {
  const std::string text(kCursor);
  const std::size_t header = text.find('\n') + 1;
  const std::size_t second = text.find('\n', header) + 1;
  const Collect whole = read_all(cursor_format(), text);
  const Collect later = read_all(cursor_format(), text.substr(0, header) + text.substr(second));
  ASSERT_EQ(later.records.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(whole.records[i + 1].source_id, later.records[i].source_id);
  }
  const Collect twice = read_all(cursor_format(), text + text.substr(header, second - header));
  EXPECT_NE(twice.records.back().source_id, twice.records.front().source_id);
}

TEST(Cursor, EventsOfTheTeamApi) {
  const std::string text =
      R"({"totalUsageEventsCount":3,"pagination":{"numPages":1},"usageEvents":[)"
      R"({"timestamp":"1787939352795","model":"claude-4.5-sonnet","kind":"Usage-based","maxMode":true,"isTokenBasedCall":true,"tokenUsage":{"inputTokens":126,"outputTokens":450,"cacheWriteTokens":6112,"cacheReadTokens":11964,"totalCents":20.18232},"userEmail":"a@b.c"},)"
      R"({"timestamp":"1787939352796","model":"gpt-5-fast","kind":"Included in Business","tokenUsage":{"inputTokens":1,"outputTokens":2,"cacheReadTokens":null,"totalCents":0.5},"userEmail":"a@b.c","chargedCents":0},)"
      R"({"timestamp":"1787939352797","model":"m","kind":"Errored, Not Charged","userEmail":"a@b.c"}]})";
  EXPECT_GE(recognised(cursor_format(), text), 80);
  const Collect got = read_all(cursor_format(), text, 31);
  EXPECT_EQ(got.reasons(), Reasons{"1: the event has no token counts"});
  ASSERT_EQ(got.records.size(), 2U);
  EXPECT_EQ(got.records[0].usage.input_uncached, 126U);
  EXPECT_EQ(got.records[0].usage.cache_write_5m, 6112U);
  EXPECT_EQ(got.records[0].usage.cache_read, 11'964U);
  EXPECT_EQ(got.records[0].usage.output, 450U);
  EXPECT_EQ(got.records[0].reported_cost->value, 201'823);
  EXPECT_EQ(got.records[0].cost_kind, domain::CostKind::Estimate);
  EXPECT_EQ(got.records[1].tier, domain::ServiceTier::Fast);
  EXPECT_EQ(got.records[1].cost_kind, domain::CostKind::Included);
  // The same event in a team's CSV.
  const Collect csv = read_all(
      cursor_format(),
      "Date,User,Cloud Agent ID,Automation ID,Kind,Model,Max Mode,Input (w/ Cache Write),Input "
      "(w/o "
      "Cache Write),Cache Read,Output Tokens,Total Tokens,Cost\n"
      "\"2026-08-28T17:49:12.795Z\",a@b.c,,,Usage-based,claude-4.5-sonnet,Yes,6112,126,11964,450,"
      "18652,0.20\n");
  ASSERT_EQ(csv.records.size(), 1U);
  EXPECT_EQ(csv.records[0].usage, got.records[0].usage);
  std::string id;
  RowIdentity identity;
  identity.to(id, {"2026-08-28T17:49:12.795Z", "a@b.c", "", "", "claude-4.5-sonnet"}, 1);
  EXPECT_EQ(got.records[0].source_id, id);
  EXPECT_EQ(csv.records[0].source_id, id);
}

constexpr std::string_view kCopilotHeader =
    "date,username,product,sku,model,quantity,unit_type,applied_cost_per_quantity,gross_amount,"
    "discount_amount,net_amount,"
    "total_monthly_quota,organization,repository,cost_center_name,aic_quantity,aic_gross_amount,"
    "input,output,cache_read,"
    "cache_write\n";

TEST(Copilot, NetAmountIsTheBill) {
  const std::string text =
      std::string(kCopilotHeader) +
      "2026-08-01,alice,copilot,copilot_ai_credit,Auto: Claude Haiku 4.5,9.109908,ai-credits,0.01,"
      "0.09109908,0.09109908,0,1900,org,,Control Rooms,0,0,198,8209,223257,30122\n"
      "2026-08-02,bob,copilot,copilot_ai_credit,GPT-5,200,ai-credits,0.01,2,0.5,1.5,1900,org,web,,"
      "0,"
      "0,1000,200,3000,0\n";
  EXPECT_GE(recognised(copilot_format(), text), 90);
  const Collect got = read_all(copilot_format(), text);
  EXPECT_EQ(got.reasons(), Reasons{});
  ASSERT_EQ(got.records.size(), 2U);
  ASSERT_EQ(got.costs.size(), 2U);
  const domain::UsageRecord& alice = got.records[0];
  EXPECT_EQ(alice.model, "Auto: Claude Haiku 4.5");
  EXPECT_EQ(alice.usage.input_uncached, 198U);
  EXPECT_EQ(alice.usage.output, 8209U);
  EXPECT_EQ(alice.usage.cache_read, 223'257U);
  EXPECT_EQ(alice.usage.cache_write_5m, 30'122U);
  EXPECT_EQ(alice.cost_kind, CostKind::Included);
  EXPECT_EQ(alice.reported_cost->value, 0);
  EXPECT_EQ(alice.granularity, Granularity::Day);
  EXPECT_EQ(alice.end_unix_ns - alice.start_unix_ns, kDayNs);
  EXPECT_EQ(alice.requests, std::nullopt);
  EXPECT_EQ(alice.user, "alice");
  EXPECT_EQ(alice.workspace, "org");
  EXPECT_EQ(alice.workload, "Control Rooms");
  EXPECT_EQ(got.costs[0].billed.value, 0);
  EXPECT_EQ(got.costs[0].list->value, 91'099);
  EXPECT_EQ(got.costs[1].billed.value, 1'500'000);
  EXPECT_EQ(got.costs[1].quantity, 200.0);
  EXPECT_EQ(got.records[1].cost_kind, CostKind::Billed);
}

TEST(Copilot, RowsInOnePairOfQuotes) {
  const std::string text =
      "\"date,username,product,sku,model,quantity,unit_type,net_amount,organization,input,output,"
      "cache_read,cache_write\"\n"
      "\"2026-08-01,alice,copilot,copilot_ai_credit,GPT-5,1,ai-credits,0.01,\"\"Acme, "
      "Inc\"\",10,20,30,0\"\n";
  EXPECT_GE(recognised(copilot_format(), text), 90);
  const Collect got = read_all(copilot_format(), text, 7);
  EXPECT_EQ(got.reasons(), Reasons{});
  ASSERT_EQ(got.records.size(), 1U);
  EXPECT_EQ(got.records[0].workspace, "Acme, Inc");
  EXPECT_EQ(got.records[0].usage.total(), 60U);
}

TEST(Copilot, TransitionExportsKeepTheirCosts) {
  const Collect got = read_all(
      copilot_format(),
      "date,username,product,sku,model,quantity,unit_type,applied_cost_per_quantity,gross_amount,"
      "discount_amount,net_amount,"
      "exceeds_quota,total_monthly_quota,organization,cost_center_name\n"
      "2026-06-01,alice,copilot,copilot_ai_credit,GPT-5,10,ai-credits,0.01,0.1,0,0.1,,1900,org,\n"
      "2026-06-01,alice,copilot,copilot_premium_request,GPT-5,3,requests,0.04,0.12,0.12,0,false,"
      "300,org,\n");
  EXPECT_TRUE(got.records.empty());
  ASSERT_EQ(got.costs.size(), 2U);
  EXPECT_EQ(got.costs[0].billed.value, 100'000);
  EXPECT_EQ(got.costs[1].billed.value, 0);
  EXPECT_EQ(got.costs[1].list->value, 120'000);
  EXPECT_EQ(
      got.reasons(),
      (Reasons{"2: this export has no token columns: only the cost is kept",
               "3: a premium-request row counts requests, not tokens: only its cost is kept"}));
}

TEST(Copilot, TheOldRequestReportIsRecognisedAndSkipped) {
  const std::string_view text =
      "Timestamp,User,Model,Requests Used,Exceeds Monthly Quota,Total Monthly Quota\n"
      "2025-10-01T10:00:00Z,alice,gpt-4.1,1.0,False,300\n";
  EXPECT_GE(recognised(copilot_format(), text), 90);
  const Collect got = read_all(copilot_format(), text);
  EXPECT_TRUE(got.records.empty());
  EXPECT_EQ(got.reasons(),
            Reasons{"2: the premium-request report counts requests and has no tokens or amounts"});
}

TEST(OpenRouter, GenerationsWithTheirTimings) {
  const std::string text =
      "generation_id,created_at,cost_total,cost_web_search,cost_cache,cost_file_processing,byok_"
      "usage_inference,"
      "tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,model_permaslug,provider_"
      "name,variant,cancelled,"
      "streamed,user,finish_reason_raw,finish_reason_normalized,generation_time_ms,time_to_first_"
      "token_ms,api_key_disabled,"
      "api_key_name,app_name\n"
      "gen-1782618417-aaa,2026-06-28 "
      "03:46:57.713,0.0123,0,0,0,0,10389,137,12,10000,openai/gpt-oss-120b,DeepInfra,standard,"
      "false,true,u1,stop,stop,2450,310,false,ci,\"Acme, bot\"\n"
      "gen-1782618418-bbb,2026-06-28 "
      "03:46:58,0,0,0,0,0,10,5,0,0,openai/gpt-oss-20b,X,free,false,true,,,,,,false,,\n"
      "gen-1782618419-ccc,2026-06-28 03:46:59,0,0,0,0,0,10,5,0,11,m,X,,false,true,,,,,,false,,\n";
  EXPECT_GE(recognised(openrouter_format(), text), 90);
  const Collect got = read_all(openrouter_format(), text);
  ASSERT_EQ(got.records.size(), 2U);
  const domain::UsageRecord& first = got.records[0];
  EXPECT_EQ(first.source_id, "gen-1782618417-aaa");
  EXPECT_EQ(first.usage.input_uncached, 389U);
  EXPECT_EQ(first.usage.cache_read, 10'000U);
  EXPECT_EQ(first.usage.output, 137U);
  EXPECT_EQ(first.usage.reasoning, 12U);
  EXPECT_EQ(first.reported_cost->value, 12'300);
  EXPECT_EQ(first.cost_kind, CostKind::Billed);
  EXPECT_EQ(first.ttft_ns, 310'000'000);
  EXPECT_EQ(first.duration_ns, 2'450'000'000);
  EXPECT_EQ(first.end_unix_ns - first.start_unix_ns, 2'450'000'000);
  EXPECT_EQ(first.application, "Acme, bot");
  EXPECT_EQ(first.key, "ci");
  EXPECT_EQ(first.model, "openai/gpt-oss-120b");
  EXPECT_EQ(got.records[1].model, "openai/gpt-oss-20b:free");
  EXPECT_EQ(got.records[1].ttft_ns, std::nullopt);
  EXPECT_EQ(got.reasons(),
            Reasons{"4: cached tokens exceed the prompt, or reasoning tokens the completion"});
}

TEST(OpenRouter, ColumnsInAnyOrder) {
  const Collect got =
      read_all(openrouter_format(),
               "tokens_completion,model_permaslug,created_at,tokens_prompt,generation_id\n"
               "7,m/x,2026-06-28 03:46:57.713,3,gen-1\n");
  ASSERT_EQ(got.records.size(), 1U);
  EXPECT_EQ(got.records[0].usage.input_uncached, 3U);
  EXPECT_EQ(got.records[0].usage.output, 7U);
  EXPECT_EQ(got.records[0].reported_cost, std::nullopt);
  EXPECT_EQ(got.records[0].cost_kind, CostKind::None);
}

TEST(OpenRouter, DailyActivity) {
  const std::string_view text =
      R"({"data":[{"date":"2026-08-24","model":"openai/gpt-4.1","model_permaslug":"openai/gpt-4.1-2025-04-14",)"
      R"("endpoint_id":"550e8400","provider_name":"OpenAI","usage":0.015,"byok_usage_inference":0.012,"requests":5,)"
      R"("prompt_tokens":50,"completion_tokens":125,"reasoning_tokens":25}]})";
  EXPECT_GE(recognised(openrouter_format(), text), 90);
  const Collect got = read_all(openrouter_format(), text, 9);
  EXPECT_EQ(got.reasons(), Reasons{});
  ASSERT_EQ(got.records.size(), 1U);
  EXPECT_EQ(got.records[0].requests, 5U);
  EXPECT_EQ(got.records[0].usage.output, 125U);
  EXPECT_EQ(got.records[0].reported_cost->value, 15'000);
  EXPECT_EQ(got.records[0].granularity, Granularity::Day);
}

constexpr std::string_view kSpendCsv =
    "request_id,call_type,api_key,spend,total_tokens,prompt_tokens,completion_tokens,startTime,"
    "endTime,completionStartTime,"
    "model,model_group,custom_llm_provider,user,metadata,cache_hit,request_tags,team_id,end_user,"
    "session_id,status,messages,"
    "response\n"
    "chatcmpl-1,acompletion,88dc,0.0042,1100,1000,100,2026-08-01 10:00:00.000,2026-08-01 "
    "10:00:04.500,"
    "2026-08-01 "
    "10:00:00.750,claude-sonnet-4-6,sonnet,anthropic,ann,\"{\"\"usage_object\"\":{\"\"prompt_"
    "tokens\"\":1000,"
    "\"\"completion_tokens\"\":100,\"\"prompt_tokens_details\"\":{\"\"cached_tokens\"\":600},"
    "\"\"cache_creation_input_tokens\"\":300,\"\"cache_creation\"\":{\"\"ephemeral_1h_input_"
    "tokens\"\":100},"
    "\"\"completion_tokens_details\"\":{\"\"reasoning_tokens\"\":40}}}\",False,\"[\"\"prod\"\","
    "\"\"User-Agent: curl\"\"]\","
    "core,,s-1,success,\"[{\"\"role\"\":\"\"user\"\",\"\"content\"\":\"\"secret,\nprompt\"\"}]\",{}"
    "\n"
    "chatcmpl-2,acompletion,88dc,0,0,0,0,2026-08-01 10:01:00,2026-08-01 10:01:01,2026-08-01 "
    "10:01:01,gpt-5,gpt-5,openai,,{},"
    "False,[],,,,failure,{},{}\n"
    "chatcmpl-3,acompletion,88dc,0,30,20,10,2026-08-01 10:02:00,2026-08-01 10:02:01,2026-08-01 "
    "10:02:01,gpt-5,gpt-5,openai,,"
    "{},True,[],,,,success,{},{}\n"
    "chatcmpl-4,acompletion,88dc,1e-05,30,20,10,2026-08-01 10:03:00,2026-08-01 10:03:01,2026-08-01 "
    "10:03:01,gpt-5,gpt-5,"
    "openai,,\"{\"\"usage_object\"\":{\"\"cache_read_input_tokens\"\":500}}\",False,[],,,,success,{"
    "},{}\n";

TEST(LiteLlm, SpendLogsAsCsv) {
  EXPECT_GE(recognised(litellm_format(), kSpendCsv), 90);
  const Collect got = read_all(litellm_format(), kSpendCsv, 13);
  ASSERT_EQ(got.records.size(), 2U);
  const domain::UsageRecord& first = got.records[0];
  EXPECT_EQ(first.source_id, "chatcmpl-1");
  EXPECT_EQ(first.usage.cache_read, 600U);
  EXPECT_EQ(first.usage.cache_write_5m, 200U);
  EXPECT_EQ(first.usage.cache_write_1h, 100U);
  EXPECT_EQ(first.usage.input_uncached, 100U);
  EXPECT_EQ(first.usage.prompt_total(), 1000U);
  EXPECT_EQ(first.usage.reasoning, 40U);
  EXPECT_EQ(first.ttft_ns, 750'000'000);
  EXPECT_EQ(first.duration_ns, 4'500'000'000);
  EXPECT_EQ(first.reported_cost->value, 4200);
  EXPECT_EQ(first.cost_kind, CostKind::Estimate);
  EXPECT_EQ(first.workload, "prod");
  EXPECT_EQ(first.workspace, "core");
  EXPECT_EQ(first.provider, "anthropic");
  const domain::UsageRecord& last = got.records[1];
  EXPECT_EQ(last.ttft_ns, std::nullopt) << "not streamed";
  EXPECT_EQ(last.usage.input_uncached, 20U) << "cached beside the prompt";
  EXPECT_EQ(last.usage.cache_read, 500U);
  EXPECT_EQ(got.reasons(),
            (Reasons{"4: a failed request without tokens",
                     "5: answered from LiteLLM's response cache: no model was used"}));
}

TEST(LiteLlm, SpendLogsAsJson) {
  const std::string row =
      R"({"request_id":"r1","call_type":"acompletion","api_key":"k","spend":0.01,"prompt_tokens":50,"completion_tokens":5,)"
      R"("startTime":"2026-08-01T10:00:00Z","endTime":"2026-08-01T10:00:02Z","completionStartTime":"2026-08-01T10:00:01Z",)"
      R"("model":"gpt-5","custom_llm_provider":"openai","user":"","metadata":{"usage_object":{"prompt_tokens_details":)"
      R"({"cached_tokens":20}}},"cache_hit":"False","request_tags":["a","b"],"messages":[{"role":"user"}],"response":{}})";
  for (const std::string& text :
       {"[" + row + "]", row + "\n" + row + "\n", "{\"data\":[" + row + "],\"total\":1}"}) {
    EXPECT_GE(recognised(litellm_format(), text), 90);
    const Collect got = read_all(litellm_format(), text, 17);
    EXPECT_EQ(got.reasons(), Reasons{});
    ASSERT_GE(got.records.size(), 1U);
    EXPECT_EQ(got.records[0].usage.input_uncached, 30U);
    EXPECT_EQ(got.records[0].usage.cache_read, 20U);
    EXPECT_EQ(got.records[0].ttft_ns, kSecondNs);
    EXPECT_EQ(got.records[0].workload, "a,b");
    EXPECT_EQ(got.records[0].reported_cost->value, 10'000);
  }
}

TEST(LiteLlm, DailySpend) {
  const std::string_view text =
      "id,user_id,date,api_key,model,model_group,custom_llm_provider,endpoint,prompt_tokens,"
      "completion_tokens,"
      "cache_read_input_tokens,cache_creation_input_tokens,spend,api_requests,successful_requests,"
      "failed_requests\n"
      ",ann,2026-08-01,k,gpt-5,gpt-5,openai,/chat/completions,1000,100,400,50,0.5,12,11,1\n"
      ",ann,2026-08-02,k,gpt-5,gpt-5,openai,/chat/completions,0,0,0,0,0,3,0,3\n";
  EXPECT_GE(recognised(litellm_format(), text), 90);
  const Collect got = read_all(litellm_format(), text);
  ASSERT_EQ(got.records.size(), 1U);
  EXPECT_EQ(got.records[0].usage.input_uncached, 550U);
  EXPECT_EQ(got.records[0].usage.cache_read, 400U);
  EXPECT_EQ(got.records[0].requests, 12U);
  EXPECT_EQ(got.records[0].granularity, Granularity::Day);
  EXPECT_EQ(got.records[0].user, "ann");
  EXPECT_FALSE(got.records[0].source_id.empty());
  const Collect json = read_all(
      litellm_format(),
      R"([{"date":"2026-08-01","user_id":"ann","api_key":"k","model":"gpt-5","model_group":"gpt-5",)"
      R"("custom_llm_provider":"openai","endpoint":"/chat/completions","prompt_tokens":"1000","completion_tokens":100,)"
      R"("cache_read_input_tokens":400,"cache_creation_input_tokens":50,"spend":0.5,"api_requests":12}])");
  ASSERT_EQ(json.records.size(), 1U);
  EXPECT_EQ(json.records[0].usage, got.records[0].usage);
  EXPECT_EQ(json.records[0].source_id, got.records[0].source_id);
}

TEST(CsvFormats, DoNotTakeEachOthersFiles) {
  const Format* const formats[] = {&cursor_format(), &copilot_format(), &openrouter_format(),
                                   &litellm_format()};
  const std::string copilot = std::string(kCopilotHeader);
  for (const Format* format : formats) {
    EXPECT_EQ(recognised(*format, kCursor) > 0, format == &cursor_format());
    EXPECT_EQ(recognised(*format, kSpendCsv) > 0, format == &litellm_format());
    EXPECT_EQ(recognised(*format, copilot) > 0, format == &copilot_format());
    EXPECT_EQ(recognised(*format, ""), 0);
    EXPECT_EQ(recognised(*format, "{\"a\":1}"), 0);
    EXPECT_EQ(recognised(*format, std::string(1000, '\0')), 0);
  }
}

TEST(CsvFormats, EmptyAndHeaderlessFiles) {
  EXPECT_EQ(read_all(cursor_format(), "").reasons(), Reasons{"0: the file has no header row"});
  EXPECT_EQ(read_all(cursor_format(), "a,b\n1,2\n").reasons(),
            Reasons{"1: columns of a Cursor usage export are missing"});
}

}  // namespace
}  // namespace fh::importers
