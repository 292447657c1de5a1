#include "planner/sensitivity.h"

#include <gtest/gtest.h>

#include "planner/words.h"

namespace fh::planner {
namespace {

Scenario hopeful() {
  Scenario scenario;
  MoneyInputs& in = scenario.money;
  in.bill_list_usd_month = 60'000;
  in.own.moved_usd_month = 60'000;
  in.own.moved_mtok_month = 10'000;
  in.own.node_mtok_month = 20'000;
  in.own.utilisation = 0.5;
  in.own.nodes_min = 1;
  in.own.gpus_per_node = 8;
  in.own.node_price_usd = 360'000;
  in.own.node_kw_max = 10.2;
  in.own.lead_months = 4;
  return scenario;
}

TEST(Sensitivity, UniformsAreSpreadAndRepeat) {
  double sum = 0;
  for (std::uint32_t draw = 0; draw < 10'000; ++draw) sum += uniform_of(7, draw, 3);
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
  EXPECT_EQ(uniform_of(7, 12, 3), uniform_of(7, 12, 3));
  EXPECT_NE(uniform_of(7, 12, 3), uniform_of(8, 12, 3));
  EXPECT_NE(uniform_of(7, 12, 3), uniform_of(7, 12, 4));
}

TEST(Sensitivity, TriangularHasItsEndsAndItsMode) {
  EXPECT_DOUBLE_EQ(triangular(1, 2, 5, 0), 1);
  EXPECT_DOUBLE_EQ(triangular(1, 2, 5, 1), 5);
  EXPECT_DOUBLE_EQ(triangular(1, 2, 5, 0.25), 2);
  EXPECT_DOUBLE_EQ(triangular(3, 3, 3, 0.7), 3);
}

TEST(Sensitivity, TheFlipValueTurnsTheAnswerAndTheOneBesideItDoesNot) {
  const Scenario scenario = hopeful();
  const Money money = compute_money(scenario.money);
  ASSERT_EQ(money.best, Option::Own);
  const Sensitivity found = analyse(scenario, money);
  EXPECT_EQ(found.focus, Option::Own);
  int turned = 0;
  for (const Flip& flip : found.flips) {
    if (!flip.found) continue;
    ++turned;
    MoneyInputs inputs = scenario.money;
    const InputSpec& spec = input_specs()[*input_index(flip.input)];
    spec.at(inputs) = flip.value;
    EXPECT_EQ(compute_money(inputs).best, flip.to) << flip.input;
    spec.at(inputs) = flip.value + (flip.now - flip.value) * 1e-6;
    EXPECT_EQ(compute_money(inputs).best, Option::Own) << flip.input;
  }
  EXPECT_GE(turned, 4);
}

TEST(Sensitivity, TheTornadoIsSortedAndTheQuantilesAreInOrder) {
  Scenario scenario = hopeful();
  scenario.draws = 500;
  const Sensitivity found = analyse(scenario, compute_money(scenario.money));
  ASSERT_GT(found.tornado.size(), 10U);
  for (std::size_t i = 1; i < found.tornado.size(); ++i) {
    EXPECT_GE(found.tornado[i - 1].swing(), found.tornado[i].swing());
  }
  const OptionSpread& own = found.spread[1];
  EXPECT_LE(own.break_even_month.p10, own.break_even_month.p50);
  EXPECT_LE(own.break_even_month.p50, own.break_even_month.p90);
  EXPECT_LE(own.saved_npv_usd.p10, own.saved_npv_usd.p90);
  double share = 0;
  for (const OptionSpread& spread : found.spread) share += spread.share_best;
  EXPECT_NEAR(share, 1, 1e-9);
  const Sensitivity again = analyse(scenario, compute_money(scenario.money));
  EXPECT_EQ(again.spread[1].saved_npv_usd.p50, own.saved_npv_usd.p50);
}

// Own is the answer; when machines get dearer, renting takes over. The machine of the floor is
// another one, with another price.
TEST(Sensitivity, AReadingNamesThePriceOfTheMachineThatTurnsIt) {
  Scenario scenario = hopeful();
  MoneyInputs& in = scenario.money;
  in.hybrid = in.own;
  in.hybrid.node_price_usd = 1'000'000;
  in.rent = in.own;
  in.rent.node_price_usd = 0;
  in.rent.rent_usd_gpu_hour = 2.6;
  in.min_return_share = 0.05;
  const Money money = compute_money(in);
  ASSERT_EQ(money.best, Option::Own);
  const Sensitivity found = analyse(scenario, money);
  int turned = 0;
  for (const Flip& flip : found.flips) {
    if (!flip.found) continue;
    ++turned;
    EXPECT_FALSE(flip.reading.empty()) << flip.input;
    EXPECT_EQ(flip.reading.find("$0,"), std::string::npos) << flip.reading;
    EXPECT_EQ(flip.reading.find("$0 "), std::string::npos) << flip.reading;
    if (flip.input != "hardware_price_factor") continue;
    EXPECT_EQ(flip.to, Option::Rent);
    EXPECT_EQ(flip.reading,
              "a machine at " + dollars_text(360'000 * flip.value) + ", now $360,000");
  }
  EXPECT_GE(turned, 4);
}

// Machines that are there already cost nothing to buy: what turns is the price of the others.
TEST(Sensitivity, AReadingIsNotThatOfMachinesWithoutAPrice) {
  Scenario scenario = hopeful();
  MoneyInputs& in = scenario.money;
  in.hybrid = in.own;
  in.hybrid.node_price_usd = 100'000;
  in.hybrid.staff_factor = 0.2;
  in.own.node_price_usd = 0;
  const Money money = compute_money(in);
  const Sensitivity found = analyse(scenario, money);
  int seen = 0;
  for (const Flip& flip : found.flips) {
    if (!flip.found || flip.input != "hardware_price_factor") continue;
    ++seen;
    EXPECT_EQ(flip.reading,
              "a machine at " + dollars_text(100'000 * flip.value) + ", now $100,000");
  }
  EXPECT_EQ(seen, 1);
}

TEST(Sensitivity, WithoutMachinesThereIsNoFocus) {
  Scenario scenario;
  scenario.money.bill_list_usd_month = 1'000;
  const Sensitivity found = analyse(scenario, compute_money(scenario.money));
  EXPECT_FALSE(found.has_focus);
  EXPECT_TRUE(found.flips.empty());
}

}  // namespace
}  // namespace fh::planner
