#pragma once
// How many prefill tokens a step may take, learned from how long steps took. Nothing about the
// machine or the model is written down here: the cost of a step is a linear function of its token
// count and depth, fitted as it runs.
//
// While answers are being generated, steps may on average take `latency_factor` times what a step
// of one answer alone would take; the time this leaves over goes to prefill. In one of two ways,
// whichever reads more tokens per second:
// Steadily: in each step as many tokens as fit. A step that took longer than it should is a debt
// that the next ones pay; where even tokens_min do not fit, steps save up for them, so prefill is
// slow then but never stops. Now and then a step has no prefill, so that it stays known what
// answers cost by themselves.
// In bursts: what `burst_every` steps leave over at once, in whole units up to burst_ns_max, and
// the steps between without prefill. Few tokens at a time cost several times as much each as many
// do where a processor core is what computes them, the more the deeper they stand; with fewer than
// one long step in twenty the 95th percentile of the answers' gaps is that of answers alone, and
// the longest is bounded by burst_ns_max or, where that is too short for one, by a single unit.
// Without any answer running a step takes `tokens_max`, or what fits in step_ns_max; one unit while
// nothing is known. Not
// thread-safe. Pure: time comes in as arguments.

#include <array>
#include <cstddef>
#include <cstdint>

namespace fh::engine::llama {

// Recursive least squares with forgetting over N features; see e.g. Ljung, System
// Identification, 11.2.
template <std::size_t N>
class LinearCost {
 public:
  using Features = std::array<double, N>;
  explicit LinearCost(double forget);  // 0.99: a sample counts for about 100 steps
  void learn(const Features& features, double cost);
  double predict(const Features& features) const;  // never below 0
  std::uint64_t samples() const { return samples_; }

 private:
  double forget_;
  Features weights_{};
  std::array<Features, N> covariance_{};
  std::uint64_t samples_ = 0;
};

class StepBudget {
 public:
  struct Options {
    std::uint32_t tokens_min = 2;    // beside answers
    std::uint32_t tokens_max = 512;  // of any step
    double latency_factor = 2.5;     // target inter-token latency, in decode steps of one answer
    double latency_target_ms = 0;    // the same as a fixed time; 0 = by the factor
    double step_ns_max = 1e9;        // of a step without answers: who comes meanwhile waits
    double burst_ns_max = 250e6;     // added to one step: a reader notices more as a pause
    std::uint32_t burst_every = 32;  // steps
    std::uint32_t burst_unit = 64;   // tokens; the chunk of step_plan.h
  };
  explicit StepBudget(const Options& options);

  // Prefill tokens for the next step; 0 = none in this step. `answers`: how many it computes a
  // token of. `depth`: the position the next piece starts at.
  std::uint32_t tokens(std::uint32_t answers, std::uint32_t depth);

  // What a step was and how long it took: answers only, prompts only, both in one batch.
  void decoded(std::uint32_t answers, std::int64_t nanoseconds);
  void prefilled(std::uint32_t tokens, std::uint32_t depth, std::int64_t nanoseconds);
  void both(std::uint32_t answers, std::uint32_t tokens, std::uint32_t depth,
            std::int64_t nanoseconds);

  // Predictions in nanoseconds; 0 before anything was learned. `beside`: what prefill adds to a
  // step of answers. Answers cost more with their length, which is not predicted but followed: they
  // grow slowly.
  double decode_ns(std::uint32_t answers) const;
  double prefill_ns(std::uint32_t tokens, std::uint32_t depth) const;
  double beside_ns(std::uint32_t tokens, std::uint32_t depth) const;

 private:
  double room_ns(std::uint32_t answers) const;
  void settle(std::uint32_t answers, double added_ns);
  template <typename Cost>
  std::uint32_t affordable(double nanoseconds, const Cost& cost) const;
  std::uint32_t steady_tokens(std::uint32_t answers, std::uint32_t depth);
  double steady_rate(std::uint32_t answers, std::uint32_t depth) const;
  std::uint32_t burst_tokens(std::uint32_t answers, std::uint32_t depth) const;
  double burst_distance(std::uint32_t answers, double added_ns) const;
  double burst_rate(std::uint32_t answers, std::uint32_t depth) const;
  double burst_ns(std::uint32_t tokens, std::uint32_t depth) const;

  Options options_;
  LinearCost<2> decode_cost_;
  LinearCost<3> prefill_cost_;
  LinearCost<3> beside_cost_;
  double saved_ns_ = 0;            // negative: debt
  std::uint32_t last_tokens_ = 0;  // beside answers
  std::uint32_t last_depth_ = 0;
  std::uint32_t both_in_a_row_ = 0;  // steps
  std::uint32_t most_seen_ = 0;      // tokens of a piece computed alone, or of a burst
  bool in_bursts_ = false;
  bool bursting_ = false;      // tokens() has just asked for a burst
  double steps_to_burst_ = 0;  // before the next
};

}  // namespace fh::engine::llama
