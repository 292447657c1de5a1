#pragma once
// Which machines would carry a workload, how many, and what share of the traffic k of them serve:
// own the floor, spill the peak. Whole machines only.
//
// The load is the workload's own hours. An hour's requests up to k machines' capacity are served,
// the rest spills; burstiness inside the hour is in the machines' own capacity (utilisation cap and
// wait). Growth and money are somebody else's business (scenario, money).

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "planner/capacity.h"
#include "planner/catalogue.h"
#include "planner/profile.h"

namespace fh::planner {

// A thing that can be bought or rented as one machine.
struct Machine {
  std::string id, name;  // system id, or accelerator id for a single box
  const Accelerator* accelerator = nullptr;
  int count = 1;                                 // accelerators in it
  std::optional<Fact<Range>> capex_usd;          // nullopt: no price established
  std::optional<Fact<Range>> rent_usd_per_hour;  // whole machine
  double power_kw_max = 0;
  Provenance from;
};
// Systems, single unified-memory machines, and whole rented nodes of cards with a rental price and
// no system of their own.
std::vector<Machine> machines_of(const Catalogue& catalogue);

// What k machines do for the whole period of the profile.
struct Split {
  int machines = 0;
  double token_share = 0;  // of the workload's tokens (prompt + output) served on them
  double request_share = 0;
  double utilisation_mean = 0;  // of the served load over all hours, busy or not
  double utilisation_peak = 0;  // busiest hour
  double busy_hours_share = 0;  // hours in which something spills
};

struct Candidate {
  std::string model;  // catalogue id
  std::string precision;
  Machine machine;
  CapacityAnswer capacity;  // of one machine, at the peak's share of load
  bool fits = false;
  std::string why_not;  // empty when it fits

  int machines_peak = 0;                      // enough for the busiest hour
  int machines_peak_spare = 0;                // the same, N+1
  int machines_floor = 0;                     // enough for the median hour of the working week
  int machines_later = 0;                     // enough for the busiest hour once the load has grown
  std::vector<Split> splits;                  // k = 0 .. machines_later, or to 64 at most
  double ttft_p95_ms = 0, tpot_ms = 0;        // one of machines_peak machines in the busiest hour
  double ttft_full_ms = 0, tpot_full_ms = 0;  // one of fewer, with all that the targets let it do
  double power_kw_max = 0;                    // machines_peak_spare
  std::optional<Range> capex_usd;             // machines_peak_spare
  std::optional<Range> rent_usd_per_hour;     // machines_peak_spare
};

struct FleetQuery {
  const WorkloadLoad* workload = nullptr;  // never null
  std::vector<std::string> models;         // catalogue ids that may replace it; evaluation decides
  std::vector<std::string> machines;       // Machine ids; empty: all
  Targets targets;
  double weight_bits = 8;  // least of the replacement's weights; CapacityQuery
  // Instead of the measured lengths, or where none are known; requests are then tokens / lengths.
  std::optional<RequestShape> request;
  // Tokens of the replacement per token of today's model; not established: 1, and labelled so.
  double prompt_token_ratio = 1, output_token_ratio = 1;
  double growth_factor = 1;  // of the load
  // How far the load grows beyond that, for machines that are there before they are needed; >= 1.
  double growth_later = 1;
  double kv_element_bytes = 2;
  int machines_max = 64;
};

struct FleetAnswer {
  RequestShape request;
  // The load in requests of the replacement's shape; hours without any are left out.
  std::vector<HourLoad> hours;
  double requests_per_s_peak = 0, requests_per_s_floor = 0, requests_per_s_mean = 0;
  bool hours_synthetic = false;       // hour loads were spread from daily totals for the most part
  std::vector<Candidate> candidates;  // fitting ones first, fewest GPUs x machines first
};

base::Result<FleetAnswer> search_fleet(const Catalogue& catalogue, const CapacityModel& capacity,
                                       const FleetQuery& query);

// How busy k machines are in each hour of the week, Monday 00 UTC first: the mean over the weeks
// from first_hour to last_hour, hours with nothing to do too. 0 where the period has no such hour.
std::array<double, 168> busy_by_hour_of(const std::vector<HourLoad>& hours, std::int64_t first_hour,
                                        std::int64_t last_hour, int machines,
                                        double requests_per_s_machine);

// The share of an hourly load that k machines of this capacity serve; exposed for scenarios that
// change the load. hours_total counts empty hours too.
Split split_of(const std::vector<HourLoad>& hours, double hours_total, int machines,
               double requests_per_s_machine);

}  // namespace fh::planner
