// A budget ends what takes too much, on its own thread and only while it lasts.
#include "base/memory_budget.h"

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace fh::base {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

// Doubles a text until memory ends; how large it got.
std::size_t grown() {
  std::string text(kMiB, 'x');
  try {
    while (text.size() < 256 * kMiB) text += text;
  } catch (const std::bad_alloc&) {
  }
  return text.size();
}

TEST(MemoryBudget, EndsWhatTakesTooMuch) {
  if (!MemoryBudget::kCounts) GTEST_SKIP() << "a sanitizer has the operators";
  MemoryBudget budget(20 * kMiB);
  const std::size_t size = grown();
  EXPECT_TRUE(budget.exceeded());
  EXPECT_GE(size, 4 * kMiB);
  EXPECT_LE(size, 20 * kMiB);
}

TEST(MemoryBudget, WhatIsFreedMayBeTakenAgain) {
  MemoryBudget budget(20 * kMiB);
  for (int i = 0; i < 100; ++i) std::vector<char> some(10 * kMiB);
  for (int i = 0; i < 100; ++i) static_cast<void>(std::make_unique<std::string>(kMiB, 'x'));
  EXPECT_FALSE(budget.exceeded());
}

TEST(MemoryBudget, EndsWithItsScopeAndLeavesOtherThreadsAlone) {
  std::size_t elsewhere = 0;
  {
    MemoryBudget budget(4 * kMiB);
    MemoryBudget* const outer = &budget;
    {
      MemoryBudget inner(1024 * kMiB);
      EXPECT_EQ(grown(), 256 * kMiB);
      EXPECT_FALSE(inner.exceeded() || outer->exceeded());
    }
    if (MemoryBudget::kCounts) EXPECT_LT(grown(), 256 * kMiB);
    std::thread other([&] { elsewhere = grown(); });
    other.join();
    budget.lift();
    EXPECT_EQ(grown(), 256 * kMiB);
  }
  EXPECT_EQ(elsewhere, 256 * kMiB);
  EXPECT_EQ(grown(), 256 * kMiB);
}

TEST(MemoryBudget, AFormThatDoesNotThrowGivesNothing) {
  if (!MemoryBudget::kCounts) GTEST_SKIP() << "a sanitizer has the operators";
  MemoryBudget budget(kMiB);
  const std::unique_ptr<char, void (*)(char*)> memory(
      static_cast<char*>(::operator new(8 * kMiB, std::nothrow)),
      [](char* some) { ::operator delete(some); });
  EXPECT_EQ(memory, nullptr);
  EXPECT_TRUE(budget.exceeded());
}

}  // namespace
}  // namespace fh::base
