// Goal: a FOCUS bill adds up to its last digit, and token rows become usage in the right class and
// unit. Method: the published 1,000-row sample against its known totals, and rows in the manner of
// each cloud.

#include "importers/focus.h"

#include <fmt/format.h>

#include "importers/collect.h"
#include "importers/exact_sum.h"
#include "importers/numbers.h"
#include "importers/token_meter.h"

namespace fh::importers {
namespace {

using Reasons = std::vector<std::string>;

TEST(Focus, ThePublishedSampleAddsUpExactly) {
  const std::string text = validation_file("focus/focus_sample.csv");
  EXPECT_GE(recognised(focus_format(), text), 95);
  for (const std::size_t piece : {997UL, 65'536UL}) {
    const Collect got = read_all(focus_format(), text, piece);
    EXPECT_EQ(got.reasons(), Reasons{});
    EXPECT_TRUE(got.records.empty()) << "no row of it counts tokens";
    ASSERT_EQ(got.costs.size(), 1000U);
    ExactSum billed, effective;
    std::int64_t rounded = 0;
    int aws = 0;
    std::set<std::string> ids;
    for (const domain::CostRecord& cost : got.costs) {
      EXPECT_TRUE(billed.add(cost.billed_exact));
      EXPECT_TRUE(effective.add(cost.effective_exact));
      rounded += cost.billed.value;
      aws += cost.provider == "AWS" ? 1 : 0;
      ids.insert(cost.source_id);
    }
    EXPECT_EQ(billed.str(), "20.52022672899");
    EXPECT_EQ(effective.str(), "14.97651418586");
    EXPECT_NEAR(static_cast<double>(rounded), 20'520'227, 500);
    EXPECT_EQ(aws, 942);
    EXPECT_EQ(ids.size(), 1000U);
  }
}

TEST(Focus, RowsAsWritten) {
  const Collect got = read_all(focus_format(), validation_file("focus/focus_sample.csv"));
  ASSERT_FALSE(got.costs.empty());
  const domain::CostRecord& first = got.costs.front();
  EXPECT_EQ(first.service, "Amazon Simple Queue Service");
  EXPECT_EQ(first.workspace, "Atlas Nimbus");
  EXPECT_EQ(first.start_unix_ns, *parse_time_ns("2024-09-18T22:00:00Z"));
  EXPECT_EQ(first.end_unix_ns, *parse_time_ns("2024-09-18T23:00:00Z"));
  EXPECT_EQ(first.billed.value, 1);
  EXPECT_EQ(first.billed_exact, "0.00000080000");
  EXPECT_EQ(first.quantity_unit, "Requests");
  EXPECT_EQ(first.quantity, 2.0);
  EXPECT_EQ(first.line, 2U);
}

constexpr std::string_view kHeader =
    "BilledCost,EffectiveCost,ListCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,"
    "ChargeCategory,ChargeClass,"
    "ChargeDescription,ServiceProviderName,ServiceName,RegionId,ResourceId,ResourceName,SkuMeter,"
    "SubAccountId,"
    "ConsumedQuantity,ConsumedUnit,PricingQuantity,PricingUnit,x_UsageType,x_Model\n";

std::string row(std::string_view category, std::string_view description, std::string_view quantity,
                std::string_view unit, std::string_view usage_type, std::string_view model) {
  return fmt::format(
      "1.5,1.25,2,USD,2026-08-01T00:00:00Z,2026-08-01T01:00:00Z,{},NULL,\"{}\",Cloud,AI,eu-1,,,,"
      "acct,{},{},,,{},{}\n",
      category, description, quantity, unit, usage_type, model);
}

TEST(Focus, TokenRowsBecomeUsage) {
  const std::string text =
      std::string(kHeader) + row("Usage", "Output tokens", "1200", "Tokens", "", "m-1") +
      row("Usage", "Cached input tokens", "1.5", "1K Tokens", "", "m-1") +
      row("Usage", "gpt 5 Inp glbl", "0.25", "1M tokens", "", "gpt-5") +
      row("Usage", "x", "2.5", "Units",
          "USE1-Claude4.6Opus-cache-read-input-token-count-cross-region-global", "") +
      row("Usage", "x", "3", "Units", "USW2-MP:USW2_OutputTokenCount_Global_Batch-Units",
          "claude") +
      row("Usage", "Storage", "3", "GB", "", "");
  const Collect got = read_all(focus_format(), text);
  EXPECT_EQ(got.reasons(), Reasons{});
  EXPECT_EQ(got.costs.size(), 6U);
  ASSERT_EQ(got.records.size(), 5U);
  EXPECT_EQ(got.records[0].usage.output, 1200U);
  EXPECT_EQ(got.records[0].model, "m-1");
  EXPECT_EQ(got.records[0].granularity, domain::Granularity::Hour);
  EXPECT_EQ(got.records[0].reported_cost->value, 1'500'000);
  EXPECT_EQ(got.records[0].region, "eu-1");
  EXPECT_EQ(got.records[1].usage.cache_read, 1500U);
  EXPECT_EQ(got.records[2].usage.input_uncached, 250'000U);
  EXPECT_EQ(got.records[3].usage.cache_read, 2500U);
  EXPECT_EQ(got.records[3].model, "Claude4.6Opus");
  EXPECT_EQ(got.records[3].region, "global");
  EXPECT_EQ(got.records[4].usage.output, 3'000'000U);
  EXPECT_EQ(got.records[4].tier, domain::ServiceTier::Batch);
  EXPECT_EQ(got.records[0].source_id, got.costs[0].source_id);
  EXPECT_EQ(got.costs[0].provider, "Cloud");
  EXPECT_EQ(got.costs[0].effective->value, 1'250'000);
  EXPECT_EQ(got.costs[0].list->value, 2'000'000);
}

TEST(Focus, CountsInColumnsOfTheVendor) {
  const Collect got =
      read_all(focus_format(),
               "BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,x_"
               "InputTokens,x_CacheReadTokens,"
               "x_OutputTokens,x_ModelName\n0.5,USD,2026-08-01,2026-08-02,Usage,100,40,7,m\n");
  EXPECT_EQ(got.reasons(), Reasons{});
  ASSERT_EQ(got.records.size(), 1U);
  EXPECT_EQ(got.records[0].usage.input_uncached, 100U);
  EXPECT_EQ(got.records[0].usage.cache_read, 40U);
  EXPECT_EQ(got.records[0].usage.output, 7U);
  EXPECT_EQ(got.records[0].model, "m");
  EXPECT_EQ(got.records[0].granularity, domain::Granularity::Day);
}

constexpr std::string_view kOwnColumns =
    "BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ProviderName,"
    "ConsumedQuantity,ConsumedUnit,x_InputTokens,x_CachedTokens,x_OutputTokens,x_ConsumedTokens,"
    "x_TokenType,x_ModelName\n";

// Cached tokens are a part of the input with some providers, and beside it with others.
TEST(Focus, TheRowsSumSaysWhetherCachedTokensAreInput) {
  const auto used = [](std::string_view provider, std::string_view cells) {
    const Collect got = read_all(
        focus_format(),
        std::string(kOwnColumns) +
            fmt::format("0.5,USD,2026-08-01,2026-08-02,Usage,{},{},,gpt\n", provider, cells));
    EXPECT_EQ(got.reasons(), Reasons{});
    EXPECT_EQ(got.records.size(), 1U);
    const domain::Usage sum = got.total();
    return std::vector<std::uint64_t>{sum.input_uncached, sum.cache_read, sum.output};
  };
  const std::vector<std::uint64_t> inside{60, 40, 7}, beside{100, 40, 7};
  EXPECT_EQ(used("OpenAI", ",,100,40,7,107"), inside);
  EXPECT_EQ(used("OpenAI", ",,100,40,7,147"), beside);
  EXPECT_EQ(used("OpenAI", "147,Tokens,100,40,7,"), beside);
  EXPECT_EQ(used("Anthropic", "0.107,1K Tokens,100,40,7,"), inside);
  EXPECT_EQ(used("OpenAI", ",,100,40,7,"), inside);
  EXPECT_EQ(used("Anthropic", ",,100,40,7,"), beside);
  EXPECT_EQ(used("OpenAI", ",,30,40,7,"), (std::vector<std::uint64_t>{30, 40, 7}));
}

TEST(Focus, TokensInAColumnOfTheirOwn) {
  const Collect got = read_all(
      focus_format(), std::string(kOwnColumns) +
                          "0.5,USD,2026-08-01,2026-08-02,Usage,X,3,Requests,,,,777,Input,m\n"
                          "0.5,USD,2026-08-01,2026-08-02,Usage,X,1,Seats,,,,,,\n");
  EXPECT_EQ(got.reasons(), Reasons{});
  EXPECT_EQ(got.costs.size(), 2U);
  ASSERT_EQ(got.records.size(), 1U);
  EXPECT_EQ(got.records[0].usage.input_uncached, 777U);
  EXPECT_EQ(got.records[0].model, "m");
}

// What a price's details tell, and units that are of tokens because the meter is.
TEST(Focus, DetailsOfThePriceAndMetersOfTokens) {
  const std::string head =
      "BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,SkuMeter,"
      "SkuPriceDetails,ConsumedQuantity,ConsumedUnit,PricingQuantity,PricingUnit\n";
  const auto row = [](std::string_view cells) {
    return fmt::format("0.5,USD,2026-08-01,2026-08-02,Usage,{}\n", cells);
  };
  const Collect got = read_all(
      focus_format(),
      head + row(R"(,"{""x_TokenType"":""Output"",""Model"":""gpt-6""}",5,Tokens,,)") +
          row("gpt-4o Inp glbl Tokens,,12000,Units,12,1K") +
          row("gpt-4o cached Inp glbl Tokens,,,,2,1K") +
          row("gpt-4o Outp glbl Tokens,,9,Requests,0.003,1M Tokens") + row("vCPU,,4,Units,4,1K"));
  EXPECT_EQ(got.reasons(), Reasons{});
  EXPECT_EQ(got.costs.size(), 5U);
  ASSERT_EQ(got.records.size(), 4U);
  EXPECT_EQ(got.records[0].usage.output, 5U);
  EXPECT_EQ(got.records[0].model, "gpt-6");
  EXPECT_EQ(got.records[1].usage.input_uncached, 12'000U);
  EXPECT_EQ(got.records[2].usage.cache_read, 2'000U);
  EXPECT_EQ(got.records[3].usage.output, 3'000U);
}

TEST(Focus, TokensNeedNoCurrency) {
  std::string euro = row("Usage", "Output tokens", "1200", "Tokens", "", "m");
  euro.replace(euro.find("USD"), 3, "EUR");
  std::string storage = row("Usage", "Storage", "3", "GB", "", "");
  storage.replace(storage.find("USD"), 3, "EUR");
  std::string unclear = row("Usage", "mystery", "3", "Tokens", "", "m");
  unclear.replace(unclear.find("USD"), 3, "EUR");
  const Collect got = read_all(focus_format(), std::string(kHeader) + euro + storage + unclear);
  EXPECT_TRUE(got.costs.empty());
  ASSERT_EQ(got.records.size(), 1U);
  EXPECT_EQ(got.records[0].usage.output, 1200U);
  EXPECT_EQ(got.records[0].reported_cost, std::nullopt);
  EXPECT_EQ(got.records[0].cost_kind, domain::CostKind::None);
  EXPECT_EQ(got.reasons(),
            (Reasons{"2: the amounts are in another currency than USD: only the tokens are kept",
                     "3: the amounts are in another currency than USD",
                     "4: the amounts are in another currency than USD"}));
}

TEST(Focus, WhatIsNoUsageOrUnclearKeepsItsCost) {
  const std::string text = std::string(kHeader) +
                           row("Credit", "Output tokens", "1200", "Tokens", "", "m") +
                           row("Usage", "mystery", "1200", "Tokens", "", "m") +
                           row("Usage", "Output tokens", "-3", "Tokens", "", "m");
  const Collect got = read_all(focus_format(), text);
  EXPECT_EQ(got.costs.size(), 3U);
  EXPECT_TRUE(got.records.empty());
  EXPECT_EQ(got.reasons(),
            (Reasons{"3: the row does not say which tokens it counts: only the cost is kept",
                     "4: the token quantity is not a believable count: only the cost is kept"}));
}

TEST(Focus, BadRowsAreSkippedWithTheirLine) {
  const std::string text =
      "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeCategory\n"
      "1,1,EUR,2026-08-01,2026-08-02,Usage\n"
      "NULL,1,USD,2026-08-01,2026-08-02,Usage\n"
      "abc,1,USD,2026-08-01,2026-08-02,Usage\n"
      "1,1,USD,soon,2026-08-02,Usage\n"
      "1,1,USD,2026-08-02,2026-08-01,Usage\n"
      "1,1,USD,2026-08-02\n"
      "-1.5,NULL,USD,2026-08-01,2026-08-02,Credit\n";
  const Collect got = read_all(focus_format(), text, 5);
  ASSERT_EQ(got.costs.size(), 1U);
  EXPECT_EQ(got.costs[0].billed.value, -1'500'000);
  EXPECT_EQ(got.costs[0].effective, std::nullopt);
  EXPECT_EQ(
      got.reasons(),
      (Reasons{"2: the amounts are in another currency than USD", "3: the row has no BilledCost",
               "4: BilledCost is not an amount of money", "5: ChargePeriodStart is not a time",
               "6: the charge period ends before it begins",
               "7: the row has 4 fields, the header 6"}));
}

TEST(Focus, RestatedAmountsKeepTheIdentityOfTheirRow) {
  const std::string header =
      "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,"
      "ResourceId\n";
  const Collect before = read_all(
      focus_format(),
      header + "1,1,USD,2026-08-01,2026-08-02,Usage,r\n2,2,USD,2026-08-01,2026-08-02,Usage,r\n");
  const Collect after = read_all(
      focus_format(),
      header +
          "1.5,1,USD,2026-08-01,2026-08-02,Usage,r\n2.5,2,USD,2026-08-01,2026-08-02,Usage,r\n");
  ASSERT_EQ(before.costs.size(), 2U);
  ASSERT_EQ(after.costs.size(), 2U);
  EXPECT_EQ(before.costs[0].source_id, after.costs[0].source_id);
  EXPECT_EQ(before.costs[1].source_id, after.costs[1].source_id);
  EXPECT_NE(before.costs[0].source_id, before.costs[1].source_id);
}

// Invoices and tags come later than the first delivery of a month; empty columns come and go.
TEST(Focus, ADeliveryWithOneMoreColumnKeepsTheIdentities) {
  const std::string columns =
      "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,"
      "ResourceId";
  const std::string row = "1,1,USD,2026-08-01,2026-08-02,Usage,r";
  const auto id_of = [](const std::string& text) {
    const Collect got = read_all(focus_format(), text);
    return got.costs.size() == 1 ? got.costs[0].source_id : "";
  };
  const std::string before = id_of(columns + "\n" + row + "\n");
  ASSERT_FALSE(before.empty());
  for (const auto& [more, cell] : {std::pair("InvoiceId", "INV-7"), std::pair("Tags", "{}"),
                                   std::pair("RegionId", ""), std::pair("SkuId", "NULL")}) {
    EXPECT_EQ(id_of(columns + ',' + more + '\n' + row + ',' + cell + '\n'), before) << more;
  }
  EXPECT_NE(id_of(columns + ",RegionId\n" + row + ",eu-west-1\n"), before);
}

// A month's correction covers the period of its days and would otherwise take their place.
TEST(Focus, ACorrectionSaysSoInItsItem) {
  const Collect got = read_all(
      focus_format(),
      "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,"
      "ChargeClass,ChargeDescription\n"
      "1,1,USD,2026-08-01,2026-08-02,Usage,,tokens\n"
      "5,5,USD,2026-08-01,2026-09-01,Usage,Correction,tokens\n");
  ASSERT_EQ(got.costs.size(), 2U);
  EXPECT_EQ(got.costs[0].item, "tokens");
  EXPECT_EQ(got.costs[1].item, "Correction: tokens");
}

TEST(TokenMeter, UsageTypes) {
  struct Case {
    std::string_view text;
    TokenClass kind;
    std::uint64_t unit;
    std::string_view model;
    domain::ServiceTier tier;
    bool global;
  };
  using enum TokenClass;
  using domain::ServiceTier;
  const Case cases[] = {
      {"USE1-Claude3Sonnet-input-tokens", Input, 1000, "Claude3Sonnet", ServiceTier::Standard,
       false},
      {"USE1-Claude4.6Opus-input-tokens-cross-region-global", Input, 1000, "Claude4.6Opus",
       ServiceTier::Standard, true},
      {"USE1-Claude4.6Opus-output-tokens-cross-region-global-batch", Output, 1000, "Claude4.6Opus",
       ServiceTier::Batch, true},
      {"APN1-Nova-cache-read-input-token-count", CacheRead, 1000, "Nova", ServiceTier::Standard,
       false},
      {"USW2-anthropic.claude-opus-4-8-mantle-cache-write-tokens-global-standard", CacheWrite, 1000,
       "anthropic.claude-opus-4-8", ServiceTier::Standard, true},
      {"USW2-MP:USW2_InputTokenCount_Global-Units", Input, 1'000'000, "", ServiceTier::Standard,
       true},
      {"USW2-MP:USW2_CacheReadInputTokenCount-Units", CacheRead, 1'000'000, "",
       ServiceTier::Standard, false},
  };
  for (const Case& c : cases) {
    const auto meter = parse_usage_type(c.text);
    ASSERT_TRUE(meter.has_value()) << c.text;
    EXPECT_EQ(meter->kind, c.kind) << c.text;
    EXPECT_EQ(meter->unit, c.unit) << c.text;
    EXPECT_EQ(meter->model, c.model) << c.text;
    EXPECT_EQ(meter->tier, c.tier) << c.text;
    EXPECT_EQ(meter->global, c.global) << c.text;
  }
  for (const std::string_view text : {"", "USE1-BoxUsage:t3.micro", "Requests-Tier1", "MP:x"}) {
    EXPECT_FALSE(parse_usage_type(text).has_value()) << text;
  }
}

TEST(TokenMeter, Units) {
  EXPECT_EQ(token_unit("Tokens"), 1U);
  EXPECT_EQ(token_unit("1K Tokens"), 1000U);
  EXPECT_EQ(token_unit("1M tokens"), 1'000'000U);
  EXPECT_EQ(token_unit("1000 tokens"), 1000U);
  EXPECT_EQ(token_unit("1,000 tokens"), 1000U);
  EXPECT_EQ(token_unit("Million Tokens"), 1'000'000U);
  EXPECT_EQ(token_unit("GB"), 0U);
  EXPECT_EQ(token_unit(""), 0U);
}

}  // namespace
}  // namespace fh::importers
