// The money model against figures worked out by hand, and what must hold whatever the inputs are.
#include "planner/money.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

namespace fh::planner {
namespace {

// The worked anchors: 8 %, 4 years, 15 % residual, 8 % support, engineers at $200k. Servers with 8
// % installation in colocation at $130 per kW-month, 70 % draw, PUE 1.3, $0.10 per kWh; the
// workstation under a desk.
MoneyInputs anchor() {
  MoneyInputs in;
  in.wacc = 0.08;
  in.depreciation_years = 4;
  in.residual_share = 0.15;
  in.support_share = 0.08;
  in.install_share = 0.08;
  in.spares_share = 0;
  in.staff_usd_year = 200'000;
  in.fte_per_further_node = 0;
  in.idle_draw_share = in.load_draw_share = 0.7;
  in.pue = 1.3;
  in.electricity_usd_kwh = 0.1;
  in.colocation_usd_kw_month = 130;
  in.network_usd_month = 0;
  return in;
}

OptionInputs machine(double price, double kw) {
  OptionInputs o;
  o.node_price_usd = price;
  o.node_kw_max = kw;
  o.nodes_min = 1;
  o.gpus_per_node = 8;
  return o;
}

struct Anchor {
  double price, kw, fte, total, staff;
};

TEST(Money, WorkedAnchorsHoldWithinRounding) {
  constexpr Anchor kAnchors[] = {
      {18'500, 1.0, 0.1, 2'300, 1'700},
      {150'000, 6.5, 0.35, 11'700, 5'800},
      {360'000, 10.2, 0.55, 22'100, 9'200},
      {480'000, 14.3, 0.55, 26'500, 9'200},
  };
  for (const Anchor& a : kAnchors) {
    MoneyInputs in = anchor();
    in.fte_first_nodes = a.fte;
    if (a.price < 20'000) in.install_share = in.colocation_usd_kw_month = 0;
    const AllIn all = all_in_month(in, machine(a.price, a.kw), 1, 1);
    EXPECT_NEAR(all.total, a.total, 51) << a.price;
    EXPECT_NEAR(all.staff, a.staff, 51) << a.price;
  }
}

TEST(Money, AnnuityByHand) {
  // 12,000 over 12 months without interest; 1,000 at 1 % over 12 months is 88.85 a month.
  EXPECT_DOUBLE_EQ(annuity(12'000, 0, 12), 1'000);
  EXPECT_NEAR(annuity(1'000, 0.01, 12), 88.8488, 1e-4);
}

// One node of $120,000 that takes a whole bill of $10,000 from month 3 on.
MoneyInputs small() {
  MoneyInputs in;
  in.bill_list_usd_month = 10'000;
  in.api_price_change_per_year = 0;
  in.horizon_months = 24;
  in.wacc = 0;
  in.install_share = 0.1;
  in.spares_share = 0;
  in.support_share = 0;
  in.residual_share = 0;
  in.depreciation_years = 4;
  in.electricity_usd_kwh = 0;
  in.colocation_usd_kw_month = 100;
  in.network_usd_month = 0;
  in.staff_usd_year = 12'000;
  in.fte_first_nodes = 1;
  in.migration_usd = 5'000;
  in.double_running_months = 1;
  in.node_failures_year = 0;  // they have tests of their own
  in.own.moved_usd_month = 10'000;
  in.own.moved_mtok_month = 100;
  in.own.node_mtok_month = 400;
  in.own.utilisation = 0.5;
  in.own.nodes_min = 1;
  in.own.node_price_usd = 120'000;
  in.own.node_kw_max = 10;
  in.own.lead_months = 1;
  return in;
}

TEST(Money, MonthByMonthByHand) {
  const MoneyInputs in = small();
  const Money money = compute_money(in);
  const OptionMoney& own = money.of(Option::Own);
  EXPECT_DOUBLE_EQ(own.months[0].cash, 120'000 + 12'000 + 5'000);
  EXPECT_DOUBLE_EQ(own.months[1].cash, 10'000);                  // waiting for the machine
  EXPECT_DOUBLE_EQ(own.months[2].cash, 10'000 + 1'000 + 1'000);  // both sides run
  EXPECT_DOUBLE_EQ(own.months[3].cash, 2'000);
  EXPECT_DOUBLE_EQ(own.months[3].busy, 0.25);
  // 137,000 spent, 2,000 more in month 2, 8,000 a month saved from month 3: back in month 20.
  EXPECT_DOUBLE_EQ(own.break_even_month, 20);
  // Half of the hardware's four years are over, so half of it is still worth something.
  EXPECT_DOUBLE_EQ(own.months[24].resale, 60'000);
  EXPECT_DOUBLE_EQ(own.cash_usd, 137'000 + 10'000 + 12'000 + 22 * 2'000 - 60'000);
  EXPECT_DOUBLE_EQ(own.saved_npv_usd, 240'000 - own.cash_usd);
  EXPECT_DOUBLE_EQ(own.months[5].depreciation, 132'000 / 48.0);
  EXPECT_EQ(money.best, Option::Own);
}

TEST(Money, OnlyAvoidableMoneyIsSaved) {
  MoneyInputs in = small();
  in.commitment_usd_month = 10'000;
  in.commitment_months = 24;
  const Money committed = compute_money(in);
  EXPECT_DOUBLE_EQ(committed.of(Option::Own).bill_month.served, 10'000);
  EXPECT_DOUBLE_EQ(committed.of(Option::Own).bill_month.avoidable, 0);
  EXPECT_DOUBLE_EQ(committed.of(Option::Own).bill_month.due_anyway, 10'000);
  EXPECT_LT(committed.of(Option::Own).saved_npv_usd, 0);
  EXPECT_EQ(committed.best, Option::Stay);
  in.commitment_months = 0;
  in.credits_usd = 240'000;  // the whole horizon is paid already
  EXPECT_DOUBLE_EQ(compute_money(in).of(Option::Stay).cash_usd, 0);
  EXPECT_EQ(compute_money(in).best, Option::Stay);
  in.credits_usd = 0;
  in.seats_usd_month = 3'000;
  const Money seats = compute_money(in);
  EXPECT_DOUBLE_EQ(seats.of(Option::Own).saved_npv_usd,
                   compute_money(small()).of(Option::Own).saved_npv_usd);
}

TEST(Money, GrowthBuysWholeNodes) {
  MoneyInputs in = small();
  in.load_growth_per_year = 1;
  in.own.utilisation = 0.25;  // one node is full today
  const OptionMoney own = compute_money(in).of(Option::Own);
  EXPECT_DOUBLE_EQ(own.months[1].nodes, 1);
  EXPECT_DOUBLE_EQ(own.months[2].nodes, 2);
  EXPECT_DOUBLE_EQ(own.months[13].nodes, 2);
  EXPECT_DOUBLE_EQ(own.months[14].nodes, 3);
  EXPECT_DOUBLE_EQ(own.months[14].capex_hardware, 120'000);
}

TEST(Money, AFloorSpillsUntilThereIsAWholeNodesWork) {
  MoneyInputs in = small();
  in.load_growth_per_year = 1;
  in.own.utilisation = 0.25;  // one node is full today
  in.own.spills = 1;
  const OptionMoney own = compute_money(in).of(Option::Own);
  EXPECT_DOUBLE_EQ(own.months[7].nodes, 1);
  EXPECT_DOUBLE_EQ(own.months[7].served, 1 / own.months[7].load);
  EXPECT_NEAR(own.months[7].own_mtok, 100, 1e-9);  // what fits today fits then
  EXPECT_NEAR(own.months[7].api_used, 10'000 * (own.months[7].load - 1), 1e-6);
  EXPECT_DOUBLE_EQ(own.months[13].nodes, 2);
  EXPECT_DOUBLE_EQ(own.months[13].served, 1);
  in.load_growth_per_year = 0;
  in.capacity_factor = 0.6;  // a weaker machine than thought spills more; no second one is bought
  const OptionMoney weak = compute_money(in).of(Option::Own);
  EXPECT_DOUBLE_EQ(weak.months[7].nodes, 1);
  EXPECT_NEAR(weak.months[7].api_used, 4'000, 1e-6);
  EXPECT_DOUBLE_EQ(weak.all_in.mtok, 60);
}

TEST(Money, ZeroLoadCostsTheFixedCost) {
  MoneyInputs in = small();
  in.electricity_usd_kwh = 0.1;
  in.own.moved_usd_month = in.own.moved_mtok_month = 0;
  const Money money = compute_money(in);
  const MonthRow& row = money.of(Option::Own).months[10];
  EXPECT_DOUBLE_EQ(row.nodes, 1);
  EXPECT_DOUBLE_EQ(row.busy, 0);
  EXPECT_DOUBLE_EQ(row.power, 10 * in.idle_draw_share * in.pue * kHoursPerMonth * 0.1);
  EXPECT_DOUBLE_EQ(row.api_cash, 10'000);
  EXPECT_EQ(money.best, Option::Stay);
}

// 7.3 failures a year of 12 hours each: a node is missing for one hundredth of the time.
MoneyInputs failing() {
  MoneyInputs in = small();
  in.node_failures_year = 7.3;
  in.repair_hours = 12;
  return in;
}

TEST(Money, WithoutASpareFailuresBringWorkBackToTheApi) {
  const OptionMoney own = compute_money(failing()).of(Option::Own);
  const MonthRow& row = own.months[5];
  EXPECT_DOUBLE_EQ(row.down, 0.01);
  EXPECT_DOUBLE_EQ(row.fits, 1);
  EXPECT_DOUBLE_EQ(row.served, 0.99);
  EXPECT_NEAR(row.api_failover, 100, 1e-9);
  EXPECT_NEAR(row.api_cash, 100, 1e-9);
  EXPECT_NEAR(row.own_mtok, 99, 1e-9);
  EXPECT_DOUBLE_EQ(own.months[2].api_failover, 0);  // nothing has moved yet
  EXPECT_NEAR(own.bill_month.served, 9'900, 1e-9);
  EXPECT_NEAR(own.bill_month.failover, 100, 1e-9);
  EXPECT_NEAR(own.bill_month.avoidable, 9'900, 1e-9);
  EXPECT_NEAR(own.all_in.mtok, 99, 1e-9);
  // Dearer by exactly that, over the 22 months after the move.
  EXPECT_NEAR(own.cash_usd - compute_money(small()).of(Option::Own).cash_usd, 22 * 100, 1e-6);
}

TEST(Money, LostServiceIsPaidForEachHourThatANodeIsOut) {
  MoneyInputs in = failing();
  in.outage_usd_hour = 50;
  const OptionMoney own = compute_money(in).of(Option::Own);
  EXPECT_DOUBLE_EQ(own.months[2].outage, 0);
  EXPECT_NEAR(own.months[5].outage, 0.01 * 730 * 50, 1e-9);
  EXPECT_NEAR(own.all_in.outage, 0.01 * 730 * 50, 1e-9);
  EXPECT_NEAR(own.all_in.total - compute_money(failing()).of(Option::Own).all_in.total, 365, 1e-9);
  in.own.nodes_min = 3;  // three machines fail three times as often
  EXPECT_NEAR(compute_money(in).of(Option::Own).months[5].outage, 3 * 365, 1e-9);
}

TEST(Money, ASpareNodeStandsInForOneThatFails) {
  MoneyInputs in = failing();
  in.outage_usd_hour = 50;
  in.own.spare_nodes = 1;
  const OptionMoney spare = compute_money(in).of(Option::Own);
  EXPECT_DOUBLE_EQ(spare.months[5].down, 0);
  EXPECT_DOUBLE_EQ(spare.months[5].served, 1);
  EXPECT_DOUBLE_EQ(spare.months[5].outage, 0);
  EXPECT_DOUBLE_EQ(spare.all_in.outage, 0);
  // A node that shrinking work has left idle is one, too.
  in.own.spare_nodes = 0;
  in.own.utilisation = 0.25 / 2;  // today's work fills two
  in.load_growth_per_year = -0.6;
  const OptionMoney idle = compute_money(in).of(Option::Own);
  EXPECT_DOUBLE_EQ(idle.months[3].down, 0.01);
  EXPECT_DOUBLE_EQ(idle.months[12].work_nodes, 1);
  EXPECT_DOUBLE_EQ(idle.months[12].nodes, 2);
  EXPECT_DOUBLE_EQ(idle.months[12].down, 0);
}

TEST(Money, ARentedNodeIsReplacedByItsProvider) {
  MoneyInputs in = failing();
  in.rented_repair_hours = 3;
  in.rent = in.own;
  in.rent.node_price_usd = 0;
  in.rent.rent_usd_gpu_hour = 2;
  EXPECT_DOUBLE_EQ(compute_money(in).of(Option::Rent).months[5].down, 0.0025);
  in.node_failures_year = 1'000;  // never more than always
  in.repair_hours = 8'760;
  EXPECT_DOUBLE_EQ(compute_money(in).of(Option::Own).months[5].down, 1);
  EXPECT_DOUBLE_EQ(compute_money(in).of(Option::Own).months[5].api_cash, 10'000);
}

// Parts are stored or a whole node is: not both.
TEST(Money, ASpareNodeTakesThePlaceOfSpareParts) {
  MoneyInputs in = small();
  in.spares_share = 0.05;
  const OptionMoney parts = compute_money(in).of(Option::Own);
  EXPECT_DOUBLE_EQ(parts.months[0].capex_other, 120'000 * (0.1 + 0.05));
  EXPECT_DOUBLE_EQ(parts.all_in.capital, 120'000 * 1.15 / 48);
  in.own.spare_nodes = 1;
  const OptionMoney node = compute_money(in).of(Option::Own);
  EXPECT_DOUBLE_EQ(node.months[0].capex_other, 240'000 * 0.1);
  EXPECT_DOUBLE_EQ(node.all_in.capital, 240'000 * 1.1 / 48);
}

// A room is built for machines that are given away, too: in the months and in the month all in.
TEST(Money, TheRoomIsBuiltWhateverTheMachinesCost) {
  MoneyInputs in = small();
  in.room_once_usd = 48'000;
  in.hardware_price_factor = 0;
  const OptionMoney own = compute_money(in).of(Option::Own);
  EXPECT_DOUBLE_EQ(own.months[0].capex_other, 48'000);
  EXPECT_DOUBLE_EQ(own.all_in.capital, 1'000);
}

TEST(Money, TooMuchUnexplainedRefuses) {
  MoneyInputs in = small();
  in.unexplained_share = 0.031;
  EXPECT_TRUE(compute_money(in).refused);
  in.despite_gap = 1;
  EXPECT_FALSE(compute_money(in).refused);
  in.despite_gap = 0;
  in.unexplained_share = 0.03;
  EXPECT_FALSE(compute_money(in).refused);
}

// --- what must hold whatever the inputs are ------------------------------------------------------

double between(double low, double high) {
  return low + (high - low) * *rc::gen::inRange(0, 1001) / 1000.0;
}

OptionInputs any_option(const MoneyInputs& in, bool rented) {
  OptionInputs o;
  o.moved_usd_month = in.bill_list_usd_month * between(0, 1);
  o.moved_mtok_month = between(0, 50'000);
  o.node_mtok_month = between(100, 40'000);
  o.utilisation = between(0.05, 1);
  o.nodes_min = *rc::gen::inRange(0, 3);
  o.spills = *rc::gen::inRange(0, 2);
  o.spare_nodes = *rc::gen::inRange(0, 2);
  o.gpus_per_node = 8;
  o.staff_factor = between(0.3, 1);
  if (rented) {
    o.rent_usd_gpu_hour = between(1, 6);
  } else {
    o.node_price_usd = between(10'000, 500'000);
    o.node_kw_max = between(1, 15);
    o.lead_months = *rc::gen::inRange(0, 7);
  }
  return o;
}

MoneyInputs any_inputs() {
  MoneyInputs in;
  in.bill_list_usd_month = between(0, 300'000);
  in.negotiated_discount = between(0, 0.5);
  in.credits_usd = between(0, 200'000) * *rc::gen::inRange(0, 2);
  in.commitment_usd_month = between(0, 50'000) * *rc::gen::inRange(0, 2);
  in.commitment_months = *rc::gen::inRange(0, 30);
  in.load_growth_per_year = between(-0.3, 1);
  in.api_price_change_per_year = between(-0.6, 0.3);
  in.horizon_months = *rc::gen::inRange(1, 49);
  in.wacc = between(0, 0.2);
  in.residual_share = between(0, 0.4);
  in.migration_usd = between(0, 100'000);
  in.double_running_months = *rc::gen::inRange(0, 4);
  in.node_failures_year = between(0, 20);
  in.repair_hours = between(0, 400);
  in.outage_usd_hour = between(0, 200) * *rc::gen::inRange(0, 2);
  in.own = any_option(in, false);
  in.hybrid = any_option(in, false);
  in.rent = any_option(in, true);
  return in;
}

double moved_share(const MoneyInputs& in, Option option) {
  return option_inputs(in, option).moved_usd_month;
}

TEST(MoneyProperties, CheaperApiNeverFavoursOwningAndDearerNeverFavoursTheApi) {
  EXPECT_TRUE(rc::check([] {
    MoneyInputs in = any_inputs();
    const Money now = compute_money(in);
    in.api_price_factor = 2;
    const Money dear = compute_money(in);
    in.api_price_factor = 0.5;
    const Money cheap = compute_money(in);
    for (const Option option : {Option::Own, Option::Hybrid, Option::Rent}) {
      const double slack = 1e-6 * (1 + std::abs(now.of(option).saved_npv_usd));
      RC_ASSERT(dear.of(option).saved_npv_usd >= now.of(option).saved_npv_usd - slack);
      RC_ASSERT(cheap.of(option).saved_npv_usd <= now.of(option).saved_npv_usd + slack);
      RC_ASSERT(dear.of(option).qualifies || !now.of(option).qualifies);
    }
    RC_ASSERT(dear.best != Option::Stay || now.best == Option::Stay);
    // With a minimum to pay or money paid already, two options may tie; without, more work moves.
    if (in.credits_usd == 0 && in.commitment_usd_month == 0) {
      const auto spread_alike = [&](Option o) { return option_inputs(in, o).lead_months; };
      const auto spills = [&](Option o) { return option_inputs(in, o).spills == 1; };
      if (!spills(dear.best) && !spills(now.best) &&
          spread_alike(dear.best) == spread_alike(now.best)) {
        RC_ASSERT(moved_share(in, dear.best) >= moved_share(in, now.best) - 1e-9);
      }
    }
  }));
}

TEST(MoneyProperties, TheClassesOfAMonthSumToIt) {
  EXPECT_TRUE(rc::check([] {
    const MoneyInputs in = any_inputs();
    const Money money = compute_money(in);
    for (const OptionMoney& option : money.options) {
      double cash = 0, present = 0;
      for (const MonthRow& r : option.months) {
        const double parts = r.power + r.site + r.network + r.support + r.software + r.staff +
                             r.rent + r.api_cash + r.seats + r.capex_hardware + r.capex_other +
                             r.one_off + r.outage;
        RC_ASSERT(std::abs(parts - r.cash) <= 1e-6 * (1 + parts));
        RC_ASSERT(r.month <= in.horizon_months || r.cash == 0);
        RC_ASSERT(r.api_cash <= r.api_due && r.api_due >= r.api_used);
        RC_ASSERT(r.api_failover <= r.api_used + 1e-6 * (1 + r.api_used));
        cash += r.cash - r.resale;
        present += r.present;
      }
      RC_ASSERT(std::abs(cash - option.cash_usd) <= 1e-6 * (1 + std::abs(cash)));
      RC_ASSERT(std::abs(present - option.npv_usd) <= 1e-6 * (1 + std::abs(present)));
      if (!option.available) {
        RC_ASSERT(std::abs(option.saved_npv_usd) < 1e-6 && !option.qualifies);
      }
    }
  }));
}

TEST(MoneyProperties, ACheaperPriceNeverRaisesWhatIsPaid) {
  EXPECT_TRUE(rc::check([] {
    MoneyInputs in = any_inputs();
    const Money now = compute_money(in);
    in.api_price_factor = between(0, 1);
    in.rent_price_factor = between(0, 1);
    in.hardware_price_factor = between(0, 1);
    const Money cheaper = compute_money(in);
    for (const Option option : kAllOptions) {
      const double slack = 1e-6 * (1 + std::abs(now.of(option).npv_usd));
      RC_ASSERT(cheaper.of(option).npv_usd <= now.of(option).npv_usd + slack);
    }
  }));
}

// Cash less what is sold at the end is the cost in the income statement and what of the
// installation is not yet written off.
TEST(MoneyProperties, CashAndIncomeStatementTie) {
  EXPECT_TRUE(rc::check([] {
    const Money money = compute_money(any_inputs());
    for (const OptionMoney& option : money.options) {
      double other = 0, cash = 0;
      for (const MonthRow& row : option.months) {
        other += row.capex_other;
        cash += row.cash;
      }
      const double left = option.cash_usd - option.pnl_usd;
      const double slack = 1e-6 * (1 + cash);
      RC_ASSERT(left >= -slack && left <= other + slack);
    }
  }));
}

TEST(MoneyProperties, WhatIsAvoidableIsPartOfTheBill) {
  EXPECT_TRUE(rc::check([] {
    const Money money = compute_money(any_inputs());
    for (const OptionMoney& option : money.options) {
      const BillMonth& bill = option.bill_month;
      const double slack = 1e-6 * (1 + bill.list);
      RC_ASSERT(std::abs(bill.list - bill.discount - bill.paid) <= slack);
      RC_ASSERT(std::abs(bill.avoidable + bill.due_anyway - bill.served) <= slack);
      RC_ASSERT(bill.avoidable >= -slack && bill.due_anyway >= -slack);
      RC_ASSERT(bill.served + bill.failover <= bill.paid + slack);
      RC_ASSERT(option.option != Option::Stay || bill.served == 0);
    }
  }));
}

TEST(MoneyProperties, DearerHardwareNeverSavesMore) {
  EXPECT_TRUE(rc::check([] {
    MoneyInputs in = any_inputs();
    const double now = compute_money(in).of(Option::Own).saved_npv_usd;
    in.hardware_price_factor = 1.5;
    RC_ASSERT(compute_money(in).of(Option::Own).saved_npv_usd <= now + 1e-6);
  }));
}

// Without failures and with a draw that does not hang on the load: a floor that serves more draws
// more, and one whose nodes are never spare has more to lose.
TEST(MoneyProperties, NodesThatCarryMoreNeverSaveLess) {
  EXPECT_TRUE(rc::check([] {
    MoneyInputs in = any_inputs();
    in.node_failures_year = 0;
    in.idle_draw_share = in.load_draw_share;
    const auto lever = *rc::gen::arbitrary<bool>() ? &MoneyInputs::capacity_factor
                                                   : &MoneyInputs::utilisation_factor;
    std::array<double, kOptions> last;
    last.fill(-1e300);
    for (const double factor : {0.5, 0.7, 0.9, 1.0, 1.1, 1.3, 1.5, 1.9, 2.5}) {
      in.*lever = factor;
      const Money money = compute_money(in);
      for (const Option option : kAllOptions) {
        double& before = last[static_cast<std::size_t>(option)];
        RC_ASSERT(money.of(option).saved_npv_usd >= before - 1e-3);
        before = money.of(option).saved_npv_usd;
      }
    }
  }));
}

TEST(MoneyProperties, DearerStaffNeverSavesMore) {
  EXPECT_TRUE(rc::check([] {
    MoneyInputs in = any_inputs();
    const Money now = compute_money(in);
    in.staff_usd_year *= 1.3;
    in.fte_first_nodes += 0.2;
    in.on_call_usd_month += 100;
    const Money dear = compute_money(in);
    for (const Option option : kAllOptions)
      RC_ASSERT(dear.of(option).saved_npv_usd <= now.of(option).saved_npv_usd + 1e-6);
    RC_ASSERT(now.best != Option::Stay || dear.best == Option::Stay);
  }));
}

}  // namespace
}  // namespace fh::planner
