// See faulty.h.

#include "ledger/store/faulty.h"

#include <string>

namespace fh::ledger {

void FaultyStore::fail_append(std::uint64_t nth, Lost lost) {
  const std::lock_guard lock(mutex_);
  append_countdown_ = nth;
  lost_ = lost;
}

void FaultyStore::fail_sync(std::uint64_t nth) {
  const std::lock_guard lock(mutex_);
  sync_countdown_ = nth;
}

void FaultyStore::heal() {
  const std::lock_guard lock(mutex_);
  broken_ = false;
  append_countdown_ = 0;
  sync_countdown_ = 0;
}

bool FaultyStore::broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

base::Status FaultyStore::check(std::uint64_t& countdown, const char* what) {
  const std::lock_guard lock(mutex_);
  if (!broken_ && countdown > 0 && --countdown == 0) broken_ = true;
  if (!broken_) return {};
  return base::fail(base::Code::Unavailable, std::string(what) + ": injected input/output error");
}

base::Result<std::vector<Outcome>> FaultyStore::append(std::span<const Record> records) {
  const bool was_broken = broken();
  if (auto ok = check(append_countdown_, "append"); !ok) {
    if (!was_broken && lost_ == Lost::OnlyTheAnswer) FH_TRY_VOID(inner_.append(records));
    return std::unexpected(ok.error());
  }
  return inner_.append(records);
}

base::Status FaultyStore::sync() {
  FH_TRY_VOID(check(sync_countdown_, "sync"));
  return inner_.sync();
}

base::Result<std::vector<Admission>> FaultyStore::load_unsettled() {
  if (broken()) return base::fail(base::Code::Unavailable, "load: injected input/output error");
  return inner_.load_unsettled();
}

base::Status FaultyStore::maintain(bool idle) {
  if (broken()) return base::fail(base::Code::Unavailable, "maintain: injected input/output error");
  return inner_.maintain(idle);
}

}  // namespace fh::ledger
