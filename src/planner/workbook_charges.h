#pragma once
// On the sheet Usage: what the provider charged against what usage and list prices give, by model
// and by day, with the gaps and all sums as formulas.

#include "planner/plan.h"
#include "planner/workbook_writer.h"

namespace fh::planner {

class ChargeTables {
 public:
  // The days begin at `days_row`.
  ChargeTables(Workbook& book, Sheet& sheet, const ReconcileReport& report, std::uint32_t days_row);

  // Title, sums and models from `row` on; the rows taken.
  static std::uint32_t rows_above(const ReconcileReport& report);
  void write_above(std::uint32_t row);
  // The last row that was written.
  std::uint32_t write_days();

 private:
  std::string days(std::uint32_t col) const;
  void write_sums(std::uint32_t row);
  void write_model(std::uint32_t row, const ReconcileRow& line);
  void write_gap(std::uint32_t row, const ReconcileRow& line);
  Workbook& book_;
  Sheet& sheet_;
  const ReconcileReport& report_;
  std::uint32_t days_row_;
};

}  // namespace fh::planner
