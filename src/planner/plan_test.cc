// The whole plan on the example company: what is read is what was made, the bill is explained, and
// the outputs say what the model says.
#include "planner/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "codec/json.h"
#include "planner/plan_options.h"
#include "planner/sample.h"

namespace fh::planner {
namespace {

const Plan& example() {
  static const base::Result<Plan> plan =
      sample_plan(pricing::PriceBook::bundled(), Catalogue::bundled(), nullptr);
  if (!plan) ADD_FAILURE() << plan.error().text();
  return *plan;
}

TEST(Plan, TheExampleIsReadWholeAndItsBillIsExplained) {
  const Plan& plan = example();
  EXPECT_TRUE(plan.example);
  EXPECT_EQ(plan.usage_days, 60);
  ASSERT_EQ(plan.workloads.size(), 3U);
  EXPECT_TRUE(plan.reconciliation.evidence);
  EXPECT_TRUE(plan.reconciliation.advice_allowed) << plan.reconciliation.summary;
  EXPECT_LT(plan.reconciliation.unexplained_share, 0.01);
  EXPECT_FALSE(plan.verdict.refused);
  double sum = 0;
  for (const WorkloadPlan& workload : plan.workloads) sum += workload.usd_month;
  EXPECT_NEAR(sum, plan.scenario.money.bill_list_usd_month, 1e-6 * sum);
  const double billed = static_cast<double>(plan.reconciliation.charged.value) / 1e6;
  EXPECT_NEAR(billed / 60 * 365 / 12, sum, 0.01 * sum);  // no price changed in these days
}

TEST(Plan, OptionsAreThereAndHonest) {
  const Plan& plan = example();
  for (const Option option : {Option::Own, Option::Hybrid, Option::Rent}) {
    const OptionPick& pick = plan.picks[static_cast<std::size_t>(option)];
    ASSERT_TRUE(pick.found) << option_name(option);
    EXPECT_GT(pick.machines, 0);
    EXPECT_GT(pick.token_share, 0);
    EXPECT_LE(pick.token_share, 1 + 1e-9);
    const OptionInputs& in = option_inputs(plan.scenario.money, option);
    // The nodes that the money counts are those that were sized.
    EXPECT_EQ(plan.money.of(option).months[0].work_nodes, pick.machines) << option_name(option);
    EXPECT_LE(in.moved_usd_month, plan.scenario.money.bill_list_usd_month * (1 + 1e-9));
  }
  EXPECT_EQ(plan.verdict.choice, plan.money.best);
  EXPECT_GE(plan.picks[1].token_share, 0.999);
  // What is said of an option's machines is said of as many as it has.
  for (const OptionPick& pick : plan.picks) {
    for (const Considered& one : plan.considered) {
      if (!pick.found || pick.workloads.size() != plan.workloads.size()) continue;
      if (one.machine != pick.machine_name || one.model != pick.model) continue;
      EXPECT_DOUBLE_EQ(pick.sessions_live, one.sessions_p95 * pick.machines) << one.machine;
      if (pick.machines < one.machines_peak) EXPECT_GE(pick.tpot_ms, one.tpot_ms) << one.machine;
    }
  }
}

// A machine whose price stands in one place only has no range there; the draws vary it nonetheless.
TEST(Plan, ASinglePriceIsNotACertainOne) {
  const Plan& plan = example();
  for (const char* input : {"rent_price_factor", "hardware_price_factor"}) {
    const InputState& state = plan.scenario.inputs[*input_index(input)];
    EXPECT_LT(state.low, 1) << input;
    EXPECT_GT(state.high, 1) << input;
  }
}

TEST(Plan, WithoutChargesNoAdviceIsGivenUnlessAsked) {
  const Plan& full = example();
  const auto plan_with = [&](bool despite) {
    PlanRequest request;
    request.scenario.money.despite_gap = despite ? 1 : 0;
    request.book = &pricing::PriceBook::bundled();
    request.catalogue = &Catalogue::bundled();
    request.today = full.today;
    request.usage = [&](const UsageVisit& visit) -> base::Status {
      domain::UsageRecord record;
      record.provider = "anthropic";
      record.model = "claude-opus-5-5";
      record.source_id = "1";
      record.start_unix_ns = (std::int64_t{full.today} * 24 - 20) * 3'600'000'000'000;
      record.end_unix_ns = record.start_unix_ns + 1;
      record.requests = 1;
      record.usage.input_uncached = 2'000'000;
      visit(record);
      return {};
    };
    request.costs = [](const CostVisit&) -> base::Status { return {}; };
    return make_plan(request);
  };
  const auto refused = plan_with(false);
  ASSERT_TRUE(refused) << refused.error().text();
  EXPECT_TRUE(refused->verdict.refused);
  EXPECT_EQ(refused->verdict.word, "no advice");
  EXPECT_NE(plan_text(*refused).find("--despite-gap"), std::string::npos);
  EXPECT_EQ(plan_text(*refused).find("Another answer"), std::string::npos);
  const auto given = plan_with(true);
  ASSERT_TRUE(given);
  EXPECT_FALSE(given->verdict.refused);
}

TEST(Plan, TheTextFitsAScreen) {
  const std::string text = plan_text(example());
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 40) << text;
  std::size_t line = 0;
  for (const char c : text) {
    line = c == '\n' ? 0 : line + ((static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0);
    EXPECT_LE(line, 80U) << text;
    if (line > 80) break;
  }
  EXPECT_TRUE(text.starts_with("EXAMPLE")) << text;
}

TEST(Plan, TheJsonHoldsEveryInputAndEveryMonth) {
  const Plan& plan = example();
  const auto document = codec::json::Document::parse(plan_json(plan));
  ASSERT_TRUE(document) << document.error().message;
  const auto root = document->root();
  EXPECT_EQ(root["schema"].as_string(), "freehold.plan/1");
  ASSERT_EQ(root["inputs"].size(), input_specs().size());
  for (std::size_t i = 0; i < input_specs().size(); ++i) {
    const auto input = root["inputs"][i];
    EXPECT_EQ(input["name"].as_string(), input_specs()[i].name);
    EXPECT_EQ(input["value"].as_double(), plan.scenario.value(input_specs()[i].name));
    EXPECT_FALSE(input["source"].as_string().value_or("").empty()) << input_specs()[i].name;
  }
  ASSERT_EQ(root["options"].size(), kOptions);
  const auto own = root["options"][1];
  EXPECT_EQ(own["months"].size() * sizeof(double), sizeof(MonthRow)) << "a member is missing";
  EXPECT_EQ(own["months"]["cash"][7].as_double(), plan.money.of(Option::Own).months[7].cash);
}

TEST(Plan, EveryCapacityFigureIsThereAndLabelled) {
  const Plan& plan = example();
  int fitting = 0;
  for (const Considered& one : plan.considered) {
    if (!one.fits) continue;
    ++fitting;
    const std::string where = one.model + " on " + one.machine;
    EXPECT_EQ(one.accuracy, "datasheet, ±35 %") << where;
    EXPECT_GT(one.prefill_tok_s, 0) << where;
    EXPECT_GT(one.decode_tok_s, 0) << where;
    EXPECT_GT(one.decode_tok_s_alone, 0) << where;
    EXPECT_GE(one.sessions_p95, 1) << where;
    EXPECT_GE(one.sessions_p50, one.sessions_p95) << where;
    EXPECT_GT(one.utilisation_mean, 0) << where;
    EXPECT_LE(one.utilisation_mean, one.utilisation_peak) << where;
    EXPECT_LE(one.utilisation_peak, 1 + 1e-9) << where;
    if (one.machine.find("AMD") != std::string::npos) EXPECT_NE(one.precision, "nvfp4") << where;
  }
  EXPECT_GT(fitting, 0);
  for (const Option option : {Option::Own, Option::Hybrid, Option::Rent}) {
    const OptionPick& pick = plan.picks[static_cast<std::size_t>(option)];
    double most = 0, sum = 0;
    for (const double busy : pick.busy_by_hour) {
      most = std::max(most, busy);
      sum += busy;
    }
    // 60 days are not whole weeks, so the mean by hour is near, not at, the mean over all hours.
    EXPECT_GT(most, 0) << option_name(option);
    EXPECT_LE(most, pick.utilisation_peak + 1e-9) << option_name(option);
    EXPECT_LT(sum / 168, most) << option_name(option);
  }
}

TEST(Plan, TheJsonTellsTheGapOfEveryDayAndModel) {
  const auto parsed = codec::json::Document::parse(plan_json(example()));
  ASSERT_TRUE(parsed.has_value());
  const codec::json::Value rec = parsed->root()["reconciliation"];
  ASSERT_EQ(rec["models"].size(), 3U);
  ASSERT_EQ(rec["days"].size(), 180U);
  double charged = 0, by_day = 0;
  for (const codec::json::Value line : rec["models"].elements())
    charged += *line["charged_usd"].as_double();
  for (const codec::json::Value line : rec["days"].elements())
    by_day += *line["charged_usd"].as_double();
  EXPECT_NEAR(charged, *rec["charged_usd"].as_double(), 1e-6);
  EXPECT_NEAR(by_day, charged, 1e-6);
  EXPECT_TRUE(rec["gap_usd"].as_double().has_value());
}

TEST(Plan, TheWorkbookIsWrittenAndABadPathIsAnError) {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / "freehold-plan-test.xlsx";
  ASSERT_TRUE(write_workbook(example(), path.string()));
  EXPECT_GT(std::filesystem::file_size(path), 50'000U);
  std::filesystem::remove(path);
  EXPECT_FALSE(write_workbook(example(), "/nowhere/at/all/plan.xlsx"));
}

// Never in the place of a folder or a device, which whoever may do anything could do.
TEST(Plan, APageTakesThePlaceOfAFileOnly) {
  if (!write_html(example(), testing::TempDir() + "freehold-plan-test.html")) {
    GTEST_SKIP() << "this build carries no page";
  }
  std::filesystem::remove(testing::TempDir() + "freehold-plan-test.html");
  for (const std::string& path : {testing::TempDir(), std::string("/dev/null")}) {
    const base::Status written = write_html(example(), path);
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().message, path + " cannot be written: it is not a file");
  }
  EXPECT_FALSE(write_html(example(), "/nowhere/at/all/plan.html"));
}

TEST(Plan, TokensWithoutAPriceAreAskedForFirst) {
  PlanRequest request;
  request.book = &pricing::PriceBook::bundled();
  request.catalogue = &Catalogue::bundled();
  request.today = example().today;
  request.scenario.money.despite_gap = 1;
  request.usage = [&](const UsageVisit& visit) -> base::Status {
    for (int day = 1; day <= 40; ++day) {
      for (const char* model : {"claude-opus-5-5", "claude-nova-9"}) {
        domain::UsageRecord record;
        record.provider = "anthropic";
        record.model = model;
        record.start_unix_ns = (example().today - day) * 86'400LL * 1'000'000'000;
        record.end_unix_ns = record.start_unix_ns;
        record.usage.input_uncached = 1'000'000;
        if (!visit(record)) return {};
      }
    }
    return {};
  };
  request.costs = [](const CostVisit&) -> base::Status { return {}; };
  const base::Result<Plan> plan = make_plan(request);
  ASSERT_TRUE(plan) << plan.error().text();
  ASSERT_FALSE(plan->notes.empty());
  EXPECT_NE(plan->notes[0].find("claude-nova-9. What do they cost?"), std::string::npos)
      << plan->notes[0];
  EXPECT_NE(plan_text(*plan).find("claude-nova-9"), std::string::npos);
}

TEST(Plan, NoUsageAndNoBillIsAnError) {
  PlanRequest request;
  request.book = &pricing::PriceBook::bundled();
  request.catalogue = &Catalogue::bundled();
  request.usage = [](const UsageVisit&) -> base::Status { return {}; };
  request.costs = [](const CostVisit&) -> base::Status { return {}; };
  const auto plan = make_plan(request);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, base::Code::NotFound);
}

TEST(Plan, ABillOfOnesOwnNeedsNoUsage) {
  PlanRequest request;
  const auto scenario = parse_scenario("[bill]\nbill_list_usd_month = 50000\n", "s.toml");
  ASSERT_TRUE(scenario);
  request.scenario = *scenario;
  request.book = &pricing::PriceBook::bundled();
  request.catalogue = &Catalogue::bundled();
  request.usage = [](const UsageVisit&) -> base::Status { return {}; };
  request.costs = [](const CostVisit&) -> base::Status { return {}; };
  const auto plan = make_plan(request);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->verdict.word, "stay");
  EXPECT_FALSE(plan_json(*plan).empty());
}

// An offer in hand for machines, with a bill that comes from usage.
TEST(Plan, AnOptionOfOnesOwnIsHeldAgainstTheBillFromUsage) {
  auto scenario = parse_scenario(sample_scenario(), "s.toml");
  ASSERT_TRUE(scenario);
  const auto offer = parse_scenario(
      "[own]\nmoved_usd_month = 20000\nnode_price_usd = 99000\nnodes_min = 2\n", "s.toml");
  ASSERT_TRUE(offer);
  scenario->money.own = offer->money.own;
  scenario->inputs = offer->inputs;
  const auto plan = sample_plan(pricing::PriceBook::bundled(), Catalogue::bundled(), &*scenario);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_DOUBLE_EQ(plan->scenario.money.own.node_price_usd, 99'000);
  EXPECT_DOUBLE_EQ(plan->scenario.money.own.moved_usd_month, 20'000);
  EXPECT_GE(plan->money.of(Option::Own).months[0].work_nodes, 2);
}

// Nothing but a scenario: no usage, no charges.
base::Result<Plan> plan_of_text(std::string_view toml) {
  PlanRequest request;
  FH_TRY(request.scenario, parse_scenario(toml, "s.toml"));
  request.book = &pricing::PriceBook::bundled();
  request.catalogue = &Catalogue::bundled();
  request.today = example().today;
  request.usage = [](const UsageVisit&) -> base::Status { return {}; };
  request.costs = [](const CostVisit&) -> base::Status { return {}; };
  return make_plan(request);
}

bool notes_say(const Plan& plan, std::string_view text) {
  return std::any_of(plan.notes.begin(), plan.notes.end(),
                     [&](const std::string& note) { return note.find(text) != std::string::npos; });
}

TEST(Plan, WithoutABillItIsTakenAsWhatAnOfferMoves) {
  const auto plan = plan_of_text(
      "[own]\nmoved_usd_month = 20000\nmoved_mtok_month = 40000\nnode_mtok_month = 60000\n"
      "nodes_min = 2\nnode_price_usd = 99000\n[rent]\nmoved_usd_month = 30000\n");
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_DOUBLE_EQ(plan->scenario.money.bill_list_usd_month, 30'000);
  EXPECT_TRUE(notes_say(*plan, "taken as $30,000 a month")) << plan_text(*plan);
  EXPECT_TRUE(notes_say(*plan, "bill.bill_list_usd_month"));
  EXPECT_FALSE(plan->verdict.refused);
  EXPECT_GT(plan->money.of(Option::Own).npv_usd, 0);
}

TEST(Plan, AnOfferBeyondTheBillOfTheUsageIsExplained) {
  auto scenario = parse_scenario(sample_scenario(), "s.toml");
  ASSERT_TRUE(scenario);
  const auto offer = parse_scenario("[own]\nmoved_usd_month = 2000000\n", "s.toml");
  ASSERT_TRUE(offer);
  scenario->money.own = offer->money.own;
  scenario->inputs = offer->inputs;
  const auto plan = sample_plan(pricing::PriceBook::bundled(), Catalogue::bundled(), &*scenario);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().field, "own.moved_usd_month");
  EXPECT_NE(plan.error().message.find("$2,000,000"), std::string::npos) << plan.error().message;
  EXPECT_NE(plan.error().message.find("60 days of usage"), std::string::npos);
  EXPECT_NE(plan.error().hint.find("bill.bill_list_usd_month"), std::string::npos);
}

TEST(Plan, AWrittenBillBelowTheWorkThatMovesIsExplained) {
  auto scenario = parse_scenario(sample_scenario(), "s.toml");
  ASSERT_TRUE(scenario);
  const auto written = parse_scenario("[bill]\nbill_list_usd_month = 900\n", "s.toml");
  ASSERT_TRUE(written);
  scenario->money.bill_list_usd_month = 900;
  scenario->inputs = written->inputs;
  const auto plan = sample_plan(pricing::PriceBook::bundled(), Catalogue::bundled(), &*scenario);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().field, "bill.bill_list_usd_month");
  EXPECT_NE(plan.error().message.find("$900"), std::string::npos) << plan.error().message;
  EXPECT_NE(plan.error().hint.find("own.moved_usd_month"), std::string::npos) << plan.error().hint;
}

// Two models of one provider whose prices double a month apart.
TEST(Plan, EveryAnnouncedChangeIsInTheAccount) {
  constexpr std::int32_t kToday = 20'781;  // 2026-11-24
  ASSERT_EQ(date_text(kToday), "2026-11-24");
  PlanRequest request;
  request.scenario.money.despite_gap = 1;
  request.book = &pricing::PriceBook::bundled();
  request.catalogue = &Catalogue::bundled();
  request.today = kToday;
  request.usage = [&](const UsageVisit& visit) -> base::Status {
    for (const auto& [model, tokens] : {std::pair{"gemini-4-argon", 30'000'000ULL},
                                        std::pair{"gemini-3.7-flash", 80'000'000ULL}}) {
      domain::UsageRecord record;
      record.provider = "google";
      record.model = model;
      record.source_id = model;
      record.start_unix_ns = (std::int64_t{kToday} * 24 - 20) * 3'600'000'000'000;
      record.end_unix_ns = record.start_unix_ns + 1;
      record.requests = 1'000;
      record.usage.input_uncached = tokens;
      visit(record);
    }
    return {};
  };
  request.costs = [](const CostVisit&) -> base::Status { return {}; };
  const auto plan = make_plan(request);
  ASSERT_TRUE(plan) << plan.error().text();
  const MoneyInputs& money = plan->scenario.money;
  // $60 and $60: half of the bill doubles on the first of December, the rest on New Year's Day.
  EXPECT_EQ(money.scheduled_from_month, 1);
  EXPECT_NEAR(money.scheduled_price_factor, (1.5 + 47 * 2.0) / 48, 1e-9);
  EXPECT_TRUE(notes_say(*plan, "change more than once: the bill +50 % from month 1, +100 %"));
}

TEST(Plan, HalfOfTheBillMovesHalfOfTheTokens) {
  const Plan& whole = example();
  auto scenario = parse_scenario(sample_scenario(), "s.toml");
  ASSERT_TRUE(scenario);
  const double usd = whole.scenario.money.own.moved_usd_month;
  const auto offer =
      parse_scenario("[own]\nmoved_usd_month = " + std::to_string(usd / 2) + "\n", "s.toml");
  ASSERT_TRUE(offer);
  scenario->money.own = offer->money.own;
  scenario->inputs = offer->inputs;
  const auto plan = sample_plan(pricing::PriceBook::bundled(), Catalogue::bundled(), &*scenario);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_NEAR(plan->scenario.money.own.moved_mtok_month,
              whole.scenario.money.own.moved_mtok_month / 2, 1);
}

// What is free in the busiest hour is filled before another machine is bought.
TEST(Plan, GrowthFillsTheMachinesFirst) {
  const Plan& plan = example();
  const OptionPick& pick = plan.picks[static_cast<std::size_t>(Option::Own)];
  ASSERT_LT(pick.utilisation_peak, 0.9) << "the example's machines are full: take another one";
  ASSERT_GT(plan.scenario.money.load_growth_per_year, 0);
  for (const MonthRow& row : plan.money.of(Option::Own).months) {
    if (row.active == 0) break;
    const double needed = std::ceil(pick.machines * pick.utilisation_peak * row.load - 1e-6);
    EXPECT_EQ(row.work_nodes, std::max(1.0, needed)) << "month " << row.month;
  }
}

// One hour of one request each day: nothing pays, and every way is there to say by how much.
base::Result<Plan> small_plan(std::int32_t days) {
  PlanRequest request;
  request.scenario.money.despite_gap = 1;
  request.book = &pricing::PriceBook::bundled();
  request.catalogue = &Catalogue::bundled();
  request.today = example().today;
  request.usage = [&](const UsageVisit& visit) -> base::Status {
    for (std::int32_t day = days; day > 0; --day) {
      domain::UsageRecord record;
      record.provider = "anthropic";
      record.model = "claude-opus-5-5";
      record.source_id = std::to_string(day);
      record.start_unix_ns = (std::int64_t{request.today - day} * 24 + 9) * 3'600'000'000'000;
      record.end_unix_ns = record.start_unix_ns + 1;
      record.requests = 1;
      record.usage.input_uncached = 20'000;
      record.usage.output = 500;
      visit(record);
    }
    return {};
  };
  request.costs = [](const CostVisit&) -> base::Status { return {}; };
  return make_plan(request);
}

TEST(Plan, EveryWayIsACandidateHoweverSmallTheBill) {
  const auto plan = small_plan(40);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_LT(plan->scenario.money.bill_list_usd_month, 100);
  for (const Option option : kAllOptions) {
    EXPECT_TRUE(plan->money.of(option).available) << option_name(option);
  }
  EXPECT_EQ(plan->verdict.word, "stay");
  EXPECT_FALSE(notes_say(*plan, "of usage: a month is taken"));
  EXPECT_EQ(plan->scenario.inputs[*input_index("bill_list_usd_month")].confidence, "medium");
}

TEST(Plan, ATighterTargetIsNeverCheaper) {
  std::array<double, kOptions> last{};
  for (const double tpot_ms : {100.0, 50.0, 20.0, 12.0, 8.0, 6.0}) {
    base::Result<Scenario> scenario = parse_scenario(
        "[replacement]\nmodels = [\"gpt-oss-120b\", \"qwen3.5-122b-a10b\"]\n"
        "[plan]\ndraws = 100\n[api]\nload_growth_per_year = 0.2\n",
        "s.toml");
    ASSERT_TRUE(scenario) << scenario.error().text();
    scenario->replacement.tpot_ms = tpot_ms;
    const base::Result<Plan> plan =
        sample_plan(pricing::PriceBook::bundled(), Catalogue::bundled(), &*scenario);
    ASSERT_TRUE(plan) << plan.error().text();
    for (const OptionMoney& option : plan->money.options) {
      double& before = last[static_cast<std::size_t>(option.option)];
      const double costs = option.available ? option.npv_usd : INFINITY;
      EXPECT_GE(costs, before * (1 - 1e-9)) << option_name(option.option) << " at " << tpot_ms;
      before = costs;
    }
  }
}

TEST(Plan, FewDaysAreSaid) {
  const auto plan = small_plan(3);
  ASSERT_TRUE(plan) << plan.error().text();
  ASSERT_FALSE(plan->notes.empty());
  EXPECT_TRUE(plan->notes[0].starts_with("Only 3 days of usage: a month is taken as 10.1 times"))
      << plan->notes[0];
  EXPECT_EQ(plan->scenario.inputs[*input_index("bill_list_usd_month")].confidence, "low");
  const std::string text = plan_text(*plan);
  EXPECT_NE(text.find("3 days,"), std::string::npos) << text;
  EXPECT_NE(text.find("Only 3 days"), std::string::npos) << text;
}

TEST(Plan, OnlyTheNewestDaysAreTodaysLoad) {
  const auto all = small_plan(200), newest = small_plan(92);
  ASSERT_TRUE(all && newest);
  EXPECT_EQ(all->usage_days, 92);
  EXPECT_TRUE(notes_say(*all, "the newest 92 days count (plan.days): 108 older records, from "));
  EXPECT_FALSE(notes_say(*newest, "plan.days"));
  EXPECT_EQ(all->scenario.money.bill_list_usd_month, newest->scenario.money.bill_list_usd_month);
  EXPECT_EQ(all->verdict.headline, newest->verdict.headline);
}

// Short requests of one workload make the mean short, not the long ones of another.
TEST(Plan, SharedMachinesHoldTheLongRequestsOfEachWorkload) {
  const auto plan_with = [](bool chat) {
    PlanRequest request;
    request.scenario.replacement.models = {"gpt-oss-120b"};  // a context of 131,072
    request.scenario.replacement.machines = {"node-8x-h200"};
    request.scenario.money.despite_gap = 1;
    request.book = &pricing::PriceBook::bundled();
    request.catalogue = &Catalogue::bundled();
    request.today = example().today;
    request.usage = [today = request.today, chat](const UsageVisit& visit) -> base::Status {
      for (int i = 0; i < 40 * 24; ++i) {
        domain::UsageRecord record;
        record.provider = "anthropic";
        record.model = "claude-haiku-4-5";
        record.start_unix_ns = (std::int64_t{today - 40} * 24 + i) * 3'600'000'000'000;
        record.end_unix_ns = record.start_unix_ns + 1;
        record.requests = 1;
        record.usage.output = 300;
        record.workload = "reports";
        record.usage.input_uncached = 150'000;
        visit(record);
        record.workload = "chat";
        record.usage.input_uncached = 1000;
        for (int j = 0; chat && j < 30; ++j) visit(record);
      }
      return {};
    };
    request.costs = [](const CostVisit&) -> base::Status { return {}; };
    return make_plan(request);
  };
  for (const bool chat : {false, true}) {
    const auto plan = plan_with(chat);
    ASSERT_TRUE(plan) << plan.error().text();
    ASSERT_EQ(plan->considered.size(), 1U);
    EXPECT_FALSE(plan->considered[0].fits);
    EXPECT_NE(plan->considered[0].why_not.find("context"), std::string::npos)
        << plan->considered[0].why_not;
  }
}

// The fleet that saves most may not save enough for what it costs where a smaller one does: were it
// taken all the same, a dearer API would bring work back to it.
TEST(Plan, ADearerApiNeverBringsWorkBackToIt) {
  for (const double return_share : {0.56, 0.58, 0.6}) {
    std::array<bool, kOptions> moves{};
    for (double factor = 2.9; factor < 3.8; factor *= 1.025) {  // another machine pays in here
      auto scenario = parse_scenario(
          "[plan]\ndraws = 100\n[replacement]\nmodels = [\"kimi-k2.6\"]\n"
          "machines = [\"node-8x-pro6000\"]\n[api]\napi_price_change_per_year = 0\n",
          "s.toml");
      ASSERT_TRUE(scenario);
      scenario->money.min_return_share = return_share;
      scenario->money.api_price_factor = factor;
      const auto plan =
          sample_plan(pricing::PriceBook::bundled(), Catalogue::bundled(), &*scenario);
      ASSERT_TRUE(plan) << plan.error().text();
      for (const OptionMoney& option : plan->money.options) {
        bool& worth = moves[static_cast<std::size_t>(option.option)];
        EXPECT_TRUE(option.qualifies || !worth)
            << option_name(option.option) << " at " << factor << ", return " << return_share;
        worth = option.qualifies;
      }
      const OptionPick &floor = plan->picks[2], &rent = plan->picks[3];  // on the same machines
      if (floor.workloads != rent.workloads) continue;
      EXPECT_DOUBLE_EQ(floor.sessions_live * rent.machines, rent.sessions_live * floor.machines);
    }
  }
}

TEST(Plan, SaysWhyNoMachineWasSized) {
  const auto bill = plan_of_text("[bill]\nbill_list_usd_month = 400000\n");
  ASSERT_TRUE(bill);
  EXPECT_NE(bill->verdict.headline.find("no usage to size machines for"), std::string::npos);
  auto scenario = parse_scenario("[[workloads]]\nname = \"all\"\nmay_move = false\n", "s.toml");
  ASSERT_TRUE(scenario);
  scenario->rules.assign(1, WorkloadRule());
  scenario->rules[0].name = "all";
  const auto kept = sample_plan(pricing::PriceBook::bundled(), Catalogue::bundled(), &*scenario);
  ASSERT_TRUE(kept) << kept.error().text();
  EXPECT_EQ(kept->verdict.headline, "Stay on the API: no workload may move.");
  const auto large = parse_scenario(
      "[replacement]\nmodels = [\"glm-5.2\"]\nmachines = [\"ws-1x-pro6000\", "
      "\"node-4x-pro6000\"]\n",
      "s.toml");
  ASSERT_TRUE(large);
  const auto none = sample_plan(pricing::PriceBook::bundled(), Catalogue::bundled(), &*large);
  ASSERT_TRUE(none) << none.error().text();
  EXPECT_EQ(none->verdict.headline,
            "Stay on the API: no machine was found that carries this work; GLM-5.2 on 4 x RTX PRO "
            "6000 server: 744 GB of fp8 weights do not fit in the memory.");
}

TEST(Plan, RecordsGoToTheFirstRuleThatFits) {
  domain::UsageRecord record;
  record.model = "m";
  EXPECT_EQ(workload_of(record, {}), "m");
  record.workspace = "w";
  EXPECT_EQ(workload_of(record, {}), "w");
  WorkloadRule batch, rest;
  batch.name = "nightly";
  batch.workspace = "w";
  batch.tier = "batch";
  rest.name = "rest";
  rest.workspace = "w";
  EXPECT_EQ(workload_of(record, {batch, rest}), "rest");
  record.tier = domain::ServiceTier::Batch;
  EXPECT_EQ(workload_of(record, {batch, rest}), "nightly");
}

}  // namespace
}  // namespace fh::planner
