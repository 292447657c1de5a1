#include "planner/plan_prices.h"

namespace fh::planner {
namespace {

// Small enough for every base band, large enough that no listed rate is rounded away.
constexpr std::uint64_t kProbeTokens = 50'000;
constexpr std::uint64_t domain::Usage::* kClasses[] = {
    &domain::Usage::input_uncached,  &domain::Usage::cache_read,     &domain::Usage::cache_write_5m,
    &domain::Usage::cache_write_30m, &domain::Usage::cache_write_1h, &domain::Usage::output};

std::int64_t noon_of(std::int32_t day) {
  return (std::int64_t{day} * 24 + 12) * 3'600'000'000'000;
}

std::optional<double> sum_of(const ClassTotals& tokens, const ClassRates& rates) {
  const std::uint64_t counts[] = {tokens.input_uncached, tokens.cache_read,
                                  tokens.cache_write_5m, tokens.cache_write_30m,
                                  tokens.cache_write_1h, tokens.output};
  double sum = 0;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    if (counts[i] == 0) continue;
    if (!rates[i]) return std::nullopt;
    sum += static_cast<double>(counts[i]) * *rates[i];
  }
  return sum;
}

}  // namespace

const ClassRates& RateTable::at(const std::string& entry, std::int32_t day, pricing::Tier tier) {
  const auto key = std::tuple(entry, day, tier);
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  ClassRates rates;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    pricing::PriceQuery query{entry, {}, noon_of(day), tier};
    query.usage.*kClasses[i] = kProbeTokens;
    if (const base::Result<pricing::Quote> quote = book_.price(query)) {
      rates[i] = static_cast<double>(quote->cost.value) / static_cast<double>(kProbeTokens);
    }
  }
  return known_.emplace(key, rates).first->second;
}

double RateTable::factor(const std::string& entry, const ClassTotals& tokens, pricing::Tier tier,
                         std::int32_t earlier, std::int32_t later) {
  const std::optional<double> before = sum_of(tokens, at(entry, earlier, tier));
  const std::optional<double> after = sum_of(tokens, at(entry, later, tier));
  return before && after && *before > 0 ? *after / *before : 1;
}

std::string RateTable::period_from(const std::string& entry, std::int32_t day) const {
  pricing::PriceQuery query{entry, {}, noon_of(day), pricing::Tier::Standard};
  query.usage.input_uncached = kProbeTokens;
  const base::Result<pricing::Quote> quote = book_.price(query);
  return quote ? quote->period_from : std::string();
}

}  // namespace fh::planner
