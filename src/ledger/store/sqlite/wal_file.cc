// See wal_file.h.

#include "ledger/store/sqlite/wal_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace fh::ledger {
namespace {

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileHandle::~FileHandle() {
  if (fd_ >= 0) ::close(fd_);
}

base::Result<WalFile> WalFile::open(const std::string& path) {
  FileHandle file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0) return std::unexpected(base::error_from_errno("opening " + path, errno));
  const std::string directory = directory_of(path);
  const FileHandle dir(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.get() < 0 || ::fsync(dir.get()) != 0) {
    return std::unexpected(base::error_from_errno("syncing " + directory, errno));
  }
  return WalFile(std::move(file));
}

base::Status WalFile::presize(std::uint64_t bytes) const {
  struct stat info{};
  if (::fstat(file_.get(), &info) != 0) {
    return std::unexpected(base::error_from_errno("looking at the ledger's WAL file", errno));
  }
  static constexpr std::array<char, 64 * 1024> kZeros{};
  auto size = static_cast<std::uint64_t>(info.st_size);
  while (size < bytes) {
    const std::size_t piece = std::min<std::uint64_t>(kZeros.size(), bytes - size);
    const ssize_t written = ::pwrite(file_.get(), kZeros.data(), piece, static_cast<off_t>(size));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      return std::unexpected(base::error_from_errno("making room in the ledger's WAL file", errno));
    size += static_cast<std::uint64_t>(written);
  }
  return sync();
}

base::Status WalFile::sync() const {
  struct stat info{};
  if (::fstat(file_.get(), &info) != 0) {
    return std::unexpected(base::error_from_errno("looking at the ledger's WAL file", errno));
  }
  if (info.st_nlink == 0) {
    return base::fail(base::Code::DataLoss, "the ledger's WAL file was deleted while in use",
                      "stop whatever removes files from the data directory, then restart");
  }
  // After a failed fdatasync the kernel may have dropped the dirty pages: it is never repeated, the
  // caller gives up.
  if (::fdatasync(file_.get()) != 0) {
    return std::unexpected(base::error_from_errno("syncing the ledger's WAL file", errno));
  }
  return {};
}

base::Status create_private(const std::string& path) {
  const FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() >= 0 || errno == EEXIST) return {};
  base::Error error = base::error_from_errno("creating " + path, errno);
  error.hint = "check that the data directory exists and belongs to this user";
  return std::unexpected(std::move(error));
}

base::Result<FileHandle> lock_database(const std::string& database) {
  const std::string path = database + ".lock";
  FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) return std::unexpected(base::error_from_errno("opening " + path, errno));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return std::unexpected(base::error_from_errno("locking " + path, errno));
    return base::fail(base::Code::FailedPrecondition,
                      "another Freehold process uses the ledger " + database,
                      "stop it, or do this through its admin API");
  }
  return file;
}

}  // namespace fh::ledger
