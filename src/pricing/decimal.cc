// See decimal.h.

#include "pricing/decimal.h"

#include <string>

namespace fh::pricing {
namespace {

constexpr int kScale = 6;
constexpr int kDigitsMax = 30;  // of the written number; beyond it nothing sensible is meant
constexpr int kExponentMax = 30;

struct Decimal {
  __int128 digits = 0;  // all digits without the point
  int exponent = 0;     // value = digits * 10^exponent
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Digits of the integer part and the fraction; false when the form is wrong.
bool read_mantissa(std::string_view& text, Decimal& out) {
  int count = 0;
  bool point = false;
  while (!text.empty() &&
         (is_digit(text.front()) || (text.front() == '.' && !point && count > 0))) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '.') {
      point = true;
      if (text.empty() || !is_digit(text.front())) return false;
      continue;
    }
    if (++count > kDigitsMax) return false;
    out.digits = out.digits * 10 + (c - '0');
    if (point) --out.exponent;
  }
  return count > 0;
}

bool read_exponent(std::string_view text, Decimal& out) {
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) return false;
  int value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    value = value * 10 + (c - '0');
    if (value > kExponentMax) return false;
  }
  out.exponent += negative ? -value : value;
  return true;
}

base::Error bad(std::string_view text, std::string_view why) {
  std::string message = "\"";
  message.append(text.substr(0, 40)).append("\" ").append(why);
  return {base::Code::InvalidArgument, std::move(message), {}, {}, {}};
}

}  // namespace

base::Result<std::int64_t> decimal_to_millionths(std::string_view text) {
  std::string_view rest = text;
  Decimal decimal;
  if (!read_mantissa(rest, decimal) || !read_exponent(rest, decimal)) {
    return std::unexpected(bad(text, "is not a price: a decimal number >= 0 is needed"));
  }
  __int128 value = decimal.digits;
  for (int shift = decimal.exponent + kScale; shift != 0 && value != 0;
       shift += shift < 0 ? 1 : -1) {
    if (shift > 0) {
      value *= 10;
      if (value > INT64_MAX) return std::unexpected(bad(text, "is too large"));
    } else {
      if (value % 10 != 0) return std::unexpected(bad(text, "has more than six decimals"));
      value /= 10;
    }
  }
  if (value > INT64_MAX) return std::unexpected(bad(text, "is too large"));
  return static_cast<std::int64_t>(value);
}

}  // namespace fh::pricing
