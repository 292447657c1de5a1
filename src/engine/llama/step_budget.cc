// See step_budget.h.
#include "engine/llama/step_budget.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace fh::engine::llama {
namespace {

constexpr double kForget = 0.99;
constexpr double kForgetAnswers = 0.9;  // they grow longer
constexpr double kFirstVariance = 1e6;  // features are scaled to about 1
// Of the constant term. Far smaller: while only steps of one size are known, others are taken to
// cost in proportion, which is too much for larger ones and never too little.
constexpr double kFirstConstant = 1;
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
constexpr double kDebtMax = 8;                // in steps, or bursts, that pay it back
// The other way of sharing must read so much more before it is taken: figures waver.
constexpr double kWorthChanging = 1.25;
// A burst is at most so many times as large as what was seen.
constexpr std::uint32_t kBurstGrowth = 4;

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
  for (std::size_t i = 0; i < N; ++i) covariance_[i][i] = i == 0 ? kFirstConstant : kFirstVariance;
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

// What a burst adds to a step. Learned from pieces of its size, which are those computed alone.
double StepBudget::burst_ns(std::uint32_t tokens, std::uint32_t depth) const {
  return prefill_cost_.samples() > 0 ? prefill_ns(tokens, depth) : beside_ns(tokens, depth);
}

// The most tokens, from tokens_min to tokens_max, that cost no more; 0 = not even those.
template <typename Cost>
std::uint32_t StepBudget::affordable(double nanoseconds, const Cost& cost) const {
  if (cost(options_.tokens_min) > nanoseconds) return 0;
  std::uint32_t low = options_.tokens_min;
  std::uint32_t high = options_.tokens_max;
  while (low < high) {
    const std::uint32_t middle = low + (high - low + 1) / 2;
    if (cost(middle) <= nanoseconds) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

std::uint32_t StepBudget::steady_tokens(std::uint32_t answers, std::uint32_t depth) {
  if (both_in_a_row_ >= kBothInARowMax) return 0;
  if (beside_cost_.samples() == 0) return options_.tokens_min;
  // What was saved up is for the fewest tokens only: no step is longer than it has to be.
  const auto cost = [&](std::uint32_t tokens) { return beside_ns(tokens, depth); };
  const double room = room_ns(answers);
  const double spend = saved_ns_ > 0
                           ? std::min(saved_ns_ + room, std::max(room, cost(options_.tokens_min)))
                           : saved_ns_ + room;
  const std::uint32_t most = affordable(spend, cost);
  const bool keep = last_tokens_ <= most && last_tokens_ >= kKeep * most;
  const std::uint32_t near =
      std::max({options_.tokens_min, last_tokens_ + 1, last_tokens_ * kGrowthPercent / 100});
  if (!keep) last_tokens_ = std::min(most, near);
  return last_tokens_;
}

// Tokens per nanosecond, of steps that are all as long as they may be.
double StepBudget::steady_rate(std::uint32_t answers, std::uint32_t depth) const {
  const bool known = beside_cost_.samples() > 0;
  const auto cost = [&](std::uint32_t tokens) {
    return known ? beside_ns(tokens, depth) : burst_ns(tokens, depth);
  };
  const double room = room_ns(answers);
  if (room <= 0) return 0;
  const std::uint32_t tokens = std::max(affordable(room, cost), options_.tokens_min);
  const double share = room / (decode_ns(answers) + room);
  return cost(tokens) > 0 ? share * tokens / cost(tokens) : 0.0;
}

// Whole units, and at least one: where that takes too long, bursts are farther apart.
std::uint32_t StepBudget::burst_tokens(std::uint32_t answers, std::uint32_t depth) const {
  const double spend = std::min(options_.burst_ns_max, options_.burst_every * room_ns(answers));
  const auto cost = [&](std::uint32_t tokens) { return burst_ns(tokens, depth); };
  const std::uint32_t most =
      std::min(kBurstGrowth * std::max(most_seen_, options_.tokens_min), affordable(spend, cost));
  return std::max(most / options_.burst_unit, 1U) * options_.burst_unit;
}

// Steps without prefill after a burst that added so much. Bounded: what answers are predicted to
// cost may be far too little just when their number has changed.
double StepBudget::burst_distance(std::uint32_t answers, double added_ns) const {
  const double least = options_.burst_every;
  return std::clamp(added_ns / std::max(1.0, room_ns(answers)), least, kDebtMax * least);
}

double StepBudget::burst_rate(std::uint32_t answers, std::uint32_t depth) const {
  const std::uint32_t tokens = burst_tokens(answers, depth);
  const double cost = burst_ns(tokens, depth);
  return tokens / (burst_distance(answers, cost) * decode_ns(answers) + cost);
}

std::uint32_t StepBudget::tokens(std::uint32_t answers, std::uint32_t depth) {
  last_depth_ = depth;
  bursting_ = false;
  if (answers == 0) {
    if (prefill_cost_.samples() == 0) return options_.burst_unit;
    const double all = prefill_ns(options_.tokens_max, depth);
    if (all <= options_.step_ns_max) return options_.tokens_max;
    const double part = options_.step_ns_max / all * options_.tokens_max;
    return std::max(options_.tokens_min, static_cast<std::uint32_t>(part));
  }
  if (decode_cost_.samples() < kFirstSteps) return 0;
  if (beside_cost_.samples() == 0 && prefill_cost_.samples() == 0) return options_.tokens_min;
  const double factor = in_bursts_ ? 1 / kWorthChanging : kWorthChanging;
  in_bursts_ = burst_rate(answers, depth) > factor * steady_rate(answers, depth);
  if (steps_to_burst_ > 0) return 0;
  if (!in_bursts_) return steady_tokens(answers, depth);
  bursting_ = true;
  return burst_tokens(answers, depth);
}

// Every step has its room. Where the fewest tokens do not fit in one, what is left over is kept
// for them.
void StepBudget::settle(std::uint32_t answers, double added_ns) {
  const double room = room_ns(answers);
  const double least = beside_ns(options_.tokens_min, last_depth_);
  const double most = least > room ? least : 0.0;
  saved_ns_ = std::clamp(saved_ns_ + room - added_ns, -kDebtMax * room, most);
  steps_to_burst_ = std::max(0.0, steps_to_burst_ - 1);
}

void StepBudget::decoded(std::uint32_t answers, std::int64_t nanoseconds) {
  if (answers == 0) return;
  decode_cost_.learn(decode_features(answers), static_cast<double>(nanoseconds));
  settle(answers, 0);
  both_in_a_row_ = 0;
}

void StepBudget::prefilled(std::uint32_t tokens, std::uint32_t depth, std::int64_t nanoseconds) {
  if (tokens == 0) return;
  most_seen_ = std::max(most_seen_, tokens);
  prefill_cost_.learn(prefill_features(tokens, depth), static_cast<double>(nanoseconds));
}

void StepBudget::both(std::uint32_t answers, std::uint32_t tokens, std::uint32_t depth,
                      std::int64_t nanoseconds) {
  if (tokens == 0) return decoded(answers, nanoseconds);
  const double added = std::max(0.0, static_cast<double>(nanoseconds) - decode_ns(answers));
  auto& cost = bursting_ ? prefill_cost_ : beside_cost_;
  cost.learn(prefill_features(tokens, depth), added);
  if (std::exchange(bursting_, false)) {
    both_in_a_row_ = 0;
    most_seen_ = std::max(most_seen_, tokens);
    saved_ns_ = 0;
    // One that took longer than it should keeps the next away for longer.
    steps_to_burst_ = burst_distance(answers, added);
    return;
  }
  ++both_in_a_row_;
  settle(answers, added);
}

}  // namespace fh::engine::llama
