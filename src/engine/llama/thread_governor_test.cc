// The governor on made-up machines.
#include "engine/llama/thread_governor.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fh::engine::llama {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1'000 * kMs;

// `cores` cores, of which others keep `busy` to themselves. A step of one thread takes 16 ms and
// threads share it evenly; where there are more threads than free cores, all wait for the late
// ones, ten times as long, and get no more time than there are cores.
struct Machine {
  std::uint32_t cores = 2;
  std::uint32_t busy = 0;
  ThreadGovernor governor;
  std::int64_t now = 0;

  Machine(std::uint32_t all, std::uint32_t begin) : cores(all), governor(all, begin, true) {}
  void step(std::uint32_t kind = 1, std::int64_t more = 0) {
    const std::uint32_t threads = governor.threads();
    const std::uint32_t free = std::max(1U, cores - busy);
    std::int64_t took = 16 * kMs / threads + more;
    double had = 0.98 * threads;
    if (threads > free) {
      took *= 10;
      had = free + 0.3;
    }
    now += took;
    governor.after({kind, static_cast<double>(took), took,
                    static_cast<std::int64_t>(had * static_cast<double>(took))});
  }
  // Steps in so much time.
  int run(std::int64_t nanoseconds) {
    const std::int64_t end = now + nanoseconds;
    int steps = 0;
    for (; now < end; ++steps) step();
    return steps;
  }
};

TEST(ThreadGovernor, StaysWhereItIsOnAQuietMachine) {
  Machine machine(2, 2);
  for (int i = 0; i < 5000; ++i) {
    machine.step(1, i % 7 * kMs);
    ASSERT_EQ(machine.governor.threads(), 2U);
  }
}

TEST(ThreadGovernor, StepsDownUnderPressureAndUpAgainAfterwards) {
  Machine machine(2, 2);
  machine.run(kSecond);
  machine.busy = 1;
  // One thread throughout would make 62 steps in a second, two 12.
  EXPECT_GT(machine.run(60 * kSecond), 60 * 55);
  machine.busy = 0;
  machine.run(40 * kSecond);
  EXPECT_EQ(machine.governor.threads(), 2U);
}

// A machine that has been busy for as long as the governor knows it: there is no better time to
// compare with.
TEST(ThreadGovernor, PressureFromTheFirstStepOnIsSeen) {
  Machine machine(2, 2);
  machine.busy = 1;
  machine.run(3 * kSecond);
  EXPECT_EQ(machine.governor.threads(), 1U);
  for (int i = 0; i < 20; ++i) {  // answers come and go
    machine.step(2);
    machine.step(1);
  }
  EXPECT_EQ(machine.governor.threads(), 1U);
}

TEST(ThreadGovernor, AsManyThreadsAsThereAreCoresLeft) {
  Machine machine(16, 16);
  machine.busy = 8;
  machine.run(5 * kSecond);
  EXPECT_EQ(machine.governor.threads(), 8U);
  machine.busy = 0;
  machine.run(60 * kSecond);
  EXPECT_EQ(machine.governor.threads(), 16U);
}

// A neighbour that works and rests in turns: more threads are right for a while, again and again,
// and each time are given up. They are tried less and less often.
TEST(ThreadGovernor, MoreThreadsThatDoNotLastAreTriedLessOften) {
  Machine machine(2, 2);
  const auto changes_in = [&](std::int64_t seconds) {
    int changes = 0;
    const std::int64_t end = machine.now + seconds * kSecond;
    while (machine.now < end) {
      machine.busy = machine.now / kSecond % 3 == 0 ? 0 : 1;
      const std::uint32_t before = machine.governor.threads();
      machine.step();
      if (machine.governor.threads() != before) ++changes;
    }
    return changes;
  };
  const int first = changes_in(30);
  changes_in(60);
  EXPECT_LT(changes_in(30), first / 2);
  machine.busy = 0;
  machine.run(60 * kSecond);
  EXPECT_EQ(machine.governor.threads(), 2U);
}

TEST(ThreadGovernor, DepthAloneIsNoPressure) {
  Machine machine(2, 2);
  for (int i = 0; i < 8000; ++i) {
    machine.step(1, i * kMs / 400);
    ASSERT_EQ(machine.governor.threads(), 2U);
  }
}

TEST(ThreadGovernor, ABusyStartIsLeftBehind) {
  Machine machine(2, 1);
  machine.busy = 1;
  machine.run(20 * kSecond);
  EXPECT_EQ(machine.governor.threads(), 1U);
  machine.busy = 0;
  machine.run(40 * kSecond);
  EXPECT_EQ(machine.governor.threads(), 2U);
}

TEST(ThreadGovernor, DoesNothingWhenToldSo) {
  ThreadGovernor governor(4, 4, false);
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(governor.after({1, 1.0 * (i < 100 ? 1 : 100), 100 * kMs, 100 * kMs}), 4U);
  }
}

TEST(ThreadGovernor, ATrialThatCannotBeJudgedIsUndone) {
  Machine machine(2, 2);
  machine.busy = 1;
  for (int i = 0; machine.governor.threads() == 2 && i < 200; ++i) machine.step();
  ASSERT_EQ(machine.governor.threads(), 1U);
  EXPECT_EQ(machine.governor.after({3, 1.0, 20 * kMs, 20 * kMs}), 2U);
}

}  // namespace
}  // namespace fh::engine::llama
