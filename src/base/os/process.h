#pragma once
// Facts about and settings of the running process and the machine under it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/os/fd.h"
#include "base/result.h"

namespace fh::base::os {

// Resident memory of this process. Keeps /proc/self/statm open, so that it works in a role that may
// open nothing.
class ResidentMemory {
 public:
  ResidentMemory();
  // 0 when the kernel does not say.
  std::uint64_t bytes() const;

 private:
  Fd statm_;
};

// Signals as a descriptor. Make it before other threads exist: the signals are blocked in this
// thread and in those made later, and are then read here alone.
class SignalQueue {
 public:
  static Result<SignalQueue> watch(std::initializer_list<int> signals);
  // For poll; non-blocking.
  int fd() const { return fd_.get(); }
  // The next waiting signal's number, or nullopt.
  std::optional<int> next();

 private:
  explicit SignalQueue(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// A write to a closed socket is then an error, not the end of the process.
void ignore_broken_pipes();
// Ends this process when its parent's thread does. The Spawner arranged that already; a role
// repeats it first of all, because the kernel forgets it when a binary with file capabilities
// (setcap, for port 80) is started.
void end_with_parent();
// The name that `ps` and `top` show for this process; at most 15 bytes are kept.
void set_process_name(const std::string& name);
// Raises the limit of open descriptors to the hard limit; returns what holds afterwards.
std::uint64_t raise_open_files_limit();
// Threads of this process, from /proc/self/task; 0 when that cannot be read.
std::size_t thread_count();

struct SystemFacts {
  std::uint32_t cores_usable = 1;       // by affinity, not by what the machine has
  std::uint64_t memory_bytes = 0;       // physical
  std::uint64_t memory_free_bytes = 0;  // MemAvailable
  std::string cpu_model;
  // Those of the flags that matter to the engine's speed and that this processor has, e.g. "avx2",
  // "avx512f".
  std::vector<std::string> cpu_flags;
  std::string kernel;  // "6.1.0-28-amd64"
};
SystemFacts system_facts();

}  // namespace fh::base::os
