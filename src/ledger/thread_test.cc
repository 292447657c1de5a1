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
  int answers = 0;
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
  int answers = 0;
  {
    LedgerThread thread(writer);
    for (int i = 0; i < 50; ++i) {
      writer.admit(admission("req_" + std::to_string(i)), [&](base::Status) { ++answers; });
    }
  }
  EXPECT_EQ(answers, 50);
  EXPECT_FALSE(writer.healthy());
}

INSTANTIATE_TEST_SUITE_P(Levels, LedgerThreadLevels,
                         ::testing::Values(Durability::Process, Durability::Power));

}  // namespace
}  // namespace fh::ledger
