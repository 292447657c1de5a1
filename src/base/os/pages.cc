// See pages.h.

#include "base/os/pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>

namespace fh::base::os {
namespace {

constexpr std::size_t kHugeBytes = std::size_t{2} << 20;

}  // namespace

Pages::Pages(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  // A huge page begins at a multiple of its size: room for that is taken, and what is over given
  // back.
  const std::size_t spare = bytes < kHugeBytes ? 0 : kHugeBytes;
  void* const mapped =
      ::mmap(nullptr, bytes + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  data_ = mapped;
  if (spare == 0) return;
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(mapped) & (kHugeBytes - 1);
  const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t end = before + (bytes + page - 1) / page * page;
  data_ = static_cast<char*>(mapped) + before;
  if (before != 0) ::munmap(mapped, before);
  if (end < bytes + spare) ::munmap(static_cast<char*>(mapped) + end, bytes + spare - end);
  ::madvise(data_, bytes, MADV_HUGEPAGE);  // a wish
}

Pages::~Pages() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

}  // namespace fh::base::os
