// The passive core over the in-memory store: acknowledgement levels, exactly once, recovery, torn
// writes, failures.

#include "ledger/writer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "ledger/store/faulty.h"
#include "ledger/store/memory.h"
#include "ledger/test_rows.h"

namespace fh::ledger {
namespace {

using testing::admission;
using testing::settlement;

struct Answer {
  int calls = 0;
  base::Status status = base::fail(base::Code::Unknown, "not called");
  Ledger::Done done() {
    return [this](base::Status s) {
      ++calls;
      status = std::move(s);
    };
  }
};

LedgerWriter::Options at(Durability level) {
  LedgerWriter::Options options;
  options.durability = level;
  return options;
}

TEST(LedgerWriter, ProcessLevelAnswersAfterTheWriteAndBeforeTheSync) {
  MemoryStore store;
  base::ManualClock clock;
  LedgerWriter writer(store, clock, at(Durability::Process));
  Answer answer;
  writer.admit(admission("req_1"), answer.done());
  EXPECT_EQ(answer.calls, 0);
  EXPECT_TRUE(writer.append_queued());
  EXPECT_EQ(answer.calls, 1);
  EXPECT_TRUE(answer.status.has_value());
  EXPECT_EQ(store.unsynced_commits(), 1U);
  EXPECT_TRUE(writer.has_unsynced());
  EXPECT_TRUE(writer.sync_written());
  EXPECT_FALSE(writer.has_unsynced());
  EXPECT_EQ(store.unsynced_commits(), 0U);
  EXPECT_FALSE(writer.complete_synced());
}

TEST(LedgerWriter, PowerLevelAnswersAdmissionsAfterTheSyncAndSettlementsBefore) {
  MemoryStore store;
  base::ManualClock clock;
  LedgerWriter writer(store, clock, at(Durability::Power));
  Answer first, second, settled;
  writer.admit(admission("req_1"), first.done());
  writer.append_queued();
  EXPECT_FALSE(writer.complete_synced());
  EXPECT_EQ(first.calls, 0);
  EXPECT_TRUE(writer.sync_written());
  writer.admit(admission("req_2"), second.done());
  writer.settle(settlement("req_1"), settled.done());
  writer.append_queued();  // after the sync: not covered by it
  EXPECT_TRUE(writer.has_completions());
  EXPECT_TRUE(writer.complete_synced());
  EXPECT_EQ(first.calls, 1);
  EXPECT_TRUE(first.status.has_value());
  EXPECT_EQ(settled.calls, 1);
  EXPECT_EQ(second.calls, 0);
  writer.pump();
  EXPECT_EQ(second.calls, 1);
}

// A disk whose syncs take as long as the test says.
class TimedStore final : public Store {
 public:
  explicit TimedStore(base::ManualClock& clock) : clock_(clock) {}
  base::Result<std::vector<Outcome>> append(std::span<const Record> records) override {
    return memory.append(records);
  }
  base::Status sync() override {
    ++syncs;
    clock_.advance(takes);
    if (fails) return base::fail(base::Code::Unavailable, "the disk is gone");
    return memory.sync();
  }
  base::Result<std::vector<Admission>> load_unsettled() override { return memory.load_unsettled(); }
  base::Status maintain(bool) override { return {}; }
  bool maintenance_due(bool) const override { return false; }

  MemoryStore memory;
  std::chrono::microseconds takes{100};
  bool fails = false;
  int syncs = 0;

 private:
  base::ManualClock& clock_;
};

LedgerWriter::Options direct(Durability level) {
  LedgerWriter::Options options = at(level);
  options.direct_open_max = 100;
  options.direct_sync_max = std::chrono::milliseconds(1);
  return options;
}

TEST(LedgerWriter, ALoneAdmissionIsSyncedByItsCaller) {
  base::ManualClock clock;
  TimedStore store(clock);
  LedgerWriter writer(store, clock, direct(Durability::Power));
  Answer first, second, third, settled;
  writer.admit(admission("req_1"), first.done());
  EXPECT_EQ(first.calls, 0);  // nobody knows yet how long a sync takes
  writer.pump();
  EXPECT_EQ(first.calls, 1);
  writer.settle(settlement("req_1"), settled.done());
  EXPECT_EQ(settled.calls, 1);
  EXPECT_EQ(store.syncs, 1);  // nobody waits for that one
  writer.admit(admission("req_2"), second.done());
  EXPECT_EQ(second.calls, 1);
  EXPECT_TRUE(second.status.has_value());
  EXPECT_EQ(store.syncs, 2);
  EXPECT_EQ(store.memory.unsynced_commits(), 0U);
  EXPECT_FALSE(writer.has_unsynced());
  writer.admit(admission("req_3"), third.done());  // while another answer is under way
  EXPECT_EQ(third.calls, 0);
  EXPECT_EQ(store.syncs, 2);
  writer.pump();
  EXPECT_EQ(third.calls, 1);
}

TEST(LedgerWriter, NoCallerWaitsForASlowDisk) {
  base::ManualClock clock;
  TimedStore store(clock);
  LedgerWriter writer(store, clock, direct(Durability::Power));
  store.takes = std::chrono::milliseconds(20);
  const auto request = [&](const std::string& id) {
    Answer admitted;
    writer.admit(admission(id), admitted.done());
    const bool at_once = admitted.calls == 1;
    writer.pump();
    EXPECT_EQ(admitted.calls, 1);
    writer.settle(settlement(id), {});
    writer.pump();
    return at_once;
  };
  EXPECT_FALSE(request("req_0"));
  EXPECT_FALSE(request("req_1"));
  store.takes = std::chrono::microseconds(100);
  int slow = 0;
  while (slow < 100 && !request("req_slow_" + std::to_string(slow))) ++slow;
  EXPECT_GT(slow, 2);
  EXPECT_LT(slow, 50);  // and is believed again when it has become quick
}

TEST(LedgerWriter, ASyncThatFailsInItsCallerPoisons) {
  base::ManualClock clock;
  TimedStore store(clock);
  LedgerWriter writer(store, clock, direct(Durability::Power));
  Answer first, second;
  writer.admit(admission("req_1"), first.done());
  writer.pump();
  writer.settle(settlement("req_1"), {});
  store.fails = true;
  writer.admit(admission("req_2"), second.done());
  EXPECT_EQ(second.calls, 1);
  EXPECT_FALSE(second.status.has_value());
  EXPECT_FALSE(writer.healthy());
}

TEST(LedgerWriter, AtLevelProcessNoCallerSyncs) {
  base::ManualClock clock;
  TimedStore store(clock);
  LedgerWriter writer(store, clock, direct(Durability::Process));
  for (int i = 0; i < 3; ++i) {
    const std::string id = "req_" + std::to_string(i);
    Answer answer;
    writer.admit(admission(id), answer.done());
    EXPECT_EQ(answer.calls, 1);
    EXPECT_EQ(store.syncs, i);
    writer.settle(settlement(id), {});
    writer.pump();
  }
}

TEST(LedgerWriter, WhatIsNotDurableIsAsOldAsItsFirstCommit) {
  base::ManualClock clock;
  TimedStore store(clock);
  LedgerWriter writer(store, clock, direct(Durability::Process));
  clock.advance(std::chrono::seconds(1));
  const base::TimePoint first = clock.now();
  writer.admit(admission("req_1"), {});
  clock.advance(std::chrono::milliseconds(2));
  writer.admit(admission("req_2"), {});
  EXPECT_EQ(writer.unsynced_since(), first);
  writer.sync_written();
  clock.advance(std::chrono::milliseconds(2));
  const base::TimePoint third = clock.now();
  writer.admit(admission("req_3"), {});
  EXPECT_EQ(writer.unsynced_since(), third);
}

TEST(LedgerWriter, OneTransactionTakesWhatIsQueuedUpToTheBound) {
  MemoryStore store;
  base::ManualClock clock;
  LedgerWriter::Options options;
  options.batch_max = 4;
  LedgerWriter writer(store, clock, options);
  for (int i = 0; i < 6; ++i) writer.admit(admission("req_" + std::to_string(i)), nullptr);
  writer.append_queued();
  EXPECT_EQ(store.rows().size(), 4U);
  writer.append_queued();
  EXPECT_EQ(store.rows().size(), 6U);
  EXPECT_FALSE(writer.append_queued());
  EXPECT_EQ(writer.counters().commits, 2U);
}

TEST(LedgerWriter, ARepeatedSettlementSucceedsAndChangesNothing) {
  MemoryStore store;
  base::ManualClock clock;
  LedgerWriter writer(store, clock, {});
  writer.admit(admission("req_1"), nullptr);
  writer.settle(settlement("req_1"), nullptr);
  Settlement other = settlement("req_1");
  other.usage.output = 9'999;
  Answer again;
  writer.settle(other, again.done());
  writer.pump();
  EXPECT_TRUE(again.status.has_value());
  ASSERT_EQ(store.rows().size(), 1U);
  EXPECT_EQ(store.rows()[0].settlement->usage.output, 40U);
  EXPECT_EQ(writer.counters().repeated, 1U);
  EXPECT_EQ(writer.counters().settled, 1U);
}

TEST(LedgerWriter, AnAttemptIsAdmittedOnceAndTheNextAttemptIsAnotherRow) {
  MemoryStore store;
  base::ManualClock clock;
  LedgerWriter writer(store, clock, {});
  Answer first, repeat, next;
  writer.admit(admission("req_1"), first.done());
  writer.admit(admission("req_1"), repeat.done());
  writer.admit(admission("req_1", 2), next.done());
  writer.pump();
  EXPECT_TRUE(first.status.has_value());
  ASSERT_FALSE(repeat.status.has_value());
  EXPECT_EQ(repeat.status.error().code, base::Code::AlreadyExists);
  EXPECT_TRUE(next.status.has_value());
  EXPECT_EQ(store.rows().size(), 2U);
}

TEST(LedgerWriter, ASettlementWithoutAdmissionIsRefusedAndDoesNotPoison) {
  MemoryStore store;
  base::ManualClock clock;
  LedgerWriter writer(store, clock, {});
  Answer answer;
  writer.settle(settlement("req_unknown"), answer.done());
  writer.pump();
  ASSERT_FALSE(answer.status.has_value());
  EXPECT_EQ(answer.status.error().code, base::Code::FailedPrecondition);
  EXPECT_TRUE(writer.healthy());
  EXPECT_EQ(writer.counters().orphaned, 1U);
}

TEST(LedgerWriter, AFullQueueRefusesAdmissionsAndNeverSettlements) {
  MemoryStore store;
  base::ManualClock clock;
  LedgerWriter::Options options;
  options.queue_max = 2;
  LedgerWriter writer(store, clock, options);
  Answer a, b, refused, settled;
  writer.admit(admission("req_1"), a.done());
  writer.admit(admission("req_2"), b.done());
  writer.admit(admission("req_3"), refused.done());
  writer.settle(settlement("req_1"), settled.done());
  EXPECT_EQ(refused.calls, 0) << "callbacks run on the writer thread only";
  writer.pump();
  EXPECT_TRUE(a.status.has_value() && b.status.has_value() && settled.status.has_value());
  ASSERT_FALSE(refused.status.has_value());
  EXPECT_EQ(refused.status.error().code, base::Code::ResourceExhausted);
  EXPECT_EQ(store.rows().size(), 2U);
  EXPECT_EQ(writer.counters().refused, 1U);
  Answer later;
  writer.admit(admission("req_4"), later.done());
  writer.pump();
  EXPECT_TRUE(later.status.has_value());
}

TEST(LedgerWriter, CountsBeyondReasonAreStoredAsTheLargestAllowed) {
  MemoryStore store;
  base::ManualClock clock;
  LedgerWriter writer(store, clock, {});
  writer.admit(admission("req_1"), nullptr);
  Settlement s = settlement("req_1");
  s.usage.output = UINT64_MAX;
  writer.settle(s, nullptr);
  writer.pump();
  EXPECT_EQ(store.rows()[0].settlement->usage.output, kTokensMax);
  EXPECT_EQ(writer.counters().saturated, 1U);
}

TEST(LedgerWriter, RecoverySettlesWhatWasOpenAsCrash) {
  MemoryStore store;
  base::ManualClock clock;
  {
    LedgerWriter writer(store, clock, {});
    for (int i = 0; i < 5; ++i) writer.admit(admission("req_" + std::to_string(i)), nullptr);
    writer.settle(settlement("req_2"), nullptr);
    writer.append_queued();
  }
  LedgerWriter::Options small;
  small.batch_max = 3;
  LedgerWriter writer(store, clock, small);
  const auto settled = writer.recover();
  ASSERT_TRUE(settled.has_value());
  EXPECT_EQ(*settled, 4U);
  EXPECT_EQ(store.unsynced_commits(), 0U);
  for (const Row& row : store.rows()) {
    ASSERT_TRUE(row.settlement.has_value());
    if (row.admission.request_id == "req_2") {
      EXPECT_EQ(row.settlement->reason, domain::EndReason::Stop);
      continue;
    }
    EXPECT_EQ(row.settlement->reason, domain::EndReason::Crash);
    EXPECT_EQ(row.settlement->source, domain::UsageSource::Estimated);
    EXPECT_EQ(row.settlement->usage.total(), 0U);
    EXPECT_FALSE(row.settlement->cost.has_value());
    EXPECT_EQ(row.settlement->charge, domain::MicroUsd{0});
    EXPECT_EQ(row.settlement->ended_unix_ns, clock.unix_ns());
  }
  EXPECT_EQ(*writer.recover(), 0U);
}

TEST(LedgerWriter, AFailedSyncPoisons) {
  for (const Durability level : {Durability::Process, Durability::Power}) {
    MemoryStore memory;
    FaultyStore store(memory);
    base::ManualClock clock;
    LedgerWriter writer(store, clock, at(level));
    Answer before, doubtful, after, settled;
    writer.admit(admission("req_1"), before.done());
    writer.pump();
    EXPECT_TRUE(before.status.has_value());
    store.fail_sync(1);
    writer.admit(admission("req_2"), doubtful.done());
    writer.pump();
    EXPECT_FALSE(writer.healthy());
    EXPECT_EQ(doubtful.calls, 1);
    EXPECT_EQ(doubtful.status.has_value(), level == Durability::Process);
    writer.admit(admission("req_3"), after.done());
    writer.settle(settlement("req_1"), settled.done());
    writer.pump();
    ASSERT_FALSE(after.status.has_value());
    EXPECT_EQ(after.status.error().code, base::Code::Unavailable);
    EXPECT_FALSE(after.status.error().hint.empty());
    EXPECT_FALSE(settled.status.has_value());

    store.heal();
    LedgerWriter restarted(store, clock, at(level));
    ASSERT_TRUE(restarted.recover().has_value());
    for (const Row& row : memory.rows()) EXPECT_TRUE(row.settlement.has_value());
    EXPECT_EQ(memory.rows().size(), 2U) << "the refused admission left no row";
  }
}

TEST(LedgerWriter, AFailedAppendPoisonsWhetherOrNotTheTransactionLanded) {
  for (const auto lost : {FaultyStore::Lost::Transaction, FaultyStore::Lost::OnlyTheAnswer}) {
    MemoryStore memory;
    FaultyStore store(memory);
    base::ManualClock clock;
    LedgerWriter writer(store, clock, {});
    store.fail_append(2, lost);
    Answer first, second, settled;
    writer.admit(admission("req_1"), first.done());
    writer.pump();
    writer.admit(admission("req_2"), second.done());
    writer.settle(settlement("req_1"), settled.done());
    writer.pump();
    EXPECT_TRUE(first.status.has_value());
    EXPECT_FALSE(second.status.has_value());
    EXPECT_FALSE(settled.status.has_value());
    EXPECT_FALSE(writer.healthy());
    store.heal();
    LedgerWriter restarted(store, clock, {});
    ASSERT_TRUE(restarted.recover().has_value());
    for (const Row& row : memory.rows()) EXPECT_TRUE(row.settlement.has_value());
  }
}

TEST(LedgerWriter, AfterCloseCallersAreRefusedAtOnceAndTheQueueStillDrains) {
  MemoryStore store;
  base::ManualClock clock;
  LedgerWriter writer(store, clock, {});
  Answer queued, late;
  writer.admit(admission("req_1"), queued.done());
  writer.close();
  writer.admit(admission("req_2"), late.done());
  EXPECT_EQ(late.calls, 1);
  EXPECT_EQ(late.status.error().code, base::Code::Unavailable);
  writer.pump();
  EXPECT_TRUE(queued.status.has_value());
}

// A small world: random admissions, settlements, repeats, steps, power cuts and kills. Whatever was
// acknowledged at the level in force is there after every crash, and every row ends settled exactly
// once.
class CrashWorld {
 public:
  CrashWorld(std::uint64_t seed, Durability level)
      : random_(seed), level_(level), faulty_(store_), writer_(make()) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
    crash(random_.below(2) == 0);
    for (const Row& row : store_.rows()) EXPECT_TRUE(row.settlement.has_value());
  }

 private:
  std::unique_ptr<LedgerWriter> make() {
    auto writer = std::make_unique<LedgerWriter>(faulty_, clock_, at(level_));
    EXPECT_TRUE(writer->recover().has_value());
    return writer;
  }

  void step() {
    switch (random_.below(9)) {
      case 0:
      case 1: {
        const std::string id = "req_" + std::to_string(next_++);
        writer_->admit(admission(id), [this, id](base::Status s) {
          if (s) acknowledged_.insert(id);
        });
        break;
      }
      case 2:
      case 3: {
        if (next_ == 0) break;
        const std::string id = "req_" + std::to_string(random_.below(next_));
        Settlement s = settlement(id);
        s.usage.output = random_.below(1'000);
        writer_->settle(s, nullptr);
        break;
      }
      case 4: writer_->append_queued(); break;
      case 5: writer_->sync_written(); break;
      case 6: writer_->complete_synced(); break;
      case 7:
        if (random_.below(20) == 0) faulty_.fail_sync(1 + random_.below(3));
        if (random_.below(20) == 0)
          faulty_.fail_append(1 + random_.below(3), FaultyStore::Lost::OnlyTheAnswer);
        break;
      default:
        if (random_.below(10) == 0) crash(random_.below(2) == 0);
    }
  }

  void crash(bool power) {
    writer_.reset();  // the queue dies with the process
    if (power) store_.crash_power(random_);
    faulty_.heal();
    writer_ = make();
    std::map<std::string, int> seen;
    for (const Row& row : store_.rows()) {
      ++seen[row.admission.request_id];
      const auto known = settled_output_.find(row.admission.request_id);
      ASSERT_TRUE(row.settlement.has_value());
      if (known != settled_output_.end()) EXPECT_EQ(known->second, row.settlement->usage.output);
      settled_output_[row.admission.request_id] = row.settlement->usage.output;
    }
    for (const auto& [id, count] : seen) EXPECT_EQ(count, 1) << id;
    const bool all_must_be_there = !power || level_ == Durability::Power;
    for (const std::string& id : acknowledged_) {
      if (all_must_be_there) EXPECT_EQ(seen.count(id), 1U) << id;
    }
    // At level process a power cut may take what was not synced yet; what is left was synced by the
    // recovery.
    std::erase_if(acknowledged_, [&](const std::string& id) { return !seen.contains(id); });
  }

  base::SeededRandom random_;
  Durability level_;
  base::ManualClock clock_;
  MemoryStore store_;
  FaultyStore faulty_;
  std::unique_ptr<LedgerWriter> writer_;
  std::uint64_t next_ = 0;
  std::set<std::string> acknowledged_;
  std::map<std::string, std::uint64_t> settled_output_;
};

TEST(LedgerWriter, NothingAcknowledgedIsLostInAnySequenceOfCrashes) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    CrashWorld(seed, seed % 2 == 0 ? Durability::Power : Durability::Process).run(300);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace fh::ledger
