#pragma once
// Spawner: the only place in Freehold that starts a process, and the only program it can start is
// Freehold itself. The binary is pinned by descriptor when the Spawner is made: an upgrade that
// replaces the file on disk cannot mix two versions in one running system, and no path, argument or
// environment can name another program.
//
// A child gets: standard input from /dev/null, our standard output and error, the chosen
// descriptors as 3, 4, 5, …, nothing else; the given environment and no other; default signal
// handling; a session of its own (a Ctrl-C in the terminal reaches the supervisor alone, which then
// drains). It is killed when the thread that spawned it ends, with the case of a parent already
// dead closed, so spawn from a thread that lives as long as the process.

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/os/fd.h"
#include "base/result.h"

namespace fh::base::os {

struct ExitStatus {
  bool signaled = false;
  int value = 0;  // exit code, or the signal's number
  bool clean() const { return !signaled && value == 0; }
  // "exit code 3", "killed by signal 9 (SIGKILL)"
  std::string text() const;
};

// A running child. Its owner kills and reaps it by destroying it. One thread at a time.
class ChildProcess {
 public:
  ChildProcess() = default;
  ChildProcess(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  ChildProcess(ChildProcess&&) noexcept = default;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess() { end(); }

  pid_t pid() const { return pid_; }
  // Becomes readable (poll) when the child has ended; -1 once it is reaped.
  int pidfd() const { return pidfd_.get(); }
  bool running() const { return static_cast<bool>(pidfd_); }
  // By pidfd, so that a reused process id can never be hit. A child that has ended is no error.
  Status kill(int signal);
  // nullopt: still running after `limit`. Reaps; call no more afterwards.
  Result<std::optional<ExitStatus>> wait(std::chrono::milliseconds limit);

 private:
  void end() noexcept;
  pid_t pid_ = -1;
  Fd pidfd_;
};

struct SpawnRequest {
  std::vector<std::string> args;         // after argv[0], which is always "freehold"
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<int> inherited;            // become 3, 4, 5, … in the child; stay open here
};

class Spawner {
 public:
  // Pins /proc/self/exe.
  static Result<Spawner> create();
  Result<ChildProcess> spawn(const SpawnRequest& request) const;

 private:
  explicit Spawner(Fd binary) : binary_(std::move(binary)) {}
  Fd binary_;
};

// Of our own environment: the few variables a role may need (locale, time zone, temporary folder,
// thread settings of the engine's libraries), so that keys in the operator's shell never reach a
// worker.
std::vector<std::string> minimal_environment();

}  // namespace fh::base::os
