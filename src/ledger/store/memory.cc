// See memory.h. `durable_` lags behind `written_` by the transactions in `unsynced_`, which are
// replayed onto it when a sync or a crash decides how far they got.

#include "ledger/store/memory.h"

namespace fh::ledger {

Outcome MemoryStore::apply(State& state, const Record& record) {
  if (const auto* admission = std::get_if<Admission>(&record)) {
    const auto [it, inserted] =
        state.index.try_emplace({admission->request_id, admission->attempt}, state.rows.size());
    if (!inserted) return Outcome::Repeated;
    state.rows.push_back(
        {*admission, std::nullopt, static_cast<std::int64_t>(state.rows.size() + 1)});
    return Outcome::Written;
  }
  const auto& settlement = std::get<Settlement>(record);
  const auto it = state.index.find({settlement.request_id, settlement.attempt});
  if (it == state.index.end()) return Outcome::Orphan;
  Row& row = state.rows[it->second];
  if (row.settlement) return Outcome::Repeated;
  row.settlement = settlement;
  return Outcome::Written;
}

base::Result<std::vector<Outcome>> MemoryStore::append(std::span<const Record> records) {
  const std::lock_guard lock(mutex_);
  std::vector<Outcome> outcomes;
  for (const Record& record : records) outcomes.push_back(apply(written_, record));
  unsynced_.emplace_back(records.begin(), records.end());
  return outcomes;
}

base::Status MemoryStore::sync() {
  const std::lock_guard lock(mutex_);
  for (const auto& commit : unsynced_) {
    for (const Record& record : commit) apply(durable_, record);
  }
  unsynced_.clear();
  return {};
}

base::Result<std::vector<Admission>> MemoryStore::load_unsettled() {
  const std::lock_guard lock(mutex_);
  std::vector<Admission> open;
  for (const Row& row : written_.rows) {
    if (!row.settlement) open.push_back(row.admission);
  }
  return open;
}

void MemoryStore::crash_power(base::Random& random) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t kept = random.below(unsynced_.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) {
    for (const Record& record : unsynced_[i]) apply(durable_, record);
  }
  unsynced_.clear();
  written_ = durable_;
}

std::vector<Row> MemoryStore::rows() const {
  const std::lock_guard lock(mutex_);
  return written_.rows;
}

std::size_t MemoryStore::unsynced_commits() const {
  const std::lock_guard lock(mutex_);
  return unsynced_.size();
}

}  // namespace fh::ledger
