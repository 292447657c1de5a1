// The archive of ledger/imports.h in one SQLite file. A batch is sorted by start time before it is
// written, because that is how the rows lie; a record that is there already is compared in our own
// code and mostly left alone. The write-ahead log makes a batch whole or nothing after kill -9.

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>
#include <vector>

#include "ledger/imports.h"
#include "ledger/store/sqlite/database.h"
#include "ledger/store/sqlite/usage_archive_names.h"
#include "ledger/store/sqlite/usage_archive_rows.h"
#include "ledger/store/sqlite/usage_archive_schema.h"
#include "ledger/store/synced_file.h"

namespace fh::ledger {
namespace {

// The digests scatter over their index, so that a batch touches most of its pages: a log that may
// grow takes several batches before they are moved.
constexpr const char* kWriterSettings =
    "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
    "PRAGMA wal_autocheckpoint=16384; PRAGMA cache_size=-131072;";

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// The shared database layer speaks of the ledger.
base::Error about_archive(base::Error error) {
  replace_all(error.message, "the ledger file", "the usage archive");
  replace_all(error.message, "preparing a ledger statement", "the usage archive lacks a part");
  replace_all(error.hint, "only one server may write it", "wait until it is done");
  replace_all(error.hint, "the ledger file", "the usage archive");
  replace_all(error.hint, "then restart", "then import again");
  if (error.code == base::Code::DataLoss) {
    error.hint =
        "move usage.db away and import again: it holds nothing that its sources do not hold";
  }
  return error;
}

template <typename T>
base::Result<T> about_archive(base::Result<T> result) {
  if (!result) return std::unexpected(about_archive(std::move(result).error()));
  return result;
}

template <typename Rows>
struct Table {
  Statement insert, find, erase, scan;
  typename Rows::Record old;  // what a record that comes again is compared with

  base::Status open(const Database& db, bool read_only) {
    const std::string columns = Rows::kColumns;
    FH_TRY(scan, db.prepare(columns + " WHERE start_unix_ns>=?1 AND start_unix_ns<=?2"
                                      " ORDER BY start_unix_ns, id_high, id_low"));
    if (read_only) return {};
    FH_TRY(insert, db.prepare(Rows::kInsert));
    FH_TRY(find, db.prepare(columns + " WHERE id_high=?1 AND id_low=?2"));
    FH_TRY(erase, db.prepare(Rows::kErase));
    return {};
  }
};

class SqliteArchive final : public UsageArchive {
 public:
  base::Status open(const std::string& path, bool read_only);

  base::Result<AddResult> add(std::span<const domain::UsageRecord> records) override {
    return about_archive(add_rows<UsageRows>(usage_, records));
  }
  base::Result<AddResult> add_costs(std::span<const domain::CostRecord> records) override {
    return about_archive(add_rows<CostRows>(costs_, records));
  }
  base::Result<std::optional<ImportedFile>> file(const std::string& path) override {
    return about_archive(read_file(path));
  }
  base::Status note_file(const ImportedFile& file) override {
    return about_archive(write_file(file));
  }
  base::Result<std::string> cursor(const std::string& name) override {
    return about_archive(read_cursor(name));
  }
  base::Status set_cursor(const std::string& name, const std::string& value) override {
    return about_archive(write_cursor(name, value));
  }
  base::Status scan(const UsageFilter& filter,
                    const std::function<bool(const domain::UsageRecord&)>& fn) override {
    return about_archive(scan_rows<UsageRows>(usage_, filter, fn));
  }
  base::Status scan_costs(const UsageFilter& filter,
                          const std::function<bool(const domain::CostRecord&)>& fn) override {
    return about_archive(scan_rows<CostRows>(costs_, filter, fn));
  }
  base::Result<std::uint64_t> count() override { return about_archive(count_rows()); }
  base::Result<std::uint64_t> remove_format(const std::string& format) override {
    return about_archive(remove_rows(format));
  }

 private:
  template <typename Rows>
  base::Result<AddResult> add_rows(Table<Rows>& table,
                                   std::span<const typename Rows::Record> records);
  template <typename Rows>
  base::Status add_row(Table<Rows>& table, const typename Rows::Record& record, ArchivedId id,
                       AddResult& result);
  template <typename Rows>
  base::Status scan_rows(Table<Rows>& table, const UsageFilter& filter,
                         const std::function<bool(const typename Rows::Record&)>& fn);
  base::Result<std::optional<ImportedFile>> read_file(const std::string& path);
  base::Status write_file(const ImportedFile& file);
  base::Result<std::string> read_cursor(const std::string& name);
  base::Status write_cursor(const std::string& name, const std::string& value);
  base::Result<std::uint64_t> count_rows();
  base::Result<std::uint64_t> remove_rows(const std::string& format);
  base::Status writable() const;
  void forget();

  FileHandle lock_;  // released last: declared before the connection
  Database db_;
  bool read_only_ = false;
  NameWriter to_numbers_;
  NameReader from_numbers_;
  Table<UsageRows> usage_;
  Table<CostRows> costs_;
};

base::Result<FileHandle> lock_archive(const std::string& path) {
  base::Result<FileHandle> lock = lock_database(path);
  if (!lock && lock.error().code == base::Code::FailedPrecondition) {
    return base::fail(base::Code::FailedPrecondition,
                      "another Freehold process is importing into " + path,
                      "wait until it is done; reading the archive is possible meanwhile");
  }
  return lock;
}

base::Status SqliteArchive::open(const std::string& path, bool read_only) {
  read_only_ = read_only;
  if (read_only) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0 && errno == ENOENT) {
      return base::fail(base::Code::NotFound, "nothing was imported yet",
                        "import something: freehold usage import PATH");
    }
    FH_TRY(db_, Database::open(path, Database::Mode::ReadOnly));
    FH_TRY_VOID(check_archive_schema(db_, false));
  } else {
    FH_TRY(lock_, lock_archive(path));
    FH_TRY_VOID(create_private(path));
    FH_TRY(db_, Database::open(path, Database::Mode::ReadWrite));
    FH_TRY_VOID(check_archive_schema(db_, true));
    FH_TRY_VOID(db_.execute(kWriterSettings));
    FH_TRY_VOID(prepare_archive_schema(db_));
    FH_TRY(to_numbers_, NameWriter::open(db_));
  }
  FH_TRY(from_numbers_, NameReader::open(db_));
  FH_TRY_VOID(usage_.open(db_, read_only));
  return costs_.open(db_, read_only);
}

base::Status SqliteArchive::writable() const {
  if (!read_only_) return {};
  return base::fail(base::Code::FailedPrecondition, "the usage archive was opened for reading");
}

void SqliteArchive::forget() {
  to_numbers_.forget();
  from_numbers_.forget();
}

template <typename Rows>
base::Status SqliteArchive::add_row(Table<Rows>& table, const typename Rows::Record& record,
                                    ArchivedId id, AddResult& result) {
  FH_TRY_VOID(Rows::bind(table.insert, record, id, to_numbers_));
  FH_TRY_VOID(table.insert.run());
  if (db_.changes() > 0) {
    ++result.added;
    return {};
  }
  table.find.bind(1, id.high).bind(2, id.low);
  FH_TRY(const bool found, table.find.step());
  base::Status read;
  if (found) {
    from_numbers_.start_record();
    read = Rows::read(table.find, table.old, from_numbers_);
  } else {
    read = base::fail(base::Code::DataLoss, "the usage archive's index and rows disagree");
  }
  table.find.reset();
  FH_TRY_VOID(std::move(read));
  if (!Rows::wins(record, table.old)) {
    ++result.repeated;
    return {};
  }
  table.erase.bind(1, id.high).bind(2, id.low);
  FH_TRY_VOID(table.erase.run());
  FH_TRY_VOID(table.insert.run());
  ++result.replaced;
  return {};
}

template <typename Rows>
base::Result<AddResult> SqliteArchive::add_rows(Table<Rows>& table,
                                                std::span<const typename Rows::Record> records) {
  FH_TRY_VOID(writable());
  struct Place {
    std::int64_t start;
    ArchivedId id;
    std::size_t index;
    auto operator<=>(const Place&) const = default;
  };
  std::vector<Place> order;
  order.reserve(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& record = records[i];
    order.push_back({record.start_unix_ns, ArchivedId::of(record.format, record.source_id), i});
  }
  std::sort(order.begin(), order.end());
  AddResult result;
  const auto write = [&]() -> base::Status {
    FH_TRY(Transaction transaction, Transaction::begin(db_));
    for (const Place& place : order) {
      FH_TRY_VOID(add_row<Rows>(table, records[place.index], place.id, result));
    }
    return transaction.commit();
  };
  if (const base::Status status = write(); !status) {
    forget();  // numbers that the rollback took back
    return std::unexpected(status.error());
  }
  return result;
}

template <typename Rows>
base::Status SqliteArchive::scan_rows(Table<Rows>& table, const UsageFilter& filter,
                                      const std::function<bool(const typename Rows::Record&)>& fn) {
  constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  if (filter.to_unix_ns != 0 && filter.to_unix_ns <= filter.from_unix_ns) return {};
  // One snapshot for the rows and for the names in them.
  FH_TRY(Transaction transaction, Transaction::begin(db_, "BEGIN"));
  from_numbers_.start_record();
  typename Rows::Record record;
  table.scan.bind(1, filter.from_unix_ns == 0 ? kFirst : filter.from_unix_ns);
  table.scan.bind(2, filter.to_unix_ns == 0 ? kLast : filter.to_unix_ns - 1);
  const auto walk = [&]() -> base::Status {
    while (true) {
      FH_TRY(const bool row, table.scan.step());
      if (!row) return {};
      FH_TRY_VOID(Rows::read(table.scan, record, from_numbers_));
      if (matches(filter, record) && !fn(record)) return {};
    }
  };
  base::Status status = walk();
  table.scan.reset();
  FH_TRY_VOID(std::move(status));
  return transaction.commit();
}

base::Result<std::optional<ImportedFile>> SqliteArchive::read_file(const std::string& path) {
  FH_TRY(Statement s, db_.prepare("SELECT format, sha256_head, size_bytes, modified_unix_ns,"
                                  " complete FROM files WHERE path=?1"));
  s.bind(1, path);
  FH_TRY(const bool row, s.step());
  if (!row) return std::nullopt;
  return ImportedFile{path, s.text(0), s.text(1), s.count(2), s.integer(3), s.integer(4) != 0};
}

base::Status SqliteArchive::write_file(const ImportedFile& file) {
  FH_TRY_VOID(writable());
  FH_TRY(Statement s, db_.prepare("INSERT OR REPLACE INTO files(path, format, sha256_head,"
                                  " size_bytes, modified_unix_ns, complete)"
                                  " VALUES(?1,?2,?3,?4,?5,?6)"));
  s.bind(1, file.path).bind(2, file.format).bind(3, file.sha256_head);
  s.bind_count(4, file.size_bytes).bind(5, file.modified_unix_ns);
  s.bind(6, std::int64_t{file.complete});
  return s.run();
}

base::Result<std::string> SqliteArchive::read_cursor(const std::string& name) {
  FH_TRY(Statement s, db_.prepare("SELECT value FROM cursors WHERE name=?1"));
  s.bind(1, name);
  FH_TRY(const bool row, s.step());
  return row ? s.text(0) : std::string();
}

base::Status SqliteArchive::write_cursor(const std::string& name, const std::string& value) {
  FH_TRY_VOID(writable());
  FH_TRY(Statement s, db_.prepare("INSERT OR REPLACE INTO cursors(name, value) VALUES(?1,?2)"));
  s.bind(1, name).bind(2, value);
  return s.run();
}

base::Result<std::uint64_t> SqliteArchive::count_rows() {
  FH_TRY(Statement s, db_.prepare("SELECT count(*) FROM usage"));
  FH_TRY(const bool row, s.step());
  return row ? s.count(0) : 0;
}

base::Result<std::uint64_t> SqliteArchive::remove_rows(const std::string& format) {
  FH_TRY_VOID(writable());
  FH_TRY(Transaction transaction, Transaction::begin(db_));
  std::uint64_t removed = 0;
  for (const char* sql :
       {"DELETE FROM usage WHERE facets IN (SELECT f.id FROM facets f JOIN names n"
        " ON n.id=f.format WHERE n.text=?1)",
        "DELETE FROM costs WHERE format IN (SELECT id FROM names WHERE text=?1)"}) {
    FH_TRY(Statement s, db_.prepare(sql));
    s.bind(1, std::string_view(format));
    FH_TRY_VOID(s.run());
    removed += static_cast<std::uint64_t>(db_.changes());
  }
  for (const char* sql :
       {"DELETE FROM files WHERE format=?1",
        "DELETE FROM cursors WHERE name=?1 OR substr(name, 1, length(?1)+1)=?1 || '/'"}) {
    FH_TRY(Statement s, db_.prepare(sql));
    s.bind(1, std::string_view(format));
    FH_TRY_VOID(s.run());
  }
  // The names of people and keys that only those records had go with them.
  FH_TRY_VOID(
      db_.execute("DELETE FROM facets WHERE id NOT IN (SELECT facets FROM usage);"
                  "DELETE FROM names WHERE id NOT IN (SELECT session FROM usage"
                  " UNION SELECT format FROM facets UNION SELECT provider FROM facets"
                  " UNION SELECT model FROM facets UNION SELECT region FROM facets"
                  " UNION SELECT workspace FROM facets UNION SELECT key_name FROM facets"
                  " UNION SELECT user_name FROM facets UNION SELECT application FROM facets"
                  " UNION SELECT workload FROM facets"
                  " UNION SELECT format FROM costs UNION SELECT provider FROM costs"
                  " UNION SELECT model FROM costs UNION SELECT item FROM costs"
                  " UNION SELECT service FROM costs UNION SELECT workspace FROM costs"
                  " UNION SELECT currency FROM costs UNION SELECT quantity_unit FROM costs)"));
  forget();
  FH_TRY_VOID(transaction.commit());
  return removed;
}

}  // namespace

base::Result<std::unique_ptr<UsageArchive>> UsageArchive::open(const std::string& path,
                                                               bool read_only) {
  auto archive = std::make_unique<SqliteArchive>();
  base::Status status = archive->open(path, read_only);
  if (status) return archive;
  base::Error error = about_archive(std::move(status).error());
  // A file that says it is ours and lacks tables or columns.
  if (error.code == base::Code::Internal) {
    error.code = base::Code::DataLoss;
    error = about_archive(std::move(error));
  }
  return std::unexpected(std::move(error));
}

}  // namespace fh::ledger
