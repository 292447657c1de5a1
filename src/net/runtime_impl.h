#pragma once
// The inside of Runtime for the other files of this folder: the io_context, the timer queue and the
// coroutines that are parked outside of Asio. Not for other folders.
//
// Shutdown order matters: a coroutine that waits is owned by whatever will resume it. Timers and
// parked operations are destroyed first (that hands their frames to the io_context), then the
// io_context destroys everything it holds.

#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/runtime.h"

namespace fh::net {

// A suspended coroutine that some of our own code will resume with a bool. Loop's thread only.
class ParkedOp {
 public:
  virtual ~ParkedOp() = default;
  virtual void complete(bool value) = 0;

 private:
  friend struct Runtime::Impl;
  std::size_t index_ = 0;
};

struct Runtime::Impl {
  struct Loop : boost::asio::io_context {
    Loop() : io_context(1) {}
    void close() { shutdown(); }
  };
  struct TimerKey {
    base::TimePoint when;
    TimerId id;
    auto operator<=>(const TimerKey&) const = default;
  };

  Impl(base::Clock& real_clock, base::ManualClock* manual_clock);
  ~Impl();

  TimerId add_timer(base::TimePoint when, std::function<void()> fn);
  void cancel_timer(TimerId id);
  // Runs the timers that are due; returns how many.
  std::size_t fire_due();
  void run();
  // Production: makes the real timer ring for the earliest entry.
  void arm();

  // Takes the operation out of the table and resumes its coroutine at once.
  void resume(ParkedOp* op, bool value);
  ParkedOp* adopt(std::unique_ptr<ParkedOp> op);

  base::Clock& clock;
  base::ManualClock* manual;
  std::map<TimerKey, std::function<void()>> timers;
  std::unordered_map<TimerId, base::TimePoint> timer_times;
  TimerId last_timer = 0;
  std::vector<std::unique_ptr<ParkedOp>> parked;
  Loop io;
  boost::asio::executor_work_guard<Loop::executor_type> work;
  boost::asio::steady_timer real_timer;
  base::TimePoint armed_for = base::TimePoint::max();
  int looking_pays = 0;  // how often the last looks found something
  unsigned rests = 0;
  bool closing = false;
  std::atomic<bool> closed{false};
  // Threads inside post(): the io_context empties its queue at its end without a lock, so the end
  // waits for them.
  std::atomic<int> posting{0};
};

// Suspends the calling coroutine and gives the operation that resumes it to `start` (called before
// the suspension is complete, so `start` must not resume it inline). Yields the value given to
// Impl::resume.
template <typename Start>
Task<bool> park(Runtime::Impl& runtime, Start start) {
  auto initiate = [&runtime, start = std::move(start)](auto handler) mutable {
    using HandlerType = decltype(handler);
    class Op final : public ParkedOp {
     public:
      explicit Op(HandlerType h) : handler_(std::move(h)) {}
      void complete(bool value) override { std::move(handler_)(value); }

     private:
      HandlerType handler_;
    };
    start(runtime.adopt(std::make_unique<Op>(std::move(handler))));
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>&, void(bool)>(
      std::move(initiate), boost::asio::use_awaitable);
}

}  // namespace fh::net
