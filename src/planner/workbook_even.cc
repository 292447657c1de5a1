// See workbook_even.h. Quantities are rows, options are columns; costs are positive.
#include "planner/workbook_even.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "planner/workbook_tco.h"
#include "planner/workbook_years.h"

namespace fh::planner {
namespace {

using M = OptionMoney;

constexpr std::uint32_t kVerdictRow = 3;
constexpr std::uint32_t kNames = kEvenNames;
constexpr std::uint32_t kChartRows = 20;
constexpr std::uint32_t kLastCol = kYearsLastCol;

double sum_of(const M& money, double MonthRow::* value) {
  double sum = 0;
  for (const MonthRow& row : money.months) sum += row.*value;
  return sum;
}

// A difference of equal amounts is nothing, not the last digit of a sum.
std::string without_noise(const std::string& difference) {
  return fmt::format("IF(ABS({0})<0.005,0,{0})", difference);
}
double without_noise(double difference) {
  return std::abs(difference) < 0.005 ? 0 : difference;
}

class EvenSheet {
 public:
  EvenSheet(Workbook& book, Sheet& sheet, const Sheet& tco, const Plan& plan)
      : book_(book), sheet_(sheet), tco_(tco), plan_(plan) {}

  EvenRows write() {
    head();
    cash();
    income();
    value();
    chart();
    month();
    all_in();
    years();
    sampled();
    workings();
    answer();
    sheet_.freeze(kNames + 1, 1);
    sheet_.print(next_, kLastCol);
    sheet_.break_above(breaks_);
    return rows_;
  }

 private:
  std::uint32_t col(Option option) const { return rows_.col(option); }
  std::string at(std::uint32_t row, Option option) const { return cell_name(row, col(option)); }
  std::string sum(Option option, std::string_view column) const {
    return "SUM(" + tco_range(tco_, option, column) + ")";
  }
  static std::string in(Option option, std::string_view key) { return option_name_of(option, key); }

  template <typename Formula, typename Value>
  std::uint32_t row(const char* title, Style style, const Formula& formula, const Value& value) {
    const bool total = style == Style::TotalUsd;
    sheet_.text(next_, 0, title, total ? Style::TotalLabel : Style::Plain);
    for (const Option option : kAllOptions) {
      sheet_.formula(next_, col(option), "=" + formula(option), value(plan_.money.of(option)),
                     style);
    }
    return next_++;
  }
  void section(const char* title) {
    ++next_;
    sheet_.text(next_, 0, title, Style::Section);
    sheet_.fill(next_, 1, kOptions, Style::Section);
    ++next_;
  }

  void head() {
    sheet_.width(0, 0, 54);
    sheet_.width(1, kOptions, 16);
    sheet_.width(kOptions + 1, kLastCol, 16);
    sheet_.text(0, 0, "What each way costs, and when its money is back", Style::Title);
    sheet_.note(1, 0, kLastCol,
                "USD. Costs are positive; what is saved is positive where a way is cheaper than "
                "staying. Cash is what is paid; the income statement spreads the machines over "
                "their life; present value discounts the cash and counts the machines' worth at "
                "the end. Everything here but the last part is a formula.");
    sheet_.text(kVerdictRow, 0, "Verdict", Style::Title);
    std::vector<Head> heads = {"Over the horizon"};
    for (const Option option : kAllOptions) heads.push_back(num(std::string(option_name(option))));
    sheet_.headers(kNames, heads);
    next_ = kNames + 1;
    sheet_.text(next_, 0, "");
    std::map<std::uint32_t, std::size_t> lengths;
    for (const Option option : kAllOptions) {
      sheet_.text(next_, col(option), option_title(option), Style::NoteWrapped);
      lengths[col(option)] = option_title(option).size();
    }
    sheet_.fit_row(next_++, lengths);
  }

  void cash() {
    section("Cash");
    const auto first = row(
        "API usage, after discount, commitment and credits", Style::Usd,
        [&](Option o) { return sum(o, "api_cash"); },
        [](const M& m) { return sum_of(m, &MonthRow::api_cash); });
    row(
        "Seats and plans: paid whatever is chosen", Style::Usd,
        [&](Option o) { return sum(o, "seats"); },
        [](const M& m) { return sum_of(m, &MonthRow::seats); });
    row(
        "Machines, installation, spares, room", Style::Usd,
        [&](Option o) { return sum(o, "capex_hardware") + "+" + sum(o, "capex_other"); },
        [](const M& m) {
          return sum_of(m, &MonthRow::capex_hardware) + sum_of(m, &MonthRow::capex_other);
        });
    row(
        "Evaluation and migration, once", Style::Usd, [&](Option o) { return sum(o, "one_off"); },
        [](const M& m) { return sum_of(m, &MonthRow::one_off); });
    const auto last = row(
        "Running: power, space, uplink, support, licences, people, rent, outage", Style::Usd,
        [&](Option o) { return sum(o, "running"); },
        [](const M& m) { return sum_of(m, &MonthRow::running); });
    const auto out = row(
        "Cash out", Style::TotalUsd,
        [&](Option o) { return "SUM(" + at(first, o) + ":" + at(last, o) + ")"; },
        [](const M& m) { return m.months[kMonthsMax].cum_cash; });
    const auto worth = row(
        "less the machines' worth at the end", Style::Usd,
        [&](Option o) { return "-" + sum(o, "resale"); },
        [](const M& m) { return -sum_of(m, &MonthRow::resale); });
    net_ = row(
        "Cash out less that worth", Style::TotalUsd,
        [&](Option o) { return at(out, o) + "+" + at(worth, o); },
        [](const M& m) { return m.cash_usd; });
    row(
        "Check: less the months of TCO (0)", Style::Check,
        [&](Option o) {
          return at(net_, o) + "-(" + sum(o, "cash") + "-" + sum(o, "resale") + ")";
        },
        [](const M&) { return 0.0; });
    rows_.order = row(
        "Paid on the day of the order", Style::Usd,
        [&](Option o) { return tco_cell(tco_, o, "cash", 0); },
        [](const M& m) { return m.months[0].cash; });
    rows_.month = row(
        "Money back in month", Style::Month,
        [&](Option o) { return "MIN(" + tco_range(tco_, o, "pays_back") + ")"; },
        [](const M& m) { return m.break_even_month; });
    rows_.kept = row(
        "Cash saved against staying at the end", Style::Usd,
        [&](Option o) { return tco_cell(tco_, o, "saved", kMonthsMax); },
        [](const M& m) { return m.months[kMonthsMax].saved; });
  }

  void income() {
    section("Income statement");
    const auto depreciation = [](const M& m) { return sum_of(m, &MonthRow::depreciation); };
    const auto first = row(
        "API usage and seats", Style::Usd,
        [&](Option o) { return sum(o, "api_cash") + "+" + sum(o, "seats"); },
        [](const M& m) { return sum_of(m, &MonthRow::api_cash) + sum_of(m, &MonthRow::seats); });
    row(
        "Running the machines", Style::Usd, [&](Option o) { return sum(o, "running"); },
        [](const M& m) { return sum_of(m, &MonthRow::running); });
    row(
        "Depreciation, straight line", Style::Usd, [&](Option o) { return sum(o, "depreciation"); },
        depreciation);
    const auto last = row(
        "Evaluation and migration", Style::Usd, [&](Option o) { return sum(o, "one_off"); },
        [](const M& m) { return sum_of(m, &MonthRow::one_off); });
    const auto cost = row(
        "Cost in the income statement", Style::TotalUsd,
        [&](Option o) { return "SUM(" + at(first, o) + ":" + at(last, o) + ")"; },
        [](const M& m) { return m.pnl_usd; });
    const auto left = row(
        "Installation and spares not yet written off at the end", Style::Usd,
        [&](Option o) {
          return without_noise(fmt::format("{}+{}-{}-{}", sum(o, "capex_hardware"),
                                           sum(o, "capex_other"), sum(o, "depreciation"),
                                           sum(o, "resale")));
        },
        [&](const M& m) {
          const double left_usd = sum_of(m, &MonthRow::capex_hardware) +
                                  sum_of(m, &MonthRow::capex_other) - depreciation(m) -
                                  sum_of(m, &MonthRow::resale);
          return without_noise(left_usd);
        });
    row(
        "Check: both less \"Cash out less that worth\" (0)", Style::Check,
        [&](Option o) { return at(cost, o) + "+" + at(left, o) + "-" + at(net_, o); },
        [](const M&) { return 0.0; });
  }

  void value() {
    section("Present value");
    rows_.npv = row(
        "Present value of what is paid", Style::TotalUsd,
        [&](Option o) { return sum(o, "present"); }, [](const M& m) { return m.npv_usd; });
    fleet_ = row(
        "of which for the machines", Style::Usd, [&](Option o) { return sum(o, "fleet_present"); },
        [](const M& m) { return m.fleet_npv_usd; });
    rows_.saved = row(
        "Saved against staying", Style::TotalUsd,
        [&](Option o) { return at(rows_.npv, Option::Stay) + "-" + at(rows_.npv, o); },
        [](const M& m) { return m.saved_npv_usd; });
    const MoneyInputs& inputs = plan_.scenario.money;
    needed_ = row(
        "Saving that is worth the risk", Style::Usd,
        [&](Option o) {
          if (o == Option::Stay) return std::string("0");
          return fmt::format("MAX(min_return_share*{},min_saving_usd_month*horizon_months)",
                             at(fleet_, o));
        },
        [&](const M& m) {
          if (m.option == Option::Stay) return 0.0;
          return std::max(inputs.min_return_share * m.fleet_npv_usd,
                          inputs.min_saving_usd_month * inputs.horizon_months);
        });
    qualifies_ = row(
        "Worth advising (1: yes)", Style::Count,
        [&](Option o) {
          if (o == Option::Stay) return std::string("0");
          return fmt::format("IF(AND({}>0,{}>={}),1,0)", in(o, "nodes_min"), at(rows_.saved, o),
                             at(needed_, o));
        },
        [](const M& m) { return m.qualifies ? 1.0 : 0.0; });
  }

  void chart() {
    Chart chart{ChartKind::Line, "Cash out so far", "month", "USD", {}};
    chart.width_px = 980;
    chart.label_every = 6;
    for (const Option option : kAllOptions) {
      if (!plan_.money.of(option).available) continue;
      const int last = static_cast<int>(plan_.scenario.money.horizon_months);
      chart.series.push_back({std::string(option_title(option)),
                              tco_range(tco_, option, "month", last),
                              tco_range(tco_, option, "cum_cash", last), option_colour(option),
                              option != Option::Stay});
    }
    breaks_.push_back(++next_);
    book_.chart(sheet_, next_, 0, chart);
    next_ += kChartRows;
  }

  // What of the bill a move takes away: list price, discount, commitment.
  void month() {
    section("A month of today's load: what a move would save of the bill");
    const std::string owed = "IF(commitment_months>0,commitment_usd_month,0)";
    const auto at_list = row(
        "API bill at list price", Style::Usd,
        [](Option) { return std::string("bill_list_usd_month*api_price_factor"); },
        [](const M& m) { return m.bill_month.list; });
    const auto off = row(
        "less your discount", Style::Usd,
        [&](Option o) { return "-" + at(at_list, o) + "*negotiated_discount"; },
        [](const M& m) { return -m.bill_month.discount; });
    const auto bill = row(
        "API bill after discount", Style::TotalUsd,
        [&](Option o) { return at(at_list, o) + "+" + at(off, o); },
        [](const M& m) { return m.bill_month.paid; });
    const auto served = row(
        "of it, the work that the machines would serve", Style::Usd,
        [&](Option o) {
          return fmt::format("IF({}>0,{}*{}*(1-negotiated_discount)*api_price_factor,0)",
                             in(o, "nodes_min"), in(o, "moved_usd_month"),
                             tco_cell(tco_, o, "served", 0));
        },
        [](const M& m) { return m.bill_month.served; });
    const auto failover = row(
        "of it, moved work that comes back: assumed failures", Style::Usd,
        [&](Option o) {
          return fmt::format("IF({}>0,{}*{}*{}*(1-negotiated_discount)*api_price_factor,0)",
                             in(o, "nodes_min"), in(o, "moved_usd_month"),
                             tco_cell(tco_, o, "fits", 0), tco_cell(tco_, o, "down", 0));
        },
        [](const M& m) { return m.bill_month.failover; });
    row(
        "of it, work that stays at the API", Style::Usd,
        [&](Option o) {
          return without_noise(
              fmt::format("({}-{}-{})", at(bill, o), at(served, o), at(failover, o)));
        },
        [](const M& m) {
          return without_noise(m.bill_month.paid - m.bill_month.served - m.bill_month.failover);
        });
    avoidable_ = row(
        "Avoidable: no longer due once it has moved", Style::TotalUsd,
        [&](Option o) {
          return fmt::format("MAX({0},{2})-MAX({0}-{1},{2})", at(bill, o), at(served, o), owed);
        },
        [](const M& m) { return m.bill_month.avoidable; });
    row(
        "Due all the same, for the commitment", Style::Usd,
        [&](Option o) { return without_noise(at(served, o) + "-" + at(avoidable_, o)); },
        [](const M& m) { return without_noise(m.bill_month.due_anyway); });
  }

  void all_in() {
    section("The same month: what the machines cost, all in");
    const auto nodes = row(
        "Nodes", Style::Count, [&](Option o) { return tco_cell(tco_, o, "nodes", 0); },
        [](const M& m) { return m.months[0].nodes; });
    const auto hardware = row(
        "Price of the machines", Style::Usd,
        [&](Option o) {
          return at(nodes, o) + "*" + in(o, "node_price_usd") + "*hardware_price_factor";
        },
        [](const M& m) { return m.months[0].capex_hardware; });
    const auto mtok = row(
        "Mtok served", Style::Count,
        [&](Option o) { return in(o, "moved_mtok_month") + "*" + tco_cell(tco_, o, "served", 0); },
        [](const M& m) { return m.all_in.mtok; });
    const std::uint32_t first = next_;
    place_rows(nodes, hardware, mtok);
    running_rows(nodes, hardware);
    const std::uint32_t last = next_ - 1;
    rows_.all_in = row(
        "All in", Style::TotalUsd,
        [&](Option o) { return "SUM(" + at(first, o) + ":" + at(last, o) + ")"; },
        [](const M& m) { return m.all_in.total; });
    row(
        "USD per Mtok processed", Style::UsdCent,
        [&](Option o) {
          return fmt::format("IF({0}>0,{1}/MAX(0.000000001,{0}),0)", at(mtok, o),
                             at(rows_.all_in, o));
        },
        [](const M& m) { return m.all_in.usd_per_mtok; });
    row(
        "Avoidable less all in: saved in such a month", Style::TotalUsd,
        [&](Option o) { return at(avoidable_, o) + "-" + at(rows_.all_in, o); },
        [](const M& m) { return m.bill_month.avoidable - m.all_in.total; });
    sheet_.note(next_++, 0, kLastCol,
                "Of today's load at today's prices. That API prices and the load change, and that "
                "machines come later than the order, is in the months and in the totals above.");
  }

  void place_rows(std::uint32_t nodes, std::uint32_t hardware, std::uint32_t mtok) {
    row(
        "Capital: annuity of price and installation less the worth at the end", Style::Usd,
        [&](Option o) {
          const std::string spread = fmt::format(
              "({0}*(1+install_share+IF({3}>=1,0,spares_share))+IF(AND({1}>0,{2}>0),room_once_usd,"
              "0)"
              "-{0}*residual_share/POWER(1+wacc,depreciation_years))",
              at(hardware, o), at(nodes, o), in(o, "node_price_usd"), in(o, "spare_nodes"));
          return fmt::format(
              "IF(wacc=0,{0}/(depreciation_years*12),"
              "{0}*(wacc/12)/(1-POWER(1+wacc/12,-(depreciation_years*12))))",
              spread);
        },
        [](const M& m) { return m.all_in.capital; });
    row(
        "Electricity", Style::Usd,
        [&](Option o) {
          const std::string busy =
              fmt::format("IF({0}>0,MIN(1,{1}/MAX(0.000000001,{0}*{2}*capacity_factor)),0)",
                          at(nodes, o), at(mtok, o), in(o, "node_mtok_month"));
          return fmt::format(
              "{}*{}*(idle_draw_share+(load_draw_share-idle_draw_share)*{})*pue*730*"
              "electricity_usd_kwh",
              at(nodes, o), in(o, "node_kw_max"), busy);
        },
        [](const M& m) { return m.all_in.power; });
    row(
        "Space: colocation or own room", Style::Usd,
        [&](Option o) {
          return fmt::format(
              "IF({0}>0,{0}*{1}*colocation_usd_kw_month+IF({2}>0,room_usd_month,0),0)",
              at(nodes, o), in(o, "node_kw_max"), in(o, "node_price_usd"));
        },
        [](const M& m) { return m.all_in.site; });
    row(
        "Uplink", Style::Usd,
        [&](Option o) {
          return fmt::format("IF(AND({}>0,{}>0),network_usd_month,0)", at(nodes, o),
                             in(o, "node_price_usd"));
        },
        [](const M& m) { return m.all_in.network; });
  }

  void running_rows(std::uint32_t nodes, std::uint32_t hardware) {
    row(
        "Vendor support", Style::Usd,
        [&](Option o) { return at(hardware, o) + "*support_share/12"; },
        [](const M& m) { return m.all_in.support; });
    row(
        "Licences", Style::Usd,
        [&](Option o) {
          return at(nodes, o) + "*" + in(o, "gpus_per_node") + "*software_usd_gpu_year/12";
        },
        [](const M& m) { return m.all_in.software; });
    row(
        "People", Style::Usd,
        [&](Option o) {
          return fmt::format(
              "IF({0}>0,(fte_first_nodes+fte_per_further_node*MAX(0,{0}-first_nodes))*{1}*"
              "staff_usd_year/12+on_call_usd_month,0)",
              at(nodes, o), in(o, "staff_factor"));
        },
        [](const M& m) { return m.all_in.staff; });
    row(
        "Rented GPUs", Style::Usd,
        [&](Option o) {
          return at(nodes, o) + "*" + in(o, "gpus_per_node") + "*730*" +
                 in(o, "rent_usd_gpu_hour") + "*rent_price_factor";
        },
        [](const M& m) { return m.all_in.rent; });
    row(
        "Lost service, assumed failures", Style::Usd,
        [&](Option o) {
          return tco_cell(tco_, o, "work_nodes", 0) + "*" + tco_cell(tco_, o, "down", 0) +
                 "*730*outage_usd_hour";
        },
        [](const M& m) { return m.all_in.outage; });
  }

  void years() {
    int written = 0;
    for (const Option option : kAllOptions) {
      if (!plan_.money.of(option).available) continue;
      if (written++ % 2 == 0) breaks_.push_back(next_ + 1);
      next_ = write_years(sheet_, tco_, plan_.money.of(option), next_ + 1);
    }
  }

  void sampled() {
    breaks_.push_back(next_ + 1);
    section("Sampled over the ranges of the inputs (results of the program: not recalculated)");
    const auto line = [&](const char* title, Style style, const auto& value) {
      sheet_.text(next_, 0, title);
      for (const OptionSpread& spread : plan_.sensitivity.spread) {
        if (spread.option == Option::Stay && style != Style::Share) continue;
        sheet_.number(next_, col(spread.option), value(spread), style);
      }
      ++next_;
    };
    using S = OptionSpread;
    line("Money back in month, p10", Style::Month,
         [](const S& s) { return s.break_even_month.p10; });
    line("Money back in month, p50", Style::Month,
         [](const S& s) { return s.break_even_month.p50; });
    line("Money back in month, p90", Style::Month,
         [](const S& s) { return s.break_even_month.p90; });
    line("Saved against staying, p10", Style::Usd, [](const S& s) { return s.saved_npv_usd.p10; });
    line("Saved against staying, p50", Style::Usd, [](const S& s) { return s.saved_npv_usd.p50; });
    line("Saved against staying, p90", Style::Usd, [](const S& s) { return s.saved_npv_usd.p90; });
    line("Is the answer in so much of the draws", Style::Share,
         [](const S& s) { return s.share_best; });
  }

  // What the verdict is chosen by.
  void workings() {
    section("How the verdict is chosen");
    score_ = row(
        "Saved, where worth advising", Style::Usd,
        [&](Option o) {
          return fmt::format("IF({}=1,{},0)", at(qualifies_, o), at(rows_.saved, o));
        },
        [](const M& m) { return m.qualifies ? m.saved_npv_usd : 0.0; });
    compared_ = row(
        "Saved, where there is such a way", Style::UsdOrNone,
        [&](Option o) {
          if (o == Option::Stay) return std::string("-999999999999");
          return fmt::format("IF({}>0,{},-999999999999)", in(o, "nodes_min"), at(rows_.saved, o));
        },
        [](const M& m) {
          return m.option != Option::Stay && m.available ? m.saved_npv_usd : -999999999999.0;
        });
  }

  std::string fleets(std::uint32_t row) const {
    return cell_fixed(row, col(Option::Own)) + ":" + cell_fixed(row, col(Option::Rent));
  }

  void answer() {
    const Option best = plan_.money.best;
    const Option focus = plan_.sensitivity.focus;
    const std::string scores = fleets(score_), saved = fleets(compared_), names = fleets(kNames);
    sheet_.text(next_, 0, "By the money alone");
    sheet_.formula_text(
        next_, 1,
        fmt::format("=IF(MAX({0})<=0,\"stay\",INDEX({1},1,MATCH(MAX({0}),{0},0)))", scores, names),
        std::string(option_name(best)), Style::Plain);
    const std::string best_cell = cell_fixed(next_++, 1);
    sheet_.text(next_, 0, "The answer, or the best other way");
    sheet_.formula_text(next_, 1,
                        fmt::format("=IF({0}<>\"stay\",{0},IF(MAX({1})<=-999999999999,\"stay\","
                                    "INDEX({2},1,MATCH(MAX({1}),{1},0))))",
                                    best_cell, saved, names),
                        std::string(option_name(focus)), Style::Plain);
    book_.define("focus", sheet_.ref(next_++, 1));
    sheet_.formula_text(kVerdictRow, 1,
                        fmt::format("=IF(contradiction<>\"\",\"check inputs\","
                                    "IF(AND(unexplained_share>unexplained_limit,despite_gap=0),"
                                    "\"no advice\",{}))",
                                    best_cell),
                        plan_.verdict.word, Style::Answer);
    book_.define("verdict", sheet_.ref(kVerdictRow, 1));
  }

  Workbook& book_;
  Sheet& sheet_;
  const Sheet& tco_;
  const Plan& plan_;
  EvenRows rows_;
  std::uint32_t next_ = 0;
  std::uint32_t net_ = 0, fleet_ = 0, needed_ = 0, qualifies_ = 0, avoidable_ = 0, score_ = 0;
  std::uint32_t compared_ = 0;
  std::vector<std::uint32_t> breaks_;  // rows that begin a page
};

}  // namespace

EvenRows write_break_even(Workbook& book, Sheet& sheet, const Sheet& tco, const Plan& plan) {
  return EvenSheet(book, sheet, tco, plan).write();
}

}  // namespace fh::planner
