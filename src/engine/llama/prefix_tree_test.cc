// The store of parked blocks: matching, isolation, eviction by value.
#include "engine/llama/prefix_tree.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace fh::engine::llama {
namespace {

constexpr std::uint32_t kBlock = 4;
constexpr std::uint64_t kBlockBytes = 100 + kBlock * sizeof(Token);

std::vector<Token> tokens(Token first, std::size_t count) {
  std::vector<Token> out(count);
  std::iota(out.begin(), out.end(), first);
  return out;
}

// Stores every whole block of `all`; the data of a block is its end position.
bool store(PrefixTree& tree, std::string_view tenant, std::span<const Token> all) {
  bool ok = true;
  for (std::size_t end = kBlock; end <= all.size(); end += kBlock) {
    if (tree.stored(tenant, all.first(end)) >= end) continue;
    BlockData data(100);
    data[0] = static_cast<std::uint8_t>(end);
    ok = ok && tree.insert(tenant, all.first(end), data);
  }
  return ok;
}

TEST(PrefixTree, FindsTheLongestStoredBeginning) {
  PrefixTree tree({kBlock, 10'000});
  ASSERT_TRUE(store(tree, "t", tokens(1, 12)));
  auto other = tokens(1, 12);
  other[9] = 77;
  const auto match = tree.find("t", other);
  EXPECT_EQ(match.tokens, 8U);
  ASSERT_EQ(match.blocks.size(), 2U);
  EXPECT_EQ((*match.blocks[0])[0], 4);
  EXPECT_EQ((*match.blocks[1])[0], 8);
  EXPECT_EQ(tree.find("t", tokens(2, 12)).tokens, 0U);
  EXPECT_EQ(tree.find("t", tokens(1, 7)).tokens, 4U);
}

TEST(PrefixTree, SharedBeginningsAreStoredOnce) {
  PrefixTree tree({kBlock, 10'000});
  ASSERT_TRUE(store(tree, "t", tokens(1, 12)));
  auto branch = tokens(1, 12);
  branch[8] = 99;
  ASSERT_TRUE(store(tree, "t", branch));
  EXPECT_EQ(tree.blocks(), 4U);
  EXPECT_EQ(tree.find("t", branch).tokens, 12U);
}

TEST(PrefixTree, TenantsDoNotSeeEachOther) {
  PrefixTree tree({kBlock, 10'000});
  ASSERT_TRUE(store(tree, "a", tokens(1, 8)));
  EXPECT_EQ(tree.find("b", tokens(1, 8)).tokens, 0U);
  EXPECT_EQ(tree.stored("", tokens(1, 8)), 0U);
  ASSERT_TRUE(store(tree, "b", tokens(1, 8)));
  EXPECT_EQ(tree.blocks(), 4U);
}

TEST(PrefixTree, ABlockNeedsTheOnesBeforeIt) {
  PrefixTree tree({kBlock, 10'000});
  EXPECT_FALSE(tree.insert("t", tokens(1, 8), BlockData(100)));
  EXPECT_EQ(tree.blocks(), 0U);
}

TEST(PrefixTree, AnEndIsFoundByItsExactTokensOnly) {
  PrefixTree tree({kBlock, 10'000});
  const auto all = tokens(1, 11);
  EXPECT_FALSE(tree.insert("t", all, BlockData(100)));  // the blocks before it are missing
  ASSERT_TRUE(store(tree, "t", all));
  ASSERT_TRUE(tree.insert("t", all, BlockData(60, 7)));
  EXPECT_EQ(tree.blocks(), 3U);
  EXPECT_EQ(tree.bytes(), 2 * kBlockBytes + 60 + 3 * sizeof(Token));
  ASSERT_NE(tree.find_end("t", all), nullptr);
  EXPECT_EQ((*tree.find_end("t", all))[0], 7);
  EXPECT_TRUE(tree.has_end("t", all));
  EXPECT_FALSE(tree.has_end("t", tokens(1, 10)));
  EXPECT_FALSE(tree.has_end("t", tokens(1, 12)));
  EXPECT_FALSE(tree.has_end("t", tokens(1, 8)));  // a whole block is no end
  EXPECT_FALSE(tree.has_end("u", all));
  EXPECT_EQ(tree.stored("t", all), 8U);
  EXPECT_EQ(tree.find("t", tokens(1, 30)).tokens, 8U);
  // Another end behind the same blocks, and one that begins a whole block.
  auto other = all;
  other[10] = 99;
  ASSERT_TRUE(tree.insert("t", other, BlockData(60, 8)));
  ASSERT_TRUE(store(tree, "t", tokens(1, 12)));
  EXPECT_EQ((*tree.find_end("t", all))[0], 7);
  EXPECT_EQ((*tree.find_end("t", other))[0], 8);
  tree.erase("t", all);
  EXPECT_FALSE(tree.has_end("t", all));
  EXPECT_TRUE(tree.has_end("t", other));
  EXPECT_EQ(tree.stored("t", tokens(1, 12)), 12U);
  tree.erase("t", tokens(1, 8));
  EXPECT_EQ(tree.stored("t", all), 4U);
  EXPECT_EQ(tree.bytes(), kBlockBytes);
}

TEST(PrefixTree, AnEndWithoutBlocksBeforeItHangsOnTheRoot) {
  PrefixTree tree({kBlock, 10'000});
  ASSERT_TRUE(tree.insert("t", tokens(1, 3), BlockData(60)));
  EXPECT_TRUE(tree.has_end("t", tokens(1, 3)));
  EXPECT_EQ(tree.stored("t", tokens(1, 9)), 0U);
  tree.erase("t", tokens(1, 3));
  EXPECT_EQ(tree.blocks(), 0U);
  EXPECT_EQ(tree.bytes(), 0U);
}

TEST(PrefixTree, SideRequestsConsumeEachOtherNotTheLongConversation) {
  const auto conversation = tokens(1, 80);
  PrefixTree tree({kBlock, 24 * kBlockBytes});
  ASSERT_TRUE(store(tree, "t", conversation));
  for (int i = 0; i < 25; ++i) {
    const auto side = tokens(10'000 + i * 100, 8);
    tree.find("t", side);
    store(tree, "t", side);
    EXPECT_LE(tree.bytes(), 24 * kBlockBytes);
  }
  EXPECT_EQ(tree.stored("t", conversation), 80U);
  EXPECT_GT(tree.evictions(), 0U);
}

TEST(PrefixTree, ANewLongConversationReplacesAnOldOneInTheEnd) {
  PrefixTree tree({kBlock, 20 * kBlockBytes});
  const auto first = tokens(1, 72);
  ASSERT_TRUE(store(tree, "t", first));
  const auto second = tokens(5'000, 72);
  for (int turn = 0; turn < 40; ++turn) {
    tree.find("t", second);
    store(tree, "t", second);
  }
  EXPECT_EQ(tree.stored("t", second), 72U);
}

TEST(PrefixTree, WhatWasFoundStaysValidWhenEvicted) {
  PrefixTree tree({kBlock, 2 * kBlockBytes});
  ASSERT_TRUE(store(tree, "t", tokens(1, 8)));
  const auto match = tree.find("t", tokens(1, 8));
  tree.erase("t", tokens(1, 4));
  EXPECT_EQ(tree.blocks(), 0U);
  EXPECT_EQ(tree.bytes(), 0U);
  ASSERT_EQ(match.blocks.size(), 2U);
  EXPECT_EQ((*match.blocks[1])[0], 8);
}

TEST(PrefixTree, StoresNothingWithoutRoom) {
  PrefixTree tree({kBlock, 0});
  EXPECT_FALSE(store(tree, "t", tokens(1, 4)));
  EXPECT_EQ(tree.find("t", tokens(1, 4)).tokens, 0U);
}

TEST(PrefixTree, RandomUseKeepsItsBooksAndNeverReturnsForeignBlocks) {
  std::mt19937 rng(11);
  PrefixTree tree({kBlock, 15 * kBlockBytes});
  for (int round = 0; round < 3000; ++round) {
    const std::string tenant(1, static_cast<char>('a' + rng() % 3));
    std::vector<Token> all;
    const std::size_t length = rng() % 40;
    for (std::size_t i = 0; i < length; ++i) {
      // Few distinct tokens, so that beginnings are often shared; the tenant is in the token.
      all.push_back(static_cast<Token>(tenant[0] * 10 + static_cast<int>(i / 7) +
                                       static_cast<int>(rng() % 8 == 0)));
    }
    const auto match = tree.find(tenant, all);
    ASSERT_EQ(match.tokens, match.blocks.size() * kBlock);
    for (std::size_t i = 0; i < match.blocks.size(); ++i) {
      ASSERT_EQ((*match.blocks[i])[0], (i + 1) * kBlock);
    }
    store(tree, tenant, all);
    ASSERT_LE(tree.bytes(), tree.bytes_max());
    ASSERT_EQ(tree.bytes(), tree.blocks() * kBlockBytes);
    if (rng() % 20 == 0 && all.size() >= kBlock) {
      tree.erase(tenant, std::span<const Token>(all).first(kBlock));
      ASSERT_EQ(tree.stored(tenant, all), 0U);
    }
  }
}

}  // namespace
}  // namespace fh::engine::llama
