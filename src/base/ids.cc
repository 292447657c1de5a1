// See ids.h.

#include "base/ids.h"

#include <algorithm>
#include <array>

namespace fh::base {
namespace {

constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";  // in the order of bytes
constexpr std::size_t kTimeDigits = 9;
constexpr std::size_t kRandomCharacters = 15;

}  // namespace

std::string make_request_id(Random& random, const Clock& clock) {
  auto rest = static_cast<std::uint64_t>(std::max<std::int64_t>(clock.unix_ns(), 0)) / 1000;
  std::array<char, kTimeDigits> digits{};
  for (std::size_t i = kTimeDigits; i-- > 0; rest /= kDigits.size())
    digits[i] = kDigits[rest % kDigits.size()];
  return "req_" + std::string(digits.data(), digits.size()) + random.token(kRandomCharacters);
}

}  // namespace fh::base
