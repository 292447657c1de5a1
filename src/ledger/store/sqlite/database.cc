// See database.h.

#include "ledger/store/sqlite/database.h"

#include <fmt/format.h>

namespace fh::ledger {

base::Error sqlite_error(std::string_view what, int extended_code, std::string_view detail) {
  base::Error error;
  error.message = fmt::format("{}: {} (SQLite {})", what, detail, extended_code);
  switch (extended_code & 0xff) {
    case SQLITE_FULL:
      error.code = base::Code::Unavailable;
      error.hint = "the disk is full: free space, then restart";
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      error.code = base::Code::DataLoss;
      error.hint =
          "the ledger file is damaged: restore it from a backup or rebuild it from the audit log";
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      error.code = base::Code::Unavailable;
      error.hint = "another program holds the ledger file: only one server may write it";
      break;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      error.code = base::Code::FailedPrecondition;
      error.hint = "check that the data folder exists and belongs to this user";
      break;
    case SQLITE_IOERR:
      error.code = base::Code::Unavailable;
      error.hint = "the disk reported an error: check its health, then restart";
      break;
    default: error.code = base::Code::Internal;
  }
  return error;
}

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(handle_.get(), index, value);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL, and the columns are NOT NULL.
  const char* data = text.data() == nullptr ? "" : text.data();
  sqlite3_bind_text64(handle_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(handle_.get(), index);
  return *this;
}

base::Result<bool> Statement::step() {
  const int rc = sqlite3_step(handle_.get());
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  sqlite3* db = sqlite3_db_handle(handle_.get());
  base::Error error =
      sqlite_error("the ledger file", sqlite3_extended_errcode(db), sqlite3_errmsg(db));
  reset();
  return std::unexpected(std::move(error));
}

base::Status Statement::run() {
  while (true) {
    FH_TRY(const bool row, step());
    if (row) continue;
    reset();
    return {};
  }
}

void Statement::reset() {
  sqlite3_reset(handle_.get());
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

std::string Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return bytes == nullptr ? std::string() : std::string(bytes, size);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

base::Result<Database> Database::open(const std::string& path, Mode mode) {
  const int flags = mode == Mode::ReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  sqlite3* raw = nullptr;
  const int rc = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_EXRESCODE, nullptr);
  Database db;
  db.handle_.reset(raw);
  if (rc != SQLITE_OK) {
    return std::unexpected(sqlite_error("cannot open " + path, rc,
                                        raw == nullptr ? sqlite3_errstr(rc) : sqlite3_errmsg(raw)));
  }
  // A damaged or hostile file may not run code through its schema.
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  FH_TRY_VOID(
      db.execute("PRAGMA wal_autocheckpoint=0; PRAGMA busy_timeout=5000; PRAGMA temp_store=MEMORY;"
                 "PRAGMA cell_size_check=ON; PRAGMA cache_size=-16384;"));
  return db;
}

base::Result<Statement> Database::prepare(std::string_view sql) const {
  Statement statement;
  sqlite3_stmt* raw = nullptr;
  const int rc = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  statement.handle_.reset(raw);
  if (rc != SQLITE_OK) return std::unexpected(error("preparing a ledger statement"));
  return statement;
}

base::Status Database::execute(const char* sql) const {
  const int rc = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return std::unexpected(error("the ledger file"));
  return {};
}

base::Error Database::error(std::string_view what) const {
  return sqlite_error(what, sqlite3_extended_errcode(handle_.get()), sqlite3_errmsg(handle_.get()));
}

base::Result<Transaction> Transaction::begin(const Database& db, const char* sql) {
  FH_TRY_VOID(db.execute(sql));
  return Transaction(db);
}

base::Status Transaction::commit() {
  FH_TRY_VOID(db_->execute("COMMIT"));
  db_ = nullptr;
  return {};
}

Transaction::~Transaction() {
  // Fails only where SQLite has rolled back by itself.
  if (db_ != nullptr) static_cast<void>(db_->execute("ROLLBACK"));
}

}  // namespace fh::ledger
