#pragma once
// Sums over events; they stay at the top instead of wrapping.

#include <array>
#include <cstdint>

#include "domain/usage_record.h"
#include "importers/seen.h"

namespace fh::importers {

// What one record adds; `model` is the caller's to set.
Share share_of(const domain::UsageRecord& record);

struct Totals {
  std::uint64_t records = 0;
  std::uint64_t requests = 0;  // as far as the sources count them
  domain::Usage usage;
  std::uint64_t web_searches = 0;
  std::array<std::int64_t, 5> reported_micro_usd{};  // by domain::CostKind

  void add(const Share& share);  // of one more record
  // What was added before. A sum that has reached the top stays there: what it is made of can no
  // longer be told.
  void subtract(const Share& share);
  void subtract(const Totals& other);
};

}  // namespace fh::importers
