#pragma once
// The sheet TCO: the formulas of money.cc as cells, one block of rows per option, and where its
// columns are for the sheets that sum over them. Private to the workbook files.

#include <cstdint>
#include <string>
#include <string_view>

#include "planner/money.h"
#include "planner/workbook_writer.h"

namespace fh::planner {

// Writes the sheet with its cached values and its chart.
void write_tco(Workbook& book, Sheet& sheet, const Money& money, double horizon_months);

// "'TCO'!$H$5:$H$65": a column of an option over months 0..last.
std::string tco_range(const Sheet& sheet, Option option, std::string_view column,
                      int last = kMonthsMax);
// One month of it.
std::string tco_cell(const Sheet& sheet, Option option, std::string_view column, int month);

// "own_node_price_usd"; "0" for an input of staying.
std::string option_name_of(Option option, std::string_view key);

// 0xRRGGBB, the same in every chart and on the page.
std::uint32_t option_colour(Option option);

}  // namespace fh::planner
