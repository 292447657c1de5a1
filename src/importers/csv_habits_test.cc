// Goal: exports that went through a spreadsheet, or come from one country or another, are read as
// they mean it or refused with the reason, never read wrong. Method: one small file per habit, with
// counts by hand, through the formats that people open in spreadsheets; and every format's rows
// read alone, which must give what they give among others.

#include "importers/csv_habits.h"

#include "importers/collect.h"
#include "importers/copilot.h"
#include "importers/cursor.h"
#include "importers/focus.h"
#include "importers/generic_csv.h"
#include "importers/litellm.h"
#include "importers/numbers.h"
#include "importers/openrouter.h"

namespace fh::importers {
namespace {

using Reasons = std::vector<std::string>;

DecimalSign decimal_of(std::string_view text) {
  return habits_of(text, {{0, 1}, {}}).decimal;
}
DateOrder order_of(std::string_view text, std::string_view date = "1/2/2026") {
  return habits_of(text, {{}, {0, 1}}).order_of(date);
}

TEST(CsvHabits, DecimalSigns) {
  using enum DecimalSign;
  EXPECT_EQ(decimal_of("a,b\n1.5,2\n"), Point);
  EXPECT_EQ(decimal_of("a,b\n\"1,234\",2\n"), Point);
  EXPECT_EQ(decimal_of("a,b\n\"0,32\",2\n"), Comma);
  EXPECT_EQ(decimal_of("a,b\n\"$0,32\",2\n"), Comma);
  EXPECT_EQ(decimal_of("a,b\n\"1 234,567 USD\",2\n"), Comma) << "the blank parts the groups";
  EXPECT_EQ(decimal_of("a;b\n0,32;2\n"), Comma);
  EXPECT_EQ(decimal_of("a;b\n1.234;2\n"), Comma) << "a spreadsheet's thousands";
  EXPECT_EQ(decimal_of("a;b\n1.234.567;1.234,5\n"), Comma);
  EXPECT_EQ(decimal_of("a;b\n0.123;1\n"), Point) << "no group begins with 0";
  EXPECT_EQ(decimal_of("a;b\n1.234e-5;1\n"), Point) << "an exponent follows decimals";
  EXPECT_EQ(decimal_of("a;b\n12.34;1.234\n"), Point);
  EXPECT_EQ(decimal_of("a;b\n1,234,567;1\n"), Point);
  EXPECT_EQ(decimal_of("a,b\n\"1,234.50\",gpt-4.1\n"), Point);
  EXPECT_EQ(decimal_of("a,b\n\"0,32\",0.32\n"), Unclear);
  EXPECT_EQ(decimal_of("a;b\n0,32;0.32\n"), Unclear);
  EXPECT_EQ(decimal_of("a,b,c\n1,2,\"0,32\"\n"), Point) << "a column that is no number";
}

TEST(CsvHabits, DateOrders) {
  using enum DateOrder;
  EXPECT_EQ(order_of("d\n2026-08-28\n"), None);
  EXPECT_EQ(order_of("d\n8/28/2026 17:49\n"), MonthFirst);
  EXPECT_EQ(order_of("d\n1/2/2026\n28/8/26\n"), DayFirst);
  EXPECT_EQ(order_of("d\n01.02.2026\n", "01.02.2026"), DayFirst);
  EXPECT_EQ(order_of("d\n01.02.2026\n"), None) << "dots say nothing about strokes";
  EXPECT_EQ(order_of("d,e\n28.08.2026,1/2/2026\n"), Unclear);
  EXPECT_EQ(order_of("d,e\n28.08.2026,8/28/2026\n"), MonthFirst);
  EXPECT_EQ(order_of("d,e\n28-08-2026,8/28/2026\n", "1-2-2026"), DayFirst);
  EXPECT_EQ(order_of("d\n08.28.2026\n", "01.02.2026"), MonthFirst);
  EXPECT_EQ(order_of("d,e\n08.28.2026,28.08.2026\n", "01.02.2026"), Unclear);
  EXPECT_EQ(order_of("d\n1/2/2026\n"), Unclear);
  EXPECT_EQ(order_of("d,e\n1/13/2026,13/1/2026\n"), Unclear);
  EXPECT_EQ(order_of("version\n1.2.3\n10.11.12.13\n"), None);
  EXPECT_EQ(order_of("d,e,v\n1/2/2026,,28/8/2026\n"), Unclear) << "a column that is no time";
}

TEST(CsvHabits, ColumnsThatAreNoNumbersSayNothing) {
  const std::string header = "date,model,input_tokens,output_tokens,cost_usd,note\n";
  for (const char* note : {"192.168.100.101", "\"1,2\"", "\"0,32\"", "2.1.15", "13.1.26"}) {
    const Collect got =
        read_all(generic_csv_format(), header + "2026-08-28,m,\"1,234\",5,1.234," + note + "\n");
    ASSERT_EQ(got.reasons(), Reasons{}) << note;
    EXPECT_EQ(got.records[0].usage.input_uncached, 1'234U) << note;
    EXPECT_EQ(got.records[0].reported_cost->value, 1'234'000) << note;
  }
  const Collect got = read_all(generic_csv_format(),
                               header + "1/2/2026,m,1,5,1,2.1.15\n1/2/2026,m,1,5,1,28/8/26\n");
  EXPECT_EQ(got.records.size(), 0U) << "a version and a note give no order of days";
}

TEST(CsvHabits, BothSignsLeaveACellThatMayBeEitherRefused) {
  const std::string text =
      "d,m,i,o,c\n2026-08-28,x,1,2,0.5\n2026-08-28,x,1,2,\"0,32\"\n"
      "2026-08-28,x,1,2,1.234\n2026-08-28,x,1,2,\"1.234,5\"\n";
  const std::string columns = "[columns]\ntime='d'\nmodel='m'\ninput='i'\noutput='o'\ncost='c'\n";
  const auto costs = [](const Collect& got) {
    std::vector<std::int64_t> out;
    for (const auto& record : got.records) out.push_back(record.reported_cost->value);
    return out;
  };
  const Collect unclear = read_all(generic_csv_format(), text, 7, {columns});
  EXPECT_EQ(unclear.reasons(),
            Reasons{"4: cost may be grouped or have decimals, and the file does not show which: "
                    "`decimal` of a mapping file says it"});
  EXPECT_EQ(costs(unclear), (std::vector<std::int64_t>{500'000, 320'000, 1'234'500'000}));
  const Collect point = read_all(generic_csv_format(), text, 7, {"decimal = '.'\n" + columns});
  EXPECT_EQ(costs(point), (std::vector<std::int64_t>{500'000, 1'234'000}));
  const Collect comma = read_all(generic_csv_format(), text, 7, {"decimal = ','\n" + columns});
  EXPECT_EQ(costs(comma), (std::vector<std::int64_t>{320'000, 1'234'000'000, 1'234'500'000}));
}

TEST(CsvHabits, ASemicolonFileOfASpreadsheet) {
  const Collect got = read_all(generic_csv_format(),
                               "\xEF\xBB\xBFtimestamp;model;input_tokens;output_tokens;cost_usd\r\n"
                               "28.08.2026 17:49;m;1.234.567;12;0,325\r\n"
                               "28.08.2026;m;1.234;12;1.000,5\r\n"
                               ";;;;\r\n\r\n",
                               9);
  EXPECT_EQ(got.reasons(), Reasons{});
  ASSERT_EQ(got.records.size(), 2U);
  EXPECT_EQ(got.records[0].usage.input_uncached, 1'234'567U);
  EXPECT_EQ(got.records[0].reported_cost->value, 325'000);
  EXPECT_EQ(got.records[0].start_unix_ns, *parse_time_ns("2026-08-28T17:49:00Z"));
  EXPECT_EQ(got.records[0].granularity, domain::Granularity::Request);
  EXPECT_EQ(got.records[1].usage.input_uncached, 1'234U);
  EXPECT_EQ(got.records[1].reported_cost->value, 1'000'500'000);
  EXPECT_EQ(got.records[1].granularity, domain::Granularity::Day);
}

TEST(CsvHabits, ASemicolonFileOfAProgram) {
  const Collect got = read_all(generic_csv_format(),
                               "timestamp;model;input_tokens;output_tokens;cost_usd\n"
                               "2026-08-28T17:49:00Z;m;1000;12;0.25\n"
                               "2026-08-28T17:49:01Z;m;1.0;2e3;1.000\n");
  EXPECT_EQ(got.reasons(), Reasons{});
  ASSERT_EQ(got.records.size(), 2U);
  EXPECT_EQ(got.records[0].reported_cost->value, 250'000);
  EXPECT_EQ(got.records[1].usage.input_uncached, 1U);
  EXPECT_EQ(got.records[1].usage.output, 2'000U);
  EXPECT_EQ(got.records[1].reported_cost->value, 1'000'000);
}

TEST(CsvHabits, ThousandsOfManyKinds) {
  for (const char* count : {"12 345",
                            "12\xC2\xA0"
                            "345",
                            "12\xE2\x80\xAF"
                            "345",
                            "12'345",
                            "12\xE2\x80\x99"
                            "345",
                            "\"12,345\"", "12345.00", "1.2345e4"}) {
    const Collect got = read_all(
        generic_csv_format(),
        std::string("date,model,input_tokens,output_tokens\n2026-08-28,m,") + count + ",1\n");
    ASSERT_EQ(got.reasons(), Reasons{}) << count;
    EXPECT_EQ(got.records[0].usage.input_uncached, 12'345U) << count;
  }
  for (const char* count :
       {"12 34", "1 2345", "12' 345", "\"1,2345\"", "12.5", "-3", "1e99", "12k"}) {
    const Collect got = read_all(
        generic_csv_format(),
        std::string("date,model,input_tokens,output_tokens\n2026-08-28,m,") + count + ",1\n");
    EXPECT_EQ(got.reasons(), Reasons{"2: input is not a believable count"}) << count;
  }
}

TEST(CsvHabits, DatesThatASpreadsheetRewrote) {
  const std::string header =
      "Date,Model,Input (w/ Cache Write),Input (w/o Cache Write),Cache Read,Output Tokens,"
      "Total Tokens,Cost\r\n";
  const Collect us = read_all(cursor_format(), header +
                                                   "8/7/2026 17:49,m,1,2,3,4,10,0.5\r\n"
                                                   "8/28/2026 5:50 PM,m,1,2,3,4,10,$0.5\r\n");
  EXPECT_EQ(us.reasons(), Reasons{});
  ASSERT_EQ(us.records.size(), 2U);
  EXPECT_EQ(us.records[0].start_unix_ns, *parse_time_ns("2026-08-07T17:49:00Z"));
  EXPECT_EQ(us.records[1].start_unix_ns, *parse_time_ns("2026-08-28T17:50:00Z"));
  const Collect gb = read_all(
      cursor_format(), header + "07/08/2026,m,1,2,3,4,10,0.5\r\n28/08/2026,m,1,2,3,4,10,0.5\r\n");
  ASSERT_EQ(gb.records.size(), 2U);
  EXPECT_EQ(gb.records[0].start_unix_ns, *parse_time_ns("2026-08-07"));
  const Collect unclear = read_all(cursor_format(), header + "7/8/2026,m,1,2,3,4,10,0.5\r\n");
  EXPECT_EQ(unclear.reasons(),
            Reasons{"2: date may have the day or the month first: a mapping file can say which"});
}

TEST(CsvHabits, AMappingSaysWhichComesFirst) {
  const std::string text = "d,m,i,o\n7/8/2026,x,1,2\n";
  const std::string columns = "[columns]\ntime='d'\nmodel='m'\ninput='i'\noutput='o'\n";
  const Collect month =
      read_all(generic_csv_format(), text, 5, {"time_format = 'mdy'\n" + columns});
  ASSERT_EQ(month.records.size(), 1U);
  EXPECT_EQ(month.records[0].start_unix_ns, *parse_time_ns("2026-07-08"));
  const Collect day = read_all(generic_csv_format(), text, 5, {"time_format = 'dmy'\n" + columns});
  ASSERT_EQ(day.records.size(), 1U);
  EXPECT_EQ(day.records[0].start_unix_ns, *parse_time_ns("2026-08-07"));
}

TEST(CsvHabits, OtherCurrenciesAreRefused) {
  for (const char* cost : {"\xE2\x82\xAC"
                           "0.32",
                           "0.32 EUR",
                           "\xC2\xA3"
                           "1"}) {
    const Collect got = read_all(
        generic_csv_format(),
        std::string("date,model,input_tokens,output_tokens,cost\n2026-08-28,m,1,1,") + cost + "\n");
    EXPECT_EQ(got.reasons(), Reasons{"2: cost is not an amount of money"}) << cost;
  }
  for (const char* cost : {"$0.32", "US$ 0.32", "0.32 USD", "0.3200000", "3.2e-1", "\"$0.32\""}) {
    const Collect got = read_all(
        generic_csv_format(),
        std::string("date,model,input_tokens,output_tokens,cost\n2026-08-28,m,1,1,") + cost + "\n");
    ASSERT_EQ(got.reasons(), Reasons{}) << cost;
    EXPECT_EQ(got.records[0].reported_cost->value, 320'000) << cost;
  }
}

// "time model provider user ... tokens cost" of a record: everything but where it stands.
std::string said(const domain::UsageRecord& r) {
  std::string out;
  for (const std::string* text : {&r.format, &r.provider, &r.model, &r.region, &r.workspace, &r.key,
                                  &r.user, &r.application, &r.workload, &r.session}) {
    out += *text + '|';
  }
  for (const std::uint64_t number :
       {static_cast<std::uint64_t>(r.start_unix_ns), static_cast<std::uint64_t>(r.end_unix_ns),
        r.usage.input_uncached, r.usage.cache_read, r.usage.cache_write_5m, r.usage.cache_write_1h,
        r.usage.output, r.usage.reasoning, static_cast<std::uint64_t>(r.granularity),
        r.requests.value_or(99), static_cast<std::uint64_t>(r.tier),
        static_cast<std::uint64_t>(r.cost_kind), static_cast<std::uint64_t>(r.ttft_ns.value_or(-1)),
        static_cast<std::uint64_t>(r.duration_ns.value_or(-1)),
        static_cast<std::uint64_t>(r.reported_cost.value_or(domain::MicroUsd{-1}).value)}) {
    out += std::to_string(number) + '|';
  }
  return out;
}
std::string said(const domain::CostRecord& r) {
  return r.format + '|' + r.provider + '|' + r.model + '|' + r.item + '|' + r.service + '|' +
         r.workspace + '|' + r.billed_exact + '|' + r.effective_exact + '|' + r.quantity_unit +
         '|' + std::to_string(r.billed.value) + '|' + std::to_string(r.quantity.value_or(-1)) +
         '|' + std::to_string(r.start_unix_ns) + '|' +
         std::to_string(r.list.value_or(domain::MicroUsd{-1}).value);
}

// Full rows and bare ones by turns, some broken: what one row leaves in the memory that the next
// one uses must not be seen.
void expect_rows_stand_alone(const Format& format, const std::string& header,
                             const std::vector<std::string>& rows) {
  std::string text = header;
  Collect alone;
  for (int round = 0; round < 9; ++round) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string& row = rows[(i * 5 + static_cast<std::size_t>(round) * 3) % rows.size()];
      text += row;
      Collect one = read_all(format, header + row);
      for (auto& record : one.records) alone.records.push_back(std::move(record));
      for (auto& record : one.costs) alone.costs.push_back(std::move(record));
      for (auto& skip : one.skips) alone.skips.push_back(std::move(skip));
    }
  }
  for (const std::size_t piece : {std::size_t{7}, std::size_t{300}, text.size()}) {
    const Collect together = read_all(format, text, piece);
    ASSERT_EQ(together.records.size(), alone.records.size());
    ASSERT_EQ(together.costs.size(), alone.costs.size());
    ASSERT_EQ(together.skips.size(), alone.skips.size());
    for (std::size_t i = 0; i < alone.records.size(); ++i)
      EXPECT_EQ(said(together.records[i]), said(alone.records[i])) << i;
    for (std::size_t i = 0; i < alone.costs.size(); ++i)
      EXPECT_EQ(said(together.costs[i]), said(alone.costs[i])) << i;
  }
}

TEST(CsvRowsStandAlone, GenericCsv) {
  expect_rows_stand_alone(generic_csv_format(),
                          "timestamp,id,model,provider,input_tokens,cache_read_tokens,cache_write_"
                          "tokens,output_tokens,reasoning_tokens,"
                          "requests,cost_usd,user,api_key_name,team,app_name,workload,session_id,"
                          "service_tier,region,ttft_ms,latency_ms\n",
                          {"2026-08-28T10:00:00Z,i1,a-rather-long-model-name-of-31b,prov,1,2,3,4,1,"
                           "7,0.5,ann,k,t,a,w,s,batch,eu,5,9\n",
                           "2026-08-28T10:00:01Z,,m,,1,,,4,,,,,,,,,,,,,\n",
                           "2026-08-28T10:00:02Z,,m,,,,,,,,,,,,,,,,,,\n",
                           "broken,i2,m,p,1,2,3,4,1,7,0.5,ann,k,t,a,w,s,batch,eu,5,9\n",
                           "2026-08-28T10:00:03Z,i3,another-model,other,5,6,7,8,2,9,1.5,bob,kk,tt,"
                           "aa,ww,ss,flex,us,6,10\n",
                           "2026-08-28,i4,m,,5,,,8,,,,bob,,,,,,,,,\n"});
}

TEST(CsvRowsStandAlone, Cursor) {
  expect_rows_stand_alone(cursor_format(),
                          "Date,User,Cloud Agent ID,Automation ID,Kind,Model,Max Mode,Input (w/ "
                          "Cache Write),Input (w/o Cache Write),Cache "
                          "Read,Output Tokens,Total Tokens,Cost\n",
                          {"2026-08-28T17:49:12Z,a@b.c,bc-801,au-7,Included,gpt-5.6-luna-high-fast,"
                           "No,1,2,3,4,10,0.71\n",
                           "2026-08-28T17:49:13Z,,,,Usage-based,auto,No,,2,,4,,\n",
                           "2026-08-28T17:49:14Z,,,,Usage-based,auto,No,1,2,3,4,99,\n",
                           "2026-08-28T17:49:15Z,x@y.z,,,Free,m,No,,2,,4,,Free\n"});
}

TEST(CsvRowsStandAlone, Copilot) {
  expect_rows_stand_alone(
      copilot_format(),
      "date,username,product,sku,model,quantity,unit_type,gross_amount,net_amount,organization,"
      "repository,"
      "cost_center_name,input,output,cache_read,cache_write\n",
      {"2026-08-01,alice,copilot,copilot_ai_credit,Auto: Claude Haiku "
       "4.5,9.1,ai-credits,0.09,0,org,repo,Rooms,1,2,3,4\n",
       "2026-08-02,,copilot,copilot_ai_credit,GPT-5,,,,1.5,,,,1,2,,\n",
       "2026-08-03,bob,copilot,copilot_premium_request,GPT-5,3,requests,0.12,0,org,,,,,,\n",
       "2026-08-04,bob,copilot,copilot_ai_credit,GPT-5,3,ai-credits,0.12,,org,,,1,2,3,4\n"});
}

TEST(CsvRowsStandAlone, OpenRouter) {
  expect_rows_stand_alone(
      openrouter_format(),
      "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,tokens_reasoning,tokens_"
      "cached,"
      "model_permaslug,variant,user,generation_time_ms,time_to_first_token_ms,api_key_name,app_"
      "name\n",
      {"gen-1,2026-06-28 "
       "03:46:57.713,0.0123,100,20,5,50,openai/gpt-oss-120b,free,u1,2450,310,ci,Acme bot\n",
       "gen-2,2026-06-28 03:46:58,,100,20,,,m,,,,,,\n",
       "gen-3,2026-06-28 03:46:59,,1,20,,5,m,,,,,,\n", "gen-4,,,1,20,,5,m,,,,,,\n"});
}

TEST(CsvRowsStandAlone, Focus) {
  expect_rows_stand_alone(
      focus_format(),
      "BilledCost,EffectiveCost,ListCost,BillingCurrency,ChargeCategory,ChargeClass,"
      "ChargeDescription,ChargePeriodStart,"
      "ChargePeriodEnd,ConsumedQuantity,ConsumedUnit,ProviderName,RegionId,ServiceName,"
      "SubAccountId,SubAccountName,"
      "x_UsageType,x_UserId\n",
      {"0.1234567891,0.2,0.3,USD,Usage,,tokens in,2026-08-01T00:00:00Z,2026-08-02T00:00:00Z,1.5,1K "
       "tokens,AWS,us-east-1,Bedrock,1,team,USE1-Claude4.6Opus-input-tokens-cross-region-global,"
       "ann\n",
       "5,,,USD,Usage,,a disk,2026-08-01T00:00:00Z,2026-08-02T00:00:00Z,,,AWS,,EBS,1,,,\n",
       "5,,,EUR,Usage,,a disk,2026-08-01T00:00:00Z,2026-08-02T00:00:00Z,,,AWS,,EBS,1,,,\n",
       "1,,,USD,Usage,,tokens out,2026-08-03T00:00:00Z,2026-08-04T00:00:00Z,2,1K "
       "tokens,AWS,eu-1,Bedrock,2,,USE1-Claude4.6Opus-output-tokens,\n"});
}

// A count has no decimals: a point in it separates groups, and so does that of the other rows.
TEST(CsvHabits, CountsWithGroupsShowTheSign) {
  const std::string_view header = "timestamp,model,input_tokens,output_tokens\n";
  const auto inputs = [&](const std::string& rows) {
    std::vector<std::uint64_t> out;
    for (const auto& record : read_all(generic_csv_format(), std::string(header) + rows).records) {
      out.push_back(record.usage.input_uncached);
    }
    return out;
  };
  using Inputs = std::vector<std::uint64_t>;
  EXPECT_EQ(inputs("2026-08-01T01:00:00Z,m,12.000,1\n2026-08-01T02:00:00Z,m,8.500,1\n"),
            (Inputs{12'000, 8'500}));
  EXPECT_EQ(inputs("2026-08-01T01:00:00Z,m,\"12,000\",1\n2026-08-01T02:00:00Z,m,900,1\n"),
            (Inputs{12'000, 900}));
  EXPECT_EQ(inputs("2026-08-01T01:00:00Z,m,12.000,1\n2026-08-01T02:00:00Z,m,12345.000,1\n"),
            (Inputs{12, 12'345}));
  EXPECT_EQ(inputs("2026-08-01T01:00:00Z,m,12.000,1\n2026-08-01T02:00:00Z,m,900,1\n"),
            (Inputs{900}))
      << "12 or 12000: nothing in the file says which";
}

TEST(CsvHabits, LiteLlmsCountsToo) {
  const std::string header =
      "request_id;call_type;spend;prompt_tokens;completion_tokens;startTime;endTime;model\n";
  const Collect got = read_all(
      litellm_format(), header + "r1;acompletion;0,25;12.000;1.500;2026-08-01;2026-08-01;gpt-5\n");
  ASSERT_EQ(got.records.size(), 1U);
  EXPECT_EQ(got.records[0].usage.input_uncached, 12'000U);
  EXPECT_EQ(got.records[0].usage.output, 1'500U);
  EXPECT_EQ(got.records[0].reported_cost->value, 250'000);
}

TEST(CsvHabits, WhatASpreadsheetLeavesAroundTheRows) {
  const std::string header = "timestamp;model;input_tokens;output_tokens\r\n",
                    row = "2026-08-01T01:00:00Z;m;1;2\r\n";
  for (const std::string_view before : {"", "\r\n\n", "sep=;\r\n", "\xEF\xBB\xBFsep=;\n"}) {
    const std::string text = std::string(before) + header + row + ";;;\r\n" + row + " ; ;;\r\n";
    EXPECT_GT(recognised(generic_csv_format(), text), 0) << before;
    for (const std::size_t piece : {1U, 3U, 1000U}) {
      const Collect got = read_all(generic_csv_format(), text, piece);
      EXPECT_EQ(got.records.size(), 2U) << before;
      EXPECT_EQ(got.reasons(), Reasons{}) << before;
    }
  }
  const Collect got = read_all(generic_csv_format(), "\n\n" + header + "x;m;1;2\n");
  ASSERT_EQ(got.skips.size(), 1U);
  EXPECT_EQ(got.skips[0].line, 4U);
}

}  // namespace
}  // namespace fh::importers
