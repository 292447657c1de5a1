#pragma once
// Keyed hashes and what is built from them: HMAC-SHA-256 (RFC 2104), HKDF-SHA-256 (RFC 5869), and a
// comparison whose time does not depend on the bytes. Pure functions, any thread.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "crypto/sha256.h"

namespace fh::crypto {

Sha256Digest hmac_sha256(std::string_view key, std::string_view message);

// Derives `size_bytes` bytes for the purpose named by `info`. Error: OutOfRange above 255 * 32
// bytes or at 0.
base::Result<base::Secret> hkdf_sha256(const base::Secret& secret, std::string_view salt,
                                       std::string_view info, std::size_t size_bytes);

// Whether both are the same; the time depends on the sizes only.
bool constant_time_equal(std::string_view a, std::string_view b);
bool constant_time_equal(const Sha256Digest& a, const Sha256Digest& b);

}  // namespace fh::crypto
