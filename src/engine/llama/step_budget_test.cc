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
  double few_factor = 1;  // what a token costs more in pieces below 16
  std::int64_t decode(std::uint32_t rows, std::uint64_t depth) const {
    return static_cast<std::int64_t>(decode_base + decode_row * rows +
                                     decode_depth * static_cast<double>(depth));
  }
  std::int64_t prefill(std::uint32_t tokens, std::uint32_t depth) const {
    const double factor = tokens < 16 ? few_factor : 1;
    return static_cast<std::int64_t>(tokens * factor * (prefill_token + prefill_depth * depth));
  }
  std::int64_t both(std::uint32_t rows, std::uint64_t depth_sum, std::uint32_t tokens,
                    std::uint32_t depth) const {
    return decode(rows, depth_sum) + prefill(tokens, depth);
  }
};

TEST(StepBudget, LearnsWhatStepsCost) {
  const Machine machine;
  StepBudget budget({});
  std::mt19937 rng(1);
  for (int i = 0; i < 300; ++i) {
    const std::uint32_t rows = 1 + rng() % 8;
    budget.decoded(rows, machine.decode(rows, 1000));
    const std::uint32_t tokens = 16 + rng() % 113;
    const std::uint32_t at = rng() % 8000;
    budget.prefilled(tokens, at, machine.prefill(tokens, at));
    budget.both(rows, tokens, at, machine.both(rows, 1000, tokens, at));
  }
  EXPECT_NEAR(budget.decode_ns(4), static_cast<double>(machine.decode(4, 1000)), 1e6);
  EXPECT_NEAR(budget.prefill_ns(128, 4000), static_cast<double>(machine.prefill(128, 4000)), 5e6);
  EXPECT_NEAR(budget.beside_ns(128, 4000), static_cast<double>(machine.prefill(128, 4000)), 5e6);
}

TEST(StepBudget, AloneAStepTakesTheMaximumOrWhatItsTimeAllows) {
  StepBudget budget({});
  EXPECT_EQ(budget.tokens(0, 0), 64U);  // nothing is known: no more than one unit
  budget.prefilled(64, 0, 64'000'000);
  EXPECT_EQ(budget.tokens(0, 0), 512U);
  Machine slow;
  slow.prefill_token = 10e6;  // 512 tokens are 5 s
  slow.prefill_depth = 0;
  for (std::uint32_t tokens = 64; tokens <= 512; tokens += 64) {
    budget.prefilled(tokens, 0, slow.prefill(tokens, 0));
  }
  EXPECT_NEAR(budget.tokens(0, 0), 100, 2);
}

TEST(StepBudget, StartsCarefullyBesideAnswers) {
  const Machine machine;
  StepBudget budget({});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(budget.tokens(1, 0), 0U);  // what answers cost by themselves comes first
    budget.decoded(1, machine.decode(1, 1000));
  }
  EXPECT_EQ(budget.tokens(1, 0), 2U);
}

struct Seen {
  double mean = 0;        // latency of the answers, over that of a solo step of the same length
  double largest = 0;     // the same of a single step, after the first hundred
  double tokens = 0;      // of prefill, per step
  double long_steps = 0;  // of all, those above three times the solo step
  int changes = 0;        // of that number, but for steps without any
};

// Runs steps with answers that grow by a token in each, and an endless prompt. `noise`: how far a
// step may be off what it should cost, as a part of it.
Seen run(const Machine& machine, StepBudget& budget, std::uint32_t answers, int steps,
         double noise = 0) {
  Seen out;
  std::mt19937 rng(7);
  std::uniform_real_distribution<double> off(1 - noise, 1 + noise);
  std::uint32_t depth = 0;
  std::uint32_t before = 0;
  for (int i = 0; i < steps; ++i) {
    const auto length = static_cast<std::uint64_t>(30 + i);
    const auto solo = static_cast<double>(machine.decode(1, length));
    const std::uint32_t tokens = budget.tokens(answers, depth);
    const double exact =
        static_cast<double>(machine.both(answers, answers * length, tokens, depth));
    const double took = exact * off(rng);
    budget.both(answers, tokens, depth, static_cast<std::int64_t>(took));
    depth = (depth + tokens) % 6000;
    out.mean += exact / solo / steps;
    if (exact > 3 * solo) out.long_steps += 1.0 / steps;
    if (i > 100) out.largest = std::max(out.largest, exact / solo);
    out.tokens += static_cast<double>(tokens) / steps;
    if (tokens > 0 && tokens != before) ++out.changes;
    if (tokens > 0) before = tokens;
  }
  return out;
}

TEST(StepBudget, NoStepIsFarAboveTheTarget) {
  const Machine machine;  // some 18 ms a step, a token of prefill 2.5 ms and more with depth
  StepBudget budget({});
  const Seen seen = run(machine, budget, 1, 2000);
  EXPECT_GT(seen.mean, 1.9);
  EXPECT_LT(seen.mean, 2.6);
  EXPECT_LT(seen.largest, 2.8);
  EXPECT_GT(seen.tokens, 6);
}

// What a token of answer costs more when it is longer must not be read out of noise: an answer was
// short when it was alone last.
TEST(StepBudget, NoiseDoesNotMoveTheTargetAway) {
  const Machine machine;
  StepBudget budget({});
  for (int i = 0; i < 60; ++i) budget.decoded(1, machine.decode(1, 30) * (100 + i % 5) / 100);
  const Seen seen = run(machine, budget, 1, 2000, 0.2);
  EXPECT_LT(seen.mean, 2.6);
  EXPECT_LT(seen.largest, 3.5);
}

TEST(StepBudget, TakesManyTokensWhenTheyAreCheap) {
  Machine fast;
  fast.prefill_token = 0.05e6;
  fast.prefill_depth = 5;
  StepBudget budget({});
  const Seen seen = run(fast, budget, 1, 2000);
  EXPECT_LT(seen.mean, 2.6);
  EXPECT_GT(seen.tokens, 256);
}

TEST(StepBudget, SavesUpForTheFewestTokensWhereTheyDoNotFit) {
  Machine slow;
  slow.prefill_token = 40e6;  // two tokens are four steps
  StepBudget budget({});
  const Seen seen = run(slow, budget, 1, 2000);
  EXPECT_LT(seen.mean, 2.7);
  EXPECT_GT(seen.tokens, 0.3);
}

// Where the fewest tokens cost just a little more than a step has room for, nearly every step takes
// them: what is left over of one is not lost.
TEST(StepBudget, RoomThatIsLeftOverIsNotLost) {
  Machine machine;
  machine.decode_base = 5e6;
  machine.decode_row = 1e6;
  machine.decode_depth = 0;
  machine.prefill_token = 4.7e6;  // two tokens 9.4 ms; a step has room for 9
  machine.prefill_depth = 0;
  StepBudget budget({});
  const Seen seen = run(machine, budget, 1, 2000);
  EXPECT_GT(seen.tokens, 1.7);
  EXPECT_GT(seen.mean, 2.3);
  EXPECT_LT(seen.mean, 2.6);
  EXPECT_LT(seen.largest, 2.8);
}

// Few tokens at a time cost three times as much each as many do: then they come in bursts, of which
// the 95th percentile of the gaps shows nothing.
Machine dear_in_small_pieces() {
  Machine machine;
  machine.decode_base = 5e6;
  machine.decode_row = 1e6;
  machine.decode_depth = 0;
  machine.prefill_token = 2e6;
  machine.prefill_depth = 0;
  machine.few_factor = 3;
  return machine;
}

TEST(StepBudget, ReadsInBurstsWhereFewTokensAreDear) {
  const Machine machine = dear_in_small_pieces();
  StepBudget budget({});
  budget.prefilled(40, 0, machine.prefill(40, 0));  // the running answer's own prompt
  const Seen seen = run(machine, budget, 1, 3000, 0.1);
  EXPECT_GT(seen.tokens / seen.mean, 0.9);  // in the time of a solo step; steadily it would be 0.6
  EXPECT_LT(seen.mean, 2.6);
  EXPECT_LT(seen.largest, 1 + 1.2 * 250 / 6);
  EXPECT_LT(seen.long_steps, 0.035);  // longer than three times the solo step
}

TEST(StepBudget, ReadsSteadilyWhereManyTokensAreCheap) {
  Machine gpu;
  gpu.decode_base = 9e6;
  gpu.decode_row = 0.1e6;
  gpu.decode_depth = 0;
  gpu.prefill_token = 0.05e6;
  gpu.prefill_depth = 0;
  StepBudget budget({});
  budget.prefilled(512, 0, gpu.prefill(512, 0));
  const Seen seen = run(gpu, budget, 1, 1000);
  EXPECT_GT(seen.tokens, 150);
  EXPECT_LT(seen.largest, 3);
}

// Nobody has to wait long for the first words of a prompt, nor does a slow burst repeat at once.
TEST(StepBudget, ASlowBurstKeepsTheNextAway) {
  const Machine machine = dear_in_small_pieces();
  StepBudget budget({});
  budget.prefilled(100, 0, machine.prefill(100, 0));
  run(machine, budget, 1, 200);
  std::uint32_t burst = 0;
  for (int i = 0; i < 100 && burst == 0; ++i) {
    burst = budget.tokens(1, 0);
    if (burst == 0) budget.decoded(1, machine.decode(1, 30));
  }
  ASSERT_GT(burst, 16U);
  budget.both(1, burst, 0, 2'000'000'000);  // eight times the bound
  int quiet = 0;
  while (quiet < 1000 && budget.tokens(1, 0) == 0) {
    budget.decoded(1, machine.decode(1, 30));
    ++quiet;
  }
  EXPECT_GT(quiet, 50);
  EXPECT_LT(quiet, 500);
}

// Costs that rise faster than the number of answers let one answer seem to cost nothing when the
// others end. A burst just then must not keep the prompt waiting for good.
TEST(StepBudget, AWrongPredictionDoesNotStopPrefill) {
  StepBudget budget({});
  budget.prefilled(512, 0, 1'000'000'000);
  for (int i = 0; i < 40; ++i) {
    budget.decoded(7, 61'000'000);
    budget.decoded(8, 80'000'000);
  }
  const auto step = [&](std::uint32_t tokens) {
    if (tokens == 0) return budget.decoded(1, 10'000'000);
    budget.both(1, tokens, 0, 10'000'000 + std::int64_t{2'000'000} * tokens);
  };
  std::uint32_t read = 0;
  for (int i = 0; i < 1500; ++i) {
    const std::uint32_t tokens = budget.tokens(1, 0);
    step(tokens);
    read += tokens;
  }
  EXPECT_GT(read, 1000U);
}

TEST(StepBudget, PrefillNeverStopsUnderLoad) {
  const Machine machine;
  StepBudget::Options options;
  options.latency_target_ms = 1;  // cannot be met
  StepBudget budget(options);
  EXPECT_GT(run(machine, budget, 8, 1000).tokens, 1);
}

// The number changes rarely, although depth changes with every step.
TEST(StepBudget, KeepsTheNumberOfTokensForAWhile) {
  StepBudget budget({});
  EXPECT_LT(run(Machine{}, budget, 1, 400).changes, 60);
}

TEST(StepBudget, OneSlowStepDoesNotSpoilThePredictionNorStopPrefillForLong) {
  const Machine machine;
  StepBudget budget({});
  const double usual = run(machine, budget, 1, 200).tokens;
  budget.both(1, 8, 0, 1000 * machine.decode(1, 1000));
  EXPECT_LT(budget.decode_ns(1), 1.2 * static_cast<double>(machine.decode(1, 1000)));
  EXPECT_GT(run(machine, budget, 1, 100).tokens, usual / 2);
}

}  // namespace
}  // namespace fh::engine::llama
