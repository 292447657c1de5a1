// See fast_hash.h.

#include "codec/fast_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>

namespace fh::codec {

FastHash fast_hash(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

namespace {

// The eight digits of 32 bits, the lowest byte of the result the first digit: the bits are spread
// to half bytes, and 'a' lies 39 behind the digit that would follow '9'.
std::uint64_t eight_digits(std::uint32_t value) {
  std::uint64_t x = __builtin_bswap32(value);
  x = (x | x << 16) & 0x0000FFFF0000FFFF;
  x = (x | x << 8) & 0x00FF00FF00FF00FF;
  x = (x >> 4 & 0x000F000F000F000F) | (x & 0x000F000F000F000F) << 8;
  const std::uint64_t letters = (x + 0x0606060606060606) >> 4 & 0x0101010101010101;
  return x + 0x3030303030303030 + letters * 39;
}

}  // namespace

void hex_to(const FastHash& hash, std::string& out) {
  const std::uint64_t digits[] = {eight_digits(static_cast<std::uint32_t>(hash.high >> 32)),
                                  eight_digits(static_cast<std::uint32_t>(hash.high)),
                                  eight_digits(static_cast<std::uint32_t>(hash.low >> 32)),
                                  eight_digits(static_cast<std::uint32_t>(hash.low))};
  static_assert(std::endian::native == std::endian::little);
  out.assign(reinterpret_cast<const char*>(digits), sizeof digits);
}

std::string to_hex(const FastHash& hash) {
  std::string out;
  hex_to(hash, out);
  return out;
}

}  // namespace fh::codec
