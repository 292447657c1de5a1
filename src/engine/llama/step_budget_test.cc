// The learned step budget, fed with made-up machines.
#include "engine/llama/step_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace fh::engine::llama {
namespace {

// A machine whose steps cost what these say, in nanoseconds.
struct Machine {
  double decode_base = 15e6, decode_row = 3e6, decode_depth = 2e3;
  double prefill_token = 2.5e6, prefill_depth = 300;
  std::int64_t decode(std::uint32_t rows, std::uint64_t depth) const {
    return static_cast<std::int64_t>(decode_base + decode_row * rows +
                                     decode_depth * static_cast<double>(depth));
  }
  std::int64_t prefill(std::uint32_t tokens, std::uint32_t depth) const {
    return static_cast<std::int64_t>(tokens * (prefill_token + prefill_depth * depth));
  }
  std::int64_t both(std::uint32_t rows, std::uint64_t depth_sum, std::uint32_t tokens,
                    std::uint32_t depth) const {
    return decode(rows, depth_sum) + prefill(tokens, depth);
  }
};

using Decoders = StepBudget::Decoders;
constexpr Decoders kNone{};
constexpr Decoders kOne{1, 1000};

TEST(StepBudget, LearnsWhatStepsCost) {
  const Machine machine;
  StepBudget budget({});
  std::mt19937 rng(1);
  for (int i = 0; i < 300; ++i) {
    const std::uint32_t rows = 1 + rng() % 8;
    const std::uint64_t depth = rows * (rng() % 4000);
    budget.decoded({rows, depth}, machine.decode(rows, depth));
    const std::uint32_t tokens = 16 + rng() % 113;
    const std::uint32_t at = rng() % 8000;
    budget.prefilled(tokens, at, machine.prefill(tokens, at));
    budget.both({rows, depth}, tokens, at, machine.both(rows, depth, tokens, at));
  }
  EXPECT_NEAR(budget.decode_ns({4, 8000}), static_cast<double>(machine.decode(4, 8000)), 1e6);
  EXPECT_NEAR(budget.prefill_ns(128, 4000), static_cast<double>(machine.prefill(128, 4000)), 5e6);
  EXPECT_NEAR(budget.beside_ns(128, 4000), static_cast<double>(machine.prefill(128, 4000)), 5e6);
}

TEST(StepBudget, AloneAStepTakesTheMaximumOrWhatItsTimeAllows) {
  StepBudget budget({});
  EXPECT_EQ(budget.tokens(kNone, 0), 512U);
  Machine slow;
  slow.prefill_token = 50e6;  // 512 tokens are 26 s
  slow.prefill_depth = 0;
  for (std::uint32_t tokens = 64; tokens <= 512; tokens += 64) {
    budget.prefilled(tokens, 0, slow.prefill(tokens, 0));
  }
  EXPECT_NEAR(budget.tokens(kNone, 0), 100, 2);
}

TEST(StepBudget, StartsCarefullyBesideAnswers) {
  const Machine machine;
  StepBudget budget({});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(budget.tokens(kOne, 0), 0U);  // what answers cost by themselves comes first
    budget.decoded(kOne, machine.decode(1, 1000));
  }
  EXPECT_EQ(budget.tokens(kOne, 0), 4U);
}

struct Seen {
  double mean = 0;     // latency of the answers, over that of a solo step
  double largest = 0;  // the same of a single step, after the first hundred
  double tokens = 0;   // of prefill, per step
};

// Runs steps with the answers and an endless prompt.
Seen run(const Machine& machine, StepBudget& budget, const Decoders& decoders, int steps) {
  const auto solo = static_cast<double>(machine.decode(1, decoders.depth_sum / decoders.rows));
  Seen out;
  std::uint32_t depth = 0;
  for (int i = 0; i < steps; ++i) {
    const std::uint32_t tokens = budget.tokens(decoders, depth);
    const std::int64_t took = machine.both(decoders.rows, decoders.depth_sum, tokens, depth);
    budget.both(decoders, tokens, depth, took);
    depth = (depth + tokens) % 6000;
    out.mean += static_cast<double>(took) / solo / steps;
    if (i > 100) out.largest = std::max(out.largest, static_cast<double>(took) / solo);
    out.tokens += static_cast<double>(tokens) / steps;
  }
  return out;
}

TEST(StepBudget, NoStepIsFarAboveTheTarget) {
  const Machine machine;  // 20 ms a step, a token of prefill 2.5 ms and more with depth
  StepBudget budget({});
  const Seen seen = run(machine, budget, kOne, 2000);
  EXPECT_GT(seen.mean, 2.0);
  EXPECT_LT(seen.mean, 2.6);
  EXPECT_LT(seen.largest, 2.8);
  EXPECT_GT(seen.tokens, 8);
}

TEST(StepBudget, TakesManyTokensWhenTheyAreCheap) {
  Machine fast;
  fast.prefill_token = 0.05e6;
  fast.prefill_depth = 5;
  StepBudget budget({});
  const Seen seen = run(fast, budget, kOne, 2000);
  EXPECT_LT(seen.mean, 2.6);
  EXPECT_GT(seen.tokens, 256);
}

TEST(StepBudget, SavesUpForTheFewestTokensWhereTheyDoNotFit) {
  Machine slow;
  slow.prefill_token = 40e6;  // four tokens are eight steps
  StepBudget budget({});
  const Seen seen = run(slow, budget, kOne, 2000);
  EXPECT_LT(seen.mean, 2.7);
  EXPECT_GT(seen.tokens, 0.3);
}

TEST(StepBudget, PrefillNeverStopsUnderLoad) {
  const Machine machine;
  StepBudget::Options options;
  options.latency_target_ms = 1;  // cannot be met
  StepBudget budget(options);
  EXPECT_GT(run(machine, budget, {8, 8000}, 1000).tokens, 1);
}

// The number changes rarely, although depth changes with every step.
TEST(StepBudget, KeepsTheNumberOfTokensForAWhile) {
  const Machine machine;
  StepBudget budget({});
  int changes = 0;
  std::uint32_t before = 0;
  std::uint32_t depth = 0;
  for (int i = 0; i < 400; ++i) {
    const std::uint32_t tokens = budget.tokens(kOne, depth);
    budget.both(kOne, tokens, depth, machine.both(1, 1000, tokens, depth));
    depth += tokens;
    changes += tokens == before ? 0 : 1;
    before = tokens;
  }
  EXPECT_LT(changes, 40);
}

TEST(StepBudget, OneSlowStepDoesNotSpoilThePredictionNorStopPrefillForLong) {
  const Machine machine;
  StepBudget budget({});
  run(machine, budget, kOne, 200);
  const std::uint32_t usual = budget.tokens(kOne, 0);
  budget.both(kOne, usual, 0, 1000 * machine.decode(1, 1000));
  EXPECT_LT(budget.decode_ns(kOne), 1.2 * static_cast<double>(machine.decode(1, 1000)));
  EXPECT_GT(run(machine, budget, kOne, 100).tokens, usual / 2);
}

}  // namespace
}  // namespace fh::engine::llama
