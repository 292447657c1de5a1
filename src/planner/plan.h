#pragma once
// The plan: usage and charges in, one model of the decision out. Everything that is shown anywhere
// (terminal, JSON, workbook, page) is read from a Plan and nothing is computed again on the way.
//
// Steps: profile the usage and hold it against the charges; price it as of today; find machines for
// the workloads that may move; take the cheapest way to own all of it, to own a floor, and to rent;
// money, sensitivity, readiness, verdict. What the user wrote in the scenario wins at every step.
//
// Threads: make_plan() runs on the caller's; a Plan is a plain value, with pointers into the
// catalogue it was made from.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/usage_record.h"
#include "planner/catalogue.h"
#include "planner/fleet.h"
#include "planner/money.h"
#include "planner/profile.h"
#include "planner/readiness.h"
#include "planner/reconcile.h"
#include "planner/scenario.h"
#include "planner/sensitivity.h"
#include "planner/verdict.h"
#include "pricing/price_book.h"

namespace fh::planner {

// One line of the sheet Usage: day x workload x model x tier.
struct UsageLine {
  std::int32_t day = 0;
  std::uint32_t workload = 0;  // index into Plan::workloads
  std::string model;           // price book id, or the source's name
  std::string tier;
  std::uint64_t requests = 0;  // 0: not counted by the source
  ClassTotals tokens;
  double usd = 0;           // at the prices of that day
  double today_factor = 1;  // today's price of the same tokens / that day's
  double usd_today() const { return usd * today_factor; }
};

struct WorkloadPlan {
  std::string name;
  bool may_move = true;
  std::uint64_t requests = 0;
  bool requests_estimated = false;
  ClassTotals tokens;
  double usd_month = 0;  // list price, today's prices
  double mtok_month = 0;
  std::vector<std::string> models;  // that serve it now
};

// Prices of one model as of the plan, USD per Mtok; nullopt: the class has no price.
struct PriceLine {
  std::string id, name, as_of, confidence, source, period_from;
  std::optional<double> input, cache_read, cache_write_5m, cache_write_1h, output;
};

// The machines behind an option.
struct OptionPick {
  bool found = false;
  std::vector<std::uint32_t> workloads;  // that move, into Plan::workloads
  std::string model, model_name, precision;
  std::string machine, machine_name;
  std::string layout;
  int machines = 0, spare = 0;
  double token_share = 0;  // of those workloads' tokens
  double utilisation_peak = 0;
  std::array<double, 168> busy_by_hour{};  // of the week, Monday 00 UTC first; today's load
  double ttft_p95_ms = 0, tpot_ms = 0, sessions_live = 0;
  std::string accuracy;   // "datasheet, ±35 %"
  Provenance price_from;  // of the machine
};

// A machine and model that were looked at for everything that may move.
struct Considered {
  std::string model, precision, machine;
  bool fits = false;
  std::string why_not;
  int machines_peak = 0, machines_floor = 0;
  // Of one machine but for the busiest hour, which machines_peak of them share.
  double prefill_tok_s = 0, decode_tok_s = 0, decode_tok_s_alone = 0, processed_tok_s = 0;
  double sessions_p50 = 0, sessions_p95 = 0;
  double ttft_p95_ms = 0, tpot_ms = 0;
  double utilisation_peak = 0, utilisation_mean = 0;
  std::string accuracy;
  double power_kw_max = 0;
  std::optional<Range> capex_usd, rent_usd_per_hour;
};

struct Plan {
  bool example = false;
  bool what_if = false;    // nobody is billed for this usage
  std::string evidence;    // what it was made from, for people
  std::int32_t today = 0;  // days since 1970-01-01
  Scenario scenario;       // with what was learned

  UsageProfile profile;
  ReconcileReport reconciliation;
  std::vector<UsageLine> usage;
  std::vector<WorkloadPlan> workloads;
  std::vector<PriceLine> prices;
  double usage_days = 0;  // that the lines cover
  std::array<OptionPick, kOptions> picks;
  std::vector<Considered> considered;
  std::string no_machine;          // what the verdict says where no machine carries the work
  std::vector<std::string> notes;  // what is uncertain about the data, for people

  Money money;
  Sensitivity sensitivity;
  ReadinessReport readiness;
  Verdict verdict;
  const Catalogue* catalogue = nullptr;
};

using UsageVisit = std::function<bool(const domain::UsageRecord&)>;
using CostVisit = std::function<bool(const domain::CostRecord&)>;

struct PlanRequest {
  Scenario scenario;
  // In order of start time; false from the visitor ends the walk.
  std::function<base::Status(const UsageVisit&)> usage;
  std::function<base::Status(const CostVisit&)> costs;
  const pricing::PriceBook* book = nullptr;  // never null
  const Catalogue* catalogue = nullptr;      // never null, outlives the plan
  std::int32_t today = 0;                    // the day whose prices are today's
  std::string evidence;
  bool example = false;
  // The usage never went to an API: what it would have cost there needs no charges to explain it.
  bool what_if = false;
  std::vector<std::string> notes;  // on the evidence, for people
};

// InvalidArgument when the scenario contradicts itself, NotFound when there is no usage and the
// scenario names no bill.
base::Result<Plan> make_plan(const PlanRequest& request);

// Name of the workload that a record belongs to under these rules.
std::string workload_of(const domain::UsageRecord& record, const std::vector<WorkloadRule>& rules);

std::string date_text(std::int32_t day);  // "2026-11-24"

// Implemented in plan_json.cc, plan_text.cc, workbook.cc and page.cc.
std::string plan_json(const Plan& plan);
std::string plan_text(const Plan& plan);  // fits a screen
base::Status write_workbook(const Plan& plan, const std::string& path);
base::Status write_html(const Plan& plan, const std::string& path);

}  // namespace fh::planner
