#pragma once
// The write-ahead log as a file that we sync ourselves, and the lock file beside the database.
// Private to this folder. Only the -wal file is ever opened here: closing any descriptor of the
// database file itself would drop the POSIX locks that SQLite holds on it.

#include <cstdint>
#include <string>

#include "base/result.h"

namespace fh::ledger {

class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int fd) : fd_(fd) {}
  FileHandle(FileHandle&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileHandle& operator=(FileHandle&& other) noexcept;
  ~FileHandle();
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

class WalFile {
 public:
  // `path` exists. Syncs the directory once, so that the file's name is
  // as durable as its content is going to be.
  static base::Result<WalFile> open(const std::string& path);
  // Appends zeros until the file has `bytes`, and syncs. SQLite stops reading a WAL at the first
  // frame that is not valid, and reuses the file without cutting it, so the zeros are only room.
  // Before other use.
  base::Status presize(std::uint64_t bytes) const;
  // Any thread. DataLoss when the file was deleted under us.
  base::Status sync() const;

 private:
  explicit WalFile(FileHandle file) : file_(std::move(file)) {}
  FileHandle file_;
};

// Makes the file, empty and for this user alone, unless it is there already.
base::Status create_private(const std::string& path);
// Holds <database>.lock until the handle dies.
base::Result<FileHandle> lock_database(const std::string& database);

}  // namespace fh::ledger
