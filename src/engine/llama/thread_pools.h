#pragma once
// The threads that compute a context's steps: a pool for each number of threads in use. One pool
// of the largest number would do as well, but those of its threads that have no part in a step wake
// up for it all the same and spin, which takes a core from whoever made the engine use fewer
// threads. Private to the façade. Not thread-safe.

#include <cstdint>
#include <list>

struct ggml_threadpool;

namespace fh::engine::llama {

class ThreadPools {
 public:
  ThreadPools() = default;
  ~ThreadPools();
  ThreadPools(const ThreadPools&) = delete;
  ThreadPools& operator=(const ThreadPools&) = delete;

  // Null when the system gives no threads: the library then starts some for every batch. The pool
  // lives at least until kKept - 1 others have been asked for since: the library may touch the one
  // it used last.
  ggml_threadpool* of(std::uint32_t threads);

 private:
  static constexpr std::size_t kKept = 4;
  struct Pool {
    std::uint32_t threads = 0;
    ggml_threadpool* pool = nullptr;
  };
  std::list<Pool> pools_;  // the one asked for last is first
};

}  // namespace fh::engine::llama
