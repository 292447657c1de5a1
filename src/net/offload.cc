#include "net/offload.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace fh::net {

struct Offload::Impl {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> queue;
  bool stopping = false;
  std::thread thread;

  void loop() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return stopping || !queue.empty(); });
      if (queue.empty()) return;
      std::function<void()> fn = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      fn();
      lock.lock();
    }
  }
};

Offload::Offload() : impl_(std::make_unique<Impl>()) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->loop(); });
}

Offload::~Offload() {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_one();
  impl_->thread.join();
}

void Offload::post(std::function<void()> fn) {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->queue.push_back(std::move(fn));
  }
  impl_->wake.notify_one();
}

}  // namespace fh::net
