// See memory_file.h.

#include "ledger/store/journal/memory_file.h"

#include <algorithm>

namespace fh::ledger {
namespace {

constexpr std::size_t kSectorBytes = 512;

std::unexpected<base::Error> injected(const char* what) {
  return base::fail(base::Code::Unavailable, std::string(what) + ": injected input/output error");
}

}  // namespace

bool MemoryJournalFile::counts_down(std::uint64_t& countdown) {
  if (!broken_ && countdown > 0 && --countdown == 0) broken_ = true;
  return broken_;
}

base::Result<std::string> MemoryJournalFile::read(std::uint64_t offset, std::size_t size) {
  const std::lock_guard lock(mutex_);
  return written_.substr(std::min<std::uint64_t>(offset, written_.size()), size);
}

base::Status MemoryJournalFile::write(std::uint64_t offset, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (offset + bytes.size() > written_.size()) return injected("write beyond the end");
  const bool was_broken = broken_;
  if (counts_down(write_countdown_)) {
    if (!was_broken) written_.replace(offset, bytes.size() / 2, bytes.substr(0, bytes.size() / 2));
    return injected("write");
  }
  written_.replace(offset, bytes.size(), bytes);
  return {};
}

base::Status MemoryJournalFile::sync() {
  const std::lock_guard lock(mutex_);
  if (counts_down(sync_countdown_)) return injected("sync");
  durable_ = written_;
  return {};
}

void MemoryJournalFile::open_again(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_ = bytes;
  if (bytes <= written_.size()) return;
  written_.resize(bytes);
  durable_.resize(bytes);
}

void MemoryJournalFile::fail_write(std::uint64_t nth) {
  const std::lock_guard lock(mutex_);
  write_countdown_ = nth;
}

void MemoryJournalFile::fail_sync(std::uint64_t nth) {
  const std::lock_guard lock(mutex_);
  sync_countdown_ = nth;
}

void MemoryJournalFile::heal() {
  const std::lock_guard lock(mutex_);
  broken_ = false;
  write_countdown_ = sync_countdown_ = 0;
}

bool MemoryJournalFile::broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

void MemoryJournalFile::crash_power(base::Random& random) {
  const std::lock_guard lock(mutex_);
  for (std::size_t at = 0; at < written_.size(); at += kSectorBytes) {
    const std::size_t size = std::min(kSectorBytes, written_.size() - at);
    if (written_.compare(at, size, durable_, at, size) == 0 || random.below(2) == 0) continue;
    durable_.replace(at, size, written_, at, size);
  }
  written_ = durable_;
}

bool MemoryJournalFile::all_synced() const {
  const std::lock_guard lock(mutex_);
  return written_ == durable_;
}

}  // namespace fh::ledger
