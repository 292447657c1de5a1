#pragma once
// The ledger in one SQLite file, and the key records beside it. One writing connection, which alone
// checkpoints; the process lock beside the file (<path>.lock) keeps a second server out.
//
// A commit is a write() into the WAL (synchronous=NORMAL); sync() is our own fdatasync of the WAL
// through our own descriptor, so that it can run on another thread and never holds a commit up
// (docs/adr/0002-durability-by-explicit-sync.md). Format: docs/formats/ledger.md.
//
// Threads: as Store says; load_keys and save_key may be called from any thread at any time.

#include <memory>
#include <string>
#include <string_view>

#include "auth/keys.h"
#include "base/result.h"
#include "ledger/store/store.h"

namespace fh::ledger {

class SqliteStore final : public Store, public auth::KeyStore {
 public:
  struct Options {
    std::uint64_t checkpoint_bytes = 16 * 1024 * 1024;  // WAL size that forces a checkpoint
    std::uint64_t checkpoint_idle_bytes = 1024 * 1024;  // the same when nothing is waiting
    // The WAL is filled with zeros to this size at open, so that commits never make it grow:
    // growing beside a sync costs a commit milliseconds. 0: not, for a tool that only saves a key.
    std::uint64_t wal_presize_bytes = 17 * 1024 * 1024;
  };
  // Creates or migrates the file. FailedPrecondition: another process has it, or a newer release
  // made it.
  static base::Result<std::unique_ptr<SqliteStore>> open(const std::string& path,
                                                         const Options& options);
  static base::Result<std::unique_ptr<SqliteStore>> open(const std::string& path) {
    return open(path, Options());
  }
  ~SqliteStore() override;

  base::Result<std::vector<Outcome>> append(std::span<const Record> records) override;
  base::Status sync() override;
  base::Result<std::vector<Admission>> load_unsettled() override;
  base::Status maintain(bool idle) override;
  bool maintenance_due(bool idle) const override;

  base::Result<std::vector<auth::KeyRecord>> load_keys() override;
  base::Status save_key(const auth::KeyRecord& record) override;

  std::uint64_t wal_bytes() const;    // size in use since the last checkpoint
  std::uint64_t checkpoints() const;  // since open
  // PRAGMA integrity_check and foreign_key_check; for restore and soak tests and `freehold doctor`.
  base::Status check_integrity();

 private:
  struct Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// "3.54.1", for the start-up log and the console.
std::string_view sqlite_version();

// The read side on its own read-only connection; the file must exist, its store need not be open.
base::Result<std::unique_ptr<LedgerReader>> open_sqlite_reader(const std::string& path);

}  // namespace fh::ledger
