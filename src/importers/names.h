#pragma once
// What every importer does with texts that it keeps: names made safe, identities made of parts, and
// the bound of a believable count. Pure functions.

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fh::importers {

// A token count above this is not believed. A source reports at most a few 10^12 in a bucket; the
// bound keeps the sum over one record far from 64 bits.
inline constexpr std::uint64_t kCountMax = 1'000'000'000'000'000;
inline constexpr std::size_t kNameBytesMax = 256;

// At most kNameBytesMax bytes, cut between code points; control characters become spaces and broken
// UTF-8 U+FFFD, so that a name is safe to print and to store. A text in the form of a credential
// (an API key, a bearer token) becomes a label of it.
std::string name_of(std::string_view text);
// What may be kept of a credential: "secret-" and 8 hexadecimal digits of its hash.
std::string secret_label(std::string_view secret);
// Whether a column or member of that name, in the spelling of column_key, holds credentials
// themselves and not names of them: "key", "x_apikey", "token", "authorization".
bool holds_secrets(std::string_view column_key);
// name_of for the cell of such a column: a label, unless it is empty or a SHA-256 in hexadecimal.
void secret_to(std::string_view text, std::string& out);
// Whether `size` bytes are the same: for short texts, of which the last bytes are looked at twice
// if need be.
inline bool same_bytes(const char* a, const char* b, std::size_t size) {
  const auto differ = [=]<typename Word>(std::size_t at, Word) {
    Word x = 0, y = 0;
    std::memcpy(&x, a + at, sizeof x);
    std::memcpy(&y, b + at, sizeof y);
    return x != y;
  };
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      if (differ(at, std::uint64_t{})) return false;
    }
    return !differ(size - 8, std::uint64_t{});
  }
  if (size >= 4) return !differ(0, std::uint32_t{}) && !differ(size - 4, std::uint32_t{});
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

// Copies a short text, of which the last bytes are written twice if need be.
inline void copy_bytes(char* to, const char* from, std::size_t size) {
  const auto copy = [=]<typename Word>(std::size_t at, Word) {
    Word word = 0;
    std::memcpy(&word, from + at, sizeof word);
    std::memcpy(to + at, &word, sizeof word);
  };
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) copy(at, std::uint64_t{});
    copy(size - 8, std::uint64_t{});
  } else if (size >= 4) {
    copy(0, std::uint32_t{});
    copy(size - 4, std::uint32_t{});
  } else if (size != 0) {
    to[0] = from[0];
    to[size / 2] = from[size / 2];
    to[size - 1] = from[size - 1];
  }
}

// name_of into a string, which costs little when it holds the same name already, and else less than
// a new one.
void new_name_to(std::string_view text, std::string& out);
inline void name_to(std::string_view text, std::string& out) {
  if (out.size() == text.size() && same_bytes(out.data(), text.data(), text.size())) return;
  new_name_to(text, out);
}

// 32 hexadecimal digits over all parts (SHA-256, cut); borders between parts count.
std::string identity_of(std::span<const std::string> parts);

// Whether `needle` stands in `text`; searches at memory speed, for recognisers and line filters.
bool contains(std::string_view text, std::string_view needle);

// Whether JSON text has a member `key`, as a word, whose value begins as told; however the file
// sets blanks. For recognisers.
bool has_member(std::string_view text, std::string_view key, std::string_view value_begin = "");

// Where the first line begins that begins with a brace, as records of JSON lines do, or with a
// square bracket, as lists of them do; npos: none does. A file may begin with a line that is
// damaged.
std::size_t first_record(std::string_view text);

// Sum that stays at the top instead of wrapping: totals over hostile files remain an upper bound.
inline std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}
inline std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a < 0 ? INT64_MIN : INT64_MAX;
}

}  // namespace fh::importers
