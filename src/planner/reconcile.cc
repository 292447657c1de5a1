// See reconcile.h.

#include "planner/reconcile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <tuple>

#include "planner/words.h"

namespace fh::planner {
namespace {

constexpr std::int64_t kNsPerDay = 86'400LL * 1'000'000'000;
constexpr std::size_t kUnmatchedMax = 1000;
constexpr std::size_t kGapsTold = 3;

std::int32_t day_of(std::int64_t unix_ns) {
  const std::int64_t day = unix_ns / kNsPerDay;
  return static_cast<std::int32_t>(unix_ns % kNsPerDay < 0 ? day - 1 : day);
}

bool is_tokens(std::string_view unit) {
  return unit == "Tokens" || unit == "tokens" || unit == "Token" || unit == "token";
}

// What both sides call the same model: the price book's id, else the plain name.
std::string key_of(const ModelName& name) {
  return name.kind == NameKind::Known ? name.entry_id : name.plain;
}

std::string usd_text(domain::MicroUsd amount) {
  const double usd = static_cast<double>(amount.value) / 1e6;
  return std::abs(usd) >= 1000 ? dollars_text(usd) : domain::display_usd(amount);
}

std::string signed_usd(std::int64_t micro) {
  return (micro > 0 ? "+" : "") + usd_text(domain::MicroUsd{micro});
}

// "+3.1 M"
std::string signed_count(double n) {
  const double size = std::abs(n);
  if (size >= 1e6) return fmt::format("{:+.1f} M", n / 1e6);
  if (size >= 1e3) return fmt::format("{:+.0f} k", n / 1e3);
  return fmt::format("{:+.0f}", n);
}

// Signed distance of a charge from a range; 0 inside it.
std::int64_t distance(std::int64_t charged, std::int64_t low, std::int64_t high) {
  if (charged > high) return charged - high;
  if (charged < low) return charged - low;
  return 0;
}

struct Used {
  CostRange cost;
  double tokens = 0;
  bool unpriced = false;
};

using DayModel = std::pair<std::int32_t, std::string>;

base::Status charge(std::map<DayModel, ReconcileRow>& rows, const DayModel& key,
                    domain::MicroUsd amount, domain::MicroUsd list, std::optional<double> tokens) {
  ReconcileRow& row = rows[key];
  row.charge_seen = true;
  FH_TRY(row.charged, domain::add(row.charged, amount));
  FH_TRY(row.listed, domain::add(row.listed, list));
  if (tokens) row.tokens_charged = row.tokens_charged.value_or(0) + *tokens;
  return {};
}

struct ModelSum {
  std::int64_t charged = 0, listed = 0, low = 0, high = 0;
};
using ModelSums = std::map<std::string, ModelSum>;

// What of the charges is out of the computed ranges, model by model: one does not make up for
// another. `scale` makes a charge comparable.
double unexplained(const ModelSums& models, std::int64_t ModelSum::* amount, double scale) {
  double out = 0;
  for (const auto& [name, m] : models) {
    const auto told =
        static_cast<std::int64_t>(std::llround(static_cast<double>(m.*amount) * scale));
    out += std::abs(static_cast<double>(distance(told, m.low, m.high)));
  }
  return out;
}

base::Result<std::vector<ReconcileRow>> by_model(const std::vector<ReconcileRow>& rows) {
  std::map<std::string, ReconcileRow> models;
  for (const ReconcileRow& row : rows) {
    ReconcileRow& m = models[row.model];
    m.model = row.model;
    FH_TRY(m.charged, domain::add(m.charged, row.charged));
    FH_TRY(m.listed, domain::add(m.listed, row.listed));
    FH_TRY(m.computed.low, domain::add(m.computed.low, row.computed.low));
    FH_TRY(m.computed.high, domain::add(m.computed.high, row.computed.high));
    m.tokens_used += row.tokens_used;
    if (row.tokens_charged) m.tokens_charged = m.tokens_charged.value_or(0) + *row.tokens_charged;
    m.usage_seen = m.usage_seen || row.usage_seen;
    m.charge_seen = m.charge_seen || row.charge_seen;
  }
  std::vector<ReconcileRow> out;
  for (auto& [name, row] : models) {
    row.gap_low = row.charged.value - row.computed.high.value;
    row.gap_high = row.charged.value - row.computed.low.value;
    out.push_back(std::move(row));
  }
  const auto size = [](const ReconcileRow& row) {
    return std::max(row.charged.value, row.computed.high.value);
  };
  std::ranges::sort(out, [&](const ReconcileRow& a, const ReconcileRow& b) {
    return size(a) != size(b) ? size(a) > size(b) : a.model < b.model;
  });
  return out;
}

// The share below list price that would explain all models alike; 0: there is none.
double discount_that_explains(const ModelSums& models, double threshold) {
  double charged = 0, low = 0;
  for (const auto& [name, m] : models) {
    charged += static_cast<double>(m.charged);
    low += static_cast<double>(m.low);
  }
  if (charged <= 0 || charged >= low) return 0;
  return unexplained(models, &ModelSum::charged, low / charged) <= threshold * low
             ? 1 - charged / low
             : 0;
}

}  // namespace

GapLine gap_of(const ReconcileRow& row, bool at_list) {
  GapLine out;
  out.money = distance(at_list ? row.listed.value : row.charged.value, row.computed.low.value,
                       row.computed.high.value);
  out.tokens_counted = row.tokens_charged.has_value();
  if (out.tokens_counted) {
    out.tokens = *row.tokens_charged - row.tokens_used;
  } else if (row.computed.low.value > 0) {
    out.tokens = static_cast<double>(out.money) / static_cast<double>(row.computed.low.value) *
                 row.tokens_used;
  }
  return out;
}

Reconciler::Reconciler(const UsageProfile& profile, const ModelNames& names,
                       ReconcileOptions options)
    : profile_(profile), names_(names), options_(options) {}

base::Status Reconciler::add(const domain::CostRecord& r) {
  const std::int32_t day = day_of(r.start_unix_ns);
  if (r.currency != "USD") return {};
  any_cost_ = true;
  if (r.model.empty()) {
    FH_TRY(other_sum_, domain::add(other_sum_, r.billed));
    const std::string item = !r.item.empty() ? r.item : r.service;
    if (other_.size() < kUnmatchedMax)
      other_.push_back({day, "", item, "not about a model", r.billed, true});
    return {};
  }
  // A charge over several days is spread evenly: usage is held against it per model, not per day.
  const std::int32_t last = r.end_unix_ns > r.start_unix_ns ? day_of(r.end_unix_ns - 1) : day;
  const std::int64_t days = std::clamp<std::int64_t>(last - day + 1, 1, 366);
  const std::string model = key_of(names_.normalise(r.provider, r.model));
  std::int64_t left = r.billed.value;
  std::int64_t list_left = r.list ? r.list->value : before_discount(r.billed).value;
  list_told_ = list_told_ || r.list.has_value();
  for (std::int64_t i = 0; i < days; ++i) {
    const std::int64_t part = left / (days - i);
    left -= part;
    Charge& c = charges_[{day + static_cast<std::int32_t>(i), model}];
    const std::int64_t list_part = list_left / (days - i);
    list_left -= list_part;
    FH_TRY(c.amount, domain::add(c.amount, domain::MicroUsd{part}));
    FH_TRY(c.list, domain::add(c.list, domain::MicroUsd{list_part}));
    if (r.quantity && is_tokens(r.quantity_unit)) {
      c.tokens += *r.quantity / static_cast<double>(days);
      c.tokens_known = true;
    }
    if (c.item.empty()) c.item = r.item;
  }
  return {};
}

base::Result<ReconcileReport> Reconciler::finish() {
  ReconcileReport report;
  report.threshold = options_.threshold;
  report.other_charges = other_;
  report.other_charged = other_sum_;
  report.list_told = list_told_;
  report.basis = any_cost_ ? ChargeBasis::CostRecords : ChargeBasis::ReportedCost;
  std::map<DayModel, ReconcileRow> rows;
  std::set<std::string> unpriced;
  for (const UsageRow& u : profile_.rows) {
    const DayModel key{u.day, key_of(profile_.models[u.model].name)};
    // Without a cost report, only usage that carries its own charge can be held against it.
    if (!any_cost_ && u.billed_records == 0) continue;
    ReconcileRow& row = rows[key];
    row.usage_seen = true;
    row.tokens_used += static_cast<double>(u.tokens.total());
    FH_TRY(row.computed.low, domain::add(row.computed.low, u.priced.low));
    FH_TRY(row.computed.high, domain::add(row.computed.high, u.priced.high));
    if (u.priced_records < u.records) unpriced.insert(key.second);
    if (!any_cost_) {
      FH_TRY_VOID(
          charge(rows, key, u.reported_billed, before_discount(u.reported_billed), std::nullopt));
    }
  }
  for (const auto& [key, c] : charges_) {
    FH_TRY_VOID(charge(rows, key, c.amount, c.list,
                       c.tokens_known ? std::optional<double>(c.tokens) : std::nullopt));
  }
  FH_TRY_VOID(find_overlap(report));
  for (auto& [key, row] : rows) {
    row.day = key.first;
    row.model = key.second;
    row.gap_low = row.charged.value - row.computed.high.value;
    row.gap_high = row.charged.value - row.computed.low.value;
    if (row.day < report.first_day || row.day > report.last_day) {
      if (row.charge_seen) unmatched(report, row, "no usage was imported for this time");
      continue;
    }
    if (!row.usage_seen) unmatched(report, row, "charged, and no usage of it was imported");
    if (!row.charge_seen && row.computed.high.value > 0)
      unmatched(report, row, "used, and not charged");
    if (row.usage_seen && unpriced.contains(row.model))
      unmatched(report, row, "some of its usage has no price");
    report.rows.push_back(row);
  }
  FH_TRY_VOID(sum(report));
  return report;
}

domain::MicroUsd Reconciler::before_discount(domain::MicroUsd charged) const {
  const double list = static_cast<double>(charged.value) / (1 - options_.discount);
  return {static_cast<std::int64_t>(std::llround(list))};
}

// Days that both usage and charges reach over: first to last, both counted.
base::Status Reconciler::find_overlap(ReconcileReport& report) const {
  report.first_day = profile_.first_day;
  report.last_day = profile_.last_day;
  if (!any_cost_ || charges_.empty()) return {};
  report.first_day = std::max(report.first_day, charges_.begin()->first.first);
  report.last_day = std::min(report.last_day, charges_.rbegin()->first.first);
  return {};
}

void Reconciler::unmatched(ReconcileReport& report, const ReconcileRow& row,
                           std::string_view why) const {
  UnmatchedItem item;
  item.day = row.day;
  item.model = row.model;
  item.why = why;
  item.charged = row.charge_seen;
  item.amount = row.charge_seen ? row.charged : row.computed.high;
  if (const auto it = charges_.find({row.day, row.model}); it != charges_.end())
    item.item = it->second.item;
  report.unmatched.push_back(std::move(item));
}

base::Status Reconciler::sum(ReconcileReport& report) const {
  FH_TRY(report.models, by_model(report.rows));
  ModelSums models;
  for (const ReconcileRow& row : report.rows) {
    FH_TRY(report.charged, domain::add(report.charged, row.charged));
    FH_TRY(report.computed.low, domain::add(report.computed.low, row.computed.low));
    FH_TRY(report.computed.high, domain::add(report.computed.high, row.computed.high));
    FH_TRY(report.listed, domain::add(report.listed, row.listed));
    ModelSum& m = models[row.model];
    m.charged += row.charged.value;
    m.listed += row.listed.value;
    m.low += row.computed.low.value;
    m.high += row.computed.high.value;
  }
  std::ranges::sort(report.unmatched, [](const UnmatchedItem& a, const UnmatchedItem& b) {
    const auto x = std::abs(a.amount.value), y = std::abs(b.amount.value);
    return std::tie(y, a.day, a.model, a.why) < std::tie(x, b.day, b.model, b.why);
  });
  if (report.unmatched.size() > kUnmatchedMax) report.unmatched.resize(kUnmatchedMax);
  // What was prepaid is charged with nothing; its list price is there to be held against.
  const bool told = report.charged.value > 0 || (list_told_ && report.listed.value > 0);
  report.evidence = told && !report.rows.empty();
  if (!report.evidence) {
    report.unexplained_share = 1;
    report.summary =
        "There is no bill to hold the computed cost against: import the provider's cost report.";
    return {};
  }
  const double as_charged = report.charged.value > 0 ? unexplained(models, &ModelSum::charged, 1) /
                                                           static_cast<double>(report.charged.value)
                                                     : 1;
  const double before = report.listed.value > 0 ? unexplained(models, &ModelSum::listed, 1) /
                                                      static_cast<double>(report.listed.value)
                                                : as_charged;
  report.at_list = before < as_charged;
  report.unexplained_share = std::min(before, as_charged);
  report.gap = distance(report.at_list ? report.listed.value : report.charged.value,
                        report.computed.low.value, report.computed.high.value);
  report.advice_allowed = report.unexplained_share <= report.threshold;
  report.summary = summary(report);
  const double discount =
      report.advice_allowed ? 0 : discount_that_explains(models, report.threshold);
  if (discount > 0) {
    report.summary += fmt::format(
        " All of it is charged {:.1f} % below list price: if that is your discount, write "
        "bill.negotiated_discount = {:.3f}.",
        discount * 100, discount);
  }
  return {};
}

std::string Reconciler::summary(const ReconcileReport& report) const {
  const std::string before = report.at_list
                                 ? fmt::format(" ({} before discount{})", usd_text(report.listed),
                                               list_told_ ? ", as the report tells" : "")
                                 : std::string();
  const std::string computed =
      report.computed.low == report.computed.high
          ? usd_text(report.computed.low)
          : fmt::format("{} to {}", usd_text(report.computed.low), usd_text(report.computed.high));
  double tokens = 0;
  for (const ReconcileRow& row : report.models) {
    tokens += gap_of(row, report.at_list).tokens.value_or(0);
  }
  return fmt::format(
      "Charged {}{}, computed {}: a gap of {}{}; {:.1f} % is not explained; advice is given up to "
      "{:.1f} %.{}",
      usd_text(report.charged), before, computed, signed_usd(report.gap),
      tokens == 0 || report.gap == 0 ? std::string()
                                     : fmt::format(" (about {} tokens)", signed_count(tokens)),
      report.unexplained_share * 100, report.threshold * 100,
      report.advice_allowed ? std::string() : largest_gaps(report));
}

// " By model: openai/gpt-6-sol +$1,200 (about +3.1 M tokens), …"
std::string Reconciler::largest_gaps(const ReconcileReport& report) const {
  std::vector<const ReconcileRow*> order;
  const auto size = [&](const ReconcileRow* row) {
    return std::abs(gap_of(*row, report.at_list).money);
  };
  for (const ReconcileRow& row : report.models) {
    if (size(&row) > 0) order.push_back(&row);
  }
  std::ranges::sort(order, [&](const auto* a, const auto* b) {
    return size(a) != size(b) ? size(a) > size(b) : a->model < b->model;
  });
  std::string out;
  for (std::size_t i = 0; i < order.size() && i < kGapsTold; ++i) {
    const GapLine gap = gap_of(*order[i], report.at_list);
    out += fmt::format("{}{} {}", i == 0 ? " By model: " : ", ", order[i]->model,
                       signed_usd(gap.money));
    if (!order[i]->usage_seen) {
      out += " (no usage of it was imported)";
    } else if (!order[i]->charge_seen) {
      out += " (nothing was charged)";
    } else if (gap.tokens && *gap.tokens != 0) {
      out += fmt::format(" ({}{} tokens)", gap.tokens_counted ? "" : "about ",
                         signed_count(*gap.tokens));
    }
  }
  if (order.size() > kGapsTold) out += fmt::format(" and {} more", order.size() - kGapsTold);
  return out.empty() ? out : out + ".";
}

base::Result<ReconcileReport> reconcile(ledger::UsageArchive& archive,
                                        const ledger::UsageFilter& filter,
                                        const UsageProfile& profile, const ModelNames& names,
                                        ReconcileOptions options) {
  Reconciler reconciler(profile, names, options);
  base::Status failed;
  FH_TRY_VOID(archive.scan_costs(filter, [&](const domain::CostRecord& record) {
    failed = reconciler.add(record);
    return failed.has_value();
  }));
  FH_TRY_VOID(failed);
  return reconciler.finish();
}

}  // namespace fh::planner
