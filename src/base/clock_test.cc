// Time: formats around borders, and the manual clock's two views moving together.
#include "base/clock.h"

#include <gtest/gtest.h>

namespace fh::base {
namespace {

using namespace std::chrono_literals;

TEST(Clock, FormatsWallTime) {
  EXPECT_EQ(format_rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(1'795'539'421'123'999'999), "2026-11-24T16:57:01.123Z");
  EXPECT_EQ(format_date(1'795'539'421'123'999'999), "2026-11-24");
  EXPECT_EQ(format_date(1'709'164'800'000'000'000), "2024-02-29");
}

TEST(Clock, FormatsTimesBefore1970RoundedDown) {
  EXPECT_EQ(format_rfc3339(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339(-1'000'000'000), "1969-12-31T23:59:59.000Z");
  EXPECT_EQ(format_date(-1), "1969-12-31");
}

TEST(Clock, ManualClockMovesOnlyWhenTold) {
  ManualClock clock;
  const TimePoint start = clock.now();
  const std::int64_t wall = clock.unix_ns();
  EXPECT_EQ(clock.now(), start);
  clock.advance(1500ms);
  EXPECT_EQ(clock.now() - start, 1500ms);
  EXPECT_EQ(clock.unix_ns() - wall, 1'500'000'000);
  clock.advance_to(start + 2s);
  EXPECT_EQ(clock.unix_ns() - wall, 2'000'000'000);
}

TEST(Clock, SystemClockDoesNotRunBackwards) {
  const SystemClock clock;
  TimePoint last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const TimePoint now = clock.now();
    EXPECT_GE(now, last);
    last = now;
  }
  EXPECT_GT(clock.unix_ns(), 1'700'000'000'000'000'000);
}

}  // namespace
}  // namespace fh::base
