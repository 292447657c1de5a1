// The end of a profile: what can be said only when all records are counted.

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "planner/profile.h"
#include "planner/profile_state.h"

namespace fh::planner {
namespace {

constexpr std::int64_t kHoursPerDay = 24;
constexpr double kSecondsPerHour = 3600;
constexpr std::uint64_t kGapsMin = 100;
constexpr int kTrendDaysMin = 14;

using DayShape = std::array<double, kHoursPerDay>;

// Synthetic, for sources that tell only the day: ten hours carry 8 % each, the rest what is left.
DayShape default_day() {
  DayShape shape;
  for (std::size_t hour = 0; hour < shape.size(); ++hour)
    shape[hour] = hour >= 8 && hour < 18 ? 0.08 : 0.2 / 14;
  return shape;
}

// Of the workload's own hours where there are some; the default else.
DayShape day_shape(const WorkloadState& w) {
  DayShape shape{};
  double sum = 0;
  for (const HourState& h : w.hours) {
    const double tokens = h.load.prompt_tokens + h.load.output_tokens;
    shape[static_cast<std::size_t>(h.load.hour -
                                   floor_div(h.load.hour, kHoursPerDay) * kHoursPerDay)] += tokens;
    sum += tokens;
  }
  if (sum <= 0) return default_day();
  for (double& share : shape) share /= sum;
  return shape;
}

void add_scaled(HourState& to, const HourState& from, double factor) {
  to.load.requests += from.load.requests * factor;
  to.load.prompt_tokens += from.load.prompt_tokens * factor;
  to.load.cached_tokens += from.load.cached_tokens * factor;
  to.load.output_tokens += from.load.output_tokens * factor;
  to.uncounted_prompt += from.uncounted_prompt * factor;
  to.uncounted_output += from.uncounted_output * factor;
}

std::size_t hour_of_week(std::int64_t hour) {
  return static_cast<std::size_t>(((hour + 72) % 168 + 168) % 168);  // 1970-01-01: Thursday
}

ArrivalShape shape_of_hours(const std::vector<HourLoad>& hours, const GapStatistics& gaps,
                            std::uint64_t request_records) {
  ArrivalShape out;
  if (hours.empty()) return out;
  double sum = 0, peak = 0;
  for (const HourLoad& h : hours) {
    sum += h.requests;
    peak = std::max(peak, h.requests);
    out.hour_of_week[hour_of_week(h.hour)] += h.requests;
  }
  const auto span = static_cast<double>(hours.back().hour - hours.front().hour + 1);
  if (sum > 0) {
    out.requests_per_s_mean = sum / span / kSecondsPerHour;
    out.peak_to_mean = peak / (sum / span);
    for (double& share : out.hour_of_week) share /= sum;
  }
  if (request_records >= kGapsMin && gaps.ordered()) out.gap_cv = gaps.cv();
  return out;
}

void finish_lengths(WorkloadState& w) {
  WorkloadLoad& load = w.load;
  load.lengths_measured = w.request_records > 0;
  if (load.lengths_measured) {
    load.prompt_tokens_mean = load.prompt_lengths.mean();
    load.output_tokens_mean = load.output_lengths.mean();
  } else if (w.counted_requests > 0) {
    const auto n = static_cast<double>(w.counted_requests);
    load.prompt_tokens_mean = static_cast<double>(w.counted_prompt) / n;
    load.output_tokens_mean = static_cast<double>(w.counted_output) / n;
  }
  if (w.lengths_bounded && load.records > 0)
    load.prompt_tokens_most = static_cast<double>(pricing::kToldBandSplit);
  const auto prompt = static_cast<double>(load.tokens.prompt_total());
  if (prompt > 0) load.prefix_reuse_share = static_cast<double>(load.tokens.cache_read) / prompt;
}

void finish_hours(WorkloadState& w) {
  WorkloadLoad& load = w.load;
  const DayShape shape = day_shape(w);
  std::map<std::int64_t, HourState> all;
  for (const HourState& h : w.hours) all[h.load.hour] = h;
  for (const auto& [day, total] : w.days) {
    for (std::int64_t i = 0; i < kHoursPerDay; ++i) {
      HourState& h = all[day * kHoursPerDay + i];
      h.load.hour = day * kHoursPerDay + i;
      add_scaled(h, total, shape[static_cast<std::size_t>(i)]);
    }
  }
  for (auto& [hour, h] : all) {
    if (load.prompt_tokens_mean > 0)
      h.load.requests += h.uncounted_prompt / load.prompt_tokens_mean;
    load.hours.push_back(h.load);
  }
  if (!load.hours.empty()) {
    load.first_hour = load.hours.front().hour;
    load.last_hour = load.hours.back().hour;
  }
  const auto tokens = static_cast<double>(load.tokens.total());
  load.hours_measured_share = tokens > 0 ? w.hourly_tokens / tokens : 0;
  load.arrivals = shape_of_hours(load.hours, w.gaps, w.request_records);
}

std::vector<HourLoad> merged_hours(const std::vector<WorkloadLoad>& workloads) {
  std::map<std::int64_t, HourLoad> all;
  for (const WorkloadLoad& w : workloads) {
    for (const HourLoad& h : w.hours) {
      HourLoad& sum = all[h.hour];
      sum.hour = h.hour;
      sum.requests += h.requests;
      sum.prompt_tokens += h.prompt_tokens;
      sum.cached_tokens += h.cached_tokens;
      sum.output_tokens += h.output_tokens;
    }
  }
  std::vector<HourLoad> out;
  for (const auto& [hour, h] : all) out.push_back(h);
  return out;
}

// Least squares over the days covered, days without a bill counted as zero.
std::optional<double> trend_of(const std::map<std::int32_t, double>& daily, std::int32_t first,
                               std::int32_t last) {
  const int n = last - first + 1;
  if (n < kTrendDaysMin) return std::nullopt;
  double sum_y = 0, sum_xy = 0;
  const double mean_x = (n - 1) / 2.0;
  for (const auto& [day, cost] : daily) {
    sum_y += cost;
    sum_xy += (day - first - mean_x) * cost;
  }
  if (sum_y <= 0) return std::nullopt;
  const double sum_xx = n * (static_cast<double>(n) * n - 1) / 12.0;
  return sum_xy / sum_xx * 30 / (sum_y / n);
}

base::Result<CostRange> annual(const CostRange& sum, std::uint32_t days) {
  CostRange out;
  if (days == 0) return out;
  FH_TRY(out.low, domain::rounded(static_cast<__int128>(sum.low.value) * 365, days));
  FH_TRY(out.high, domain::rounded(static_cast<__int128>(sum.high.value) * 365, days));
  return out;
}

base::Status sum_rows(UsageProfile& p) {
  std::map<std::int32_t, double> daily;
  std::int32_t last_active = INT32_MIN;
  for (const UsageRow& row : p.rows) {
    p.tokens.add(row.tokens);
    FH_TRY_VOID(add_to(p.priced, row.priced));
    FH_TRY_VOID(add_to(p.reported_billed, row.reported_billed));
    WorkloadLoad& w = p.workloads[row.workload];
    w.records += row.records;
    w.tokens.add(row.tokens);
    FH_TRY_VOID(add_to(w.priced, row.priced));
    daily[row.day] +=
        (static_cast<double>(row.priced.low.value) + static_cast<double>(row.priced.high.value)) /
        2;
    if (row.day != last_active) ++p.days_active;
    last_active = row.day;
  }
  if (p.rows.empty()) return {};
  p.first_day = p.rows.front().day;
  p.last_day = p.rows.back().day;
  p.trend_per_month = trend_of(daily, p.first_day, p.last_day);
  FH_TRY(p.annualised, annual(p.priced, p.days_covered()));
  const auto prompt = static_cast<double>(p.tokens.prompt_total());
  if (prompt > 0) p.prefix_reuse_share = static_cast<double>(p.tokens.cache_read) / prompt;
  return {};
}

}  // namespace

std::uint32_t UsageProfile::days_covered() const {
  return rows.empty() ? 0 : static_cast<std::uint32_t>(last_day - first_day + 1);
}

base::Result<UsageProfile> ProfileBuilder::finish() {
  Impl& s = *impl_;
  UsageProfile p;
  p.price_version = s.book.version();
  p.records = s.records;
  p.requests = s.requests;
  p.web_searches = s.web_searches;
  p.users = s.users.size();
  p.users_capped = s.users_capped;
  p.rows = std::move(s.rows);
  std::ranges::sort(p.rows, [](const UsageRow& a, const UsageRow& b) {
    return std::tie(a.day, a.model, a.workload, a.tier) <
           std::tie(b.day, b.model, b.workload, b.tier);
  });
  for (ModelState& m : s.models) {
    for (auto& [why, unpriced] : m.unpriced) {
      p.unpriced_tokens += unpriced.tokens;
      p.unpriced.push_back(std::move(unpriced));
    }
    p.models.push_back(std::move(m.info));
  }
  std::ranges::sort(p.unpriced, [](const Unpriced& a, const Unpriced& b) {
    return std::tie(b.tokens, a.model, a.why) < std::tie(a.tokens, b.model, b.why);
  });
  for (WorkloadState& w : s.workloads) p.workloads.push_back(w.load);
  FH_TRY_VOID(sum_rows(p));
  for (std::size_t i = 0; i < s.workloads.size(); ++i) {
    s.workloads[i].load = std::move(p.workloads[i]);
    finish_lengths(s.workloads[i]);
    finish_hours(s.workloads[i]);
    p.workloads[i] = std::move(s.workloads[i].load);
  }
  p.arrivals = shape_of_hours(merged_hours(p.workloads), s.gaps, s.request_records);
  impl_ = std::make_unique<Impl>(s.book, s.names, s.limits);
  return p;
}

}  // namespace fh::planner
