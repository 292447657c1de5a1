#pragma once
// A few threads that share out independent pieces of work: the rows of a batch are sampled on it,
// so that eight answers do not wait for each other's grammars. One caller at a time.

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace fh::engine::llama {

class WorkPool {
 public:
  explicit WorkPool(std::size_t helpers);
  ~WorkPool();
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;
  // Calls work(0) .. work(count - 1), on this thread and the helpers, and returns when all are
  // done. `work` must not throw.
  void run(std::size_t count, const std::function<void(std::size_t)>& work);

 private:
  void help() noexcept;
  void take_all(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable wanted_;
  std::condition_variable finished_;
  const std::function<void(std::size_t)>* work_ = nullptr;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
  std::size_t done_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> helpers_;
};

}  // namespace fh::engine::llama
