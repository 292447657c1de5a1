// The learned step budget, fed with made-up machines.
#include "engine/llama/step_budget.h"

#include <gtest/gtest.h>

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
};

TEST(StepBudget, LearnsWhatStepsCost) {
  const Machine machine;
  StepBudget budget({});
  std::mt19937 rng(1);
  for (int i = 0; i < 300; ++i) {
    const std::uint32_t rows = 1 + rng() % 8;
    const std::uint64_t depth = rows * (rng() % 4000);
    budget.decoded(rows, depth, machine.decode(rows, depth));
    const std::uint32_t tokens = 16 + rng() % 113;
    const std::uint32_t at = rng() % 8000;
    budget.prefilled(tokens, at, machine.prefill(tokens, at), true);
  }
  EXPECT_NEAR(budget.decode_ns(4, 8000), static_cast<double>(machine.decode(4, 8000)), 1e6);
  EXPECT_NEAR(budget.prefill_ns(128, 4000), static_cast<double>(machine.prefill(128, 4000)), 5e6);
}

TEST(StepBudget, AloneAStepTakesTheMaximum) {
  EXPECT_EQ(StepBudget({}).tokens(false, 0), 512U);
}

TEST(StepBudget, StartsCarefullyBesideAnswers) {
  EXPECT_EQ(StepBudget({}).tokens(true, 0), 32U);
}

// Runs `steps` steps with one running answer and an endless prompt; returns mean latency over a
// solo decode step.
double mean_latency(const Machine& machine, StepBudget& budget, int steps, double& prefilled) {
  double total = 0;
  for (int i = 0; i < steps; ++i) {
    double took = static_cast<double>(machine.decode(1, 1000));
    const std::uint32_t tokens = budget.tokens(true, 0);
    budget.decoded(1, 1000, machine.decode(1, 1000));
    const std::uint32_t pieces = tokens == 0 ? 0 : std::max(1U, tokens / 128);
    for (std::uint32_t p = 0; p < pieces; ++p) {
      budget.prefilled(128, 0, machine.prefill(128, 0), true);
      took += static_cast<double>(machine.prefill(128, 0));
      prefilled += 128;
    }
    total += took;
  }
  return total / steps / static_cast<double>(machine.decode(1, 1000));
}

TEST(StepBudget, KeepsTheMeanLatencyNearItsTargetWhenAPieceCostsManySteps) {
  const Machine slow;  // one piece = 320 ms beside 20 ms steps
  StepBudget budget({});
  double prefilled = 0;
  const double latency = mean_latency(slow, budget, 2000, prefilled);
  EXPECT_GT(latency, 2.5);
  EXPECT_LT(latency, 3.3);
  EXPECT_GT(prefilled, 0);
}

TEST(StepBudget, TakesSeveralPiecesWhenTheyAreCheap) {
  Machine fast;
  fast.prefill_token = 0.05e6;  // one piece = 6.4 ms
  StepBudget budget({});
  double prefilled = 0;
  const double latency = mean_latency(fast, budget, 2000, prefilled);
  EXPECT_LT(latency, 3.3);
  EXPECT_GT(prefilled / 2000, 256);
}

TEST(StepBudget, PrefillNeverStopsUnderLoad) {
  const Machine machine;
  StepBudget::Options options;
  options.latency_target_ms = 1;  // cannot be met
  StepBudget budget(options);
  int with_prefill = 0;
  for (int i = 0; i < 1000; ++i) {
    if (budget.tokens(true, 0) > 0) {
      ++with_prefill;
      budget.prefilled(128, 0, machine.prefill(128, 0), true);
    }
    budget.decoded(8, 8000, machine.decode(8, 8000));
  }
  EXPECT_GT(with_prefill, 20);
}

TEST(StepBudget, OneSlowStepDoesNotSpoilThePrediction) {
  const Machine machine;
  StepBudget budget({});
  for (int i = 0; i < 100; ++i) budget.decoded(1, 1000, machine.decode(1, 1000));
  budget.decoded(1, 1000, 100 * machine.decode(1, 1000));
  EXPECT_LT(budget.decode_ns(1, 1000), 1.2 * static_cast<double>(machine.decode(1, 1000)));
}

}  // namespace
}  // namespace fh::engine::llama
