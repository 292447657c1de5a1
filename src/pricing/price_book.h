#pragma once
// The price book: dated API prices with periods, whole-request bands, cache classes, service tiers
// and time-of-day windows, and the price of one request in integer micro-USD with one rounding. An
// unknown model or class is unpriced, never zero. The bundled book is data/prices.json (made by
// scripts/make_price_book from the reference data); an operator's file with the same schema
// overrides entries by id. Pure; immutable once loaded.
//
// Price of a request (docs/formats/price-book.md): choose the period by its UTC time; the band by
// prompt_total; if a window of the period covers the time, the window's rates; sum tokens * rate
// over the disjoint classes; multiply by the tier and by the geography. No cache_write rate listed:
// charged as input. No cache_read rate listed: charged as input.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/money.h"
#include "domain/usage.h"

namespace fh::pricing {

enum class Tier : std::uint8_t { Standard, Batch, Flex, Priority, Fast };

// Where the model had to run. A model that lists nothing for it costs there what it costs anywhere.
enum class Geography : std::uint8_t { Anywhere, UsOnly, Regional };

struct PriceQuery {
  std::string_view model;  // id, or "provider/model", or an unambiguous alias
  domain::Usage usage;
  std::int64_t unix_ns = 0;
  Tier tier = Tier::Standard;
  Geography geography = Geography::Anywhere;
};

struct Quote {
  domain::MicroUsd cost;
  std::string entry_id;     // "anthropic/claude-opus-5-5"
  std::string period_from;  // date of the period used
  std::string band;         // "" or ">100000"
  std::string window;       // "" or its name
  std::string confidence;   // "high", "medium", "low"
};

struct EntryInfo {
  std::string id, name, provider, as_of, confidence;
  std::string source;  // titles of where the rates were read, for people; may be empty
  std::uint32_t context_tokens = 0;
};

// Where a source that tells bands splits them ("0-200k", "200k-1m"); no source is known that splits
// elsewhere.
inline constexpr std::uint64_t kToldBandSplit = 200'000;

// What is known of the prompts in a sum of usage; the length band hangs on it.
enum class PromptLengths : std::uint8_t {
  OneRequest,  // the usage is one request's own
  BandTold,    // a bucket whose source named its band: every prompt is over `prompt_over`
  Untold,      // a bucket of prompts of any length
};

// Usage of a moment or of a bucket of time, for readers of many records.
struct RangeQuery {
  domain::Usage usage;
  std::int64_t from_unix_ns = 0, to_unix_ns = 0;  // [from, to); to <= from: a moment
  Tier tier = Tier::Standard;
  Geography geography = Geography::Anywhere;
  PromptLengths lengths = PromptLengths::OneRequest;
  std::uint64_t prompt_over = 0;
};

// low == high where the band and the time of day are known.
struct PriceRange {
  domain::MicroUsd low, high;
};

class PriceBook {
 public:
  static base::Result<PriceBook> parse(std::string_view json);
  static const PriceBook& bundled();  // the embedded book
  // Entries of `other` replace entries with the same id and add the rest; the version names both.
  base::Result<PriceBook> overridden_by(const PriceBook& other) const;

  // Error NotFound reason "unpriced" when the model, the date or a needed class has no price.
  base::Result<Quote> price(const PriceQuery& query) const;
  // The cheapest and the dearest reading of a bucket: class by class over every length band that
  // its prompts can lie in and every time-of-day price that its time touches. Sources that tell a
  // band split at 200,000 tokens and nowhere else: a bucket told to be under it is in no band that
  // begins there. A bucket over midnight takes the period of its beginning. Same errors as price();
  // no text is made for a price that is found.
  base::Result<PriceRange> price_range(std::size_t entry, const RangeQuery& query) const;
  // Index into entries(); nullopt: unknown, or a name that several entries carry.
  std::optional<std::size_t> entry_index(std::string_view model) const;
  std::vector<EntryInfo> entries() const;
  bool knows(std::string_view model) const;
  const std::string& version() const;  // "2026-11-22" or "2026-11-22+local-<hash8>"
  ~PriceBook();
  PriceBook(PriceBook&&) noexcept;
  PriceBook& operator=(PriceBook&&) noexcept;
  PriceBook(const PriceBook&);

 private:
  PriceBook();
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace fh::pricing
