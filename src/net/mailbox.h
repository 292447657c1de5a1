#pragma once
// Mailbox<T>: values from any thread to one coroutine. Unbounded by itself: the producer is bounded
// by its protocol (engine events by what was asked for and by the engine's backlog).

#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "net/runtime.h"

namespace fh::net {

template <typename T>
class Mailbox {
 public:
  explicit Mailbox(Runtime& runtime) : signal_(runtime) {}
  void push(T value) {
    {
      const std::scoped_lock lock(mutex_);
      queue_.push_back(std::move(value));
    }
    signal_.notify();
  }
  // Wakes the waiting coroutine without a value.
  void wake() {
    {
      const std::scoped_lock lock(mutex_);
      woken_ = true;
    }
    signal_.notify();
  }
  std::optional<T> try_pop() {
    const std::scoped_lock lock(mutex_);
    if (queue_.empty()) return std::nullopt;
    std::optional<T> value(std::move(queue_.front()));
    queue_.pop_front();
    return value;
  }
  // nullopt: deadline passed or woken without a value.
  Task<std::optional<T>> pop_until(base::TimePoint deadline) {
    // A notification may be left over from a value that was taken without waiting.
    for (;;) {
      if (auto value = try_pop()) co_return value;
      if (take_wake()) co_return std::nullopt;
      if (!co_await signal_.wait_until(deadline)) co_return try_pop();
    }
  }
  // Waits until a value comes, however long; for answers that are certain to come.
  Task<T> pop() {
    for (;;) {
      if (auto value = try_pop()) co_return *std::move(value);
      co_await signal_.wait();
    }
  }

 private:
  bool take_wake() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(woken_, false);
  }

  std::mutex mutex_;
  std::deque<T> queue_;
  bool woken_ = false;
  Signal signal_;
};

}  // namespace fh::net
