// See workbook_years.h.
#include "planner/workbook_years.h"

#include <fmt/format.h>

#include <cmath>

#include "planner/workbook_tco.h"

namespace fh::planner {
namespace {

constexpr int kYears = kMonthsMax / 12;

// A part of the costs in the tables of years.
struct YearLine {
  const char* title;
  std::vector<std::string_view> columns;  // of the sheet TCO, added up
  double MonthRow::* values[2];
  int sign;
};

const std::vector<YearLine>& year_lines() {
  using R = MonthRow;
  static const std::vector<YearLine> lines = {
      {"API usage, after discount, commitment and credits",
       {"api_cash"},
       {&R::api_cash, nullptr},
       1},
      {"Seats and plans", {"seats"}, {&R::seats, nullptr}, 1},
      {"Machines", {"capex_hardware"}, {&R::capex_hardware, nullptr}, 1},
      {"Installation, spares, room", {"capex_other"}, {&R::capex_other, nullptr}, 1},
      {"Evaluation and migration", {"one_off"}, {&R::one_off, nullptr}, 1},
      {"Electricity", {"power"}, {&R::power, nullptr}, 1},
      {"Space and uplink", {"site", "network"}, {&R::site, &R::network}, 1},
      {"Vendor support and licences", {"support", "software"}, {&R::support, &R::software}, 1},
      {"People", {"staff"}, {&R::staff, nullptr}, 1},
      {"Rented GPUs", {"rent"}, {&R::rent, nullptr}, 1},
      {"Lost service, assumed failures", {"outage"}, {&R::outage, nullptr}, 1},
      {"Cash out", {}, {nullptr, nullptr}, 1},
      {"less the machines' worth at the end", {"resale"}, {&R::resale, nullptr}, -1},
      {"In the API usage: assumed failures", {"api_failover"}, {&R::api_failover, nullptr}, 1},
      {"For comparison: depreciation", {"depreciation"}, {&R::depreciation, nullptr}, 1},
      {"Cost in the income statement", {"pnl"}, {&R::pnl, nullptr}, 1},
      {"Present value", {"present"}, {&R::present, nullptr}, 1},
  };
  return lines;
}

class YearsTable {
 public:
  YearsTable(Sheet& sheet, const Sheet& tco, const OptionMoney& money, std::uint32_t row)
      : sheet_(sheet), tco_(tco), money_(money), next_(row) {}

  std::uint32_t write() {
    std::vector<Head> heads = {"By year, USD: " + std::string(option_title(money_.option)),
                               num("Order")};
    for (int year = 1; year <= kYears; ++year) heads.push_back(num(fmt::format("Year {}", year)));
    heads.push_back(num("Total"));
    sheet_.headers(next_++, heads);
    first_ = next_;
    for (const YearLine& line : year_lines()) write_line(line);
    return next_;
  }

 private:
  double in_year(double MonthRow::* value, int year) const {
    double sum = 0;
    for (const MonthRow& row : money_.months) {
      if (static_cast<int>(std::ceil(row.month / 12)) == year) sum += row.*value;
    }
    return sum;
  }

  void write_line(const YearLine& line) {
    const bool total = line.columns.empty();
    const Style style = total ? Style::TotalUsd : Style::Usd;
    sheet_.text(next_, 0, line.title, total ? Style::TotalLabel : Style::Plain);
    double all = 0;
    for (int year = 0; year <= kYears; ++year) {
      all += total ? sum_cell(year) : year_cell(line, year);
    }
    sheet_.formula(next_, kYearsLastCol,
                   fmt::format("=SUM({}:{})", cell_name(next_, 1), cell_name(next_, kYears + 1)),
                   all, style);
    ++next_;
  }

  // All lines above, in the year of column `year`; 0 is the order.
  double sum_cell(int year) {
    const std::uint32_t col = 1 + static_cast<std::uint32_t>(year);
    const double value = in_year(&MonthRow::cash, year);
    sheet_.formula(next_, col,
                   fmt::format("=SUM({}:{})", cell_name(first_, col), cell_name(next_ - 1, col)),
                   value, Style::TotalUsd);
    return value;
  }

  double year_cell(const YearLine& line, int year) {
    std::string formula = line.sign < 0 ? "=-(" : "=";
    double value = 0;
    for (std::size_t i = 0; i < line.columns.size(); ++i) {
      formula += fmt::format("{}SUMIF({},{},{})", i == 0 ? "" : "+",
                             tco_range(tco_, money_.option, "year"), year,
                             tco_range(tco_, money_.option, line.columns[i]));
      value += line.sign * in_year(line.values[i], year);
    }
    if (line.sign < 0) formula += ")";
    sheet_.formula(next_, 1 + static_cast<std::uint32_t>(year), formula, value, Style::Usd);
    return value;
  }

  Sheet& sheet_;
  const Sheet& tco_;
  const OptionMoney& money_;
  std::uint32_t next_;
  std::uint32_t first_ = 0;
};

}  // namespace

std::uint32_t write_years(Sheet& sheet, const Sheet& tco, const OptionMoney& money,
                          std::uint32_t row) {
  return YearsTable(sheet, tco, money, row).write();
}

}  // namespace fh::planner
