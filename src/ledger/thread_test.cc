// The threads: everything asked is answered once, from many callers, and stop() leaves nothing
// behind.

#include "ledger/thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "ledger/store/faulty.h"
#include "ledger/store/memory.h"
#include "ledger/test_rows.h"

namespace fh::ledger {
namespace {

using testing::admission;
using testing::settlement;

class LedgerThreadLevels : public ::testing::TestWithParam<Durability> {};

TEST_P(LedgerThreadLevels, EveryRequestOfManyCallersIsSettledAndSynced) {
  constexpr int kCallers = 4;
  constexpr int kRequests = 200;
  MemoryStore store;
  base::SystemClock clock;
  LedgerWriter::Options options;
  options.durability = GetParam();
  LedgerWriter writer(store, clock, options);
  std::atomic<int> admitted = 0;
  std::atomic<int> settled = 0;
  LedgerThread thread(writer);
  std::latch all(std::ptrdiff_t{kCallers} * kRequests);
  std::vector<std::thread> callers;
  for (int c = 0; c < kCallers; ++c) {
    callers.emplace_back([&, c] {
      for (int i = 0; i < kRequests; ++i) {
        const std::string id = "req_" + std::to_string(c) + "_" + std::to_string(i);
        writer.admit(admission(id), [&, id](base::Status status) {
          if (status) ++admitted;
          writer.settle(settlement(id), [&](base::Status done) {  // from inside a callback
            if (done) ++settled;
            all.count_down();
          });
        });
      }
    });
  }
  for (auto& caller : callers) caller.join();
  all.wait();
  thread.stop();
  EXPECT_EQ(admitted, kCallers * kRequests);
  EXPECT_EQ(settled, kCallers * kRequests);
  EXPECT_EQ(store.unsynced_commits(), 0U);
  for (const Row& row : store.rows()) EXPECT_TRUE(row.settlement.has_value());
}

TEST_P(LedgerThreadLevels, StopAnswersWhatWasQueued) {
  MemoryStore store;
  base::SystemClock clock;
  LedgerWriter::Options options;
  options.durability = GetParam();
  LedgerWriter writer(store, clock, options);
  std::atomic<int> answers = 0;
  {
    LedgerThread thread(writer);
    for (int i = 0; i < 50; ++i) {
      writer.admit(admission("req_" + std::to_string(i)),
                   [&](base::Status s) { answers += s ? 1 : 1000; });
    }
  }
  EXPECT_EQ(answers, 50);
  EXPECT_EQ(store.unsynced_commits(), 0U);
}

TEST_P(LedgerThreadLevels, AFailingDiskAnswersEverybody) {
  MemoryStore memory;
  FaultyStore store(memory);
  base::SystemClock clock;
  LedgerWriter::Options options;
  options.durability = GetParam();
  LedgerWriter writer(store, clock, options);
  store.fail_sync(1);
  std::atomic<int> answers = 0;
  {
    LedgerThread thread(writer);
    for (int i = 0; i < 50; ++i) {
      writer.admit(admission("req_" + std::to_string(i)), [&](base::Status) { ++answers; });
    }
  }
  EXPECT_EQ(answers, 50);
  EXPECT_FALSE(writer.healthy());
}

// A failure that comes from an append, by whichever thread, leaves nobody waiting for a sync that
// will not be made: the answers come before stop().
TEST_P(LedgerThreadLevels, AFailingAppendLeavesNobodyWaiting) {
  for (int round = 0; round < 20; ++round) {
    MemoryStore memory;
    FaultyStore store(memory);
    base::SystemClock clock;
    LedgerWriter::Options options;
    options.durability = GetParam();
    options.direct_open_max = 4096;
    LedgerWriter writer(store, clock, options);
    LedgerThread thread(writer);
    std::latch all(2);
    store.fail_append(2);
    writer.admit(admission("req_a"), [&](base::Status) { all.count_down(); });
    writer.settle(settlement("req_b"), [&](base::Status) { all.count_down(); });
    for (int i = 0; i < 2000 && !all.try_wait(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_TRUE(all.try_wait()) << "round " << round;
  }
}

// Counts syncs, each of which takes a while.
class SlowSyncStore final : public Store {
 public:
  base::Result<std::vector<Outcome>> append(std::span<const Record> records) override {
    return inner_.append(records);
  }
  base::Status sync() override {
    ++syncs;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return inner_.sync();
  }
  base::Result<std::vector<Admission>> load_unsettled() override { return inner_.load_unsettled(); }
  base::Status maintain(bool idle) override { return inner_.maintain(idle); }
  bool maintenance_due(bool) const override { return false; }
  std::atomic<int> syncs = 0;

 private:
  MemoryStore inner_;
};

// At level power one request after the other costs one sync each: that of its admission, which
// covers the settlement before it.
TEST(LedgerThread, ASettlementDoesNotKeepTheDiskFromTheNextAdmission) {
  constexpr int kRequests = 50;
  SlowSyncStore store;
  base::SystemClock clock;
  LedgerWriter::Options options;
  options.durability = Durability::Power;
  options.direct_open_max = 4096;
  LedgerWriter writer(store, clock, options);
  LedgerThread::Options slow;
  slow.sync_after = std::chrono::minutes(1);  // what is not asked for does not happen by chance
  LedgerThread thread(writer, slow);
  for (int i = 0; i < kRequests; ++i) {
    const std::string id = "req_" + std::to_string(i);
    std::latch settled(1);
    writer.admit(admission(id), [&](base::Status status) {
      EXPECT_TRUE(status);
      writer.settle(settlement(id), [&](base::Status) { settled.count_down(); });
    });
    settled.wait();
  }
  EXPECT_EQ(store.syncs, kRequests);
  thread.stop();
  EXPECT_EQ(store.syncs, kRequests + 1);  // the last settlement
}

// Always something to do for upkeep; counts how often it is asked to.
class UpkeepStore final : public Store {
 public:
  base::Result<std::vector<Outcome>> append(std::span<const Record> records) override {
    return inner_.append(records);
  }
  base::Status sync() override { return inner_.sync(); }
  base::Result<std::vector<Admission>> load_unsettled() override { return inner_.load_unsettled(); }
  base::Status maintain(bool) override {
    due = pressing = false;
    ++rounds;
    return {};
  }
  bool maintenance_due(bool) const override { return due; }
  bool maintenance_pressing() const override { return pressing; }
  std::atomic<bool> due = false, pressing = false;
  std::atomic<int> rounds = 0;

 private:
  MemoryStore inner_;
};

class LedgerUpkeep : public ::testing::Test {
 protected:
  LedgerUpkeep() {
    slow_.idle_after = slow_.quiet_after = slow_.move_after = std::chrono::hours(1);
  }
  // The next commit is the `n`th.
  void commit(int n) {
    writer_.admit(admission("req_" + std::to_string(n)), {});
    for (int i = 0; i < 2000 && writer_.last_commit() < static_cast<std::uint64_t>(n); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_EQ(writer_.last_commit(), static_cast<std::uint64_t>(n));
  }
  bool soon_upkept() const {
    for (int i = 0; i < 2000 && store_.rounds == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return store_.rounds > 0;
  }
  UpkeepStore store_;
  base::SystemClock clock_;
  LedgerWriter writer_{store_, clock_, {}};
  LedgerThread::Options slow_;
};

TEST_F(LedgerUpkeep, ComesAtAQuietMoment) {
  slow_.quiet_after = std::chrono::milliseconds(20);
  LedgerThread thread(writer_, slow_);
  store_.due = true;
  commit(1);
  EXPECT_TRUE(soon_upkept());
}

TEST_F(LedgerUpkeep, WaitsNoLongerThanItMay) {
  slow_.move_after = std::chrono::milliseconds(20);
  slow_.quiet_after = std::chrono::milliseconds(10);
  LedgerThread thread(writer_, slow_);
  store_.due = true;
  for (int n = 1; n <= 2000 && store_.rounds == 0; ++n) commit(n);  // never quiet
  EXPECT_TRUE(soon_upkept());
}

TEST_F(LedgerUpkeep, DoesNotWaitWhenThereIsMuch) {
  LedgerThread thread(writer_, slow_);
  store_.due = true;
  commit(1);
  EXPECT_EQ(store_.rounds, 0);
  store_.pressing = true;
  commit(2);
  EXPECT_TRUE(soon_upkept());
}

INSTANTIATE_TEST_SUITE_P(Levels, LedgerThreadLevels,
                         ::testing::Values(Durability::Process, Durability::Power));

}  // namespace
}  // namespace fh::ledger
