// See fleet.h.

#include "planner/fleet.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "codec/toml.h"

namespace fh::planner {
namespace {

constexpr double kSecondsPerHour = 3600;
constexpr int kSplitsMax = 64;

Fact<Range> times(const Fact<Range>& fact, double factor) {
  return {{fact.value.low * factor, fact.value.high * factor}, fact.from};
}

std::optional<Fact<Range>> rent_of(const Accelerator& a, int count) {
  if (!a.rent_usd_per_hour) return std::nullopt;
  return times(*a.rent_usd_per_hour, count);
}

Machine machine_of(const System& s, const Accelerator& a) {
  Machine m;
  m.id = s.id;
  m.name = s.name;
  m.accelerator = &a;
  m.count = s.count;
  if (s.price_usd) m.capex_usd = Fact<Range>{*s.price_usd, s.from};
  m.rent_usd_per_hour = rent_of(a, s.count);
  m.power_kw_max = s.power_kw_max.value_or(a.power_w * s.count / 1000);
  m.from = s.from;
  return m;
}

// A box that is its accelerator: unified-memory machines.
Machine box_of(const Accelerator& a) {
  Machine m;
  m.id = a.id;
  m.name = a.name;
  m.accelerator = &a;
  m.capex_usd = a.price_new_usd;
  if (!m.capex_usd && a.price_list_usd) {
    m.capex_usd =
        Fact<Range>{{a.price_list_usd->value, a.price_list_usd->value}, a.price_list_usd->from};
  }
  m.rent_usd_per_hour = rent_of(a, 1);
  m.power_kw_max = a.power_w / 1000;
  m.from = a.from;
  return m;
}

// Whole nodes of a card that is only rented here.
Machine rented_node_of(const Accelerator& a) {
  Machine m;
  m.id = fmt::format("rent-{}x-{}", a.gpus_per_node, a.id);
  m.name = fmt::format("{} x {}, rented", a.gpus_per_node, a.name);
  m.accelerator = &a;
  m.count = a.gpus_per_node;
  m.rent_usd_per_hour = rent_of(a, m.count);
  m.power_kw_max = a.facility_kw ? a.facility_kw->value * m.count : a.power_w * m.count / 1000;
  m.from = a.from;
  return m;
}

// Monday 00:00 is hour 0; 1970-01-01 was a Thursday.
int hour_of_week(std::int64_t hour) {
  return static_cast<int>(((hour + 72) % 168 + 168) % 168);
}

// The load in requests of the replacement's shape.
struct Demand {
  std::vector<HourLoad> hours;  // requests filled in, growth applied
  double hours_total = 0;
  double peak = 0, floor = 0, mean = 0;  // requests per second
};

Demand demand_of(const FleetQuery& query, const RequestShape& shape) {
  Demand d;
  const WorkloadLoad& w = *query.workload;
  d.hours_total = static_cast<double>(w.last_hour - w.first_hour + 1);
  std::vector<double> working(0);
  double sum = 0;
  for (HourLoad h : w.hours) {
    if (query.request) {
      const double of_prompt = h.prompt_tokens * query.prompt_token_ratio / shape.prompt_mean;
      const double of_output = h.output_tokens * query.output_token_ratio / shape.output_mean;
      h.requests = std::max(of_prompt, of_output);
    }
    h.requests *= query.growth_factor;
    sum += h.requests;
    d.peak = std::max(d.peak, h.requests / kSecondsPerHour);
    if (hour_of_week(h.hour) < 120) working.push_back(h.requests / kSecondsPerHour);
    d.hours.push_back(h);
  }
  double working_hours = 0;
  for (std::int64_t h = w.first_hour; h <= w.last_hour; ++h)
    working_hours += hour_of_week(h) < 120 ? 1 : 0;
  working.resize(static_cast<std::size_t>(working_hours), 0.0);  // hours with nothing are zero
  std::ranges::sort(working);
  if (!working.empty()) d.floor = working[working.size() / 2];
  d.mean = d.hours_total > 0 ? sum / d.hours_total / kSecondsPerHour : 0;
  return d;
}

std::optional<Range> machines_times(const std::optional<Fact<Range>>& fact, double count) {
  if (!fact) return std::nullopt;
  return Range{fact->value.low * count, fact->value.high * count};
}

void size_candidate(const FleetQuery& query, const Demand& demand, Candidate& c) {
  const double each = c.capacity.requests_per_s_max;
  const auto needed = [&](double requests_per_s) {
    return std::max(std::ceil(requests_per_s / each - 1e-9), 1.0);
  };
  const double peak = needed(demand.peak);
  if (peak > query.machines_max) {
    c.fits = false;
    c.why_not = fmt::format("the busiest hour would need {:.0f} machines", peak);
    return;
  }
  c.machines_peak = static_cast<int>(peak);
  c.machines_peak_spare = c.machines_peak + 1;
  c.machines_floor = static_cast<int>(needed(demand.floor));
  c.machines_later = static_cast<int>(std::clamp(needed(demand.peak * query.growth_later), peak,
                                                 std::max<double>(peak, kSplitsMax)));
  for (int k = 0; k <= std::min(c.machines_later, kSplitsMax); ++k)
    c.splits.push_back(split_of(demand.hours, demand.hours_total, k, each));
  c.power_kw_max = c.machine.power_kw_max * c.machines_peak_spare;
  c.capex_usd = machines_times(c.machine.capex_usd, c.machines_peak_spare);
  c.rent_usd_per_hour = machines_times(c.machine.rent_usd_per_hour, c.machines_peak_spare);
}

base::Result<Candidate> candidate_of(const Model& model, const Machine& machine,
                                     const CapacityModel& capacity, const CapacityQuery& base_query,
                                     const FleetQuery& query, const Demand& demand) {
  Candidate c;
  c.model = model.id;
  c.machine = machine;
  CapacityQuery q = base_query;
  q.model = &model;
  q.accelerator = machine.accelerator;
  q.gpus = machine.count;
  auto alone = capacity.evaluate(q);
  if (!alone) {
    // A fact that is not established rules out the pair, not the search.
    if (alone.error().code != base::Code::FailedPrecondition)
      return std::unexpected(std::move(alone).error());
    c.why_not = alone.error().text();
    return c;
  }
  c.capacity = std::move(*alone);
  c.precision = c.capacity.precision;
  c.fits = c.capacity.fits && c.capacity.meets_targets;
  c.why_not = c.capacity.why_not;
  if (!c.fits) return c;
  size_candidate(query, demand, c);
  if (!c.fits) return c;
  q.precision = c.precision;
  q.requests_per_s = demand.peak / c.machines_peak;
  FH_TRY(const CapacityAnswer loaded, capacity.evaluate(q));
  c.ttft_p95_ms = loaded.ttft_p95_ms;
  c.tpot_ms = loaded.tpot_ms;
  q.requests_per_s = c.capacity.requests_per_s_max * (1 - 1e-9);
  FH_TRY(const CapacityAnswer full, capacity.evaluate(q));
  c.ttft_full_ms = full.ttft_p95_ms;
  c.tpot_full_ms = full.tpot_ms;
  return c;
}

base::Result<RequestShape> replacement_shape(const FleetQuery& query) {
  RequestShape shape;
  if (query.request) {
    shape = *query.request;
  } else {
    FH_TRY(shape, request_shape_of(*query.workload));
  }
  shape.prompt_mean *= query.prompt_token_ratio;
  shape.prompt_p50 *= query.prompt_token_ratio;
  shape.prompt_p95 *= query.prompt_token_ratio;
  shape.prompt_p95_new *= query.prompt_token_ratio;
  shape.output_mean *= query.output_token_ratio;
  return shape;
}

template <typename T>
base::Status check_name(std::string_view kind, const std::string& wanted,
                        const std::vector<T>& known) {
  if (std::ranges::find(known, wanted, &T::id) != known.end()) return {};
  std::vector<std::string_view> ids;
  for (const T& one : known) ids.push_back(one.id);
  const std::string_view near = codec::toml::nearest(wanted, ids);
  return base::fail(base::Code::NotFound,
                    fmt::format("the catalogue has no {} \"{}\"", kind, wanted),
                    near.empty() ? fmt::format("known are: {}", fmt::join(ids, ", "))
                                 : fmt::format("did you mean \"{}\"?", near));
}

// A misspelt name must not read as "nothing carries the work".
base::Status check_names(const Catalogue& catalogue, const std::vector<Machine>& machines,
                         const FleetQuery& query) {
  for (const std::string& id : query.models)
    FH_TRY_VOID(check_name("model", id, catalogue.models()));
  for (const std::string& id : query.machines) FH_TRY_VOID(check_name("machine", id, machines));
  return {};
}

base::Status check(const FleetQuery& q) {
  if (q.workload == nullptr) return base::fail_field("workload", "a workload is needed");
  const auto sane = [](double x) { return std::isfinite(x) && x > 0 && x <= 1000; };
  if (!sane(q.prompt_token_ratio) || !sane(q.output_token_ratio) || !sane(q.growth_factor))
    return base::fail_field("fleet", "ratios and growth are above 0");
  if (!(q.growth_later >= 1)) return base::fail_field("growth_later", "at least 1");
  if (q.machines_max < 1) return base::fail_field("machines_max", "at least 1");
  return {};
}

}  // namespace

std::vector<Machine> machines_of(const Catalogue& catalogue) {
  std::vector<Machine> out;
  for (const System& s : catalogue.systems())
    out.push_back(machine_of(s, *catalogue.accelerator(s.accelerator)));
  for (const Accelerator& a : catalogue.accelerators()) {
    if (a.accelerator_class == AcceleratorClass::Unified) {
      out.push_back(box_of(a));
      continue;
    }
    const bool has_system = std::ranges::any_of(
        catalogue.systems(), [&](const System& s) { return s.accelerator == a.id; });
    if (!has_system && a.rent_usd_per_hour) out.push_back(rented_node_of(a));
  }
  return out;
}

Split split_of(const std::vector<HourLoad>& hours, double hours_total, int machines,
               double requests_per_s_machine) {
  Split s;
  s.machines = machines;
  const double most = machines * requests_per_s_machine * kSecondsPerHour;
  double requests = 0, served = 0, tokens = 0, tokens_served = 0, busy = 0;
  for (const HourLoad& h : hours) {
    if (h.requests <= 0) continue;
    const double share = std::min(1.0, most / h.requests);
    requests += h.requests;
    served += h.requests * share;
    tokens += h.prompt_tokens + h.output_tokens;
    tokens_served += (h.prompt_tokens + h.output_tokens) * share;
    if (most > 0) s.utilisation_peak = std::max(s.utilisation_peak, h.requests * share / most);
    if (share < 1) busy += 1;
  }
  if (requests > 0) s.request_share = served / requests;
  if (tokens > 0) s.token_share = tokens_served / tokens;
  if (hours_total > 0) {
    s.busy_hours_share = busy / hours_total;
    if (most > 0) s.utilisation_mean = served / (most * hours_total);
  }
  return s;
}

std::array<double, 168> busy_by_hour_of(const std::vector<HourLoad>& hours, std::int64_t first_hour,
                                        std::int64_t last_hour, int machines,
                                        double requests_per_s_machine) {
  std::array<double, 168> busy{}, count{};
  const double most = machines * requests_per_s_machine * kSecondsPerHour;
  if (most <= 0) return busy;
  for (std::int64_t h = first_hour; h <= last_hour; ++h)
    count[static_cast<std::size_t>(hour_of_week(h))] += 1;
  for (const HourLoad& h : hours)
    busy[static_cast<std::size_t>(hour_of_week(h.hour))] += std::min(1.0, h.requests / most);
  for (std::size_t i = 0; i < busy.size(); ++i) busy[i] /= std::max(1.0, count[i]);
  return busy;
}

base::Result<FleetAnswer> search_fleet(const Catalogue& catalogue, const CapacityModel& capacity,
                                       const FleetQuery& query) {
  FH_TRY_VOID(check(query));
  FleetAnswer answer;
  FH_TRY(answer.request, replacement_shape(query));
  const Demand demand = demand_of(query, answer.request);
  answer.hours = demand.hours;
  answer.requests_per_s_peak = demand.peak;
  answer.requests_per_s_floor = demand.floor;
  answer.requests_per_s_mean = demand.mean;
  answer.hours_synthetic = query.workload->hours_measured_share < 0.5;
  CapacityQuery base_query;
  base_query.request = answer.request;
  base_query.targets = query.targets;
  base_query.weight_bits = query.weight_bits;
  base_query.kv_element_bytes = query.kv_element_bytes;
  const std::vector<Machine> machines = machines_of(catalogue);
  FH_TRY_VOID(check_names(catalogue, machines, query));
  for (const std::string& id : query.models) {
    const Model* model = catalogue.model(id);
    for (const Machine& machine : machines) {
      if (!query.machines.empty() &&
          std::ranges::find(query.machines, machine.id) == query.machines.end()) {
        continue;
      }
      FH_TRY(Candidate c, candidate_of(*model, machine, capacity, base_query, query, demand));
      answer.candidates.push_back(std::move(c));
    }
  }
  std::ranges::sort(answer.candidates, [](const Candidate& a, const Candidate& b) {
    const int x = a.machines_peak * a.machine.count, y = b.machines_peak * b.machine.count;
    return std::tie(b.fits, x, a.model, a.machine.id) < std::tie(a.fits, y, b.model, b.machine.id);
  });
  return answer;
}

}  // namespace fh::planner
