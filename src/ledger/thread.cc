// See thread.h. Flags are level-triggered: a wake-up that arrives while a thread works is seen when
// it comes back to wait, so none is lost and none has to be counted.

#include "ledger/thread.h"

#include <chrono>
#include <utility>

#include "base/os/priority.h"

namespace fh::ledger {

LedgerThread::LedgerThread(LedgerWriter& writer, Options options)
    : writer_(writer), options_(options) {
  writer_.on_queued([this] { wake_writer(); });
  writer_.on_written([this] {
    if (writer_.has_unsynced() || writer_.has_completions()) wake_syncer();
    if (writer_.maintenance_due(false)) wake_upkeep();
  });
  sync_thread_ = std::thread([this]() noexcept { sync_loop(); });
  upkeep_thread_ = std::thread([this]() noexcept { upkeep_loop(); });
  write_thread_ = std::thread([this]() noexcept { write_loop(); });
}

LedgerThread::~LedgerThread() {
  stop();
}

void LedgerThread::wake_writer() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(work_, true)) return;  // already on its way
  }
  writer_wakes_.notify_one();
}

void LedgerThread::wake_syncer() {
  const bool urgent = writer_.has_waiting();
  {
    const std::lock_guard lock(mutex_);
    const bool known = std::exchange(unsynced_, true);
    if (known && (urgent_ || !urgent)) return;
    urgent_ = urgent_ || urgent;
  }
  syncer_wakes_.notify_one();
}

void LedgerThread::wake_upkeep() {
  const bool presses = writer_.maintenance_pressing();
  {
    const std::lock_guard lock(mutex_);
    const bool known = std::exchange(upkeep_due_, true);
    if (known && (upkeep_presses_ || !presses)) return;
    upkeep_presses_ = presses;
  }
  upkeep_wakes_.notify_one();
}

// Returns at a quiet moment, or when what is due cannot wait for one.
void LedgerThread::await_quiet(std::unique_lock<std::mutex>& lock) {
  const base::TimePoint latest = std::chrono::steady_clock::now() + options_.move_after;
  std::uint64_t seen = writer_.last_commit();
  while (std::chrono::steady_clock::now() < latest) {
    if (upkeep_wakes_.wait_for(lock, options_.quiet_after,
                               [this] { return upkeep_presses_ || upkeep_stops_; })) {
      return;
    }
    const std::uint64_t last = writer_.last_commit();
    if (std::exchange(seen, last) == last) return;
  }
}

void LedgerThread::upkeep_loop() {
  base::os::give_way_to_others();  // nobody waits for it
  while (true) {
    bool idle = false;
    {
      std::unique_lock lock(mutex_);
      idle = !upkeep_wakes_.wait_for(lock, options_.idle_after,
                                     [this] { return upkeep_due_ || upkeep_stops_; });
      if (!idle) await_quiet(lock);
      if (upkeep_stops_) return;
      upkeep_due_ = false;
      upkeep_presses_ = false;
    }
    writer_.maintain(idle && !writer_.has_queued() && !writer_.has_unsynced());
  }
}

void LedgerThread::write_loop() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      writer_wakes_.wait(lock, [this] { return work_ || writer_stops_; });
      if (writer_stops_ && !work_) return;
      work_ = false;
    }
    bool progress = true;
    while (progress) {
      progress = writer_.complete_synced();
      if (writer_.append_queued()) {
        progress = true;
        if (writer_.has_unsynced()) wake_syncer();
      }
    }
    if (writer_.maintenance_due(false)) wake_upkeep();
  }
}

// Until what is written has waited for `sync_after`, or somebody waits for it. Whoever was in a
// hurry when the thread was woken may have been served meanwhile, by its last round or by a
// caller's own sync: then what came since has its own time.
void LedgerThread::gather(std::unique_lock<std::mutex>& lock) {
  base::TimePoint until = std::chrono::steady_clock::now() + options_.sync_after;
  while (!syncer_stops_) {
    if (urgent_ && writer_.has_waiting()) return;
    urgent_ = false;
    if (syncer_wakes_.wait_until(lock, until, [this] { return urgent_ || syncer_stops_; })) {
      continue;
    }
    if (!writer_.has_unsynced()) return;
    const base::TimePoint due = writer_.unsynced_since() + options_.sync_after;
    if (due <= until) return;
    until = due;
  }
}

void LedgerThread::sync_loop() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      syncer_wakes_.wait(lock, [this] { return unsynced_ || syncer_stops_; });
      if (syncer_stops_ && !unsynced_) return;
      gather(lock);
      unsynced_ = false;
      urgent_ = false;
    }
    while (writer_.sync_written()) {
      while (writer_.complete_synced()) {
      }  // here, so that nobody waits longer than the disk took
      if (!writer_.has_waiting()) break;  // the next round gathers first
    }
    while (writer_.complete_synced()) {
    }  // also when the ledger has failed meanwhile and there was nothing to sync any more
  }
}

void LedgerThread::stop() {
  if (!write_thread_.joinable()) return;
  writer_.close();
  {
    const std::lock_guard lock(mutex_);
    upkeep_stops_ = true;
  }
  upkeep_wakes_.notify_one();
  upkeep_thread_.join();
  {
    const std::lock_guard lock(mutex_);
    writer_stops_ = true;
    work_ = true;  // one more round for what was queued before the close
  }
  writer_wakes_.notify_one();
  write_thread_.join();
  {
    const std::lock_guard lock(mutex_);
    syncer_stops_ = true;
    unsynced_ = true;
  }
  syncer_wakes_.notify_one();
  sync_thread_.join();
  writer_.pump();  // the acknowledgements that only became possible with the last sync
}

}  // namespace fh::ledger
