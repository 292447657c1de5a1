// How money is shown: rounded, never cut off, and never zero unless it is.
#include "domain/money.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <utility>

namespace fh::domain {
namespace {

TEST(Money, IsShownRoundedToWhatMatters) {
  const std::pair<std::int64_t, const char*> cases[] = {
      {0, "$0.00"},         {1, "$0.000001"},         {12, "$0.000012"},
      {125, "$0.00013"},    {944, "$0.00094"},        {1'888, "$0.0019"},
      {6'084, "$0.0061"},   {9'949, "$0.0099"},       {9'950, "$0.010"},
      {99'499, "$0.099"},   {99'500, "$0.10"},        {100'000, "$0.10"},
      {104'999, "$0.10"},   {105'000, "$0.11"},       {12'345'678, "$12.35"},
      {-1'888, "-$0.0019"}, {-12'345'678, "-$12.35"},
  };
  for (const auto& [micro_usd, text] : cases) {
    EXPECT_EQ(display_usd(MicroUsd{micro_usd}), text) << micro_usd;
  }
}

TEST(Money, IsWrittenExactly) {
  EXPECT_EQ(format_usd(MicroUsd{12'345'678}), "12.345678");
  EXPECT_EQ(format_usd(MicroUsd{-1}), "-0.000001");
  EXPECT_EQ(format_usd(MicroUsd{std::numeric_limits<std::int64_t>::min()}),
            "-9223372036854.775808");
}

TEST(Money, RoundsHalfToEven) {
  const std::pair<std::int64_t, std::int64_t> halves[] = {
      {1, 0}, {3, 2}, {5, 2}, {-1, 0}, {-3, -2}};
  for (const auto& [numerator, whole] : halves) {
    const auto money = rounded(numerator, 2);
    ASSERT_TRUE(money);
    EXPECT_EQ(money->value, whole) << numerator;
  }
}

}  // namespace
}  // namespace fh::domain
