#pragma once
// How many threads compute a step. The threads of a step wait for each other hundreds of times,
// spinning; when another program, or another model's worker, takes one of the cores, one late
// thread holds up all, and fewer threads are faster by a multiple. Between batches the threads of a
// step want all of their time, so processor time that is missing is time that somebody else took:
// where a quarter of a thread's is, the governor tries with as many threads as cores were really
// had, and keeps what is faster. Now and then it tries more threads again, all there are, then half
// as many more, and so on, and less often as long as that fails or does not last.
//
// A change of the thread count may change the last bits of logits (attention over long contexts is
// split between threads), so for one kind of step it happens only under such pressure, or never if
// `adapt` is off; answers beside a piece of a prompt are computed with the prompts' number. Pure;
// not thread-safe.

#include <cstdint>

namespace fh::engine::llama {

class ThreadGovernor {
 public:
  struct Step {
    std::uint32_t kind = 0;    // costs of steps of different kinds are not compared
    double cost = 0;           // what it took, in any unit that is the same for all of its kind
    std::int64_t took_ns = 0;  // from its begin to its end
    std::int64_t cpu_ns = 0;   // processor time of the process meanwhile
  };

  // `threads`: what to begin with, see loader.h.
  ThreadGovernor(std::uint32_t threads_max, std::uint32_t threads, bool adapt)
      : threads_max_(threads_max), threads_(threads), adapt_(adapt) {}

  // After a step that was computed with threads(); returns their number for the next one.
  std::uint32_t after(const Step& step);
  std::uint32_t threads() const { return threads_; }

 private:
  enum class Trial : std::uint8_t { None, Fewer, More };
  // Between two trials of one direction.
  struct Pause {
    std::int64_t ns = kPauseFirst;
    std::int64_t passed = kPauseFirst;
    bool over() const { return passed >= ns; }
    void begin(bool longer);  // twice as long as the last one, or the first anew
  };

  bool window_full() const;
  void clear_window();
  void begin_trial(Trial trial, std::uint32_t threads);
  void try_more();
  double must_cost() const;  // of the usual, for the trial to be kept
  void end_trial(bool better);

  // Steps that are compared: so many and so long, or fewer that took much longer.
  static constexpr std::uint32_t kWindow = 8;
  static constexpr std::int64_t kWindowNs = 60'000'000;
  static constexpr std::uint32_t kSlowWindow = 2;
  static constexpr std::int64_t kSlowWindowNs = 250'000'000;
  static constexpr double kTaken = 0.25;  // threads' worth of missing time that is pressure
  static constexpr double kGain = 0.85;   // a trial of fewer must cost at most this
  static constexpr double kHopeless = 2;  // a step of a trial of more that costs this ends it
  static constexpr std::int64_t kPauseFirst = 1'000'000'000;
  static constexpr std::int64_t kLasting = 20'000'000'000;  // more threads for so long were right
  static constexpr std::int64_t kPauseMax = 30'000'000'000;

  std::uint32_t threads_max_;
  std::uint32_t threads_;
  bool adapt_;
  std::uint32_t kind_ = 0;
  double usual_ = 0;  // mean cost of the last full window
  double cost_ = 0;   // sums of the window that is being filled
  std::int64_t took_ns_ = 0;
  std::int64_t cpu_ns_ = 0;
  std::uint32_t count_ = 0;
  Trial trial_ = Trial::None;
  std::uint32_t before_trial_ = 0;  // threads
  Pause fewer_;
  Pause more_;
  std::int64_t since_more_ = kLasting;  // nanoseconds since a trial of more was kept
  std::uint32_t reach_ = 0;  // how many threads more the next trial of more has; 0 = all there are
};

}  // namespace fh::engine::llama
