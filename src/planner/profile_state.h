#pragma once
// What a ProfileBuilder holds between records. Private to profile.cc and profile_finish.cc.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "planner/profile.h"
#include "planner/trace_statistics.h"

namespace fh::planner {

// Names to small numbers. Consecutive records mostly carry the same name, which costs one compare.
class Interner {
 public:
  // nullopt: `max` names are there already and this is none of them.
  std::optional<std::uint32_t> id_of(std::string_view name, std::uint32_t max);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> ids_;
  std::string last_;
  std::optional<std::uint32_t> last_id_;
};

struct ModelState {
  UsageModel info;
  std::optional<std::size_t> entry;          // of the price book
  std::map<std::string, Unpriced> unpriced;  // by reason
};

struct HourState {
  HourLoad load;
  double uncounted_prompt = 0, uncounted_output = 0;  // of buckets that do not count requests
};

struct WorkloadState {
  WorkloadLoad load;
  GapStatistics gaps;
  std::uint64_t request_records = 0;
  std::uint64_t counted_requests = 0, counted_prompt = 0, counted_output = 0;
  std::vector<HourState> hours;
  std::unordered_map<std::int64_t, std::uint32_t> hour_index;
  std::map<std::int32_t, HourState> days;  // of which only the day is known
  double hourly_tokens = 0;
  bool lengths_bounded = true;  // every record says that its prompts are short ones
};

struct ProfileBuilder::Impl {
  Impl(const pricing::PriceBook& price_book, const ModelNames& model_names,
       const ProfileLimits& profile_limits)
      : book(price_book), names(model_names), limits(profile_limits) {}

  pricing::PriceBook book;
  const ModelNames& names;
  ProfileLimits limits;

  Interner model_ids, workload_ids;
  std::string last_provider, last_model;
  std::optional<std::uint32_t> last_model_id;
  std::vector<ModelState> models;
  std::vector<WorkloadState> workloads;
  std::unordered_map<std::uint64_t, std::uint32_t> row_index;
  std::vector<UsageRow> rows;
  std::unordered_set<std::uint64_t> users;
  std::string last_user;
  bool users_capped = false;
  GapStatistics gaps;
  std::uint64_t request_records = 0;
  std::uint64_t records = 0, requests = 0, web_searches = 0;

  std::uint32_t model_id(const domain::UsageRecord& record);
  std::uint32_t workload_id(const domain::UsageRecord& record);
  base::Result<UsageRow*> row_of(const domain::UsageRecord& record, std::uint32_t model,
                                 std::uint32_t workload, domain::ServiceTier tier);
  base::Status price(const domain::UsageRecord& record, domain::ServiceTier tier, ModelState& model,
                     UsageRow& row);
  base::Result<pricing::PriceRange> price_of(const domain::UsageRecord& record,
                                             domain::ServiceTier tier, std::size_t entry) const;
  void count_load(const domain::UsageRecord& record, WorkloadState& workload);
  void count_user(const domain::UsageRecord& record);
};

// Days since 1970 and hours since 1970, rounded down also before it.
std::int64_t floor_div(std::int64_t value, std::int64_t divisor);
base::Status add_to(CostRange& sum, const CostRange& more);
base::Status add_to(domain::MicroUsd& sum, domain::MicroUsd more);

}  // namespace fh::planner
