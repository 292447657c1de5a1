// Goal: usage that two reports tell in buckets of different lengths counts once, in whatever order
// they come, and what cannot be decided is said. Method: drawn usage, told in minutes, hours and
// days over different ranges, read alone and together in both orders; and the undecidable cases.

#include "importers/nesting.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "base/clock.h"
#include "importers/numbers.h"
#include "importers/walk.h"

namespace fh::importers {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kFirst = 1'785'542'400;  // 2026-08-01 in seconds

struct Call {
  std::int64_t at = 0;  // seconds after kFirst
  int model = 0, workspace = 0;
  std::uint64_t input = 0, output = 0;
};

std::vector<Call> drawn(std::uint32_t seed, int days) {
  std::mt19937 random(seed);
  std::vector<Call> calls(60 + random() % 60);
  for (Call& call : calls) {
    call.at = static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(days * kDay));
    call.model = static_cast<int>(random() % 3);
    call.workspace = static_cast<int>(random() % 2);
    call.input = random() % 5000 + 1;
    call.output = random() % 500;
  }
  return calls;
}

std::string time_text(std::int64_t seconds) {
  return base::format_rfc3339((kFirst + seconds) * kSecondNs);
}

// A messages report over the days [from, to) in buckets of `width` seconds, shifted by `shift`.
std::string report(const std::vector<Call>& calls, std::int64_t width, int from, int to,
                   std::string_view name = "workspace_id", std::int64_t shift = 0) {
  std::map<std::tuple<std::int64_t, int, int>, std::pair<std::uint64_t, std::uint64_t>> sums;
  for (const Call& call : calls) {
    if (call.at < from * kDay || call.at >= to * kDay) continue;
    const std::int64_t start = (call.at - shift + kDay) / width * width + shift - kDay;
    auto& [input, output] = sums[{start, call.model, call.workspace}];
    input += call.input;
    output += call.output;
  }
  std::string text = R"({"data":[)";
  for (const auto& [at, sum] : sums) {
    const auto& [start, model, workspace] = at;
    text += fmt::format(
        R"({}{{"starting_at":"{}","ending_at":"{}","results":[{{"uncached_input_tokens":{},)"
        R"("cache_read_input_tokens":0,"output_tokens":{},"model":"m{}","{}":"w{}"}}]}})",
        text.back() == '[' ? "" : ",", time_text(start), time_text(start + width), sum.first,
        sum.second, model, name, workspace);
  }
  return text + "]}";
}

class Nested : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              fmt::format("freehold-nesting-{}-{}", ::getpid(),
                          ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // In this order: folders are read in the order of names, named paths too.
  RunSummary read(const std::vector<std::string>& texts) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    char name = 'a';
    for (const std::string& text : texts) {
      std::ofstream(folder_ / std::string(1, name++), std::ios::binary) << text;
    }
    ImportRun run({}, {}, clock_);
    EXPECT_TRUE(run.run({folder_.string()}).has_value());
    return run.summary();
  }

  fs::path folder_;
  base::ManualClock clock_;
};

void expect_same_use(const RunSummary& got, const RunSummary& want, const std::string& of) {
  EXPECT_EQ(got.total.usage.input_uncached, want.total.usage.input_uncached) << of;
  EXPECT_EQ(got.total.usage.output, want.total.usage.output) << of;
  ASSERT_EQ(got.models.size(), want.models.size()) << of;
  for (const auto& [name, totals] : want.models) {
    const Totals& model = got.models.at(name);
    EXPECT_EQ(model.usage.input_uncached, totals.usage.input_uncached) << of << name.model;
    EXPECT_EQ(model.usage.output, totals.usage.output) << of << name.model;
  }
}

TEST_F(Nested, BothReportsInEitherOrderGiveTheTotalsOfOne) {
  constexpr std::int64_t kWidths[] = {60, kHour, kDay};
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    const std::vector<Call> calls = drawn(seed, 6);
    const RunSummary one = read({report(calls, kDay, 0, 6)});
    ASSERT_GT(one.total.usage.total(), 0U);
    for (const std::int64_t a : kWidths) {
      for (const std::int64_t b : kWidths) {
        const std::string of = fmt::format("seed {}, {} s and {} s: ", seed, a, b);
        const RunSummary both = read({report(calls, a, 0, 6), report(calls, b, 0, 6)});
        expect_same_use(both, one, of);
        EXPECT_EQ(both.nested > 0, a != b) << of;
        EXPECT_EQ(both.records, both.total.records) << of;
        EXPECT_FALSE(both.parts_may_count) << of;
        EXPECT_EQ(both.skips_total, 0U) << of;
        // Exports that overlap: together they tell the six days.
        expect_same_use(read({report(calls, a, 0, 4), report(calls, b, 2, 6)}), one,
                        of + "ranges ");
      }
    }
    expect_same_use(
        read({report(calls, kHour, 0, 6), report(calls, kDay, 0, 6), report(calls, 60, 0, 6)}), one,
        fmt::format("seed {}, three: ", seed));
  }
}

TEST_F(Nested, ADayThatIsNotOverIsTheSideThatTellsMore) {
  const std::vector<Call> calls = {{0, 0, 0, 100, 1}, {5 * kHour, 0, 0, 200, 2}};
  const std::vector<Call> later = {calls[0], calls[1], {9 * kHour, 0, 0, 50, 3}};
  for (const bool day_first : {true, false}) {
    const std::string day = report(calls, kDay, 0, 1), hours = report(later, kHour, 0, 1);
    const RunSummary both = day_first ? read({day, hours}) : read({hours, day});
    EXPECT_EQ(both.total.usage.input_uncached, 350U);
    EXPECT_EQ(both.nested, 1U) << "the day";
    const std::string whole = report(later, kDay, 0, 1), some = report(calls, kHour, 0, 1);
    const RunSummary other = day_first ? read({whole, some}) : read({some, whole});
    EXPECT_EQ(other.total.usage.input_uncached, 350U);
    EXPECT_EQ(other.nested, 2U) << "the hours";
  }
}

TEST_F(Nested, OtherNamesAreOtherUsage) {
  const std::vector<Call> one = {{0, 0, 0, 100, 1}}, other = {{0, 0, 1, 70, 1}, {0, 1, 0, 7, 1}};
  const RunSummary both = read({report(one, kDay, 0, 1), report(other, kHour, 0, 1)});
  EXPECT_EQ(both.total.usage.input_uncached, 177U);
  EXPECT_EQ(both.nested, 0U);
}

TEST_F(Nested, WhatCannotBeDecidedIsSaid) {
  const std::vector<Call> calls = drawn(3, 4);
  const std::uint64_t once = read({report(calls, kDay, 0, 4)}).total.usage.total();
  // Days of another time zone lie in none of ours.
  const RunSummary zones =
      read({report(calls, kDay, 0, 4), report(calls, kDay, 0, 4, "workspace_id", 6 * kHour)});
  EXPECT_TRUE(zones.parts_may_count);
  EXPECT_EQ(zones.total.usage.total(), 2 * once);
  // By workspace and by something else, or by nothing.
  for (const std::string_view other : {"api_key_id", "account_id", "inference_geo", "untold"}) {
    const RunSummary names = read({report(calls, kDay, 0, 4), report(calls, kHour, 0, 4, other)});
    EXPECT_EQ(names.total.usage.total(), 2 * once) << other;
    ASSERT_EQ(names.skips.size(), 1U) << other;
    EXPECT_EQ(names.skips[0].line, 0U);
    EXPECT_NE(names.skips[0].why.find("counts twice"), std::string::npos);
  }
  // Days of their own are no reason to warn.
  EXPECT_EQ(read({report(calls, kDay, 0, 2), report(calls, kDay, 2, 4, "api_key_id")}).skips_total,
            0U);
}

TEST_F(Nested, AMonthOfCostsAndItsDays) {
  const auto item = [](std::string_view period, double net) {
    return fmt::format(
        R"({{"timePeriod":{},"organization":"acme","usageItems":[{{"product":"Actions",)"
        R"("sku":"AI","model":"m","unitType":"credits","netAmount":{}}}]}})",
        period, net);
  };
  const std::string month = item(R"({"year":2026,"month":8})", 30);
  const std::string days = item(R"({"year":2026,"month":8,"day":2})", 10) + '\n' +
                           item(R"({"year":2026,"month":8,"day":3})", 20);
  const std::string next = item(R"({"year":2026,"month":9,"day":1})", 5);
  for (const auto& texts : {std::vector{month, days, next}, std::vector{next, days, month}}) {
    const RunSummary both = read(texts);
    EXPECT_EQ(both.billed_micro_usd, 35'000'000);
    EXPECT_EQ(both.costs, 3U);
    EXPECT_EQ(both.nested_costs, 1U) << "the month: its days tell as much";
  }
}

domain::UsageRecord bucket(std::int64_t from, std::int64_t width, std::uint64_t tokens) {
  domain::UsageRecord record;
  record.format = "anthropic-usage";
  record.granularity = granularity_of(width * kSecondNs);
  record.start_unix_ns = (kFirst + from) * kSecondNs;
  record.end_unix_ns = record.start_unix_ns + width * kSecondNs;
  record.usage.output = tokens;
  return record;
}

std::uint64_t counted(const std::vector<domain::UsageRecord>& records) {
  Nesting nesting;
  for (const auto& record : records) nesting.see(record, share_of(record));
  nesting.settle();
  std::uint64_t tokens = 0, left = 0, all = 0;
  for (const auto& record : records) {
    tokens += nesting.counts(record) ? record.usage.output : 0;
    all += record.usage.output;
  }
  for (const Nesting::Left& side : nesting.left_out()) left += side.totals.usage.output;
  EXPECT_EQ(tokens + left, all);
  return tokens;
}

TEST(Nesting, HoursOfADayThatOneSideTellsAloneCount) {
  const auto hour = bucket(5 * kHour, kHour, 100), minute = bucket(9 * kHour + 60, 60, 7),
             same = bucket(5 * kHour + 3540, 60, 90), day = bucket(0, kDay, 107);
  EXPECT_EQ(counted({hour, minute}), 107U) << "minutes of another hour";
  EXPECT_EQ(counted({minute, hour}), 107U);
  EXPECT_EQ(counted({hour, same}), 100U) << "minutes of the same hour";
  EXPECT_EQ(counted({hour, same, minute}), 100U) << "97 of the minutes' side, 100 of the hours'";
  EXPECT_EQ(counted({day, hour, minute}), 107U) << "the day tells as much as both";
  EXPECT_EQ(counted({bucket(0, kDay, 108), hour, minute}), 108U);
  // A bucket of two hours lies in the day by which hours are taken together.
  EXPECT_EQ(counted({hour, bucket(6 * kHour, 2 * kHour, 20)}), 120U);
  EXPECT_EQ(counted({hour, bucket(4 * kHour, 2 * kHour, 120)}), 120U);
  EXPECT_EQ(counted({bucket(0, kHour, 1), bucket(23 * kHour, 60, 2)}), 3U);
}

TEST(Nesting, CreditsRefundsAndCorrectionsAlwaysCount) {
  const auto cost = [](std::int64_t from, std::int64_t days, std::int64_t micro_usd) {
    domain::CostRecord record;
    record.format = "focus";
    record.model = record.item = "m";
    record.start_unix_ns = (kFirst + from * kDay) * kSecondNs;
    record.end_unix_ns = record.start_unix_ns + days * kDayNs;
    record.billed.value = micro_usd;
    return record;
  };
  domain::CostRecord corrected = cost(0, 31, 4);
  corrected.item = std::string(kCorrection) + "m";
  const std::vector<domain::CostRecord> records = {cost(0, 1, 10), cost(1, 1, 20),
                                                   cost(0, 31, -1000), corrected, cost(2, 1, -5)};
  Nesting nesting;
  for (const auto& record : records) nesting.see(record);
  nesting.settle();
  for (const auto& record : records) EXPECT_TRUE(nesting.counts(record)) << record.billed.value;
  EXPECT_TRUE(nesting.left_out_costs().empty());

  // A charge that became a refund is no charge any more.
  Nesting later;
  later.see(cost(0, 31, 50));
  later.see(cost(0, 1, 30));
  Share before;
  before.cost_micro_usd = 50;
  later.see(cost(0, 31, -60), &before);
  later.settle();
  EXPECT_TRUE(later.counts(cost(0, 1, 30)));
  EXPECT_TRUE(later.counts(cost(0, 31, -60)));
}

TEST(Nesting, TheBoundIsSaid) {
  Nesting nesting;
  domain::UsageRecord record;
  record.granularity = domain::Granularity::Day;
  record.usage.output = 1;
  for (std::size_t i = 0; i <= Nesting::kEntriesMax; ++i) {
    EXPECT_FALSE(nesting.overflowed());
    record.start_unix_ns = static_cast<std::int64_t>(i % 40'000) * kDayNs;
    record.end_unix_ns = record.start_unix_ns + kDayNs;
    if (i % 40'000 == 0) record.user = fmt::format("user {}", i);
    nesting.see(record, share_of(record));
  }
  EXPECT_TRUE(nesting.overflowed());
  nesting.settle();
  EXPECT_TRUE(nesting.counts(record)) << "what was not told apart counts";
}

}  // namespace
}  // namespace fh::importers
