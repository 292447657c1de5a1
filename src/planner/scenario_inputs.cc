// The table of inputs: what each is, its range, and where its default comes from. The defaults
// themselves stand in money.h.
#include <array>
#include <limits>

#include "planner/scenario.h"

namespace fh::planner {
namespace {

constexpr double kBig = 1e12;
constexpr const char* kData = "your usage records";
constexpr const char* kFleet = "capacity estimate";

template <double MoneyInputs::* Field>
double& shared(MoneyInputs& inputs) {
  return inputs.*Field;
}

template <OptionInputs MoneyInputs::* Which, double OptionInputs::* Field>
double& of_option(MoneyInputs& inputs) {
  return (inputs.*Which).*Field;
}

struct Row {
  const char* section;
  const char* key;
  const char* label;
  const char* unit;
  double low, high, at_least, at_most;
  const char* source;
  const char* date;
  const char* confidence;
  double& (*at)(MoneyInputs&);
};

using M = MoneyInputs;

// clang-format off
constexpr Row kBill[] = {
    {"bill", "bill_list_usd_month", "API bill at list price, today's load and prices", "USD/month", 0, 0, 0, kBig, kData, "", "high", &shared<&M::bill_list_usd_month>},
    {"bill", "negotiated_discount", "Discount on list price that you have negotiated", "share", 0, 0, 0, 0.95, "ask", "", "low", &shared<&M::negotiated_discount>},
    {"bill", "credits_usd", "Prepaid credits left; used up before any new money is paid", "USD", 0, 0, 0, kBig, "ask", "", "low", &shared<&M::credits_usd>},
    {"bill", "commitment_usd_month", "Committed API spend, owed whether used or not", "USD/month", 0, 0, 0, kBig, "ask", "", "low", &shared<&M::commitment_usd_month>},
    {"bill", "commitment_months", "Months for which the commitment runs on", "months", 0, 0, 0, 120, "ask", "", "low", &shared<&M::commitment_months>},
    {"bill", "seats_usd_month", "Seat fees and plans; they stay whatever is chosen", "USD/month", 0, 0, 0, kBig, "ask", "", "low", &shared<&M::seats_usd_month>},
    {"bill", "unexplained_share", "Part of the charged bill that usage and prices do not explain", "share", 0, 0, 0, 10, "reconciliation", "", "high", &shared<&M::unexplained_share>},
    {"bill", "unexplained_limit", "Largest unexplained part with which advice is given", "share", 0.03, 0.03, 0, 1, "Freehold's rule", "2026-11-22", "high", &shared<&M::unexplained_limit>},
    {"bill", "despite_gap", "1: give advice although the bill is not explained", "0 or 1", 0, 0, 0, 1, "ask", "", "high", &shared<&M::despite_gap>},
};
constexpr Row kApi[] = {
    {"api", "load_growth_per_year", "Growth of the load", "share/year", -0.2, 0.6, -0.9, 10, "ask; default none", "", "low", &shared<&M::load_growth_per_year>},
    {"api", "api_price_change_per_year", "Change of API prices", "share/year", -0.5, 0, -0.9, 2, "price history July to October 2026 (-20 % to -67 % at like models), set cautiously", "2026-11-22", "low", &shared<&M::api_price_change_per_year>},
    {"api", "api_price_factor", "Factor on today's API prices (what if)", "factor", 1, 1, 0, 100, "what if", "", "high", &shared<&M::api_price_factor>},
    {"api", "scheduled_price_factor", "Announced price change: factor on the same bill", "factor", 1, 1, 0, 100, "price book", "", "medium", &shared<&M::scheduled_price_factor>},
    {"api", "scheduled_from_month", "Month from which the announced price holds; 0: none", "month", 0, 0, 0, 60, "price book", "", "medium", &shared<&M::scheduled_from_month>},
};
constexpr Row kAccount[] = {
    {"account", "horizon_months", "Months that the comparison covers", "months", 48, 48, 1, kMonthsMax, "life of the hardware", "2026-06-30", "medium", &shared<&M::horizon_months>},
    {"account", "wacc", "Cost of capital", "share/year", 0.05, 0.12, 0, 0.5, "assumption; ask whoever approves investments", "2026-11-22", "low", &shared<&M::wacc>},
    {"account", "min_return_share", "An option must save at least this share of what it costs", "share", 0.25, 0.25, 0, 10, "Freehold's rule", "2026-11-22", "high", &shared<&M::min_return_share>},
    {"account", "min_saving_usd_month", "... and at least this much a month on average", "USD/month", 1000, 1000, 0, kBig, "Freehold's rule", "2026-11-22", "high", &shared<&M::min_saving_usd_month>},
};
constexpr Row kHardware[] = {
    {"hardware", "hardware_price_factor", "Factor on the machine's price", "factor", 0.8, 1.25, 0, 100, "market-2026", "2026-06-30", "low", &shared<&M::hardware_price_factor>},
    {"hardware", "capacity_factor", "Factor on what a machine carries", "factor", 0.65, 1.35, 0.01, 100, "datasheet estimate, 35 % either way", "2026-11-22", "low", &shared<&M::capacity_factor>},
    {"hardware", "utilisation_factor", "Factor on the mean utilisation", "factor", 0.8, 1.2, 0.01, 100, "assumption: other months differ from those that were read", "2026-11-22", "low", &shared<&M::utilisation_factor>},
    {"hardware", "install_share", "Network, storage, rack, installation, of the hardware", "share", 0.08, 0.15, 0, 2, "market-2026", "2026-06-30", "low", &shared<&M::install_share>},
    {"hardware", "spares_share", "Spare parts, of the hardware, where no spare node is kept", "share", 0, 0.05, 0, 1, "assumption", "2026-11-22", "low", &shared<&M::spares_share>},
    {"hardware", "support_share", "Vendor support, of the hardware per year", "share/year", 0.05, 0.1, 0, 1, "market-2026", "2026-06-30", "low", &shared<&M::support_share>},
    {"hardware", "software_usd_gpu_year", "Licences per GPU, only if used", "USD/GPU/year", 0, 0, 0, kBig, "market-2026 (NVIDIA AI Enterprise: 4,500)", "2026-06-30", "low", &shared<&M::software_usd_gpu_year>},
    {"hardware", "depreciation_years", "Life of the hardware, straight line", "years", 4, 4, 1, 10, "depreciation", "2026-06-30", "medium", &shared<&M::depreciation_years>},
    {"hardware", "residual_share", "Worth of the hardware at the end of its life", "share", 0, 0.4, 0, 1, "assumption; used prices of 2026 are unusually high", "2026-11-22", "low", &shared<&M::residual_share>},
    {"hardware", "node_failures_year", "Failures that take a node out of service (assumed)", "per year", 0.3, 2.5, 0, 1000, "assumption; 419 stops in 54 days on 2,048 training nodes of 8 H100 are 1.4 a node and year (arXiv 2407.21783)", "2024-07-31", "low", &shared<&M::node_failures_year>},
    {"hardware", "repair_hours", "Hours to repair a failed node of your own (assumed)", "hours", 24, 168, 0, 8760, "assumption: part and technician within working days; see your support contract", "2026-11-22", "low", &shared<&M::repair_hours>},
    {"hardware", "rented_repair_hours", "Hours to replace a failed rented node (assumed)", "hours", 1, 24, 0, 8760, "assumption; see your contract", "2026-11-22", "low", &shared<&M::rented_repair_hours>},
    {"hardware", "outage_usd_hour", "Lost service, per hour that a node without a spare is out", "USD/hour", 0, 0, 0, kBig, "ask; default none", "", "low", &shared<&M::outage_usd_hour>},
};
constexpr Row kSite[] = {
    {"site", "electricity_usd_kwh", "Electricity", "USD/kWh", 0.085, 0.22, 0, 5, "eia-eurostat (US commercial)", "2025-12-31", "low", &shared<&M::electricity_usd_kwh>},
    {"site", "pue", "Power usage effectiveness of the room", "ratio", 1.25, 1.5, 1, 5, "uptime (colocation)", "2025-12-31", "low", &shared<&M::pue>},
    {"site", "idle_draw_share", "Draw of an idle machine, of its maximum", "share", 0.2, 0.4, 0, 1, "assumption; measure yours", "2026-11-22", "low", &shared<&M::idle_draw_share>},
    {"site", "load_draw_share", "Draw of a busy machine, of its maximum", "share", 0.6, 0.75, 0, 1, "assumption: 60 to 75 % of the maximum; measure yours", "2026-11-22", "low", &shared<&M::load_draw_share>},
    {"site", "colocation_usd_kw_month", "Colocation, per kW of maximum draw; 0 with a room of your own", "USD/kW/month", 130, 300, 0, 10000, "colo-2026", "2026-01-31", "medium", &shared<&M::colocation_usd_kw_month>},
    {"site", "room_once_usd", "Building a room of your own: cooling, power, fire protection", "USD", 0, 0, 0, kBig, "ask", "", "low", &shared<&M::room_once_usd>},
    {"site", "room_usd_month", "Running a room of your own, without electricity", "USD/month", 0, 0, 0, kBig, "ask", "", "low", &shared<&M::room_usd_month>},
    {"site", "network_usd_month", "Uplink", "USD/month", 100, 1000, 0, kBig, "assumption", "2026-11-22", "low", &shared<&M::network_usd_month>},
};
constexpr Row kStaff[] = {
    {"staff", "staff_usd_year", "An engineer, everything included", "USD/year", 150000, 400000, 0, kBig, "lenovo-tco, inference-math", "2026-06-30", "low", &shared<&M::staff_usd_year>},
    {"staff", "fte_first_nodes", "Engineers for the first nodes", "FTE", 0.3, 1.5, 0, 100, "lenovo-tco", "2026-06-30", "low", &shared<&M::fte_first_nodes>},
    {"staff", "first_nodes", "How many nodes that covers", "nodes", 2, 2, 0, 1000, "lenovo-tco", "2026-06-30", "low", &shared<&M::first_nodes>},
    {"staff", "fte_per_further_node", "Engineers for each further node", "FTE", 0.05, 0.2, 0, 10, "lenovo-tco", "2026-06-30", "low", &shared<&M::fte_per_further_node>},
    {"staff", "on_call_usd_month", "Round-the-clock on-call, if you want it", "USD/month", 0, 0, 0, kBig, "ask", "", "low", &shared<&M::on_call_usd_month>},
};
constexpr Row kMove[] = {
    {"move", "migration_usd", "One-off: evaluation, migration, acceptance", "USD", 20000, 120000, 0, kBig, "assumption: two to three engineer-months", "2026-11-22", "low", &shared<&M::migration_usd>},
    {"move", "double_running_months", "Months in which both sides are paid", "months", 0, 3, 0, 60, "assumption", "2026-11-22", "low", &shared<&M::double_running_months>},
    {"move", "rent_price_factor", "Factor on the rental price", "factor", 0.7, 1.3, 0, 100, "compute-screener", "2026-10-24", "medium", &shared<&M::rent_price_factor>},
};
// clang-format on

struct OptionRow {
  const char* key;
  const char* label;
  const char* unit;
  double at_most;
  std::array<double& (*)(MoneyInputs&), 3> at;  // own, hybrid, rent
};

template <double OptionInputs::* Field>
constexpr std::array<double& (*)(MoneyInputs&), 3> each() {
  return {&of_option<&M::own, Field>, &of_option<&M::hybrid, Field>, &of_option<&M::rent, Field>};
}

using O = OptionInputs;
constexpr OptionRow kOptionRows[] = {
    {"moved_usd_month", "API bill of the work that moves, list price", "USD/month", kBig,
     each<&O::moved_usd_month>()},
    {"moved_mtok_month", "Tokens of the work that moves", "Mtok/month", kBig,
     each<&O::moved_mtok_month>()},
    {"node_mtok_month", "What one node processes when always full", "Mtok/month", kBig,
     each<&O::node_mtok_month>()},
    {"utilisation", "Mean load over that, when the busiest hour is full", "share", 1,
     each<&O::utilisation>()},
    {"nodes_min", "The fewest nodes; 0: no such option", "nodes", 10'000, each<&O::nodes_min>()},
    {"spills", "1: what the nodes do not carry goes to the API", "0 or 1", 1, each<&O::spills>()},
    {"spare_nodes", "Nodes kept for failures and maintenance", "nodes", 10'000,
     each<&O::spare_nodes>()},
    {"gpus_per_node", "GPUs in a node", "GPUs", 1024, each<&O::gpus_per_node>()},
    {"node_price_usd", "Price of a node; 0: not bought", "USD", kBig, each<&O::node_price_usd>()},
    {"node_kw_max", "Largest draw of a node", "kW", 10'000, each<&O::node_kw_max>()},
    {"lead_months", "Months from order to the first request", "months", 60,
     each<&O::lead_months>()},
    {"rent_usd_gpu_hour", "Rent of a GPU; 0: not rented", "USD/GPU/hour", 10'000,
     each<&O::rent_usd_gpu_hour>()},
    {"staff_factor", "Engineers, against nodes of your own", "factor", 100,
     each<&O::staff_factor>()},
};

constexpr Option kFleets[] = {Option::Own, Option::Hybrid, Option::Rent};

std::vector<InputSpec> build() {
  std::vector<InputSpec> out;
  const auto take = [&](const auto& rows) {
    for (const Row& row : rows) {
      out.push_back({row.section, row.key, row.key, row.label, row.unit, row.low, row.high,
                     row.at_least, row.at_most, row.source, row.date, row.confidence, row.at});
    }
  };
  take(kBill);
  take(kApi);
  take(kAccount);
  take(kHardware);
  take(kSite);
  take(kStaff);
  take(kMove);
  for (std::size_t i = 0; i < std::size(kFleets); ++i) {
    const std::string_view name = option_name(kFleets[i]);
    for (const OptionRow& row : kOptionRows) {
      out.push_back({name.data(), row.key, std::string(name) + "_" + row.key,
                     std::string(name) + ": " + row.label, row.unit, 0, 0, 0, row.at_most, kFleet,
                     "", "low", row.at[i]});
    }
  }
  // Without a range of its own an input is not varied.
  MoneyInputs defaults;
  for (InputSpec& spec : out) {
    if (spec.low == spec.high) spec.low = spec.high = spec.at(defaults);
  }
  return out;
}

}  // namespace

const std::vector<InputSpec>& input_specs() {
  static const std::vector<InputSpec> specs = build();
  return specs;
}

const std::vector<AnswerSpec>& answer_specs() {
  using R = ReadinessAnswers;
  static const std::vector<AnswerSpec> specs = {
      {"platform_team", "a platform team of your own that runs services today", &R::platform_team},
      {"capital", "capital for the hardware", &R::capital},
      {"rack", "rack units, or a colocation contract", &R::rack},
      {"power", "electric power for the machines at the rack", &R::power},
      {"cooling", "cooling for the same power", &R::cooling},
      {"network", "network for it", &R::network},
      {"space", "floor space and floor load", &R::space},
      {"engineers_deploy", "engineers who deploy models and drivers", &R::engineers_deploy},
      {"engineers_monitor", "engineers who watch it and are on call", &R::engineers_monitor},
      {"engineers_patch", "engineers who patch it", &R::engineers_patch},
      {"production", "the work is production, not a pilot", &R::production},
  };
  return specs;
}

}  // namespace fh::planner
