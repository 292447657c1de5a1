// See work_pool.h.
#include "engine/llama/work_pool.h"

namespace fh::engine::llama {

WorkPool::WorkPool(std::size_t helpers) {
  for (std::size_t i = 0; i < helpers; ++i) helpers_.emplace_back([this] { help(); });
}

WorkPool::~WorkPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

void WorkPool::take_all(std::unique_lock<std::mutex>& lock) {
  while (next_ < count_) {
    const std::size_t index = next_++;
    const auto* work = work_;
    lock.unlock();
    (*work)(index);
    lock.lock();
    if (++done_ == count_) finished_.notify_all();
  }
}

void WorkPool::help() noexcept {
  std::unique_lock lock(mutex_);
  while (true) {
    wanted_.wait(lock, [this] { return stopping_ || next_ < count_; });
    if (stopping_) return;
    take_all(lock);
  }
}

void WorkPool::run(std::size_t count, const std::function<void(std::size_t)>& work) {
  if (count == 0) return;
  if (count == 1 || helpers_.empty()) {
    for (std::size_t i = 0; i < count; ++i) work(i);
    return;
  }
  std::unique_lock lock(mutex_);
  work_ = &work;
  next_ = 0;
  done_ = 0;
  count_ = count;
  wanted_.notify_all();
  take_all(lock);
  finished_.wait(lock, [this] { return done_ == count_; });
  count_ = next_ = 0;
}

}  // namespace fh::engine::llama
