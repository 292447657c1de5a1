// See step_budget.h.
#include "engine/llama/step_budget.h"

#include <algorithm>
#include <cmath>

namespace fh::engine::llama {
namespace {

constexpr double kForget = 0.99;
constexpr double kForgetAnswers = 0.9;  // they grow longer
constexpr double kFirstVariance = 1e6;  // features are scaled to about 1
constexpr double kVarianceMax = 1e7;
constexpr double kThousand = 1000.0;
// A step far above its prediction (a page fault, a busy neighbour) teaches at most this much.
constexpr double kOutlier = 4.0;
constexpr std::uint64_t kTrusted = 16;
// A step may take so many tokens more or less than would fit exactly: while their number stays the
// same, the library goes on with the graph that it has built.
constexpr double kKeep = 0.75;
// What larger steps cost is known for certain only near those that were seen: growth by half at
// most.
constexpr std::uint32_t kGrowthPercent = 150;
constexpr std::uint64_t kFirstSteps = 3;      // of answers alone, before anything else is known
constexpr std::uint32_t kBothInARowMax = 16;  // then one of answers alone
constexpr double kDebtMax = 8;                // in steps that pay it back

std::array<double, 2> decode_features(std::uint32_t answers) {
  return {1.0, static_cast<double>(answers)};
}
std::array<double, 3> prefill_features(std::uint32_t tokens, std::uint32_t depth) {
  const double n = static_cast<double>(tokens) / 100.0;
  return {1.0, n, n * static_cast<double>(depth) / kThousand};
}

}  // namespace

template <std::size_t N>
LinearCost<N>::LinearCost(double forget) : forget_(forget) {
  for (std::size_t i = 0; i < N; ++i) covariance_[i][i] = kFirstVariance;
}

template <std::size_t N>
void LinearCost<N>::learn(const Features& features, double cost) {
  const double predicted = predict(features);
  if (samples_ >= kTrusted && predicted > 0) cost = std::min(cost, kOutlier * predicted);
  Features gain{};
  double scale = forget_;
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
      covariance_[i][j] = (covariance_[i][j] - gain[i] * gain[j] / scale) / forget_;
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

template class LinearCost<2>;
template class LinearCost<3>;

StepBudget::StepBudget(const Options& options)
    : options_(options),
      decode_cost_(kForgetAnswers),
      prefill_cost_(kForget),
      beside_cost_(kForget) {}

double StepBudget::decode_ns(std::uint32_t answers) const {
  return decode_cost_.predict(decode_features(answers));
}

double StepBudget::prefill_ns(std::uint32_t tokens, std::uint32_t depth) const {
  return prefill_cost_.predict(prefill_features(tokens, depth));
}

double StepBudget::beside_ns(std::uint32_t tokens, std::uint32_t depth) const {
  return beside_cost_.predict(prefill_features(tokens, depth));
}

// What a step of these answers leaves for prefill. Half a step of theirs even when the company
// alone is over the target: prefill must never stop.
double StepBudget::room_ns(std::uint32_t answers) const {
  const double all = decode_ns(answers);
  const double one = std::min(decode_ns(1), all);
  const double target = options_.latency_target_ms > 0 ? options_.latency_target_ms * 1e6
                                                       : options_.latency_factor * one;
  return std::max(target - all, all / 2);
}

// The most tokens, from tokens_min to tokens_max, that cost no more; 0 = not even those.
std::uint32_t StepBudget::affordable(double nanoseconds, std::uint32_t depth) const {
  if (beside_ns(options_.tokens_min, depth) > nanoseconds) return 0;
  std::uint32_t low = options_.tokens_min;
  std::uint32_t high = options_.tokens_max;
  while (low < high) {
    const std::uint32_t middle = low + (high - low + 1) / 2;
    if (beside_ns(middle, depth) <= nanoseconds) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

std::uint32_t StepBudget::tokens(std::uint32_t answers, std::uint32_t depth) {
  last_depth_ = depth;
  if (answers == 0) {
    const double all = prefill_ns(options_.tokens_max, depth);
    if (all <= options_.step_ns_max) return options_.tokens_max;
    const double part = options_.step_ns_max / all * options_.tokens_max;
    return std::max(options_.tokens_min, static_cast<std::uint32_t>(part));
  }
  if (decode_cost_.samples() < kFirstSteps || both_in_a_row_ >= kBothInARowMax) return 0;
  if (beside_cost_.samples() == 0) return options_.tokens_min;
  // What was saved up is for the fewest tokens only: no step is longer than it has to be.
  const double room = room_ns(answers);
  const double least = beside_ns(options_.tokens_min, depth);
  const double spend =
      saved_ns_ > 0 ? std::min(saved_ns_ + room, std::max(room, least)) : saved_ns_ + room;
  const std::uint32_t most = affordable(spend, depth);
  const bool keep = last_tokens_ <= most && last_tokens_ >= kKeep * most;
  const std::uint32_t near =
      std::max({options_.tokens_min, last_tokens_ + 1, last_tokens_ * kGrowthPercent / 100});
  if (!keep) last_tokens_ = std::min(most, near);
  return last_tokens_;
}

// Every step has its room. Where the fewest tokens do not fit in one, what is left over is kept
// for them.
void StepBudget::settle(std::uint32_t answers, double added_ns) {
  const double room = room_ns(answers);
  const double least = beside_ns(options_.tokens_min, last_depth_);
  const double most = least > room ? least : 0.0;
  saved_ns_ = std::clamp(saved_ns_ + room - added_ns, -kDebtMax * room, most);
}

void StepBudget::decoded(std::uint32_t answers, std::int64_t nanoseconds) {
  if (answers == 0) return;
  decode_cost_.learn(decode_features(answers), static_cast<double>(nanoseconds));
  settle(answers, 0);
  both_in_a_row_ = 0;
}

void StepBudget::prefilled(std::uint32_t tokens, std::uint32_t depth, std::int64_t nanoseconds) {
  if (tokens == 0) return;
  prefill_cost_.learn(prefill_features(tokens, depth), static_cast<double>(nanoseconds));
}

void StepBudget::both(std::uint32_t answers, std::uint32_t tokens, std::uint32_t depth,
                      std::int64_t nanoseconds) {
  if (tokens == 0) return decoded(answers, nanoseconds);
  ++both_in_a_row_;
  const double added = std::max(0.0, static_cast<double>(nanoseconds) - decode_ns(answers));
  beside_cost_.learn(prefill_features(tokens, depth), added);
  settle(answers, added);
}

}  // namespace fh::engine::llama
