// Runtime, Signal, Mailbox and MemoryResponse: order and timers in the simulation, wake-ups across
// threads in production, and that a Runtime can be destroyed while coroutines wait.

#include "net/runtime.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "net/mailbox.h"
#include "net/memory.h"

namespace fh::net {
namespace {

using std::chrono::milliseconds;

Task<void> sleeper(Runtime& runtime, milliseconds delay, int id, std::vector<int>& order) {
  co_await runtime.sleep_until(runtime.clock().now() + delay);
  order.push_back(id);
}

TEST(SimulatedRuntime, TimersFireByTimeThenBySequence) {
  base::ManualClock clock;
  Runtime runtime(clock);
  std::vector<int> order;
  runtime.spawn(sleeper(runtime, milliseconds(20), 1, order));
  runtime.spawn(sleeper(runtime, milliseconds(10), 2, order));
  runtime.spawn(sleeper(runtime, milliseconds(20), 3, order));
  runtime.spawn(sleeper(runtime, milliseconds(0), 4, order));
  runtime.poll();
  EXPECT_EQ(order, std::vector<int>({4}));
  const auto start = clock.now();
  EXPECT_EQ(*runtime.next_timer(), start + milliseconds(10));
  while (runtime.advance_to_next_timer()) runtime.poll();
  EXPECT_EQ(order, std::vector<int>({4, 2, 1, 3}));
  EXPECT_EQ(clock.now(), start + milliseconds(20));
}

TEST(SimulatedRuntime, PostedWorkRunsInOrder) {
  base::ManualClock clock;
  Runtime runtime(clock);
  std::vector<int> order;
  runtime.post([&] {
    order.push_back(1);
    runtime.post([&] { order.push_back(3); });
  });
  runtime.post([&] { order.push_back(2); });
  EXPECT_EQ(runtime.poll(), 3u);
  EXPECT_EQ(order, std::vector<int>({1, 2, 3}));
  EXPECT_EQ(runtime.poll(), 0u);
}

TEST(SimulatedRuntime, CancelledTimersDoNotFire) {
  base::ManualClock clock;
  Runtime runtime(clock);
  int fired = 0;
  const auto a = runtime.call_at(clock.now() + milliseconds(1), [&] { ++fired; });
  Runtime::TimerId b = 0;
  runtime.call_at(clock.now() + milliseconds(2), [&] { runtime.cancel_timer(b); });
  b = runtime.call_at(clock.now() + milliseconds(2), [&] { ++fired; });
  runtime.cancel_timer(a);
  runtime.cancel_timer(a);
  clock.advance(milliseconds(5));
  runtime.poll();
  EXPECT_EQ(fired, 0);
  EXPECT_FALSE(runtime.next_timer().has_value());
}

TEST(SimulatedRuntime, TimerThatSetsATimerInThePastDoesNotSpin) {
  base::ManualClock clock;
  Runtime runtime(clock);
  int fired = 0;
  std::function<void()> again = [&] {
    if (++fired < 3) runtime.call_at(clock.now() - milliseconds(1), again);
  };
  runtime.call_at(clock.now(), again);
  runtime.poll();
  EXPECT_EQ(fired, 3);
}

Task<void> wait_once(Signal& signal, base::TimePoint deadline, std::vector<int>& results) {
  results.push_back(co_await signal.wait_until(deadline) ? 1 : 0);
}

TEST(SimulatedSignal, RemembersOneNotification) {
  base::ManualClock clock;
  Runtime runtime(clock);
  Signal signal(runtime);
  std::vector<int> results;
  signal.notify();
  signal.notify();
  runtime.spawn(wait_once(signal, clock.now() + milliseconds(5), results));
  runtime.poll();
  EXPECT_EQ(results, std::vector<int>({1}));
  runtime.spawn(wait_once(signal, clock.now() + milliseconds(5), results));
  runtime.poll();
  EXPECT_EQ(results, std::vector<int>({1}));
  runtime.advance_to_next_timer();
  runtime.poll();
  EXPECT_EQ(results, std::vector<int>({1, 0}));
  EXPECT_FALSE(runtime.next_timer().has_value());
}

TEST(SimulatedSignal, NotifyBeatsTheDeadlineAndDropsItsTimer) {
  base::ManualClock clock;
  Runtime runtime(clock);
  Signal signal(runtime);
  std::vector<int> results;
  runtime.spawn(wait_once(signal, clock.now() + milliseconds(5), results));
  runtime.poll();
  EXPECT_TRUE(runtime.next_timer().has_value());
  signal.notify();
  runtime.poll();
  EXPECT_EQ(results, std::vector<int>({1}));
  EXPECT_FALSE(runtime.next_timer().has_value());
}

Task<void> drain_mailbox(Mailbox<int>& mailbox, base::TimePoint deadline, std::vector<int>& out) {
  for (;;) {
    const auto value = co_await mailbox.pop_until(deadline);
    out.push_back(value.value_or(-1));
    if (!value) co_return;
  }
}

TEST(SimulatedMailbox, ValuesThenWakeThenDeadline) {
  base::ManualClock clock;
  Runtime runtime(clock);
  Mailbox<int> mailbox(runtime);
  std::vector<int> out;
  mailbox.push(1);
  mailbox.push(2);
  runtime.spawn(drain_mailbox(mailbox, clock.now() + milliseconds(5), out));
  runtime.poll();
  EXPECT_EQ(out, std::vector<int>({1, 2})) << "a left-over notification is not a wake-up";
  mailbox.push(3);
  runtime.poll();
  mailbox.wake();
  runtime.poll();
  EXPECT_EQ(out, std::vector<int>({1, 2, 3, -1}));
  runtime.spawn(drain_mailbox(mailbox, clock.now() + milliseconds(5), out));
  runtime.poll();
  EXPECT_EQ(out.size(), 4u);
  runtime.advance_to_next_timer();
  runtime.poll();
  EXPECT_EQ(out, std::vector<int>({1, 2, 3, -1, -1}));
}

struct Probe {
  std::atomic<int>& alive;
  explicit Probe(std::atomic<int>& a) : alive(a) { ++alive; }
  ~Probe() { --alive; }
};

Task<void> wait_forever(Runtime& runtime, std::atomic<int>& alive) {
  const Probe probe(alive);
  Mailbox<int> own(runtime);
  co_await own.pop();
}

TEST(SimulatedRuntime, DestructionFreesWaitingCoroutines) {
  base::ManualClock clock;
  std::atomic<int> alive = 0;
  std::vector<int> order;
  {
    Runtime runtime(clock);
    runtime.spawn(wait_forever(runtime, alive));
    runtime.spawn(wait_forever(runtime, alive));
    runtime.spawn(sleeper(runtime, milliseconds(5), 1, order));
    runtime.poll();
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
  EXPECT_TRUE(order.empty());
}

Task<void> consume(Mailbox<int>& mailbox, Runtime& runtime, int count, std::int64_t& sum) {
  for (int i = 0; i < count; ++i) sum += co_await mailbox.pop();
  runtime.stop();
}

TEST(Runtime, NoWakeUpIsLostBetweenThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 5'000;
  base::SystemClock clock;
  Runtime runtime(clock);
  Mailbox<int> mailbox(runtime);
  std::int64_t sum = 0;
  runtime.spawn(consume(mailbox, runtime, kThreads * kEach, sum));
  std::vector<std::thread> producers;
  for (int t = 0; t < kThreads; ++t) {
    producers.emplace_back([&mailbox] {
      for (int i = 0; i < kEach; ++i) mailbox.push(1);
    });
  }
  runtime.run();
  for (auto& producer : producers) producer.join();
  EXPECT_EQ(sum, kThreads * kEach);
}

Task<void> ping(Signal& hear, Signal& tell, int rounds, bool stop, Runtime& runtime) {
  for (int i = 0; i < rounds; ++i) {
    co_await hear.wait_until(runtime.clock().now() + std::chrono::seconds(30));
    tell.notify();
  }
  if (stop) runtime.stop();
}

TEST(Runtime, SignalsWithDeadlinesPassBackAndForth) {
  base::SystemClock clock;
  Runtime runtime(clock);
  Signal a(runtime);
  Signal b(runtime);
  runtime.spawn(ping(a, b, 10'000, false, runtime));
  runtime.spawn(ping(b, a, 10'000, true, runtime));
  a.notify();
  runtime.run();
  SUCCEED();
}

Task<void> sleep_then_stop(Runtime& runtime, std::vector<int>& order) {
  const auto start = runtime.clock().now();
  // A later timer first: the real timer has to be moved forward for the second.
  runtime.call_at(start + std::chrono::hours(1), [&order] { order.push_back(9); });
  co_await runtime.sleep_until(start + milliseconds(20));
  order.push_back(1);
  co_await runtime.sleep_until(start + milliseconds(10));
  order.push_back(2);
  runtime.stop();
}

TEST(Runtime, RealTimersFire) {
  base::SystemClock clock;
  Runtime runtime(clock);
  std::vector<int> order;
  runtime.spawn(sleep_then_stop(runtime, order));
  runtime.run();
  EXPECT_EQ(order, std::vector<int>({1, 2}));
}

// Ledger, engine and control threads still call when a server ends: what they post is run or
// dropped, whole.
TEST(Runtime, PostsBesideItsEndAreRunOrDropped) {
  constexpr int kRounds = 50;
  base::SystemClock clock;
  for (int round = 0; round < kRounds; ++round) {
    auto runtime = std::make_unique<Runtime>(clock);
    const auto held = std::make_shared<int>(0);
    std::atomic<bool> ends = false;
    std::atomic<int> posted = 0;
    std::vector<std::thread> callers;
    for (int t = 0; t < 3; ++t) {
      callers.emplace_back([&] {
        while (!ends) {
          runtime->post([held] {});
          ++posted;
        }
      });
    }
    while (posted < 100) std::this_thread::yield();
    runtime->abandon();
    const int at_the_end = posted;
    while (posted < at_the_end + 100) std::this_thread::yield();
    ends = true;
    for (auto& caller : callers) caller.join();
    runtime.reset();
    EXPECT_EQ(held.use_count(), 1);
  }
}

TEST(Runtime, StopBeforeRunReturnsAtOnce) {
  base::SystemClock clock;
  Runtime runtime(clock);
  runtime.stop();
  runtime.run();
  SUCCEED();
}

Task<void> stream_three(ResponseWriter& response, std::vector<bool>& ok) {
  ok.push_back((co_await response.begin(200, {{"content-type", "text/plain"}})).has_value());
  for (const char* text : {"a", "b", "c"}) {
    ok.push_back((co_await response.write(text)).has_value());
  }
  ok.push_back((co_await response.finish()).has_value());
}

TEST(MemoryResponse, RecordsAStream) {
  base::ManualClock clock;
  Runtime runtime(clock);
  MemoryResponse response(runtime);
  std::vector<bool> ok;
  runtime.spawn(stream_three(response, ok));
  runtime.poll();
  EXPECT_EQ(ok, std::vector<bool>(5, true));
  EXPECT_EQ(response.status(), 200);
  EXPECT_EQ(response.header("Content-Type"), "text/plain");
  EXPECT_EQ(response.body(), "abc");
  EXPECT_EQ(response.chunks().size(), 3u);
  EXPECT_TRUE(response.streamed() && response.finished());
}

TEST(MemoryResponse, FailsTheChosenCallAndStaysGone) {
  base::ManualClock clock;
  Runtime runtime(clock);
  MemoryResponse response(runtime);
  int gone = 0;
  response.on_peer_gone([&] { ++gone; });
  response.fail_call(3);
  std::vector<bool> ok;
  runtime.spawn(stream_three(response, ok));
  runtime.poll();
  EXPECT_EQ(ok, std::vector<bool>({true, true, false, false, false}));
  EXPECT_EQ(response.body(), "a");
  EXPECT_EQ(gone, 1);
  EXPECT_TRUE(response.peer_gone());
  EXPECT_FALSE(response.finished());
}

TEST(MemoryResponse, GoesAwayAtAMoment) {
  base::ManualClock clock;
  Runtime runtime(clock);
  MemoryResponse response(runtime);
  int gone = 0;
  response.go_away_at(clock.now() + milliseconds(7));
  response.on_peer_gone([&] { gone += 1; });
  response.on_peer_gone({});
  response.on_peer_gone([&] { gone += 10; });
  EXPECT_FALSE(response.peer_gone());
  runtime.advance_to_next_timer();
  EXPECT_EQ(gone, 10);
  response.on_peer_gone([&] { gone += 100; });
  EXPECT_EQ(gone, 110) << "registered too late: runs at once";
}

}  // namespace
}  // namespace fh::net
