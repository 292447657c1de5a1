#include "base/ids.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace fh::base {
namespace {

TEST(Ids, SystemIdsDiffer) {
  SystemRandom random;
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(make_id("key_", random));
  EXPECT_EQ(ids.size(), 1000U);
  EXPECT_EQ(ids.begin()->size(), 28U);
}

TEST(Ids, RequestIdsOfOneInstantDiffer) {
  SeededRandom random(1);
  const ManualClock clock;
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(make_request_id(random, clock));
  EXPECT_EQ(ids.size(), 1000U);
  EXPECT_EQ(ids.begin()->size(), 28U);
  EXPECT_EQ(ids.begin()->substr(0, 13), ids.rbegin()->substr(0, 13));
}

TEST(Ids, RequestIdsSortByTime) {
  SeededRandom random(2);
  ManualClock clock;
  std::string last = make_request_id(random, clock);
  // From a microsecond to a month: every digit but the first carries at least once.
  for (std::int64_t step = 1'000; step < 2'600'000'000'000'000; step += step / 2) {
    clock.advance(Duration(step));
    const std::string next = make_request_id(random, clock);
    EXPECT_LT(last, next) << step;
    last = next;
  }
}

TEST(Ids, RequestIdHasTheTimeInBase62) {
  SeededRandom random(3);
  const ManualClock clock;  // 2026-01-01T00:00:01Z: 1,767,225,601,000,000 microseconds
  EXPECT_EQ(make_request_id(random, clock).substr(4, 9), "85ozrHskS");
}

}  // namespace
}  // namespace fh::base
