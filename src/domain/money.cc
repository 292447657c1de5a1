#include "domain/money.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace fh::domain {

base::Result<MicroUsd> add(MicroUsd a, MicroUsd b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a.value, b.value, &sum)) {
    return base::fail(base::Code::OutOfRange, "a sum of money exceeds 64 bits");
  }
  return MicroUsd{sum};
}

base::Result<MicroUsd> rounded(__int128 numerator, __int128 denominator) {
  FH_CHECK(denominator > 0);
  __int128 quotient = numerator / denominator;
  __int128 rest = numerator % denominator;
  if (rest < 0) {  // floor division, so that `rest` is in [0, denominator)
    rest += denominator;
    quotient -= 1;
  }
  const __int128 twice = rest * 2;
  if (twice > denominator || (twice == denominator && (quotient & 1) != 0)) quotient += 1;
  if (quotient > INT64_MAX || quotient < INT64_MIN) {
    return base::fail(base::Code::OutOfRange, "an amount of money exceeds 64 bits");
  }
  return MicroUsd{static_cast<std::int64_t>(quotient)};
}

std::string format_usd(MicroUsd amount) {
  const std::uint64_t magnitude = amount.value < 0 ? 0 - static_cast<std::uint64_t>(amount.value)
                                                   : static_cast<std::uint64_t>(amount.value);
  return fmt::format("{}{}.{:06}", amount.value < 0 ? "-" : "", magnitude / 1'000'000,
                     magnitude % 1'000'000);
}

std::string display_usd(MicroUsd amount) {
  const std::string sign = amount.value < 0 ? "-$" : "$";
  std::uint64_t magnitude = amount.value < 0 ? 0 - static_cast<std::uint64_t>(amount.value)
                                             : static_cast<std::uint64_t>(amount.value);
  if (magnitude == 0) return "$0.00";
  if (magnitude >= 100'000) {  // ten cents and more: cents, rounded half up
    const std::uint64_t cents = (magnitude + 5'000) / 10'000;
    return fmt::format("{}{}.{:02}", sign, cents / 100, cents % 100);
  }
  std::uint64_t unit = 1;  // of the second significant digit
  while (magnitude / unit >= 100) unit *= 10;
  magnitude = (magnitude + unit / 2) / unit * unit;
  const std::string digits = fmt::format("{:06}", magnitude);
  const std::size_t end = std::min<std::size_t>(digits.find_first_not_of('0') + 2, 6);
  return fmt::format("{}0.{}", sign, digits.substr(0, end));
}

}  // namespace fh::domain
