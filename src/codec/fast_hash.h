#pragma once
// A fast 128-bit hash (XXH3) for recognising equal things: rows, events. Not a defence against
// somebody who wants two things to look equal; crypto/sha256.h is. The values are stored, and stay
// the same on every machine and in every version.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fh::codec {

struct FastHash {
  std::uint64_t low = 0, high = 0;
  bool operator==(const FastHash&) const = default;
};

FastHash fast_hash(std::string_view bytes);
// 32 hexadecimal digits, high half first.
std::string to_hex(const FastHash& hash);
// The same in place of what `out` held.
void hex_to(const FastHash& hash, std::string& out);

}  // namespace fh::codec
