// A thread that gives way does so alone.

#include "base/os/priority.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

namespace fh::base::os {
namespace {

TEST(Priority, OnlyTheCallingThreadGivesWay) {
  const int before = ::getpriority(PRIO_PROCESS, 0);
  int inside = 0;
  std::thread([&inside] {
    give_way_to_others();
    inside = ::getpriority(PRIO_PROCESS, 0);
  }).join();
  EXPECT_EQ(inside, before < 10 ? 10 : before);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), before);
}

}  // namespace
}  // namespace fh::base::os
