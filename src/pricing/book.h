#pragma once
// The price book as values, between the parser and the lookup. Private to this folder.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pricing/price_book.h"

namespace fh::pricing {

// Disjoint token classes (docs/formats/price-book.md).
enum class TokenClass : std::uint8_t {
  Input,
  CacheRead,
  CacheWrite,  // lifetime not distinguished
  CacheWrite5m,
  CacheWrite30m,
  CacheWrite1h,
  CacheWrite12h,
  Output,
};
inline constexpr std::size_t kTokenClasses = 8;

// micro-USD per million tokens; nullopt: no such rate is listed.
class Rates {
 public:
  std::optional<std::int64_t>& operator[](TokenClass c) {
    return rates_[static_cast<std::size_t>(c)];
  }
  std::optional<std::int64_t> operator[](TokenClass c) const {
    return rates_[static_cast<std::size_t>(c)];
  }

 private:
  std::array<std::optional<std::int64_t>, kTokenClasses> rates_;
};

// An exact factor, both parts positive.
struct Ratio {
  std::int64_t numerator = 1;
  std::int64_t denominator = 1;
};

struct Band {
  std::uint64_t prompt_tokens_over = 0;  // 0 for the base band, which comes first
  Rates rates;
};

struct Window {
  std::string name;
  std::uint8_t days = 0;  // bit 0 = Monday
  std::vector<std::pair<int, int>>
      minutes;  // [from, to) of the UTC day; from > to runs past midnight
  Rates rates;
};

struct Period {
  std::optional<std::int64_t> from_day,
      to_day;                   // days since 1970-01-01, [from, to); nullopt = open
  std::string from_text;        // as written; empty when open
  std::vector<Band> bands;      // ascending thresholds
  std::vector<Window> windows;  // override the base band
};

struct Entry {
  EntryInfo info;
  std::string model;
  std::string listing;
  std::vector<std::string> aliases;
  std::vector<Period> periods;                // ascending, no gaps
  std::array<std::optional<Ratio>, 5> tiers;  // by Tier; Standard is always 1
  std::array<Ratio, 3> geographies;           // by Geography; 1 where nothing is listed
  bool local = false;                         // from an operator's file
};

struct Book {
  std::string as_of;
  std::vector<Entry> entries;
};

}  // namespace fh::pricing
