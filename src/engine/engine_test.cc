#include "engine/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "engine/event_order.h"
#include "engine/scheduler.h"
#include "engine/test_support.h"

namespace fh::engine {
namespace {

namespace d = domain;

TEST(Overflow, SurvivesTheErrorForm) {
  const base::Error error = make_overflow({12345, 678, 4096});
  EXPECT_EQ(error.code, base::Code::OutOfRange);
  EXPECT_EQ(error.reason, "context_length_exceeded");
  const auto back = overflow_of(error);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->prompt_tokens, 12345u);
  EXPECT_EQ(back->tool_tokens, 678u);
  EXPECT_EQ(back->context_tokens, 4096u);
}

TEST(Overflow, TakesNothingElseForOne) {
  base::Error error = make_overflow({1, 2, 3});
  for (const char* text : {"", "1 2", "1 2 3 ", "1 2 3 4", "1  2 3", " 1 2 3", "-1 2 3", "1 2 x",
                           "99999999999999999999 1 1"}) {
    error.message = text;
    EXPECT_FALSE(overflow_of(error)) << text;
  }
  error.message = "1 2 3";
  EXPECT_TRUE(overflow_of(error));
  error.code = base::Code::InvalidArgument;
  EXPECT_FALSE(overflow_of(error));
  error.code = base::Code::OutOfRange;
  error.reason = "other";
  EXPECT_FALSE(overflow_of(error));
}

bool accepts(const std::vector<d::Event>& events) {
  EventOrder order;
  for (const d::Event& event : events) {
    if (!order.accept(event)) return false;
  }
  return true;
}

d::Finished end_with(d::EndReason reason) {
  d::Finished event;
  event.reason = reason;
  return event;
}

TEST(EventOrder, TakesTheOrdinaryStreams) {
  EXPECT_TRUE(accepts({d::Started{}, d::ReasoningDelta{"hm"}, d::TextDelta{"a", {}},
                       end_with(d::EndReason::Complete)}));
  EXPECT_TRUE(
      accepts({d::Started{}, d::ToolCallStart{"1", "f"}, d::ToolCallDelta{"{}"}, d::ToolCallEnd{},
               d::ToolCallStart{"2", "f"}, d::ToolCallEnd{}, end_with(d::EndReason::ToolCall)}));
  EXPECT_TRUE(accepts({d::Failed{}}));
  EXPECT_TRUE(accepts({d::Started{}, d::ToolCallStart{"1", "f"}, end_with(d::EndReason::Length)}));
}

TEST(EventOrder, RefusesTheBrokenOnes) {
  const d::Event complete = end_with(d::EndReason::Complete);
  EXPECT_FALSE(accepts({complete, complete}));
  EXPECT_FALSE(accepts({complete, d::TextDelta{"late", {}}}));
  EXPECT_FALSE(accepts({d::Started{}, d::Started{}}));
  EXPECT_FALSE(accepts({d::TextDelta{"a", {}}, d::Started{}}));
  EXPECT_FALSE(accepts({d::ToolCallDelta{"{}"}}));
  EXPECT_FALSE(accepts({d::ToolCallEnd{}}));
  EXPECT_FALSE(accepts({d::ToolCallStart{"1", "f"}, d::TextDelta{"a", {}}}));
  EXPECT_FALSE(accepts({d::ToolCallStart{"1", "f"}, d::ToolCallStart{"2", "g"}}));
  EXPECT_FALSE(accepts({d::ToolCallStart{"1", ""}}));
  EXPECT_FALSE(accepts({d::ToolCallStart{"1", "f"}, complete}));
  EXPECT_FALSE(accepts({end_with(d::EndReason::ToolCall)}));
  EXPECT_FALSE(accepts({d::TextDelta{"\xC3", {}}}));
}

TEST(EventOrder, ChecksTheAccount) {
  d::Finished event;
  event.usage.input_uncached = 5;
  event.usage.cache_read = 3;
  event.work = {5, 2, 1};
  EXPECT_TRUE(accepts({d::Started{8, {5, 2, 1}}, event}));
  EXPECT_FALSE(accepts({d::Started{7, {5, 2, 0}}, event}));
  EXPECT_FALSE(accepts({d::Started{8, {5, 2, 0}}}));
  event.work.restored = 2;
  EXPECT_FALSE(accepts({event}));
  event.work.restored = 1;
  event.usage.reasoning = 1;
  EXPECT_FALSE(accepts({event}));
  event.usage.output = std::uint64_t{1} << 60;
  EXPECT_FALSE(accepts({event}));
}

TEST(ManualScheduler, RunsInOrderOfTimeThenOfCall) {
  base::ManualClock clock;
  ManualScheduler scheduler(clock);
  std::vector<int> ran;
  scheduler.call_later(std::chrono::milliseconds(20), [&] { ran.push_back(4); });
  scheduler.post([&] {
    ran.push_back(1);
    scheduler.post([&] { ran.push_back(3); });
  });
  scheduler.post([&] { ran.push_back(2); });
  EXPECT_TRUE(ran.empty());
  EXPECT_EQ(scheduler.run_ready(), 3u);
  EXPECT_EQ(ran, (std::vector{1, 2, 3}));
  scheduler.advance(std::chrono::milliseconds(19));
  EXPECT_EQ(ran.size(), 3u);
  scheduler.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(ran, (std::vector{1, 2, 3, 4}));
  EXPECT_TRUE(scheduler.idle());
}

TEST(ManualScheduler, JumpsThroughVirtualTime) {
  base::ManualClock clock;
  ManualScheduler scheduler(clock);
  const base::TimePoint begin = scheduler.now();
  int hours = 0;
  std::function<void()> tick = [&] {
    if (++hours < 48) scheduler.call_later(std::chrono::hours(1), tick);
  };
  scheduler.post(tick);
  EXPECT_EQ(scheduler.run_until_idle(), 48u);
  EXPECT_EQ(scheduler.now() - begin, std::chrono::hours(47));
  scheduler.post(tick = [&] { scheduler.post(tick); });
  EXPECT_EQ(scheduler.run_until_idle(1000), 1000u);  // a loop without end is bounded
}

TEST(ThreadScheduler, RunsInOrderOnOneThread) {
  std::mutex mutex;
  std::vector<int> ran;
  ThreadScheduler scheduler;
  const auto note = [&](int n) {
    return [&, n] {
      const std::lock_guard lock(mutex);
      ran.push_back(n);
    };
  };
  scheduler.call_later(std::chrono::milliseconds(30), note(3));
  scheduler.call_later(std::chrono::milliseconds(10), note(2));
  scheduler.post(note(1));
  testing::wait_until([&] {
    const std::lock_guard lock(mutex);
    return ran.size() == 3;
  });
  const std::lock_guard lock(mutex);
  EXPECT_EQ(ran, (std::vector{1, 2, 3}));
}

TEST(ThreadScheduler, RunsOnALentThreadWhatThatThreadPosts) {
  ThreadScheduler scheduler;
  const auto here = std::this_thread::get_id();
  std::vector<std::thread::id> ran;
  {
    const ThreadScheduler::Lend lend(scheduler);
    scheduler.post([&] {
      ran.push_back(std::this_thread::get_id());
      scheduler.post([&] { ran.push_back(std::this_thread::get_id()); });
    });
    EXPECT_TRUE(ran.empty());  // never inside the call
  }
  EXPECT_EQ(ran, (std::vector{here, here}));
}

// A lender is not kept for ever, and what is due later is not its business.
TEST(ThreadScheduler, TakesOverFromALentThread) {
  std::atomic<std::size_t> here = 0, elsewhere = 0, later = 0;
  ThreadScheduler scheduler;
  const auto lender = std::this_thread::get_id();
  std::function<void()> chain = [&] {
    ++(std::this_thread::get_id() == lender ? here : elsewhere);
    if (here + elsewhere < 100) scheduler.post(chain);
  };
  {
    const ThreadScheduler::Lend lend(scheduler);
    scheduler.call_later(std::chrono::milliseconds(1), [&] { ++later; });
    scheduler.post(chain);
  }
  testing::wait_until([&] { return here + elsewhere == 100 && later == 1; });
  EXPECT_EQ(here + elsewhere, 100u);
  EXPECT_LE(here, ThreadScheduler::kLentMax);
  EXPECT_EQ(later, 1u);
}

// Several lenders and the scheduler's own thread: one function at a time, and none is lost.
TEST(ThreadScheduler, RunsOneFunctionAtATimeWhoeverLendsItself) {
  constexpr int kThreads = 4, kEach = 500;
  std::atomic<int> inside = 0, most = 0;
  int ran = 0;  // guarded by the promise under test
  std::atomic<int> done = 0;
  ThreadScheduler scheduler;
  {
    std::vector<std::jthread> lenders;
    for (int t = 0; t < kThreads; ++t) {
      lenders.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) {
          const ThreadScheduler::Lend lend(scheduler);
          scheduler.post([&] {
            if (++inside > 1) ++most;
            ++ran;
            --inside;
            ++done;
          });
        }
      });
    }
  }
  testing::wait_until([&] { return done == kThreads * kEach; });
  EXPECT_EQ(ran, kThreads * kEach);
  EXPECT_EQ(most, 0);
}

TEST(ThreadScheduler, DropsWhatIsNotDueAtTheEnd) {
  bool ran = false;
  {
    ThreadScheduler scheduler;
    scheduler.call_later(std::chrono::hours(1), [&] { ran = true; });
  }
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace fh::engine
