// See utf16.h.

#include "codec/utf16.h"

namespace fh::codec {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

void append(std::uint32_t point, std::string& out) {
  const auto byte = [&out](std::uint32_t value) { out.push_back(static_cast<char>(value)); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0 | point >> 6);
    byte(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    byte(0xE0 | point >> 12);
    byte(0x80 | (point >> 6 & 0x3F));
    byte(0x80 | (point & 0x3F));
  } else {
    byte(0xF0 | point >> 18);
    byte(0x80 | (point >> 12 & 0x3F));
    byte(0x80 | (point >> 6 & 0x3F));
    byte(0x80 | (point & 0x3F));
  }
}

}  // namespace

std::optional<Utf16Stream> Utf16Stream::of(std::string_view begin) {
  if (begin.starts_with("\xFF\xFE")) return Utf16Stream(false);
  if (begin.starts_with("\xFE\xFF")) return Utf16Stream(true);
  return std::nullopt;
}

void Utf16Stream::unit(std::uint32_t unit, std::string& out) {
  if (first_) {
    first_ = false;
    if (unit == 0xFEFF) return;
  }
  if (high_ != 0) {
    const std::uint32_t high = high_;
    high_ = 0;
    if (unit >= 0xDC00 && unit < 0xE000) {
      return append(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00), out);
    }
    append(kReplacement, out);
  }
  if (unit >= 0xD800 && unit < 0xDC00) {
    high_ = unit;
  } else {
    append(unit >= 0xDC00 && unit < 0xE000 ? kReplacement : unit, out);
  }
}

void Utf16Stream::push(std::string_view bytes, std::string& out) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (!odd_) {
      odd_ = byte;
      continue;
    }
    const std::uint32_t first = *odd_, second = byte;
    odd_.reset();
    unit(big_endian_ ? first << 8 | second : second << 8 | first, out);
  }
}

void Utf16Stream::finish(std::string& out) {
  if (high_ != 0) append(kReplacement, out);
  if (odd_) append(kReplacement, out);
  high_ = 0;
  odd_.reset();
}

}  // namespace fh::codec
