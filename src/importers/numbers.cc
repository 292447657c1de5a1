// Exact reading of decimal text. A number is taken apart into its digits, the place of its point
// and its exponent; every conversion is a walk over the digits with one rounding at the end.

#include "importers/numbers.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>

namespace fh::importers {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The digits of "12.34e5" are 1234, `point` 2 + 5 of them before the decimal point.
struct Decimal {
  bool negative = false;
  std::string_view whole, fraction;
  std::int64_t point = 0;
  std::size_t size() const { return whole.size() + fraction.size(); }
  unsigned digit(std::size_t i) const {
    return static_cast<unsigned>((i < whole.size() ? whole[i] : fraction[i - whole.size()]) - '0');
  }
};

constexpr std::size_t kDigitsMax = 512;

// Length of the separator of groups at the front: a comma, a blank (also one that does not break,
// wide or narrow), an apostrophe; 0: none.
std::size_t separator_at(std::string_view text) {
  if (text.front() == ',' || text.front() == ' ' || text.front() == '\'') return 1;
  if (text.starts_with("\xC2\xA0")) return 2;
  return text.starts_with("\xE2\x80\xAF") || text.starts_with("\xE2\x80\x99") ? 3 : 0;
}

// "1,234,567.8" without its separators; false when the groups are not of three, or the first begins
// with 0: nobody groups "0,123", which is a decimal comma that nothing said would come.
bool without_groups(std::string_view text, std::array<char, kDigitsMax>& buffer,
                    std::string_view& out) {
  std::size_t size = 0, group = 0;
  bool grouped = false, in_fraction = false;
  while (!text.empty()) {
    if (const std::size_t separator = separator_at(text); separator != 0) {
      if (in_fraction || group == 0 || group > 3 || (grouped && group != 3)) return false;
      if (buffer[0] == '0') return false;
      grouped = true;
      group = 0;
      text.remove_prefix(separator);
      continue;
    }
    const char c = text.front();
    text.remove_prefix(1);
    if (!is_digit(c) && !in_fraction) {
      if (grouped && group != 3) return false;
      in_fraction = true;
    }
    if (size == buffer.size()) return false;
    buffer[size++] = c;
    ++group;
  }
  if (grouped && !in_fraction && group != 3) return false;
  out = std::string_view(buffer.data(), size);
  return true;
}

bool has_groups(std::string_view text) {
  return text.find_first_of(", '\xC2\xE2") != std::string_view::npos;
}

bool take_sign(std::string_view& text, Decimal& out) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    out.negative = text.front() == '-';
    text.remove_prefix(1);
    return true;
  }
  return false;
}

bool take_exponent(std::string_view text, std::int64_t& exponent) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  if (value > 10'000 || value < -10'000) return false;
  exponent = value;
  return true;
}

// `buffer` holds the digits when the text has group commas.
std::optional<Decimal> take_apart(std::string_view text, std::array<char, kDigitsMax>& buffer) {
  text = trimmed(text);
  Decimal out;
  if (text.size() > 2 && text.front() == '(' && text.back() == ')') {
    text = trimmed(text.substr(1, text.size() - 2));
    out.negative = true;
  } else {
    take_sign(text, out);
  }
  if (has_groups(text) && !without_groups(text, buffer, text)) {
    return std::nullopt;
  }
  std::size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  out.whole = text.substr(0, end);
  text.remove_prefix(end);
  if (!text.empty() && text.front() == '.') {
    end = 1;
    while (end < text.size() && is_digit(text[end])) ++end;
    out.fraction = text.substr(1, end - 1);
    text.remove_prefix(end);
  }
  if (out.size() == 0) return std::nullopt;
  std::int64_t exponent = 0;
  if (!text.empty()) {
    if (lower(text.front()) != 'e' || !take_exponent(text.substr(1), exponent)) {
      return std::nullopt;
    }
  }
  out.point = static_cast<std::int64_t>(out.whole.size()) + exponent;
  return out;
}

enum class Rest : std::uint8_t { None, BelowHalf, Half, AboveHalf };

// What the digits from `from` on are worth, in units of the digit before them.
Rest rest_of(const Decimal& number, std::int64_t from) {
  bool any = false;
  unsigned first = 0;
  const auto size = static_cast<std::int64_t>(number.size());
  for (std::int64_t i = from < 0 ? 0 : from; i < size; ++i) {
    const unsigned digit = number.digit(static_cast<std::size_t>(i));
    if (i == from) {
      first = digit;
    } else if (digit != 0) {
      any = true;
      break;
    }
  }
  if (first == 0 && !any) return Rest::None;
  if (first < 5) return Rest::BelowHalf;
  return first == 5 && !any ? Rest::Half : Rest::AboveHalf;
}

struct Scaled {
  std::uint64_t magnitude = 0;
  Rest rest = Rest::None;
};

// |number| x 10^decimals cut to a whole number below 10^19, and what was cut off.
std::optional<Scaled> scaled(const Decimal& number, int decimals) {
  const std::int64_t kept = number.point + decimals;
  const auto size = static_cast<std::int64_t>(number.size());
  Scaled out;
  for (std::int64_t i = 0; i < kept; ++i) {
    if (i >= size && out.magnitude == 0) break;  // 0e9999
    if (out.magnitude > 999'999'999'999'999'999U) return std::nullopt;
    out.magnitude *= 10;
    if (i < size) out.magnitude += number.digit(static_cast<std::size_t>(i));
  }
  out.rest = rest_of(number, kept);
  return out;
}

void round_half_even(Scaled& number) {
  const bool up =
      number.rest == Rest::AboveHalf || (number.rest == Rest::Half && (number.magnitude & 1) != 0);
  if (up) ++number.magnitude;
}

constexpr std::int64_t kPowers[] = {1,
                                    10,
                                    100,
                                    1'000,
                                    10'000,
                                    100'000,
                                    1'000'000,
                                    10'000'000,
                                    100'000'000,
                                    1'000'000'000,
                                    10'000'000'000,
                                    100'000'000'000,
                                    1'000'000'000'000,
                                    10'000'000'000'000,
                                    100'000'000'000'000,
                                    1'000'000'000'000'000,
                                    10'000'000'000'000'000,
                                    100'000'000'000'000'000,
                                    1'000'000'000'000'000'000};

// What nearly every number is: "-123.45" of at most 18 digits and nothing around it. nullopt for
// all else, which the long way reads.
std::optional<std::int64_t> plain_fixed(std::string_view text, int decimals) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  std::int64_t value = 0;
  std::size_t digits = 0, point = text.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && point == text.size()) {
      point = i;
      continue;
    }
    if (!is_digit(c) || ++digits > 18) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  if (digits == 0) return std::nullopt;
  const int places = point == text.size() ? 0 : static_cast<int>(text.size() - point - 1);
  if (places <= decimals) {
    const int more = decimals - places;
    if (more > 18 || static_cast<int>(digits) + more > 18) return std::nullopt;
    value *= kPowers[more];
  } else {
    const std::int64_t unit = kPowers[places - decimals];
    const std::int64_t rest = value % unit;
    value /= unit;
    if (2 * rest > unit || (2 * rest == unit && (value & 1) != 0)) ++value;
  }
  return negative ? -value : value;
}

// Takes the currency away: "$1", "-$1", "US$1", "1 USD".
std::string_view without_currency(std::string_view text, std::string& buffer) {
  text = trimmed(text);
  if (text.size() > 3 && lowered(text.substr(text.size() - 3)) == "usd") {
    text = trimmed(text.substr(0, text.size() - 3));
  }
  const std::size_t sign = text.find('$');
  if (sign == std::string_view::npos) return text;
  std::string_view before = trimmed(text.substr(0, sign));
  if (lowered(before).ends_with("us")) before.remove_suffix(2);
  if (!before.empty() && before != "-" && before != "+" && before != "(") return {};
  buffer.assign(before);
  buffer.append(trimmed(text.substr(sign + 1)));
  return buffer;
}

std::optional<domain::MicroUsd> parse_money(std::string_view text, int decimals) {
  if (const auto plain = plain_fixed(text, decimals)) return domain::MicroUsd{*plain};
  std::string buffer;
  const auto value = parse_fixed(without_currency(text, buffer), decimals);
  if (!value) return std::nullopt;
  return domain::MicroUsd{*value};
}

std::optional<std::int64_t> parse_duration(std::string_view text, int decimals) {
  const auto value = parse_fixed(text, decimals);
  return value && *value >= 0 ? value : std::nullopt;
}

// Exactly `count` digits from the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// "2026-08-28" from the front, as midnight.
std::optional<std::int64_t> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  return day_ns(*year, *month, *day);
}

// ".795" from the front, in nanoseconds; 0 when there is none.
std::int64_t take_fraction(std::string_view& text) {
  if (text.size() < 2 || (text[0] != '.' && text[0] != ',') || !is_digit(text[1])) return 0;
  std::size_t end = 2;
  while (end < text.size() && is_digit(text[end])) ++end;
  std::string_view digits = text.substr(1, end - 1);
  text.remove_prefix(end);
  std::uint64_t first = 0, ninth = 0;
  if (digits.size() > 8) ninth = static_cast<std::uint64_t>(digits[8] - '0');
  digits = digits.substr(0, 8);
  read_digits(digits, first);
  return static_cast<std::int64_t>(first) * kPowers[9 - digits.size()] +
         static_cast<std::int64_t>(ninth);
}

// "17:49", "17:49:12", "17:49:12.795" from the front, as nanoseconds since midnight.
std::optional<std::int64_t> take_clock(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  int second = 0;
  std::int64_t fraction = 0;
  if (take(text, ':')) {
    const auto seconds = take_digits(text, 2);
    if (!seconds || *seconds > 60) return std::nullopt;  // 60: a leap second
    second = *seconds;
    fraction = take_fraction(text);
  }
  return (*hour * 3600LL + *minute * 60LL + second) * kSecondNs + fraction;
}

std::uint64_t eight_at(const char* at) {
  std::uint64_t eight = 0;
  std::memcpy(&eight, at, 8);
  return eight;
}

// The digits of `eight` bytes where `form` has '0', 0 where both are the same; values up to 9 may
// also stand where they are not. nullopt for all else. The first byte is the lowest.
std::optional<std::uint64_t> digits_in(std::uint64_t eight, const char* form) {
  const std::uint64_t base = eight_at(form);
  const std::uint64_t digits = eight ^ base;  // of a digit its value, of an equal byte 0
  constexpr std::uint64_t kSix = 0x0606060606060606, kHighHalf = 0xF0F0F0F0F0F0F0F0;
  if (((digits | (digits + kSix)) & kHighHalf) != 0) return std::nullopt;
  return digits;
}

constexpr int two_digits(std::uint64_t digits, int at) {
  return static_cast<int>((digits >> (8 * at) & 0xF) * 10 + (digits >> (8 * at + 8) & 0xF));
}

// "2026-08-28T17:49:12" at the front of `text`, taken from it; nullopt, and nothing taken, for all
// else, which the long way reads or refuses.
std::optional<std::int64_t> take_plain_time(std::string_view& text) {
  if (text.size() < 19) return std::nullopt;
  const char* const at = text.data();
  const auto month = digits_in(eight_at(at), "0000-00-"),
             clock = digits_in(eight_at(at + 11), "00:00:00");
  const auto day_of_month =
      static_cast<unsigned>(at[8] - '0') * 10 + static_cast<unsigned>(at[9] - '0');
  if (!month || !clock || at[9] < '0' || at[9] > '9' || day_of_month > 31) return std::nullopt;
  if (at[10] != 'T' && at[10] != ' ') return std::nullopt;
  // Where the form has no '0' the bits below must be none.
  if ((*month >> 32 & 0xFF) != 0 || *month >> 56 != 0) return std::nullopt;
  if ((*clock >> 16 & 0xFF) != 0 || (*clock >> 40 & 0xFF) != 0) return std::nullopt;
  const int hour = two_digits(*clock, 0), minute = two_digits(*clock, 3),
            second = two_digits(*clock, 6);
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const auto day = day_ns(two_digits(*month, 0) * 100 + two_digits(*month, 2),
                          two_digits(*month, 5), static_cast<int>(day_of_month));
  if (!day) return std::nullopt;
  text.remove_prefix(19);
  return *day + (hour * 3600LL + minute * 60LL + second) * kSecondNs;
}

std::optional<std::int64_t> parse_unix(std::string_view text) {
  std::size_t whole = 0;
  while (whole < text.size() && is_digit(text[whole])) ++whole;
  if (whole == 0 || (whole < text.size() && text[whole] != '.')) return std::nullopt;
  std::string_view digits = text.substr(0, whole);
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  const int decimals = digits.size() <= 11   ? 9
                       : digits.size() <= 14 ? 6
                       : digits.size() <= 17 ? 3
                                             : 0;
  const auto value = parse_fixed(text, decimals);
  constexpr std::int64_t kFrom = 1'262'304'000, kTo = 4'102'444'800;  // 2010, 2100
  const bool believed = value && *value >= kFrom * kSecondNs && *value < kTo * kSecondNs;
  return believed ? value : std::nullopt;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  if (!text.empty() && text.front() > ' ' && text.back() > ' ') return text;
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

std::optional<std::int64_t> parse_fixed(std::string_view text, int decimals) {
  if (const auto plain = plain_fixed(text, decimals)) return plain;
  std::array<char, kDigitsMax> buffer;
  const auto number = take_apart(text, buffer);
  if (!number) return std::nullopt;
  auto value = scaled(*number, decimals);
  if (!value) return std::nullopt;
  round_half_even(*value);
  if (value->magnitude > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  const auto magnitude = static_cast<std::int64_t>(value->magnitude);
  return number->negative ? -magnitude : magnitude;
}

std::optional<domain::MicroUsd> parse_usd(std::string_view decimal) {
  return parse_money(decimal, 6);
}

std::optional<domain::MicroUsd> parse_cents(std::string_view decimal) {
  return parse_money(decimal, 4);
}

std::optional<std::uint64_t> parse_any_count(std::string_view text) {
  std::uint64_t plain = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, plain);
  if (error == std::errc() && stop == end) return plain;
  std::array<char, kDigitsMax> buffer;
  const auto number = take_apart(text, buffer);
  if (!number) return std::nullopt;
  const auto value = scaled(*number, 0);
  if (!value || value->rest != Rest::None) return std::nullopt;
  if (number->negative && value->magnitude != 0) return std::nullopt;
  return value->magnitude;
}

std::optional<std::uint64_t> parse_count_in_units(std::string_view text, std::uint64_t unit) {
  using Wide = unsigned __int128;
  if (unit == 0) return std::nullopt;
  if (const auto whole = parse_count(text)) {
    const Wide product = static_cast<Wide>(*whole) * unit;
    return product > UINT64_MAX ? std::nullopt : std::optional(static_cast<std::uint64_t>(product));
  }
  const auto value = parse_fixed(text, 9);
  if (!value || *value < 0) return std::nullopt;
  const Wide product = static_cast<Wide>(*value) * unit;
  Wide whole = product / kSecondNs;
  const Wide twice = product % kSecondNs * 2;
  if (twice > kSecondNs || (twice == kSecondNs && (whole & 1) != 0)) ++whole;
  if (whole > UINT64_MAX) return std::nullopt;
  return static_cast<std::uint64_t>(whole);
}

std::optional<double> parse_real(std::string_view text) {
  text = trimmed(text);
  std::array<char, kDigitsMax> buffer;
  if (has_groups(text) && !without_groups(text, buffer, text)) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> parse_ms_ns(std::string_view text) {
  return parse_duration(text, 6);
}

std::optional<std::int64_t> parse_seconds_ns(std::string_view text) {
  return parse_duration(text, 9);
}

domain::Granularity granularity_of(std::int64_t length_ns) {
  if (length_ns <= 60 * kSecondNs) return domain::Granularity::Minute;
  if (length_ns <= 3600 * kSecondNs) return domain::Granularity::Hour;
  return domain::Granularity::Day;
}

std::optional<std::int64_t> day_ns(int year, int month, int day) {
  if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * kDayNs;
}

std::optional<int> parse_zone_minutes(std::string_view text) {
  text = trimmed(text);
  if (text == "Z" || text == "z" || lowered(text) == "utc" || lowered(text) == "gmt") return 0;
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 14) return std::nullopt;
  int minutes = 0;
  if (!text.empty()) {
    take(text, ':');
    const auto rest = take_digits(text, 2);
    if (!rest || *rest > 59 || !text.empty()) return std::nullopt;
    minutes = *rest;
  }
  return sign * (*hours * 60 + minutes);
}

std::optional<std::int64_t> parse_time_ns(std::string_view text, int zone_minutes) {
  auto time = take_plain_time(text);
  if (time) {
    if (text.size() == 1 && text.front() == 'Z') return time;
    *time += take_fraction(text);
    text = trimmed(text);
  } else {
    text = trimmed(text);
    if (text.size() < 8 || text[4] != '-') return parse_unix(text);
    time = take_date(text);
    if (!time) return std::nullopt;
    if (!text.empty() && (lower(text.front()) == 't' || text.front() == ' ')) {
      text.remove_prefix(1);
      const auto clock = take_clock(text);
      if (!clock) return std::nullopt;
      *time += *clock;
    }
  }
  if (!text.empty()) {
    const auto zone = parse_zone_minutes(text);
    if (!zone) return std::nullopt;
    zone_minutes = *zone;
  }
  const std::int64_t utc = *time - zone_minutes * 60LL * kSecondNs;
  return utc < 0 ? std::nullopt : std::optional(utc);
}

std::string_view number_text(const codec::json::Value& value) {
  if (value.is_number()) return value.raw();
  if (value.is_string()) return *value.as_string();
  return {};
}

std::optional<std::uint64_t> count_of(const codec::json::Value& value) {
  if (!value.exists() || value.is_null()) return 0;
  return parse_count(number_text(value));
}

std::optional<domain::ServiceTier> parse_tier(std::string_view word) {
  if (word.empty()) return domain::ServiceTier::Standard;
  const std::string text = lowered(trimmed(word));
  if (text.empty() || text == "standard" || text == "default" || text == "auto" ||
      text == "on-demand" || text == "on_demand") {
    return domain::ServiceTier::Standard;
  }
  if (text == "batch") return domain::ServiceTier::Batch;
  if (text == "flex" || text == "flex_discount") return domain::ServiceTier::Flex;
  if (text == "priority" || text == "priority_on_demand") return domain::ServiceTier::Priority;
  if (text == "fast") return domain::ServiceTier::Fast;
  return std::nullopt;
}

}  // namespace fh::importers
