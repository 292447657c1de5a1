// The plan on one screen: the verdict first, then what it rests on.
#include <fmt/format.h>

#include <algorithm>

#include "planner/plan.h"

namespace fh::planner {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kWorkloadsShown = 5;
constexpr std::size_t kFlipsShown = 3;
constexpr std::size_t kNotesShown = 2;

// Breaks at blanks; lines after the first are indented.
void append_wrapped(std::string& out, std::string_view text, std::size_t indent) {
  std::string line(indent, ' ');
  bool begun = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (begun && line.size() + 1 + word.size() > kColumns) {
      out += line + "\n";
      line.assign(indent, ' ');
      begun = false;
    }
    if (begun) line += ' ';
    line += word;
    begun = true;
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  if (begun) out += line + "\n";
}

std::string cut(std::string text, std::size_t width) {
  if (text.size() > width) {
    text.resize(width - 1);
    text += '~';
  }
  return text;
}

void append_workloads(std::string& out, const Plan& plan) {
  if (plan.workloads.empty()) return;
  out += fmt::format("{:<22} {:>10} {:>12} {:>7}  {}\n", "WORKLOAD", "A MONTH", "MTOK/MONTH",
                     "CACHED", "NOW");
  std::vector<const WorkloadPlan*> order;
  for (const WorkloadPlan& workload : plan.workloads) order.push_back(&workload);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return a->usd_month != b->usd_month ? a->usd_month > b->usd_month : a->name < b->name;
  });
  for (std::size_t i = 0; i < order.size() && i < kWorkloadsShown; ++i) {
    const WorkloadPlan& workload = *order[i];
    const double prompt =
        static_cast<double>(std::max<std::uint64_t>(1, workload.tokens.prompt_total()));
    std::string now = workload.models.empty() ? "" : workload.models[0];
    if (workload.models.size() > 1) now += fmt::format(" +{}", workload.models.size() - 1);
    if (!workload.may_move) now += " (stays)";
    out +=
        fmt::format("{:<22} {:>10} {:>12.0f} {:>5.0f} %  {}\n", cut(workload.name, 22),
                    money_text(workload.usd_month), workload.mtok_month,
                    100 * static_cast<double>(workload.tokens.cache_read) / prompt, cut(now, 22));
  }
  if (order.size() > kWorkloadsShown) {
    out += fmt::format("... and {} more (--json, --xlsx)\n", order.size() - kWorkloadsShown);
  }
}

// "Bill: $35k a month at today's prices, from 1,204 imported usage records (60 days, 2026-09-25 to
// 2026-11-23); $70k charged, a gap of -$9, 0.0 % unexplained."
std::string bill_sentence(const Plan& plan) {
  const ReconcileReport& report = plan.reconciliation;
  std::string out = fmt::format("{}: {} a month at today's prices, from {}",
                                plan.what_if ? "What the API would cost" : "Bill",
                                money_text(plan.scenario.money.bill_list_usd_month), plan.evidence);
  if (plan.profile.records > 0) {
    const std::string first = date_text(plan.profile.first_day);
    const std::string last = date_text(plan.profile.last_day);
    out += first == last ? fmt::format(" (1 day, {})", first)
                         : fmt::format(" ({:.0f} days, {} to {})", plan.usage_days, first, last);
  }
  if (!report.evidence || plan.verdict.refused) return out + ".";
  const double gap = static_cast<double>(report.gap) / 1e6;
  return out + fmt::format("; {} charged, a gap of {}{}, {:.1f} % unexplained.",
                           money_text(static_cast<double>(report.charged.value) / 1e6),
                           gap > 0 ? "+" : "", money_text(gap), 100 * report.unexplained_share);
}

std::string machines_of_option(const Plan& plan, Option option) {
  const OptionPick& pick = plan.picks[static_cast<std::size_t>(option)];
  if (option == Option::Stay) return "nothing moves";
  if (!pick.found) return plan.money.of(option).available ? "as written" : "no machine found";
  std::string out = fmt::format("{}{} x ({}), {}", pick.machines,
                                pick.spare > 0 ? fmt::format("+{}", pick.spare) : "",
                                pick.machine_name, pick.model_name);
  return out;
}

void append_options(std::string& out, const Plan& plan) {
  out +=
      fmt::format("{:<7} {:>9} {:>9} {:>9}  {}\n", "OPTION", "COSTS", "SAVES", "BACK IN", "WITH");
  for (const OptionMoney& option : plan.money.options) {
    if (!option.available) {
      out += fmt::format("{:<7} {:>9} {:>9} {:>9}  {}\n", option_name(option.option), "-", "-", "-",
                         "no machine found that carries it");
      continue;
    }
    const bool stay = option.option == Option::Stay;
    out += fmt::format("{:<7} {:>9} {:>9} {:>9}  {}\n", option_name(option.option),
                       money_text(option.npv_usd), stay ? "-" : money_text(option.saved_npv_usd),
                       stay                  ? "-"
                       : loses_again(option) ? "not kept"
                                             : month_text(option.break_even_month),
                       cut(machines_of_option(plan, option.option), 41));
  }
  out += fmt::format("(present value over {:.0f} months, list prices{})\n",
                     plan.scenario.money.horizon_months,
                     plan.scenario.money.negotiated_discount > 0 ? " less your discount" : "");
}

}  // namespace

std::string plan_text(const Plan& plan) {
  std::string out;
  if (plan.example) {
    out += "EXAMPLE: a made-up company, not your usage. Your own: freehold usage import FILE\n\n";
  }
  append_wrapped(out, plan.verdict.headline, 0);
  for (const std::string& reason : plan.verdict.reasons) append_wrapped(out, reason, 2);
  out += "\n";
  append_wrapped(out, bill_sentence(plan), 0);
  append_workloads(out, plan);
  out += "\n";
  append_options(out, plan);
  // Without an answer there is no other one.
  if (!plan.verdict.flips.empty() && !plan.verdict.refused) {
    out += "\nAnother answer if:\n";
    for (std::size_t i = 0; i < plan.verdict.flips.size() && i < kFlipsShown; ++i) {
      append_wrapped(out, plan.verdict.flips[i], 2);
    }
  }
  out += "\n";
  append_wrapped(
      out,
      "Readiness: " + plan.readiness.summary +
          (plan.readiness.unknown > 0 ? " Answer in [readiness] of a scenario file." : ""),
      0);
  for (std::size_t i = 0; i < plan.notes.size() && i < kNotesShown; ++i) {
    append_wrapped(out, "Note: " + plan.notes[i], 0);
  }
  append_wrapped(out, "Caution: " + plan.verdict.cautions.front(), 0);
  out += "More: freehold plan --html plan.html; --xlsx plan.xlsx; --write-inputs s.toml\n";
  return out;
}

}  // namespace fh::planner
