#pragma once
// The sheets beside Inputs, TCO and Break-even. Private to the workbook files.

#include "planner/plan.h"
#include "planner/workbook_writer.h"

namespace fh::planner {

// Defines usage_total_usd, usage_days, workload_usd, workload_mtok.
void write_usage(Workbook& book, Sheet& sheet, const Plan& plan);
void write_prices(Sheet& sheet, const Plan& plan);
// Defines own_token_share, own_flags and the same of hybrid and rent.
void write_capacity(Workbook& book, Sheet& sheet, const Plan& plan);
void write_hardware(Sheet& sheet, const Plan& plan);
void write_sensitivity(Workbook& book, Sheet& sheet, const Plan& plan);
void write_readiness(Sheet& sheet, const Plan& plan);
// A source as somebody without the catalogue understands it: "market-2026, calc" in words.
std::string source_text(const Catalogue& catalogue, const std::string& source);
void write_sources(Sheet& sheet, const Plan& plan);

}  // namespace fh::planner
