#pragma once
// One reader of what Anthropic's admin and analytics endpoints answer about usage and cost: buckets
// of time with results, and flat rows. A row tells by its own members what it is, so files that mix
// endpoints are read like any other.
//
// Shapes (public documentation of the Admin API, state of 2026-08):
//   GET /v1/organizations/usage_report/messages             usage, buckets of 1m, 1h, 1d
//   GET /v1/organizations/cost_report                       cost in cents, 1d
//   GET /v1/organizations/analytics/{,user_}usage_report    usage with requests and product
//   GET /v1/organizations/analytics/{,user_}cost_report     cost with list_amount
//   GET /v1/organizations/analytics/{usage,cost}            the same members, one flat row each
// Uncached, cache reads and cache writes stand beside each other here: the classes are disjoint.

#include <cstdint>
#include <string>

#include "codec/json.h"
#include "importers/elements.h"

namespace fh::importers::anthropic {

struct Bucket {
  std::int64_t start_unix_ns = 0;
  std::int64_t end_unix_ns = 0;
  domain::Granularity granularity = domain::Granularity::Day;
};

// Of a bucket or a flat row: starting_at and ending_at, or a date; false when it has neither.
bool read_bucket(codec::json::Value value, Bucket& bucket);

// Defined in anthropic_usage.cc and anthropic_cost.cc.
void read_usage(codec::json::Value row, const Bucket& bucket, std::uint64_t line, Sink& sink);
void read_cost(codec::json::Value row, const Bucket& bucket, std::uint64_t line, Sink& sink);

class ReportImporter final : public ElementImporter {
 public:
  ReportImporter();

 private:
  void row(codec::json::Value value, const Element& element, Sink& sink) override;
};

// Numbers of a cache_creation object or its single older member. False when they are no counts.
bool read_cache_writes(codec::json::Value row, domain::Usage& usage);

}  // namespace fh::importers::anthropic
