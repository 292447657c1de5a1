// See pages.h.

#include "base/os/pages.h"

#include <sys/mman.h>

#include <new>

namespace fh::base::os {

Pages::Pages(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  data_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data_ == MAP_FAILED) {
    data_ = nullptr;
    throw std::bad_alloc();
  }
  ::madvise(data_, bytes, MADV_HUGEPAGE);  // a wish
}

void Pages::grow(std::size_t bytes) {
  if (bytes <= bytes_) return;
  if (data_ == nullptr) {
    *this = Pages(bytes);
    return;
  }
  void* const larger = ::mremap(data_, bytes_, bytes, MREMAP_MAYMOVE);
  if (larger == MAP_FAILED) throw std::bad_alloc();
  data_ = larger;
  bytes_ = bytes;
}

Pages::~Pages() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

}  // namespace fh::base::os
