// The columns of money.h's MonthRow with the formula of each. In a formula [x] is column x of the
// same row, [x<] of the row before (what it is worth before month 0 is said below), [stay.x] the
// same month of staying, {x} an input of the option; every other word is a defined name of the
// sheet Inputs or a function.
#include "planner/workbook_tco.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace fh::planner {
namespace {

enum class Band : std::uint8_t { Cash, Income, Value, Workings };
constexpr const char* kBandTitles[] = {"Cash: what is paid in the month, USD",
                                       "Income statement: machines spread over their life, USD",
                                       "Present value, USD", "Workings"};

struct Column {
  Band band;
  bool summed;  // has a total over the months
  std::string_view name;
  const char* title;
  double MonthRow::* value;  // nullptr: the year of the month
  const char* formula;       // nullptr: the month itself
  const char* of_stay;       // for the option Stay; nullptr: the same
  const char* before;        // [name<] in month 0
  Style style;
};

// clang-format off
constexpr Column kColumns[] = {
    {Band::Cash, false, "month", "Month", &MonthRow::month, nullptr, nullptr, "0", Style::Count},
    {Band::Cash, true, "api_cash", "API paid, after discount and credits", &MonthRow::api_cash, "MAX(0,[api_due]-[credits_left<])", nullptr, "0", Style::Usd},
    {Band::Cash, true, "seats", "Seats and plans", &MonthRow::seats, "seats_usd_month*IF([month]>0,[active],0)", nullptr, "0", Style::Usd},
    {Band::Cash, true, "power", "Electricity", &MonthRow::power, "[nodes]*{node_kw_max}*(idle_draw_share+(load_draw_share-idle_draw_share)*[busy])*pue*730*electricity_usd_kwh*[on]", nullptr, "0", Style::Usd},
    {Band::Cash, true, "site", "Space: colocation or own room", &MonthRow::site, "([nodes]*{node_kw_max}*colocation_usd_kw_month+IF({node_price_usd}>0,room_usd_month,0))*[on]", nullptr, "0", Style::Usd},
    {Band::Cash, true, "network", "Uplink", &MonthRow::network, "IF({node_price_usd}>0,network_usd_month,0)*[on]", nullptr, "0", Style::Usd},
    {Band::Cash, true, "support", "Vendor support", &MonthRow::support, "[cum_hardware]*support_share/12*[on]", nullptr, "0", Style::Usd},
    {Band::Cash, true, "software", "Licences", &MonthRow::software, "[nodes]*{gpus_per_node}*software_usd_gpu_year/12*[on]", nullptr, "0", Style::Usd},
    {Band::Cash, true, "staff", "People", &MonthRow::staff, "IF([nodes]>0,(fte_first_nodes+fte_per_further_node*MAX(0,[nodes]-first_nodes))*{staff_factor}*staff_usd_year/12+on_call_usd_month,0)*[on]", nullptr, "0", Style::Usd},
    {Band::Cash, true, "rent", "Rented GPUs", &MonthRow::rent, "[nodes]*{gpus_per_node}*730*{rent_usd_gpu_hour}*rent_price_factor*[on]", nullptr, "0", Style::Usd},
    {Band::Cash, true, "outage", "Lost service, assumed failures", &MonthRow::outage, "[work_nodes]*[down]*730*outage_usd_hour*[moved]", nullptr, "0", Style::Usd},
    {Band::Cash, true, "running", "Running the machines, sum", &MonthRow::running, "[power]+[site]+[network]+[support]+[software]+[staff]+[rent]+[outage]", nullptr, "0", Style::Usd},
    {Band::Cash, true, "capex_hardware", "Machines bought", &MonthRow::capex_hardware, "[bought]*{node_price_usd}*hardware_price_factor", nullptr, "0", Style::Usd},
    {Band::Cash, true, "capex_other", "Installation, spares, room", &MonthRow::capex_other, "[capex_hardware]*(install_share+IF({spare_nodes}>=1,0,spares_share))+IF(AND([month]=0,{nodes_min}>0,{node_price_usd}>0),room_once_usd,0)", nullptr, "0", Style::Usd},
    {Band::Cash, true, "one_off", "Evaluation and migration", &MonthRow::one_off, "IF(AND([month]=0,{nodes_min}>0),migration_usd,0)", nullptr, "0", Style::Usd},
    {Band::Cash, true, "cash", "Cash out", &MonthRow::cash, "[api_cash]+[seats]+[running]+[capex_hardware]+[capex_other]+[one_off]", nullptr, "0", Style::Usd},
    {Band::Cash, false, "cum_cash", "Cash out so far", &MonthRow::cum_cash, "[cum_cash<]+[cash]", nullptr, "0", Style::Usd},
    {Band::Cash, false, "saved", "Saved so far against staying", &MonthRow::saved, "[stay.cum_cash]-[cum_cash]", "0", "0", Style::Usd},
    {Band::Cash, false, "pays_back", "Month, if all is back", &MonthRow::pays_back, "IF(AND([moved]=1,[saved]>=-0.005),[month],9999)", "9999", "9999", Style::Month},
    {Band::Income, false, "cum_hardware", "Machines bought so far", &MonthRow::cum_hardware, "[cum_hardware<]+[capex_hardware]", nullptr, "0", Style::Usd},
    {Band::Income, false, "cum_other", "Installation and spares so far", &MonthRow::cum_other, "[cum_other<]+[capex_other]", nullptr, "0", Style::Usd},
    {Band::Income, true, "depreciation", "Depreciation", &MonthRow::depreciation, "[cum_hardware]*(1-residual_share)/(depreciation_years*12)*IF([month]>0,[active],0)+[cum_other]/(depreciation_years*12)*IF([month]>0,[active],0)", nullptr, "0", Style::Usd},
    {Band::Income, true, "pnl", "Cost in the income statement", &MonthRow::pnl, "[api_cash]+[seats]+[running]+[depreciation]+[one_off]", nullptr, "0", Style::Usd},
    {Band::Income, false, "book_hardware", "Machines, book value", &MonthRow::book_hardware, "[book_hardware<]+[capex_hardware]-[cum_hardware]*(1-residual_share)/(depreciation_years*12)*IF([month]>0,[active],0)", nullptr, "0", Style::Usd},
    {Band::Income, true, "resale", "Worth at the end", &MonthRow::resale, "IF([month]=horizon_months,[book_hardware],0)", nullptr, "0", Style::Usd},
    {Band::Value, false, "discount", "Discount factor", &MonthRow::discount, "POWER(1+wacc,-[month]/12)", nullptr, "1", Style::Factor},
    {Band::Value, true, "present", "Present value of cash less worth at the end", &MonthRow::present, "([cash]-[resale])*[discount]", nullptr, "0", Style::Usd},
    {Band::Value, true, "fleet_present", "of which the machines", &MonthRow::fleet_present, "([running]+[capex_hardware]+[capex_other]+[one_off]-[resale])*[discount]", nullptr, "0", Style::Usd},
    {Band::Workings, false, "active", "Within the horizon", &MonthRow::active, "IF([month]<=horizon_months,1,0)", nullptr, "0", Style::Count},
    {Band::Workings, false, "year", "Year", nullptr, "ROUNDUP([month]/12,0)", nullptr, "0", Style::Count},
    {Band::Workings, false, "load", "Load, today = 1", &MonthRow::load, "POWER(1+load_growth_per_year,MAX([month]-1,0)/12)", nullptr, "0", Style::Factor},
    {Band::Workings, false, "price", "API prices, today = 1", &MonthRow::price, "api_price_factor*POWER(1+api_price_change_per_year,MAX([month]-1,0)/12)*IF(AND(scheduled_from_month>0,[month]>=scheduled_from_month),scheduled_price_factor,1)", nullptr, "0", Style::Factor},
    {Band::Workings, false, "work_nodes", "Nodes the work needs", &MonthRow::work_nodes, "IF({nodes_min}>0,MAX({nodes_min},IF({spills}=1,MIN(ROUNDDOWN(ROUND({moved_mtok_month}*[load]/MAX(0.000000001,{node_mtok_month}*MIN(1,{utilisation})),6),0),ROUNDUP(ROUND({moved_mtok_month}*[load]/MAX(0.000000001,{node_mtok_month}*capacity_factor*MIN(1,{utilisation}*utilisation_factor)),6),0)),ROUNDUP(ROUND({moved_mtok_month}*[load]/MAX(0.000000001,{node_mtok_month}*capacity_factor*MIN(1,{utilisation}*utilisation_factor)),6),0)))*[active],0)", nullptr, "0", Style::Count},
    {Band::Workings, false, "fits", "Share of the moved work that fits", &MonthRow::fits, "IF({spills}=1,MIN(1,[work_nodes]*{node_mtok_month}*capacity_factor*MIN(1,{utilisation}*utilisation_factor)/MAX(0.000000001,{moved_mtok_month}*[load])),1)", "1", "0", Style::Share},
    {Band::Workings, false, "down", "Share of the time a node is out, without a spare", &MonthRow::down, "IF(OR({nodes_min}=0,[nodes]-[work_nodes]>=1),0,MIN(1,node_failures_year*IF({node_price_usd}>0,repair_hours,rented_repair_hours)/8760))", "0", "0", Style::Share},
    {Band::Workings, false, "served", "Share of the moved work served", &MonthRow::served, "[fits]*(1-[down])", nullptr, "0", Style::Share},
    {Band::Workings, false, "nodes", "Nodes with spares", &MonthRow::nodes, "IF({nodes_min}>0,MAX([nodes<],[work_nodes]+{spare_nodes}*[active]),0)", nullptr, "0", Style::Count},
    {Band::Workings, true, "bought", "Nodes added", &MonthRow::bought, "[nodes]-[nodes<]", nullptr, "0", Style::Count},
    {Band::Workings, false, "on", "Nodes run", &MonthRow::on, "IF(AND({nodes_min}>0,[month]>{lead_months},[month]>0),[active],0)", nullptr, "0", Style::Count},
    {Band::Workings, false, "moved", "Work has moved", &MonthRow::moved, "IF(AND({nodes_min}>0,[month]>{lead_months}+double_running_months,[month]>0),[active],0)", nullptr, "0", Style::Count},
    {Band::Workings, true, "own_mtok", "Mtok served", &MonthRow::own_mtok, "{moved_mtok_month}*[load]*[served]*[moved]", nullptr, "0", Style::Count},
    {Band::Workings, false, "busy", "Busy", &MonthRow::busy, "IF([nodes]>0,MIN(1,[own_mtok]/MAX(0.000000001,[nodes]*{node_mtok_month}*capacity_factor)),0)", nullptr, "0", Style::Share},
    {Band::Workings, true, "api_failover", "of API used: assumed failures", &MonthRow::api_failover, "{moved_usd_month}*[fits]*[down]*[moved]*(1-negotiated_discount)*[load]*[price]", nullptr, "0", Style::Usd},
    {Band::Workings, true, "api_used", "API used, after discount", &MonthRow::api_used, "MAX(0,bill_list_usd_month-{moved_usd_month}*[served]*[moved])*(1-negotiated_discount)*[load]*[price]*IF([month]>0,[active],0)", nullptr, "0", Style::Usd},
    {Band::Workings, true, "api_due", "API due, with commitment", &MonthRow::api_due, "MAX([api_used],IF([month]<=commitment_months,commitment_usd_month,0)*IF([month]>0,[active],0))", nullptr, "0", Style::Usd},
    {Band::Workings, false, "credits_left", "Credits left", &MonthRow::credits_left, "MAX(0,[credits_left<]-[api_due])", nullptr, "credits_usd", Style::Usd},
};
// clang-format on

constexpr std::uint32_t kChartRows = 21;
constexpr std::uint32_t kFirstBlock = 3 + kChartRows;  // row of the first block's title
constexpr std::uint32_t kHeadRows = 4;                 // title, bands, header, totals
constexpr std::uint32_t kBlockRows = kHeadRows + kMonthsMax + 1 + 2;  // and blank ones
constexpr int kPrintScale = 50;  // per cent: a block's months on one page

std::uint32_t row_of(Option option, int month) {
  return kFirstBlock + static_cast<std::uint32_t>(option) * kBlockRows + kHeadRows +
         static_cast<std::uint32_t>(month);
}

std::uint32_t col_of(std::string_view name) {
  for (std::uint32_t i = 0; i < std::size(kColumns); ++i) {
    if (kColumns[i].name == name) return i;
  }
  FH_CHECK(false);
  return 0;
}

// What stands for "[...]".
std::string column_text(std::string_view inside, Option option, int month) {
  constexpr std::string_view kStay = "stay.";
  if (inside.starts_with(kStay)) {
    return cell_name(row_of(Option::Stay, month), col_of(inside.substr(kStay.size())));
  }
  if (!inside.ends_with('<')) return cell_name(row_of(option, month), col_of(inside));
  inside.remove_suffix(1);
  const std::uint32_t col = col_of(inside);
  return month == 0 ? kColumns[col].before : cell_name(row_of(option, month - 1), col);
}

std::string expand(std::string_view text, Option option, int month) {
  std::string out = "=";
  while (!text.empty()) {
    const std::size_t open = text.find_first_of("[{");
    out += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const bool column = text[open] == '[';
    const std::size_t close = text.find(column ? ']' : '}', open);
    FH_CHECK(close != std::string_view::npos);
    const std::string_view inside = text.substr(open + 1, close - open - 1);
    out += column ? column_text(inside, option, month) : option_name_of(option, inside);
    text.remove_prefix(close + 1);
  }
  return out;
}

void write_heads(Sheet& sheet, const OptionMoney& money) {
  const std::uint32_t top = row_of(money.option, 0) - kHeadRows;
  std::vector<Head> heads;
  sheet.text(top + 1, 0, "", Style::Band);
  for (std::uint32_t col = 0; col < std::size(kColumns); ++col) {
    const Column& column = kColumns[col];
    // A band begins a page of its own but for the present value, and says whose months these are.
    if (col > 0) {
      const bool first = col == 1 || kColumns[col - 1].band != column.band;
      if (first && column.band != Band::Value) {
        sheet.text(top, col, option_title(money.option), Style::Title);
      }
      sheet.text(top + 1, col, first ? kBandTitles[static_cast<std::size_t>(column.band)] : "",
                 Style::Band);
    }
    heads.push_back(num(column.title));
  }
  sheet.headers(top + 2, heads);
}

void write_totals(Sheet& sheet, const OptionMoney& money) {
  const std::uint32_t row = row_of(money.option, 0) - 1;
  sheet.text(row, 0, "Total", Style::TotalLabel);
  for (std::uint32_t col = 1; col < std::size(kColumns); ++col) {
    const Column& column = kColumns[col];
    if (!column.summed) {
      sheet.text(row, col, "", Style::TotalLabel);
      continue;
    }
    double sum = 0;
    for (const MonthRow& month : money.months) sum += month.*column.value;
    sheet.formula(row, col, "=SUM(" + tco_range(sheet, money.option, column.name) + ")", sum,
                  column.style == Style::Usd ? Style::TotalUsd : column.style);
  }
}

void write_block(Sheet& sheet, const OptionMoney& money) {
  write_heads(sheet, money);
  write_totals(sheet, money);
  for (int month = 0; month <= kMonthsMax; ++month) {
    const MonthRow& row = money.months[static_cast<std::size_t>(month)];
    for (std::uint32_t col = 0; col < std::size(kColumns); ++col) {
      const Column& column = kColumns[col];
      const bool stay = money.option == Option::Stay && column.of_stay != nullptr;
      const char* formula = stay ? column.of_stay : column.formula;
      if (formula == nullptr) {
        sheet.number(row_of(money.option, month), col, month, column.style);
      } else {
        const double value = column.value == nullptr ? std::ceil(month / 12.0) : row.*column.value;
        sheet.formula(row_of(money.option, month), col, expand(formula, money.option, month), value,
                      column.style);
      }
    }
  }
  const std::uint32_t first = row_of(money.option, 0);
  sheet.grey_where(fmt::format("=$A{}>horizon_months", first + 1), first, 0,
                   row_of(money.option, kMonthsMax), std::size(kColumns) - 1);
}

}  // namespace

std::string option_name_of(Option option, std::string_view key) {
  if (option == Option::Stay) return "0";
  return std::string(option_name(option)) + "_" + std::string(key);
}

std::string tco_range(const Sheet& sheet, Option option, std::string_view column, int last) {
  const std::uint32_t col = col_of(column);
  return sheet.range(row_of(option, 0), col, row_of(option, last), col);
}

std::string tco_cell(const Sheet& sheet, Option option, std::string_view column, int month) {
  return sheet.ref(row_of(option, month), col_of(column));
}

// Characters that the largest number on the sheet takes: "-$12,345,678". Narrower ones show ###.
double characters_of(const Money& money) {
  double largest = 1;
  for (const OptionMoney& option : money.options) {
    double tokens = 0, costs = 0;
    for (const MonthRow& row : option.months) {
      tokens += row.own_mtok;
      costs += std::abs(row.pnl);
      for (const double value : {row.cum_cash, row.saved, row.cum_hardware})
        largest = std::max(largest, std::abs(value));
    }
    largest = std::max({largest, tokens, costs});
  }
  const double digits = std::floor(std::log10(largest)) + 1;
  return std::max(11.0, digits + std::floor((digits - 1) / 3) + 2.5);
}

void write_tco(Workbook& book, Sheet& sheet, const Money& money, double horizon_months) {
  sheet.width(0, 0, 7);
  const double characters = characters_of(money);
  sheet.width(1, std::size(kColumns) - 1, characters);
  sheet.text(0, 0, "Total cost of ownership, month by month", Style::Title);
  sheet.text(1, 0,
             "USD of the month, no tax. Month 0 is the order. Every cell is a formula on the sheet "
             "Inputs; grey months lie past the horizon and are zero. The sums by year stand on the "
             "sheet Break-even.",
             Style::Note);
  for (const OptionMoney& option : money.options) write_block(sheet, option);
  sheet.freeze(0, 1);
  Chart chart{ChartKind::Line, "Cost by month in the income statement", "month", "USD a month", {}};
  const auto last = static_cast<int>(horizon_months);
  for (const OptionMoney& option : money.options) {
    if (!option.available) continue;
    const std::uint32_t month = col_of("month");
    const std::uint32_t cost = col_of("pnl");
    chart.series.push_back(
        {std::string(option_title(option.option)),
         sheet.range(row_of(option.option, 1), month, row_of(option.option, last), month),
         sheet.range(row_of(option.option, 1), cost, row_of(option.option, last), cost),
         option_colour(option.option), option.option != Option::Stay});
  }
  chart.width_px = 1'100;
  chart.label_every = 6;
  book.chart(sheet, 3, 1, chart);
  std::vector<std::uint32_t> above;
  for (const Option option : kAllOptions) above.push_back(row_of(option, 0) - kHeadRows);
  std::vector<std::uint32_t> left;
  for (std::uint32_t col = 1; col < std::size(kColumns); ++col) {
    const bool starts = kColumns[col - 1].band != kColumns[col].band;
    if (starts && kColumns[col].band != Band::Value) left.push_back(col);
  }
  sheet.print_in_parts(static_cast<int>(kPrintScale * 11 / characters), above, left);
}

std::uint32_t option_colour(Option option) {
  switch (option) {
    case Option::Stay: return 0x55606A;
    case Option::Own: return 0x0A6F80;
    case Option::Hybrid: return 0xC77411;
    case Option::Rent: return 0x6A4AA8;
  }
  return 0;
}

}  // namespace fh::planner
