#pragma once
// Memory for large tables: zeroed, its own from the system, and in huge pages where it has some to
// give. A table that is looked into at random waits less for it so, and filling it costs one fault
// for 2 MiB instead of 512.

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace fh::base::os {

class Pages {
 public:
  Pages() = default;
  // Throws std::bad_alloc, as other memory does.
  explicit Pages(std::size_t bytes);
  ~Pages();
  Pages(Pages&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Pages& operator=(Pages&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  // As objects of a trivial type for which zero bytes are a value.
  template <typename T>
  std::span<T> as() const {
    return {static_cast<T*>(data_), bytes_ / sizeof(T)};
  }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace fh::base::os
