// Goal: usage that is told in several ways counts once (LiteLLM's tables, GitHub's answers about an
// account and its users, two bills of AWS), whichever file comes first, and different usage is
// never taken for the same. Method: small files, imported alone and together in both orders.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "importers/walk.h"

namespace fh::importers {
namespace {

namespace fs = std::filesystem;

RunSummary import(const std::vector<std::string>& texts) {
  const fs::path folder =
      fs::temp_directory_path() / fmt::format("freehold-tellings-{}", ::getpid());
  fs::remove_all(folder);
  fs::create_directories(folder);
  char name = 'a';
  for (const std::string& text : texts) {
    std::ofstream(folder / std::string(1, name++), std::ios::binary) << text;
  }
  const base::ManualClock clock;
  ImportRun run({}, {}, clock);
  EXPECT_TRUE(run.run({folder.string()}).has_value());
  fs::remove_all(folder);
  return run.summary();
}

// In every order.
template <typename Check>
void in_every_order(std::vector<std::string> texts, Check&& check) {
  std::ranges::sort(texts);
  do {
    check(import(texts));
  } while (std::ranges::next_permutation(texts).found);
}

std::string litellm_days(std::string_view entity,
                         const std::vector<std::pair<std::string, int>>& rows) {
  std::string text = fmt::format(
      "id,{},date,api_key,model,custom_llm_provider,prompt_tokens,completion_tokens,spend,"
      "api_requests\n",
      entity);
  for (const auto& [name, tokens] : rows) {
    text += fmt::format(",{},2026-08-01,k,gpt-5,openai,{},10,0.5,2\n", name, tokens);
  }
  return text;
}

TEST(Tellings, LiteLlmsTablesOfOneDayCountOnce) {
  const std::string users = litellm_days("user_id", {{"ann", 1000}, {"bob", 500}}),
                    teams = litellm_days("team_id", {{"core", 1500}}),
                    organizations = litellm_days("organization_id", {{"acme", 1400}}),
                    ends = litellm_days("end_user_id", {{"c1", 700}}),
                    tags = litellm_days("tag", {{"prod", 1500}, {"batch", 1500}});
  for (const std::string& one : {teams, organizations, ends, tags}) {
    in_every_order({users, one}, [](const RunSummary& sum) {
      EXPECT_EQ(sum.total.usage.input_uncached, 1500U);
      EXPECT_EQ(sum.total.usage.output, 20U);
      EXPECT_GT(sum.nested, 0U);
    });
  }
  in_every_order({teams, organizations, tags}, [](const RunSummary& sum) {
    EXPECT_EQ(sum.total.usage.input_uncached, 1500U);
    EXPECT_EQ(sum.total.usage.output, 10U);
  });
  EXPECT_EQ(import({tags}).total.usage.input_uncached, 3000U);
  EXPECT_EQ(import({users}).nested, 0U);
}

std::string billing(std::string_view head, std::string_view sku, std::string_view amount,
                    std::string_view period = R"({"year":2026,"month":8})") {
  return fmt::format(
      R"({{"timePeriod":{},{},"usageItems":[{{"product":"Copilot","sku":"{}","unitType":"x",)"
      R"("netQuantity":1,"netAmount":{}}}]}})",
      period, head, sku, amount);
}

TEST(Tellings, AnswersAboutAnAccountAndItsUsersCountOnce) {
  const std::string all = billing(R"("organization":"acme")", "Copilot Business", "30"),
                    ann =
                        billing(R"("organization":"acme","user":"ann")", "Copilot Business", "10"),
                    bob =
                        billing(R"("organization":"acme","user":"bob")", "Copilot Business", "12");
  in_every_order({all, ann, bob}, [](const RunSummary& sum) {
    EXPECT_EQ(sum.billed_micro_usd, 30'000'000);
    EXPECT_EQ(sum.nested_costs, 2U);
  });
  EXPECT_EQ(import({ann, bob}).billed_micro_usd, 22'000'000);
  // Another account's bill is another bill, and so is a user's own.
  const std::string other = billing(R"("organization":"globex")", "Copilot Business", "5"),
                    own = billing(R"("user":"ann")", "Copilot Business", "7");
  EXPECT_EQ(import({all, other, own}).billed_micro_usd, 42'000'000);
}

TEST(Tellings, AMonthOfASkuWithoutAModelAndItsDaysCountOnce) {
  const std::string month = billing(R"("organization":"acme")", "Copilot Business", "30"),
                    day = billing(R"("organization":"acme")", "Copilot Business", "20",
                                  R"({"year":2026,"month":8,"day":3})"),
                    seat = billing(R"("organization":"acme")", "Copilot Enterprise", "9",
                                   R"({"year":2026,"month":8,"day":3})");
  in_every_order({month, day, seat},
                 [](const RunSummary& sum) { EXPECT_EQ(sum.billed_micro_usd, 39'000'000); });
}

std::string copilot_report(std::string_view cost, std::string_view sku = "copilot_ai_credit") {
  return fmt::format(
      "date,username,product,sku,model,quantity,unit_type,net_amount,organization,input,output\n"
      "2026-08-03,ann,copilot,{0},gpt-5,100,ai-credits,{1},acme,10,5\n"
      "2026-08-03,bob,copilot,{0},gpt-5,100,ai-credits,2,acme,10,5\n",
      sku, cost);
}

constexpr std::string_view kThird = R"({"year":2026,"month":8,"day":3})";

TEST(Tellings, GitHubsReportAndItsAnswersCountOnce) {
  const std::string answer =
      billing(R"("organization":"acme")", "Copilot AI Credit", "3.5", kThird);
  const std::string part =
      billing(R"("organization":"acme","user":"ann")", "Copilot AI Credit", "1.5", kThird);
  in_every_order({copilot_report("1.5"), answer, part}, [](const RunSummary& sum) {
    EXPECT_EQ(sum.billed_micro_usd, 3'500'000);
    EXPECT_EQ(sum.total.usage.output, 10U);
    EXPECT_FALSE(sum.parts_may_count);
  });
}

TEST(Tellings, GitHubsBillsOfOtherAccountsSkusAndDaysAllCount) {
  const auto answer = [](std::string_view sku, std::string_view amount, std::string_view period) {
    return billing(R"("organization":"acme")", sku, amount, period);
  };
  const std::string report = copilot_report("1.5");
  EXPECT_EQ(import({report, answer("Copilot AI Credit", "3.51", kThird)}).billed_micro_usd,
            7'010'000);
  EXPECT_EQ(import({report, answer("Copilot Business", "3.5", kThird)}).billed_micro_usd,
            7'000'000);
  EXPECT_EQ(import({report, answer("Copilot AI Credit", "3.5", R"({"year":2026,"month":8})")})
                .billed_micro_usd,
            7'000'000);
}

std::string aws_report(int thousands, std::string_view cost, std::string_view day = "01") {
  return fmt::format(
      "lineItem/UsageAccountId,lineItem/LineItemType,lineItem/UsageStartDate,"
      "lineItem/UsageEndDate,lineItem/ProductCode,lineItem/UsageType,lineItem/UsageAmount,"
      "lineItem/CurrencyCode,lineItem/UnblendedCost,product/ProductName,pricing/unit\n"
      "1,Usage,2026-08-{0}T00:00:00Z,2026-08-{0}T01:00:00Z,AmazonBedrock,"
      "USE1-Claude4Sonnet-input-tokens,{1},USD,{2},Amazon Bedrock,1K tokens\n"
      "1,Usage,2026-08-{0}T00:00:00Z,2026-08-{0}T01:00:00Z,AmazonEC2,BoxUsage,1,USD,0.5,EC2,Hrs\n"
      "1,Credit,2026-08-{0}T00:00:00Z,2026-08-{0}T01:00:00Z,AmazonEC2,BoxUsage,1,USD,-0.25,EC2,\n",
      day, thousands, cost);
}

std::string focus(std::string_view provider, int thousands, std::string_view cost) {
  return fmt::format(
      "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,ProviderName,"
      "ServiceName,SkuMeter,ConsumedQuantity,ConsumedUnit,SubAccountName,EffectiveCost\n"
      "{1},USD,Usage,2026-08-01 00:00:00,2026-08-02 00:00:00,{0},Amazon Bedrock,"
      "USE1-Claude4Sonnet-input-tokens,{2},1K tokens,main,{1}\n"
      "0.5,USD,Usage,2026-08-01 00:00:00,2026-08-02 00:00:00,{0},EC2,,1,Hours,main,0.5\n"
      "-0.25,USD,Credit,2026-08-01 00:00:00,2026-08-02 00:00:00,{0},EC2,,,,main,-0.25\n",
      provider, cost, thousands);
}

TEST(Tellings, TheTwoBillsOfAwsCountOnce) {
  in_every_order({aws_report(40, "3"), focus("AWS", 40, "3")}, [](const RunSummary& sum) {
    EXPECT_EQ(sum.total.usage.input_uncached, 40'000U);
    EXPECT_EQ(sum.billed_micro_usd, 3'250'000);
    EXPECT_EQ(sum.costs, 3U);
    EXPECT_FALSE(sum.parts_may_count);
  });
}

TEST(Tellings, BillsOfAwsThatDifferBothCountAndItIsSaid) {
  in_every_order({aws_report(40, "3"), focus("AWS", 90, "7")}, [](const RunSummary& sum) {
    EXPECT_EQ(sum.total.usage.input_uncached, 130'000U);
    EXPECT_EQ(sum.billed_micro_usd, 10'500'000);
    EXPECT_TRUE(sum.parts_may_count);
  });
}

TEST(Tellings, FocusOfOthersAndOtherDaysAreNoBillOfAws) {
  const RunSummary other = import({aws_report(40, "3"), focus("Microsoft", 40, "3")});
  EXPECT_EQ(other.billed_micro_usd, 6'500'000);
  EXPECT_FALSE(other.parts_may_count);
  EXPECT_EQ(import({aws_report(40, "3", "02"), focus("AWS", 40, "3")}).billed_micro_usd, 6'500'000);
}

// The same answer, with the amount as a text and in an object.
TEST(Tellings, ACostIsTheSameInBothForms) {
  const std::string_view bucket =
      R"({{"data":[{{"starting_at":"2026-08-01T00:00:00Z","ending_at":"2026-08-02T00:00:00Z",)"
      R"("results":[{{{},"model":"m","cost_type":"tokens"}}]}}]}})";
  const std::string text = fmt::format(fmt::runtime(bucket), R"("amount":"250","currency":"USD")"),
                    object = fmt::format(fmt::runtime(bucket),
                                         R"("amount":{"value":"250","currency":"USD"})");
  in_every_order({text, object}, [](const RunSummary& sum) {
    EXPECT_EQ(sum.billed_micro_usd, 2'500'000);
    EXPECT_EQ(sum.costs, 1U);
  });
}

}  // namespace
}  // namespace fh::importers
