#pragma once
// The usage profile: what was used, when, by which workload and at what price, from any number of
// usage records in bounded memory. Money is integer micro-USD, each record priced at its own date,
// length band, token class and tier and rounded once; a bucket whose prompt lengths (or whose share
// of a time-of-day price) cannot be known gives a low and a high bill. What has no price is listed
// and never counted as zero.
//
// Threads: a builder belongs to one thread; a finished profile is a plain value.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/money.h"
#include "domain/usage_record.h"
#include "ledger/imports.h"
#include "planner/model_names.h"
#include "planner/sketch.h"
#include "pricing/price_book.h"

namespace fh::planner {

inline constexpr std::string_view kWorkloadUntold = "(untold)";  // the source names no workload
inline constexpr std::string_view kOther = "(other)";            // beyond a limit of the builder

// Sums over token classes; disjoint (domain/usage.h).
struct ClassTotals {
  std::uint64_t input_uncached = 0, cache_read = 0;
  std::uint64_t cache_write_5m = 0, cache_write_30m = 0, cache_write_1h = 0;
  std::uint64_t output = 0, reasoning = 0;
  void add(const domain::Usage& usage);
  void add(const ClassTotals& other);
  std::uint64_t cache_write() const { return cache_write_5m + cache_write_30m + cache_write_1h; }
  std::uint64_t prompt_total() const { return input_uncached + cache_read + cache_write(); }
  std::uint64_t total() const { return prompt_total() + output; }
  bool operator==(const ClassTotals&) const = default;
};

// low == high where everything that the price depends on is known.
struct CostRange {
  domain::MicroUsd low, high;
};

struct UsageModel {
  std::string provider, raw;  // as the source wrote them
  ModelName name;
};

// One line of the profile: day x model x workload x tier.
struct UsageRow {
  std::int32_t day = 0;        // days since 1970-01-01 UTC
  std::uint32_t model = 0;     // index into UsageProfile::models
  std::uint32_t workload = 0;  // index into UsageProfile::workloads
  domain::ServiceTier tier = domain::ServiceTier::Standard;
  std::uint64_t records = 0;
  std::uint64_t requests = 0;  // counted by the source
  bool requests_known = true;  // false: at least one record did not count them
  ClassTotals tokens;
  CostRange priced;  // of `priced_records` only
  std::uint64_t priced_records = 0;
  domain::MicroUsd reported_billed;  // sum of reported_cost of kind Billed
  std::uint64_t billed_records = 0;
};

struct Unpriced {
  std::string provider, model;  // as the source wrote them
  std::string why;              // "unknown model", "router", "no price on that day", ...
  std::uint64_t records = 0;
  std::uint64_t tokens = 0;
};

// What arrived in one hour, for capacity. Tokens of requests of which only the day is known are
// spread over the day (UsageProfile::WorkloadLoad::hours_measured_share says how much).
struct HourLoad {
  std::int64_t hour = 0;  // hours since 1970-01-01 UTC
  double requests = 0;    // estimated from tokens where the source does not count them
  double prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
};

struct ArrivalShape {
  double requests_per_s_mean = 0;  // over the span from first to last
  double peak_to_mean = 0;         // busiest hour / mean hour
  std::optional<double> gap_cv;    // of request-level records; nullopt: fewer than 100 of them
  std::array<double, 168> hour_of_week{};  // share of requests, Monday 00 UTC first; sums to 1
};

struct WorkloadLoad {
  std::string name;
  std::uint64_t records = 0;
  std::uint64_t requests = 0;  // counted or one per request record
  ClassTotals tokens;
  CostRange priced;
  // Of request-level records; empty when the source has buckets only.
  Sketch prompt_lengths, new_prompt_lengths, output_lengths;
  bool lengths_measured = false;
  double prompt_tokens_mean = 0, output_tokens_mean = 0;  // per request; 0: not known
  double prompt_tokens_most = 0;  // no prompt is longer, says the source; 0: it does not say
  double prefix_reuse_share = 0;  // cache_read / prompt_total
  ArrivalShape arrivals;
  std::vector<HourLoad> hours;      // ascending; hours with nothing are left out
  double hours_measured_share = 0;  // of the tokens: those whose hour the source told
  std::int64_t first_hour = 0, last_hour = 0;
};

struct UsageProfile {
  std::string price_version;
  std::vector<UsageModel> models;
  std::vector<WorkloadLoad> workloads;
  std::vector<UsageRow> rows;      // by day, model, workload, tier
  std::vector<Unpriced> unpriced;  // most tokens first

  std::uint64_t records = 0, requests = 0, web_searches = 0;
  ClassTotals tokens;
  CostRange priced;
  domain::MicroUsd reported_billed;
  std::uint64_t unpriced_tokens = 0;
  std::int32_t first_day = 0, last_day = 0;
  std::uint32_t days_active = 0;       // with at least one record
  std::uint32_t days_covered() const;  // first to last, both counted
  std::uint64_t users = 0;             // distinct; a lower bound when users_capped
  bool users_capped = false;
  CostRange annualised;  // priced / days_covered * 365
  // Least-squares slope of the daily bill per 30 days, as a share of its mean; 0.1: 10 % more each
  // month. nullopt under 14 days.
  std::optional<double> trend_per_month;
  double prefix_reuse_share = 0;
  ArrivalShape arrivals;
};

struct ProfileLimits {
  std::uint32_t models_max = 4096;
  std::uint32_t workloads_max = 256;  // those beyond go to "(other)"
  std::uint32_t users_max = 200'000;
  std::uint32_t rows_max = 2'000'000;  // ResourceExhausted beyond
};

class ProfileBuilder {
 public:
  ProfileBuilder(const pricing::PriceBook& book, const ModelNames& names,
                 const ProfileLimits& limits = {});
  ~ProfileBuilder();
  ProfileBuilder(ProfileBuilder&&) noexcept;
  // In order of start time, or the gaps' variation is not measured. OutOfRange when a sum of money
  // overflows.
  base::Status add(const domain::UsageRecord& record);
  base::Result<UsageProfile> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Everything in the archive that `filter` lets through.
base::Result<UsageProfile> profile_of(ledger::UsageArchive& archive,
                                      const ledger::UsageFilter& filter,
                                      const pricing::PriceBook& book, const ModelNames& names);

}  // namespace fh::planner
