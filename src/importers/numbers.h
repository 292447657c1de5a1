#pragma once
// Numbers, money and times as exports write them, read exactly: money never passes through a
// double, a count is whole or it is refused, a time keeps nine decimals. Every function is pure,
// takes surrounding blanks, and answers nullopt for text that is not what it reads (an empty field
// included), so that a caller can name the column in its own words.

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "domain/money.h"
#include "domain/usage_record.h"

namespace fh::importers {

// `text` without blanks around it.
std::string_view trimmed(std::string_view text);

// The decimal `text` times 10^`decimals`, rounded half to even. Takes "1234.5", "1,234.5" (groups
// of three, also with blanks or apostrophes), "-0.5", "(0.5)" for minus, ".5", "1e-7". nullopt also
// when the product does not fit.
std::optional<std::int64_t> parse_fixed(std::string_view text, int decimals);

// "12.345678", "$12.34", "-$0.10", "0.5 USD": dollars.
std::optional<domain::MicroUsd> parse_usd(std::string_view decimal);
// The same for an amount in cents: "123.45" is $1.2345.
std::optional<domain::MicroUsd> parse_cents(std::string_view decimal);

// The number of 1 to 8 digits; false when there is something else among them. How many they are
// costs nothing, which a loop over digits cannot say: its end is hard to foresee.
inline bool read_digits(std::string_view text, std::uint64_t& number) {
  const char* const from = text.data();
  const std::size_t size = text.size();
  std::uint64_t bytes = 0;  // the first digit lowest
  if (size >= 4) {
    std::uint32_t first = 0, last = 0;
    std::memcpy(&first, from, 4);
    std::memcpy(&last, from + size - 4, 4);
    bytes = first | static_cast<std::uint64_t>(last) << (8 * (size - 4));
  } else {
    const auto byte = [&](std::size_t at) {
      return static_cast<std::uint64_t>(static_cast<unsigned char>(from[at])) << (8 * at);
    };
    bytes = byte(0) | byte(size / 2) | byte(size - 1);
  }
  // With zeros in front, that is below, and without the bits that make a digit a character.
  constexpr std::uint64_t kZeros = 0x3030303030303030;
  const std::size_t free = 8 * (8 - size);
  bytes = (bytes ^ kZeros) << free;
  if (((bytes | (bytes + 0x0606060606060606)) & 0xF0F0F0F0F0F0F0F0) != 0) return false;
  bytes = bytes * 10 + (bytes >> 8);  // pairs in every other byte
  constexpr std::uint64_t kPair = 0x000000FF000000FF;
  const std::uint64_t high = (bytes & kPair) * (100 + (std::uint64_t{1'000'000} << 32));
  const std::uint64_t low = (bytes >> 16 & kPair) * (1 + (std::uint64_t{10'000} << 32));
  number = (high + low) >> 32;
  return true;
}

// "1234", "1,234", "12.0", "1.2e3": a whole number that is not negative.
std::optional<std::uint64_t> parse_any_count(std::string_view text);
inline std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t digits = 0;
  if (!text.empty() && text.size() <= 8 && read_digits(text, digits)) return digits;
  return parse_any_count(text);
}
// A quantity in units of `unit` pieces, "1.5" of 1000 is 1500, rounded half to even to whole
// pieces: sources that bill by the thousand round their own decimals. `unit` > 0.
std::optional<std::uint64_t> parse_count_in_units(std::string_view text, std::uint64_t unit);
// Finite decimal number for quantities that are nobody's money.
std::optional<double> parse_real(std::string_view text);

// Durations, not negative; "250.5" ms is 250'500'000 ns.
std::optional<std::int64_t> parse_ms_ns(std::string_view text);
std::optional<std::int64_t> parse_seconds_ns(std::string_view text);

// A point in time as nanoseconds since 1970 in UTC. Takes ISO 8601 with "T", "t" or a blank between
// date and time, with seconds or without, any number of decimals (nine are kept), "Z", " UTC",
// "+02", "+0200", "+02:00" or no zone; a date alone is its midnight. A plain number is a Unix time:
// below 10^11 in seconds, below 10^14 in ms, below 10^17 in us, else in ns; decimals allowed. One
// before 2010 or after 2099 is none: it is a count, a number of a row, or a date without signs.
// `zone_minutes` is the offset east of UTC to assume when the text has no zone.
std::optional<std::int64_t> parse_time_ns(std::string_view text, int zone_minutes = 0);
// "+02:00", "-0530", "Z", "UTC" as minutes east of UTC.
std::optional<int> parse_zone_minutes(std::string_view text);
// Midnight UTC of a day of the Gregorian calendar; nullopt when there is no such day or it is
// outside 1970 to 2261.
std::optional<std::int64_t> day_ns(int year, int month, int day);

inline constexpr std::int64_t kSecondNs = 1'000'000'000;
inline constexpr std::int64_t kDayNs = 86'400 * kSecondNs;
// Of a bucket that long; all above an hour are days.
domain::Granularity granularity_of(std::int64_t length_ns);

// A JSON number's source text, or the content of a JSON string; empty for all else. For formats
// that write the same amount now as a number, now as a string.
std::string_view number_text(const codec::json::Value& value);
// parse_count of number_text; 0 when the value is absent or null.
std::optional<std::uint64_t> count_of(const codec::json::Value& value);

// "batch", "flex", "flex_discount", "priority", "priority_on_demand", "fast", "standard",
// "default", "auto", in any case; nullopt for other words, Standard for none.
std::optional<domain::ServiceTier> parse_tier(std::string_view word);

// ASCII only; bytes above 127 stay.
std::string lowered(std::string_view text);

}  // namespace fh::importers
