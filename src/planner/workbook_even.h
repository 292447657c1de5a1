#pragma once
// The sheet Break-even: what each option costs over the horizon, in cash, in the income statement
// and in present value, a steady month, the years, and the verdict, all of it formulas over the
// sheets TCO and Inputs. Private to the workbook files.

#include "planner/plan.h"
#include "planner/workbook_writer.h"

namespace fh::planner {

constexpr std::uint32_t kEvenNames = 5;  // the row with the options' names

// Where the sheet Inputs finds these, by option.
struct EvenRows {
  std::uint32_t order = 0, npv = 0, saved = 0, month = 0, kept = 0, all_in = 0;
  std::uint32_t col(Option option) const { return 1 + static_cast<std::uint32_t>(option); }
};
// Defines verdict, and focus: the answer, or the best other way.
EvenRows write_break_even(Workbook& book, Sheet& sheet, const Sheet& tco, const Plan& plan);

}  // namespace fh::planner
