// JSON numbers as decimal significand and exponent. No locale, no allocation proportional to an
// exponent.

#include "codec/json_number.h"

#include <charconv>
#include <cstddef>
#include <limits>
#include <string>

namespace fh::codec::json {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t digits_from(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// (-1)^negative * 0.d1d2d3... * 10^point, d1 not zero; no digits at all for zero.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t point = 0;
};

// Exponents are clamped here: anything beyond is out of every range we convert to.
constexpr std::int64_t kExponentMax = 1'000'000'000'000;

std::int64_t read_exponent(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::int64_t value = 0;
  for (const char c : text) {
    if (is_digit(c) && value < kExponentMax) value = value * 10 + (c - '0');
  }
  return negative ? -value : value;
}

Decimal decimal_of(std::string_view text) {
  Decimal out;
  const std::size_t e = text.find_first_of("eE");
  const std::int64_t exponent = e == std::string_view::npos ? 0 : read_exponent(text.substr(e + 1));
  std::int64_t whole = 0;
  bool after_dot = false;
  for (const char c : text.substr(0, e)) {
    if (c == '-') out.negative = true;
    if (c == '.') after_dot = true;
    if (!is_digit(c)) continue;
    out.digits.push_back(c);
    if (!after_dot) ++whole;
  }
  const std::size_t first = out.digits.find_first_not_of('0');
  if (first == std::string::npos) {
    out.digits.clear();
    return out;
  }
  out.digits.erase(0, first);
  out.digits.erase(out.digits.find_last_not_of('0') + 1);
  out.point = whole - static_cast<std::int64_t>(first) + exponent;
  return out;
}

}  // namespace

bool is_json_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t whole_end = digits_from(text, at);
  if (whole_end == at) return false;
  if (text[at] == '0' && whole_end != at + 1) return false;
  at = whole_end;
  if (at < text.size() && text[at] == '.') {
    const std::size_t end = digits_from(text, at + 1);
    if (end == at + 1) return false;
    at = end;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t end = digits_from(text, at);
    if (end == at) return false;
    at = end;
  }
  return at == text.size();
}

std::optional<std::int64_t> json_number_as_int(std::string_view text) {
  std::int64_t plain = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), plain);
  if (error == std::errc() && end == text.data() + text.size()) return plain;

  const Decimal decimal = decimal_of(text);
  if (decimal.digits.empty()) return 0;
  const auto count = static_cast<std::int64_t>(decimal.digits.size());
  if (decimal.point < count || decimal.point > 19) return {};
  std::string whole = decimal.negative ? "-" : "";
  whole += decimal.digits;
  whole.append(static_cast<std::size_t>(decimal.point - count), '0');
  std::int64_t value = 0;
  const auto [whole_end, whole_error] =
      std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (whole_error != std::errc()) return {};
  return value;
}

std::optional<double> json_number_as_double(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc()) return value;
  // Out of range both ways is one error code; the exponent tells which.
  const Decimal decimal = decimal_of(text);
  if (decimal.point > 0) return {};
  return decimal.negative ? -0.0 : 0.0;
}

}  // namespace fh::codec::json
