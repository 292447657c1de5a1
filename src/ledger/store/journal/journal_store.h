#pragma once
// The intake journal: a Store in front of another. append() writes one small piece into a file that
// is written in place, which takes microseconds where a transaction of a database takes a tenth of
// a millisecond; maintain() moves what came in into the inner store, many records to a transaction.
// A start replays what had not been moved, or had been and might be again: the inner store knows
// repeats. docs/adr/0008-an-intake-journal-before-the-ledger.md.
//
// Outcomes are those of the inner store, with one exception: an admission whose row has been
// settled and moved is not recognised as a repeat by append(). The move does, changes nothing and
// logs an error; request ids are made of the time and chance, so this does not happen to a gateway.
//
// Threads: as Store says; maintain and drain may be called by several threads.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "ledger/store/journal/journal_file.h"
#include "ledger/store/store.h"

namespace fh::ledger {

class JournalStore final : public Store {
 public:
  // `inner` outlives this object and is used by nobody else. Replays what the file holds.
  static base::Result<std::unique_ptr<JournalStore>> open(Store& inner,
                                                          std::unique_ptr<JournalFile> file);
  // The same with a file that outlives this object, for tests and the simulation.
  static base::Result<std::unique_ptr<JournalStore>> open(Store& inner, JournalFile& file);

  base::Result<std::vector<Outcome>> append(std::span<const Record> records) override;
  base::Status sync() override;
  base::Result<std::vector<Admission>> load_unsettled() override;
  base::Status maintain(bool idle) override;
  bool maintenance_due(bool idle) const override;
  bool maintenance_pressing() const override;

  // When it returns, the inner store has every record whose append() had returned before the call.
  base::Status drain();
  // Drains, makes the inner store durable and empties the journal. Without it the next start does
  // this. Last call.
  base::Status close();

 private:
  enum class State : std::uint8_t { Open, Settled };  // Settled: and not yet moved

  JournalStore(Store& inner, JournalFile& file);
  base::Status replay();
  base::Status begin_empty();
  base::Status sync_file();
  base::Status check_usable() const;
  bool knows_all(std::span<const Record> records) const;
  Outcome take(const Record& record, std::string& payload);
  base::Result<std::vector<Outcome>> append_through(std::span<const Record> records);
  bool fits(std::size_t payload) const;
  base::Status write_frame(std::string_view payload);
  base::Status begin_next_half(std::string& bytes);
  base::Status move_pending();
  base::Status move_records(std::span<const Record> records);
  base::Status retire_other();
  template <typename T>
  T final_failure(T status);

  Store& inner_;
  JournalFile& file_;
  const std::uint64_t half_bytes_;  // from the end of the replay on, which goes by what it finds
  std::unique_ptr<JournalFile> owned_;
  std::mutex turn_;  // held by whoever writes to inner_; before mutex_
  std::atomic<bool> broken_ = false;
  std::atomic<bool> inner_unsynced_ = false;  // append() went straight to inner_
  std::atomic<bool> other_in_use_ = false;    // the half not written to holds what is not durable
                                              // in inner_
  std::atomic<bool> has_pending_ = false;
  std::atomic<bool> much_pending_ = false;

  std::mutex syncing_;   // an error of a sync is told to one caller only: one at a time
  std::mutex mutex_;     // guards pending_ and known_
  std::string pending_;  // records written and not moved, as encode_record gives them
  std::unordered_map<std::string, State> known_;

  std::atomic<std::uint64_t> epoch_ = 0;  // of the active half; the appending thread advances it
  // The appending thread's.
  std::size_t active_ = 0;
  std::uint64_t end_ = 0;  // offset in the active half
};

}  // namespace fh::ledger
