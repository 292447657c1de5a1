// The five questions and their evidence.
#include "planner/readiness.h"

#include <fmt/format.h>

#include <algorithm>

#include "planner/words.h"

namespace fh::planner {
namespace {

struct Part {
  const char* name;
  Answer answer;
};

// One "no" decides; else one unknown leaves it open.
void judge(ReadinessItem& item, const std::vector<Part>& parts) {
  item.state = Readiness::Yes;
  for (const Part& part : parts) {
    if (part.answer == Answer::Yes) continue;
    item.missing.push_back(
        fmt::format("{}: {}", part.name, part.answer == Answer::No ? "no" : "not answered"));
    if (part.answer == Answer::No) item.state = Readiness::No;
    if (part.answer == Answer::Unknown && item.state == Readiness::Yes) {
      item.state = Readiness::Unknown;
    }
  }
}

ReadinessItem team(const ReadinessAnswers& answers) {
  ReadinessItem item{"team", "A platform team of your own", Readiness::Unknown, {}, {}};
  judge(item, {{"platform team", answers.platform_team}});
  item.evidence = "Usage cannot show this; answer readiness.platform_team.";
  if (answers.platform_team != Answer::Unknown) item.evidence = "From your scenario file.";
  return item;
}

ReadinessItem site(const ReadinessAnswers& answers, const MoneyInputs& inputs,
                   const OptionMoney& focus) {
  ReadinessItem item{"site",
                     "Capital, rack, power, cooling, network and space for the machines",
                     Readiness::Unknown,
                     {},
                     {}};
  const OptionInputs& o = option_inputs(inputs, focus.option);
  if (focus.option == Option::Stay) {
    item.evidence = "No machine was found that carries the work.";
  } else if (o.node_price_usd <= 0) {
    item.evidence = "Rented machines stand in somebody else's room.";
    judge(item, {{"network", answers.network}});
    return item;
  } else {
    const MonthRow& first = focus.months[0];
    item.evidence = fmt::format(
        "{:.0f} node(s): {} before the first request, {:.1f} kW at most, {:.1f} kW of cooling.",
        first.nodes, dollars_text(first.cash), first.nodes * o.node_kw_max,
        first.nodes * o.node_kw_max);
  }
  judge(item, {{"capital", answers.capital},
               {"rack", answers.rack},
               {"power", answers.power},
               {"cooling", answers.cooling},
               {"network", answers.network},
               {"space", answers.space}});
  return item;
}

ReadinessItem engineers(const ReadinessAnswers& answers, const MoneyInputs& inputs,
                        const OptionMoney& focus) {
  ReadinessItem item{
      "engineers", "Engineers who deploy, monitor and patch", Readiness::Unknown, {}, {}};
  judge(item, {{"deploy", answers.engineers_deploy},
               {"monitor", answers.engineers_monitor},
               {"patch", answers.engineers_patch}});
  item.evidence = focus.option == Option::Stay
                      ? "No machines, no engineers needed."
                      : fmt::format("The plan counts {:.2f} full-time engineer(s).",
                                    focus.all_in.staff * 12 / std::max(1.0, inputs.staff_usd_year));
  return item;
}

ReadinessItem production(const ReadinessAnswers& answers, const UsageEvidence& usage) {
  ReadinessItem item{"production", "Production workloads, not pilots", Readiness::Unknown, {}, {}};
  item.evidence = fmt::format("{} of {} days with usage", usage.days_active, usage.days_covered);
  if (usage.requests_known)
    item.evidence += fmt::format(", {} requests counted", count_text(usage.requests));
  if (usage.trend_per_month) {
    item.evidence += fmt::format(", bill {:+.0f} % a month", 100 * *usage.trend_per_month);
  }
  item.evidence += ".";
  if (answers.production != Answer::Unknown) {
    judge(item, {{"production", answers.production}});
  } else if (usage.days_covered == 0) {
    item.missing = {"no usage was read"};
  } else if (usage.days_covered < kDaysEnough) {
    item.missing = {fmt::format("only {} days are covered; {} say something about a month",
                                usage.days_covered, kDaysEnough)};
  } else if (usage.days_active * 2 < usage.days_covered) {
    item.state = Readiness::No;
    item.missing = {"on most days nothing ran"};
  } else {
    item.state = Readiness::Yes;
  }
  return item;
}

ReadinessItem spend(const UsageEvidence& usage) {
  ReadinessItem item{"spend", "Enough spend for the effort", Readiness::Unknown, {}, {}};
  item.evidence =
      fmt::format("{} a year at today's rate; about {} is where it begins to pay an engineer.",
                  dollars_text(usage.annualised_usd), dollars_text(kSpendEnoughUsd));
  if (usage.annualised_usd <= 0) {
    item.missing = {"no usage was read"};
  } else if (usage.annualised_usd >= kSpendEnoughUsd) {
    item.state = Readiness::Yes;
  } else {
    item.state = Readiness::No;
    item.missing = {"the spend is below that"};
  }
  return item;
}

}  // namespace

std::string_view readiness_name(Readiness readiness) {
  switch (readiness) {
    case Readiness::Yes: return "yes";
    case Readiness::No: return "no";
    case Readiness::Unknown: return "not known";
  }
  return "not known";
}

ReadinessReport assess(const ReadinessAnswers& answers, const UsageEvidence& usage,
                       const MoneyInputs& inputs, const OptionMoney& focus) {
  ReadinessReport report;
  report.items = {team(answers), site(answers, inputs, focus), engineers(answers, inputs, focus),
                  production(answers, usage), spend(usage)};
  std::string missing;
  for (const ReadinessItem& item : report.items) {
    report.yes += item.state == Readiness::Yes ? 1 : 0;
    report.no += item.state == Readiness::No ? 1 : 0;
    report.unknown += item.state == Readiness::Unknown ? 1 : 0;
    if (item.state != Readiness::Yes) missing += (missing.empty() ? "" : ", ") + item.key;
  }
  report.summary = missing.empty() ? "All five are there."
                                   : fmt::format("{} of 5 are there; missing or not known: {}.",
                                                 report.yes, missing);
  return report;
}

}  // namespace fh::planner
