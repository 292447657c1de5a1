#include "base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace fh::base {

std::uint64_t Random::next_u64() {
  std::uint8_t bytes[8];
  fill(bytes);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  FH_CHECK(bound > 0);
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value = next_u64();
  while (value >= limit) value = next_u64();
  return value % bound;
}

std::string Random::token(std::size_t length) {
  static constexpr char kAlphabet[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string out;
  out.reserve(length);
  std::uint8_t bytes[64];
  while (out.size() < length) {
    fill(bytes);
    for (const std::uint8_t byte : bytes) {
      if (byte < 248 && out.size() < length) out.push_back(kAlphabet[byte % 62]);  // 248 = 4 * 62
    }
  }
  return out;
}

void SystemRandom::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      FH_CHECK(errno == EINTR);
      continue;
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

void SeededRandom::fill(std::span<std::uint8_t> out) {
  const std::scoped_lock lock(mutex_);
  while (!out.empty()) {
    const std::uint64_t value = engine_();
    const std::size_t n = std::min<std::size_t>(out.size(), sizeof value);
    std::memcpy(out.data(), &value, n);
    out = out.subspan(n);
  }
}

}  // namespace fh::base
