#pragma once
// Backoff: how long to wait before starting something that died again: doubling from `first` to
// `last`, and from `first` anew once a life has lasted `good_life`.

#include <algorithm>
#include <chrono>

namespace fh::cli {

struct BackoffLimits {
  std::chrono::milliseconds first{100};
  std::chrono::milliseconds last{5'000};
  std::chrono::milliseconds good_life{30'000};
};

class Backoff {
 public:
  explicit Backoff(BackoffLimits limits) : limits_(limits) {}

  // After a life that lasted `lived`: the wait before the next.
  std::chrono::milliseconds next(std::chrono::nanoseconds lived) {
    if (lived >= limits_.good_life) wait_ = std::chrono::milliseconds(0);
    wait_ = std::clamp(wait_ * 2, limits_.first, limits_.last);
    return wait_;
  }

 private:
  BackoffLimits limits_;
  std::chrono::milliseconds wait_{0};
};

}  // namespace fh::cli
