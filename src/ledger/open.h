#pragma once
// The ledger's files as a process opens them: the database, the intake journal before it, and a
// reader that sees what has just been written. One process at a time; a second gets
// FailedPrecondition.

#include <memory>
#include <string>

#include "base/result.h"
#include "ledger/ledger.h"
#include "ledger/store/journal/journal_store.h"
#include "ledger/store/sqlite/sqlite_store.h"

namespace fh::ledger {

struct OpenLedger {
  std::unique_ptr<SqliteStore> database;  // also the key records
  std::unique_ptr<JournalStore> store;    // for a LedgerWriter
  std::unique_ptr<LedgerReader> reader;   // moves what is in the journal before it reads

  OpenLedger() = default;
  OpenLedger(OpenLedger&&) = default;
  OpenLedger& operator=(OpenLedger&&) = default;
  // Empties the journal. The writer and its threads have ended.
  ~OpenLedger();
};

// `path`: of the database; the journal is <path>.intake. What an earlier process left in it is
// moved into the database first.
base::Result<OpenLedger> open_ledger(const std::string& path);

}  // namespace fh::ledger
