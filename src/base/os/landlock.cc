// Landlock system calls: see landlock.h.

#include "base/os/landlock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/os/fd.h"

namespace fh::base::os {
namespace {

// linux/landlock.h, as of ABI 6; older kernels take a longer structure whose unknown rest is zero.
struct RulesetAttr {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;
  std::uint64_t scoped = 0;
};
struct [[gnu::packed]] PathBeneathAttr {
  std::uint64_t allowed_access = 0;
  std::int32_t parent_fd = -1;
};
constexpr unsigned kCreateVersion = 1;  // LANDLOCK_CREATE_RULESET_VERSION
constexpr int kRulePathBeneath = 1;     // LANDLOCK_RULE_PATH_BENEATH
constexpr std::uint64_t kWriteFile = 1U << 1;
constexpr std::uint64_t kReadFile = 1U << 2;
constexpr std::uint64_t kReadDir = 1U << 3;
constexpr std::uint64_t kIoctlDev = 1U << 15;  // from ABI 5

int create_ruleset(const RulesetAttr& attr) {
  return static_cast<int>(syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0));
}

std::uint64_t bits_known(std::uint64_t RulesetAttr::* field) {
  std::uint64_t known = 0;
  for (unsigned bit = 0; bit < 64; ++bit) {
    RulesetAttr attr;
    attr.*field = std::uint64_t{1} << bit;
    const Fd ruleset(create_ruleset(attr));
    if (ruleset) known |= attr.*field;
  }
  return known;
}

Status allow(int ruleset, const std::filesystem::path& path, std::uint64_t access) {
  const auto failed = [&] {
    return std::unexpected(
        error_from_errno(fmt::format("cannot allow {} in the lock", path.string()), errno));
  };
  const Fd target(open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat info{};
  if (!target || fstat(target.get(), &info) != 0) return failed();
  // The kernel takes no folder right for a file.
  if (!S_ISDIR(info.st_mode)) access &= ~kReadDir;
  const PathBeneathAttr rule{access, target.get()};
  if (syscall(SYS_landlock_add_rule, ruleset, kRulePathBeneath, &rule, 0) != 0) return failed();
  return {};
}

}  // namespace

LandlockRights landlock_rights() {
  LandlockRights rights;
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, kCreateVersion);
  if (abi <= 0) return rights;
  rights.abi = static_cast<int>(abi);
  rights.files = bits_known(&RulesetAttr::handled_access_fs);
  rights.net = bits_known(&RulesetAttr::handled_access_net);
  rights.scopes = bits_known(&RulesetAttr::scoped);
  return rights;
}

Status landlock_restrict(const LandlockRights& rights,
                         const std::vector<std::filesystem::path>& readable,
                         const std::vector<std::filesystem::path>& devices) {
  const Fd ruleset(create_ruleset({rights.files, rights.net, rights.scopes}));
  if (!ruleset) {
    return std::unexpected(error_from_errno("cannot make a Landlock ruleset", errno));
  }
  for (const std::filesystem::path& path : readable) {
    FH_TRY_VOID(allow(ruleset.get(), path, kReadFile | kReadDir));
  }
  const std::uint64_t device_access = kReadFile | kWriteFile | (kIoctlDev & rights.files);
  for (const std::filesystem::path& path : devices) {
    FH_TRY_VOID(allow(ruleset.get(), path, device_access));
  }
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return std::unexpected(error_from_errno("cannot enter the Landlock lock", errno));
  }
  return {};
}

}  // namespace fh::base::os
