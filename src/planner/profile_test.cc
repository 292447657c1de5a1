// Profiles of small sets of records against sums made by hand.

#include "planner/profile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace fh::planner {
namespace {

using domain::Granularity;
using domain::UsageRecord;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kMonday = 20'780 * kDay;  // 2026-11-23

UsageRecord request(std::int64_t when, const char* model, std::uint64_t input, std::uint64_t read,
                    std::uint64_t output) {
  UsageRecord r;
  r.format = "test";
  r.provider = "anthropic";
  r.model = model;
  r.start_unix_ns = when;
  r.end_unix_ns = when + kSecond;
  r.usage.input_uncached = input;
  r.usage.cache_read = read;
  r.usage.output = output;
  r.workload = "coding";
  r.user = "u1";
  return r;
}

class Profile : public testing::Test {
 protected:
  const pricing::PriceBook& book = pricing::PriceBook::bundled();
  ModelNames names{book};
  ProfileBuilder builder{book, names};

  void add(const UsageRecord& r) {
    const auto done = builder.add(r);
    ASSERT_TRUE(done.has_value()) << done.error().text();
  }
  UsageProfile finish() {
    auto p = builder.finish();
    EXPECT_TRUE(p.has_value()) << (p ? "" : p.error().text());
    return std::move(*p);
  }
};

TEST_F(Profile, PricesEachRecordAtItsOwnDateBandAndTier) {
  // Sonnet 5.5: 10,000 cache reads are 2,000 micro-USD on 6 October and 1,000 on 7 October.
  const std::int64_t october_7 = kMonday - 47 * kDay;
  add(request(october_7 - kHour, "claude-sonnet-5-5", 0, 10'000, 0));
  add(request(october_7, "claude-sonnet-5-5", 0, 10'000, 0));
  // Haiku 5.5 at 100,001 tokens: five times, rounded once: 52,500.
  add(request(kMonday, "claude-haiku-5-5-20261007", 100'001, 0, 1000));
  UsageRecord fast = request(kMonday, "claude-opus-5-5-fast", 1000, 0, 0);
  add(fast);  // twice 4,000
  const UsageProfile p = finish();
  EXPECT_EQ(p.priced.low.value, 2000 + 1000 + 52'500 + 8000);
  EXPECT_EQ(p.priced.high.value, p.priced.low.value);
  EXPECT_TRUE(p.unpriced.empty());
  EXPECT_EQ(p.records, 4u);
  EXPECT_EQ(p.requests, 4u);
  ASSERT_EQ(p.rows.size(), 4u);
  EXPECT_EQ(p.rows[0].day, 20'780 - 48);
  EXPECT_EQ(p.rows[3].tier, domain::ServiceTier::Fast);
  EXPECT_EQ(p.days_covered(), 49u);
  EXPECT_EQ(p.days_active, 3u);
  // 63,500 micro-USD in 49 days: 473,010.2 a year.
  EXPECT_EQ(p.annualised.low.value, 473'010);
}

TEST_F(Profile, PricesEachRecordAtItsOwnPlace) {
  for (const char* region : {"", "global", "us"}) {
    UsageRecord r = request(kMonday, "claude-opus-5-5", 1000, 0, 0);
    r.region = region;
    add(r);
  }
  const UsageProfile p = finish();
  EXPECT_EQ(p.priced.low.value, 4000 + 4000 + 4400);
  EXPECT_EQ(p.priced.high.value, p.priced.low.value);
}

TEST_F(Profile, TheLongestPromptIsThatOfTheBandsTold) {
  UsageRecord bucket = request(kMonday, "claude-opus-5-5", 1000, 0, 10);
  bucket.granularity = Granularity::Hour;
  bucket.prompt_band_known = true;
  add(bucket);
  bucket.workload = "long";
  add(bucket);
  bucket.prompt_over = 200'000;
  add(bucket);
  bucket.workload = "untold";
  bucket.prompt_band_known = false;
  add(bucket);
  const UsageProfile p = finish();
  ASSERT_EQ(p.workloads.size(), 3u);
  EXPECT_EQ(p.workloads[0].prompt_tokens_most, 200'000);
  EXPECT_EQ(p.workloads[1].prompt_tokens_most, 0);
  EXPECT_EQ(p.workloads[2].prompt_tokens_most, 0);
}

TEST_F(Profile, OneRowADayModelWorkloadAndTier) {
  add(request(kMonday + kHour, "claude-opus-5-5", 100, 900, 50));
  add(request(kMonday + 2 * kHour, "claude-opus-5-5", 200, 800, 60));
  UsageRecord other = request(kMonday + 3 * kHour, "claude-opus-5-5", 1, 2, 3);
  other.workload = "support";
  other.user = "u2";
  add(other);
  UsageRecord batch = request(kMonday + 4 * kHour, "claude-opus-5-5", 1000, 0, 0);
  batch.tier = domain::ServiceTier::Batch;
  add(batch);
  const UsageProfile p = finish();
  ASSERT_EQ(p.rows.size(), 3u);
  EXPECT_EQ(p.rows[0].tokens.input_uncached, 300u);
  EXPECT_EQ(p.rows[0].tokens.cache_read, 1700u);
  EXPECT_EQ(p.rows[0].tokens.output, 110u);
  EXPECT_EQ(p.rows[0].records, 2u);
  // 300 * 4 + 1700 * 0.2 + 110 * 20 = 3740, and a batch of 1000 * 4 / 2.
  EXPECT_EQ(p.rows[0].priced.low.value, 3740);
  EXPECT_EQ(p.rows[1].priced.low.value, 2000);
  EXPECT_EQ(p.users, 2u);
  ASSERT_EQ(p.workloads.size(), 2u);
  EXPECT_EQ(p.workloads[0].name, "coding");
  EXPECT_EQ(p.workloads[0].records, 3u);
  EXPECT_NEAR(p.workloads[0].prefix_reuse_share, 1700.0 / 3000, 1e-12);
}

TEST_F(Profile, UnpricedIsListedAndNeverFree) {
  add(request(kMonday, "auto", 10, 0, 0));
  add(request(kMonday, "composer-1", 500, 0, 5));
  add(request(kMonday, "composer-1", 500, 0, 5));
  UsageRecord fast = request(kMonday, "claude-haiku-5-5-fast", 7, 0, 0);  // sells no fast tier
  add(fast);
  add(request(kMonday, "claude-opus-5-5", 1000, 0, 0));
  const UsageProfile p = finish();
  EXPECT_EQ(p.priced.low.value, 4000);
  ASSERT_EQ(p.unpriced.size(), 3u);
  EXPECT_EQ(p.unpriced[0].model, "composer-1");
  EXPECT_EQ(p.unpriced[0].records, 2u);
  EXPECT_EQ(p.unpriced[0].tokens, 1010u);
  EXPECT_EQ(p.unpriced_tokens, 1027u);
  EXPECT_NE(p.unpriced[1].why.find("which model"), std::string::npos);
  EXPECT_NE(p.unpriced[2].why.find("fast"), std::string::npos);
  std::uint64_t priced = 0;
  for (const UsageRow& row : p.rows) priced += row.priced_records;
  EXPECT_EQ(priced, 1u);
}

TEST_F(Profile, DayBucketsOfABandedModelGiveARange) {
  UsageRecord day = request(kMonday, "claude-haiku-5-5", 1'000'000, 0, 10'000);
  day.granularity = Granularity::Day;
  day.end_unix_ns = kMonday + kDay;
  day.requests = 100;
  add(day);
  const UsageProfile p = finish();
  EXPECT_EQ(p.priced.low.value, 105'000);
  EXPECT_EQ(p.priced.high.value, 525'000);
  const WorkloadLoad& w = p.workloads.at(0);
  EXPECT_EQ(w.requests, 100u);
  EXPECT_FALSE(w.lengths_measured);
  EXPECT_DOUBLE_EQ(w.prompt_tokens_mean, 10'000);
  EXPECT_EQ(w.hours_measured_share, 0);
  // Spread over the day: ten hours of 8 %.
  ASSERT_EQ(w.hours.size(), 24u);
  EXPECT_NEAR(w.hours[8].requests, 8, 1e-9);
  EXPECT_NEAR(w.arrivals.peak_to_mean, 0.08 * 24, 1e-9);
  double sum = 0;
  for (const HourLoad& h : w.hours) sum += h.prompt_tokens;
  EXPECT_NEAR(sum, 1e6, 1e-3);
}

TEST_F(Profile, RequestsThatAreNotCountedAreEstimatedFromTheLengths) {
  add(request(kMonday, "claude-opus-5-5", 1000, 0, 100));
  UsageRecord bucket = request(kMonday + kHour, "claude-opus-5-5", 10'000, 0, 1000);
  bucket.granularity = Granularity::Hour;
  bucket.end_unix_ns = kMonday + 2 * kHour;
  bucket.requests = std::nullopt;
  add(bucket);
  const UsageProfile p = finish();
  EXPECT_EQ(p.requests, 1u);
  EXPECT_FALSE(p.rows.at(0).requests_known);
  ASSERT_EQ(p.workloads.at(0).hours.size(), 2u);
  EXPECT_DOUBLE_EQ(p.workloads[0].hours[1].requests, 10);
  EXPECT_EQ(p.workloads[0].hours_measured_share, 1);
}

TEST_F(Profile, ArrivalsAndLengths) {
  // Monday from 09:00: 200 requests, one every 9 s in turn with one every 27 s; 1,000 to 1,199
  // tokens.
  std::int64_t when = kMonday + 9 * kHour;
  for (std::uint64_t i = 0; i < 200; ++i) {
    add(request(when, "claude-opus-5-5", 1000 + i, 0, 50));
    when += (i % 2 == 0 ? 9 : 27) * kSecond;
  }
  const UsageProfile p = finish();
  const WorkloadLoad& w = p.workloads.at(0);
  // 200 requests, mean gap 18 s: an hour. Gaps of 9 and 27 vary by half of their mean.
  EXPECT_NEAR(w.arrivals.gap_cv.value(), 0.5, 0.01);
  EXPECT_EQ(w.hours.size(), 1u);
  EXPECT_NEAR(w.arrivals.hour_of_week[9], 1, 1e-12);
  EXPECT_TRUE(w.lengths_measured);
  EXPECT_NEAR(w.prompt_lengths.quantile(0.5), 1100, 50);
  EXPECT_NEAR(w.prompt_tokens_mean, 1099.5, 1e-6);
  EXPECT_EQ(w.output_lengths.count(), 200u);
}

TEST_F(Profile, TrendOfAGrowingBill) {
  // 100, 101, ... 129 thousand tokens of input on 30 days: 1 of 114.5 a day, 26.2 % a month.
  for (int day = 0; day < 30; ++day)
    add(request(kMonday + day * kDay, "claude-opus-5-5",
                static_cast<std::uint64_t>(100'000 + 1000 * day), 0, 0));
  EXPECT_NEAR(finish().trend_per_month.value(), 30 / 114.5, 1e-6);
  for (int day = 0; day < 13; ++day)
    add(request(kMonday + day * kDay, "claude-opus-5-5", 1000, 0, 0));
  EXPECT_FALSE(finish().trend_per_month.has_value());
}

TEST_F(Profile, BilledIsKeptApartFromEstimates) {
  UsageRecord billed = request(kMonday, "claude-opus-5-5", 1000, 0, 0);
  billed.reported_cost = domain::MicroUsd{4100};
  billed.cost_kind = domain::CostKind::Billed;
  add(billed);
  UsageRecord guess = billed;
  guess.cost_kind = domain::CostKind::Estimate;
  add(guess);
  const UsageProfile p = finish();
  EXPECT_EQ(p.reported_billed.value, 4100);
  EXPECT_EQ(p.rows.at(0).billed_records, 1u);
}

TEST(ProfileLimits, NamesBeyondThemGoToOther) {
  const pricing::PriceBook& book = pricing::PriceBook::bundled();
  const ModelNames names(book);
  ProfileLimits limits;
  limits.workloads_max = 4;
  limits.models_max = 3;
  limits.users_max = 5;
  ProfileBuilder builder(book, names, limits);
  for (int i = 0; i < 20; ++i) {
    UsageRecord r = request(kMonday, "claude-opus-5-5", 1000, 0, 0);
    r.workload = "w" + std::to_string(i);
    r.user = "u" + std::to_string(i);
    if (i >= 10) r.model = "m" + std::to_string(i);
    ASSERT_TRUE(builder.add(r).has_value());
  }
  const UsageProfile p = builder.finish().value();
  ASSERT_EQ(p.workloads.size(), 4u);
  EXPECT_EQ(p.workloads[3].name, kOther);
  EXPECT_EQ(p.workloads[3].records, 17u);
  EXPECT_EQ(p.models.size(), 3u);
  EXPECT_EQ(p.models[2].raw, kOther);
  EXPECT_EQ(p.users, 5u);
  EXPECT_TRUE(p.users_capped);
  EXPECT_EQ(p.priced.low.value, 10 * 4000);  // what is in "(other)" is never priced
  EXPECT_EQ(p.unpriced_tokens, 10'000u);
}

TEST(ProfileLimits, TooManyRowsAreAnError) {
  const pricing::PriceBook& book = pricing::PriceBook::bundled();
  const ModelNames names(book);
  ProfileLimits limits;
  limits.rows_max = 2;
  ProfileBuilder builder(book, names, limits);
  for (int day = 0; day < 2; ++day)
    ASSERT_TRUE(builder.add(request(kMonday + day * kDay, "claude-opus-5-5", 1, 0, 0)).has_value());
  const auto full = builder.add(request(kMonday + 2 * kDay, "claude-opus-5-5", 1, 0, 0));
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().code, base::Code::ResourceExhausted);
}

TEST(ProfileOfNothing, IsEmpty) {
  const pricing::PriceBook& book = pricing::PriceBook::bundled();
  const ModelNames names(book);
  ProfileBuilder builder(book, names);
  const UsageProfile p = builder.finish().value();
  EXPECT_EQ(p.days_covered(), 0u);
  EXPECT_EQ(p.annualised.low.value, 0);
  EXPECT_TRUE(p.rows.empty());
}

}  // namespace
}  // namespace fh::planner
