// Randomness: the seeded generator repeats, bounds hold, tokens are uniform enough to notice a
// broken table.
#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <map>

namespace fh::base {
namespace {

TEST(Random, SeedRepeats) {
  SeededRandom a(7);
  SeededRandom b(7);
  SeededRandom c(8);
  EXPECT_EQ(a.token(40), b.token(40));
  EXPECT_NE(a.token(40), c.token(40));
}

TEST(Random, FillTouchesEveryByteOfOddLengths) {
  SeededRandom random(1);
  for (std::size_t length : {1, 7, 8, 9, 31}) {
    std::vector<int> changed(length, 0);
    for (int round = 0; round < 20; ++round) {
      std::vector<std::uint8_t> bytes(length, 0);
      random.fill(bytes);
      for (std::size_t i = 0; i < length; ++i) changed[i] |= bytes[i];
    }
    for (const int bits : changed) EXPECT_NE(bits, 0);
  }
}

TEST(Random, BelowStaysBelowAndReachesAll) {
  SeededRandom random(2);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 500; ++i) {
    const std::uint64_t value = random.below(5);
    EXPECT_LT(value, 5U);
    seen.insert(value);
  }
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_EQ(random.below(1), 0U);
  EXPECT_LT(random.below(UINT64_MAX), UINT64_MAX);
}

TEST(Random, TokensUseTheWholeAlphabetEvenly) {
  SeededRandom random(3);
  std::map<char, int> counts;
  const std::string token = random.token(62'000);
  EXPECT_EQ(token.size(), 62'000U);
  for (const char c : token) ++counts[c];
  EXPECT_EQ(counts.size(), 62U);
  // 1000 expected of each, standard deviation 31: ten of them is no accident.
  for (const auto& [c, count] : counts) EXPECT_NEAR(count, 1000, 310) << c;
}

}  // namespace
}  // namespace fh::base
