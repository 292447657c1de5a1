// See synced_file.h.

#include "ledger/store/synced_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

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

std::unexpected<base::Error> SyncedFile::failed(std::string_view doing) const {
  return std::unexpected(base::error_from_errno(std::string(doing) + " " + what_, errno));
}

base::Result<SyncedFile> SyncedFile::open(const std::string& path, std::string what) {
  FileHandle file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0) return std::unexpected(base::error_from_errno("opening " + path, errno));
  const std::string directory = directory_of(path);
  const FileHandle dir(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.get() < 0 || ::fsync(dir.get()) != 0) {
    return std::unexpected(base::error_from_errno("syncing " + directory, errno));
  }
  return SyncedFile(std::move(file), std::move(what));
}

base::Status SyncedFile::presize(std::uint64_t bytes) const {
  struct stat info{};
  if (::fstat(file_.get(), &info) != 0) return failed("looking at");
  static constexpr std::array<char, 64 * 1024> kZeros{};
  auto size = static_cast<std::uint64_t>(info.st_size);
  while (size < bytes) {
    const std::size_t piece = std::min<std::uint64_t>(kZeros.size(), bytes - size);
    const ssize_t written = ::pwrite(file_.get(), kZeros.data(), piece, static_cast<off_t>(size));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed("making room in");
    size += static_cast<std::uint64_t>(written);
  }
  return sync();
}

base::Status SyncedFile::sync() const {
  struct stat info{};
  if (::fstat(file_.get(), &info) != 0) return failed("looking at");
  if (info.st_nlink == 0) {
    return base::fail(base::Code::DataLoss, what_ + " was deleted while in use",
                      "stop whatever removes files from the data folder, then restart");
  }
  // After a failed fdatasync the kernel may have dropped the dirty pages: it is never repeated, the
  // caller gives up.
  if (::fdatasync(file_.get()) != 0) return failed("syncing");
  return {};
}

base::Status SyncedFile::write(std::uint64_t offset, std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed("writing");
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

base::Result<std::string> SyncedFile::read(std::uint64_t offset, std::size_t size) const {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got =
        ::pread(file_.get(), bytes.data() + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("reading");
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

base::Status create_private(const std::string& path) {
  const FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() >= 0 || errno == EEXIST) return {};
  base::Error error = base::error_from_errno("creating " + path, errno);
  error.hint = "check that the data folder exists and belongs to this user";
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
