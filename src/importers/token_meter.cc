// See token_meter.h.

#include "importers/token_meter.h"

#include <algorithm>
#include <charconv>

#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

struct Marker {
  std::string_view text;
  TokenClass kind;
};

// Longer names first: a cache read is also an input.
constexpr Marker kMarkers[] = {
    {"-cache-read-input-token", TokenClass::CacheRead},
    {"-cache-read-token", TokenClass::CacheRead},
    {"-cache-write-1h-input-token", TokenClass::CacheWrite1h},
    {"-cache-write-1h-token", TokenClass::CacheWrite1h},
    {"-cache-write-input-token", TokenClass::CacheWrite},
    {"-cache-write-token", TokenClass::CacheWrite},
    {"-text-input-token", TokenClass::Input},
    {"-text-output-token", TokenClass::Output},
    {"-input-token", TokenClass::Input},
    {"-output-token", TokenClass::Output},
};

constexpr std::uint64_t kThousand = 1'000, kMillion = 1'000'000;

domain::ServiceTier tier_in(std::string_view lower) {
  if (contains(lower, "batch")) return domain::ServiceTier::Batch;
  if (contains(lower, "flex")) return domain::ServiceTier::Flex;
  if (contains(lower, "priority")) return domain::ServiceTier::Priority;
  return domain::ServiceTier::Standard;
}

// "USE1-", "APN1-", "EUC1-": a short code of capitals with a digit.
std::string_view without_region(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || dash < 3 || dash > 5) return text;
  const std::string_view code = text.substr(0, dash);
  const bool capitals =
      std::all_of(code.begin(), code.end() - 1, [](char c) { return c >= 'A' && c <= 'Z'; });
  const bool digit = code.back() >= '0' && code.back() <= '9';
  return capitals && digit ? text.substr(dash + 1) : text;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return contains(text, word); });
}

}  // namespace

std::optional<TokenMeter> parse_usage_type(std::string_view usage_type) {
  const std::string_view text = without_region(trimmed(usage_type));
  const std::string lower = lowered(text);
  TokenMeter meter;
  meter.tier = tier_in(lower);
  meter.global = contains(lower, "global");
  if (lower.starts_with("mp:") && contains(lower, "tokencount")) {
    meter.unit = kMillion;
    meter.kind = token_class_of(text);
    return meter.kind == TokenClass::Unknown ? std::nullopt : std::optional(meter);
  }
  for (const Marker& marker : kMarkers) {
    const std::size_t at = lower.find(marker.text);
    if (at == std::string::npos) continue;
    std::string_view model = text.substr(0, at);
    if (model.ends_with("-mantle")) model.remove_suffix(7);
    meter.kind = marker.kind;
    meter.unit = kThousand;
    meter.model = name_of(model);
    return meter;
  }
  return std::nullopt;
}

TokenClass token_class_of(std::string_view words) {
  const std::string text = lowered(words);
  if (has_any(text, {"cache", "cached", "cchd"})) {
    if (has_any(text, {"write", "creation", "wrt"})) {
      return has_any(text, {"1h", "1 h", "1-h", "one hour"}) ? TokenClass::CacheWrite1h
                                                             : TokenClass::CacheWrite;
    }
    return TokenClass::CacheRead;
  }
  if (has_any(text, {"output", "outp", "completion", "generated", "opt tokens"})) {
    return TokenClass::Output;
  }
  if (has_any(text, {"input", "inp", "prompt", "processed"})) return TokenClass::Input;
  return TokenClass::Unknown;
}

std::uint64_t token_unit(std::string_view unit) {
  std::string text = lowered(trimmed(unit));
  const std::size_t word = text.find("token");
  if (word == std::string::npos) return 0;
  std::string_view before = trimmed(std::string_view(text).substr(0, word));
  std::uint64_t factor = 1;
  const auto [end, error] = std::from_chars(before.data(), before.data() + before.size(), factor);
  if (error == std::errc()) {
    before.remove_prefix(static_cast<std::size_t>(end - before.data()));
    before = trimmed(before);
  } else {
    factor = 1;
  }
  if (before.empty() || before == "per") return factor;
  if (before == "k" || before.starts_with("thousand")) return factor * kThousand;
  if (before == "m" || before.starts_with("million")) return factor * kMillion;
  if (before == ",000") return factor * kThousand;
  if (before == ",000,000") return factor * kMillion;
  return factor > kMillion ? 0 : factor;
}

std::uint64_t bare_unit(std::string_view unit) {
  std::string text = lowered(trimmed(unit));
  if (text.starts_with("1 ")) text.erase(0, 2);
  if (text.empty() || text == "1" || text == "unit" || text == "units" || text == "count") return 1;
  if (text == "1k" || text == "k" || text == "1000" || text == "thousand") return kThousand;
  if (text == "1m" || text == "m" || text == "1000000" || text == "million") return kMillion;
  return 0;
}

bool add_tokens(domain::Usage& usage, TokenClass kind, std::uint64_t tokens) {
  switch (kind) {
    case TokenClass::Input: usage.input_uncached += tokens; return true;
    case TokenClass::CacheRead: usage.cache_read += tokens; return true;
    case TokenClass::CacheWrite: usage.cache_write_5m += tokens; return true;
    case TokenClass::CacheWrite1h: usage.cache_write_1h += tokens; return true;
    case TokenClass::Output: usage.output += tokens; return true;
    case TokenClass::Unknown: return false;
  }
  return false;
}

}  // namespace fh::importers
