// See step_budget.h.
#include "engine/llama/step_budget.h"

#include <algorithm>
#include <cmath>

namespace fh::engine::llama {
namespace {

constexpr double kForget = 0.99;        // a sample counts for about 100 steps
constexpr double kFirstVariance = 1e6;  // features are scaled to about 1
constexpr double kVarianceMax = 1e7;
constexpr double kThousand = 1000.0;
// A step far above its prediction (a page fault, a busy neighbour) teaches at most this much.
constexpr double kOutlier = 4.0;
constexpr std::uint64_t kTrusted = 16;

std::array<double, 3> decode_features(std::uint32_t rows, std::uint64_t depth_sum) {
  return {1.0, static_cast<double>(rows), static_cast<double>(depth_sum) / kThousand};
}
std::array<double, 3> prefill_features(std::uint32_t tokens, std::uint32_t depth) {
  const double n = static_cast<double>(tokens) / 100.0;
  return {1.0, n, n * static_cast<double>(depth) / kThousand};
}

}  // namespace

template <std::size_t N>
LinearCost<N>::LinearCost() {
  for (std::size_t i = 0; i < N; ++i) covariance_[i][i] = kFirstVariance;
}

template <std::size_t N>
void LinearCost<N>::learn(const Features& features, double cost) {
  const double predicted = predict(features);
  if (samples_ >= kTrusted && predicted > 0) cost = std::min(cost, kOutlier * predicted);
  Features gain{};
  double scale = kForget;
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t j = 0; j < N; ++j) gain[i] += covariance_[i][j] * features[j];
    scale += features[i] * gain[i];
  }
  double error = cost;
  for (std::size_t i = 0; i < N; ++i) error -= weights_[i] * features[i];
  for (std::size_t i = 0; i < N; ++i) weights_[i] += gain[i] / scale * error;
  double largest = 0;
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t j = 0; j < N; ++j) {
      covariance_[i][j] = (covariance_[i][j] - gain[i] * gain[j] / scale) / kForget;
    }
    largest = std::max(largest, covariance_[i][i]);
  }
  // Without variety in the features forgetting would blow the covariance up.
  if (largest > kVarianceMax) {
    for (auto& row : covariance_) {
      for (double& entry : row) entry *= kVarianceMax / largest;
    }
  }
  ++samples_;
}

template <std::size_t N>
double LinearCost<N>::predict(const Features& features) const {
  double cost = 0;
  for (std::size_t i = 0; i < N; ++i) cost += weights_[i] * features[i];
  return std::isfinite(cost) ? std::max(0.0, cost) : 0.0;
}

template class LinearCost<1>;
template class LinearCost<2>;
template class LinearCost<3>;

double StepBudget::decode_ns(std::uint32_t rows, std::uint64_t depth_sum) const {
  return decode_cost_.predict(decode_features(rows, depth_sum));
}

double StepBudget::prefill_ns(std::uint32_t tokens, std::uint32_t depth) const {
  return prefill_cost_.predict(prefill_features(tokens, depth));
}

std::uint32_t StepBudget::tokens(bool has_decoders, std::uint32_t depth) const {
  if (!has_decoders) return options_.tokens_max;
  if (credit_ns_ < 0) return 0;
  const double one = prefill_ns(options_.tokens_max, depth) / options_.tokens_max;
  if (one <= 0) return options_.tokens_min;
  const double affordable = std::min(credit_ns_ / one, static_cast<double>(options_.tokens_max));
  return std::max(options_.tokens_min, static_cast<std::uint32_t>(affordable));
}

void StepBudget::decoded(std::uint32_t rows, std::uint64_t depth_sum, std::int64_t nanoseconds) {
  if (rows == 0) return;
  const auto took = static_cast<double>(nanoseconds);
  decode_cost_.learn(decode_features(rows, depth_sum), took);
  double solo = decode_ns(1, depth_sum / rows);
  if (solo <= 0 || solo > took) solo = took;
  const double target = options_.latency_target_ms > 0 ? options_.latency_target_ms * 1e6
                                                       : options_.latency_factor * solo;
  // Prefill gets half a decode step even when the company alone is over the target: it must never
  // stop.
  const double allowance = std::max(target - took, took / 2);
  credit_ns_ = std::min(credit_ns_ + allowance, allowance);
}

void StepBudget::prefilled(std::uint32_t tokens, std::uint32_t depth, std::int64_t nanoseconds,
                           bool has_decoders) {
  if (tokens == 0) return;
  prefill_cost_.learn(prefill_features(tokens, depth), static_cast<double>(nanoseconds));
  if (has_decoders) credit_ns_ -= static_cast<double>(nanoseconds);
}

}  // namespace fh::engine::llama
