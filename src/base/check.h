#pragma once
// FH_CHECK: an invariant of ours whose violation would corrupt the ledger, leak a secret or cross
// tenants; always on, ends the process. FH_DCHECK: the same, in debug builds only. FH_BUG: our own
// mistake after which going on is safe; logs and counts, and is fatal in debug builds and under
// fuzzing.

#include <cstdint>
#include <string_view>

namespace fh::base {
[[noreturn]] void check_failed(const char* file, int line, const char* condition);
void bug(const char* file, int line, std::string_view what);
std::uint64_t bug_count();
}  // namespace fh::base

#define FH_CHECK(cond) \
  ((cond) ? static_cast<void>(0) : ::fh::base::check_failed(__FILE__, __LINE__, #cond))
#ifdef NDEBUG
#define FH_DCHECK(cond) static_cast<void>(0)
#else
#define FH_DCHECK(cond) FH_CHECK(cond)
#endif
#define FH_BUG(what) ::fh::base::bug(__FILE__, __LINE__, (what))
