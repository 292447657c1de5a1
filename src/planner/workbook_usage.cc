// The sheet Usage: one line per day, workload, model and tier, with totals, the monthly figures of
// each workload and the daily bill as formulas over the lines.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "planner/workbook_charges.h"
#include "planner/workbook_sheets.h"

namespace fh::planner {
namespace {

constexpr std::size_t kLinesMax = 10'000;  // above, days are folded into months
constexpr std::uint32_t kDaysChartMax = 400;
constexpr std::uint32_t kCharges = 5;  // row of the comparison with the charges
constexpr std::uint32_t kChartRows = 21;
constexpr std::uint32_t kColours[] = {0x0A6F80, 0xD98A2B, 0x6A4AA8, 0x4F86B8, 0x8AA35B, 0x7D8890};
constexpr std::int32_t kSerialOfEpoch = 25'569;  // 1970-01-01 in a spreadsheet

constexpr std::uint32_t kDay = 0, kIndex = 4, kTokens = 12, kUsd = 13, kFactor = 14, kToday = 15;

std::uint64_t* counts_of(ClassTotals& tokens, std::size_t i) {
  std::uint64_t* const all[] = {&tokens.input_uncached, &tokens.cache_read,
                                &tokens.cache_write_5m, &tokens.cache_write_30m,
                                &tokens.cache_write_1h, &tokens.output};
  return all[i];
}

// First day of the month of `day`.
std::int32_t month_of(std::int32_t day) {
  const std::string text = date_text(day);
  return day - (text[8] - '0') * 10 - (text[9] - '0') + 1;
}

std::vector<UsageLine> folded(const std::vector<UsageLine>& lines) {
  if (lines.size() <= kLinesMax) return lines;
  std::map<std::tuple<std::int32_t, std::uint32_t, std::string, std::string>, UsageLine> months;
  for (const UsageLine& line : lines) {
    const std::int32_t month = month_of(line.day);
    UsageLine& sum = months[{month, line.workload, line.model, line.tier}];
    const double today = sum.usd_today() + line.usd_today();
    sum.day = month;
    sum.workload = line.workload;
    sum.model = line.model;
    sum.tier = line.tier;
    sum.requests += line.requests;
    sum.tokens.add(line.tokens);
    sum.usd += line.usd;
    sum.today_factor = sum.usd > 0 ? today / sum.usd : 1;
  }
  std::vector<UsageLine> out;
  for (auto& [key, line] : months) out.push_back(std::move(line));
  return out;
}

struct Lines {
  std::uint32_t first_workload = 0;
  std::uint32_t first = 0, last = 0;  // rows
};

void write_lines(Sheet& sheet, const Plan& plan, const std::vector<UsageLine>& lines,
                 const Lines& at) {
  sheet.headers(at.first - 1,
                {"Day", "Workload", "Model", "Tier", num("Workload no."), num("Requests"),
                 num("Input, not cached, tokens"), num("Cache read, tokens"),
                 num("Cache write 5 min, tokens"), num("Cache write 30 min, tokens"),
                 num("Cache write 1 h, tokens"), num("Output, tokens"), num("All, tokens"),
                 num("List price that day, USD"), num("Today's price / that day's"),
                 num("List price today, USD")});
  std::uint32_t row = at.first;
  for (const UsageLine& line : lines) {
    sheet.number(row, kDay, line.day + kSerialOfEpoch, Style::Date);
    sheet.number(row, kIndex, line.workload + 1, Style::Count);
    sheet.text(row, 1, plan.workloads[line.workload].name);
    sheet.text(row, 2, line.model);
    sheet.text(row, 3, line.tier);
    if (line.requests > 0) {
      sheet.number(row, 5, static_cast<double>(line.requests), Style::Count);
    } else {
      sheet.text(row, 5, "not counted", Style::Note);
    }
    ClassTotals tokens = line.tokens;
    for (std::uint32_t i = 0; i < 6; ++i) {
      sheet.number(row, 6 + i, static_cast<double>(*counts_of(tokens, i)), Style::Count);
    }
    sheet.formula(row, kTokens,
                  fmt::format("=SUM({}:{})", cell_name(row, 6), cell_name(row, kTokens - 1)),
                  static_cast<double>(tokens.total()), Style::Count);
    sheet.number(row, kUsd, line.usd, Style::UsdCent);
    sheet.number(row, kFactor, line.today_factor, Style::Factor);
    sheet.formula(row, kToday, fmt::format("={}*{}", cell_name(row, kUsd), cell_name(row, kFactor)),
                  line.usd_today(), Style::UsdCent);
    ++row;
  }
}

void write_workloads(Workbook& book, Sheet& sheet, const Plan& plan, const Lines& at) {
  sheet.headers(at.first_workload - 1,
                {"May move", "Workload", "Models now", "", num("Workload no."),
                 num("List price, USD a month"), num("Mtok a month"), num("Requests")});
  const std::string index = sheet.range(at.first, kIndex, at.last, kIndex);
  std::uint32_t row = at.first_workload;
  for (const WorkloadPlan& workload : plan.workloads) {
    sheet.text(row, 0, workload.may_move ? "yes" : "no, stays");
    sheet.text(row, 1, workload.name);
    sheet.number(row, 4, row - at.first_workload + 1, Style::Count);
    const auto monthly = [&](std::uint32_t col, const char* scale) {
      return fmt::format("=SUMIF({},{},{}){}/usage_days*365/12", index, cell_name(row, 4),
                         sheet.range(at.first, col, at.last, col), scale);
    };
    sheet.formula(row, 5, monthly(kToday, ""), workload.usd_month, Style::UsdCent);
    sheet.formula(row, 6, monthly(kTokens, "/1000000"), workload.mtok_month, Style::Count);
    sheet.number(row, 7, static_cast<double>(workload.requests), Style::Count);
    if (workload.requests_estimated) sheet.text(row, 8, "estimated", Style::Note);
    std::string models;
    for (const std::string& model : workload.models) {
      models += (models.empty() ? "" : ", ") + model;
    }
    sheet.text(row, 2, models, Style::Wrapped);
    sheet.fit_row(row, {{2, models.size()}});
    ++row;
  }
  const auto last = static_cast<std::uint32_t>(at.first_workload + plan.workloads.size() - 1);
  book.define("workload_usd", sheet.range(at.first_workload, 5, last, 5));
  book.define("workload_mtok", sheet.range(at.first_workload, 6, last, 6));
}

// The bill by day and workload, at the prices of the day, and its chart.
void write_days(Workbook& book, Sheet& sheet, const Plan& plan, const Lines& at) {
  const std::int32_t first = plan.profile.first_day;
  const std::uint32_t days = plan.profile.days_covered();
  if (days > kDaysChartMax || plan.usage.size() > kLinesMax) return;
  std::map<std::pair<std::int32_t, std::uint32_t>, double> sums;
  for (const UsageLine& line : plan.usage) sums[{line.day, line.workload}] += line.usd;
  constexpr std::uint32_t kLeft = 18;
  const std::uint32_t top = at.first - 1;
  sheet.text(top - 1, kLeft, "List price by day, USD at the prices of that day", Style::Section);
  sheet.text(top, kLeft, "Day", Style::Header);
  Chart chart{
      ChartKind::ColumnStacked, "List price by day, before any discount", "day", "USD a day", {}};
  chart.width_px = 1'200;
  chart.dates = true;
  chart.label_every = std::max<std::uint32_t>(1, days / 12);
  const auto workloads = static_cast<std::uint32_t>(plan.workloads.size());
  for (std::uint32_t w = 0; w < workloads; ++w) {
    sheet.text(top, kLeft + 1 + w, plan.workloads[w].name, Style::Header);
    chart.series.push_back({plan.workloads[w].name, sheet.range(top + 1, kLeft, top + days, kLeft),
                            sheet.range(top + 1, kLeft + 1 + w, top + days, kLeft + 1 + w),
                            kColours[w % std::size(kColours)]});
  }
  const std::string usd = sheet.range(at.first, kUsd, at.last, kUsd);
  const std::string day = sheet.range(at.first, kDay, at.last, kDay);
  const std::string index = sheet.range(at.first, kIndex, at.last, kIndex);
  for (std::uint32_t d = 0; d < days; ++d) {
    const std::uint32_t row = top + 1 + d;
    const std::int32_t date = first + static_cast<std::int32_t>(d);
    sheet.number(row, kLeft, date + kSerialOfEpoch, Style::Date);
    for (std::uint32_t w = 0; w < workloads; ++w) {
      const auto sum = sums.find({date, w});
      sheet.formula(
          row, kLeft + 1 + w,
          fmt::format("=SUMIFS({},{},{},{},{})", usd, day, cell_name(row, kLeft), index, w + 1),
          sum == sums.end() ? 0 : sum->second, Style::UsdCent);
    }
  }
  book.chart(sheet, static_cast<std::uint32_t>(at.first_workload + plan.workloads.size() + 1), 1,
             chart);
}

}  // namespace

void write_usage(Workbook& book, Sheet& sheet, const Plan& plan) {
  sheet.width(0, 0, 13);
  sheet.width(1, 2, 28);
  sheet.width(3, 20, 15);
  sheet.text(0, 0, "Usage and what it costs at list price", Style::Title);
  sheet.text(1, 0, plan.evidence, Style::Note);
  if (plan.usage.empty()) {
    sheet.text(3, 0, "No usage was read; the bill on the sheet Inputs is the user's own figure.");
    return;
  }
  const std::vector<UsageLine> lines = folded(plan.usage);
  Lines at;
  at.first_workload = kCharges + ChargeTables::rows_above(plan.reconciliation) + 1;
  const auto days =
      static_cast<std::uint32_t>(at.first_workload + plan.workloads.size() + kChartRows + 2);
  ChargeTables charges(book, sheet, plan.reconciliation, days);
  at.first = charges.write_days() + 3;
  at.last = at.first + static_cast<std::uint32_t>(lines.size()) - 1;
  double total = 0;
  for (const UsageLine& line : plan.usage) total += line.usd_today();
  sheet.text(2, 0, "Days covered");
  sheet.number(2, 4, plan.usage_days, Style::Count);
  book.define("usage_days", sheet.ref(2, 4));
  sheet.text(3, 0, "All usage, list price at today's prices, USD");
  sheet.formula(3, 4, "=SUM(" + sheet.range(at.first, kToday, at.last, kToday) + ")", total,
                Style::UsdCent);
  book.define("usage_total_usd", sheet.ref(3, 4));
  charges.write_above(kCharges);
  write_workloads(book, sheet, plan, at);
  write_lines(sheet, plan, lines, at);
  write_days(book, sheet, plan, at);
  sheet.print(at.last, kToday);
  sheet.repeat_on_paper(at.first - 1);
  sheet.break_above({days, at.first - 1});
}

}  // namespace fh::planner
