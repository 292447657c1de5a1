// The lock of a data directory: see dir_lock.h.

#include "base/os/dir_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace fh::base::os {
namespace {

// "process 1234", from what the holder wrote; it may be in the middle of writing.
std::string holder_of(int fd) {
  char text[32];
  const ssize_t got = pread(fd, text, sizeof text, 0);
  std::string digits;
  for (ssize_t i = 0; i < got && text[i] >= '0' && text[i] <= '9'; ++i) digits.push_back(text[i]);
  return digits.empty() ? "a process that has not said its number yet" : "process " + digits;
}

}  // namespace

Result<DirLock> DirLock::acquire(const std::filesystem::path& dir) {
  const std::filesystem::path path = dir / "lock";
  Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file && errno == EACCES) {
    return fail(Code::PermissionDenied,
                fmt::format("the data folder {} belongs to another user", dir.string()),
                "run this as the user that runs the server, or choose another folder with --data");
  }
  if (!file) {
    return std::unexpected(error_from_errno(fmt::format("cannot open {}", path.string()), errno));
  }
  int locked = 0;
  do {
    locked = flock(file.get(), LOCK_EX | LOCK_NB);
  } while (locked != 0 && errno == EINTR);
  if (locked != 0 && errno == EWOULDBLOCK) {
    return fail(Code::FailedPrecondition,
                fmt::format("the data folder {} is in use by another Freehold ({})", dir.string(),
                            holder_of(file.get())),
                "stop that one, or start this one on another folder with --data");
  }
  if (locked != 0) {
    return std::unexpected(error_from_errno(fmt::format("cannot lock {}", path.string()), errno));
  }
  if (ftruncate(file.get(), 0) != 0) {
    return std::unexpected(error_from_errno(fmt::format("cannot write {}", path.string()), errno));
  }
  FH_TRY_VOID(write_full(file.get(), fmt::format("{}\n", getpid())));
  return DirLock(std::move(file));
}

}  // namespace fh::base::os
