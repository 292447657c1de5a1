// See totals.h.

#include "importers/totals.h"

#include <algorithm>

#include "importers/names.h"

namespace fh::importers {
namespace {

using Field = std::uint64_t domain::Usage::*;
constexpr Field kClasses[] = {&domain::Usage::input_uncached, &domain::Usage::cache_read,
                              &domain::Usage::cache_write_5m, &domain::Usage::cache_write_30m,
                              &domain::Usage::cache_write_1h, &domain::Usage::output,
                              &domain::Usage::reasoning};

void take_from(std::uint64_t& sum, std::uint64_t value) {
  if (sum != UINT64_MAX) sum -= std::min(sum, value);
}

void take_from(std::int64_t& sum, std::int64_t value) {
  if (sum == INT64_MAX || sum == INT64_MIN) return;
  sum = saturating_add(sum, value == INT64_MIN ? INT64_MAX : -value);
}

}  // namespace

Share share_of(const domain::UsageRecord& record) {
  Share share;
  share.requests = record.requests.value_or(0);
  share.web_searches = record.web_searches;
  share.usage = record.usage;
  if (record.reported_cost) {
    share.cost_kind = record.cost_kind;
    share.cost_micro_usd = record.reported_cost->value;
  }
  return share;
}

void Totals::add(const Share& share) {
  ++records;
  requests = saturating_add(requests, share.requests);
  web_searches = saturating_add(web_searches, share.web_searches);
  for (const Field field : kClasses) {
    usage.*field = saturating_add(usage.*field, share.usage.*field);
  }
  std::int64_t& sum = reported_micro_usd[static_cast<std::size_t>(share.cost_kind)];
  sum = saturating_add(sum, share.cost_micro_usd);
}

void Totals::subtract(const Share& share) {
  Totals one;
  one.add(share);
  subtract(one);
}

void Totals::subtract(const Totals& other) {
  take_from(records, other.records);
  take_from(requests, other.requests);
  take_from(web_searches, other.web_searches);
  for (const Field field : kClasses) take_from(usage.*field, other.usage.*field);
  for (std::size_t i = 0; i < reported_micro_usd.size(); ++i) {
    take_from(reported_micro_usd[i], other.reported_micro_usd[i]);
  }
}

}  // namespace fh::importers
