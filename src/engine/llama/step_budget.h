#pragma once
// How many prefill tokens a step may take, learned from how long steps took. Nothing about the
// machine or the model is written down here: the cost of a step is a linear function of its token
// count and depth, fitted as it runs.
//
// While answers are being generated, their inter-token latency may rise to `latency_factor` times
// what one answer alone would have; the time this leaves over is credit for prefill. A piece may
// cost more than one step's credit: then the debt is paid back by steps without prefill before the
// next piece, so the mean latency keeps to the target and prefill still advances. Without any
// answer running a step takes `tokens_max`, which bounds how long a cancel waits. Not thread-safe.
// Pure: time comes in as arguments.

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
  LinearCost();
  void learn(const Features& features, double cost);
  double predict(const Features& features) const;  // never below 0
  std::uint64_t samples() const { return samples_; }

 private:
  Features weights_{};
  std::array<Features, N> covariance_{};
  std::uint64_t samples_ = 0;
};

class StepBudget {
 public:
  struct Options {
    std::uint32_t tokens_min = 32;
    std::uint32_t tokens_max = 512;
    double latency_factor = 3.0;   // target inter-token latency, in decode steps of a single answer
    double latency_target_ms = 0;  // the same as a fixed time; 0 = by the factor
  };
  explicit StepBudget(const Options& options) : options_(options) {}

  // Prefill tokens for the next step; 0 = none in this step. `depth` is the position the next piece
  // starts at.
  std::uint32_t tokens(bool has_decoders, std::uint32_t depth) const;

  // `depth_sum`: sum of the lengths of the sequences in the batch.
  void decoded(std::uint32_t rows, std::uint64_t depth_sum, std::int64_t nanoseconds);
  void prefilled(std::uint32_t tokens, std::uint32_t depth, std::int64_t nanoseconds,
                 bool has_decoders);

  // Predictions in nanoseconds; 0 before anything was learned.
  double decode_ns(std::uint32_t rows, std::uint64_t depth_sum) const;
  double prefill_ns(std::uint32_t tokens, std::uint32_t depth) const;
  double credit_ns() const { return credit_ns_; }

 private:
  Options options_;
  LinearCost<3> decode_cost_;
  LinearCost<3> prefill_cost_;
  double credit_ns_ = 0;
};

}  // namespace fh::engine::llama
