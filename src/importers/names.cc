// See names.h.

#include "importers/names.h"

#include <string.h>

#include <algorithm>
#include <cstring>

#include "codec/utf8.h"
#include "crypto/sha256.h"

namespace fh::importers {

namespace {

// Not 0 if one of the bytes is not printable ASCII. In a byte from 0x20 to 0x7E none of the three
// has its highest bit; the borrow or carry of another byte comes after that byte was found out.
std::uint64_t odd_bytes(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  return ((eight - 0x20 * kOnes) | (eight + kOnes) | eight) & kHigh;
}

// Whether all bytes are printable ASCII: eight at a time, the last of them twice if need be.
bool is_plain(std::string_view text) {
  const char* const data = text.data();
  const std::size_t size = text.size();
  std::uint64_t eight = 0, odd = 0;
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      std::memcpy(&eight, data + at, 8);
      odd |= odd_bytes(eight);
    }
    std::memcpy(&eight, data + size - 8, 8);
    return (odd | odd_bytes(eight)) == 0;
  }
  if (size >= 4) {
    std::uint32_t first = 0, last = 0;
    std::memcpy(&first, data, 4);
    std::memcpy(&last, data + size - 4, 4);
    return odd_bytes(static_cast<std::uint64_t>(first) << 32 | last) == 0;
  }
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
}

// Cut before the repair, which may make it longer, and again after it, between code points.
std::string repaired_name(std::string_view text) {
  std::string name = codec::utf8::repaired(text.substr(0, kNameBytesMax + 4));
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  name.resize(codec::utf8::truncated(name, kNameBytesMax).size());
  return name;
}

}  // namespace

std::string name_of(std::string_view text) {
  std::string out;
  new_name_to(text, out);
  return out;
}

// A name that is held already needs no second look: it is its own name.
void new_name_to(std::string_view text, std::string& out) {
  if (text.size() > kNameBytesMax || !is_plain(text)) {
    out = repaired_name(text);
    return;
  }
  // The library may offer more room than was asked for, and says so in the second argument.
  out.resize_and_overwrite(text.size(), [text](char* to, std::size_t) {
    copy_bytes(to, text.data(), text.size());
    return text.size();
  });
}

std::string identity_of(std::span<const std::string> parts) {
  crypto::Sha256 hash;
  for (const std::string& part : parts) {
    hash.update(std::to_string(part.size()) + ":");
    hash.update(part);
  }
  return crypto::to_hex(hash.finish()).substr(0, 32);
}

bool contains(std::string_view text, std::string_view needle) {
  return ::memmem(text.data(), text.size(), needle.data(), needle.size()) != nullptr;
}

}  // namespace fh::importers
