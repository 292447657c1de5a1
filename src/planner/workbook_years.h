#pragma once
// One option's costs by year, on the sheet Break-even: sums over the months of the sheet TCO.
// Private to the workbook files.

#include "planner/money.h"
#include "planner/workbook_writer.h"

namespace fh::planner {

constexpr std::uint32_t kYearsLastCol = 2 + kMonthsMax / 12;  // order, years, total

// Writes the table from `row` on; the first row below it.
std::uint32_t write_years(Sheet& sheet, const Sheet& tco, const OptionMoney& money,
                          std::uint32_t row);

}  // namespace fh::planner
