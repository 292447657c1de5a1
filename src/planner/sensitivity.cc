// Sampling, tornado and flip values: the money model run again and again with other inputs.
#include "planner/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "planner/words.h"

namespace fh::planner {
namespace {

// Levers whose flip value is worth telling, and how far it is looked for.
struct Lever {
  const char* input;
  double low, high;
};
constexpr Lever kLevers[] = {
    {"utilisation_factor", 0.1, 10},
    {"api_price_factor", 0.1, 10},
    {"api_price_change_per_year", -0.9, 0.5},
    {"hardware_price_factor", 0.05, 4},
    {"rent_price_factor", 0.05, 4},
    {"capacity_factor", 0.1, 10},
    {"staff_usd_year", 0, 600'000},
    {"fte_first_nodes", 0, 5},
    {"load_growth_per_year", -0.5, 3},
    {"negotiated_discount", 0, 0.9},
    {"residual_share", 0, 1},
    {"electricity_usd_kwh", 0, 1},
};
constexpr int kSteps = 60;  // looked at on each side
constexpr int kHalvings = 40;

std::uint32_t mix32(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x85EBCA6BU;
  x ^= x >> 13;
  x *= 0xC2B2AE35U;
  x ^= x >> 16;
  return x;
}

const InputSpec& spec_of(const char* name) {
  return input_specs()[*input_index(name)];
}

Option focus_of(const Money& money) {
  if (money.best != Option::Stay) return money.best;
  Option focus = Option::Stay;
  for (const OptionMoney& option : money.options) {
    if (option.option == Option::Stay || !option.available) continue;
    if (focus == Option::Stay || option.saved_npv_usd > money.of(focus).saved_npv_usd) {
      focus = option.option;
    }
  }
  return focus;
}

Money with(const MoneyInputs& inputs, const InputSpec& spec, double value) {
  MoneyInputs changed = inputs;
  spec.at(changed) = value;
  return compute_money(changed);
}

std::vector<TornadoBar> tornado_of(const Scenario& scenario, Option focus) {
  std::vector<TornadoBar> bars;
  const std::vector<InputSpec>& specs = input_specs();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const InputState& state = scenario.inputs[i];
    if (!(state.low < state.high)) continue;
    const Money low = with(scenario.money, specs[i], state.low);
    const Money high = with(scenario.money, specs[i], state.high);
    bars.push_back({specs[i].name, state.low, state.high, low.of(focus).saved_npv_usd,
                    high.of(focus).saved_npv_usd, low.best, high.best});
  }
  std::sort(bars.begin(), bars.end(), [](const TornadoBar& a, const TornadoBar& b) {
    return a.swing() != b.swing() ? a.swing() > b.swing()
                                  : *input_index(a.input) < *input_index(b.input);
  });
  return bars;
}

// Another answer than `now`; or, across `stay_only`, one on the other side of staying.
bool differs(Option answer, Option now, bool stay_only) {
  if (!stay_only) return answer != now;
  return (answer == Option::Stay) != (now == Option::Stay);
}

struct Search {
  double to;
  Option now;
  bool stay_only;
};

// The first value from today's towards `to` with another answer; steps, then halving.
std::optional<std::pair<double, Option>> turn_towards(const MoneyInputs& inputs,
                                                      const InputSpec& spec, const Search& search) {
  MoneyInputs copy = inputs;
  const double from = spec.at(copy);
  double near = from;
  for (int step = 1; step <= kSteps; ++step) {
    double far = from + (search.to - from) * step / kSteps;
    Option answer = with(inputs, spec, far).best;
    if (!differs(answer, search.now, search.stay_only)) {
      near = far;
      continue;
    }
    for (int i = 0; i < kHalvings; ++i) {
      const double middle = (near + far) / 2;
      const Option found = with(inputs, spec, middle).best;
      if (differs(found, search.now, search.stay_only)) {
        far = middle;
        answer = found;
      } else {
        near = middle;
      }
    }
    return std::pair(far, answer);
  }
  return std::nullopt;
}

// Of a lever that needs no machine to be read.
std::string lever_reading(std::string_view input, double value, double now) {
  if (input == "api_price_change_per_year") {
    return fmt::format("API prices {:+.0f} % a year, now {:+.0f} %", 100 * value, 100 * now);
  }
  if (input == "load_growth_per_year") {
    return fmt::format("the load {:+.0f} % a year, now {:+.0f} %", 100 * value, 100 * now);
  }
  if (input == "staff_usd_year") {
    return fmt::format("an engineer at {} a year, now {}", dollars_text(value), dollars_text(now));
  }
  if (input == "fte_first_nodes") {
    return fmt::format("{:.2f} engineers for the first machines, now {:.2f}", value, now);
  }
  if (input == "negotiated_discount") {
    return fmt::format("a discount of {:.0f} %, now {:.0f} %", 100 * value, 100 * now);
  }
  if (input == "residual_share") {
    return fmt::format("machines worth {:.0f} % at the end, now {:.0f} %", 100 * value, 100 * now);
  }
  return fmt::format("electricity at ${:.3f} a kWh, now ${:.3f}", value, now);
}

// Whose machines a reading speaks of: those of the answer that follows, else of the one that is
// left, else of any that are owned, because only these have a price.
const OptionInputs* owned_in(const MoneyInputs& inputs, Option to, Option focus) {
  for (const Option option : {to, focus, Option::Hybrid, Option::Own}) {
    const OptionInputs& o = option_inputs(inputs, option);
    if (o.nodes_min > 0 && o.node_price_usd > 0) return &o;
  }
  return nullptr;
}

std::string reading_of(const Scenario& scenario, const Flip& flip, Option focus) {
  const MoneyInputs& m = scenario.money;
  const OptionInputs& o = option_inputs(m, flip.to == Option::Stay ? focus : flip.to);
  const std::string_view input = flip.input;
  const double value = flip.value, now = flip.now;
  if (input == "hardware_price_factor") {
    const OptionInputs* owned = owned_in(m, flip.to, focus);
    const double usd = owned == nullptr ? 0 : owned->node_price_usd;
    return fmt::format("a machine at {}, now {}", dollars_text(usd * value),
                       dollars_text(usd * now));
  }
  if (input == "rent_price_factor") {
    const double usd = m.rent.rent_usd_gpu_hour;
    return fmt::format("a rented GPU at ${:.2f} an hour, now ${:.2f}", usd * value, usd * now);
  }
  if (input == "utilisation_factor") {
    return fmt::format("machines {:.0f} % busy on average when full at the peak, now {:.0f} %",
                       100 * std::min(1.0, o.utilisation * value),
                       100 * std::min(1.0, o.utilisation * now));
  }
  if (input == "api_price_factor") return fmt::format("API prices {:+.0f} %", 100 * (value - 1));
  if (input == "capacity_factor") {
    return fmt::format("machines that carry {:.2f} times the estimate", value);
  }
  return lever_reading(input, value, now);
}

// Between staying and moving first: that is the question. Between two ways to move only where no
// value decides it.
std::vector<Flip> flips_of(const Scenario& scenario, const Money& money, Option focus) {
  std::vector<Flip> flips;
  for (const Lever& lever : kLevers) {
    const InputSpec& spec = spec_of(lever.input);
    MoneyInputs copy = scenario.money;
    Flip flip{spec.name, spec.label, spec.unit, spec.at(copy), false, 0, money.best, 0, 0, {}};
    flip.searched_low = std::min(lever.low, flip.now);
    flip.searched_high = std::max(lever.high, flip.now);
    for (const bool stay_only : {true, false}) {
      const auto down =
          turn_towards(scenario.money, spec, {flip.searched_low, money.best, stay_only});
      const auto up =
          turn_towards(scenario.money, spec, {flip.searched_high, money.best, stay_only});
      const bool take_up =
          !down || (up && std::abs(up->first - flip.now) < std::abs(down->first - flip.now));
      const auto& nearer = take_up ? up : down;
      if (!nearer) continue;
      flip.found = true;
      flip.value = nearer->first;
      flip.to = nearer->second;
      flip.reading = reading_of(scenario, flip, focus);
      break;
    }
    flips.push_back(std::move(flip));
  }
  // Those that end staying, or begin it, before those between two ways to move.
  const auto decides = [&](const Flip& flip) {
    return flip.found && differs(flip.to, money.best, true);
  };
  std::vector<Flip> sorted;
  for (const bool wanted : {true, false}) {
    for (const Flip& flip : flips) {
      if (decides(flip) == wanted) sorted.push_back(flip);
    }
  }
  return sorted;
}

double at_rank(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
}

Quantiles quantiles_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {at_rank(values, 0.1), at_rank(values, 0.5), at_rank(values, 0.9)};
}

std::array<OptionSpread, kOptions> sample(const Scenario& scenario) {
  std::array<std::vector<double>, kOptions> saved, month;
  std::array<double, kOptions> best{};
  const std::vector<InputSpec>& specs = input_specs();
  for (std::uint32_t draw = 0; draw < scenario.draws; ++draw) {
    MoneyInputs inputs = scenario.money;
    std::uint32_t varied = 0;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      const InputState& state = scenario.inputs[i];
      if (!(state.low < state.high)) continue;
      double& value = specs[i].at(inputs);
      value = triangular(state.low, value, state.high, uniform_of(scenario.seed, draw, varied));
      ++varied;
    }
    const Money money = compute_money(inputs);
    best[static_cast<std::size_t>(money.best)] += 1;
    for (const OptionMoney& option : money.options) {
      const auto at = static_cast<std::size_t>(option.option);
      saved[at].push_back(option.saved_npv_usd);
      month[at].push_back(option.break_even_month);
    }
  }
  std::array<OptionSpread, kOptions> out;
  for (const Option option : kAllOptions) {
    const auto at = static_cast<std::size_t>(option);
    OptionSpread& spread = out[at];
    spread.option = option;
    const auto even =
        std::count_if(month[at].begin(), month[at].end(), [](double m) { return m < kNever; });
    spread.share_break_even = static_cast<double>(even) / scenario.draws;
    spread.share_best = best[at] / scenario.draws;
    spread.saved_npv_usd = quantiles_of(std::move(saved[at]));
    spread.break_even_month = quantiles_of(std::move(month[at]));
  }
  return out;
}

}  // namespace

double TornadoBar::swing() const {
  return std::abs(saved_at_high - saved_at_low);
}

double uniform_of(std::uint64_t seed, std::uint32_t draw, std::uint32_t input) {
  const std::uint32_t counter = 64U * draw + input + 1;
  const std::uint32_t mixed = mix32(static_cast<std::uint32_t>(seed) + 0x9E3779B9U * counter);
  return (mixed + 0.5) / 4294967296.0;
}

double triangular(double low, double mode, double high, double u) {
  if (!(low < high)) return mode;
  const double turn = (mode - low) / (high - low);
  if (u < turn) return low + std::sqrt(u * (high - low) * (mode - low));
  return high - std::sqrt((1 - u) * (high - low) * (high - mode));
}

Sensitivity analyse(const Scenario& scenario, const Money& money) {
  Sensitivity out;
  out.seed = scenario.seed;
  out.draws = scenario.draws;
  out.focus = focus_of(money);
  out.has_focus = out.focus != Option::Stay;
  out.spread = sample(scenario);
  if (!out.has_focus) return out;
  out.tornado = tornado_of(scenario, out.focus);
  out.flips = flips_of(scenario, money, out.focus);
  return out;
}

}  // namespace fh::planner
