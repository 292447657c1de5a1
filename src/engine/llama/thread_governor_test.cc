// The governor on made-up machines.
#include "engine/llama/thread_governor.h"

#include <gtest/gtest.h>

namespace fh::engine::llama {
namespace {

constexpr std::int64_t kMs = 1'000'000;

// Two cores: two threads take 8 ms a step, one takes 13; disturbed, two take 80 and one 15.
std::int64_t cost(std::uint32_t threads, bool disturbed) {
  if (threads >= 2) return (disturbed ? 80 : 8) * kMs;
  return (disturbed ? 15 : 13) * kMs;
}

TEST(ThreadGovernor, StaysWhereItIsOnAQuietMachine) {
  ThreadGovernor governor(2, 2, true);
  for (int i = 0; i < 5000; ++i) {
    governor.decoded(1, cost(governor.threads(), false) + (i % 7) * kMs / 4);
    ASSERT_EQ(governor.threads(), 2U);
  }
}

TEST(ThreadGovernor, StepsDownUnderPressureAndUpAgainAfterwards) {
  ThreadGovernor governor(2, 2, true);
  for (int i = 0; i < 100; ++i) governor.decoded(1, cost(governor.threads(), false));
  std::int64_t total = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto took = cost(governor.threads(), true);
    total += took;
    governor.decoded(1, took);
  }
  EXPECT_LT(total, 1000 * 25 * kMs);  // two threads throughout: 80 seconds
  int fast = 0;
  for (int i = 0; i < 6000; ++i) {
    governor.decoded(1, cost(governor.threads(), false));
    if (i >= 5000 && governor.threads() == 2) ++fast;
  }
  EXPECT_GT(fast, 900);
}

TEST(ThreadGovernor, DepthAloneIsNoPressure) {
  ThreadGovernor governor(2, 2, true);
  int below = 0;
  for (int i = 0; i < 8000; ++i) {
    governor.decoded(1, cost(governor.threads(), false) + i * kMs / 400);
    if (governor.threads() < 2) ++below;
  }
  EXPECT_LT(below, 80);
}

TEST(ThreadGovernor, ABusyStartIsLeftBehind) {
  ThreadGovernor governor(2, 1, true);
  for (int i = 0; i < 300; ++i) governor.decoded(1, cost(governor.threads(), true));
  EXPECT_EQ(governor.threads(), 1U);
  for (int i = 0; i < 6000; ++i) governor.decoded(1, cost(governor.threads(), false));
  EXPECT_EQ(governor.threads(), 2U);
}

TEST(ThreadGovernor, DoesNothingWhenToldSo) {
  ThreadGovernor governor(4, 4, false);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(governor.decoded(1, i < 100 ? kMs : 100 * kMs), 4U);
}

TEST(ThreadGovernor, ATrialThatCannotBeJudgedIsUndone) {
  ThreadGovernor governor(2, 2, true);
  for (int i = 0; i < 100; ++i) governor.decoded(1, 8 * kMs);
  int guard = 0;
  while (governor.threads() == 2 && guard++ < 200) governor.decoded(1, 80 * kMs);
  ASSERT_EQ(governor.threads(), 1U);
  EXPECT_EQ(governor.decoded(3, 20 * kMs), 2U);
}

}  // namespace
}  // namespace fh::engine::llama
