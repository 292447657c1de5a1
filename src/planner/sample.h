#pragma once
// The example company, embedded in the binary so that `freehold plan` explains itself on a machine
// without usage or sources. Made by examples/make_sample; see examples/README.md.
//
// Threads: immutable.

#include <span>
#include <string_view>

#include "base/result.h"
#include "planner/plan.h"

namespace fh::planner {

struct SampleFile {
  std::string_view name, content;
};
std::span<const SampleFile> sample_files();  // usage reports and cost reports
std::string_view sample_scenario();          // its scenario file

// The plan of the example: its own usage, charges and scenario, read by the importers like
// anybody's. `scenario` replaces the example's own when the user gave one.
base::Result<Plan> sample_plan(const pricing::PriceBook& book, const Catalogue& catalogue,
                               const Scenario* scenario);

}  // namespace fh::planner
