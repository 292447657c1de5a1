#include "planner/scenario.h"

#include <gtest/gtest.h>

#include <set>

namespace fh::planner {
namespace {

base::Result<Scenario> parse(std::string_view text) {
  return parse_scenario(text, "s.toml");
}

TEST(Scenario, DefaultsAreWithinTheirOwnBoundsAndRanges) {
  const Scenario scenario;
  EXPECT_TRUE(validate(scenario));
  std::set<std::string> names;
  MoneyInputs defaults;
  for (const InputSpec& spec : input_specs()) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    const double value = spec.at(defaults);
    EXPECT_LE(spec.low, value) << spec.name;
    EXPECT_GE(spec.high, value) << spec.name;
    EXPECT_GE(spec.low, spec.at_least) << spec.name;
    EXPECT_LE(spec.high, spec.at_most) << spec.name;
    EXPECT_NE(std::string_view(spec.source), "") << spec.name;
    EXPECT_NE(std::string_view(spec.confidence), "") << spec.name;
  }
  EXPECT_EQ(names.size() * sizeof(double), sizeof(MoneyInputs)) << "an input has no row";
}

TEST(Scenario, ThePlainNumberIsCertainAndTheTableHasARange) {
  const auto scenario = parse(
      "[site]\npue = 1.2\nelectricity_usd_kwh = { value = 0.2, low = 0.1, high = 0.3, source = "
      "\"our bill\", date = \"2026-10-01\" }\n");
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_DOUBLE_EQ(scenario->money.pue, 1.2);
  const InputState& pue = scenario->inputs[*input_index("pue")];
  EXPECT_EQ(pue.low, pue.high);
  EXPECT_EQ(pue.origin, Origin::User);
  const InputState& power = scenario->inputs[*input_index("electricity_usd_kwh")];
  EXPECT_DOUBLE_EQ(power.low, 0.1);
  EXPECT_EQ(power.source, "our bill");
}

TEST(Scenario, WhatTheUserWroteIsNotLearntOver) {
  auto scenario = parse("[own]\nnode_price_usd = 99000\n");
  ASSERT_TRUE(scenario);
  scenario->learn_exact("own_node_price_usd", 360'000, "catalogue", "", "low");
  scenario->learn_exact("own_node_kw_max", 10, "catalogue", "", "low");
  EXPECT_DOUBLE_EQ(scenario->money.own.node_price_usd, 99'000);
  EXPECT_DOUBLE_EQ(scenario->money.own.node_kw_max, 10);
}

struct Bad {
  const char* text;
  const char* says;
};

TEST(Scenario, MistakesNameTheirLineAndWhatWasMeant) {
  constexpr Bad kBad[] = {
      {"[site]\n\npeu = 1.2\n", "unknown key `site.peu` in line 3; did you mean `pue`"},
      {"[site]\npue = \"high\"\n", "`site.pue` in line 2 must be a number"},
      {"[site]\npue = 0.5\n", "`site.pue` in line 2 must be 1 to 5"},
      {"[site]\npue = { vlaue = 2 }\n", "did you mean `value`"},
      {"[site]\npue = { low = 2 }\n", "has no `value`"},
      {"[site]\npue = { value = 2, low = 3 }\n", "low <= value <= high"},
      {"[readiness]\ncapital = \"perhaps\"\n", "\"yes\", \"no\" or \"unknown\""},
      {"[[workloads]]\nmay_move = false\n", "has no `name`"},
      {"[plan]\ndraws = 5\n", "must be 100 to 100000"},
  };
  for (const Bad& bad : kBad) {
    const auto scenario = parse(bad.text);
    ASSERT_FALSE(scenario) << bad.text;
    EXPECT_NE(scenario.error().message.find(bad.says), std::string::npos)
        << scenario.error().message;
    EXPECT_NE(scenario.error().message.find("s.toml"), std::string::npos);
  }
}

TEST(Scenario, ContradictionsAreRefused) {
  Scenario scenario;
  scenario.money.horizon_months = 60;
  ASSERT_FALSE(validate(scenario));
  EXPECT_EQ(validate(scenario).error().field, "account.horizon_months");
  scenario.money.depreciation_years = 5;
  EXPECT_TRUE(validate(scenario));
  scenario.money.own.nodes_min = 1;
  EXPECT_FALSE(validate(scenario));
}

// Takes the comment marks off and gets the defaults back.
TEST(Scenario, TheTemplateHoldsEveryKeyWithItsDefault) {
  const std::string text = scenario_template();
  EXPECT_TRUE(parse(text)) << parse(text).error().message;
  std::string active;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    at = end + 1;
    const bool key = line.starts_with("# ") && line.find(" = ") != std::string::npos &&
                     line.find('"') == std::string::npos && line.find(';') == std::string::npos &&
                     line.find('{') == std::string::npos && line.find("prompt_") != 2 &&
                     line.find("may_move") == std::string::npos;
    active += (key ? line.substr(2) : line) + "\n";
  }
  const auto scenario = parse(active);
  ASSERT_TRUE(scenario) << scenario.error().message;
  MoneyInputs defaults, read = scenario->money;
  for (const InputSpec& spec : input_specs()) {
    EXPECT_EQ(spec.at(read), spec.at(defaults)) << spec.name;
    EXPECT_EQ(scenario->inputs[*input_index(spec.name)].origin, Origin::User) << spec.name;
  }
}

TEST(Scenario, WishesNameWorkloads) {
  const auto scenario = parse(
      "[[workloads]]\nname = \"coding\"\nworkspace = \"w1\"\nmay_move = false\n"
      "[[workloads]]\nname = \"chat\"\n");
  ASSERT_TRUE(scenario);
  EXPECT_FALSE(scenario->may_move("coding"));
  EXPECT_TRUE(scenario->may_move("chat"));
  EXPECT_TRUE(scenario->may_move("anything else"));
  EXPECT_EQ(scenario->rules[1].workload, "chat");
}

TEST(Scenario, MachinesSwitchesAndTheHorizonTakeNoRange) {
  for (const char* text : {"[account]\nhorizon_months = { value = 36, low = 24, high = 48 }\n",
                           "[own]\nspills = { value = 1, low = 0, high = 1 }\n",
                           "[hybrid]\nnodes_min = { value = 2, low = 1, high = 3 }\n",
                           "[own]\nspare_nodes = { value = 1, low = 0, high = 2 }\n"}) {
    const auto scenario = parse_scenario(text, "s.toml");
    ASSERT_FALSE(scenario) << text;
    EXPECT_NE(scenario.error().message.find("not a range"), std::string::npos);
  }
  EXPECT_TRUE(
      parse_scenario("[account]\nhorizon_months = { value = 36, source = \"lease\" }\n", "s.toml"));
}

// Half a machine cannot be bought, and half a switch is neither on nor off.
TEST(Scenario, MachinesSwitchesAndTheHorizonAreWhole) {
  for (const char* text : {"[account]\nhorizon_months = 36.5\n", "[own]\nnodes_min = 1.5\n",
                           "[hybrid]\nspills = 0.5\n", "[bill]\ndespite_gap = 0.1\n",
                           "[rent]\ngpus_per_node = 7.9\n"}) {
    const auto scenario = parse_scenario(text, "s.toml");
    ASSERT_FALSE(scenario) << text;
    EXPECT_NE(scenario.error().message.find("a whole number"), std::string::npos) << text;
  }
  Scenario scenario;
  scenario.money.own.spare_nodes = 0.5;
  ASSERT_FALSE(validate(scenario));
  EXPECT_EQ(validate(scenario).error().field, "own.spare_nodes");
}

}  // namespace
}  // namespace fh::planner
