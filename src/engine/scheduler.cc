// The two schedulers; see scheduler.h.
#include "engine/scheduler.h"

#include <algorithm>
#include <utility>

namespace fh::engine {
namespace {
// The scheduler that the calling thread has lent itself to.
thread_local const ThreadScheduler* lent_to = nullptr;
}  // namespace

void TimedQueue::add(base::TimePoint due, Scheduler::Fn fn) {
  heap_.push(Item{due, next_number_++, std::move(fn)});
}

Scheduler::Fn TimedQueue::pop() {
  Scheduler::Fn fn = std::move(heap_.top().fn);
  heap_.pop();
  return fn;
}

ThreadScheduler::ThreadScheduler() : thread_([this] { run(); }) {}

ThreadScheduler::~ThreadScheduler() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ThreadScheduler::post(Fn fn) {
  call_later(base::Duration::zero(), std::move(fn));
}

void ThreadScheduler::call_later(base::Duration delay, Fn fn) {
  const base::TimePoint due = now() + std::max(delay, base::Duration::zero());
  {
    const std::lock_guard lock(mutex_);
    queue_.add(due, std::move(fn));
  }
  if (lent_to != this || delay > base::Duration::zero()) changed_.notify_all();
}

// The next function, with the lock let go meanwhile.
void ThreadScheduler::run_next(std::unique_lock<std::mutex>& lock) {
  Fn fn = queue_.pop();
  busy_ = true;
  lock.unlock();
  fn();
  fn = nullptr;  // what it captured dies outside the lock
  lock.lock();
  busy_ = false;
}

void ThreadScheduler::run() noexcept {
  std::unique_lock lock(mutex_);
  while (!stopping_ || busy_) {
    if (queue_.empty() || busy_) {
      changed_.wait(lock);
    } else if (const base::TimePoint due = queue_.next_due(); due > now()) {
      changed_.wait_until(lock, due);
    } else {
      run_next(lock);
    }
  }
}

// If another thread is running something, that one goes on with what is left.
void ThreadScheduler::run_lent() {
  bool left = false;
  {
    std::unique_lock lock(mutex_);
    if (busy_) return;
    for (std::size_t ran = 0; ran < kLentMax && !stopping_; ++ran) {
      if (queue_.empty() || queue_.next_due() > now()) break;
      run_next(lock);
    }
    left = !queue_.empty() || stopping_;
  }
  if (left) changed_.notify_all();
}

ThreadScheduler::Lend::Lend(ThreadScheduler& scheduler) : scheduler_(scheduler) {
  lent_to = &scheduler;
}

ThreadScheduler::Lend::~Lend() {
  scheduler_.run_lent();
  lent_to = nullptr;
}

void ManualScheduler::call_later(base::Duration delay, Fn fn) {
  const base::TimePoint due = now() + std::max(delay, base::Duration::zero());
  const std::lock_guard lock(mutex_);
  queue_.add(due, std::move(fn));
}

bool ManualScheduler::run_one() {
  Fn fn;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty() || queue_.next_due() > now()) return false;
    fn = queue_.pop();
  }
  fn();
  return true;
}

std::size_t ManualScheduler::run_ready(std::size_t limit) {
  std::size_t count = 0;
  while (count < limit && run_one()) ++count;
  return count;
}

std::size_t ManualScheduler::advance(base::Duration by) {
  const base::TimePoint end = now() + by;
  std::size_t count = run_ready();
  while (!idle() && next_due() <= end) {
    clock_.advance_to(next_due());
    count += run_ready();
  }
  clock_.advance_to(end);
  return count;
}

std::size_t ManualScheduler::run_until_idle(std::size_t limit) {
  std::size_t count = 0;
  while (count < limit && !idle()) {
    if (next_due() > now()) clock_.advance_to(next_due());
    if (run_one()) ++count;
  }
  return count;
}

bool ManualScheduler::idle() const {
  const std::lock_guard lock(mutex_);
  return queue_.empty();
}

base::TimePoint ManualScheduler::next_due() const {
  const std::lock_guard lock(mutex_);
  return queue_.next_due();
}

}  // namespace fh::engine
