// Fixed-point decimal in limbs of 18 digits. Positive and negative amounts are summed apart and
// subtracted once, when the sum is printed.

#include "importers/exact_sum.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "importers/numbers.h"

namespace fh::importers {
namespace {

constexpr std::uint64_t kLimb = 1'000'000'000'000'000'000U;
constexpr std::uint64_t kLimbDigits = 18;
constexpr std::int64_t kDecimals = 36;
constexpr std::int64_t kDigits = 72;  // one limb above them takes the carries of the sum

std::uint64_t power_of_ten(std::uint64_t exponent) {
  std::uint64_t power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

// Digits "123", how many of them stand before the point, and what follows the number.
struct Digits {
  std::string text;
  std::int64_t point = 0;
  bool negative = false;
};

bool read_digits(std::string_view text, Digits& out) {
  text = trimmed(text);
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    out.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  bool point = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      out.text.push_back(c);
      out.point += point ? 0 : 1;
    } else {
      break;
    }
  }
  if (out.text.empty()) return false;
  text.remove_prefix(i);
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  int exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  out.point += exponent;
  return true;
}

}  // namespace

void ExactSum::accumulate(Magnitude& to, const Magnitude& what) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    const std::uint64_t sum = to[i] + what[i] + carry;
    carry = sum >= kLimb ? 1 : 0;
    to[i] = sum - (carry != 0 ? kLimb : 0);
  }
}

bool ExactSum::add(std::string_view decimal) {
  Digits digits;
  if (!read_digits(decimal, digits)) return false;
  Magnitude amount{};
  for (std::size_t i = 0; i < digits.text.size(); ++i) {
    const auto digit = static_cast<std::uint64_t>(digits.text[i] - '0');
    if (digit == 0) continue;
    // The digit's weight is 10^place, counted from the last decimal that is kept.
    const std::int64_t place = digits.point - 1 - static_cast<std::int64_t>(i) + kDecimals;
    if (place < 0 || place >= kDigits) return false;
    const auto at = static_cast<std::uint64_t>(place);
    amount[at / kLimbDigits] += digit * power_of_ten(at % kLimbDigits);
  }
  accumulate(digits.negative ? minus_ : plus_, amount);
  return true;
}

void ExactSum::add(const ExactSum& other) {
  accumulate(plus_, other.plus_);
  accumulate(minus_, other.minus_);
}

std::string ExactSum::str() const {
  const bool negative =
      std::lexicographical_compare(plus_.rbegin(), plus_.rend(), minus_.rbegin(), minus_.rend());
  Magnitude rest = negative ? minus_ : plus_;
  const Magnitude& less = negative ? plus_ : minus_;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    const std::uint64_t take = less[i] + borrow;
    borrow = rest[i] < take ? 1 : 0;
    rest[i] = rest[i] + (borrow != 0 ? kLimb : 0) - take;
  }
  std::string text;
  for (std::size_t i = kLimbs; i-- > 0;) text += fmt::format("{:018}", rest[i]);
  std::string whole = text.substr(0, text.size() - kDecimals);
  std::string decimals = text.substr(text.size() - kDecimals);
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return (negative ? "-" : "") + whole + (decimals.empty() ? "" : ".") + decimals;
}

}  // namespace fh::importers
