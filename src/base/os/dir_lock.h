#pragma once
// DirLock: one Freehold per data directory. An exclusive flock(2) on <dir>/lock, with the holder's
// process id inside for people and for the error message; the lock is the flock, so a file left
// behind by a crash blocks nobody.

#include <filesystem>

#include "base/os/fd.h"
#include "base/result.h"

namespace fh::base::os {

class DirLock {
 public:
  // FailedPrecondition, naming the holder, when another process has it. The folder must exist. Held
  // until destroyed or until the process ends; children do not inherit it.
  static Result<DirLock> acquire(const std::filesystem::path& dir);

 private:
  explicit DirLock(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

}  // namespace fh::base::os
