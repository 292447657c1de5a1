// The workbook: sheets in order, the inputs with their names, and the answer as a formula. An input
// changed in a spreadsheet program changes every month, every total and the verdict; what is not
// recalculated says so.
#include <fmt/format.h>

#include "planner/plan.h"
#include "planner/workbook_sheets.h"
#include "planner/workbook_tco.h"
#include "planner/workbook_writer.h"

namespace fh::planner {
namespace {

constexpr std::uint32_t kValueCol = 3;
constexpr std::uint32_t kFirstInput = 8;

// Inputs that follow from other sheets as long as nobody writes over them.
std::string formula_of(const Plan& plan, const std::string& input) {
  if (plan.usage.empty()) return {};
  if (input == "bill_list_usd_month") return "=usage_total_usd/usage_days*365/12";
  for (const Option option : {Option::Own, Option::Hybrid, Option::Rent}) {
    if (!plan.picks[static_cast<std::size_t>(option)].found) continue;
    const std::string name(option_name(option));
    if (input == name + "_moved_usd_month") {
      return fmt::format("={0}_token_share*SUMPRODUCT(workload_usd,{0}_flags)", name);
    }
    if (input == name + "_moved_mtok_month") {
      return fmt::format("={0}_token_share*SUMPRODUCT(workload_mtok,{0}_flags)", name);
    }
  }
  return {};
}

void write_inputs(Workbook& book, Sheet& sheet, const Plan& plan) {
  sheet.text(0, 0, plan.example ? "Freehold plan of an example company" : "Freehold plan",
             Style::Title);
  sheet.text(1, 0, plan.evidence, Style::Note);
  sheet.text(3, 0, "Verdict");
  sheet.formula_text(3, 1, "=verdict", plan.verdict.word, Style::Answer);
  sheet.text(4, 1, plan.verdict.headline + " (as of the inputs that were written)", Style::Note);
  sheet.text(5, 0,
             "Change a shaded value: the months, totals, break-even and the verdict follow. "
             "Sensitivity, capacity and readiness are data.",
             Style::Note);
  sheet.headers(kFirstInput - 1, {"Section", "Input", "Name", "Value", "Unit", "Low", "High",
                                  "Source", "Date", "Confidence", "From"});
  const std::vector<InputSpec>& specs = input_specs();
  MoneyInputs money = plan.scenario.money;
  for (std::uint32_t i = 0; i < specs.size(); ++i) {
    const InputSpec& spec = specs[i];
    const InputState& state = plan.scenario.inputs[i];
    const std::uint32_t row = kFirstInput + i;
    sheet.text(row, 0, spec.section);
    sheet.text(row, 1, spec.label);
    sheet.text(row, 2, spec.name);
    const double value = spec.at(money);
    const std::string formula =
        state.origin == Origin::Data ? formula_of(plan, spec.name) : std::string();
    if (formula.empty()) {
      sheet.number(row, kValueCol, value, Style::Input);
    } else {
      sheet.formula(row, kValueCol, formula, value, Style::Input);
    }
    sheet.text(row, 4, spec.unit);
    if (state.low < state.high) {
      sheet.number(row, 5, state.low, Style::Factor);
      sheet.number(row, 6, state.high, Style::Factor);
    }
    sheet.text(row, 7, state.source);
    sheet.text(row, 8, state.date);
    sheet.text(row, 9, state.confidence);
    sheet.text(row, 10, origin_name(state.origin));
    book.define(spec.name, sheet.ref(row, kValueCol));
  }
  sheet.width(0, 0, 10);
  sheet.width(1, 1, 60);
  sheet.width(2, 2, 28);
  sheet.width(3, 6, 15);
  sheet.width(7, 7, 44);
  sheet.width(8, 10, 12);
  sheet.freeze(kFirstInput, 0);
}

// The sheet Break-even: quantities as rows, options as columns.
class BreakEven {
 public:
  BreakEven(Workbook& book, Sheet& sheet, const Sheet& tco, const Plan& plan)
      : book_(book), sheet_(sheet), tco_(tco), plan_(plan) {}

  void write() {
    sheet_.text(0, 0, "What each option costs, and when its money is back", Style::Title);
    sheet_.text(1, 0, "USD over the horizon; month 9999: not within it.", Style::Note);
    sheet_.text(kNames, 0, "", Style::Header);
    for (const Option option : kAllOptions) {
      sheet_.text(kNames, col(option), option_name(option), Style::Header);
    }
    totals();
    all_in();
    answer();
    quantiles();
    chart();
    sheet_.width(0, 0, 46);
    sheet_.width(1, kOptions, 18);
  }

 private:
  static constexpr std::uint32_t kNames = 3;

  static std::uint32_t col(Option option) { return 1 + static_cast<std::uint32_t>(option); }

  template <typename Formula, typename Value>
  std::uint32_t row(const char* title, Style style, const Formula& formula, const Value& value) {
    sheet_.text(next_, 0, title);
    for (const Option option : kAllOptions) {
      sheet_.formula(next_, col(option), "=" + formula(option), value(plan_.money.of(option)),
                     style);
    }
    return next_++;
  }

  std::string sum(Option option, const char* column) const {
    return "SUM(" + tco_range(tco_, option, column) + ")";
  }
  std::string at(std::uint32_t row, Option option) const { return cell_name(row, col(option)); }

  void totals() {
    using M = OptionMoney;
    row(
        "Cash out, worth of the hardware at the end counted", Style::UsdCent,
        [&](Option o) { return sum(o, "cash") + "-" + sum(o, "resale"); },
        [](const M& m) { return m.cash_usd; });
    row(
        "Profit and loss view", Style::UsdCent, [&](Option o) { return sum(o, "pnl"); },
        [](const M& m) { return m.pnl_usd; });
    npv_ = row(
        "Present value", Style::UsdCent, [&](Option o) { return sum(o, "present"); },
        [](const M& m) { return m.npv_usd; });
    fleet_ = row(
        "of which the machines", Style::UsdCent, [&](Option o) { return sum(o, "fleet_present"); },
        [](const M& m) { return m.fleet_npv_usd; });
    saved_ = row(
        "Saved against staying, present value", Style::UsdCent,
        [&](Option o) { return at(npv_, Option::Stay) + "-" + at(npv_, o); },
        [](const M& m) { return m.saved_npv_usd; });
    row(
        "Money back in month", Style::Count,
        [&](Option o) { return "MIN(" + tco_range(tco_, o, "pays_back") + ")"; },
        [](const M& m) { return m.break_even_month; });
    qualifies_ = row(
        "Worth advising (1)", Style::Count, [&](Option o) { return worth(o); },
        [](const M& m) { return m.qualifies ? 1.0 : 0.0; });
    score_ = row(
        "Score", Style::UsdCent,
        [&](Option o) { return fmt::format("IF({}=1,{},0)", at(qualifies_, o), at(saved_, o)); },
        [](const M& m) { return m.qualifies ? m.saved_npv_usd : 0.0; });
    ++next_;
  }

  std::string worth(Option o) const {
    if (o == Option::Stay) return "0";
    return fmt::format(
        "IF(AND({}>0,{}>=min_return_share*{},{}>=min_saving_usd_month*horizon_months),1,0)",
        option_name_of(o, "nodes_min"), at(saved_, o), at(fleet_, o), at(saved_, o));
  }

  void all_in() {
    using M = OptionMoney;
    const auto n = [](Option o, const char* key) { return option_name_of(o, key); };
    sheet_.text(next_++, 0, "A month all in, at today's load", Style::Title);
    const auto nodes = row(
        "Nodes", Style::Count, [&](Option o) { return tco_cell(tco_, o, "nodes", 0); },
        [](const M& m) { return m.months[0].nodes; });
    const auto hardware = row(
        "Hardware", Style::UsdCent,
        [&](Option o) {
          return at(nodes, o) + "*" + n(o, "node_price_usd") + "*hardware_price_factor";
        },
        [](const M& m) { return m.months[0].capex_hardware; });
    const auto mtok = row(
        "Mtok served", Style::Number,
        [&](Option o) { return n(o, "moved_mtok_month") + "*" + tco_cell(tco_, o, "served", 0); },
        [](const M& m) { return m.all_in.mtok; });
    const std::uint32_t first = next_;
    place_rows(nodes, hardware, mtok);
    running_rows(nodes, hardware);
    const std::uint32_t last = next_ - 1;
    const auto total = row(
        "All in", Style::UsdCent,
        [&](Option o) { return "SUM(" + at(first, o) + ":" + at(last, o) + ")"; },
        [](const M& m) { return m.all_in.total; });
    row(
        "USD per Mtok processed", Style::Factor,
        [&](Option o) {
          return fmt::format("IF({0}>0,{1}/MAX(0.000000001,{0}),0)", at(mtok, o), at(total, o));
        },
        [](const M& m) { return m.all_in.usd_per_mtok; });
    ++next_;
  }

  void place_rows(std::uint32_t nodes, std::uint32_t hardware, std::uint32_t mtok) {
    using M = OptionMoney;
    const auto n = [](Option o, const char* key) { return option_name_of(o, key); };
    row(
        "Capital", Style::UsdCent,
        [&](Option o) {
          const std::string spread = fmt::format(
              "({0}*(1+install_share+spares_share)+IF({0}>0,room_once_usd,0)"
              "-{0}*residual_share/POWER(1+wacc,depreciation_years))",
              at(hardware, o));
          return fmt::format(
              "IF(wacc=0,{0}/(depreciation_years*12),"
              "{0}*(wacc/12)/(1-POWER(1+wacc/12,-(depreciation_years*12))))",
              spread);
        },
        [](const M& m) { return m.all_in.capital; });
    row(
        "Electricity", Style::UsdCent,
        [&](Option o) {
          const std::string busy =
              fmt::format("IF({0}>0,MIN(1,{1}/MAX(0.000000001,{0}*{2}*capacity_factor)),0)",
                          at(nodes, o), at(mtok, o), n(o, "node_mtok_month"));
          return fmt::format(
              "{}*{}*(idle_draw_share+(load_draw_share-idle_draw_share)*{})*pue*730*"
              "electricity_usd_kwh",
              at(nodes, o), n(o, "node_kw_max"), busy);
        },
        [](const M& m) { return m.all_in.power; });
    row(
        "Colocation or room", Style::UsdCent,
        [&](Option o) {
          return fmt::format(
              "IF({0}>0,{0}*{1}*colocation_usd_kw_month+IF({2}>0,room_usd_month,0),0)",
              at(nodes, o), n(o, "node_kw_max"), n(o, "node_price_usd"));
        },
        [](const M& m) { return m.all_in.site; });
    row(
        "Network", Style::UsdCent,
        [&](Option o) {
          return fmt::format("IF(AND({}>0,{}>0),network_usd_month,0)", at(nodes, o),
                             n(o, "node_price_usd"));
        },
        [](const M& m) { return m.all_in.network; });
  }

  void running_rows(std::uint32_t nodes, std::uint32_t hardware) {
    using M = OptionMoney;
    const auto n = [](Option o, const char* key) { return option_name_of(o, key); };
    row(
        "Support", Style::UsdCent, [&](Option o) { return at(hardware, o) + "*support_share/12"; },
        [](const M& m) { return m.all_in.support; });
    row(
        "Software", Style::UsdCent,
        [&](Option o) {
          return at(nodes, o) + "*" + n(o, "gpus_per_node") + "*software_usd_gpu_year/12";
        },
        [](const M& m) { return m.all_in.software; });
    row(
        "Staff", Style::UsdCent,
        [&](Option o) {
          return fmt::format(
              "IF({0}>0,(fte_first_nodes+fte_per_further_node*MAX(0,{0}-first_nodes))*{1}*"
              "staff_usd_year/12+on_call_usd_month,0)",
              at(nodes, o), n(o, "staff_factor"));
        },
        [](const M& m) { return m.all_in.staff; });
    row(
        "Rented GPUs", Style::UsdCent,
        [&](Option o) {
          return at(nodes, o) + "*" + n(o, "gpus_per_node") + "*730*" + n(o, "rent_usd_gpu_hour") +
                 "*rent_price_factor";
        },
        [](const M& m) { return m.all_in.rent; });
  }

  void answer() {
    sheet_.text(next_, 0, "Verdict", Style::Title);
    const std::string scores = at(score_, Option::Own) + ":" + at(score_, Option::Rent);
    const std::string names = at(kNames, Option::Own) + ":" + at(kNames, Option::Rent);
    sheet_.formula_text(
        next_, 1,
        fmt::format("=IF(AND(unexplained_share>unexplained_limit,despite_gap=0),\"no advice\","
                    "IF(MAX({0})<=0,\"stay\",INDEX({1},1,MATCH(MAX({0}),{0},0))))",
                    scores, names),
        plan_.verdict.word, Style::Answer);
    book_.define("verdict", sheet_.ref(next_, 1));
    next_ += 2;
  }

  void quantiles() {
    sheet_.text(next_++, 0, "Sampled over the ranges (data, not recalculated)", Style::Title);
    const auto line = [&](const char* title, double Quantiles::* which) {
      sheet_.text(next_, 0, title);
      for (const OptionSpread& spread : plan_.sensitivity.spread) {
        sheet_.text(next_, col(spread.option), month_text(spread.break_even_month.*which));
      }
      ++next_;
    };
    line("Money back in month, p10", &Quantiles::p10);
    line("Money back in month, p50", &Quantiles::p50);
    line("Money back in month, p90", &Quantiles::p90);
  }

  void chart() {
    Chart chart{ChartKind::Line, "Cash out so far", "month", "USD", {}};
    for (const Option option : kAllOptions) {
      if (!plan_.money.of(option).available) continue;
      chart.series.push_back({std::string(option_title(option)), tco_range(tco_, option, "month"),
                              tco_range(tco_, option, "cum_cash")});
    }
    book_.chart(sheet_, 2, kOptions + 2, chart);
  }

  Workbook& book_;
  Sheet& sheet_;
  const Sheet& tco_;
  const Plan& plan_;
  std::uint32_t next_ = kNames + 1;
  std::uint32_t npv_ = 0, fleet_ = 0, saved_ = 0, qualifies_ = 0, score_ = 0;
};

}  // namespace

base::Status write_workbook(const Plan& plan, const std::string& path) {
  if (!can_write(path)) {
    return base::fail(base::Code::Unavailable, fmt::format("{} cannot be written", path),
                      "is the folder there and writable, and the file not open elsewhere?");
  }
  Workbook book(path);
  Sheet& inputs = book.sheet("Inputs");
  Sheet& usage = book.sheet("Usage");
  Sheet& prices = book.sheet("Prices");
  Sheet& capacity = book.sheet("Capacity");
  Sheet& hardware = book.sheet("Hardware");
  Sheet& tco = book.sheet("TCO");
  Sheet& even = book.sheet("Break-even");
  Sheet& sensitivity = book.sheet("Sensitivity");
  Sheet& readiness = book.sheet("Readiness");
  Sheet& sources = book.sheet("Sources");
  write_inputs(book, inputs, plan);
  write_usage(book, usage, plan);
  write_prices(prices, plan);
  write_capacity(book, capacity, plan);
  write_hardware(hardware, plan);
  write_tco(book, tco, plan.money, plan.scenario.money.horizon_months);
  BreakEven(book, even, tco, plan).write();
  write_sensitivity(book, sensitivity, plan);
  write_readiness(readiness, plan);
  write_sources(sources, plan);
  return book.close();
}

}  // namespace fh::planner
