// A table of bills computed by hand from the published rates (docs of the vendors as the bundled
// book has them), over everything that moves a price: dates, length bands that reprice the whole
// request, cache lifetimes, time-of-day prices, service tiers, cancelled and scheduled changes.
// tokens * USD per million tokens = micro-USD, so that every row can be checked with a pencil; the
// sum is written beside it. Then properties that must hold for any book.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include "pricing/price_book.h"

namespace fh::pricing {
namespace {

using domain::Usage;

constexpr std::int64_t kUnpriced = -1;

struct When {
  int year, month, day, hour = 12, minute = 0;
};

std::int64_t ns_of(const When& w) {
  const std::chrono::sys_days date(std::chrono::year(w.year) / static_cast<unsigned>(w.month) /
                                   static_cast<unsigned>(w.day));
  const auto time = date + std::chrono::hours(w.hour) + std::chrono::minutes(w.minute);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

// input, cache read, written for 5 minutes, 30 minutes, 1 hour, output
using Tokens = std::array<std::uint64_t, 6>;

Usage usage_of(const Tokens& t) {
  Usage u;
  u.input_uncached = t[0];
  u.cache_read = t[1];
  u.cache_write_5m = t[2];
  u.cache_write_30m = t[3];
  u.cache_write_1h = t[4];
  u.output = t[5];
  return u;
}

struct Row {
  const char* model;
  When when;
  Tier tier;
  Tokens tokens;
  std::int64_t micro_usd;
};

constexpr Tier kStd = Tier::Standard, kBatch = Tier::Batch, kFlex = Tier::Flex,
               kPriority = Tier::Priority, kFast = Tier::Fast;

// clang-format off
const std::vector<Row> kPeriods = {
    // The cache read of Sonnet 5.5 was halved on 7 October while every other rate stayed.
    {"claude-sonnet-5-5", {2026, 9, 27, 23, 59}, kStd, {1000, 0, 0, 0, 0, 0}, kUnpriced},
    // 2000 + 2000 + 5000 + 4000 + 5000
    {"claude-sonnet-5-5", {2026, 9, 28, 0, 0}, kStd, {1000, 10'000, 2000, 0, 1000, 500}, 18'000},
    {"claude-sonnet-5-5", {2026, 10, 6, 23, 59}, kStd, {0, 10'000, 0, 0, 0, 0}, 2000},
    {"claude-sonnet-5-5", {2026, 10, 7, 0, 0}, kStd, {0, 10'000, 0, 0, 0, 0}, 1000},
    // The rise of Sonnet 5 to 3/15 on 1 September was cancelled: 20,000 + 10,000 before and after.
    {"claude-sonnet-5", {2026, 6, 29}, kStd, {1000, 0, 0, 0, 0, 0}, kUnpriced},
    {"claude-sonnet-5", {2026, 8, 31}, kStd, {10'000, 0, 0, 0, 0, 1000}, 30'000},
    {"claude-sonnet-5", {2026, 9, 1}, kStd, {10'000, 0, 0, 0, 0, 1000}, 30'000},
    {"claude-sonnet-5", {2026, 11, 22}, kStd, {0, 1'000'000, 0, 0, 0, 0}, 200'000},
    // GPT-5.6 fell on 21 August (Sol) and 30 July (Luna, Terra).
    {"gpt-5.6-sol", {2026, 8, 20, 23, 59}, kStd, {10'000, 0, 0, 0, 0, 1000}, 80'000},  // 50k + 30k
    {"gpt-5.6-sol", {2026, 8, 21, 0, 0}, kStd, {10'000, 0, 0, 0, 0, 1000}, 60'000},    // 40k + 20k
    {"gpt-5.6", {2026, 8, 21}, kStd, {10'000, 0, 0, 0, 0, 1000}, 60'000},              // an alias
    {"gpt-5.6-luna", {2026, 7, 8}, kStd, {10'000, 0, 0, 0, 0, 0}, kUnpriced},
    {"gpt-5.6-luna", {2026, 7, 29}, kStd, {10'000, 0, 0, 0, 0, 0}, 10'000},
    {"gpt-5.6-luna", {2026, 7, 30}, kStd, {10'000, 0, 0, 0, 0, 0}, 2000},
    {"gpt-5.6-terra", {2026, 7, 29}, kStd, {0, 0, 0, 8000, 0, 0}, 25'000},  // 3.125
    {"gpt-5.6-terra", {2026, 7, 30}, kStd, {0, 0, 0, 8000, 0, 0}, 20'000},  // 2.50
    // Scheduled: Argon doubles on 1 December 2026, the Flash line on 1 January 2027.
    {"gemini-4-argon", {2026, 9, 29}, kStd, {10'000, 0, 0, 0, 0, 1000}, kUnpriced},
    {"gemini-4-argon", {2026, 11, 30, 23, 59}, kStd, {10'000, 0, 0, 0, 0, 1000}, 30'000},
    {"gemini-4-argon", {2026, 12, 1, 0, 0}, kStd, {10'000, 0, 0, 0, 0, 1000}, 60'000},
    {"gemini-3.6-flash", {2026, 1, 1}, kStd, {10'000, 0, 0, 0, 0, 0}, 15'000},  // before its fall
    {"gemini-3.6-flash", {2026, 8, 13}, kStd, {10'000, 0, 0, 0, 0, 0}, 7500},
    {"gemini-3.6-flash", {2026, 12, 31, 23, 59}, kStd, {10'000, 0, 0, 0, 0, 0}, 7500},
    {"gemini-3.6-flash", {2027, 1, 1, 0, 0}, kStd, {10'000, 0, 0, 0, 0, 0}, 15'000},
    {"gemini-3.8-flash", {2027, 6, 1}, kStd, {0, 100'000, 0, 0, 0, 2000}, 30'000},  // 15k + 15k
    // Two siblings that differ only in the cache read.
    {"gpt-6-sol", {2026, 9, 29}, kStd, {0, 100'000, 0, 0, 0, 0}, 20'000},
    {"gpt-6.1-sol", {2026, 9, 29}, kStd, {0, 100'000, 0, 0, 0, 0}, 10'000},
    {"gpt-6.1-terra", {2026, 10, 25}, kStd, {1000, 0, 0, 0, 0, 0}, kUnpriced},
    {"glm-5.2", {2025, 1, 1}, kStd, {1000, 0, 0, 0, 0, 0}, 1400},  // no date of its price is known
};

const std::vector<Row> kBands = {
    // Haiku 5.5 above 100k: five times, all tokens of the request.
    {"claude-haiku-5-5", {2026, 10, 6}, kStd, {1000, 0, 0, 0, 0, 0}, kUnpriced},
    {"claude-haiku-5-5", {2026, 10, 7}, kStd, {100'000, 0, 0, 0, 0, 1000}, 10'500},   // 10k + 500
    {"claude-haiku-5-5", {2026, 10, 7}, kStd, {100'001, 0, 0, 0, 0, 1000}, 52'500},   // 52,500.5
    {"claude-haiku-5-5", {2026, 11, 1}, kStd, {60'000, 30'000, 10'000, 0, 0, 1000}, 8050},
    // 30,000 + 1500 + 6250.625 + 2500
    {"claude-haiku-5-5", {2026, 11, 1}, kStd, {60'000, 30'000, 10'001, 0, 0, 1000}, 40'251},
    {"claude-haiku-5-5", {2026, 11, 1}, kStd, {0, 100'001, 0, 0, 0, 0}, 5000},        // 5000.05
    {"claude-haiku-5-5", {2026, 11, 1}, kStd, {0, 50'001, 0, 0, 50'000, 0}, 52'500},  // 52,500.05
    {"claude-haiku-5-5", {2026, 11, 1}, kStd, {0, 0, 0, 0, 0, 1'000'000}, 500'000},   // no prompt
    // Opus 4.6 lost its long-context price on 13 March.
    {"claude-opus-4-6", {2026, 2, 4}, kStd, {1000, 0, 0, 0, 0, 0}, kUnpriced},
    {"claude-opus-4-6", {2026, 3, 12}, kStd, {200'000, 0, 0, 0, 0, 1000}, 1'025'000},
    {"claude-opus-4-6", {2026, 3, 12}, kStd, {200'001, 0, 0, 0, 0, 1000}, 2'037'510},
    {"claude-opus-4-6", {2026, 3, 13}, kStd, {200'001, 0, 0, 0, 0, 1000}, 1'025'005},
    // 45,000 + 150,000 + 15,000, and with one token more 90,000 + 300,006 + 22,500
    {"claude-sonnet-4-5", {2026, 6, 1}, kStd, {50'000, 150'000, 0, 0, 0, 1000}, 210'000},
    {"claude-sonnet-4-5", {2026, 6, 1}, kStd, {50'001, 150'000, 0, 0, 0, 1000}, 412'506},
    // GPT above 272k: twice the input, one and a half times the output.
    {"gpt-5.4", {2026, 6, 1}, kStd, {272'000, 0, 0, 0, 0, 0}, 680'000},
    {"gpt-5.4", {2026, 6, 1}, kStd, {272'001, 0, 0, 0, 0, 0}, 1'360'005},
    {"gpt-5.6-sol", {2026, 9, 1}, kStd, {272'001, 0, 0, 0, 0, 1000}, 2'206'008},
    {"gpt-6.1-terra", {2026, 11, 1}, kStd, {0, 300'000, 0, 0, 0, 10'000}, 105'000},  // 30k + 75k
    {"gpt-6-luna", {2026, 11, 1}, kStd, {0, 272'001, 0, 0, 0, 0}, 5440},             // 5440.02
    {"gemini-2.5-pro", {2026, 6, 1}, kStd, {200'000, 0, 0, 0, 0, 0}, 250'000},
    {"gemini-2.5-pro", {2026, 6, 1}, kStd, {200'001, 0, 0, 0, 0, 0}, 500'002},       // .5 to even
    {"gemini-3.1-pro-preview", {2026, 6, 1}, kStd, {100'000, 100'001, 0, 0, 0, 1000}, 458'000},
    {"minimax-m3", {2026, 7, 1}, kStd, {0, 512'000, 0, 0, 0, 0}, 30'720},
    {"minimax-m3", {2026, 7, 1}, kStd, {0, 512'001, 0, 0, 0, 0}, 61'440},            // 61,440.12
    {"qwen3.7-plus", {2026, 7, 1}, kStd, {0, 0, 256'000, 0, 0, 0}, 160'000},
    {"qwen3.7-plus", {2026, 7, 1}, kStd, {0, 0, 256'001, 0, 0, 0}, 640'002},         // .5 to even
    {"grok-4.3", {2026, 7, 1}, kStd, {200'000, 0, 0, 0, 0, 0}, 250'000},
    {"grok-4.3", {2026, 7, 1}, kStd, {200'001, 0, 0, 0, 0, 1000}, 505'002},          // 500,002.5
    {"claude-opus-5-5", {2026, 11, 1}, kStd, {0, 500'000, 0, 0, 0, 0}, 100'000},     // no band
};

const std::vector<Row> kClassesAndTiers = {
    // 4000 + 20,000 + 25,000 + 16,000 + 16,000; twice when fast, half in a batch
    {"claude-opus-5-5", {2026, 9, 22}, kStd, {1000, 100'000, 5000, 0, 2000, 800}, 81'000},
    {"claude-opus-5-5", {2026, 9, 22}, kFast, {1000, 100'000, 5000, 0, 2000, 800}, 162'000},
    {"claude-opus-5-5", {2026, 9, 22}, kBatch, {1000, 100'000, 5000, 0, 2000, 800}, 40'500},
    {"claude-opus-5-5", {2026, 9, 22}, kPriority, {1000, 0, 0, 0, 0, 0}, kUnpriced},
    {"claude-sonnet-5-5", {2026, 11, 1}, kBatch, {1000, 10'000, 0, 0, 0, 500}, 4000},
    {"claude-sonnet-5-5", {2026, 11, 1}, kFast, {1000, 0, 0, 0, 0, 0}, kUnpriced},
    {"claude-haiku-5-5", {2026, 11, 1}, kBatch, {200'000, 0, 0, 0, 0, 0}, 50'000},
    // Lifetimes: the listed one that lasts as long, the longest listed, input where none is.
    {"claude-opus-5-5", {2026, 11, 1}, kStd, {0, 0, 0, 1000, 0, 0}, 8000},   // 30 m: as 1 h
    {"gpt-5.6-sol", {2026, 9, 1}, kStd, {0, 0, 1000, 0, 0, 0}, 5000},        // 5 m: as 30 m
    {"gpt-5.6-sol", {2026, 9, 1}, kStd, {0, 0, 0, 1000, 0, 0}, 5000},
    {"gpt-5.6-sol", {2026, 9, 1}, kStd, {0, 0, 0, 0, 1000, 0}, 5000},        // 1 h: as 30 m
    {"gpt-6.1-terra", {2026, 11, 1}, kStd, {0, 0, 0, 1000, 0, 0}, 1250},
    {"gpt-6.1-terra", {2026, 11, 1}, kStd, {0, 0, 0, 0, 1000, 0}, 2500},     // 1 h: as 12 h
    {"gpt-5.4", {2026, 6, 1}, kStd, {0, 0, 1000, 0, 0, 0}, 2500},            // as input
    {"kimi-k3", {2026, 11, 1}, kStd, {0, 0, 0, 0, 1000, 0}, 3000},           // as input
    {"kimi-k3", {2026, 11, 1}, kStd, {1000, 10'000, 0, 0, 0, 1000}, 21'000},
    // One micro-USD is the grain; halves go to the even one.
    {"claude-fable-5-1", {2026, 11, 1}, kStd, {0, 1, 0, 0, 0, 0}, 0},        // 0.25
    {"claude-fable-5-1", {2026, 11, 1}, kStd, {0, 2, 0, 0, 0, 0}, 0},        // 0.5
    {"claude-fable-5-1", {2026, 11, 1}, kStd, {0, 3, 0, 0, 0, 0}, 1},        // 0.75
    {"claude-fable-5-1", {2026, 11, 1}, kStd, {0, 6, 0, 0, 0, 0}, 2},        // 1.5
    {"claude-fable-5-1", {2026, 11, 1}, kStd, {0, 1'000'000, 0, 0, 10'000, 1000}, 500'000},
    {"gpt-5.6-sol", {2026, 9, 1}, kPriority, {10'000, 0, 0, 0, 0, 1000}, 120'000},
    {"gpt-5.6-sol", {2026, 9, 1}, kFlex, {10'000, 0, 0, 0, 0, 1000}, 30'000},
    {"gpt-5.5", {2026, 6, 1}, kPriority, {1000, 0, 0, 0, 0, 1000}, 87'500},   // 35,000 x 2.5
    {"gemini-4-argon", {2026, 11, 30}, kPriority, {10'000, 0, 0, 0, 0, 1000}, 54'000},  // x 1.8
    {"gemini-4-argon", {2026, 12, 1}, kFlex, {10'000, 0, 0, 0, 0, 1000}, 30'000},
    {"mistral-large-2512", {2026, 11, 1}, kBatch, {1000, 0, 0, 0, 0, 1000}, 1000},
    {"gpt-7", {2026, 11, 1}, kStd, {1000, 0, 0, 0, 0, 0}, kUnpriced},
    {"auto", {2026, 11, 1}, kStd, {1000, 0, 0, 0, 0, 0}, kUnpriced},
    {"gpt-oss-120b", {2026, 11, 1}, kStd, {1000, 0, 0, 0, 0, 0}, kUnpriced},  // several hosts
};

// Peak is Monday to Friday, 01-04 and 06-10 UTC. 23 November 2026 is a Monday.
const std::vector<Row> kWindows = {
    {"deepseek-flash", {2026, 11, 23, 0, 59}, kStd, {10'000, 1000, 0, 0, 0, 1000}, 2103},
    {"deepseek-flash", {2026, 11, 23, 1, 0}, kStd, {10'000, 1000, 0, 0, 0, 1000}, 4206},
    {"deepseek-flash", {2026, 11, 23, 3, 59}, kStd, {10'000, 1000, 0, 0, 0, 1000}, 4206},
    {"deepseek-flash", {2026, 11, 23, 4, 0}, kStd, {10'000, 1000, 0, 0, 0, 1000}, 2103},
    {"deepseek-flash", {2026, 11, 23, 6, 0}, kStd, {10'000, 1000, 0, 0, 0, 1000}, 4206},
    {"deepseek-flash", {2026, 11, 23, 10, 0}, kStd, {10'000, 1000, 0, 0, 0, 1000}, 2103},
    {"deepseek-v4.1-flash", {2026, 11, 27, 9, 59}, kStd, {10'000, 1000, 0, 0, 0, 1000}, 4206},
    {"deepseek-flash", {2026, 11, 28, 2, 0}, kStd, {10'000, 1000, 0, 0, 0, 1000}, 2103},
    {"deepseek-flash", {2026, 11, 22, 2, 0}, kStd, {10'000, 1000, 0, 0, 0, 1000}, 2103},
    // A flat price became a peak price on 16 August, and a cheaper one on 10 September.
    {"deepseek-v4-flash", {2026, 8, 14, 2, 0}, kStd, {10'000, 0, 0, 0, 0, 0}, 1400},
    {"deepseek-v4-flash", {2026, 8, 17, 2, 0}, kStd, {10'000, 0, 0, 0, 0, 0}, 4400},
    {"deepseek-v4-flash", {2026, 8, 17, 5, 0}, kStd, {10'000, 0, 0, 0, 0, 0}, 2200},
    {"deepseek-v4-flash", {2026, 9, 10, 2, 0}, kStd, {10'000, 0, 0, 0, 0, 0}, 3000},
    {"deepseek-v4-pro", {2026, 5, 1}, kStd, {0, 1'000'000, 0, 0, 0, 0}, 3625},
    {"deepseek-v4-pro", {2026, 8, 16, 2, 0}, kStd, {0, 10'000, 0, 0, 0, 0}, 220},  // a Sunday
    {"deepseek-v4-pro", {2026, 8, 18, 2, 0}, kStd, {0, 10'000, 0, 0, 0, 0}, 440},
};
// clang-format on

void check(const std::vector<Row>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const auto quote =
        PriceBook::bundled().price({row.model, usage_of(row.tokens), ns_of(row.when), row.tier});
    const std::string where =
        fmt::format("row {}: {} on {}-{}-{} {}:{:02}", i, row.model, row.when.year, row.when.month,
                    row.when.day, row.when.hour, row.when.minute);
    if (row.micro_usd == kUnpriced) {
      ASSERT_FALSE(quote.has_value()) << where;
      EXPECT_EQ(quote.error().reason, "unpriced") << where;
    } else {
      ASSERT_TRUE(quote.has_value()) << where << ": " << quote.error().text();
      EXPECT_EQ(quote->cost.value, row.micro_usd) << where;
    }
  }
}

TEST(PriceTable, Periods) {
  check(kPeriods);
}
TEST(PriceTable, WholeRequestBands) {
  check(kBands);
}
TEST(PriceTable, CacheLifetimesAndTiers) {
  check(kClassesAndTiers);
}
TEST(PriceTable, TimeOfDay) {
  check(kWindows);
}
TEST(PriceTable, IsLargeEnough) {
  EXPECT_GE(kPeriods.size() + kBands.size() + kClassesAndTiers.size() + kWindows.size(), 60u);
}

// --- ranges for buckets ---------------------------------------------------------------------

PriceRange range(std::string_view model, const RangeQuery& q) {
  const auto entry = PriceBook::bundled().entry_index(model);
  EXPECT_TRUE(entry.has_value()) << model;
  const auto out = PriceBook::bundled().price_range(entry.value_or(0), q);
  EXPECT_TRUE(out.has_value()) << (out ? "" : out.error().text());
  return out.value_or(PriceRange{});
}

RangeQuery bucket(const Tokens& tokens, const When& from, std::int64_t hours,
                  PromptLengths lengths = PromptLengths::Untold) {
  RangeQuery q;
  q.usage = usage_of(tokens);
  q.from_unix_ns = ns_of(from);
  q.to_unix_ns = q.from_unix_ns + hours * 3'600'000'000'000;
  q.lengths = lengths;
  return q;
}

TEST(PriceRange, OfOneRequestIsItsPrice) {
  RangeQuery q = bucket({100'001, 0, 0, 0, 0, 1000}, {2026, 11, 1}, 0, PromptLengths::OneRequest);
  EXPECT_EQ(range("claude-haiku-5-5", q).low.value, 52'500);
  EXPECT_EQ(range("claude-haiku-5-5", q).high.value, 52'500);
}

TEST(PriceRange, OfADayOfUnknownPromptsSpansTheBands) {
  // 1M input and 10k output: 100,000 + 5,000 if all were short, 500,000 + 25,000 if all were long.
  const PriceRange r =
      range("claude-haiku-5-5", bucket({1'000'000, 0, 0, 0, 0, 10'000}, {2026, 11, 1, 0, 0}, 24));
  EXPECT_EQ(r.low.value, 105'000);
  EXPECT_EQ(r.high.value, 525'000);
  // A day of 100,000 tokens cannot hold a prompt above 100,000.
  const PriceRange sure =
      range("claude-haiku-5-5", bucket({100'000, 0, 0, 0, 0, 0}, {2026, 11, 1, 0, 0}, 24));
  EXPECT_EQ(sure.low.value, 10'000);
  EXPECT_EQ(sure.high.value, 10'000);
}

TEST(PriceRange, OfABandThatTheSourceToldIsSure) {
  RangeQuery q =
      bucket({1'000'000, 0, 0, 0, 0, 0}, {2026, 3, 1, 0, 0}, 24, PromptLengths::BandTold);
  EXPECT_EQ(range("claude-opus-4-6", q).high.value, 5'000'000);  // "0-200k"
  q.prompt_over = 200'000;                                       // "200k-1m"
  EXPECT_EQ(range("claude-opus-4-6", q).low.value, 10'000'000);
  EXPECT_EQ(range("claude-opus-4-6", q).high.value, 10'000'000);
  // "0-200k" does not settle a band that begins at 100k.
  RangeQuery haiku =
      bucket({1'000'000, 0, 0, 0, 0, 0}, {2026, 11, 1, 0, 0}, 24, PromptLengths::BandTold);
  EXPECT_EQ(range("claude-haiku-5-5", haiku).low.value, 100'000);
  EXPECT_EQ(range("claude-haiku-5-5", haiku).high.value, 500'000);
}

TEST(PriceRange, OfATimeThatAPeakTouchesSpansBothPrices) {
  // Monday's bucket of a day: peak for 7 of its hours.
  const PriceRange day =
      range("deepseek-flash", bucket({1'000'000, 0, 0, 0, 0, 0}, {2026, 11, 23, 0, 0}, 24));
  EXPECT_EQ(day.low.value, 150'000);
  EXPECT_EQ(day.high.value, 300'000);
  // An hour inside the peak, one outside it, and a Sunday.
  const Tokens million = {1'000'000, 0, 0, 0, 0, 0};
  EXPECT_EQ(range("deepseek-flash", bucket(million, {2026, 11, 23, 1, 0}, 1)).low.value, 300'000);
  EXPECT_EQ(range("deepseek-flash", bucket(million, {2026, 11, 23, 4, 0}, 1)).high.value, 150'000);
  EXPECT_EQ(range("deepseek-flash", bucket(million, {2026, 11, 22, 0, 0}, 24)).high.value, 150'000);
}

// --- properties -----------------------------------------------------------------------------

struct Rate {
  std::int64_t micro;  // micro-USD per million tokens
  std::string text() const { return fmt::format("{}.{:06}", micro / 1'000'000, micro % 1'000'000); }
};

std::string book_text(const std::array<std::int64_t, 6>& base,
                      const std::array<std::int64_t, 6>& over, std::uint64_t threshold) {
  const auto rates = [](const std::array<std::int64_t, 6>& r) {
    return fmt::format(
        R"({{"input":{},"cache_read":{},"cache_write_5m":{},"cache_write_30m":{},"cache_write_1h":{},"output":{}}})",
        Rate{r[0]}.text(), Rate{r[1]}.text(), Rate{r[2]}.text(), Rate{r[3]}.text(),
        Rate{r[4]}.text(), Rate{r[5]}.text());
  };
  return fmt::format(
      R"({{"schema":"freehold.prices/1","as_of":"2026-11-22","currency":"USD","unit":"per 1,000,000 tokens","sources":{{}},"entries":[{{"id":"a/m","provider":"a","model":"m","periods":[{{"effective_from":null,"effective_to":null,"bands":[{{"prompt_tokens_over":null,"rates":{}}},{{"prompt_tokens_over":{},"rates":{}}}]}}],"source":["x"],"as_of":"2026-11-22","confidence":"high"}}]}})",
      rates(base), threshold, rates(over));
}

PriceBook book_of(const std::string& text) {
  auto book = PriceBook::parse(text);
  RC_ASSERT(book.has_value());
  return std::move(*book);
}

std::array<std::int64_t, 6> some_rates() {
  std::array<std::int64_t, 6> out{};
  for (auto& r : out) r = *rc::gen::inRange<std::int64_t>(1, 100'000'000);
  return out;
}

Tokens some_tokens() {
  Tokens out{};
  for (auto& t : out) t = *rc::gen::inRange<std::uint64_t>(0, 400'000);
  return out;
}

std::int64_t bill(const PriceBook& book, const Tokens& tokens) {
  const auto quote = book.price({"m", usage_of(tokens), 0, Tier::Standard});
  RC_ASSERT(quote.has_value());
  return quote->cost.value;
}

RC_GTEST_PROP(PriceProperty, ACheaperPriceNeverRaisesTheBill, ()) {
  const auto dear = some_rates();
  const auto dear_over = some_rates();
  auto cheap = dear, cheap_over = dear_over;
  for (std::size_t i = 0; i < cheap.size(); ++i) {
    cheap[i] = *rc::gen::inRange<std::int64_t>(1, dear[i] + 1);
    cheap_over[i] = *rc::gen::inRange<std::int64_t>(1, dear_over[i] + 1);
  }
  const Tokens tokens = some_tokens();
  RC_ASSERT(bill(book_of(book_text(cheap, cheap_over, 200'000)), tokens) <=
            bill(book_of(book_text(dear, dear_over, 200'000)), tokens));
}

RC_GTEST_PROP(PriceProperty, ClassesSumToTheBill, ()) {
  const auto rates = some_rates();
  const PriceBook book = book_of(book_text(rates, rates, 200'000));  // both bands alike
  const Tokens tokens = some_tokens();
  std::int64_t sum = 0;
  __int128 exact = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    Tokens one{};
    one[i] = tokens[i];
    sum += bill(book, one);
    exact += static_cast<__int128>(tokens[i]) * rates[i];
  }
  // Seven roundings of at most half a micro-USD lie between the two.
  RC_ASSERT(std::abs(sum - bill(book, tokens)) <= 3);
  RC_ASSERT(std::abs(static_cast<double>(bill(book, tokens)) - static_cast<double>(exact) / 1e6) <=
            0.5 + 1e-6);
}

RC_GTEST_PROP(PriceProperty, ARangeHoldsEveryWayToSplitABucket, ()) {
  const PriceBook book = book_of(book_text(some_rates(), some_rates(), 200'000));
  // Requests of one bucket, then the bucket's range against their own bills.
  std::int64_t requests = 0;
  Tokens sum{};
  const int count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) {
    const Tokens tokens = some_tokens();
    requests += bill(book, tokens);
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += tokens[k];
  }
  RangeQuery q;
  q.usage = usage_of(sum);
  q.to_unix_ns = 86'400'000'000'000;
  q.lengths = PromptLengths::Untold;
  const auto r = book.price_range(0, q);
  RC_ASSERT(r.has_value());
  RC_ASSERT(r->low <= r->high);
  RC_ASSERT(requests >= r->low.value - count);  // each request was rounded once
  RC_ASSERT(requests <= r->high.value + count);
}

}  // namespace
}  // namespace fh::pricing
