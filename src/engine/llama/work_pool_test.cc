// Every piece is done exactly once, whatever the number of helpers.
#include "engine/llama/work_pool.h"

#include <gtest/gtest.h>

#include <atomic>

namespace fh::engine::llama {
namespace {

TEST(WorkPool, DoesEveryPieceOnce) {
  for (const std::size_t helpers : {0U, 1U, 3U}) {
    WorkPool pool(helpers);
    for (std::size_t count = 0; count < 40; ++count) {
      std::vector<std::atomic<int>> done(count);
      pool.run(count, [&](std::size_t i) { ++done[i]; });
      for (const auto& times : done) ASSERT_EQ(times.load(), 1);
    }
  }
}

}  // namespace
}  // namespace fh::engine::llama
