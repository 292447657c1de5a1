// Order of admission between tenants.
#include "engine/llama/fair_queue.h"

#include <gtest/gtest.h>

namespace fh::engine::llama {
namespace {

FairQueue::Item take(FairQueue& queue, const std::string& tenant) {
  const auto item = queue.front();
  queue.begin(tenant);
  queue.pop();
  return item;
}

TEST(FairQueue, FirstComeFirstServedWithinATenant) {
  FairQueue queue;
  queue.push("a", 1);
  queue.push("a", 2);
  EXPECT_EQ(take(queue, "a"), 1U);
  EXPECT_EQ(take(queue, "a"), 2U);
  EXPECT_TRUE(queue.empty());
}

TEST(FairQueue, AFloodByOneTenantDoesNotHoldUpAnother) {
  FairQueue queue;
  for (FairQueue::Item i = 1; i <= 100; ++i) queue.push("flood", i);
  EXPECT_EQ(take(queue, "flood"), 1U);
  queue.charge("flood", 1000, 50);
  queue.push("quiet", 500);
  EXPECT_EQ(queue.front(), 2U);  // the newcomer starts level with the one that waits, by name
  queue.charge("flood", 1, 0);
  EXPECT_EQ(queue.front(), 500U);
}

TEST(FairQueue, IdlenessEarnsNoClaim) {
  FairQueue queue;
  queue.begin("busy");
  queue.charge("busy", 10'000, 0);
  queue.push("idle", 1);
  EXPECT_EQ(queue.service("idle"), 10'000U);
}

TEST(FairQueue, GeneratedTokensWeighMore) {
  FairQueue queue;
  queue.begin("a");
  queue.charge("a", 10, 10);
  EXPECT_EQ(queue.service("a"), 10U + FairQueue::kGeneratedWeight * 10);
}

TEST(FairQueue, ARequestSetAsideGoesBackToTheFront) {
  FairQueue queue;
  queue.push("a", 1);
  queue.push("a", 2);
  EXPECT_EQ(take(queue, "a"), 1U);
  queue.push_front("a", 1);
  EXPECT_EQ(queue.front(), 1U);
}

TEST(FairQueue, RemovesFromTheMiddleAndForgetsIdleTenants) {
  FairQueue queue;
  queue.push("a", 1);
  queue.push("a", 2);
  EXPECT_TRUE(queue.remove(1));
  EXPECT_FALSE(queue.remove(1));
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_TRUE(queue.remove(2));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.service("a"), 0U);
}

}  // namespace
}  // namespace fh::engine::llama
