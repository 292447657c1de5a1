#pragma once
// When things happen, as a seam: engines that only compute run their steps through it, so that the
// simulation can drive them on virtual time in one thread.
//
// Order: functions due at the same time run in the order in which they were given. Functions must
// be short and must not throw. What a function captures must outlive it or be guarded by a weak
// pointer: nothing can be unscheduled.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace fh::engine {

class Scheduler {
 public:
  using Fn = std::function<void()>;
  virtual ~Scheduler() = default;
  // Monotonic, as base::Clock::now.
  virtual base::TimePoint now() const = 0;
  // Runs `fn` as soon as possible, never inside this call. Any thread.
  virtual void post(Fn fn) = 0;
  // Runs `fn` once `delay` has passed (delay <= 0: as post). Any thread.
  virtual void call_later(base::Duration delay, Fn fn) = 0;
};

// Functions waiting for their time; not thread-safe. Shared by the two schedulers.
class TimedQueue {
 public:
  void add(base::TimePoint due, Scheduler::Fn fn);
  bool empty() const { return heap_.empty(); }
  base::TimePoint next_due() const { return heap_.top().due; }  // not empty
  Scheduler::Fn pop();                                          // not empty

 private:
  struct Item {
    base::TimePoint due;
    std::uint64_t number;
    mutable Scheduler::Fn fn;  // moved out just before the item is popped; not part of the order
    bool operator<(const Item& other) const {
      return due != other.due ? due > other.due : number > other.number;
    }
  };
  std::priority_queue<Item> heap_;
  std::uint64_t next_number_ = 0;
};

// One thread of its own. The destructor waits for the function that is running and drops the
// others.
class ThreadScheduler final : public Scheduler {
 public:
  // A thread that is about to give the scheduler something to do, and has nothing else to do
  // itself, may lend itself: what it posts is run by it at the end of the scope, still one function
  // at a time and in order, at most kLentMax of them. That saves two changes of threads for
  // something that takes microseconds. Lends are not nested.
  class Lend {
   public:
    explicit Lend(ThreadScheduler& scheduler);
    ~Lend();
    Lend(const Lend&) = delete;
    Lend& operator=(const Lend&) = delete;

   private:
    ThreadScheduler& scheduler_;
  };
  static constexpr std::size_t kLentMax = 16;  // then the lender goes back to its own work

  ThreadScheduler();
  ~ThreadScheduler() override;
  ThreadScheduler(const ThreadScheduler&) = delete;
  ThreadScheduler& operator=(const ThreadScheduler&) = delete;
  base::TimePoint now() const override { return clock_.now(); }
  void post(Fn fn) override;
  void call_later(base::Duration delay, Fn fn) override;

 private:
  void run() noexcept;
  void run_lent();
  void run_next(std::unique_lock<std::mutex>& lock);

  base::SystemClock clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  TimedQueue queue_;
  bool busy_ = false;  // a function runs, here or on a lent thread
  bool stopping_ = false;
  std::thread thread_;
};

// Moves only when told; functions run on the calling thread. Adding is safe from any thread,
// running is for one.
class ManualScheduler final : public Scheduler {
 public:
  explicit ManualScheduler(base::ManualClock& clock) : clock_(clock) {}
  base::TimePoint now() const override { return clock_.now(); }
  void post(Fn fn) override { call_later(base::Duration::zero(), std::move(fn)); }
  void call_later(base::Duration delay, Fn fn) override;

  // Runs the next function that is due now; false if there is none.
  bool run_one();
  // Runs everything due now, including what that posts, at most `limit` functions; how many ran.
  std::size_t run_ready(std::size_t limit = 1'000'000);
  // Moves the clock through every due time up to now + `by`, running what falls due on the way.
  std::size_t advance(base::Duration by);
  // Runs until nothing is left, jumping to each next due time, at most `limit` functions; how many
  // ran.
  std::size_t run_until_idle(std::size_t limit = 1'000'000);
  bool idle() const;
  // Due time of the next function; only if not idle.
  base::TimePoint next_due() const;

 private:
  base::ManualClock& clock_;
  mutable std::mutex mutex_;
  TimedQueue queue_;
};

}  // namespace fh::engine
