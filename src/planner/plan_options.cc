// Every subset of the workloads that may move, on every machine with every replacement model, at
// several sizes; of each way to pay, the one that saves most (or loses least) is kept. One that is
// worth advising goes before all that are not: else the larger fleet that a dearer API makes save
// more, but not enough for what it costs, would hide the smaller one that does.
#include "planner/plan_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace fh::planner {
namespace {

// Open models that are taken for the class of today's models when the scenario names none. The
// class is told by the dearest of today's models, USD per Mtok of input.
struct ModelClass {
  double input_usd_from;
  std::array<std::string_view, 4> models;
};
constexpr ModelClass kClasses[] = {
    {3, {"glm-5.2", "kimi-k2.6", "", ""}},
    {1, {"glm-5.2", "kimi-k2.6", "qwen3.5-397b-a17b", "minimax-m2.7"}},
    {0, {"gpt-oss-120b", "qwen3.5-122b-a10b", "qwen3.6-35b-a3b", ""}},
};
constexpr std::size_t kSubsetsOf = 4;                   // with more workloads: each alone, and all
constexpr int kEverySizeTo = 16;                        // then steps of a sixteenth
constexpr double kHours = kHoursPerMonth * 3600 / 1e6;  // tok/s -> Mtok/month
constexpr double kRentedStaff = 0.7;

struct Best {
  bool found = false, qualifies = false;
  double saved = 0;
  OptionInputs inputs;
  OptionPick pick;
  std::optional<Range> price, rent;
};

class Chooser {
 public:
  Chooser(const PlanRequest& request, Plan& plan)
      : request_(request),
        plan_(plan),
        stay_(compute_option(plan.scenario.money, Option::Stay, {}, nullptr)) {
    for (std::uint32_t i = 0; i < plan.workloads.size(); ++i) {
      if (plan.workloads[i].may_move && plan.workloads[i].mtok_month > 0) movable_.push_back(i);
    }
  }

  base::Status run() {
    if (movable_.empty()) {
      plan_.notes.emplace_back("No workload may move, so there is nothing to own.");
      return {};
    }
    for (const std::vector<std::uint32_t>& subset : subsets()) {
      FH_TRY_VOID(look_at(subset));
    }
    for (const Option option : {Option::Own, Option::Hybrid, Option::Rent}) teach(option);
    teach_ranges();
    return {};
  }

 private:
  std::vector<std::vector<std::uint32_t>> subsets() const {
    std::vector<std::vector<std::uint32_t>> out = {movable_};
    if (movable_.size() > kSubsetsOf) {
      for (const std::uint32_t one : movable_) out.push_back({one});
      return out;
    }
    const std::uint32_t all = (1U << movable_.size()) - 1;
    for (std::uint32_t mask = 1; mask < all; ++mask) {
      std::vector<std::uint32_t> subset;
      for (std::size_t i = 0; i < movable_.size(); ++i) {
        if ((mask >> i & 1U) != 0) subset.push_back(movable_[i]);
      }
      out.push_back(std::move(subset));
    }
    return out;
  }

  double dearest_input_usd(const std::vector<std::uint32_t>& subset) const {
    double most = 0;
    for (const std::uint32_t at : subset) {
      for (const std::string& model : plan_.workloads[at].models) {
        for (const PriceLine& line : plan_.prices) {
          if (line.id == model) most = std::max(most, line.input.value_or(0));
        }
      }
    }
    return most;
  }

  std::vector<std::string> models_for(const std::vector<std::uint32_t>& subset) const {
    if (!plan_.scenario.replacement.models.empty()) return plan_.scenario.replacement.models;
    std::vector<std::string> out;
    const double input_usd = dearest_input_usd(subset);
    for (const ModelClass& one : kClasses) {
      if (input_usd < one.input_usd_from) continue;
      for (const std::string_view id : one.models) {
        if (request_.catalogue->model(id) != nullptr) out.emplace_back(id);
      }
      break;
    }
    return out;
  }

  base::Status look_at(const std::vector<std::uint32_t>& subset) {
    const WorkloadLoad load = pooled(plan_.profile, subset);
    const Replacement& wish = plan_.scenario.replacement;
    FleetQuery query;
    query.workload = &load;
    query.models = models_for(subset);
    query.machines = wish.machines;
    query.targets = {wish.ttft_p95_ms, wish.tpot_ms};
    query.weight_bits = wish.weight_bits;
    query.prompt_token_ratio = wish.prompt_token_ratio;
    query.output_token_ratio = wish.output_token_ratio;
    const MoneyInputs& money = plan_.scenario.money;
    query.growth_later =
        std::max(1.0, std::pow(1 + money.load_growth_per_year, money.horizon_months / 12));
    if (subset.size() > 1) query.request = shared_shape(load, subset);
    const base::Result<FleetAnswer> answer =
        search_fleet(*request_.catalogue, DatasheetCapacity(), query);
    const bool everything = subset.size() == movable_.size();
    if (!answer) {
      if (answer.error().code != base::Code::FailedPrecondition) {
        return std::unexpected(answer.error());
      }
      if (everything) plan_.notes.push_back("No machine was sized: " + answer.error().message);
      return {};
    }
    if (everything && answer->hours_synthetic) {
      plan_.notes.emplace_back(
          "Most hours are spread from daily totals: peaks are a guess. Import hours.");
    }
    for (const Candidate& candidate : answer->candidates) {
      if (everything) consider(candidate, answer->request.output_mean);
      if (candidate.fits) price(candidate, *answer, load, subset, everything);
    }
    return {};
  }

  // Workloads of different kinds share a machine by their tokens, not by their requests. Each must
  // fit: a long prompt is what is one for the workload with the longest.
  std::optional<RequestShape> shared_shape(const WorkloadLoad& load,
                                           const std::vector<std::uint32_t>& subset) const {
    const base::Result<RequestShape> mean = request_shape_of(load);
    if (!mean) return std::nullopt;
    RequestShape shape = *mean;
    for (const std::uint32_t at : subset) {
      const base::Result<RequestShape> own = request_shape_of(plan_.profile.workloads[at]);
      if (!own) continue;
      shape.prompt_p95 = std::max(shape.prompt_p95, own->prompt_p95);
      shape.prompt_p95_new =
          std::max(shape.prompt_p95_new, own->prompt_p95 * (1 - own->prefix_reuse_share));
    }
    return shape;
  }

  // The largest machine that carries none of it says most about why.
  void remember_miss(const Candidate& c) {
    const double memory = c.machine.accelerator->memory_bytes * c.machine.count;
    if (memory <= miss_memory_) return;
    miss_memory_ = memory;
    const Model* model = request_.catalogue->model(c.model);
    plan_.no_machine =
        fmt::format("no machine was found that carries this work; {} on {}: {}",
                    model == nullptr ? c.model : model->name, c.machine.name, c.why_not);
  }

  void consider(const Candidate& c, double output_mean) {
    Considered one;
    one.model = c.model;
    one.precision = c.precision;
    one.machine = c.machine.name;
    one.fits = c.fits;
    one.why_not = c.why_not;
    if (!c.fits) remember_miss(c);
    one.machines_peak = c.machines_peak;
    one.machines_floor = c.machines_floor;
    one.prefill_tok_s = c.capacity.prefill_tok_s;
    one.decode_tok_s = c.capacity.requests_per_s_max * output_mean;
    one.decode_tok_s_alone = c.capacity.decode_tok_s_single;
    one.processed_tok_s = c.capacity.processed_tok_s_max;
    one.sessions_p50 = c.capacity.sessions_p50;
    one.sessions_p95 = c.capacity.sessions_p95;
    one.ttft_p95_ms = c.ttft_p95_ms;
    one.tpot_ms = c.tpot_ms;
    if (const auto at = static_cast<std::size_t>(c.machines_peak); at < c.splits.size()) {
      one.utilisation_peak = c.splits[at].utilisation_peak;
      one.utilisation_mean = c.splits[at].utilisation_mean;
    }
    one.accuracy = accuracy_text(c.capacity.accuracy);
    one.power_kw_max = c.power_kw_max;
    one.capex_usd = c.capex_usd;
    one.rent_usd_per_hour = c.rent_usd_per_hour;
    plan_.considered.push_back(std::move(one));
  }

  // Sizes of a fleet up to what the grown load needs: the same ones whatever the targets are, and
  // what the load needs now and then. Growth may be waited for with machines that already stand.
  static std::vector<int> sizes_of(const Candidate& c) {
    std::set<int> out = {c.machines_peak, c.machines_later};
    for (int k = 1; k < c.machines_later; k += std::max(1, k / kEverySizeTo)) out.insert(k);
    return {out.begin(), out.end()};
  }

  void price(const Candidate& c, const FleetAnswer& fleet, const WorkloadLoad& load,
             const std::vector<std::uint32_t>& subset, bool everything) {
    for (const int k : sizes_of(c)) {
      const auto at = static_cast<std::size_t>(k);
      if (k <= 0 || at >= c.splits.size() || c.splits[at].token_share <= 0) continue;
      const bool all = everything && k == c.machines_peak;
      if (c.machine.capex_usd) {
        const double spent = k * c.machine.capex_usd->value.mid();
        if (all) offer(Option::Own, c, fleet, load, subset, k);
        // One machine is always looked at: a floor that does not pay is an answer, too. Enough of
        // them for everything are a floor as well: the API is their spare.
        if (k == 1 || spent < stay_.npv_usd) offer(Option::Hybrid, c, fleet, load, subset, k);
      }
      if (c.machine.rent_usd_per_hour) offer(Option::Rent, c, fleet, load, subset, k);
    }
  }

  OptionInputs inputs_of(Option option, const Candidate& c, const WorkloadLoad& load,
                         const std::vector<std::uint32_t>& subset, int k) const {
    const Split& split = c.splits[static_cast<std::size_t>(k)];
    const Replacement& wish = plan_.scenario.replacement;
    const double prompt = static_cast<double>(load.tokens.prompt_total());
    const double output = static_cast<double>(load.tokens.output);
    const double ratio =
        (prompt * wish.prompt_token_ratio + output * wish.output_token_ratio) / (prompt + output);
    OptionInputs in;
    for (const std::uint32_t w : subset) {
      in.moved_usd_month += plan_.workloads[w].usd_month;
      in.moved_mtok_month += plan_.workloads[w].mtok_month;
    }
    in.moved_usd_month *= split.token_share;
    in.moved_mtok_month *= split.token_share;
    in.node_mtok_month = c.capacity.processed_tok_s_max * kHours / ratio;
    // Load that grows first fills what is free in the busiest hour, then asks for another node.
    const double peak = split.utilisation_peak > 0 ? split.utilisation_peak : 1;
    in.utilisation = std::min(1.0, in.moved_mtok_month / (k * in.node_mtok_month * peak));
    // A floor stays as large as it was bought, and what spills anyway needs no spare: while a node
    // is down, its work spills too.
    const bool floor = option != Option::Own;
    in.nodes_min = floor ? k : 1;
    in.spills = floor ? 1 : 0;
    in.spare_nodes = floor ? 0 : std::max(0, c.machines_peak_spare - c.machines_peak);
    in.gpus_per_node = c.machine.count;
    if (option == Option::Rent) {
      in.rent_usd_gpu_hour = c.machine.rent_usd_per_hour->value.mid() / c.machine.count;
      in.staff_factor = kRentedStaff;
      return in;
    }
    in.node_price_usd = c.machine.capex_usd->value.mid();
    in.node_kw_max = c.machine.power_kw_max;
    const System* system = request_.catalogue->find_system(c.machine.id);
    in.lead_months = system != nullptr && system->lead_time_months
                         ? std::round(system->lead_time_months->mid())
                         : 1;
    return in;
  }

  void offer(Option option, const Candidate& c, const FleetAnswer& fleet, const WorkloadLoad& load,
             const std::vector<std::uint32_t>& subset, int k) {
    const OptionInputs inputs = inputs_of(option, c, load, subset, k);
    const OptionMoney money = compute_option(plan_.scenario.money, option, inputs, &stay_);
    Best& best = best_[static_cast<std::size_t>(option)];
    if (best.found &&
        std::pair(best.qualifies, best.saved) >= std::pair(money.qualifies, money.saved_npv_usd)) {
      return;
    }
    best = {};
    best.found = true;
    best.qualifies = money.qualifies;
    best.saved = money.saved_npv_usd;
    best.inputs = inputs;
    if (c.machine.capex_usd) best.price = c.machine.capex_usd->value;
    if (c.machine.rent_usd_per_hour) best.rent = c.machine.rent_usd_per_hour->value;
    OptionPick& pick = best.pick;
    pick.found = true;
    pick.workloads = subset;
    pick.model = c.model;
    const Model* model = request_.catalogue->model(c.model);
    pick.model_name = model == nullptr ? c.model : model->name;
    pick.precision = c.precision;
    pick.machine = c.machine.id;
    pick.machine_name = c.machine.name;
    pick.machines = k;
    pick.spare = static_cast<int>(inputs.spare_nodes);
    const Split& split = c.splits[static_cast<std::size_t>(k)];
    pick.token_share = split.token_share;
    pick.utilisation_peak = split.utilisation_peak;
    pick.busy_by_hour = busy_by_hour_of(fleet.hours, load.first_hour, load.last_hour, k,
                                        c.capacity.requests_per_s_max);
    const bool full = k < c.machines_peak;
    pick.ttft_p95_ms = full ? c.ttft_full_ms : c.ttft_p95_ms;
    pick.tpot_ms = full ? c.tpot_full_ms : c.tpot_ms;
    pick.sessions_live = c.capacity.sessions_p95 * k;
    pick.accuracy = accuracy_text(c.capacity.accuracy);
    band_ = std::max(band_, accuracy_band(c.capacity.accuracy));
    pick.price_from =
        option == Option::Rent ? c.machine.rent_usd_per_hour->from : c.machine.capex_usd->from;
  }

  void teach(Option option) {
    const Best& best = best_[static_cast<std::size_t>(option)];
    if (!best.found) return;
    plan_.picks[static_cast<std::size_t>(option)] = best.pick;
    const std::string prefix = std::string(option_name(option)) + "_";
    const std::string estimate = fmt::format("capacity estimate ({}), {} on {}", best.pick.accuracy,
                                             best.pick.model_name, best.pick.machine_name);
    std::string sources;
    for (const std::string& key : best.pick.price_from.sources) {
      sources += (sources.empty() ? "" : ", ") + key;
    }
    const std::string& day = best.pick.price_from.as_of;
    const std::string trust(confidence_name(best.pick.price_from.confidence));
    const auto estimated = [&](const char* key, double value) {
      plan_.scenario.learn_exact(prefix + key, value, estimate, date_text(plan_.today), "low");
    };
    const auto listed = [&](const char* key, double value) {
      plan_.scenario.learn_exact(prefix + key, value, sources, day, trust);
    };
    const OptionInputs& in = best.inputs;
    const OptionInputs& written = option_inputs(plan_.scenario.money, option);
    // Who says how much of the bill moves says how many tokens do, and the other way round.
    double part = 1;
    if (plan_.scenario.by_user(prefix + "moved_usd_month")) {
      if (in.moved_usd_month > 0) part = written.moved_usd_month / in.moved_usd_month;
    } else if (plan_.scenario.by_user(prefix + "moved_mtok_month")) {
      if (in.moved_mtok_month > 0) part = written.moved_mtok_month / in.moved_mtok_month;
    }
    estimated("moved_usd_month", in.moved_usd_month * part);
    estimated("moved_mtok_month", in.moved_mtok_month * part);
    estimated("node_mtok_month", in.node_mtok_month);
    estimated("utilisation", in.utilisation);
    estimated("nodes_min", in.nodes_min);
    estimated("spills", in.spills);
    estimated("spare_nodes", in.spare_nodes);
    listed("gpus_per_node", in.gpus_per_node);
    listed("node_price_usd", in.node_price_usd);
    listed("node_kw_max", in.node_kw_max);
    listed("lead_months", in.lead_months);
    listed("rent_usd_gpu_hour", in.rent_usd_gpu_hour);
    plan_.scenario.learn_exact(prefix + "staff_factor", in.staff_factor, "assumption", "2026-11-22",
                               "low");
  }

  // Whose price the factor's range is that of: the floor's machine, or the one for everything.
  void teach_ranges() {
    const Best& hybrid = best_[static_cast<std::size_t>(Option::Hybrid)];
    const Best& owned = hybrid.found ? hybrid : best_[static_cast<std::size_t>(Option::Own)];
    const Best& rented = best_[static_cast<std::size_t>(Option::Rent)];
    const auto factor = [&](const char* input, const std::optional<Range>& range,
                            const Best& best) {
      // One price that was found is not a certain one: then the usual range stands.
      if (!best.found || !range || range->mid() <= 0 || range->low >= range->high) return;
      std::string sources;
      for (const std::string& key : best.pick.price_from.sources) {
        sources += (sources.empty() ? "" : ", ") + key;
      }
      plan_.scenario.learn(
          input, 1,
          {range->low / range->mid(), range->high / range->mid(), sources,
           best.pick.price_from.as_of,
           std::string(confidence_name(best.pick.price_from.confidence)), Origin::Data});
    };
    factor("hardware_price_factor", owned.price, owned);
    factor("rent_price_factor", rented.rent, rented);
    if (band_ > 0) {
      plan_.scenario.learn("capacity_factor", 1,
                           {1 - band_, 1 + band_, "accuracy of the capacity estimate",
                            date_text(plan_.today), "low", Origin::Data});
    }
  }

  const PlanRequest& request_;
  Plan& plan_;
  OptionMoney stay_;
  std::vector<std::uint32_t> movable_;
  std::array<Best, kOptions> best_;
  double band_ = 0;
  double miss_memory_ = 0;
};

}  // namespace

WorkloadLoad pooled(const UsageProfile& profile, const std::vector<std::uint32_t>& workloads) {
  WorkloadLoad out;
  if (workloads.size() == 1) return profile.workloads[workloads[0]];
  std::map<std::int64_t, HourLoad> hours;
  double prompt = 0, output = 0, requests = 0, measured = 0, tokens = 0;
  out.lengths_measured = true;
  out.first_hour = INT64_MAX;
  out.last_hour = INT64_MIN;
  for (const std::uint32_t at : workloads) {
    const WorkloadLoad& load = profile.workloads[at];
    out.name += (out.name.empty() ? "" : " + ") + load.name;
    out.records += load.records;
    out.requests += load.requests;
    out.tokens.add(load.tokens);
    out.prompt_lengths.merge(load.prompt_lengths);
    out.new_prompt_lengths.merge(load.new_prompt_lengths);
    out.output_lengths.merge(load.output_lengths);
    out.lengths_measured = out.lengths_measured && load.lengths_measured;
    double own_requests = 0;
    for (const HourLoad& hour : load.hours) {
      HourLoad& sum = hours[hour.hour];
      sum.hour = hour.hour;
      sum.requests += hour.requests;
      sum.prompt_tokens += hour.prompt_tokens;
      sum.cached_tokens += hour.cached_tokens;
      sum.output_tokens += hour.output_tokens;
      own_requests += hour.requests;
    }
    requests += own_requests;
    prompt += load.prompt_tokens_mean * own_requests;
    output += load.output_tokens_mean * own_requests;
    const double size = static_cast<double>(load.tokens.total());
    measured += load.hours_measured_share * size;
    tokens += size;
    for (std::size_t i = 0; i < out.arrivals.hour_of_week.size(); ++i) {
      out.arrivals.hour_of_week[i] += load.arrivals.hour_of_week[i] * own_requests;
    }
    out.arrivals.requests_per_s_mean += load.arrivals.requests_per_s_mean;
    if (load.arrivals.gap_cv) {
      out.arrivals.gap_cv = std::max(out.arrivals.gap_cv.value_or(0), *load.arrivals.gap_cv);
    }
    out.first_hour = std::min(out.first_hour, load.first_hour);
    out.last_hour = std::max(out.last_hour, load.last_hour);
  }
  double peak = 0;
  for (const auto& [hour, load] : hours) {
    peak = std::max(peak, load.requests);
    out.hours.push_back(load);
  }
  const double span = static_cast<double>(out.last_hour - out.first_hour + 1);
  if (requests > 0) {
    out.prompt_tokens_mean = prompt / requests;
    out.output_tokens_mean = output / requests;
    out.arrivals.peak_to_mean = peak / (requests / span);
    for (double& share : out.arrivals.hour_of_week) share /= requests;
  }
  if (out.tokens.prompt_total() > 0) {
    out.prefix_reuse_share =
        static_cast<double>(out.tokens.cache_read) / static_cast<double>(out.tokens.prompt_total());
  }
  out.hours_measured_share = tokens > 0 ? measured / tokens : 0;
  return out;
}

base::Status choose_options(const PlanRequest& request, Plan& plan) {
  return Chooser(request, plan).run();
}

}  // namespace fh::planner
