// See thread_governor.h.
#include "engine/llama/thread_governor.h"

#include <algorithm>

namespace fh::engine::llama {

std::uint32_t ThreadGovernor::decoded(std::uint32_t rows, std::int64_t nanoseconds) {
  if (!adapt_ || threads_max_ < 2) return threads_;
  if (rows != rows_) {  // another kind of step: start comparing anew, and undo a trial that cannot
                        // be judged
    if (trial_) {
      threads_ = before_trial_;
      trial_ = false;
    }
    rows_ = rows;
    usual_ = recent_ = window_sum_ = 0;
    window_count_ = 0;
    return threads_;
  }
  ++since_trial_;
  window_sum_ += static_cast<double>(nanoseconds);
  if (++window_count_ < kWindow) return threads_;
  const double mean = window_sum_ / kWindow;
  window_sum_ = 0;
  window_count_ = 0;
  if (trial_) {
    trial_ = false;
    if (mean < kGain * recent_) {
      pause_ = kPauseFirst;
      recent_ = mean;
    } else {
      threads_ = before_trial_;
      pause_ = std::min(2 * pause_, kPauseMax);
    }
    return threads_;
  }
  recent_ = mean;
  // The usual falls at once and rises slowly, with the depth of the sequences.
  usual_ = usual_ == 0 || mean < usual_ ? mean : usual_ + 0.02 * std::min(mean - usual_, usual_);
  if (since_trial_ < pause_) return threads_;
  if (mean > kPressure * usual_ && threads_ > 1) {
    begin_trial(threads_ - 1);
  } else if (threads_ < threads_max_) {
    begin_trial(threads_ + 1);
  }
  return threads_;
}

void ThreadGovernor::begin_trial(std::uint32_t threads) {
  before_trial_ = threads_;
  threads_ = threads;
  trial_ = true;
  since_trial_ = 0;
}

}  // namespace fh::engine::llama
