#pragma once
// Landlock (landlock(7)) by direct system calls: the C library has no wrappers, and the headers of
// older distributions lack the network and scope fields, so the structures are our own. Used by
// sandbox.cc alone.

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/result.h"

namespace fh::base::os {

// What this kernel can refuse. The sets are found by asking the kernel bit by bit, so that a newer
// kernel's rights are used the day it runs: in a lock that allows next to nothing an unknown right
// is better refused.
struct LandlockRights {
  int abi = 0;               // 0: not built in, or switched off at boot
  std::uint64_t files = 0;   // LANDLOCK_ACCESS_FS_*
  std::uint64_t net = 0;     // LANDLOCK_ACCESS_NET_*, from ABI 4
  std::uint64_t scopes = 0;  // LANDLOCK_SCOPE_*: abstract UNIX sockets, signals; from ABI 6
};
LandlockRights landlock_rights();

// Refuses every right in `rights` to this thread and its children for ever, except reading below
// `readable` (folders or single files) and reading, writing and ioctl of `devices`. no_new_privs
// must be set. All paths must exist.
Status landlock_restrict(const LandlockRights& rights,
                         const std::vector<std::filesystem::path>& readable,
                         const std::vector<std::filesystem::path>& devices);

}  // namespace fh::base::os
