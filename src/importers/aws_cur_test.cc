// Goal: an AWS cost and usage report gives its money to the last digit and its Bedrock tokens in
// the right class and unit; what a line does not tell is listed, never counted as nothing. Method:
// lines of both versions of the report.

#include "importers/aws_cur.h"

#include <fmt/format.h>

#include "importers/collect.h"
#include "importers/exact_sum.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

using Reasons = std::vector<std::string>;

constexpr std::string_view kLegacy =
    "identity/LineItemId,identity/TimeInterval,bill/PayerAccountId,lineItem/UsageAccountId,"
    "lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/ProductCode,"
    "lineItem/UsageType,lineItem/Operation,lineItem/UsageAmount,lineItem/CurrencyCode,"
    "lineItem/UnblendedCost,lineItem/LineItemDescription,product/ProductName,product/region,"
    "pricing/publicOnDemandCost,pricing/unit\n";

struct Line {
  std::string_view usage_type, amount, cost;
  std::string_view type = "Usage", code = "AmazonBedrock", name = "Amazon Bedrock";
  std::string_view unit = "1K tokens", id = "abc";
};

std::string legacy(const Line& line) {
  return fmt::format(
      "{},2026-08-01T05:00:00Z/2026-08-01T06:00:00Z,111,222,{},2026-08-01T05:00:00Z,"
      "2026-08-01T06:00:00Z,{},{},Invoke,{},USD,{},about {},{},us-east-1,0.75,{}\n",
      line.id, line.type, line.code, line.usage_type, line.amount, line.cost, line.usage_type,
      line.name, line.unit);
}

TEST(AwsCur, LegacyLinesGiveTokensAndMoney) {
  const std::string text =
      std::string(kLegacy) + legacy({"USE1-Claude4Sonnet-input-tokens", "12.345", "0.037035"}) +
      legacy({"USE1-Claude4Sonnet-cache-read-input-token-count", "1000", "0.3"}) +
      legacy({"USE1-Claude4Sonnet-cache-write-input-token-count", "2", "0.0075"}) +
      legacy({"USE1-Claude4Sonnet-output-tokens-batch", "0.5", "0.00375000004"}) +
      legacy({.usage_type = "USW2-MP:USW2_OutputTokenCount_Global-Units",
              .amount = "0.25",
              .cost = "3.75",
              .code = "8xyz",
              .name = "Claude Sonnet 4.5 (Amazon Bedrock Edition)",
              .unit = "Units"}) +
      legacy({.usage_type = "BoxUsage:t3.micro",
              .amount = "1",
              .cost = "0.0104",
              .code = "AmazonEC2",
              .name = "Amazon Elastic Compute Cloud",
              .unit = "Hrs"});
  EXPECT_EQ(recognised(aws_cur_format(), text), 98);
  for (const std::size_t piece : {13UL, 65'536UL}) {
    const Collect got = read_all(aws_cur_format(), text, piece);
    EXPECT_EQ(got.reasons(), Reasons{});
    ASSERT_EQ(got.records.size(), 5U);
    const domain::UsageRecord& first = got.records[0];
    EXPECT_EQ(first.usage.input_uncached, 12'345U);
    EXPECT_EQ(first.model, "Claude4Sonnet");
    EXPECT_EQ(first.provider, "aws-bedrock");
    EXPECT_EQ(first.workspace, "222");
    EXPECT_EQ(first.region, "us-east-1");
    EXPECT_EQ(first.granularity, domain::Granularity::Hour);
    EXPECT_EQ(first.start_unix_ns, *parse_time_ns("2026-08-01T05:00:00Z"));
    EXPECT_EQ(first.requests, std::nullopt) << "a report does not count requests";
    EXPECT_EQ(first.reported_cost->value, 37'035);
    EXPECT_EQ(got.records[1].usage.cache_read, 1'000'000U);
    EXPECT_EQ(got.records[2].usage.cache_write_5m, 2'000U);
    EXPECT_EQ(got.records[3].usage.output, 500U);
    EXPECT_EQ(got.records[3].tier, domain::ServiceTier::Batch);
    EXPECT_EQ(got.records[4].usage.output, 250'000U);
    EXPECT_EQ(got.records[4].model, "Claude Sonnet 4.5 (Amazon Bedrock Edition)");
    EXPECT_EQ(got.records[4].region, "global");
    ASSERT_EQ(got.costs.size(), 6U);
    ExactSum billed;
    for (const domain::CostRecord& cost : got.costs) EXPECT_TRUE(billed.add(cost.billed_exact));
    EXPECT_EQ(billed.str(), "4.10868500004");
    EXPECT_EQ(got.costs[0].list->value, 750'000);
    EXPECT_EQ(got.costs[0].source_id, first.source_id);
    EXPECT_EQ(got.costs[5].provider, "aws");
    EXPECT_EQ(got.costs[5].service, "AmazonEC2");
  }
}

TEST(AwsCur, DataExportsOfTheSecondVersion) {
  const std::string text =
      "line_item_usage_account_id,line_item_usage_start_date,line_item_usage_end_date,"
      "line_item_product_code,line_item_usage_type,line_item_usage_amount,"
      "line_item_unblended_cost,line_item_line_item_type,product,product_region_code\n"
      "222,2026-08-01 00:00:00.000,2026-08-02 00:00:00.000,AmazonBedrock,"
      "EUC1-Claude4.6Opus-input-tokens-cross-region-global,3,0.015,Usage,"
      "\"{\"\"product_name\"\":\"\"Amazon Bedrock\"\"}\",eu-central-1\n"
      "222,2026-08-01 00:00:00.000,2026-08-02 00:00:00.000,9code,"
      "EUC1-MP:EUC1_InputTokenCount-Units,0.5,1.5,Usage,"
      "\"{\"\"product_name\"\":\"\"Claude Opus 4.6\"\"}\",eu-central-1\n"
      "222,2026-08-01 00:00:00.000,2026-08-02 00:00:00.000,AmazonBedrock,,0,-2,Credit,,\n";
  EXPECT_EQ(recognised(aws_cur_format(), text), 98);
  const Collect got = read_all(aws_cur_format(), text, 31);
  EXPECT_EQ(got.reasons(), Reasons{});
  ASSERT_EQ(got.records.size(), 2U);
  EXPECT_EQ(got.records[0].usage.input_uncached, 3'000U);
  EXPECT_EQ(got.records[0].granularity, domain::Granularity::Day);
  EXPECT_EQ(got.records[0].region, "global");
  EXPECT_EQ(got.records[1].usage.input_uncached, 500'000U);
  EXPECT_EQ(got.records[1].model, "Claude Opus 4.6");
  EXPECT_EQ(got.records[1].region, "eu-central-1");
  ASSERT_EQ(got.costs.size(), 3U);
  EXPECT_EQ(got.costs[2].billed.value, -2'000'000);
}

TEST(AwsCur, WhatIsNotToldIsListedAndItsCostKept) {
  const std::string text = std::string(kLegacy) +
                           legacy({.usage_type = "USW2-MP:USW2_InputTokenCount-Units",
                                   .amount = "1",
                                   .cost = "3",
                                   .code = "8xyz",
                                   .name = "",
                                   .unit = "Units"}) +
                           legacy({"USE1-Claude4Sonnet-input-tokens", "", "0.1"}) +
                           legacy({"USE1-Claude4Sonnet-input-tokens", "-4", "0.1"}) +
                           legacy({"USE1-Future-thinking-tokens", "7", "0.1"}) +
                           legacy({"USE1-Claude-ModelUnits-1mo", "7", "40"}) +
                           legacy({.usage_type = "USE1-Claude4Sonnet-input-tokens",
                                   .amount = "5",
                                   .cost = "-1",
                                   .type = "Refund"});
  const Collect got = read_all(aws_cur_format(), text);
  EXPECT_TRUE(got.records.empty());
  EXPECT_EQ(got.costs.size(), 6U);
  EXPECT_EQ(got.reasons(),
            (Reasons{"2: the line does not name the model of its tokens: only the cost is kept",
                     "3: the line has no UsageAmount: only its cost is kept",
                     "4: the token quantity is not a believable count: only the cost is kept",
                     "5: the usage type does not say which tokens it counts: only the cost is kept",
                     "6: a Bedrock line that does not count tokens: only the cost is kept"}));
}

TEST(AwsCur, BadLinesAreSkipped) {
  const std::string text =
      "lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/UsageType,lineItem/UsageAmount,"
      "lineItem/CurrencyCode,lineItem/UnblendedCost\n"
      "2026-08-01,2026-08-02,x,1,EUR,1\n"
      "soon,2026-08-02,x,1,USD,1\n"
      "2026-08-02,2026-08-01,x,1,USD,1\n"
      "2026-08-01,2026-08-02,x,1,USD,\n"
      "2026-08-01,2026-08-02,x,many,USD,1\n";
  const Collect got = read_all(aws_cur_format(), text, 7);
  EXPECT_TRUE(got.costs.empty());
  EXPECT_EQ(got.reasons(),
            (Reasons{"2: the amounts are in another currency than USD",
                     "3: UsageStartDate is not a time", "4: the usage ends before it begins",
                     "5: the line has no UnblendedCost", "6: UsageAmount is not a number"}));
}

TEST(AwsCur, TokensNeedNoCurrency) {
  std::string yuan = legacy({"CNN1-NovaPro-input-tokens", "1.5", "0.0045"});
  yuan.replace(yuan.find("USD"), 3, "CNY");
  const Collect got = read_all(aws_cur_format(), std::string(kLegacy) + yuan);
  EXPECT_TRUE(got.costs.empty());
  ASSERT_EQ(got.records.size(), 1U);
  EXPECT_EQ(got.records[0].usage.input_uncached, 1500U);
  EXPECT_EQ(got.records[0].reported_cost, std::nullopt);
  EXPECT_EQ(got.reasons(), Reasons{"2: the amounts are in another currency than USD: only the "
                                   "tokens are kept"});
}

// The month is delivered again every day, under new line item ids and in another order.
TEST(AwsCur, ALaterDeliveryKeepsTheIdentities) {
  const std::string a = legacy({"USE1-Claude4Sonnet-input-tokens", "1", "0.1"});
  const std::string b = legacy({"USE1-Claude4Sonnet-output-tokens", "1", "0.1"});
  const std::string later_a = legacy({.usage_type = "USE1-Claude4Sonnet-input-tokens",
                                      .amount = "2",
                                      .cost = "0.2",
                                      .id = "other"});
  const Collect before = read_all(aws_cur_format(), std::string(kLegacy) + a + b);
  const Collect after = read_all(aws_cur_format(), std::string(kLegacy) + b + later_a);
  ASSERT_EQ(before.records.size(), 2U);
  ASSERT_EQ(after.records.size(), 2U);
  EXPECT_EQ(before.records[0].source_id, after.records[1].source_id);
  EXPECT_EQ(before.records[1].source_id, after.records[0].source_id);
  EXPECT_NE(before.records[0].source_id, before.records[1].source_id);
}

// A tag that is activated is a column of every delivery from then on, of the month so far, too.
TEST(AwsCur, ADeliveryWithOneMoreColumnKeepsTheIdentities) {
  const std::string columns =
      "lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/ProductCode,"
      "lineItem/UsageType,lineItem/ResourceId,lineItem/UsageAmount,lineItem/UnblendedCost";
  const std::string line =
      "Usage,2026-08-01T05:00:00Z,2026-08-01T06:00:00Z,AmazonBedrock,"
      "USE1-Claude4Sonnet-input-tokens,arn:1,3,0.3";
  const auto id_of = [](const std::string& text) {
    const Collect got = read_all(aws_cur_format(), text);
    return got.costs.size() == 1 ? got.costs[0].source_id : "";
  };
  const std::string before = id_of(columns + "\n" + line + "\n");
  ASSERT_FALSE(before.empty());
  for (const auto& [more, cell] :
       {std::pair("resourceTags/user:Team", "search"), std::pair("costCategory/Unit", "search"),
        std::pair("resourceTags/user:Team", ""), std::pair("lineItem/TaxType", ""),
        std::pair("lineItem/AvailabilityZone", "")}) {
    EXPECT_EQ(id_of(columns + ',' + more + '\n' + line + ',' + cell + '\n'), before) << more;
    EXPECT_EQ(id_of(std::string(more) + ',' + columns + '\n' + cell + ',' + line + '\n'), before);
  }
  EXPECT_NE(id_of(columns + ",lineItem/AvailabilityZone\n" + line + ",us-east-1a\n"), before);
  // The same cell under another name is another line.
  EXPECT_NE(id_of(columns + ",lineItem/Operation\n" + line + ",x\n"),
            id_of(columns + ",pricing/rateId\n" + line + ",x\n"));
}

// The data export has the same line under other spellings and in another order.
TEST(AwsCur, BothVersionsOfTheReportGiveALineOneIdentity) {
  const Collect legacy = read_all(
      aws_cur_format(),
      "lineItem/UsageStartDate,lineItem/UsageType,lineItem/ProductCode,lineItem/UnblendedCost\n"
      "2026-08-01T05:00:00Z,USE1-Claude4Sonnet-input-tokens,AmazonBedrock,0.3\n");
  const Collect second =
      read_all(aws_cur_format(),
               "line_item_product_code,line_item_unblended_cost,line_item_usage_start_date,"
               "line_item_usage_type\nAmazonBedrock,0.3,2026-08-01T05:00:00Z,"
               "USE1-Claude4Sonnet-input-tokens\n");
  ASSERT_EQ(legacy.costs.size(), 1U);
  ASSERT_EQ(second.costs.size(), 1U);
  EXPECT_EQ(legacy.costs[0].source_id, second.costs[0].source_id);
}

}  // namespace
}  // namespace fh::importers
