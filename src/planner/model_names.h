#pragma once
// From a model's name as a source wrote it to an entry of the price book: provider prefixes
// ("anthropic/", "us.anthropic."), date suffixes ("-20251001", "@20251001", "-2026-08-07"), effort
// suffixes ("-high", "-thinking"), display names ("Auto: Claude Haiku 4.5") and cloud ids
// ("us.anthropic.claude-haiku-4-5-20251001-v1:0"). "-fast" stays as the tier Fast, for it changes
// the price. A name that only says that a router chose ("auto", "openrouter/auto", "default") and a
// name that nothing matches are reported as such: they are never priced by a guess.
//
// Threads: immutable after construction.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "domain/usage_record.h"
#include "pricing/price_book.h"

namespace fh::planner {

enum class NameKind : std::uint8_t {
  Known,    // entry_id names a price
  Unknown,  // nothing in the book is called that
  Router,   // the source does not say which model answered
};

struct ModelName {
  NameKind kind = NameKind::Unknown;
  std::string entry_id;  // price book id; empty unless Known
  std::string plain;     // the name without prefixes and suffixes, for people and for grouping
  bool fast = false;     // the name said "fast": service tier Fast
};

class ModelNames {
 public:
  // `own`: names that the operator maps by hand (source name -> book id); they win.
  explicit ModelNames(const pricing::PriceBook& book, std::map<std::string, std::string> own = {});
  // `provider` as the source wrote it; empty: not told. No allocation limit is exceeded whatever
  // the text: names over 256 bytes are Unknown.
  ModelName normalise(std::string_view provider, std::string_view name) const;

 private:
  std::string exact(std::string_view provider, std::string_view name) const;
  std::string find(std::string_view provider, const std::string& name) const;
  std::string find_cloud(std::string_view provider, const std::string& text) const;
  pricing::PriceBook book_;
  std::map<std::string, std::string> own_;
  std::vector<std::string> ids_;                             // of the book's entries
  std::map<std::string, std::string, std::less<>> display_;  // display name -> id
};

// The price book's word for a record's tier.
pricing::Tier price_tier(domain::ServiceTier tier);
// "us" is what Anthropic calls inference in the US only, "regional" what stands in a table of one's
// own for processing in one region; every other word costs nothing that is known.
pricing::Geography geography_of(const domain::UsageRecord& record);

}  // namespace fh::planner
