#pragma once
// Runtime: one event loop (an Asio io_context) with its timers, run by one thread. Signal: how
// other threads (engine, ledger) wake a coroutine. Both work under the simulation: a Runtime made
// with a ManualClock has no thread and no real timers; the test pumps it with poll() and moves time
// with advance_to_next_timer().

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "net/task.h"

namespace fh::net {

class Runtime {
 public:
  // Production: real timers. `clock` outlives the Runtime.
  explicit Runtime(base::Clock& clock);
  // Simulation: virtual timers on the manual clock.
  explicit Runtime(base::ManualClock& clock);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  base::Clock& clock() const;

  // Runs until stop(); production only. The calling thread becomes the loop's thread.
  void run();
  void stop();  // any thread
  // After run() has returned, on its thread: destroys every suspended coroutine and pending call,
  // so that what they refer to may be destroyed next. Later posts and notifications do nothing.
  void abandon();
  // Any thread: run fn on the loop's thread.
  void post(std::function<void()> fn);
  // Any thread: start a coroutine on the loop. An exception that leaves it is a FH_BUG.
  void spawn(Task<void> task);
  // Loop's thread. fn runs on the loop's thread at `when` unless cancelled.
  using TimerId = std::uint64_t;
  TimerId call_at(base::TimePoint when, std::function<void()> fn);
  void cancel_timer(TimerId id);
  Task<void> sleep_until(base::TimePoint when);

  // Simulation only: run everything that is ready now; returns how many handlers ran.
  std::size_t poll();
  // Simulation only: when the next timer is due; advance moves the clock there and fires it.
  std::optional<base::TimePoint> next_timer() const;
  bool advance_to_next_timer();

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// An auto-reset event: notify() from any thread (also before the wait: it is remembered once), one
// waiting coroutine at a time on the runtime's thread. The Signal may be destroyed only when no
// coroutine waits on it.
class Signal {
 public:
  explicit Signal(Runtime& runtime);
  ~Signal();
  void notify();
  // true: notified; false: the deadline passed first.
  Task<bool> wait_until(base::TimePoint deadline);
  Task<void> wait();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace fh::net
