#include "engine/together.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace fh::engine {
namespace {

TEST(Together, RunsEachOnceAtTheOutermostEnd) {
  std::string done;
  const int a = 0;
  const int b = 0;
  {
    const Together outer;
    Together::at_end(&a, [&] { done += 'a'; });
    {
      const Together inner;
      Together::at_end(&b, [&] { done += 'b'; });
      Together::at_end(&a, [&] { done += 'x'; });
    }
    EXPECT_EQ(done, "");
    EXPECT_TRUE(Together::open());
  }
  EXPECT_EQ(done, "ab");
  EXPECT_FALSE(Together::open());
  {
    const Together again;
    Together::at_end(&a, [&] { done += 'c'; });
  }
  EXPECT_EQ(done, "abc");
}

TEST(Together, IsTheThreadsOwn) {
  const Together mine;
  bool open = true;
  std::thread([&] { open = Together::open(); }).join();
  EXPECT_FALSE(open);
  EXPECT_TRUE(Together::open());
}

TEST(Together, WhatRunsAtTheEndIsNotInside) {
  bool open = true;
  {
    const Together all;
    Together::at_end(&open, [&] { open = Together::open(); });
  }
  EXPECT_FALSE(open);
}

}  // namespace
}  // namespace fh::engine
