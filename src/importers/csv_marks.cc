// See csv_marks.h.

#include "importers/csv_marks.h"

#include <bit>
#include <cstring>

namespace fh::importers {
namespace {

constexpr std::size_t kBlock = 64;
using Bytes = unsigned char __attribute__((ext_vector_type(kBlock)));
using Flags = bool __attribute__((ext_vector_type(kBlock)));

// One bit a byte, the first byte lowest.
std::uint64_t bits_of(const char* block, char delimiter) {
  Bytes bytes;
  std::memcpy(&bytes, block, kBlock);
  const auto marks = (bytes == static_cast<unsigned char>(delimiter)) |
                     (bytes == static_cast<unsigned char>('\n')) |
                     (bytes == static_cast<unsigned char>('"')) |
                     (bytes == static_cast<unsigned char>(0));
  return __builtin_bit_cast(std::uint64_t, __builtin_convertvector(marks, Flags));
}

}  // namespace

// The marks of the next window that has some.
CsvMarks::Cursor CsvMarks::look_ahead() {
  std::uint16_t* out = found_.data();
  std::size_t window = ahead_;
  while (out == found_.data() && ahead_ < text_.size()) {
    window = ahead_;
    const std::size_t size = text_.size() - window < kWindow ? text_.size() - window : kWindow;
    ahead_ += size;
    for (std::size_t at = 0; at < size; at += kBlock) {
      std::uint64_t bits = 0;
      if (size - at >= kBlock) {
        bits = bits_of(text_.data() + window + at, delimiter_);
      } else {
        char rest[kBlock] = {};
        std::memcpy(rest, text_.data() + window + at, size - at);
        bits = bits_of(rest, delimiter_) & ((std::uint64_t{1} << (size - at)) - 1);
      }
      // In groups of fixed size: what is written behind the last mark is written over.
      const auto count = static_cast<std::size_t>(std::popcount(bits));
      for (std::size_t group = 0; group < count; group += kSpare) {
        for (std::size_t i = 0; i < kSpare; ++i) {
          const auto place = at + static_cast<std::size_t>(std::countr_zero(bits));
          out[group + i] = static_cast<std::uint16_t>(place);
          bits &= bits - 1;
        }
      }
      out += count;
    }
  }
  return {found_.data(), out, window};
}

}  // namespace fh::importers
