// The sketch against exact quantiles of the same values.

#include "planner/sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace fh::planner {
namespace {

TEST(Sketch, QuantilesAreNearTheExactOnes) {
  // A long-tailed set without randomness: i^3 for i in 1..4,000, in an order that is not sorted.
  std::vector<std::uint64_t> values;
  Sketch sketch;
  for (std::uint64_t i = 1; i <= 4000; ++i) {
    const std::uint64_t k = i * 2741 % 4001;
    values.push_back(k * k * k);
    sketch.add(k * k * k);
  }
  std::ranges::sort(values);
  for (const double share : {0.01, 0.1, 0.5, 0.9, 0.95, 0.99}) {
    const auto rank = static_cast<std::size_t>(share * 3999);
    const auto exact = static_cast<double>(values[rank]);
    EXPECT_NEAR(sketch.quantile(share) / exact, 1, 0.06) << share;
  }
  EXPECT_EQ(sketch.count(), 4000u);
}

TEST(Sketch, SmallValuesAreExact) {
  Sketch s;
  for (std::uint64_t v : {0u, 1u, 1u, 2u, 7u}) s.add(v);
  EXPECT_EQ(s.quantile(0), 0);
  EXPECT_EQ(s.quantile(0.5), 1);
  EXPECT_EQ(s.quantile(1), 7);
  EXPECT_DOUBLE_EQ(s.mean(), 11.0 / 5);
  EXPECT_DOUBLE_EQ(s.share_up_to(1), 0.6);
}

TEST(Sketch, SumsAndExtremes) {
  Sketch a, b;
  a.add(1000, 3);
  b.add(UINT64_MAX);
  a.merge(b);
  EXPECT_EQ(a.count(), 4u);
  EXPECT_NEAR(a.quantile(0.5), 1000, 65);
  EXPECT_TRUE(std::isfinite(a.quantile(1)));
  EXPECT_EQ(Sketch().quantile(0.5), 0);
}

}  // namespace
}  // namespace fh::planner
