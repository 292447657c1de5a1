#pragma once
// SHA-256 (FIPS 180-4) of bytes, of a stream of bytes and of a file. A Sha256 belongs to one
// thread.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fh::crypto {

using Sha256Digest = std::array<std::uint8_t, 32>;

std::string to_hex(const Sha256Digest& digest);  // 64 lower-case digits
// Error: InvalidArgument unless `text` is 64 hexadecimal digits.
base::Result<Sha256Digest> digest_from_hex(std::string_view text);

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view bytes);
  void update(std::span<const std::uint8_t> bytes);
  // The digest of everything so far; the object then starts anew.
  Sha256Digest finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

Sha256Digest sha256(std::string_view bytes);
Sha256Digest sha256(std::span<const std::uint8_t> bytes);

// Called between pieces with what is read and the size when opened; false stops.
using HashProgress = std::function<bool(std::uint64_t bytes_done, std::uint64_t bytes_total)>;
// Reads the regular file in pieces of 1 MiB. Error: NotFound, PermissionDenied or another code from
// the system; FailedPrecondition for something that is not a regular file; Cancelled when
// `progress` says false.
base::Result<Sha256Digest> sha256_file(const std::string& path, const HashProgress& progress = {});

}  // namespace fh::crypto
