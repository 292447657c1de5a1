#pragma once
// The ledger's core: a queue in front of a Store, group commit behind it, acknowledgement at the
// durability level in force. It owns no thread and no clock of its own. LedgerThread drives it in
// production; the simulation calls pump() or the three steps one by one, with crashes between them.
//
// Threads: admit, settle, sync_written, complete_synced and the observers from any thread.
// append_queued and recover belong to the writer thread, maintain to the upkeep thread (both may be
// the same). Callbacks run in append_queued and complete_synced; after close(), and with
// Options::direct_open_max, also inside admit and settle.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ledger/ledger.h"
#include "ledger/store/store.h"

namespace fh::ledger {

class LedgerWriter final : public Ledger {
 public:
  struct Options {
    Durability durability = Durability::Process;
    std::size_t queue_max =
        4096;  // records waiting; an admission beyond it is refused, a settlement never
    std::size_t batch_max = 256;  // records in one transaction
    // With at most so many requests between admission and settlement, whoever calls admit or settle
    // writes the record itself if nobody else is writing: two changes of threads cost more than a
    // small transaction. With more, the writer thread puts many into one. 0: always the writer.
    std::size_t direct_open_max = 0;
    // Level power, with direct_open_max: the caller also does the sync of an admission that is the
    // only request open, while syncs have lately taken no longer than this. Nobody else's answer
    // waits meanwhile, and a sync thread would cost the request two changes of threads. 0: never.
    std::chrono::nanoseconds direct_sync_max{0};
  };
  // Since construction.
  struct Counters {
    std::uint64_t admitted = 0, settled = 0;
    std::uint64_t refused = 0;    // admissions refused because the queue was full
    std::uint64_t repeated = 0;   // records that changed nothing
    std::uint64_t orphaned = 0;   // settlements without an admission
    std::uint64_t saturated = 0;  // records with a count beyond kTokensMax
    std::uint64_t commits = 0, syncs = 0;
    std::size_t queue_depth_now = 0;
  };

  LedgerWriter(Store& store, const base::Clock& clock, Options options);
  ~LedgerWriter() override;
  LedgerWriter(const LedgerWriter&) = delete;
  LedgerWriter& operator=(const LedgerWriter&) = delete;

  // Settles what an earlier run left open, with reason Crash, and makes the result durable. Once,
  // before the first admit. Returns the number of rows settled. What such a request used is not
  // known: its buckets are zero, its source Estimated, its cost absent (unpriced), its charge zero;
  // the prompt's length stays on its admission.
  base::Result<std::uint64_t> recover();

  void admit(Admission admission, Done done) override;
  void settle(Settlement settlement, Done done) override;
  Durability durability() const override { return options_.durability; }
  bool healthy() const override { return !poisoned_.load(std::memory_order_acquire); }

  bool append_queued();    // one transaction of what is queued; false: nothing was done
  bool sync_written();     // syncs what is written and not durable; false: nothing was done
  bool complete_synced();  // acknowledges admissions that became durable; false: none
  void maintain(bool idle);
  bool maintenance_due(bool idle) const { return store_.maintenance_due(idle); }
  bool maintenance_pressing() const { return store_.maintenance_pressing(); }
  void pump();  // all of the above until nothing is left
  // From now on admit and settle fail at once with Unavailable. What is queued can still be pumped.
  void close();

  bool has_queued() const;
  bool has_unsynced() const;
  bool has_completions() const;
  bool has_waiting() const;  // admissions that wait to become durable
  // Changes with every commit.
  std::uint64_t last_commit() const { return written_.load(std::memory_order_acquire); }
  // When the oldest commit that is not durable was made, or the last sync began if that was later;
  // of no meaning without one.
  base::TimePoint unsynced_since() const;
  Counters counters() const;
  // Called, from any thread, after something was queued. Set before the first admit.
  void on_queued(std::function<void()> notify) { notify_ = std::move(notify); }
  // The same after a caller of admit or settle wrote by itself (Options::direct_open_max).
  void on_written(std::function<void()> notify) { notify_written_ = std::move(notify); }

 private:
  struct Entry {
    Record record;
    Done done;
    bool refused = false;
  };
  struct Waiting {
    std::uint64_t commit = 0;
    Done done;
  };
  using Calls = std::vector<std::pair<Done, base::Status>>;
  void enqueue(Record record, Done done);
  bool write_directly();
  bool alone_at_the_disk() const;
  bool append_in_turn(Calls& calls);
  void poison(const base::Error& cause);
  base::Error poison_error() const;
  base::Status status_of(const Entry& entry, Outcome outcome);
  std::size_t take_batch(std::vector<Record>& records, std::vector<Entry>& entries, Calls& calls);
  void finish_batch(std::vector<Entry>& entries, const std::vector<Outcome>& outcomes,
                    Calls& calls);
  static void fail_all(std::vector<Entry>& entries, const base::Error& error, Calls& calls);
  static void run(Calls& calls);

  Store& store_;
  const base::Clock& clock_;
  const Options options_;
  std::function<void()> notify_, notify_written_;
  std::mutex turn_;  // held by whoever appends; before mutex_, and never while a callback runs
  std::atomic<bool> poisoned_ = false;
  std::atomic<bool> closed_ = false;
  std::atomic<std::uint64_t> written_ = 0;  // number of the last commit
  std::atomic<std::uint64_t> durable_ = 0;  // number of the last commit known durable

  std::mutex sync_turn_;  // held by whoever syncs; before mutex_
  std::atomic<bool> syncing_ = false;

  mutable std::mutex mutex_;  // guards the seven below
  base::TimePoint unsynced_since_{};
  std::optional<std::chrono::nanoseconds> sync_takes_;  // up at once, down slowly
  std::deque<Entry> queue_;
  std::size_t refused_queued_ = 0;  // entries of queue_ that only carry a refusal
  std::deque<Waiting> waiting_;     // level power: written, not yet durable
  std::string poison_cause_;
  Counters counters_;
};

}  // namespace fh::ledger
