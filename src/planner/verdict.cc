// Sentences from numbers.
#include "planner/verdict.h"

#include <fmt/format.h>

#include <cmath>

namespace fh::planner {
namespace {

std::string why_stay(const Scenario& scenario, const Money& money, Option focus) {
  const OptionMoney& option = money.of(focus);
  const double months = scenario.money.horizon_months;
  if (option.saved_npv_usd < 0) {
    return fmt::format("The best other way ({}) costs {} more than staying over {:.0f} months.",
                       option_title(focus), money_text(-option.saved_npv_usd), months);
  }
  return fmt::format(
      "The best other way ({}) saves {} over {:.0f} months, less than the {:.0f} % of its own cost "
      "({}) or the {} a month that would pay for the risk.",
      option_title(focus), money_text(option.saved_npv_usd), months,
      100 * scenario.money.min_return_share, money_text(option.fleet_npv_usd),
      dollars_text(scenario.money.min_saving_usd_month));
}

std::string why_move(const Scenario& scenario, const Money& money) {
  const OptionMoney& option = money.of(money.best);
  return fmt::format(
      "It costs {} over {:.0f} months where staying costs {}: {} less in present value.",
      money_text(option.npv_usd), scenario.money.horizon_months,
      money_text(money.of(Option::Stay).npv_usd), money_text(option.saved_npv_usd));
}

std::string machine_sentence(const OptionMoney& option) {
  return fmt::format(
      "The machines cost {} a month all in, of which {} is people: {} per million "
      "tokens processed.",
      money_text(option.all_in.total), money_text(option.all_in.staff),
      option.all_in.usd_per_mtok < 1000 ? fmt::format("${:.2f}", option.all_in.usd_per_mtok)
                                        : dollars_text(option.all_in.usd_per_mtok));
}

std::string break_even_sentence(const OptionMoney& option, const OptionSpread& spread) {
  const Quantiles& q = spread.break_even_month;
  std::string out = "The money does not come back within the horizon";
  if (option.break_even_month < kNever) {
    out = fmt::format("The money is back in {}", month_text(option.break_even_month));
    if (loses_again(option)) out += " and lost again by the end";
  }
  out += fmt::format("; over the ranges p10 {}, p50 {}, p90 {}.", month_text(q.p10),
                     month_text(q.p50), month_text(q.p90));
  return out;
}

// How often each is the answer when the inputs move over their ranges.
std::string spread_sentence(const Sensitivity& sensitivity, Option best) {
  std::string out = fmt::format("Over the ranges ({} draws) the answer is", sensitivity.draws);
  const char* separator = " ";
  for (const OptionSpread& spread : sensitivity.spread) {
    if (spread.share_best < 0.005) continue;
    out += fmt::format("{}{} in {:.0f} %", separator, option_name(spread.option),
                       100 * spread.share_best);
    separator = ", ";
  }
  out += ".";
  const bool stays = sensitivity.spread[0].share_best > 0.5;
  if (stays != (best == Option::Stay)) out += " Take it as undecided: most draws say otherwise.";
  return out;
}

std::vector<std::string> cautions_of(const Scenario& scenario) {
  std::vector<std::string> out = {
      "Whether an open model does the work well enough is not in these numbers: evaluate before "
      "anything moves."};
  if (scenario.replacement.output_token_ratio == 1 &&
      scenario.replacement.prompt_token_ratio == 1) {
    out.emplace_back(
        "Token counts are taken over unchanged; another tokenizer or a wordier model needs more.");
  }
  if (scenario.value("negotiated_discount") == 0 && !scenario.by_user("negotiated_discount")) {
    out.emplace_back(
        "List prices: write your discount, credits and commitments into the scenario.");
  }
  return out;
}

}  // namespace

bool loses_again(const OptionMoney& option) {
  return option.break_even_month < kNever && option.months[kMonthsMax].saved < 0;
}

std::string flip_text(const Flip& flip) {
  if (!flip.found) {
    return fmt::format("{}: no value from {} to {} changes it", flip.label, flip.searched_low,
                       flip.searched_high);
  }
  return fmt::format("{} -> {}", flip.reading, option_name(flip.to));
}

Verdict decide(const Scenario& scenario, const Money& money, const Sensitivity& sensitivity,
               const Findings& findings) {
  Verdict out;
  out.choice = money.best;
  out.refused = money.refused;
  out.cautions = cautions_of(scenario);
  for (const Flip& flip : sensitivity.flips) {
    if (flip.found) out.flips.push_back(flip_text(flip));
  }
  if (money.refused) {
    out.word = "no advice";
    out.headline =
        fmt::format("No advice yet: {:.1f} % of the bill is not explained (limit {:.1f} %).",
                    100 * scenario.money.unexplained_share, 100 * scenario.money.unexplained_limit);
    out.reasons = {findings.reconciled,
                   "Import the provider's cost report for the same days, or say --despite-gap to "
                   "plan on the usage alone."};
    return out;
  }
  out.word = option_name(money.best);
  if (!sensitivity.has_focus) {
    out.headline = "Stay on the API: " + findings.no_machine + ".";
    return out;
  }
  const OptionMoney& focus = money.of(sensitivity.focus);
  const OptionSpread& spread = sensitivity.spread[static_cast<std::size_t>(sensitivity.focus)];
  if (money.best == Option::Stay) {
    out.headline = "Stay on the API.";
    out.reasons.push_back(why_stay(scenario, money, sensitivity.focus));
  } else {
    out.headline = fmt::format("{}{}: saves {} over {:.0f} months.",
                               static_cast<char>(std::toupper(option_title(money.best)[0])),
                               option_title(money.best).substr(1), money_text(focus.saved_npv_usd),
                               scenario.money.horizon_months);
    out.reasons.push_back(why_move(scenario, money));
  }
  out.reasons.push_back(machine_sentence(focus));
  out.reasons.push_back(break_even_sentence(focus, spread));
  out.reasons.push_back(spread_sentence(sensitivity, money.best));
  return out;
}

}  // namespace fh::planner
