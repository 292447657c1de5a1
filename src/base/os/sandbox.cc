// Entering the locks: see sandbox.h.

#include "base/os/sandbox.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include <fmt/format.h>

#include "base/os/landlock.h"
#include "base/os/process.h"
#include "base/os/seccomp_filter.h"

#if __has_feature(address_sanitizer)
namespace {
bool g_locked = false;
}
// The leak check at exit traces its own process, which a lock refuses; it then would fail the
// process instead of finding leaks. This is the sanitizer's own hook to be left out
// (sanitizer/lsan_interface.h).
extern "C" int __lsan_is_turned_off() {
  return g_locked ? 1 : 0;
}
#endif

namespace fh::base::os {
namespace {

// The thread sanitizer runs a thread of its own, which touches nothing.
#if __has_feature(thread_sanitizer)
constexpr std::size_t kThreadsMax = 2;
#else
constexpr std::size_t kThreadsMax = 1;
#endif

// Leaves only the capabilities of `kept` that the process has. no_new_privs must be set.
Status drop_capabilities(std::uint64_t kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  const auto failed = [] {
    return std::unexpected(error_from_errno("cannot drop capabilities", errno));
  };
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return failed();
  if (syscall(SYS_capget, &header, data) != 0) return failed();
  for (unsigned word = 0; word < _LINUX_CAPABILITY_U32S_3; ++word) {
    const auto mask = static_cast<std::uint32_t>(kept >> (32 * word));
    data[word].permitted &= mask;
    data[word].effective &= mask;
    data[word].inheritable = 0;
  }
  if (syscall(SYS_capset, &header, data) != 0) return failed();
  return {};
}

Status prepare(std::uint64_t capabilities_kept) {
  const std::size_t threads = thread_count();
  if (threads > kThreadsMax) {
    return fail(Code::FailedPrecondition,
                fmt::format("the process already has {} threads; a lock binds only one", threads));
  }
#if __has_feature(address_sanitizer)
  g_locked = true;
#endif
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return std::unexpected(error_from_errno("cannot give up gaining privileges", errno));
  }
  FH_TRY_VOID(drop_capabilities(capabilities_kept));
  const rlimit no_core{0, 0};
  if (setrlimit(RLIMIT_CORE, &no_core) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return std::unexpected(error_from_errno("cannot switch core dumps off", errno));
  }
  return {};
}

}  // namespace

std::string LockLevel::text() const {
  std::string out = seccomp ? "seccomp" : "no seccomp";
  out += landlock_abi > 0 ? fmt::format("; Landlock ABI {}", landlock_abi) : "; no Landlock";
  out += files_locked ? "; only listed paths can be opened" : "; any readable path can be opened";
  if (writes_refused) out += "; no writing";
  out += net_locked ? "; no sockets" : "; sockets allowed";
  if (signals_locked) out += "; no signals to others";
  if (capabilities_dropped) out += "; capabilities dropped";
  return out;
}

Result<LockLevel> lock_gateway() {
  FH_TRY_VOID(prepare(std::uint64_t{1} << CAP_DAC_OVERRIDE));
  FH_TRY_VOID(install_gateway_filter());
  LockLevel level;
  level.seccomp = true;
  level.landlock_abi = landlock_rights().abi;
  level.capabilities_dropped = true;
  return level;
}

Result<LockLevel> lock_worker(const WorkerLockOptions& options) {
  const LandlockRights rights = landlock_rights();
  if (rights.abi == 0 && options.paths_required) {
    return fail(Code::FailedPrecondition, "this kernel cannot lock a worker to its model's files",
                "switch Landlock on (kernel 5.13 or newer, \"landlock\" in the lsm= boot "
                "parameter), or allow workers without it");
  }
  FH_TRY_VOID(prepare(0));
  LockLevel level;
  level.capabilities_dropped = true;
  level.landlock_abi = rights.abi;
  if (rights.abi > 0) {
    FH_TRY_VOID(landlock_restrict(rights, options.readable, options.devices));
    level.files_locked = true;
  }
  level.writes_refused = options.devices.empty();
  FH_TRY_VOID(install_worker_filter(level.writes_refused));
  level.seccomp = true;
  level.net_locked = true;
  level.signals_locked = true;
  return level;
}

Status refuse_all_opens() {
  return install_no_open_filter();
}

}  // namespace fh::base::os
