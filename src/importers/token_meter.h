#pragma once
// What a cloud's meter name or usage type says about tokens: the class, the model, the unit of the
// quantity beside it and the tier. Clouds bill tokens as quantities of named meters; the names are
// the only place where the class stands. Pure functions.
//
// Amazon's usage types, two families with different units (AWS Cost and Usage Reports):
//   USE1-Claude4.6Opus-cache-read-input-token-count-cross-region-global   thousands of tokens
//   USW2-MP:USW2_InputTokenCount_Global_Batch-Units                       millions, no model in it

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/usage_record.h"

namespace fh::importers {

enum class TokenClass : std::uint8_t {
  Unknown,
  Input,
  CacheRead,
  CacheWrite,
  CacheWrite1h,
  Output
};

struct TokenMeter {
  TokenClass kind = TokenClass::Unknown;
  std::uint64_t unit = 0;  // tokens in one of the quantity; 0: not told
  std::string model;       // empty: not told
  domain::ServiceTier tier = domain::ServiceTier::Standard;
  bool global = false;  // routed over all regions, which has a price of its own
};

// nullopt for a usage type that does not count tokens.
std::optional<TokenMeter> parse_usage_type(std::string_view usage_type);
// The class that words in a meter's name or description tell: "gpt 5 cached Inp glbl Tokens" is
// CacheRead.
TokenClass token_class_of(std::string_view words);
// "Tokens" 1, "1K Tokens" and "Thousand tokens" 1'000, "1M tokens" 1'000'000; 0 for units that do
// not name tokens.
std::uint64_t token_unit(std::string_view unit);
// Of a unit that names nothing, where the meter says that it counts tokens: "1K" 1'000, "1M"
// 1'000'000, "Units", "1" and none at all 1; 0 for all else.
std::uint64_t bare_unit(std::string_view unit);
// Adds `tokens` of a class to its place; false for Unknown.
bool add_tokens(domain::Usage& usage, TokenClass kind, std::uint64_t tokens);

}  // namespace fh::importers
