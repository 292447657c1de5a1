#pragma once
// RAII over SQLite's C interface: a connection, a prepared statement, errors as Result. Private to
// this folder. A Database is used by one thread at a time (SQLITE_THREADSAFE=2); its owner sees to
// that.

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fh::ledger {

class Statement {
 public:
  Statement() = default;
  // Parameters count from 1. Text is not copied: it must live until the next reset(). A failure
  // shows in the step.
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind_count(int index, std::uint64_t value) {
    return bind(index, static_cast<std::int64_t>(value));
  }
  Statement& bind_null(int index);
  Statement& bind(int index, std::optional<std::int64_t> value) {
    return value ? bind(index, *value) : bind_null(index);
  }

  base::Result<bool> step();  // true: a row is there
  base::Status run();         // step to the end and reset
  void reset();

  // Columns count from 0.
  std::int64_t integer(int column) const;
  std::uint64_t count(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  std::string text(int column) const;
  bool is_null(int column) const;
  sqlite3_stmt* handle() const { return handle_.get(); }

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

class Database {
 public:
  enum class Mode : std::uint8_t { ReadWrite, ReadOnly };
  static base::Result<Database> open(const std::string& path, Mode mode);

  base::Result<Statement> prepare(std::string_view sql) const;
  base::Status execute(const char* sql) const;  // any number of statements, results ignored
  int changes() const { return sqlite3_changes(handle_.get()); }
  sqlite3* handle() const { return handle_.get(); }
  base::Error error(std::string_view what) const;
  // Where SQLite keeps the write-ahead log: beside the file that `path` leads to through symbolic
  // links.
  std::string wal_path() const {
    return sqlite3_filename_wal(sqlite3_db_filename(handle_.get(), "main"));
  }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

// BEGIN when made, ROLLBACK when it dies without commit().
class Transaction {
 public:
  static base::Result<Transaction> begin(const Database& db, const char* sql = "BEGIN IMMEDIATE");
  base::Status commit();
  ~Transaction();
  Transaction(Transaction&& other) noexcept : db_(other.db_) { other.db_ = nullptr; }
  Transaction& operator=(Transaction&&) = delete;

 private:
  explicit Transaction(const Database& db) : db_(&db) {}
  const Database* db_;
};

// The error for a result code of SQLite.
base::Error sqlite_error(std::string_view what, int extended_code, std::string_view detail);

}  // namespace fh::ledger
