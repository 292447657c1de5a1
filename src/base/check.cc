#include "base/check.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "base/log.h"

namespace fh::base {
namespace {
std::atomic<std::uint64_t> g_bugs{0};
}

void check_failed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "freehold: internal check failed at %s:%d: %s\n", file, line, condition);
  std::fflush(stderr);
  std::abort();
}

void bug(const char* file, int line, std::string_view what) {
  g_bugs.fetch_add(1, std::memory_order_relaxed);
  log(Level::Error, "internal error",
      {{"what", what}, {"file", file}, {"line", std::to_string(line)}});
#ifndef NDEBUG
  std::abort();
#endif
}

std::uint64_t bug_count() {
  return g_bugs.load(std::memory_order_relaxed);
}

}  // namespace fh::base
