// See workbook_charges.h. A gap is what a charge lies outside of the computed range: above it more
// than nothing, below it less.
#include "planner/workbook_charges.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string>

namespace fh::planner {
namespace {

constexpr std::uint32_t kDay = 0, kModel = 1, kNote = 2, kCharged = 3, kListed = 4, kLow = 5,
                        kHigh = 6, kGap = 7, kUsed = 8, kCounted = 9, kGapTokens = 10, kBasis = 11,
                        kNumber = 12, kSize = 12, kSizeListed = 13;
constexpr std::uint32_t kSumRows = 12;           // title, sentence, sums and a blank one
constexpr std::int32_t kSerialOfEpoch = 25'569;  // 1970-01-01 in a spreadsheet
constexpr std::size_t kDaysMax = 20'000;         // rows; with more the models are plain numbers

double usd(std::int64_t micro) {
  return static_cast<double>(micro) / 1e6;
}

std::vector<Head> heads(const char* first, const char* size, const char* size_listed) {
  return {first,
          "Model",
          "",
          num("Charged, USD"),
          num("Before discount, USD"),
          num("Computed, low, USD"),
          num("Computed, high, USD"),
          num("Gap, USD: charged less computed"),
          num("Tokens used"),
          num("Tokens charged, where counted"),
          num("Gap, tokens"),
          "",
          num(size),
          num(size_listed)};
}

std::uint32_t count_of(const std::vector<ReconcileRow>& rows) {
  return static_cast<std::uint32_t>(rows.size());
}

}  // namespace

ChargeTables::ChargeTables(Workbook& book, Sheet& sheet, const ReconcileReport& report,
                           std::uint32_t days_row)
    : book_(book), sheet_(sheet), report_(report), days_row_(days_row) {}

std::uint32_t ChargeTables::rows_above(const ReconcileReport& report) {
  return report.evidence ? kSumRows + count_of(report.models) + 2 : 3;
}

// A column of the days, as a range.
std::string ChargeTables::days(std::uint32_t col) const {
  return sheet_.range(days_row_ + 3, col, days_row_ + 2 + count_of(report_.rows), col);
}

void ChargeTables::write_above(std::uint32_t row) {
  sheet_.text(row, 0, "The provider's bill against this usage", Style::Section);
  sheet_.fill(row, 1, kGapTokens, Style::Section);
  sheet_.note(row + 1, 0, kGapTokens, report_.summary);
  if (!report_.evidence) return;
  write_sums(row + 2);
  row += kSumRows;
  sheet_.headers(row,
                 heads("Model no.", "Size of the gap as charged, USD", "before discount, USD"));
  std::uint32_t number = 0;
  for (const ReconcileRow& line : report_.models) {
    sheet_.number(++row, kDay, ++number, Style::Figure);
    write_model(row, line);
  }
}

// Which charges are held against usage, as they are or before discount, follows the discount.
void ChargeTables::write_sums(std::uint32_t row) {
  const std::uint32_t first = row + kSumRows - 1;
  const std::uint32_t last = first + count_of(report_.models) - 1;
  const auto sum = [&](std::uint32_t col) {
    return "SUM(" + sheet_.range(first, col, last, col) + ")";
  };
  const auto line = [&](const char* title, const std::string& formula, double value, Style style) {
    sheet_.text(row, 0, title);
    sheet_.formula(row, 4, "=" + formula, value, style);
    return cell_fixed(row++, 4);
  };
  const std::string charged = line("Charged for tokens on the days of both, USD", sum(kCharged),
                                   usd(report_.charged.value), Style::UsdCent);
  const std::string listed = line("The same before discount, USD", sum(kListed),
                                  usd(report_.listed.value), Style::UsdCent);
  line("Computed from usage and list prices, low, USD", sum(kLow), usd(report_.computed.low.value),
       Style::UsdCent);
  line("and high, where prompt lengths are not known, USD", sum(kHigh),
       usd(report_.computed.high.value), Style::UsdCent);
  double size_charged = 0, size_listed = 0;
  for (const ReconcileRow& model : report_.models) {
    size_charged += std::abs(usd(gap_of(model, false).money));
    size_listed += std::abs(usd(gap_of(model, true).money));
  }
  const double of_charged =
      report_.charged.value > 0 ? size_charged / usd(report_.charged.value) : 1;
  const std::string as_charged =
      line("Not explained as charged: the sizes of all gaps, of the charges",
           fmt::format("IF({0}>0,{1}/MAX(0.000001,{0}),1)", charged, sum(kSize)), of_charged,
           Style::Share);
  const std::string before =
      line("Not explained before discount",
           fmt::format("IF({0}>0,{1}/MAX(0.000001,{0}),{2})", listed, sum(kSizeListed), as_charged),
           report_.listed.value > 0 ? size_listed / usd(report_.listed.value) : of_charged,
           Style::Share);
  line("Held against usage below: 1 before discount, 0 as charged",
       fmt::format("IF({}<{},1,0)", before, as_charged), report_.at_list ? 1 : 0, Style::Count);
  book_.define("charges_before_discount", sheet_.ref(row - 1, 4));
  line("Not explained: the smaller of the two", fmt::format("MIN({},{})", as_charged, before),
       report_.unexplained_share, Style::Share);
  book_.define("usage_unexplained", sheet_.ref(row - 1, 4));
  sheet_.text(row, 0, "Other charges (seats, searches, storage), USD");
  sheet_.number(row, 4, usd(report_.other_charged.value), Style::UsdCent);
}

void ChargeTables::write_model(std::uint32_t row, const ReconcileRow& line) {
  sheet_.text(row, kModel, line.model);
  if (!line.usage_seen) sheet_.text(row, kNote, "no usage was imported", Style::Note);
  if (!line.charge_seen) sheet_.text(row, kNote, "nothing was charged", Style::Note);
  const bool live = report_.rows.size() <= kDaysMax;
  const auto sum = [&](std::uint32_t col, double value, Style style) {
    if (!live) return sheet_.number(row, col, value, style);
    sheet_.formula(row, col,
                   fmt::format("=SUMIF({},{},{})", days(kNumber), cell_name(row, kDay), days(col)),
                   value, style);
  };
  sum(kCharged, usd(line.charged.value), Style::UsdCent);
  sum(kListed, usd(line.listed.value), Style::UsdCent);
  sum(kLow, usd(line.computed.low.value), Style::UsdCent);
  sum(kHigh, usd(line.computed.high.value), Style::UsdCent);
  sum(kUsed, line.tokens_used, Style::Count);
  if (line.tokens_charged) sum(kCounted, *line.tokens_charged, Style::Count);
  write_gap(row, line);
  const auto size = [&](std::uint32_t col, std::uint32_t charge, bool at_list) {
    sheet_.formula(row, col,
                   fmt::format("=MAX(0,{0}-{2},{1}-{0})", cell_name(row, charge),
                               cell_name(row, kLow), cell_name(row, kHigh)),
                   std::abs(usd(gap_of(line, at_list).money)), Style::UsdCent);
  };
  size(kSize, kCharged, false);
  size(kSizeListed, kListed, true);
}

void ChargeTables::write_gap(std::uint32_t row, const ReconcileRow& line) {
  const GapLine gap = gap_of(line, report_.at_list);
  const std::string charge = fmt::format("IF(charges_before_discount=1,{},{})",
                                         cell_name(row, kListed), cell_name(row, kCharged));
  sheet_.formula(row, kGap,
                 fmt::format("=MAX(0,{0}-{2})+MIN(0,{0}-{1})", charge, cell_name(row, kLow),
                             cell_name(row, kHigh)),
                 usd(gap.money), Style::UsdCent);
  if (!gap.tokens) return;
  const std::string formula =
      gap.tokens_counted ? fmt::format("={}-{}", cell_name(row, kCounted), cell_name(row, kUsed))
                         : fmt::format("={}/{}*{}", cell_name(row, kGap), cell_name(row, kLow),
                                       cell_name(row, kUsed));
  sheet_.formula(row, kGapTokens, formula, *gap.tokens, Style::Count);
  if (!gap.tokens_counted && *gap.tokens != 0) {
    sheet_.text(row, kBasis, "at the mean price", Style::Note);
  }
}

std::uint32_t ChargeTables::write_days() {
  if (!report_.evidence || report_.rows.empty() || report_.rows.size() > kDaysMax) {
    return days_row_ - 1;
  }
  sheet_.text(days_row_, 0, "The provider's bill against this usage, by day and model",
              Style::Section);
  sheet_.fill(days_row_, 1, kGapTokens, Style::Section);
  sheet_.headers(days_row_ + 2, heads("Day", "Model no.", ""));
  std::map<std::string, std::uint32_t> numbers;
  for (const ReconcileRow& line : report_.models) {
    numbers.emplace(line.model, static_cast<std::uint32_t>(numbers.size() + 1));
  }
  std::uint32_t row = days_row_ + 2;
  for (const ReconcileRow& line : report_.rows) {
    ++row;
    sheet_.number(row, kDay, line.day + kSerialOfEpoch, Style::Date);
    sheet_.text(row, kModel, line.model);
    if (!line.usage_seen) sheet_.text(row, kNote, "no usage was imported", Style::Note);
    if (!line.charge_seen) sheet_.text(row, kNote, "nothing was charged", Style::Note);
    sheet_.number(row, kCharged, usd(line.charged.value), Style::UsdCent);
    if (report_.list_told) {
      sheet_.number(row, kListed, usd(line.listed.value), Style::UsdCent);
    } else {
      sheet_.formula(row, kListed,
                     fmt::format("={}/(1-negotiated_discount)", cell_name(row, kCharged)),
                     usd(line.listed.value), Style::UsdCent);
    }
    sheet_.number(row, kLow, usd(line.computed.low.value), Style::UsdCent);
    sheet_.number(row, kHigh, usd(line.computed.high.value), Style::UsdCent);
    sheet_.number(row, kUsed, line.tokens_used, Style::Count);
    if (line.tokens_charged) sheet_.number(row, kCounted, *line.tokens_charged, Style::Count);
    write_gap(row, line);
    sheet_.number(row, kNumber, numbers.at(line.model), Style::Figure);
  }
  return row;
}

}  // namespace fh::planner
