// See totals.h.

#include "importers/totals.h"

#include <algorithm>

#include "importers/names.h"

namespace fh::importers {
namespace {

void take_from(std::uint64_t& sum, std::uint64_t value) {
  if (sum != UINT64_MAX) sum -= std::min(sum, value);
}

void take_from(std::int64_t& sum, std::int64_t value) {
  if (sum == INT64_MAX || sum == INT64_MIN) return;
  sum = saturating_add(sum, value == INT64_MIN ? INT64_MAX : -value);
}

}  // namespace

void Totals::add(const Totals& other) {
  records = saturating_add(records, other.records);
  requests = saturating_add(requests, other.requests);
  web_searches = saturating_add(web_searches, other.web_searches);
  for (const Class one : kClasses) usage.*one = saturating_add(usage.*one, other.usage.*one);
  for (std::size_t i = 0; i < reported_micro_usd.size(); ++i) {
    reported_micro_usd[i] = saturating_add(reported_micro_usd[i], other.reported_micro_usd[i]);
  }
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
  for (const Class one : kClasses) take_from(usage.*one, other.usage.*one);
  for (std::size_t i = 0; i < reported_micro_usd.size(); ++i) {
    take_from(reported_micro_usd[i], other.reported_micro_usd[i]);
  }
}

}  // namespace fh::importers
