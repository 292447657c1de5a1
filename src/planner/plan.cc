// From usage and charges to a plan, step by step.
#include "planner/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "planner/plan_options.h"
#include "planner/plan_prices.h"

namespace fh::planner {
namespace {

constexpr double kMonthDays = 365.0 / 12;
// Lengths of a request where nothing tells them. Coding agents: mean of a public set of 49,334
// requests, which nine tenths of the prompt came from the cache in; else a plain batch or chat
// turn.
constexpr double kAgenticReuse = 0.6, kAgenticPrompt = 122'000;
constexpr double kPlainPrompt = 4'000;
constexpr std::uint32_t kDaysFew = 14;  // below, one unusual day moves the month
constexpr std::int64_t kNsPerDay = 86'400LL * 1'000'000'000;
constexpr std::int64_t kDayFirst = -100'000;  // long before any bill; its nanoseconds fit

std::string days_text(double days) {
  return days == 1 ? std::string("1 day") : fmt::format("{:.0f} days", days);
}

bool fits(const std::string& wanted, const std::string& found) {
  return wanted.empty() || wanted == found;
}

std::string_view tier_name(domain::ServiceTier tier) {
  switch (tier) {
    case domain::ServiceTier::Standard: return "standard";
    case domain::ServiceTier::Batch: return "batch";
    case domain::ServiceTier::Flex: return "flex";
    case domain::ServiceTier::Priority: return "priority";
    case domain::ServiceTier::Fast: return "fast";
  }
  return "standard";
}

double usd_of(domain::MicroUsd amount) {
  return static_cast<double>(amount.value) / 1e6;
}

// What makes a plan, in order; each step reads what the one before it left.
class Maker {
 public:
  explicit Maker(const PlanRequest& request)
      : request_(request), rates_(*request.book), names_(*request.book) {
    plan_.example = request.example;
    plan_.what_if = request.what_if;
    plan_.notes = request.notes;
    plan_.evidence = request.evidence;
    plan_.today = request.today;
    plan_.scenario = request.scenario;
    plan_.catalogue = request.catalogue;
  }

  base::Result<Plan> run() {
    FH_TRY_VOID(find_begin());
    FH_TRY_VOID(read_usage());
    for (WorkloadLoad& load : plan_.profile.workloads) assume_lengths(load);
    FH_TRY_VOID(reconcile_charges());
    count_workloads();
    list_lines();
    list_prices();
    learn_bill();
    FH_TRY_VOID(hold_against_bill());
    note_uncertain();
    if (plan_.profile.records > 0) {
      FH_TRY_VOID(choose_options(request_, plan_));
      FH_TRY_VOID(hold_usage_against_written_bill());
    }
    FH_TRY_VOID(validate(plan_.scenario));
    plan_.money = compute_money(plan_.scenario.money);
    plan_.sensitivity = analyse(plan_.scenario, plan_.money);
    plan_.readiness = assess(plan_.scenario.readiness, evidence(), plan_.scenario.money,
                             plan_.money.of(plan_.sensitivity.focus));
    plan_.no_machine = plan_.sensitivity.has_focus ? "" : why_no_machine();
    plan_.verdict = decide(plan_.scenario, plan_.money, plan_.sensitivity,
                           {plan_.reconciliation.summary, plan_.no_machine});
    return std::move(plan_);
  }

 private:
  // What was a year ago is no part of today's load.
  base::Status find_begin() {
    std::optional<std::int64_t> last;
    FH_TRY_VOID(request_.usage([&](const domain::UsageRecord& record) {
      last = std::max(last.value_or(record.start_unix_ns), record.start_unix_ns);
      return true;
    }));
    if (!last) return {};
    const std::int64_t first = *last / kNsPerDay - (std::int64_t{plan_.scenario.days} - 1);
    begin_ns_ = std::max(first, kDayFirst) * kNsPerDay;
    return {};
  }

  base::Status read_usage() {
    ProfileBuilder builder(*request_.book, names_);
    base::Status added;
    FH_TRY_VOID(request_.usage([&](const domain::UsageRecord& record) {
      if (record.start_unix_ns < begin_ns_) {
        if (older_++ == 0) oldest_ns_ = record.start_unix_ns;
        return true;
      }
      domain::UsageRecord named = record;
      named.workload = workload_of(record, plan_.scenario.rules);
      added = builder.add(named);
      return added.has_value();
    }));
    FH_TRY_VOID(added);
    FH_TRY(plan_.profile, builder.finish());
    if (plan_.profile.records == 0 && !plan_.scenario.states_bill()) {
      return base::fail(base::Code::NotFound, "there is no usage to plan on",
                        "freehold usage import FILE brings some; or write bill.bill_list_usd_month "
                        "into a scenario file (freehold plan --write-inputs FILE)");
    }
    return {};
  }

  // Provider reports that count no requests say nothing of lengths; sizes need them.
  void assume_lengths(WorkloadLoad& load) {
    const double prompt = static_cast<double>(load.tokens.prompt_total());
    const double output = static_cast<double>(load.tokens.output);
    if (load.prompt_tokens_mean > 0 || prompt <= 0) return;
    const WorkloadWish* wish = plan_.scenario.wish(load.name);
    const bool agentic = load.prefix_reuse_share >= kAgenticReuse;
    double prompt_each = agentic ? kAgenticPrompt : kPlainPrompt;
    if (wish != nullptr && wish->prompt_tokens > 0) prompt_each = wish->prompt_tokens;
    double requests = 0, peak = 0;
    for (HourLoad& hour : load.hours) {
      hour.requests = hour.prompt_tokens / prompt_each;
      requests += hour.requests;
      peak = std::max(peak, hour.requests);
    }
    if (requests <= 0) return;
    load.prompt_tokens_mean = prompt / requests;
    load.output_tokens_mean = std::max(1.0, output / requests);
    const double hours = static_cast<double>(load.last_hour - load.first_hour + 1);
    load.arrivals.requests_per_s_mean = requests / hours / 3600;
    load.arrivals.peak_to_mean = peak / (requests / hours);
    if (wish == nullptr || wish->prompt_tokens <= 0) {
      plan_.notes.push_back(fmt::format(
          "{}: the source counts no requests; {:.0f} k prompt tokens each are assumed{}. Write "
          "workloads.prompt_tokens if you know better.",
          load.name, prompt_each / 1000,
          agentic ? " (mean of 49,334 public coding-agent requests)" : ""));
    }
  }

  base::Status reconcile_charges() {
    Reconciler reconciler(
        plan_.profile, names_,
        {plan_.scenario.money.unexplained_limit, plan_.scenario.money.negotiated_discount});
    base::Status added;
    FH_TRY_VOID(request_.costs([&](const domain::CostRecord& record) {
      if (record.start_unix_ns < begin_ns_) return true;
      added = reconciler.add(record);
      return added.has_value();
    }));
    FH_TRY_VOID(added);
    FH_TRY(plan_.reconciliation, reconciler.finish());
    const ReconcileReport& report = plan_.reconciliation;
    // A bill that the user wrote down needs no explanation by usage, and a what-if has none.
    const bool vouched = request_.what_if || plan_.scenario.by_user("bill_list_usd_month") ||
                         plan_.profile.records == 0;
    const double unexplained = report.evidence ? report.unexplained_share : vouched ? 0 : 1;
    plan_.scenario.learn_exact("unexplained_share", unexplained,
                               report.evidence    ? "reconciliation with the provider's charges"
                               : request_.what_if ? "a what-if: nothing was charged"
                                                  : "no charges to hold the usage against",
                               date_text(plan_.today), "high");
    return {};
  }

  void count_workloads() {
    plan_.usage_days = plan_.profile.records > 0 ? plan_.profile.days_covered() : 0;
    for (const WorkloadLoad& load : plan_.profile.workloads) {
      WorkloadPlan out;
      out.name = load.name;
      out.may_move = plan_.scenario.may_move(load.name);
      out.requests = load.requests;
      out.tokens = load.tokens;
      double estimated = 0;
      for (const HourLoad& hour : load.hours) estimated += hour.requests;
      if (load.requests == 0 && estimated > 0) {
        out.requests = static_cast<std::uint64_t>(estimated);
        out.requests_estimated = true;
      }
      out.mtok_month =
          static_cast<double>(load.tokens.total()) / 1e6 / plan_.usage_days * kMonthDays;
      plan_.workloads.push_back(std::move(out));
    }
  }

  void list_lines() {
    std::vector<double> usd(plan_.workloads.size());
    for (const UsageRow& row : plan_.profile.rows) {
      const UsageModel& model = plan_.profile.models[row.model];
      const bool known = model.name.kind == NameKind::Known;
      UsageLine line;
      line.day = row.day;
      line.workload = row.workload;
      line.model = known ? model.name.entry_id : model.raw;
      line.tier = tier_name(row.tier);
      line.requests = row.requests;
      line.tokens = row.tokens;
      const double low = usd_of(row.priced.low);
      line.usd = low + (usd_of(row.priced.high) - low) * place_in_range(line.model);
      if (known) {
        line.today_factor =
            rates_.factor(line.model, row.tokens, price_tier(row.tier), row.day, plan_.today);
      }
      usd[row.workload] += line.usd_today();
      std::vector<std::string>& models = plan_.workloads[row.workload].models;
      if (std::find(models.begin(), models.end(), line.model) == models.end()) {
        models.push_back(line.model);
      }
      if (known) merge_tier(line, price_tier(row.tier));
      plan_.usage.push_back(std::move(line));
    }
    for (std::size_t i = 0; i < usd.size(); ++i) {
      plan_.workloads[i].usd_month = usd[i] / plan_.usage_days * kMonthDays;
    }
  }

  // Where unknown prompt lengths leave a range, the charges say where in it the bill lies (0: its
  // low end, 1: its high end); without charges the low end is taken: length bands begin far above a
  // usual prompt.
  double place_in_range(const std::string& model) {
    if (const auto known = places_.find(model); known != places_.end()) return known->second;
    double low = 0, high = 0, charged = 0;
    for (const ReconcileRow& row : plan_.reconciliation.rows) {
      if (row.model != model || !row.usage_seen || !row.charge_seen) continue;
      low += usd_of(row.computed.low);
      high += usd_of(row.computed.high);
      charged += usd_of(plan_.reconciliation.at_list ? row.listed : row.charged);
    }
    const double place = high > low ? std::clamp((charged - low) / (high - low), 0.0, 1.0) : 0;
    places_.emplace(model, place);
    return place;
  }

  // Tokens and money by model and tier, for announced price changes.
  void merge_tier(const UsageLine& line, pricing::Tier tier) {
    auto& [tokens, usd] = by_tier_[{line.model, tier}];
    tokens.add(line.tokens);
    usd += line.usd_today();
  }

  void list_prices() {
    std::set<std::string> seen;
    for (const UsageLine& line : plan_.usage) seen.insert(line.model);
    for (const pricing::EntryInfo& info : request_.book->entries()) {
      if (!seen.contains(info.id)) continue;
      const ClassRates& rates = rates_.at(info.id, plan_.today, pricing::Tier::Standard);
      plan_.prices.push_back({info.id, info.name, info.as_of, info.confidence, info.source,
                              rates_.period_from(info.id, plan_.today), rates[0], rates[1],
                              rates[2] ? rates[2] : rates[3], rates[4], rates[5]});
    }
  }

  // How far a month can be told from so many days.
  const char* trust_of_days() const {
    if (plan_.usage_days < kDaysFew) return "low";
    if (plan_.usage_days < kDaysEnough || !plan_.reconciliation.advice_allowed) return "medium";
    return "high";
  }

  // Without usage and without a written bill the bill is at least what the options move.
  void learn_least_bill() {
    Scenario& scenario = plan_.scenario;
    if (scenario.by_user("bill_list_usd_month")) return;
    double most = 0;
    std::string said;
    for (const Option option : {Option::Own, Option::Hybrid, Option::Rent}) {
      const double moved = option_inputs(scenario.money, option).moved_usd_month;
      if (moved <= most) continue;
      most = moved;
      said = std::string(option_name(option)) + ".moved_usd_month";
    }
    scenario.learn_exact("bill_list_usd_month", most,
                         said + " of the scenario: the least it can be", date_text(plan_.today),
                         "low");
    plan_.notes.push_back(fmt::format(
        "The bill is taken as {} a month, all that {} says. Write bill.bill_list_usd_month if the "
        "whole bill is larger.",
        dollars_text(most), said));
  }

  // What an offer moves cannot be more than the bill that the usage gives.
  base::Status hold_against_bill() {
    const double bill = plan_.scenario.money.bill_list_usd_month;
    for (const Option option : {Option::Own, Option::Hybrid, Option::Rent}) {
      const double moved = option_inputs(plan_.scenario.money, option).moved_usd_month;
      if (moved <= bill * (1 + 1e-9) || plan_.scenario.by_user("bill_list_usd_month")) continue;
      const std::string key = std::string(option_name(option)) + ".moved_usd_month";
      return std::unexpected(base::Error{
          base::Code::InvalidArgument,
          fmt::format("`{}` is {}, more than the bill of {} a month that {} of usage give", key,
                      dollars_text(moved), dollars_text(bill), days_text(plan_.usage_days)),
          "write bill.bill_list_usd_month if the bill is larger than that, or less here",
          key,
          {}});
    }
    return {};
  }

  // A bill that the user wrote may be less than what the usage says could move.
  base::Status hold_usage_against_written_bill() {
    const double bill = plan_.scenario.money.bill_list_usd_month;
    for (const Option option : {Option::Own, Option::Hybrid, Option::Rent}) {
      const std::string name(option_name(option));
      const double moved = option_inputs(plan_.scenario.money, option).moved_usd_month;
      if (moved <= bill * (1 + 1e-9) || plan_.scenario.by_user(name + "_moved_usd_month")) continue;
      return std::unexpected(base::Error{
          base::Code::InvalidArgument,
          fmt::format("`bill.bill_list_usd_month` is {}, less than the {} a month at list price "
                      "that the usage of {} gives for the work that may move",
                      dollars_text(bill), dollars_text(moved), days_text(plan_.usage_days)),
          fmt::format("leave it out to take the bill from the usage (a discount is "
                      "bill.negotiated_discount), or write {}.moved_usd_month, too",
                      name),
          "bill.bill_list_usd_month",
          {}});
    }
    return {};
  }

  void learn_bill() {
    if (plan_.profile.records == 0) return learn_least_bill();
    double total = 0;
    for (const UsageLine& line : plan_.usage) total += line.usd_today();
    Scenario& scenario = plan_.scenario;
    const std::string day = date_text(plan_.today);
    scenario.learn_exact(
        "bill_list_usd_month", total / plan_.usage_days * kMonthDays,
        fmt::format("usage of {} at the prices of {}", days_text(plan_.usage_days), day), day,
        trust_of_days());
    learn_announced();
  }

  // The bill at the prices of the end of a month, of the same tokens, against today's.
  double announced_factor(int month) {
    const std::int32_t then = plan_.today + static_cast<std::int32_t>(month * kMonthDays);
    double future = 0, now = 0;
    for (const auto& [key, sum] : by_tier_) {
      now += sum.second;
      future += sum.second * rates_.factor(key.first, sum.first, key.second, plan_.today, then);
    }
    return now > 0 ? future / now : 1;
  }

  // The account knows one announced change. Where prices change again after it, it is their mean
  // from the first change to the horizon: over all of it the same money at the same load.
  void learn_announced() {
    Scenario& scenario = plan_.scenario;
    const int horizon = std::min(kMonthsMax, static_cast<int>(scenario.money.horizon_months));
    int first = 1;
    while (first <= horizon && std::abs(announced_factor(first) - 1) <= 1e-6) ++first;
    if (first > horizon) return;
    double sum = 0;
    bool again = false;
    for (int month = first; month <= horizon; ++month) {
      again = again || std::abs(announced_factor(month) - announced_factor(first)) > 1e-6;
      sum += announced_factor(month);
    }
    const double factor = sum / (horizon - first + 1);
    const std::string day = date_text(plan_.today);
    const std::string source = "price book " + request_.book->version() + ": announced change" +
                               (again ? "s, their mean over the horizon" : "");
    scenario.learn_exact("scheduled_price_factor", factor, source, day, "medium");
    scenario.learn_exact("scheduled_from_month", first, source, day, "medium");
    if (!again) return;
    plan_.notes.push_back(fmt::format(
        "Announced prices change more than once: the bill {:+.0f} % from month {}, {:+.0f} % in "
        "month {}. The account takes the mean from the first change on, {:+.0f} %.",
        100 * (announced_factor(first) - 1), first, 100 * (announced_factor(horizon) - 1), horizon,
        100 * (factor - 1)));
  }

  void note_uncertain() {
    const UsageProfile& profile = plan_.profile;
    if (profile.records > 0 && plan_.usage_days < kDaysEnough) {
      // First, for all else rests on it.
      plan_.notes.insert(
          plan_.notes.begin(),
          fmt::format("Only {} of usage: a month is taken as {:.1f} times that. {}",
                      days_text(plan_.usage_days), kMonthDays / plan_.usage_days,
                      plan_.usage_days < kDaysFew
                          ? "Two weeks or more, with their weekends, would show a usual one."
                          : "A whole month would show its end, too."));
    }
    if (older_ > 0) {
      plan_.notes.push_back(
          fmt::format("Of the usage the newest {} count (plan.days): {} older record{}, from {} "
                      "on, {} left out.",
                      days_text(plan_.scenario.days), count_text(older_), older_ == 1 ? "" : "s",
                      date_text(static_cast<std::int32_t>(oldest_ns_ / kNsPerDay)),
                      older_ == 1 ? "is" : "are"));
    }
    if (profile.unpriced_tokens > 0) {
      std::string names;
      for (std::size_t i = 0; i < profile.unpriced.size() && i < 3; ++i) {
        names += (i == 0 ? "" : ", ") + profile.unpriced[i].model;
      }
      if (profile.unpriced.size() > 3) {
        names += fmt::format(" and {} more", profile.unpriced.size() - 3);
      }
      // First, too: money is missing.
      plan_.notes.insert(
          plan_.notes.begin(),
          fmt::format(
              "{:.1f} M tokens have no price and are in no sum: {}. What do they cost? Write "
              "it into a price book and name that as prices.book.",
              static_cast<double>(profile.unpriced_tokens) / 1e6, names));
    }
    if (profile.priced.low != profile.priced.high) {
      plan_.notes.push_back(fmt::format(
          "Some prompt lengths are unknown, so list prices give {} to {}; the charges decide, else "
          "the low end.",
          dollars_text(usd_of(profile.priced.low)), dollars_text(usd_of(profile.priced.high))));
    }
  }

  std::string why_no_machine() const {
    const auto moves = [](const WorkloadPlan& workload) { return workload.may_move; };
    if (plan_.profile.records == 0) {
      return "there is no usage to size machines for, and the scenario names none";
    }
    if (std::ranges::none_of(plan_.workloads, moves)) return "no workload may move";
    if (plan_.considered.empty()) return "no machine could be sized";
    if (std::ranges::any_of(plan_.considered, &Considered::fits)) {
      return "no machine was found that carries this work";
    }
    return plan_.no_machine;
  }

  UsageEvidence evidence() const {
    const UsageProfile& profile = plan_.profile;
    UsageEvidence out;
    out.days_covered = profile.records > 0 ? profile.days_covered() : 0;
    out.days_active = profile.days_active;
    out.requests = profile.requests;
    out.requests_known = profile.requests > 0;
    out.trend_per_month = profile.trend_per_month;
    out.annualised_usd = plan_.scenario.money.bill_list_usd_month * 12;
    return out;
  }

  const PlanRequest& request_;
  RateTable rates_;
  ModelNames names_;
  Plan plan_;
  std::map<std::pair<std::string, pricing::Tier>, std::pair<ClassTotals, double>> by_tier_;
  std::map<std::string, double> places_;
  std::int64_t begin_ns_ = INT64_MIN, oldest_ns_ = 0;
  std::uint64_t older_ = 0;  // records before begin_ns_
};

}  // namespace

std::string workload_of(const domain::UsageRecord& record, const std::vector<WorkloadRule>& rules) {
  for (const WorkloadRule& rule : rules) {
    if (fits(rule.provider, record.provider) && fits(rule.model, record.model) &&
        fits(rule.workspace, record.workspace) && fits(rule.key, record.key) &&
        fits(rule.application, record.application) && fits(rule.workload, record.workload) &&
        fits(rule.tier, std::string(tier_name(record.tier)))) {
      return rule.name;
    }
  }
  if (!record.workload.empty()) return record.workload;
  if (!record.workspace.empty()) return record.workspace;
  if (!record.application.empty()) return record.application;
  return record.model;
}

std::string date_text(std::int32_t day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

base::Result<Plan> make_plan(const PlanRequest& request) {
  return Maker(request).run();
}

}  // namespace fh::planner
