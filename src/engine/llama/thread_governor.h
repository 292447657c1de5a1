#pragma once
// How many threads compute a step. The threads of a step wait for each other hundreds of times,
// spinning; when another program takes one of the cores, one late thread holds up all, and fewer
// threads are faster by a multiple. The governor notices that steps take far longer than they did,
// tries with one thread less, and keeps what is faster; now and then it tries one more again. Fed
// with steps that cost nearly the same from one to the next: those of answers, or what pieces of
// prompts took of what such pieces are known to take.
//
// A change of the thread count may change the last bits of logits (attention over long contexts is
// split between threads), so for one kind of step it happens only under such pressure, or never if
// `adapt` is off; answers beside a piece of a prompt are computed with the prompts' number. Pure;
// not thread-safe.

#include <cstdint>

namespace fh::engine::llama {

class ThreadGovernor {
 public:
  // `threads`: what to begin with, see loader.h.
  ThreadGovernor(std::uint32_t threads_max, std::uint32_t threads, bool adapt)
      : threads_max_(threads_max), threads_(threads), adapt_(adapt) {}

  // A step with `rows` rows took this long; returns the number of threads for the next step.
  std::uint32_t decoded(std::uint32_t rows, std::int64_t nanoseconds);
  std::uint32_t threads() const { return threads_; }

 private:
  void begin_trial(std::uint32_t threads);

  static constexpr std::uint32_t kWindow = 8;       // steps that are compared
  static constexpr double kPressure = 2.5;          // times the usual that count as disturbed
  static constexpr double kGain = 0.85;             // a trial must be this much faster
  static constexpr std::uint32_t kPauseFirst = 64;  // steps between trials; doubled when they fail
  static constexpr std::uint32_t kPauseMax = 4096;

  std::uint32_t threads_max_;
  std::uint32_t threads_;
  bool adapt_;
  std::uint32_t rows_ = 0;  // of the steps being compared
  double usual_ = 0;        // ns per step with these rows, slowly following
  double recent_ = 0;       // mean of the last full window before a trial
  double window_sum_ = 0;
  std::uint32_t window_count_ = 0;
  bool trial_ = false;
  std::uint32_t before_trial_ = 0;  // threads
  std::uint32_t pause_ = kPauseFirst;
  std::uint32_t since_trial_ = kPauseFirst;
};

}  // namespace fh::engine::llama
