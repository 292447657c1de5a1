#pragma once
// A file that we write or sync ourselves, and the lock file beside the database. Private to this
// folder and those below it. A database file itself is never opened here: closing any descriptor of
// it would drop the POSIX locks that SQLite holds on it.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

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

class SyncedFile {
 public:
  // `path` exists; `what` names it in errors ("the ledger's WAL file"). Syncs the directory once,
  // so that the file's name is as durable as its content is going to be.
  static base::Result<SyncedFile> open(const std::string& path, std::string what);
  // Appends zeros until the file has `bytes`, and syncs: writes inside an existing file do not wait
  // for the file system's own journal. Before other use.
  base::Status presize(std::uint64_t bytes) const;
  // Any thread. DataLoss when the file was deleted under us.
  base::Status sync() const;
  base::Status write(std::uint64_t offset, std::string_view bytes) const;
  // `size` bytes from `offset`; fewer where the file ends.
  base::Result<std::string> read(std::uint64_t offset, std::size_t size) const;

 private:
  SyncedFile(FileHandle file, std::string what) : file_(std::move(file)), what_(std::move(what)) {}
  std::unexpected<base::Error> failed(std::string_view doing) const;  // with errno
  FileHandle file_;
  std::string what_;
};

// Makes the file, empty and for this user alone, unless it is there already.
base::Status create_private(const std::string& path);
// Holds <database>.lock until the handle dies.
base::Result<FileHandle> lock_database(const std::string& database);

}  // namespace fh::ledger
