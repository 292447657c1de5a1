// See journal_store.h. Two rules carry the safety: a record is in the file before it is anywhere
// else, and a half is written anew only after everything in it is durable in the inner store.

#include "ledger/store/journal/journal_store.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "ledger/store/journal/journal_frames.h"
#include "ledger/store/journal/record_codec.h"

namespace fh::ledger {
namespace {

constexpr std::size_t kMoveBatch = 512;  // records in one transaction of the inner store
// Some four thousand requests. They are in memory until they are moved, and a half must not fill
// while the one before it waits.
constexpr std::size_t kMuchPending = std::size_t{2} << 20;

std::string key_of(const Record& record) {
  return std::visit([](const auto& r) { return r.request_id + "#" + std::to_string(r.attempt); },
                    record);
}

bool is_admission(const Record& record) {
  return std::holds_alternative<Admission>(record);
}

}  // namespace

JournalStore::JournalStore(Store& inner, JournalFile& file)
    : inner_(inner), file_(file), half_bytes_(half_bytes(file.size())) {}

template <typename T>
T JournalStore::final_failure(T status) {
  if (!status) broken_.store(true, std::memory_order_release);
  return status;
}

base::Status JournalStore::check_usable() const {
  if (!broken_.load(std::memory_order_acquire)) return {};
  return base::fail(base::Code::Unavailable,
                    "the ledger's journal failed earlier and is not used again",
                    "check the disk, then restart");
}

base::Result<std::unique_ptr<JournalStore>> JournalStore::open(Store& inner,
                                                               std::unique_ptr<JournalFile> file) {
  FH_TRY(std::unique_ptr<JournalStore> store, open(inner, *file));
  store->owned_ = std::move(file);
  return store;
}

base::Result<std::unique_ptr<JournalStore>> JournalStore::open(Store& inner, JournalFile& file) {
  auto store = std::unique_ptr<JournalStore>(new JournalStore(inner, file));
  FH_TRY_VOID(store->replay());
  return store;
}

base::Status JournalStore::replay() {
  FH_TRY(const JournalContent content, read_journal(file_));
  if (content.tail_dropped) {
    base::log_warn("the end of the ledger's journal was lost in a power cut", {});
  }
  FH_TRY(const std::vector<Record> records, decode_records(content.records));
  FH_TRY_VOID(move_records(records));
  FH_TRY_VOID(inner_.sync());
  FH_TRY(const std::vector<Admission> open, inner_.load_unsettled());
  for (const Admission& admission : open) known_.emplace(key_of(admission), State::Open);
  epoch_ = content.newest_epoch;
  return begin_empty();
}

// Everything in the file is durable elsewhere. The mark is on the disk before a half is touched,
// and before the halves become of another size. Where half 1 begins then, anything may lie.
base::Status JournalStore::begin_empty() {
  FH_TRY_VOID(file_.write(0, mark_bytes(epoch_)));
  FH_TRY_VOID(sync_file());
  ++epoch_;
  active_ = 0;
  end_ = kHalfHeaderBytes;
  other_in_use_ = false;
  FH_TRY_VOID(file_.write(kSizeOffset, size_record(half_bytes_)));
  FH_TRY_VOID(file_.write(half_offset(half_bytes_, 1), std::string(kHalfHeaderBytes, '\0')));
  FH_TRY_VOID(file_.write(half_offset(half_bytes_, 0), half_header_bytes({epoch_, 0})));
  return sync_file();
}

base::Status JournalStore::sync_file() {
  const std::lock_guard lock(syncing_);
  FH_TRY_VOID(check_usable());
  return final_failure(file_.sync());
}

bool JournalStore::knows_all(std::span<const Record> records) const {
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (is_admission(records[i]) || known_.contains(key_of(records[i]))) continue;
    const bool before =
        std::any_of(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(i),
                    [key = key_of(records[i])](const Record& other) {
                      return is_admission(other) && key_of(other) == key;
                    });
    if (!before) return false;
  }
  return true;
}

Outcome JournalStore::take(const Record& record, std::string& payload) {
  const std::string key = key_of(record);
  if (is_admission(record)) {
    if (!known_.emplace(key, State::Open).second) return Outcome::Repeated;
  } else {
    State& state = known_.at(key);
    if (std::exchange(state, State::Settled) == State::Settled) return Outcome::Repeated;
  }
  encode_record(record, payload);
  return Outcome::Written;
}

base::Result<std::vector<Outcome>> JournalStore::append(std::span<const Record> records) {
  FH_TRY_VOID(check_usable());
  std::vector<Outcome> outcomes;
  std::string payload;
  bool through = false;
  {
    const std::lock_guard lock(mutex_);
    through = !knows_all(records);
    if (!through) {
      outcomes.reserve(records.size());
      for (const Record& record : records) outcomes.push_back(take(record, payload));
    }
  }
  // A settlement of something unknown: only the inner store can tell a repeat from an orphan.
  if (through || !fits(payload.size())) return append_through(records);
  if (payload.empty()) return outcomes;
  FH_TRY_VOID(final_failure(write_frame(payload)));
  const std::lock_guard lock(mutex_);
  pending_.append(payload);
  has_pending_.store(true, std::memory_order_release);
  const std::size_t much = std::min(kMuchPending, half_bytes_ / 4);
  if (pending_.size() >= much) much_pending_.store(true, std::memory_order_release);
  return outcomes;
}

base::Result<std::vector<Outcome>> JournalStore::append_through(std::span<const Record> records) {
  const std::lock_guard turn(turn_);
  FH_TRY_VOID(move_pending());
  FH_TRY(std::vector<Outcome> outcomes, final_failure(inner_.append(records)));
  inner_unsynced_.store(true, std::memory_order_release);
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (outcomes[i] == Outcome::Orphan) continue;
    if (!is_admission(records[i])) {
      known_.erase(key_of(records[i]));
    } else if (outcomes[i] == Outcome::Written) {
      known_.emplace(key_of(records[i]), State::Open);
    }
  }
  return outcomes;
}

bool JournalStore::fits(std::size_t payload) const {
  return kHalfHeaderBytes + kFrameHeaderBytes + payload <= half_bytes_;
}

base::Status JournalStore::write_frame(std::string_view payload) {
  const std::uint64_t needed = kFrameHeaderBytes + payload.size();
  std::string bytes;
  bytes.reserve(kHalfHeaderBytes + needed);
  std::uint64_t at = end_;
  if (end_ + needed > half_bytes_) {
    FH_TRY_VOID(begin_next_half(bytes));
    at = 0;
  }
  append_frame(epoch_, end_, payload, bytes);
  FH_TRY_VOID(file_.write(half_offset(half_bytes_, active_) + at, bytes));
  end_ += needed;
  return {};
}

base::Status JournalStore::begin_next_half(std::string& bytes) {
  if (other_in_use_.load(
          std::memory_order_acquire)) {  // upkeep has fallen behind: wait for it here
    const std::lock_guard turn(turn_);
    FH_TRY_VOID(retire_other());
  }
  const std::uint64_t previous_end = end_;
  ++epoch_;
  active_ = 1 - active_;
  end_ = kHalfHeaderBytes;
  bytes = half_header_bytes({epoch_, previous_end});
  other_in_use_.store(true, std::memory_order_release);
  return {};
}

base::Status JournalStore::sync() {
  // Before the sync: what goes straight to the inner store from now on belongs to the next one.
  const bool inner_too = inner_unsynced_.exchange(false, std::memory_order_acq_rel);
  FH_TRY_VOID(sync_file());
  if (inner_too) FH_TRY_VOID(final_failure(inner_.sync()));
  return {};
}

base::Status JournalStore::move_pending() {
  FH_TRY_VOID(check_usable());
  std::string bytes;
  {
    const std::lock_guard lock(mutex_);
    bytes.swap(pending_);
    has_pending_.store(false, std::memory_order_release);
    much_pending_.store(false, std::memory_order_release);
  }
  if (bytes.empty()) return {};
  FH_TRY(const std::vector<Record> records, final_failure(decode_records(bytes)));
  FH_TRY_VOID(final_failure(move_records(records)));
  const std::lock_guard lock(mutex_);
  for (const Record& record : records) {
    if (!is_admission(record)) known_.erase(key_of(record));
  }
  return {};
}

base::Status JournalStore::move_records(std::span<const Record> records) {
  for (std::size_t at = 0; at < records.size(); at += kMoveBatch) {
    const auto batch = records.subspan(at, std::min(kMoveBatch, records.size() - at));
    FH_TRY(const std::vector<Outcome> outcomes, inner_.append(batch));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (outcomes[i] != Outcome::Orphan) continue;
      base::log_error("the ledger's journal holds a settlement without its admission",
                      {{"request", key_of(batch[i])}});
    }
  }
  return {};
}

// With the turn held. Nothing enters the other half meanwhile: whoever would needs the turn.
base::Status JournalStore::retire_other() {
  const bool in_use = other_in_use_.load(std::memory_order_acquire);
  FH_TRY_VOID(move_pending());
  if (!in_use) return {};
  FH_TRY_VOID(final_failure(inner_.sync()));
  FH_TRY_VOID(final_failure(file_.write(0, mark_bytes(epoch_ - 1))));
  FH_TRY_VOID(sync_file());
  other_in_use_.store(false, std::memory_order_release);
  return {};
}

base::Status JournalStore::drain() {
  const std::lock_guard turn(turn_);
  return move_pending();
}

base::Status JournalStore::maintain(bool idle) {
  {
    const std::lock_guard turn(turn_);
    FH_TRY_VOID(retire_other());
  }
  return final_failure(inner_.maintain(idle));
}

bool JournalStore::maintenance_due(bool idle) const {
  return has_pending_.load(std::memory_order_acquire) ||
         other_in_use_.load(std::memory_order_acquire) || inner_.maintenance_due(idle);
}

bool JournalStore::maintenance_pressing() const {
  return much_pending_.load(std::memory_order_acquire);
}

base::Result<std::vector<Admission>> JournalStore::load_unsettled() {
  FH_TRY_VOID(drain());
  return inner_.load_unsettled();
}

base::Status JournalStore::close() {
  const std::lock_guard turn(turn_);
  FH_TRY_VOID(move_pending());
  FH_TRY_VOID(final_failure(inner_.sync()));
  return final_failure(begin_empty());
}

}  // namespace fh::ledger
