#pragma once
// What staying, owning, owning the floor and renting cost, month by month. A small set of formulas
// over named numbers and nothing else: no files, no clock, no randomness, no state. docs/plan.md
// writes every formula down; the workbook holds the same formulas as cells and the page the same
// ones in TypeScript, so the order of operations here is part of the contract.
//
// Units: USD, months, Mtok (1,000,000 tokens: all input classes and output), kW, shares of 1.
// Month 0 is the day of the order; months 1..horizon_months are those that cost and serve.
// Threads: pure functions over values.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fh::planner {

inline constexpr int kMonthsMax = 60;  // rows are always 0..60; those past the horizon are zero
inline constexpr double kHoursPerMonth = 730;
inline constexpr double kHoursPerYear = 8'760;
inline constexpr double kNever = 9999;  // a month that does not come within the horizon

enum class Option : std::uint8_t { Stay, Own, Hybrid, Rent };
inline constexpr std::size_t kOptions = 4;
inline constexpr std::array<Option, kOptions> kAllOptions = {Option::Stay, Option::Own,
                                                             Option::Hybrid, Option::Rent};
std::string_view option_name(Option option);   // "stay", "own", "hybrid", "rent"
std::string_view option_title(Option option);  // "own the floor, spill the peak"

// One way to carry work on machines of one kind. nodes_min 0: there is no such way, and the option
// costs what staying costs.
struct OptionInputs {
  double moved_usd_month = 0;   // what the moved work costs at the API: list price, today's load
  double moved_mtok_month = 0;  // the same work in tokens
  double node_mtok_month = 0;   // what one node processes within the targets when always full
  double utilisation = 1;       // mean load / that capacity, at the size that holds the targets
  double nodes_min = 0;         // the fewest nodes
  // 1: a floor. Nodes are added only when there is a whole node's work for them, as planned
  // (without the factors on capacity and utilisation), and what they do not carry goes to the API.
  // 0: nodes are added so that nothing spills.
  double spills = 0;
  double spare_nodes = 0;  // kept for failures and maintenance
  double gpus_per_node = 0;
  double node_price_usd = 0;  // 0: not bought
  double node_kw_max = 0;
  double lead_months = 0;        // from order to first request
  double rent_usd_gpu_hour = 0;  // 0: not rented
  double staff_factor = 1;       // of the FTE of owned nodes
};

struct MoneyInputs {
  // The API bill.
  double bill_list_usd_month = 0;  // everything metered, list price, today's load and prices
  double negotiated_discount = 0;
  double credits_usd = 0;                    // paid already; spent before any new money
  double commitment_usd_month = 0;           // owed whether used or not
  double commitment_months = 0;              // while it lasts
  double seats_usd_month = 0;                // stays whatever is chosen
  double load_growth_per_year = 0;           // 0.2: 20 % more tokens after a year
  double api_price_change_per_year = -0.25;  // -0.25: a quarter cheaper each year
  double api_price_factor = 1;
  double scheduled_price_factor = 1;  // announced change of the same bill ...
  double scheduled_from_month = 0;    // ... from this month on; 0: none
  // The account.
  double horizon_months = 48;  // 1..60, at most the life of the hardware
  double wacc = 0.08;
  // Hardware.
  double hardware_price_factor = 1;
  double capacity_factor = 1;
  double utilisation_factor = 1;
  double install_share = 0.1;   // network, storage, rack and installation, of the hardware
  double spares_share = 0.03;   // parts, where no spare node is kept: that one is bought already
  double support_share = 0.08;  // of the hardware, per year
  double software_usd_gpu_year = 0;
  double depreciation_years = 4;
  double residual_share = 0.15;
  // Failures. They cost where no spare node is there: two at once are not counted.
  double node_failures_year = 1;   // that take a node out, per node
  double repair_hours = 72;        // until a node of one's own serves again
  double rented_repair_hours = 4;  // until the provider has given another
  double outage_usd_hour = 0;      // lost service, per hour that a node is missing
  // Where it stands.
  double electricity_usd_kwh = 0.135;
  double pue = 1.35;
  double idle_draw_share = 0.3;  // of node_kw_max
  double load_draw_share = 0.7;
  double colocation_usd_kw_month = 150;
  double room_once_usd = 0;
  double room_usd_month = 0;
  double network_usd_month = 250;
  // People.
  double staff_usd_year = 210'000;
  double fte_first_nodes = 0.5;
  double first_nodes = 2;
  double fte_per_further_node = 0.1;
  double on_call_usd_month = 0;
  // The move.
  double migration_usd = 40'000;
  double double_running_months = 1;
  double rent_price_factor = 1;
  // When an option is worth advising.
  double min_return_share = 0.25;  // saving must be at least this share of what the option costs
  double min_saving_usd_month = 1'000;
  double unexplained_share = 0;
  double unexplained_limit = 0.03;
  double despite_gap = 0;  // 1: advise all the same

  OptionInputs own, hybrid, rent;
};

// Empty for Stay.
const OptionInputs& option_inputs(const MoneyInputs& inputs, Option option);

// One month of one option. Every member is a column of the workbook's sheet TCO.
struct MonthRow {
  double month = 0, active = 0, load = 0, price = 0;
  double work_nodes = 0;
  double fits = 0;    // share of the moved work that work_nodes carry
  double down = 0;    // share of the time that a node is missing and nothing stands in
  double served = 0;  // share of the moved work that is served: of what fits, less what fails
  double nodes = 0, bought = 0;
  double capex_hardware = 0, capex_other = 0, one_off = 0;
  double on = 0, moved = 0, own_mtok = 0, busy = 0;
  double api_failover = 0;  // of api_used, what failures bring back to the API
  double api_used = 0, api_due = 0, api_cash = 0, credits_left = 0, seats = 0;
  double power = 0, site = 0, network = 0, support = 0, software = 0, staff = 0, rent = 0;
  double outage = 0;  // lost service
  double running = 0;
  double cum_hardware = 0, cum_other = 0, depreciation = 0, book_hardware = 0, resale = 0;
  double cash = 0, cum_cash = 0, saved = 0, pays_back = kNever;
  double pnl = 0, discount = 1, present = 0, fleet_present = 0;
};

// The steady month on day one, everything spread: what "this server costs per month" means.
struct AllIn {
  double capital = 0;  // annuity of price, installation and spares less the discounted residual
  double power = 0, site = 0, network = 0, support = 0, software = 0, staff = 0, rent = 0;
  double outage = 0;  // lost service while a node is missing
  double total = 0;
  double mtok = 0;          // served
  double usd_per_mtok = 0;  // total / mtok; 0 without tokens
};

// The API bill of a month of today's load and prices, and what of it a move takes away.
struct BillMonth {
  double list = 0;        // at list price
  double discount = 0;    // negotiated; comes off it
  double paid = 0;        // after discount
  double served = 0;      // of that, the work that the machines serve
  double failover = 0;    // not of `served`: moved work that failures bring back to the API
  double avoidable = 0;   // no longer due once it has moved
  double due_anyway = 0;  // of `served`, what a commitment keeps due
};

struct OptionMoney {
  Option option = Option::Stay;
  bool available = false;
  std::array<MonthRow, kMonthsMax + 1> months;
  AllIn all_in;
  BillMonth bill_month;
  double cash_usd = 0;               // over the horizon, resale counted
  double pnl_usd = 0;                // over the horizon
  double npv_usd = 0;                // present value of what is paid
  double fleet_npv_usd = 0;          // of that, what the machines cost
  double saved_npv_usd = 0;          // against staying
  double break_even_month = kNever;  // first month in which all that was spent has come back (cash)
  bool qualifies = false;
};

struct Money {
  std::array<OptionMoney, kOptions> options;  // by Option
  Option best = Option::Stay;                 // what the money says
  bool refused = false;                       // too much of the bill is unexplained to say it
  const OptionMoney& of(Option option) const { return options[static_cast<std::size_t>(option)]; }
};

// c r / (1 - (1+r)^-n); c / n at r = 0.
double annuity(double amount, double rate_month, double months);

// One option by itself; `stay` is what it is held against, nullptr for Stay.
OptionMoney compute_option(const MoneyInputs& inputs, Option option, const OptionInputs& fleet,
                           const OptionMoney* stay);

// The inputs are taken as they are: validate() of scenario.h keeps them in their bounds.
Money compute_money(const MoneyInputs& inputs);

// `all_in` of an option that keeps `nodes` nodes busy for the share `busy`; without failures.
AllIn all_in_month(const MoneyInputs& inputs, const OptionInputs& option, double nodes,
                   double busy);

}  // namespace fh::planner
