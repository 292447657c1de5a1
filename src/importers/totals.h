#pragma once
// Sums over events; they stay at the top instead of wrapping.

#include <array>
#include <cstdint>

#include "domain/usage_record.h"
#include "importers/names.h"
#include "importers/seen.h"

namespace fh::importers {

// What one record adds; `model` is the caller's to set.
inline Share share_of(const domain::UsageRecord& record) {
  Share share;
  share.requests = record.requests.value_or(0);
  share.web_searches = record.web_searches;
  share.usage = record.usage;
  share.side = record.workload == domain::kSubAgent;
  if (record.reported_cost) {
    share.cost_kind = record.cost_kind;
    share.cost_micro_usd = record.reported_cost->value;
  }
  return share;
}

struct Totals {
  std::uint64_t records = 0;
  std::uint64_t requests = 0;  // as far as the sources count them
  domain::Usage usage;
  std::uint64_t web_searches = 0;
  std::array<std::int64_t, 5> reported_micro_usd{};  // by domain::CostKind

  void add(const Share& share) {  // of one more record
    ++records;
    requests = saturating_add(requests, share.requests);
    web_searches = saturating_add(web_searches, share.web_searches);
    for (const Class one : kClasses) usage.*one = saturating_add(usage.*one, share.usage.*one);
    std::int64_t& sum = reported_micro_usd[static_cast<std::size_t>(share.cost_kind)];
    sum = saturating_add(sum, share.cost_micro_usd);
  }
  void add(const Totals& other);
  // What was added before. A sum that has reached the top stays there: what it is made of can no
  // longer be told.
  void subtract(const Share& share);
  void subtract(const Totals& other);

 private:
  using Class = std::uint64_t domain::Usage::*;
  static constexpr Class kClasses[] = {
      &domain::Usage::input_uncached, &domain::Usage::cache_read,
      &domain::Usage::cache_write_5m, &domain::Usage::cache_write_30m,
      &domain::Usage::cache_write_1h, &domain::Usage::output,
      &domain::Usage::reasoning};
};

}  // namespace fh::importers
