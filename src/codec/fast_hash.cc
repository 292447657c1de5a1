// See fast_hash.h.

#include "codec/fast_hash.h"

#include <xxhash.h>

namespace fh::codec {

FastHash fast_hash(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

std::string to_hex(const FastHash& hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(32, '0');
  for (std::size_t i = 0; i < 16; ++i) {
    out[i] = kDigits[(hash.high >> (60 - 4 * i)) & 0xf];
    out[16 + i] = kDigits[(hash.low >> (60 - 4 * i)) & 0xf];
  }
  return out;
}

}  // namespace fh::codec
