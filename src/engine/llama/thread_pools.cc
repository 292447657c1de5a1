// See thread_pools.h.
#include "engine/llama/thread_pools.h"

#include <ggml-cpu.h>

#include <algorithm>
#include <iterator>

namespace fh::engine::llama {

namespace {
// How long a thread spins for the next batch before it sleeps, in the library's unit of 131,072
// looks, a few milliseconds: longer than what lies between two steps, so that it is found awake.
// The library's own default is fifty times that, which a neighbour on the same cores feels.
constexpr std::uint32_t kPoll = 1;
}  // namespace

ThreadPools::~ThreadPools() {
  for (const Pool& pool : pools_) ggml_threadpool_free(pool.pool);
}

ggml_threadpool* ThreadPools::of(std::uint32_t threads) {
  const auto found = std::ranges::find(pools_, threads, &Pool::threads);
  if (found != pools_.end()) {
    pools_.splice(pools_.begin(), pools_, found);
    return found->pool;
  }
  ggml_threadpool_params params = ggml_threadpool_params_default(static_cast<int>(threads));
  params.poll = kPoll;
  ggml_threadpool* pool = ggml_threadpool_new(&params);
  if (pool == nullptr) return nullptr;
  pools_.push_front({threads, pool});
  if (pools_.size() > kKept) {
    ggml_threadpool_free(pools_.back().pool);
    pools_.pop_back();
  }
  return pool;
}

}  // namespace fh::engine::llama
