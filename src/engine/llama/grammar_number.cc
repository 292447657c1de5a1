// Bounded numbers as GBNF: integer ranges by common prefixes of digits, fractions as digits after a
// bounded integer.
#include "engine/llama/grammar_number.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace fh::engine::llama {
namespace {

constexpr std::int64_t kLargest = 999'999'999'999'999;  // 15 digits: exact in a double

std::string digit_range(char a, char b) {
  if (a == b) return std::string("\"") + a + "\"";
  return std::string("[") + a + "-" + b + "]";
}

std::string digits(std::size_t count) {
  if (count == 0) return "";
  return " [0-9]{" + std::to_string(count) + "," + std::to_string(count) + "}";
}

// Numbers from `low` to `high`, both of the same length.
std::string same_length(const std::string& low, const std::string& high) {
  if (low.empty()) return "";
  if (low[0] == high[0]) {
    const std::string tail = same_length(low.substr(1), high.substr(1));
    return digit_range(low[0], low[0]) + (tail.empty() ? "" : " (" + tail + ")");
  }
  const std::size_t rest = low.size() - 1;
  const std::string nines(rest, '9');
  const std::string zeros(rest, '0');
  std::string out;
  const auto put = [&](const std::string& text) { out += (out.empty() ? "" : " | ") + text; };
  char from = low[0];
  char to = high[0];
  if (rest > 0 && low.substr(1) != zeros) {
    put(digit_range(from, from) + " (" + same_length(low.substr(1), nines) + ")");
    ++from;
  }
  const bool high_cut = rest > 0 && high.substr(1) != nines;
  if (high_cut) --to;
  if (from <= to) put(digit_range(from, to) + digits(rest));
  if (high_cut)
    put(digit_range(high[0], high[0]) + " (" + same_length(zeros, high.substr(1)) + ")");
  return out;
}

std::string natural_range(std::int64_t low, std::int64_t high) {
  std::string out;
  while (low <= high) {
    const std::string from = std::to_string(low);
    std::int64_t last = 9;
    for (std::size_t i = 1; i < from.size(); ++i) last = last * 10 + 9;
    const std::int64_t to = std::min(last, high);
    out += (out.empty() ? "" : " | ") + same_length(from, std::to_string(to));
    if (to == high) break;
    low = to + 1;
  }
  return out;
}

// The integers inside the bounds, capped to 15 digits; first > second when there are none.
std::pair<std::int64_t, std::int64_t> integers(const NumberBounds& bounds) {
  const auto cap = [](double value) {
    return value > static_cast<double>(kLargest)    ? kLargest
           : value < -static_cast<double>(kLargest) ? -kLargest
                                                    : static_cast<std::int64_t>(value);
  };
  double low = std::ceil(bounds.low);
  double high = std::floor(bounds.high);
  if (bounds.low_open && low == bounds.low) low += 1;
  if (bounds.high_open && high == bounds.high) high -= 1;
  // Bounds that lie wholly outside of what is written give an empty range.
  if (low > static_cast<double>(kLargest) || high < -static_cast<double>(kLargest)) return {1, 0};
  return {cap(low), cap(high)};
}

// Fractions x >= 0 inside the bounds, with a dot: k.ddd lies in [k, k + 1).
std::string fractions(NumberBounds bounds) {
  if (bounds.low < 0) {
    bounds.low = 0;
    bounds.low_open = true;  // zero is written as an integer
  }
  NumberBounds whole = bounds;
  whole.low_open = false;
  whole.high_open = false;
  auto [first, last] = integers(whole);
  --last;  // all of [k, k + 1) must fit
  if (!std::isfinite(bounds.high)) last = kLargest;
  if (first < 0 || last < first) return "";
  std::string out;
  if (bounds.low_open && static_cast<double>(first) == bounds.low) {
    // The integer bound itself is excluded: some digit must not be zero.
    out = "\"" + std::to_string(first) + ".\" [0-9]{0,5} [1-9]";
    ++first;
  }
  if (first <= last) {
    out += (out.empty() ? "" : " | ") + ("(" + natural_range(first, last) + ") \".\" [0-9]{1,6}");
  }
  return out;
}

}  // namespace

void NumberBounds::raise_low(double bound, bool open) {
  if (bound < low) return;
  low_open = bound == low ? (low_open || open) : open;
  low = bound;
}

void NumberBounds::drop_high(double bound, bool open) {
  if (bound > high) return;
  high_open = bound == high ? (high_open || open) : open;
  high = bound;
}

std::string bounded_integer(const NumberBounds& bounds) {
  const auto [low, high] = integers(bounds);
  if (low > high) return "";
  std::string out;
  if (high >= 0) out = "(" + natural_range(std::max<std::int64_t>(low, 0), high) + ")";
  if (low < 0) {
    const std::string negative = natural_range(high < 0 ? -high : 1, -low);
    out += (out.empty() ? "" : " | ") + ("\"-\" (" + negative + ")");
  }
  return "(" + out + ")";
}

std::string bounded_number(const NumberBounds& bounds) {
  std::string out = bounded_integer(bounds);
  const auto put = [&](const std::string& text) {
    if (!text.empty()) out += (out.empty() ? "" : " | ") + text;
  };
  if (bounds.high > 0) {
    put(fractions(bounds));
  }
  if (bounds.low < 0) {
    NumberBounds mirrored;
    mirrored.low = -bounds.high;
    mirrored.high = -bounds.low;
    mirrored.low_open = bounds.high_open;
    mirrored.high_open = bounds.low_open;
    const std::string negative = fractions(mirrored);
    if (!negative.empty()) put("\"-\" (" + negative + ")");
  }
  return out.empty() ? "" : "(" + out + ")";
}

}  // namespace fh::engine::llama
