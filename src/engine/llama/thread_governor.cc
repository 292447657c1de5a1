// See thread_governor.h.
#include "engine/llama/thread_governor.h"

#include <algorithm>
#include <cmath>

namespace fh::engine::llama {

void ThreadGovernor::Pause::begin(bool longer) {
  ns = longer ? std::min(2 * ns, kPauseMax) : kPauseFirst;
  passed = 0;
}

bool ThreadGovernor::window_full() const {
  return (count_ >= kWindow && took_ns_ >= kWindowNs) ||
         (count_ >= kSlowWindow && took_ns_ >= kSlowWindowNs);
}

void ThreadGovernor::clear_window() {
  cost_ = 0;
  took_ns_ = cpu_ns_ = 0;
  count_ = 0;
}

std::uint32_t ThreadGovernor::after(const Step& step) {
  if (!adapt_ || threads_max_ < 2 || step.took_ns <= 0) return threads_;
  if (step.kind != kind_) {  // start comparing anew, and undo a trial that cannot be judged
    if (trial_ != Trial::None) threads_ = before_trial_;
    trial_ = Trial::None;
    kind_ = step.kind;
    usual_ = 0;
    clear_window();
  }
  fewer_.passed += step.took_ns;
  more_.passed += step.took_ns;
  since_more_ += step.took_ns;
  cost_ += step.cost;
  took_ns_ += step.took_ns;
  cpu_ns_ += step.cpu_ns;
  ++count_;
  if (trial_ == Trial::More && step.cost > kHopeless * usual_) {
    end_trial(false);
    return threads_;
  }
  if (!window_full()) return threads_;
  const double mean = cost_ / count_;
  const double cores = static_cast<double>(cpu_ns_) / static_cast<double>(took_ns_);
  clear_window();
  if (trial_ != Trial::None) {
    const bool better = mean < must_cost() * usual_;
    if (better) usual_ = mean;
    end_trial(better);
    return threads_;
  }
  usual_ = mean;
  if (threads_ > 1 && static_cast<double>(threads_) - cores > kTaken && fewer_.over()) {
    const auto had = static_cast<std::uint32_t>(std::lround(std::max(1.0, cores)));
    begin_trial(Trial::Fewer, std::min(had, threads_ - 1));
  } else if (threads_ < threads_max_ && more_.over()) {
    try_more();
  }
  return threads_;
}

void ThreadGovernor::try_more() {
  const std::uint32_t left = threads_max_ - threads_;
  if (reach_ == 0 || reach_ > left) reach_ = left;
  begin_trial(Trial::More, threads_ + reach_);
}

// More threads must bring half of what they would where nothing is lost by sharing.
double ThreadGovernor::must_cost() const {
  if (trial_ == Trial::Fewer) return kGain;
  return (1 + static_cast<double>(before_trial_) / threads_) / 2;
}

void ThreadGovernor::begin_trial(Trial trial, std::uint32_t threads) {
  trial_ = trial;
  before_trial_ = threads_;
  threads_ = threads;
}

void ThreadGovernor::end_trial(bool better) {
  if (!better) {
    if (trial_ == Trial::More) reach_ /= 2;
    (trial_ == Trial::Fewer ? fewer_ : more_).begin(true);
    threads_ = before_trial_;
  } else {
    fewer_.begin(false);
    reach_ = 0;
    if (trial_ == Trial::More) {
      since_more_ = more_.passed = 0;
    } else {
      // Two workers that share the cores would take them from each other in turns: where more
      // threads did not last they are tried less often, as if they had failed.
      more_.begin(since_more_ < kLasting);
    }
  }
  trial_ = Trial::None;
  clear_window();
}

}  // namespace fh::engine::llama
