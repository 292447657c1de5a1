#include "cli/heartbeat.h"

#include <gtest/gtest.h>

namespace fh::cli {
namespace {

using namespace std::chrono_literals;
using Due = Heartbeat::Due;

class HeartbeatTest : public testing::Test {
 protected:
  Due after(base::Duration wait) {
    now_ += wait;
    return heartbeat_.due(now_);
  }
  base::TimePoint now_{};
  Heartbeat heartbeat_{{10ms, 3}};
};

TEST_F(HeartbeatTest, AsksInTurnAndGivesUpAfterTheLastUnansweredQuestion) {
  EXPECT_EQ(after(1h), Due::Nothing);  // not begun
  heartbeat_.begin(now_);
  EXPECT_EQ(after(9ms), Due::Nothing);
  EXPECT_EQ(after(1ms), Due::Ask);
  EXPECT_EQ(after(9ms), Due::Nothing);
  EXPECT_EQ(after(1ms), Due::Ask);
  EXPECT_EQ(after(10ms), Due::Ask);
  EXPECT_EQ(after(10ms), Due::Dead);
  heartbeat_.end();
  EXPECT_EQ(after(10ms), Due::Nothing);
}

TEST_F(HeartbeatTest, AnyAnswerCounts) {
  heartbeat_.begin(now_);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(after(10ms), Due::Ask);
    EXPECT_EQ(after(10ms), Due::Ask);
    EXPECT_EQ(after(10ms), Due::Ask);
    heartbeat_.heard();
  }
}

TEST_F(HeartbeatTest, TimeInWhichTheAskerDidNotRunDoesNotCount) {
  heartbeat_.begin(now_);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(after(10ms), Due::Ask);
    EXPECT_EQ(after(10ms), Due::Ask);
    EXPECT_EQ(after(1h), Due::Ask);  // as the first of three
  }
  EXPECT_EQ(after(10ms), Due::Ask);
  EXPECT_EQ(after(10ms), Due::Ask);
  EXPECT_EQ(after(10ms), Due::Dead);
}

}  // namespace
}  // namespace fh::cli
