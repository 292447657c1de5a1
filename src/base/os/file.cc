// Files and folders: see file.h.

#include "base/os/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "base/os/fd.h"
#include "base/random.h"

namespace fh::base::os {
namespace {

std::unexpected<Error> fail_on(std::string_view what, const std::filesystem::path& path) {
  const int error = errno;
  return std::unexpected(error_from_errno(fmt::format("cannot {} {}", what, path.string()), error));
}

Status sync_folder(const std::filesystem::path& folder) {
  const Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return fail_on("sync the folder", folder);
  return {};
}

Status fill_and_sync(const std::filesystem::path& path, std::string_view bytes, mode_t mode) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return fail_on("create", path);
  if (fchmod(fd.get(), mode) != 0) return fail_on("set the mode of", path);
  if (auto written = write_full(fd.get(), bytes); !written) {
    written.error().message = fmt::format("{}: {}", path.string(), written.error().message);
    return written;
  }
  if (fsync(fd.get()) != 0) return fail_on("sync", path);
  return {};
}

Result<std::filesystem::path> user_dir(const char* variable, const char* below_home) {
  // The specification says to ignore a relative path.
  if (const char* value = std::getenv(variable); value != nullptr && value[0] == '/') {
    return std::filesystem::path(value) / "freehold";
  }
  std::string home;
  if (const char* value = std::getenv("HOME"); value != nullptr && value[0] == '/') {
    home = value;
  } else if (const passwd* entry = getpwuid(getuid()); entry != nullptr) {
    home = entry->pw_dir;
  }
  if (home.empty()) {
    return fail(Code::FailedPrecondition, "no home folder is known",
                fmt::format("set HOME or {}", variable));
  }
  return std::filesystem::path(home) / below_home / "freehold";
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_on("open", path);
  std::string out;
  char buffer[64 * 1024];
  // By reading, not by size: files of /proc have none.
  for (;;) {
    const ssize_t got = read(fd.get(), buffer, sizeof buffer);
    if (got == 0) return out;
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail_on("read", path);
    }
    const auto count = static_cast<std::size_t>(got);
    if (count > bytes_max - out.size()) {
      return fail(Code::OutOfRange,
                  fmt::format("{} is longer than {} bytes", path.string(), bytes_max));
    }
    out.append(buffer, count);
  }
}

Status write_file_atomically(const std::filesystem::path& path, std::string_view bytes,
                             mode_t mode) {
  // A rename would put a file in the place of a device, for root even of /dev/null.
  struct stat there{};
  if (stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    return fail(Code::AlreadyExists, fmt::format("{} is there and is not a file", path.string()));
  }
  SystemRandom random;
  std::filesystem::path temporary = path;
  temporary += ".new-" + random.token(8);
  Status status = fill_and_sync(temporary, bytes, mode);
  if (status && std::rename(temporary.c_str(), path.c_str()) != 0) {
    status = fail_on("replace", path);
  }
  if (!status) {
    unlink(temporary.c_str());
    return status;
  }
  const std::filesystem::path parent = path.parent_path();
  return sync_folder(parent.empty() ? "." : parent);
}

Status make_folders(const std::filesystem::path& path, mode_t mode) {
  std::filesystem::path made;
  for (const std::filesystem::path& part : path) {
    made /= part;
    if (mkdir(made.c_str(), mode) == 0 || errno == EEXIST) continue;
    // A parent on a read-only file system or in a folder of somebody else that is there already is
    // no failure.
    struct stat info{};
    const int error = errno;
    if (stat(made.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) continue;
    if (error == ENOTDIR) {
      return fail(Code::AlreadyExists,
                  fmt::format("{} is there and is not a folder", made.parent_path().string()));
    }
    errno = error;
    return fail_on("make the folder", made);
  }
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return fail_on("make the folder", path);
  if (!S_ISDIR(info.st_mode)) {
    return fail(Code::AlreadyExists, fmt::format("{} is there and is not a folder", path.string()));
  }
  return {};
}

Result<std::uint64_t> free_disk_bytes(const std::filesystem::path& path) {
  struct statvfs info{};
  if (statvfs(path.c_str(), &info) != 0) return fail_on("ask for the free space of", path);
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

Result<std::filesystem::path> user_data_dir() {
  return user_dir("XDG_DATA_HOME", ".local/share");
}

Result<std::filesystem::path> user_config_dir() {
  return user_dir("XDG_CONFIG_HOME", ".config");
}

}  // namespace fh::base::os
