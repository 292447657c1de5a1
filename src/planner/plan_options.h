#pragma once
// From machines to options: which machines, how many and for which workloads make the cheapest way
// to own everything, to own a floor and to rent. Private to plan.cc.

#include <vector>

#include "base/result.h"
#include "planner/plan.h"

namespace fh::planner {

// The loads of several workloads as one: hours and lengths added up.
WorkloadLoad pooled(const UsageProfile& profile, const std::vector<std::uint32_t>& workloads);

// Fills picks, considered and notes, and teaches the scenario what they mean in numbers.
base::Status choose_options(const PlanRequest& request, Plan& plan);

}  // namespace fh::planner
