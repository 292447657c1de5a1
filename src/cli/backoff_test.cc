// The waits before a new start.
#include "cli/backoff.h"

#include <gtest/gtest.h>

namespace fh::cli {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesToItsLimit) {
  Backoff backoff(BackoffLimits{});
  for (const auto wait : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms}) {
    EXPECT_EQ(backoff.next(1s), wait);
  }
}

TEST(Backoff, AGoodLifeStartsItAnew) {
  Backoff backoff(BackoffLimits{});
  backoff.next(0s);
  backoff.next(0s);
  EXPECT_EQ(backoff.next(30s - 1ns), 400ms);
  EXPECT_EQ(backoff.next(30s), 100ms);
  EXPECT_EQ(backoff.next(0s), 200ms);
}

}  // namespace
}  // namespace fh::cli
