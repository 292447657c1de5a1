// Cell accounting against a naive model: sequences as lists of numbered cells in a multiset.
#include "engine/llama/cell_ledger.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace fh::engine::llama {
namespace {

TEST(CellLedger, ForkSharesCellsUntilTheLastHolderGoes) {
  CellLedger ledger(10, 3);
  ASSERT_TRUE(ledger.append(0, 6));
  ASSERT_TRUE(ledger.fork(0, 1, 4));
  EXPECT_EQ(ledger.used(), 6U);
  EXPECT_EQ(ledger.owned_alone(0), 2U);
  EXPECT_EQ(ledger.owned_alone(1), 0U);
  ASSERT_TRUE(ledger.append(1, 4));
  EXPECT_EQ(ledger.free(), 0U);
  EXPECT_FALSE(ledger.append(0, 1));
  ASSERT_TRUE(ledger.trim(0, 0));
  EXPECT_EQ(ledger.used(), 8U);
  EXPECT_EQ(ledger.owned_alone(1), 8U);
}

TEST(CellLedger, RefusesWhatDoesNotExist) {
  CellLedger ledger(10, 2);
  EXPECT_FALSE(ledger.append(2, 1));
  EXPECT_FALSE(ledger.append(-1, 1));
  EXPECT_FALSE(ledger.append(0, 11));
  ASSERT_TRUE(ledger.append(0, 3));
  EXPECT_FALSE(ledger.fork(0, 0, 1));
  EXPECT_FALSE(ledger.fork(0, 1, 4));
  EXPECT_FALSE(ledger.trim(0, 4));
  ASSERT_TRUE(ledger.append(1, 1));
  EXPECT_FALSE(ledger.fork(0, 1, 1));  // not empty
  EXPECT_EQ(ledger.used(), 4U);
}

TEST(CellLedger, AgreesWithANaiveModel) {
  constexpr std::uint32_t kCells = 40;
  constexpr int kSequences = 4;
  std::mt19937 rng(7);
  CellLedger ledger(kCells, kSequences);
  std::vector<std::vector<int>> model(kSequences);
  int next_cell = 0;
  const auto used = [&] {
    std::map<int, int> holders;
    for (const auto& cells : model) {
      for (const int cell : cells) ++holders[cell];
    }
    return static_cast<std::uint32_t>(holders.size());
  };
  for (int round = 0; round < 5000; ++round) {
    const int a = static_cast<int>(rng() % kSequences);
    const int b = static_cast<int>(rng() % kSequences);
    const std::uint32_t n = rng() % 12;
    auto& mine = model[static_cast<std::size_t>(a)];
    auto& other = model[static_cast<std::size_t>(b)];
    switch (rng() % 3) {
      case 0: {
        const bool fits = used() + n <= kCells;
        EXPECT_EQ(ledger.append(a, n), fits);
        for (std::uint32_t i = 0; fits && i < n; ++i) mine.push_back(next_cell++);
        break;
      }
      case 1: {
        const bool ok = n <= mine.size();
        EXPECT_EQ(ledger.trim(a, n), ok);
        if (ok) mine.resize(n);
        break;
      }
      default: {
        const bool ok = a != b && other.empty() && mine.size() >= n;
        EXPECT_EQ(ledger.fork(a, b, n), ok);
        if (ok) other.assign(mine.begin(), mine.begin() + n);
      }
    }
    ASSERT_EQ(ledger.used(), used());
    ASSERT_EQ(ledger.length(a), mine.size());
    ASSERT_EQ(ledger.length(b), other.size());
  }
}

}  // namespace
}  // namespace fh::engine::llama
