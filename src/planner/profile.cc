// See profile.h. The path of one record makes no text: names are compared with those of the record
// before, prices are found by number, and everything that grows with the records is a fixed number
// of counters per day, model, workload and tier, or per workload and hour.

#include "planner/profile.h"

#include <algorithm>
#include <utility>

#include "planner/profile_state.h"

namespace fh::planner {
namespace {

constexpr std::int64_t kNsPerHour = 3600LL * 1'000'000'000;
constexpr std::int64_t kNsPerDay = 24 * kNsPerHour;
constexpr std::size_t kReasonsMax = 16;  // of one model; further ones are added to the last

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

bool is_request(const domain::UsageRecord& r) {
  return r.granularity == domain::Granularity::Request;
}

std::optional<std::uint64_t> requests_of(const domain::UsageRecord& r) {
  if (r.requests) return r.requests;
  if (is_request(r)) return 1;
  return std::nullopt;
}

}  // namespace

std::int64_t floor_div(std::int64_t value, std::int64_t divisor) {
  const std::int64_t quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

base::Status add_to(domain::MicroUsd& sum, domain::MicroUsd more) {
  FH_TRY(sum, domain::add(sum, more));
  return {};
}

base::Status add_to(CostRange& sum, const CostRange& more) {
  FH_TRY_VOID(add_to(sum.low, more.low));
  return add_to(sum.high, more.high);
}

void ClassTotals::add(const domain::Usage& u) {
  add(ClassTotals{u.input_uncached, u.cache_read, u.cache_write_5m, u.cache_write_30m,
                  u.cache_write_1h, u.output, u.reasoning});
}

void ClassTotals::add(const ClassTotals& o) {
  input_uncached = saturating_add(input_uncached, o.input_uncached);
  cache_read = saturating_add(cache_read, o.cache_read);
  cache_write_5m = saturating_add(cache_write_5m, o.cache_write_5m);
  cache_write_30m = saturating_add(cache_write_30m, o.cache_write_30m);
  cache_write_1h = saturating_add(cache_write_1h, o.cache_write_1h);
  output = saturating_add(output, o.output);
  reasoning = saturating_add(reasoning, o.reasoning);
}

std::optional<std::uint32_t> Interner::id_of(std::string_view name, std::uint32_t max) {
  if (last_id_ && name == last_) return last_id_;
  auto it = ids_.find(name);
  if (it == ids_.end()) {
    if (ids_.size() >= max) return std::nullopt;
    it = ids_.emplace(std::string(name), static_cast<std::uint32_t>(ids_.size())).first;
  }
  last_ = name;
  last_id_ = it->second;
  return last_id_;
}

ProfileBuilder::ProfileBuilder(const pricing::PriceBook& book, const ModelNames& names,
                               const ProfileLimits& limits)
    : impl_(std::make_unique<Impl>(book, names, limits)) {}
ProfileBuilder::~ProfileBuilder() = default;
ProfileBuilder::ProfileBuilder(ProfileBuilder&&) noexcept = default;

std::uint32_t ProfileBuilder::Impl::model_id(const domain::UsageRecord& r) {
  if (last_model_id && r.model == last_model && r.provider == last_provider) return *last_model_id;
  std::string key = r.provider;
  key += '\0';
  key += r.model;
  // The last number is kept for the names beyond the limit.
  const std::uint32_t other = limits.models_max - 1;
  const std::uint32_t id = model_ids.id_of(key, other).value_or(other);
  if (id >= models.size()) {
    const std::size_t index = std::min<std::size_t>(id, models.size());
    ModelState state;
    if (id == other) {
      state.info.raw = kOther;
    } else {
      state.info.provider = r.provider;
      state.info.raw = r.model;
      state.info.name = names.normalise(r.provider, r.model);
      if (state.info.name.kind == NameKind::Known)
        state.entry = book.entry_index(state.info.name.entry_id);
    }
    models.push_back(std::move(state));
    last_model_id = static_cast<std::uint32_t>(index);
  } else {
    last_model_id = id;
  }
  last_model = r.model;
  last_provider = r.provider;
  return *last_model_id;
}

std::uint32_t ProfileBuilder::Impl::workload_id(const domain::UsageRecord& r) {
  std::string_view name = r.workload;
  if (name.empty()) name = r.application;
  if (name.empty()) name = kWorkloadUntold;
  const std::uint32_t other = limits.workloads_max - 1;
  const std::uint32_t id = workload_ids.id_of(name, other).value_or(other);
  if (id < workloads.size()) return id;
  WorkloadState state;
  state.load.name = id == other ? kOther : name;
  workloads.push_back(std::move(state));
  return static_cast<std::uint32_t>(workloads.size() - 1);
}

base::Result<UsageRow*> ProfileBuilder::Impl::row_of(const domain::UsageRecord& r,
                                                     std::uint32_t model, std::uint32_t workload,
                                                     domain::ServiceTier tier) {
  const auto day = static_cast<std::int32_t>(floor_div(r.start_unix_ns, kNsPerDay));
  // 64-bit nanoseconds reach 106,751 days to either side of 1970.
  const std::uint64_t key =
      static_cast<std::uint64_t>(day + 200'000) << 40 | static_cast<std::uint64_t>(model) << 24 |
      static_cast<std::uint64_t>(workload) << 8 | static_cast<std::uint64_t>(tier);
  const auto [it, fresh] = row_index.try_emplace(key, static_cast<std::uint32_t>(rows.size()));
  if (fresh) {
    if (rows.size() >= limits.rows_max) {
      row_index.erase(it);
      return base::fail(base::Code::ResourceExhausted,
                        "usage has too many combinations of day, model and workload",
                        "plan for a shorter time, or without workload names");
    }
    UsageRow row;
    row.day = day;
    row.model = model;
    row.workload = workload;
    row.tier = tier;
    rows.push_back(row);
  }
  return &rows[it->second];
}

base::Result<pricing::PriceRange> ProfileBuilder::Impl::price_of(const domain::UsageRecord& r,
                                                                 domain::ServiceTier tier,
                                                                 std::size_t entry) const {
  pricing::RangeQuery q;
  q.usage = r.usage;
  q.from_unix_ns = r.start_unix_ns;
  q.to_unix_ns = r.end_unix_ns;
  q.tier = price_tier(tier);
  q.geography = geography_of(r);
  if (is_request(r) && r.requests.value_or(1) <= 1) {
    q.to_unix_ns = r.start_unix_ns;
  } else if (r.prompt_band_known) {
    q.lengths = pricing::PromptLengths::BandTold;
    q.prompt_over = r.prompt_over;
  } else {
    q.lengths =
        r.requests == 1 ? pricing::PromptLengths::OneRequest : pricing::PromptLengths::Untold;
  }
  auto range = book.price_range(entry, q);
  // Some makers sell speed under the one name, some under the other.
  if (!range && tier == domain::ServiceTier::Fast) {
    q.tier = pricing::Tier::Priority;
    if (auto priority = book.price_range(entry, q)) return priority;
  }
  return range;
}

base::Status ProfileBuilder::Impl::price(const domain::UsageRecord& r, domain::ServiceTier tier,
                                         ModelState& model, UsageRow& row) {
  std::string why;
  if (model.entry) {
    const auto range = price_of(r, tier, *model.entry);
    if (range) {
      ++row.priced_records;
      return add_to(row.priced, CostRange{range->low, range->high});
    }
    if (range.error().code != base::Code::NotFound) return std::unexpected(range.error());
    why = range.error().message;
  } else if (model.info.name.kind == NameKind::Router) {
    why = "the source does not say which model answered";
  } else {
    why = "no price is known for this name";
  }
  auto it = model.unpriced.find(why);
  if (it == model.unpriced.end()) {
    if (model.unpriced.size() >= kReasonsMax) {
      it = std::prev(model.unpriced.end());
    } else {
      const Unpriced fresh{model.info.provider, model.info.raw, why, 0, 0};
      it = model.unpriced.emplace(why, fresh).first;
    }
  }
  ++it->second.records;
  it->second.tokens = saturating_add(it->second.tokens, r.usage.total());
  return {};
}

void ProfileBuilder::Impl::count_load(const domain::UsageRecord& r, WorkloadState& w) {
  const auto prompt = r.usage.prompt_total();
  const auto counted = requests_of(r);
  if (counted) {
    w.load.requests += *counted;
    w.counted_requests += *counted;
    w.counted_prompt = saturating_add(w.counted_prompt, prompt);
    w.counted_output = saturating_add(w.counted_output, r.usage.output);
  }
  if (is_request(r) && counted == 1) {
    w.load.prompt_lengths.add(prompt);
    w.load.new_prompt_lengths.add(prompt - r.usage.cache_read);
    w.load.output_lengths.add(r.usage.output);
    w.gaps.add(r.start_unix_ns);
    gaps.add(r.start_unix_ns);
    ++w.request_records;
    ++request_records;
  }
  w.lengths_bounded =
      w.lengths_bounded && r.prompt_band_known && r.prompt_over < pricing::kToldBandSplit;
  HourState* slot = nullptr;
  if (r.granularity == domain::Granularity::Day) {
    slot = &w.days[static_cast<std::int32_t>(floor_div(r.start_unix_ns, kNsPerDay))];
  } else {
    const std::int64_t hour = floor_div(r.start_unix_ns, kNsPerHour);
    if (!w.hours.empty() && w.hours.back().load.hour == hour) {
      slot = &w.hours.back();
    } else {
      const auto [it, fresh] =
          w.hour_index.try_emplace(hour, static_cast<std::uint32_t>(w.hours.size()));
      if (fresh) w.hours.emplace_back().load.hour = hour;
      slot = &w.hours[it->second];
    }
    w.hourly_tokens += static_cast<double>(r.usage.total());
  }
  slot->load.prompt_tokens += static_cast<double>(prompt);
  slot->load.cached_tokens += static_cast<double>(r.usage.cache_read);
  slot->load.output_tokens += static_cast<double>(r.usage.output);
  if (counted) {
    slot->load.requests += static_cast<double>(*counted);
  } else {
    slot->uncounted_prompt += static_cast<double>(prompt);
    slot->uncounted_output += static_cast<double>(r.usage.output);
  }
}

void ProfileBuilder::Impl::count_user(const domain::UsageRecord& r) {
  const std::string& user = r.user.empty() ? r.key : r.user;
  if (user.empty() || user == last_user) return;
  last_user = user;
  const std::uint64_t hash = std::hash<std::string_view>()(user);
  if (users.size() < limits.users_max) {
    users.insert(hash);
  } else if (!users.contains(hash)) {
    users_capped = true;
  }
}

base::Status ProfileBuilder::add(const domain::UsageRecord& r) {
  Impl& s = *impl_;
  const std::uint32_t model = s.model_id(r);
  const std::uint32_t workload = s.workload_id(r);
  const bool fast = s.models[model].info.name.fast && r.tier == domain::ServiceTier::Standard;
  const domain::ServiceTier tier = fast ? domain::ServiceTier::Fast : r.tier;
  FH_TRY(UsageRow * row, s.row_of(r, model, workload, tier));
  ++row->records;
  row->tokens.add(r.usage);
  const auto requests = requests_of(r);
  row->requests += requests.value_or(0);
  row->requests_known = row->requests_known && requests.has_value();
  if (r.reported_cost && r.cost_kind == domain::CostKind::Billed) {
    FH_TRY_VOID(add_to(row->reported_billed, *r.reported_cost));
    ++row->billed_records;
  }
  FH_TRY_VOID(s.price(r, tier, s.models[model], *row));
  s.count_load(r, s.workloads[workload]);
  s.count_user(r);
  ++s.records;
  s.requests += requests.value_or(0);
  s.web_searches += r.web_searches;
  return {};
}

base::Result<UsageProfile> profile_of(ledger::UsageArchive& archive,
                                      const ledger::UsageFilter& filter,
                                      const pricing::PriceBook& book, const ModelNames& names) {
  ProfileBuilder builder(book, names);
  base::Status failed;
  FH_TRY_VOID(archive.scan(filter, [&](const domain::UsageRecord& record) {
    failed = builder.add(record);
    return failed.has_value();
  }));
  FH_TRY_VOID(failed);
  return builder.finish();
}

}  // namespace fh::planner
