// See price_book.h. One product per token class in 128-bit arithmetic, one sum, the tier's factor,
// one rounding.

#include "pricing/price_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "crypto/sha256.h"
#include "pricing/book.h"
#include "pricing/book_parser.h"

namespace fh::pricing {
namespace {

constexpr std::int64_t kNsPerMinute = 60LL * 1'000'000'000;
constexpr std::int64_t kMinutesPerDay = 24 * 60;
constexpr std::int64_t kTokensPerRate = 1'000'000;

std::unexpected<base::Error> unpriced(std::string message, std::string hint = {}) {
  return std::unexpected(
      base::Error{base::Code::NotFound, std::move(message), std::move(hint), {}, "unpriced"});
}

// Minutes since 1970, rounded down also before it.
std::int64_t minutes_of(std::int64_t unix_ns) {
  const std::int64_t minutes = unix_ns / kNsPerMinute;
  return unix_ns % kNsPerMinute < 0 ? minutes - 1 : minutes;
}

std::int64_t day_of(std::int64_t minutes) {
  const std::int64_t day = minutes / kMinutesPerDay;
  return minutes % kMinutesPerDay < 0 ? day - 1 : day;
}

bool has_weekday(std::uint8_t days, std::int64_t day) {
  const std::int64_t monday_based = ((day + 3) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
  return (days >> monday_based & 1) != 0;
}

// A range past midnight belongs to the day on which it begins.
bool covers(const Window& window, std::int64_t day, std::int64_t minute) {
  return std::ranges::any_of(window.minutes, [&](const std::pair<int, int>& range) {
    const auto [from, to] = range;
    if (from < to) return has_weekday(window.days, day) && minute >= from && minute < to;
    return (has_weekday(window.days, day) && minute >= from) ||
           (has_weekday(window.days, day - 1) && minute < to);
  });
}

// How much of [from, to) in minutes a window covers.
std::int64_t covered_minutes(const Window& window, std::int64_t from, std::int64_t to) {
  std::int64_t covered = 0;
  const std::int64_t first_day = day_of(from) - 1;
  for (std::int64_t day = first_day; day * kMinutesPerDay < to; ++day) {
    if (!has_weekday(window.days, day)) continue;
    for (const auto& [begin, end] : window.minutes) {
      const std::int64_t low = std::max(from, day * kMinutesPerDay + begin);
      const std::int64_t length = end > begin ? end - begin : end - begin + kMinutesPerDay;
      const std::int64_t high = std::min(to, day * kMinutesPerDay + begin + length);
      covered += std::max<std::int64_t>(high - low, 0);
    }
  }
  return covered;
}

const Period* period_at(const Entry& entry, std::int64_t day) {
  const auto it = std::ranges::find_if(entry.periods, [&](const Period& p) {
    return (!p.from_day || day >= *p.from_day) && (!p.to_day || day < *p.to_day);
  });
  return it == entry.periods.end() ? nullptr : &*it;
}

const Band& band_of(const Period& period, __int128 prompt_tokens) {
  const Band* chosen = &period.bands.front();
  for (const Band& band : period.bands) {
    if (prompt_tokens > static_cast<__int128>(band.prompt_tokens_over)) chosen = &band;
  }
  return *chosen;
}

// The rate of a write: its own lifetime; the undivided class; the shortest listed lifetime that
// lasts as long; the longest listed; input when nothing is listed.
std::optional<std::int64_t> write_rate(const Rates& rates, TokenClass lifetime) {
  using enum TokenClass;
  if (rates[lifetime]) return rates[lifetime];
  if (rates[CacheWrite]) return rates[CacheWrite];
  constexpr std::array<TokenClass, 4> kByLifetime = {CacheWrite5m, CacheWrite30m, CacheWrite1h,
                                                     CacheWrite12h};
  std::optional<std::int64_t> longest;
  for (const TokenClass listed : kByLifetime) {
    if (!rates[listed]) continue;
    if (listed > lifetime) return rates[listed];
    longest = rates[listed];
  }
  return longest ? longest : rates[Input];
}

struct Part {
  std::uint64_t tokens;
  std::optional<std::int64_t> rate;
  const char* name;
};

std::array<Part, 6> parts_of(const domain::Usage& usage, const Rates& rates) {
  using enum TokenClass;
  return {{{usage.input_uncached, rates[Input], "input"},
           {usage.cache_read, rates[CacheRead] ? rates[CacheRead] : rates[Input], "cache_read"},
           {usage.cache_write_5m, write_rate(rates, CacheWrite5m), "cache_write_5m"},
           {usage.cache_write_30m, write_rate(rates, CacheWrite30m), "cache_write_30m"},
           {usage.cache_write_1h, write_rate(rates, CacheWrite1h), "cache_write_1h"},
           {usage.output, rates[Output], "output"}}};
}

struct Tariff {
  const Period* period;
  Ratio tier;
  Ratio geography;
};

base::Result<domain::MicroUsd> cost_of(const std::array<Part, 6>& parts, const Tariff& tariff,
                                       const std::string& id) {
  __int128 sum = 0;
  bool overflow = false;
  for (const Part& part : parts) {
    if (part.tokens == 0) continue;
    if (!part.rate) return unpriced(fmt::format("{} lists no price for {} tokens", id, part.name));
    __int128 product = 0;
    overflow |= __builtin_mul_overflow(static_cast<__int128>(part.tokens),
                                       static_cast<__int128>(*part.rate), &product);
    overflow |= __builtin_add_overflow(sum, product, &sum);
  }
  __int128 divisor = kTokensPerRate;
  for (const Ratio& factor : {tariff.tier, tariff.geography}) {
    overflow |= __builtin_mul_overflow(sum, static_cast<__int128>(factor.numerator), &sum);
    divisor *= factor.denominator;  // a million at most, each
  }
  if (overflow)
    return base::fail(base::Code::OutOfRange, "the price of a request exceeds 128 bits");
  return domain::rounded(sum, divisor);
}

// Longer buckets are not split by the time of day any further: every window touches them.
constexpr std::int64_t kBucketMinutesMax = 32 * kMinutesPerDay;

bool band_possible(const Band& band, const RangeQuery& query, std::uint64_t prompt_tokens) {
  const std::uint64_t over = band.prompt_tokens_over;
  if (over > 0 && prompt_tokens <= over) return false;
  if (query.lengths != PromptLengths::BandTold || over <= query.prompt_over) return true;
  return query.prompt_over >= kToldBandSplit || over < kToldBandSplit;
}

// Rates that a bucket of several prompts may have been charged at.
std::vector<const Rates*> possible_rates(const Period& period, const RangeQuery& query,
                                         std::uint64_t prompt_tokens) {
  std::vector<const Rates*> out;
  std::size_t first = 0;  // the band that all prompts are known to have reached
  for (std::size_t i = 0; i < period.bands.size(); ++i) {
    const std::uint64_t over = period.bands[i].prompt_tokens_over;
    if (query.lengths == PromptLengths::BandTold && over <= query.prompt_over) first = i;
  }
  for (std::size_t i = first; i < period.bands.size(); ++i) {
    if (i == first || band_possible(period.bands[i], query, prompt_tokens))
      out.push_back(&period.bands[i].rates);
  }
  if (first > 0) return out;
  const std::int64_t from = minutes_of(query.from_unix_ns);
  const std::int64_t to =
      std::clamp(minutes_of(query.to_unix_ns - 1) + 1, from + 1, from + kBucketMinutesMax);
  std::int64_t left = to - from;
  for (const Window& window : period.windows) {
    const std::int64_t covered = covered_minutes(window, from, to);
    if (covered > 0) out.push_back(&window.rates);
    left -= covered;
  }
  if (left <= 0) out.erase(out.begin());  // windows cover it all: the base rates never apply
  return out;
}

const char* tier_name(Tier tier) {
  switch (tier) {
    case Tier::Standard: return "standard";
    case Tier::Batch: return "batch";
    case Tier::Flex: return "flex";
    case Tier::Priority: return "priority";
    case Tier::Fast: return "fast";
  }
  return "?";
}

// Who wins a name that several entries carry: the operator's own, then the vendor of the model,
// then nobody.
int rank_of(const Entry& entry) {
  return (entry.local ? 2 : 0) + (entry.listing == "vendor" ? 1 : 0);
}

}  // namespace

struct PriceBook::Impl {
  std::string version;
  std::string hash8;  // of the file this was read from
  std::vector<Entry> entries;
  std::map<std::string, std::size_t, std::less<>> by_id;
  std::map<std::string, std::vector<std::size_t>, std::less<>>
      by_name;  // model names and aliases; best rank only

  void index();
  base::Result<const Entry*> find(std::string_view model) const;
};

namespace {

// The rates of one request: a window of the period overrides the base band.
const Rates& rates_of(const Period& period, std::int64_t minutes, __int128 prompt_tokens,
                      const Band** band, const Window** window) {
  *band = &band_of(period, prompt_tokens);
  *window = nullptr;
  if ((*band)->prompt_tokens_over > 0) return (*band)->rates;
  const std::int64_t day = day_of(minutes);
  const auto it = std::ranges::find_if(period.windows, [&](const Window& w) {
    return covers(w, day, minutes - day * kMinutesPerDay);
  });
  if (it == period.windows.end()) return (*band)->rates;
  *window = &*it;
  return it->rates;
}

__int128 prompt_of(const domain::Usage& u) {
  __int128 sum = u.input_uncached;
  for (const std::uint64_t n :
       {u.cache_read, u.cache_write_5m, u.cache_write_30m, u.cache_write_1h}) {
    sum += n;
  }
  return sum;
}

using Parts = std::array<Part, 6>;

// Class by class the lowest and the highest rate: bounds of any mix of requests, also where a band
// makes one class dearer and another cheaper. A class without a rate anywhere has none here.
std::pair<Parts, Parts> extremes_of(const domain::Usage& usage,
                                    const std::vector<const Rates*>& rates) {
  Parts low = parts_of(usage, *rates.front());
  Parts high = low;
  for (const Rates* r : rates) {
    const Parts parts = parts_of(usage, *r);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      // An empty optional is less than any value, and stays empty in both.
      if (!parts[i].rate || !high[i].rate) {
        low[i].rate = high[i].rate = std::nullopt;
        continue;
      }
      low[i].rate = std::min(low[i].rate, parts[i].rate);
      high[i].rate = std::max(high[i].rate, parts[i].rate);
    }
  }
  return {low, high};
}

base::Result<Tariff> tariff_of(const Entry& entry, std::int64_t minutes, Tier tier,
                               Geography geography) {
  const Period* period = period_at(entry, day_of(minutes));
  if (period == nullptr) return unpriced(fmt::format("{} has no price on that day", entry.info.id));
  const auto& factor = entry.tiers[static_cast<std::size_t>(tier)];
  if (!factor) return unpriced(fmt::format("{} lists no {} price", entry.info.id, tier_name(tier)));
  return Tariff{period, *factor, entry.geographies[static_cast<std::size_t>(geography)]};
}

}  // namespace

void PriceBook::Impl::index() {
  by_id.clear();
  by_name.clear();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    by_id[entries[i].info.id] = i;
    std::vector<std::string> names = entries[i].aliases;
    names.push_back(entries[i].model);
    for (const std::string& name : names) {
      std::vector<std::size_t>& carriers = by_name[name];
      if (!carriers.empty() && carriers.back() == i) continue;
      const int best = carriers.empty() ? -1 : rank_of(entries[carriers.front()]);
      if (rank_of(entries[i]) > best) carriers.clear();
      if (rank_of(entries[i]) >= best) carriers.push_back(i);
    }
  }
}

base::Result<const Entry*> PriceBook::Impl::find(std::string_view model) const {
  if (const auto it = by_id.find(model); it != by_id.end()) return &entries[it->second];
  const auto it = by_name.find(model);
  if (it == by_name.end()) {
    return unpriced(fmt::format("no price is known for the model \"{}\"", model),
                    "add it to your own price file, or map it to an id of the book");
  }
  if (it->second.size() == 1) return &entries[it->second.front()];
  std::string ids;
  for (const std::size_t i : it->second) ids += (ids.empty() ? "" : ", ") + entries[i].info.id;
  return unpriced(fmt::format("the model \"{}\" has several prices", model), "name one of " + ids);
}

PriceBook::PriceBook() = default;
PriceBook::~PriceBook() = default;
PriceBook::PriceBook(PriceBook&&) noexcept = default;
PriceBook& PriceBook::operator=(PriceBook&&) noexcept = default;
PriceBook::PriceBook(const PriceBook&) = default;

base::Result<PriceBook> PriceBook::parse(std::string_view json) {
  FH_TRY(Book book, parse_book(json));
  auto impl = std::make_shared<Impl>();
  impl->version = std::move(book.as_of);
  impl->hash8 = crypto::to_hex(crypto::sha256(json)).substr(0, 8);
  impl->entries = std::move(book.entries);
  impl->index();
  PriceBook out;
  out.impl_ = std::move(impl);
  return out;
}

base::Result<PriceBook> PriceBook::overridden_by(const PriceBook& other) const {
  auto impl = std::make_shared<Impl>();
  impl->version = fmt::format("{}+local-{}", impl_->version, other.impl_->hash8);
  impl->hash8 = other.impl_->hash8;
  impl->entries = impl_->entries;
  for (const Entry& entry : other.impl_->entries) {
    const auto it = impl_->by_id.find(entry.info.id);
    if (it == impl_->by_id.end()) {
      impl->entries.push_back(entry);
      impl->entries.back().local = true;
    } else {
      impl->entries[it->second] = entry;
      impl->entries[it->second].local = true;
    }
  }
  impl->index();
  PriceBook out;
  out.impl_ = std::move(impl);
  return out;
}

base::Result<Quote> PriceBook::price(const PriceQuery& query) const {
  FH_TRY(const Entry* entry, impl_->find(query.model));
  const std::int64_t minutes = minutes_of(query.unix_ns);
  FH_TRY(const Tariff tariff, tariff_of(*entry, minutes, query.tier, query.geography));
  const Band* band = nullptr;
  const Window* window = nullptr;
  const Rates& rates = rates_of(*tariff.period, minutes, prompt_of(query.usage), &band, &window);
  Quote quote;
  if (band->prompt_tokens_over > 0) quote.band = fmt::format(">{}", band->prompt_tokens_over);
  if (window != nullptr) quote.window = window->name;
  FH_TRY(quote.cost, cost_of(parts_of(query.usage, rates), tariff, entry->info.id));
  quote.entry_id = entry->info.id;
  quote.period_from = tariff.period->from_text;
  quote.confidence = entry->info.confidence;
  return quote;
}

base::Result<PriceRange> PriceBook::price_range(std::size_t entry, const RangeQuery& query) const {
  if (entry >= impl_->entries.size())
    return base::fail(base::Code::InvalidArgument, "the price book has no such entry");
  const Entry& e = impl_->entries[entry];
  const std::int64_t minutes = minutes_of(query.from_unix_ns);
  FH_TRY(const Tariff tariff, tariff_of(e, minutes, query.tier, query.geography));
  const Period& period = *tariff.period;
  const bool one_minute = query.to_unix_ns <= query.from_unix_ns ||
                          minutes_of(query.to_unix_ns - 1) == minutes || period.windows.empty();
  if (query.lengths == PromptLengths::OneRequest || (one_minute && period.bands.size() == 1)) {
    const Band* band = nullptr;
    const Window* window = nullptr;
    const Rates& rates = rates_of(period, minutes, prompt_of(query.usage), &band, &window);
    FH_TRY(const domain::MicroUsd cost, cost_of(parts_of(query.usage, rates), tariff, e.info.id));
    return PriceRange{cost, cost};
  }
  const auto prompt = static_cast<std::uint64_t>(
      std::min<__int128>(prompt_of(query.usage), static_cast<__int128>(UINT64_MAX)));
  const auto [low, high] = extremes_of(query.usage, possible_rates(period, query, prompt));
  PriceRange range;
  FH_TRY(range.low, cost_of(low, tariff, e.info.id));
  FH_TRY(range.high, cost_of(high, tariff, e.info.id));
  return range;
}

std::optional<std::size_t> PriceBook::entry_index(std::string_view model) const {
  const auto found = impl_->find(model);
  if (!found) return std::nullopt;
  return static_cast<std::size_t>(*found - impl_->entries.data());
}

std::vector<EntryInfo> PriceBook::entries() const {
  std::vector<EntryInfo> out;
  out.reserve(impl_->entries.size());
  for (const Entry& entry : impl_->entries) out.push_back(entry.info);
  return out;
}

bool PriceBook::knows(std::string_view model) const {
  return impl_->find(model).has_value();
}

const std::string& PriceBook::version() const {
  return impl_->version;
}

}  // namespace fh::pricing
