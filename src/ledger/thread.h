#pragma once
// The three threads that drive a LedgerWriter in production. The writer thread drains the queue
// into transactions and runs every callback; the sync thread makes commits durable, so that at
// level `process` no admission ever waits behind the disk. A sync starts as soon as an admission
// waits for it (level `power`), which then waits at most for the sync under way and its own
// (LedgerWriter::Options::direct_sync_max: a lone one does it itself). What
// nobody waits for, all of level `process` and settlements at `power`, is synced with what else
// comes within `sync_after`: the next admission must not find the disk busy with one settlement,
// and a disk that is asked for every request alone takes time from all of them. The upkeep thread
// moves what was written to its final place when nothing else happens, or when there is much of it
// or it has waited for long: moving takes a core for a moment, which the requests beside it feel.
//
// Owner: main's wiring. The writer and its store must outlive it.

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "ledger/writer.h"

namespace fh::ledger {

class LedgerThread {
 public:
  struct Options {
    std::chrono::milliseconds idle_after{1000};  // quiet time after which upkeep may take longer
    std::chrono::milliseconds sync_after{3};     // when nobody waits; ledger.h promises 5
    std::chrono::milliseconds quiet_after{100};  // without a commit: time to move what came in
    std::chrono::milliseconds move_after{2000};  // it is moved then, quiet or not
  };
  // recover() has been called on the writer.
  LedgerThread(LedgerWriter& writer, Options options);
  explicit LedgerThread(LedgerWriter& writer) : LedgerThread(writer, Options()) {}
  // stop()
  ~LedgerThread();
  LedgerThread(const LedgerThread&) = delete;
  LedgerThread& operator=(const LedgerThread&) = delete;

  // Closes the writer, writes and syncs what is queued, runs the callbacks, ends the threads. Twice
  // is fine.
  void stop();

 private:
  void write_loop();
  void sync_loop();
  void gather(std::unique_lock<std::mutex>& lock);
  void upkeep_loop();
  void await_quiet(std::unique_lock<std::mutex>& lock);
  void wake_writer();
  void wake_syncer();
  void wake_upkeep();

  LedgerWriter& writer_;
  const Options options_;
  std::mutex mutex_;  // guards the flags
  std::condition_variable writer_wakes_, syncer_wakes_, upkeep_wakes_;
  bool work_ = false, unsynced_ = false, upkeep_due_ = false;
  bool upkeep_presses_ = false;
  bool urgent_ = false;  // somebody waits for what is unsynced
  bool writer_stops_ = false, syncer_stops_ = false, upkeep_stops_ = false;
  std::thread write_thread_, sync_thread_, upkeep_thread_;
};

}  // namespace fh::ledger
