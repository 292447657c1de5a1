// The formulas of the money model, in the order of the columns of the workbook. A change here is a
// change of workbook_tco.cc, of docs/plan.md and of the page; the LibreOffice test holds the first
// two together to one cent.
#include "planner/money.h"

#include <algorithm>
#include <cmath>

namespace fh::planner {
namespace {

// What a spreadsheet calls ROUND(x,6): whole nodes are deaf to noise in the last digits.
double without_noise(double x) {
  return std::round(x * 1e6) / 1e6;
}

// A floor grows by the plan, a node when there is a whole one's work, whatever its nodes turn out
// to carry; but no further than what all of the work needs. So better nodes never serve less.
double work_nodes(const OptionInputs& o, double work_mtok, double node_mtok) {
  const double all = std::ceil(without_noise(work_mtok / std::max(1e-9, node_mtok)));
  if (o.spills != 1) return std::max(o.nodes_min, all);
  const double planned_mtok = o.node_mtok_month * std::min(1.0, o.utilisation);
  const double planned = std::floor(without_noise(work_mtok / std::max(1e-9, planned_mtok)));
  return std::max(o.nodes_min, std::min(planned, all));
}

struct Running {
  double power = 0, site = 0, network = 0, support = 0, software = 0, staff = 0, rent = 0;
};

// What `nodes` nodes cost in a month in which they run.
Running running_of(const MoneyInputs& in, const OptionInputs& o, double nodes, double busy,
                   double hardware_usd) {
  const bool owned = o.node_price_usd > 0;
  Running r;
  r.power = nodes * o.node_kw_max *
            (in.idle_draw_share + (in.load_draw_share - in.idle_draw_share) * busy) * in.pue *
            kHoursPerMonth * in.electricity_usd_kwh;
  r.site = nodes * o.node_kw_max * in.colocation_usd_kw_month + (owned ? in.room_usd_month : 0);
  r.network = owned ? in.network_usd_month : 0;
  r.support = hardware_usd * in.support_share / 12;
  r.software = nodes * o.gpus_per_node * in.software_usd_gpu_year / 12;
  r.staff =
      nodes > 0
          ? (in.fte_first_nodes + in.fte_per_further_node * std::max(0.0, nodes - in.first_nodes)) *
                    o.staff_factor * in.staff_usd_year / 12 +
                in.on_call_usd_month
          : 0;
  r.rent = nodes * o.gpus_per_node * kHoursPerMonth * o.rent_usd_gpu_hour * in.rent_price_factor;
  return r;
}

double busy_share(const MoneyInputs& in, const OptionInputs& o, double nodes, double mtok) {
  if (nodes <= 0) return 0;
  return std::min(1.0, mtok / std::max(1e-9, nodes * o.node_mtok_month * in.capacity_factor));
}

// A node kept for failures is the store of spare parts, too.
double spares_share(const MoneyInputs& in, const OptionInputs& o) {
  return o.spare_nodes >= 1 ? 0 : in.spares_share;
}

// The share of a node's time that it is out of service.
double down_share(const MoneyInputs& in, const OptionInputs& o) {
  const double hours = o.node_price_usd > 0 ? in.repair_hours : in.rented_repair_hours;
  return std::min(1.0, in.node_failures_year * hours / kHoursPerYear);
}

double outage_usd(const MoneyInputs& in, const MonthRow& row) {
  return row.work_nodes * row.down * kHoursPerMonth * in.outage_usd_hour;
}

// Sizes, purchases and what the work needs.
void fill_fleet(const MoneyInputs& in, const OptionInputs& o, const MonthRow* before,
                MonthRow& row) {
  const double since = std::max(row.month - 1, 0.0) / 12;
  const bool there = o.nodes_min > 0;
  row.active = row.month <= in.horizon_months ? 1 : 0;
  row.load = std::pow(1 + in.load_growth_per_year, since);
  row.price = in.api_price_factor * std::pow(1 + in.api_price_change_per_year, since) *
              (in.scheduled_from_month > 0 && row.month >= in.scheduled_from_month
                   ? in.scheduled_price_factor
                   : 1);
  const double node_mtok =
      o.node_mtok_month * in.capacity_factor * std::min(1.0, o.utilisation * in.utilisation_factor);
  const double work_mtok = o.moved_mtok_month * row.load;
  row.work_nodes = there ? work_nodes(o, work_mtok, node_mtok) * row.active : 0;
  row.fits =
      o.spills == 1 ? std::min(1.0, row.work_nodes * node_mtok / std::max(1e-9, work_mtok)) : 1;
  const double nodes_before = before == nullptr ? 0 : before->nodes;
  row.nodes = there ? std::max(nodes_before, row.work_nodes + o.spare_nodes * row.active) : 0;
  row.bought = row.nodes - nodes_before;
  row.down = there && row.nodes - row.work_nodes < 1 ? down_share(in, o) : 0;
  row.served = row.fits * (1 - row.down);
  row.capex_hardware = row.bought * o.node_price_usd * in.hardware_price_factor;
  const bool ordered = row.month == 0 && there;
  row.capex_other = row.capex_hardware * (in.install_share + spares_share(in, o)) +
                    (ordered && o.node_price_usd > 0 ? in.room_once_usd : 0);
  row.one_off = ordered ? in.migration_usd : 0;
}

// The API bill that remains.
void fill_api(const MoneyInputs& in, const OptionInputs& o, const MonthRow* before, MonthRow& row) {
  const double runs = row.month > 0 ? row.active : 0;
  const bool there = o.nodes_min > 0;
  row.on = there && row.month > o.lead_months ? runs : 0;
  row.moved = there && row.month > o.lead_months + in.double_running_months ? runs : 0;
  row.own_mtok = o.moved_mtok_month * row.load * row.served * row.moved;
  row.busy = busy_share(in, o, row.nodes, row.own_mtok);
  row.api_failover = o.moved_usd_month * row.fits * row.down * row.moved *
                     (1 - in.negotiated_discount) * row.load * row.price;
  row.api_used =
      std::max(0.0, in.bill_list_usd_month - o.moved_usd_month * row.served * row.moved) *
      (1 - in.negotiated_discount) * row.load * row.price * runs;
  row.api_due = std::max(row.api_used,
                         (row.month <= in.commitment_months ? in.commitment_usd_month : 0) * runs);
  const double credits = before == nullptr ? in.credits_usd : before->credits_left;
  row.api_cash = std::max(0.0, row.api_due - credits);
  row.credits_left = std::max(0.0, credits - row.api_due);
  row.seats = in.seats_usd_month * runs;
}

void fill_running(const MoneyInputs& in, const OptionInputs& o, const MonthRow* before,
                  MonthRow& row) {
  row.cum_hardware = (before == nullptr ? 0 : before->cum_hardware) + row.capex_hardware;
  row.cum_other = (before == nullptr ? 0 : before->cum_other) + row.capex_other;
  const Running r = running_of(in, o, row.nodes, row.busy, row.cum_hardware);
  row.power = r.power * row.on;
  row.site = r.site * row.on;
  row.network = r.network * row.on;
  row.support = r.support * row.on;
  row.software = r.software * row.on;
  row.staff = r.staff * row.on;
  row.rent = r.rent * row.on;
  row.outage = outage_usd(in, row) * row.moved;
  row.running = row.power + row.site + row.network + row.support + row.software + row.staff +
                row.rent + row.outage;
}

// Cash, profit and loss, present value.
void fill_totals(const MoneyInputs& in, const MonthRow* before, const MonthRow* stay,
                 MonthRow& row) {
  const double runs = row.month > 0 ? row.active : 0;
  const double life = in.depreciation_years * 12;
  const double worn = row.cum_hardware * (1 - in.residual_share) / life * runs;
  row.depreciation = worn + row.cum_other / life * runs;
  row.book_hardware = (before == nullptr ? 0 : before->book_hardware) + row.capex_hardware - worn;
  row.resale = row.month == in.horizon_months ? row.book_hardware : 0;
  row.cash =
      row.api_cash + row.seats + row.running + row.capex_hardware + row.capex_other + row.one_off;
  row.cum_cash = (before == nullptr ? 0 : before->cum_cash) + row.cash;
  row.saved = stay == nullptr ? 0 : stay->cum_cash - row.cum_cash;
  row.pays_back =
      stay != nullptr && runs == 1 && row.moved == 1 && row.saved >= -0.005 ? row.month : kNever;
  row.pnl = row.api_cash + row.seats + row.running + row.depreciation + row.one_off;
  row.discount = std::pow(1 + in.wacc, -row.month / 12);
  row.present = (row.cash - row.resale) * row.discount;
  row.fleet_present =
      (row.running + row.capex_hardware + row.capex_other + row.one_off - row.resale) *
      row.discount;
}

BillMonth bill_month(const MoneyInputs& in, const OptionInputs& o, const MonthRow& row) {
  const double owed = in.commitment_months > 0 ? in.commitment_usd_month : 0;
  BillMonth out;
  out.list = in.bill_list_usd_month * in.api_price_factor;
  out.discount = out.list * in.negotiated_discount;
  out.paid = out.list - out.discount;
  const double moved = o.moved_usd_month * (1 - in.negotiated_discount) * in.api_price_factor;
  out.served = moved * row.served;
  out.failover = moved * row.fits * row.down;
  out.avoidable = std::max(out.paid, owed) - std::max(out.paid - out.served, owed);
  out.due_anyway = out.served - out.avoidable;
  return out;
}

void sum_up(const MoneyInputs& in, const OptionInputs& o, OptionMoney& out) {
  for (const MonthRow& row : out.months) {
    out.cash_usd += row.cash - row.resale;
    out.pnl_usd += row.pnl;
    out.npv_usd += row.present;
    out.fleet_npv_usd += row.fleet_present;
    out.break_even_month = std::min(out.break_even_month, row.pays_back);
  }
  const MonthRow& first = out.months[0];
  const double mtok = o.moved_mtok_month * first.served;
  out.all_in = all_in_month(in, o, first.nodes, busy_share(in, o, first.nodes, mtok));
  out.all_in.mtok = mtok;
  out.all_in.outage = outage_usd(in, first);
  out.all_in.total += out.all_in.outage;
  if (mtok > 0) out.all_in.usd_per_mtok = out.all_in.total / mtok;
  const bool moves = out.option != Option::Stay && out.available;
  out.bill_month = bill_month(in, o, moves ? first : MonthRow());
}

}  // namespace

std::string_view option_name(Option option) {
  switch (option) {
    case Option::Stay: return "stay";
    case Option::Own: return "own";
    case Option::Hybrid: return "hybrid";
    case Option::Rent: return "rent";
  }
  return "stay";
}

std::string_view option_title(Option option) {
  switch (option) {
    case Option::Stay: return "stay on the API";
    case Option::Own: return "own everything that may move";
    case Option::Hybrid: return "own the floor, spill the peak";
    case Option::Rent: return "rent GPUs for it";
  }
  return "stay on the API";
}

const OptionInputs& option_inputs(const MoneyInputs& inputs, Option option) {
  static const OptionInputs kNone{};
  switch (option) {
    case Option::Own: return inputs.own;
    case Option::Hybrid: return inputs.hybrid;
    case Option::Rent: return inputs.rent;
    case Option::Stay: break;
  }
  return kNone;
}

double annuity(double amount, double rate_month, double months) {
  if (rate_month == 0) return amount / months;
  return amount * rate_month / (1 - std::pow(1 + rate_month, -months));
}

AllIn all_in_month(const MoneyInputs& in, const OptionInputs& o, double nodes, double busy) {
  const double hardware = nodes * o.node_price_usd * in.hardware_price_factor;
  const double room = nodes > 0 && o.node_price_usd > 0 ? in.room_once_usd : 0;
  const double spent = hardware * (1 + in.install_share + spares_share(in, o)) + room;
  AllIn out;
  out.capital =
      annuity(spent - hardware * in.residual_share / std::pow(1 + in.wacc, in.depreciation_years),
              in.wacc / 12, in.depreciation_years * 12);
  const Running r = running_of(in, o, nodes, busy, hardware);
  out.power = r.power;
  out.site = nodes > 0 ? r.site : 0;
  out.network = nodes > 0 ? r.network : 0;
  out.support = r.support;
  out.software = r.software;
  out.staff = r.staff;
  out.rent = r.rent;
  out.total = out.capital + out.power + out.site + out.network + out.support + out.software +
              out.staff + out.rent;
  return out;
}

OptionMoney compute_option(const MoneyInputs& in, Option option, const OptionInputs& o,
                           const OptionMoney* stay) {
  OptionMoney out;
  out.option = option;
  out.available = option == Option::Stay || o.nodes_min > 0;
  for (int month = 0; month <= kMonthsMax; ++month) {
    const auto at = static_cast<std::size_t>(month);
    MonthRow& row = out.months[at];
    row.month = month;
    const MonthRow* before = month == 0 ? nullptr : &out.months[at - 1];
    fill_fleet(in, o, before, row);
    fill_api(in, o, before, row);
    fill_running(in, o, before, row);
    fill_totals(in, before, stay == nullptr ? nullptr : &stay->months[at], row);
  }
  sum_up(in, o, out);
  if (stay == nullptr) return out;
  out.saved_npv_usd = stay->npv_usd - out.npv_usd;
  out.qualifies = out.available && out.saved_npv_usd >= in.min_return_share * out.fleet_npv_usd &&
                  out.saved_npv_usd >= in.min_saving_usd_month * in.horizon_months;
  return out;
}

Money compute_money(const MoneyInputs& in) {
  Money money;
  for (const Option option : kAllOptions) {
    money.options[static_cast<std::size_t>(option)] =
        compute_option(in, option, option_inputs(in, option),
                       option == Option::Stay ? nullptr : &money.options[0]);
  }
  double most = 0;
  for (const OptionMoney& out : money.options) {
    if (out.qualifies && out.saved_npv_usd > most) {
      most = out.saved_npv_usd;
      money.best = out.option;
    }
  }
  money.refused = in.unexplained_share > in.unexplained_limit && in.despite_gap == 0;
  return money;
}

}  // namespace fh::planner
