// See open.h.

#include "ledger/open.h"

#include <utility>

#include "base/log.h"

namespace fh::ledger {
namespace {

// Two halves: some 5,000 requests are in one before the next is begun.
constexpr std::uint64_t kJournalBytes = 16 * 1024 * 1024;

class FreshReader final : public LedgerReader {
 public:
  FreshReader(JournalStore& journal, std::unique_ptr<LedgerReader> inner)
      : journal_(journal), inner_(std::move(inner)) {}

  base::Result<std::vector<Row>> rows(const RowQuery& query) override {
    freshen();
    return inner_->rows(query);
  }
  base::Result<Row> row(const std::string& request_id) override {
    freshen();
    return inner_->row(request_id);
  }
  base::Result<std::vector<UsageRow>> usage(const UsageQuery& query) override {
    freshen();
    return inner_->usage(query);
  }

 private:
  // After a failure the ledger refuses requests and says why; what was moved before can be read.
  void freshen() { static_cast<void>(journal_.drain()); }

  JournalStore& journal_;
  std::unique_ptr<LedgerReader> inner_;
};

}  // namespace

OpenLedger::~OpenLedger() {
  if (!store) return;
  if (const base::Status closed = store->close(); !closed) {
    base::log_error("the ledger's journal could not be emptied; the next start does it",
                    {{"cause", closed.error().text()}});
  }
}

base::Result<OpenLedger> open_ledger(const std::string& path) {
  OpenLedger opened;
  FH_TRY(opened.database, SqliteStore::open(path));
  FH_TRY(std::unique_ptr<JournalFile> file, open_journal_file(path + ".intake", kJournalBytes));
  FH_TRY(opened.store, JournalStore::open(*opened.database, std::move(file)));
  FH_TRY(std::unique_ptr<LedgerReader> reader, open_sqlite_reader(path));
  opened.reader = std::make_unique<FreshReader>(*opened.store, std::move(reader));
  return opened;
}

}  // namespace fh::ledger
