#pragma once
// The locks of the process roles. A lock is entered once, can only be tightened, and holds whatever
// the code inside it turns into: it is what remains true when a model file or a request has taken
// the process over.
//
//   gateway  may not become or start a program (execve, fork), look into or take over another
//   process (ptrace,
//            process_vm_*, pidfd_getfd), change namespaces or mounts, load code into the kernel,
//            use io_uring (which opens sockets past seccomp), or use socket families other than
//            UNIX, IPv4, IPv6 and netlink.
//   worker   all of that, and: no socket of any kind can be made, connected, bound or accepted; no
//   message queue, no
//            signal to another process, no change of the file system; only the listed paths can be
//            opened.
//
// Refused calls fail with EPERM (seccomp) or EACCES (Landlock); the process goes on, so refusals
// can be counted. Both drop Linux capabilities: the worker all, the gateway all but
// CAP_DAC_OVERRIDE (when it is started as root, so that it can write a data directory that belongs
// to another user). Core dumps are switched off, because memory holds prompts and keys.
//
// Enter a lock before any thread is made: Landlock and capabilities bind the calling thread and
// those it makes later. It is refused otherwise. seccomp is synchronised over all threads (TSYNC)
// as a second line.

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace fh::base::os {

// What holds on this kernel. It is logged at start and shown to the operator as it is.
struct LockLevel {
  bool seccomp = false;
  int landlock_abi = 0;       // 0: this kernel has no Landlock
  bool files_locked = false;  // paths outside the allowed ones cannot be opened
  bool writes_refused =
      false;                // no file can be opened for writing, made or changed, whatever its path
  bool net_locked = false;  // no socket can be made or connected
  bool signals_locked = false;  // no other process can be signalled
  bool capabilities_dropped = false;
  // "seccomp; Landlock ABI 7: paths locked; no sockets; …"
  std::string text() const;
};

Result<LockLevel> lock_gateway();

struct WorkerLockOptions {
  std::vector<std::filesystem::path>
      readable;  // the model's file or folder, and read-only system files
  // Device nodes of a GPU: may be read, written and controlled. Not empty: files can still not be
  // written where Landlock holds, but opening for writing is no longer refused as such.
  std::vector<std::filesystem::path> devices;
  // true: an error instead of a lock without path control on a kernel that has no Landlock.
  bool paths_required = false;
};
Result<LockLevel> lock_worker(const WorkerLockOptions& options);

// Tightens a worker's lock once its model is loaded: from now on nothing can be opened by any
// thread. This is the path lock on a kernel without Landlock, for a worker whose libraries open
// nothing later.
Status refuse_all_opens();

}  // namespace fh::base::os
