// See writer.h. Order is the whole safety argument: a record is appended in the order it was
// queued, a commit gets its number before its callbacks run, and a sync covers exactly the commits
// numbered before it began.

#include "ledger/writer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace fh::ledger {
namespace {

constexpr int kSyncSmoothing = 8;

bool saturate(std::uint64_t& count) {
  if (count <= kTokensMax) return false;
  count = kTokensMax;
  return true;
}

bool saturate(Admission& a) {
  return saturate(a.prompt_tokens);
}

bool saturate(Settlement& s) {
  bool any = false;
  for (std::uint64_t* count :
       {&s.usage.input_uncached, &s.usage.cache_read, &s.usage.cache_write_5m,
        &s.usage.cache_write_30m, &s.usage.cache_write_1h, &s.usage.output, &s.usage.reasoning,
        &s.work.computed, &s.work.cached, &s.work.restored}) {
    any = saturate(*count) || any;
  }
  return any;
}

const std::string& request_id(const Record& record) {
  return std::visit([](const auto& r) -> const std::string& { return r.request_id; }, record);
}

Settlement crash_settlement(const Admission& admission, std::int64_t now_unix_ns) {
  Settlement s;
  s.request_id = admission.request_id;
  s.attempt = admission.attempt;
  s.source = domain::UsageSource::Estimated;
  s.reason = domain::EndReason::Crash;
  s.error_code = base::code_name(base::Code::Unavailable);
  s.charge = domain::MicroUsd{0};
  s.ended_unix_ns = now_unix_ns;
  return s;
}

}  // namespace

LedgerWriter::LedgerWriter(Store& store, const base::Clock& clock, Options options)
    : store_(store), clock_(clock), options_(options) {}

LedgerWriter::~LedgerWriter() = default;

base::Result<std::uint64_t> LedgerWriter::recover() {
  FH_TRY(const std::vector<Admission> open, store_.load_unsettled());
  const std::int64_t now = clock_.unix_ns();
  std::vector<Record> batch;
  for (std::size_t i = 0; i < open.size(); ++i) {
    batch.emplace_back(crash_settlement(open[i], now));
    if (batch.size() < options_.batch_max && i + 1 < open.size()) continue;
    FH_TRY_VOID(store_.append(batch));
    batch.clear();
  }
  // Also when nothing was open: rows that an earlier process wrote and did not sync must be durable
  // before anything is built on them.
  FH_TRY_VOID(store_.sync());
  return open.size();
}

void LedgerWriter::admit(Admission admission, Done done) {
  enqueue(Record(std::move(admission)), std::move(done));
}

void LedgerWriter::settle(Settlement settlement, Done done) {
  enqueue(Record(std::move(settlement)), std::move(done));
}

void LedgerWriter::enqueue(Record record, Done done) {
  const bool admission = std::holds_alternative<Admission>(record);
  const bool cut = std::visit([](auto& r) { return saturate(r); }, record);
  if (cut) {
    base::log_warn("a token count beyond any model was stored as the largest allowed",
                   {{"request_id", request_id(record)}});
  }
  bool closed = false;
  {
    const std::lock_guard lock(mutex_);
    closed = closed_.load(std::memory_order_relaxed);
    if (!closed) {
      if (cut) ++counters_.saturated;
      const bool refused = admission && queue_.size() - refused_queued_ >= options_.queue_max;
      if (refused) {
        ++refused_queued_;
        ++counters_.refused;
      }
      queue_.push_back({std::move(record), std::move(done), refused});
    }
  }
  if (closed) {
    if (done) {  // NOLINT(bugprone-use-after-move): moved only when not closed
      done(base::fail(base::Code::Unavailable, "the ledger is closed: the server is stopping",
                      "retry against another instance or after the restart"));
    }
    return;
  }
  if (options_.direct_open_max > 0 && write_directly()) {
    if (notify_written_) notify_written_();
    return;
  }
  if (notify_) notify_();
}

// Whoever holds the turn takes what was queued before it looked; if that is somebody else, or if
// something is left behind, the writer thread must be told.
bool LedgerWriter::write_directly() {
  {
    const std::lock_guard lock(mutex_);
    if (counters_.admitted > counters_.settled + options_.direct_open_max) return false;
  }
  Calls calls;
  {
    const std::unique_lock turn(turn_, std::try_to_lock);
    if (!turn.owns_lock()) return false;
    append_in_turn(calls);
  }
  run(calls);
  if (alone_at_the_disk()) {
    sync_written();
    complete_synced();
  }
  return !has_queued();
}

bool LedgerWriter::alone_at_the_disk() const {
  if (options_.direct_sync_max <= std::chrono::nanoseconds::zero() || syncing_) return false;
  const std::lock_guard lock(mutex_);
  return waiting_.size() == 1 && counters_.admitted <= counters_.settled + 1 && sync_takes_ &&
         *sync_takes_ <= options_.direct_sync_max;
}

std::size_t LedgerWriter::take_batch(std::vector<Record>& records, std::vector<Entry>& entries,
                                     Calls& calls) {
  std::vector<Entry> refused;
  {
    const std::lock_guard lock(mutex_);
    while (!queue_.empty() && records.size() < options_.batch_max) {
      Entry entry = std::move(queue_.front());
      queue_.pop_front();
      if (entry.refused) {
        --refused_queued_;
        refused.push_back(std::move(entry));
        continue;
      }
      records.push_back(std::move(entry.record));
      entries.push_back(std::move(entry));
    }
  }
  const base::Error full{base::Code::ResourceExhausted,
                         "the ledger's queue is full",
                         "retry shortly; if it persists, the disk is slower than the load",
                         {},
                         {}};
  fail_all(refused, full, calls);
  return entries.size() + refused.size();
}

bool LedgerWriter::append_queued() {
  Calls calls;
  bool any = false;
  {
    const std::lock_guard turn(turn_);
    any = append_in_turn(calls);
  }
  run(calls);
  return any;
}

bool LedgerWriter::append_in_turn(Calls& calls) {
  std::vector<Record> records;
  std::vector<Entry> entries;
  if (take_batch(records, entries, calls) == 0) return false;
  if (entries.empty()) return true;
  if (!healthy()) {
    fail_all(entries, poison_error(), calls);
    return true;
  }
  auto outcomes = store_.append(records);
  if (!outcomes) {
    poison(outcomes.error());
    fail_all(entries, poison_error(), calls);
    return true;
  }
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].record = std::move(records[i]);
  finish_batch(entries, *outcomes, calls);
  return true;
}

void LedgerWriter::run(Calls& calls) {
  for (auto& [done, status] : calls) {
    if (done) done(std::move(status));
  }
}

base::Status LedgerWriter::status_of(const Entry& entry, Outcome outcome) {
  const bool admission = std::holds_alternative<Admission>(entry.record);
  switch (outcome) {
    case Outcome::Written: ++(admission ? counters_.admitted : counters_.settled); return {};
    case Outcome::Repeated:
      ++counters_.repeated;
      if (!admission) return {};
      return base::fail(base::Code::AlreadyExists,
                        "request " + request_id(entry.record) + " is in the ledger already",
                        "an attempt may be started once; a retry takes the next attempt number");
    case Outcome::Orphan:
      ++counters_.orphaned;
      return base::fail(base::Code::FailedPrecondition,
                        "request " + request_id(entry.record) + " was settled but never admitted");
  }
  return {};
}

void LedgerWriter::finish_batch(std::vector<Entry>& entries, const std::vector<Outcome>& outcomes,
                                Calls& calls) {
  const std::lock_guard lock(mutex_);
  ++counters_.commits;
  const std::uint64_t commit = written_.load(std::memory_order_relaxed) + 1;
  if (durable_.load(std::memory_order_acquire) == commit - 1) unsynced_since_ = clock_.now();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    base::Status status = status_of(entries[i], outcomes[i]);
    const bool wait = options_.durability == Durability::Power && status.has_value() &&
                      std::holds_alternative<Admission>(entries[i].record);
    if (wait) {
      waiting_.push_back({commit, std::move(entries[i].done)});
    } else {
      calls.emplace_back(std::move(entries[i].done), std::move(status));
    }
  }
  written_.store(commit, std::memory_order_release);
}

// One at a time: a store tells what a sync covers, and its error, to one caller only.
bool LedgerWriter::sync_written() {
  const std::lock_guard turn(sync_turn_);
  // Read before the sync: a commit that lands while the disk works belongs to the next sync.
  const std::uint64_t target = written_.load(std::memory_order_acquire);
  if (target == durable_.load(std::memory_order_acquire) || !healthy()) return false;
  const base::TimePoint began = clock_.now();
  syncing_ = true;
  const base::Status synced = store_.sync();
  syncing_ = false;
  if (!synced) {
    poison(synced.error());
    return true;
  }
  const std::lock_guard lock(mutex_);
  ++counters_.syncs;
  durable_.store(target, std::memory_order_release);
  unsynced_since_ = began;
  const std::chrono::nanoseconds took = clock_.now() - began;
  if (!sync_takes_ || took > *sync_takes_) {
    sync_takes_ = took;
  } else {
    *sync_takes_ -= (*sync_takes_ - took) / kSyncSmoothing;
  }
  return true;
}

base::TimePoint LedgerWriter::unsynced_since() const {
  const std::lock_guard lock(mutex_);
  return unsynced_since_;
}

bool LedgerWriter::complete_synced() {
  std::vector<Done> ready;
  bool failed = false;
  {
    const std::lock_guard lock(mutex_);
    const std::uint64_t durable = durable_.load(std::memory_order_acquire);
    // What became durable before the failure is acknowledged as such; the rest is in doubt.
    while (!waiting_.empty() && waiting_.front().commit <= durable) {
      ready.push_back(std::move(waiting_.front().done));
      waiting_.pop_front();
    }
    failed = ready.empty() && !healthy();
    if (failed) {
      for (auto& waiting : waiting_) ready.push_back(std::move(waiting.done));
      waiting_.clear();
    }
  }
  for (auto& done : ready) {
    if (!done) continue;
    if (failed) {
      done(std::unexpected(poison_error()));
    } else {
      done({});
    }
  }
  return !ready.empty();
}

void LedgerWriter::maintain(bool idle) {
  if (!healthy()) return;
  if (auto done = store_.maintain(idle); !done) poison(done.error());
}

void LedgerWriter::pump() {
  bool progress = true;
  while (progress) {
    progress = append_queued();
    maintain(false);
    progress = sync_written() || progress;
    progress = complete_synced() || progress;
  }
}

void LedgerWriter::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

bool LedgerWriter::has_queued() const {
  const std::lock_guard lock(mutex_);
  return !queue_.empty();
}

bool LedgerWriter::has_unsynced() const {
  return healthy() &&
         written_.load(std::memory_order_acquire) != durable_.load(std::memory_order_acquire);
}

bool LedgerWriter::has_completions() const {
  const std::lock_guard lock(mutex_);
  return !waiting_.empty() &&
         (!healthy() || waiting_.front().commit <= durable_.load(std::memory_order_acquire));
}

bool LedgerWriter::has_waiting() const {
  const std::lock_guard lock(mutex_);
  return !waiting_.empty();
}

LedgerWriter::Counters LedgerWriter::counters() const {
  const std::lock_guard lock(mutex_);
  Counters copy = counters_;
  copy.queue_depth_now = queue_.size();
  return copy;
}

void LedgerWriter::poison(const base::Error& cause) {
  {
    const std::lock_guard lock(mutex_);
    if (poisoned_.load(std::memory_order_relaxed)) return;
    poison_cause_ = cause.text();
    poisoned_.store(true, std::memory_order_release);
  }
  base::log_error("the ledger failed and takes no more requests until a restart",
                  {{"cause", cause.text()}});
}

base::Error LedgerWriter::poison_error() const {
  const std::lock_guard lock(mutex_);
  return {base::Code::Unavailable,
          "the ledger cannot be written: " + poison_cause_,
          "check the disk (space, health), then restart; rows in doubt are settled at the start",
          {},
          {}};
}

void LedgerWriter::fail_all(std::vector<Entry>& entries, const base::Error& error, Calls& calls) {
  for (auto& entry : entries) {
    calls.emplace_back(std::move(entry.done), std::unexpected(error));
  }
}

}  // namespace fh::ledger
