// The computed bill against cost reports that agree, differ, miss a model or say nothing.

#include "planner/reconcile.h"

#include <gtest/gtest.h>

namespace fh::planner {
namespace {

constexpr std::int64_t kDay = 86'400LL * 1'000'000'000;
constexpr std::int64_t kMonday = 20'780 * kDay;

class Reconcile : public testing::Test {
 protected:
  const pricing::PriceBook& book = pricing::PriceBook::bundled();
  ModelNames names{book};
  ProfileBuilder builder{book, names};
  UsageProfile profile;

  void use(int day, const char* model, std::uint64_t input, std::int64_t billed = 0) {
    domain::UsageRecord r;
    r.provider = "anthropic";
    r.model = model;
    r.start_unix_ns = r.end_unix_ns = kMonday + day * kDay;
    r.usage.input_uncached = input;
    if (billed > 0) {
      r.reported_cost = domain::MicroUsd{billed};
      r.cost_kind = domain::CostKind::Billed;
    }
    ASSERT_TRUE(builder.add(r).has_value());
  }
  static domain::CostRecord cost(int day, const char* model, std::int64_t micro_usd) {
    domain::CostRecord c;
    c.provider = "anthropic";
    c.model = model;
    c.item = "uncached_input_tokens";
    c.start_unix_ns = kMonday + day * kDay;
    c.end_unix_ns = c.start_unix_ns + kDay;
    c.billed = domain::MicroUsd{micro_usd};
    return c;
  }
  ReconcileReport against(const std::vector<domain::CostRecord>& costs, double discount = 0) {
    profile = builder.finish().value();
    Reconciler reconciler(profile, names, {0.03, discount});
    for (const auto& c : costs) EXPECT_TRUE(reconciler.add(c).has_value());
    return reconciler.finish().value();
  }
};

TEST_F(Reconcile, TellsTheGapOfEveryModelWithItsSignInMoneyAndTokens) {
  use(0, "claude-opus-5-5", 1'000'000);            // 4.00
  use(1, "claude-opus-5-5", 1'000'000);            // 4.00
  use(0, "claude-haiku-4-5-20251001", 2'000'000);  // 2.00
  use(1, "claude-sonnet-5", 500'000);              // 1.00, not charged
  domain::CostRecord counted = cost(1, "claude-haiku-4-5", 1'500'000);
  counted.quantity = 1'400'000;
  counted.quantity_unit = "tokens";
  const ReconcileReport r =
      against({cost(0, "claude-opus-5-5", 4'000'000), cost(1, "claude-opus-5-5", 6'000'000),
               counted, cost(1, "claude-fable-5-1", 3'000'000)});
  ASSERT_EQ(r.models.size(), 4u);  // dearest first
  EXPECT_EQ(r.models[0].model, "anthropic/claude-opus-5-5");
  EXPECT_EQ(r.models[0].charged.value, 10'000'000);
  EXPECT_EQ(r.models[0].computed.low.value, 8'000'000);
  const GapLine opus = gap_of(r.models[0], false);
  EXPECT_EQ(opus.money, 2'000'000);
  EXPECT_FALSE(opus.tokens_counted);
  EXPECT_NEAR(opus.tokens.value(), 500'000, 1e-6);  // 2.00 at 4.00 a million
  EXPECT_FALSE(gap_of(r.models[1], false).tokens);  // nothing was used that could tell
  EXPECT_EQ(gap_of(r.models[1], false).money, 3'000'000);
  const GapLine haiku = gap_of(r.models[2], false);
  EXPECT_EQ(haiku.money, -500'000);
  EXPECT_TRUE(haiku.tokens_counted);
  EXPECT_NEAR(haiku.tokens.value(), -600'000, 1e-6);
  EXPECT_EQ(gap_of(r.models[3], false).money, -1'000'000);
  EXPECT_EQ(r.gap, 3'500'000);
  for (const char* said :
       {"a gap of +$3.50", "claude-fable-5-1 +$3.00 (no usage of it was imported)",
        "claude-opus-5-5 +$2.00 (about +500 k tokens)",
        "claude-sonnet-5 -$1.00 (nothing was charged)", "and 1 more"}) {
    EXPECT_NE(r.summary.find(said), std::string::npos) << r.summary;
  }
}

TEST_F(Reconcile, AgreesByDayAndModelWhateverTheNamesLookLike) {
  use(0, "claude-opus-5-5", 1'000'000);            // 4.00
  use(1, "claude-haiku-4-5-20251001", 1'000'000);  // 1.00
  const ReconcileReport r = against(
      {cost(0, "anthropic/claude-opus-5-5", 4'000'000), cost(1, "Claude Haiku 4.5", 1'020'000)});
  ASSERT_EQ(r.rows.size(), 2u);
  EXPECT_EQ(r.rows[0].gap_low, 0);
  EXPECT_EQ(r.rows[1].gap_low, 20'000);
  EXPECT_EQ(r.gap, 20'000);
  EXPECT_NEAR(r.unexplained_share, 0.02 / 5.02, 1e-12);
  EXPECT_TRUE(r.advice_allowed);
  EXPECT_TRUE(r.unmatched.empty());
}

TEST_F(Reconcile, AboveTheThresholdThereIsNoAdvice) {
  use(0, "claude-opus-5-5", 1'000'000);
  const ReconcileReport r = against({cost(0, "claude-opus-5-5", 4'130'000)});
  EXPECT_NEAR(r.unexplained_share, 0.13 / 4.13, 1e-12);  // 3.1 %
  EXPECT_FALSE(r.advice_allowed);
}

// A report of what is paid after a discount of a quarter.
TEST_F(Reconcile, AWrittenDiscountExplainsWhatIsChargedBelowList) {
  use(0, "claude-opus-5-5", 1'000'000);   // 4.00
  use(0, "claude-haiku-4-5", 1'000'000);  // 1.00
  const std::vector<domain::CostRecord> paid = {cost(0, "claude-opus-5-5", 3'000'000),
                                                cost(0, "claude-haiku-4-5", 750'000)};
  const ReconcileReport r = against(paid, 0.25);
  EXPECT_TRUE(r.at_list);
  EXPECT_EQ(r.listed.value, 5'000'000);
  EXPECT_NEAR(r.unexplained_share, 0, 1e-9);
  EXPECT_TRUE(r.advice_allowed) << r.summary;
  EXPECT_NE(r.summary.find("before discount"), std::string::npos) << r.summary;
}

// Other reports are before the discount: it does not make them unexplained.
TEST_F(Reconcile, AReportAtListPriceIsExplainedWhateverTheDiscount) {
  use(0, "claude-opus-5-5", 1'000'000);
  const ReconcileReport r = against({cost(0, "claude-opus-5-5", 4'000'000)}, 0.25);
  EXPECT_FALSE(r.at_list);
  EXPECT_TRUE(r.advice_allowed) << r.summary;
}

TEST_F(Reconcile, AListPriceThatTheReportTellsIsHeldAgainst) {
  use(0, "claude-opus-5-5", 2'000'000);
  domain::CostRecord both = cost(0, "claude-opus-5-5", 5'600'000);
  both.list = domain::MicroUsd{8'000'000};
  const ReconcileReport r = against({both});
  EXPECT_TRUE(r.at_list);
  EXPECT_TRUE(r.advice_allowed) << r.summary;
  EXPECT_NE(r.summary.find("as the report tells"), std::string::npos) << r.summary;
}

TEST_F(Reconcile, WhatIsPrepaidIsHeldAgainstAtItsListPrice) {
  use(0, "claude-opus-5-5", 2'000'000);
  domain::CostRecord prepaid = cost(0, "claude-opus-5-5", 0);
  prepaid.list = domain::MicroUsd{8'000'000};
  const ReconcileReport r = against({prepaid});
  EXPECT_TRUE(r.evidence);
  EXPECT_TRUE(r.advice_allowed) << r.summary;
}

TEST_F(Reconcile, ADiscountThatWouldExplainEverythingIsNamed) {
  use(0, "claude-opus-5-5", 1'000'000);
  use(0, "claude-haiku-4-5", 1'000'000);
  const ReconcileReport alike =
      against({cost(0, "claude-opus-5-5", 3'200'000), cost(0, "claude-haiku-4-5", 800'000)});
  EXPECT_FALSE(alike.advice_allowed);
  EXPECT_NE(alike.summary.find("bill.negotiated_discount = 0.200"), std::string::npos)
      << alike.summary;
}

TEST_F(Reconcile, ModelsThatDifferInTheirGapAreNoDiscount) {
  use(0, "claude-opus-5-5", 1'000'000);
  use(0, "claude-haiku-4-5", 1'000'000);
  const ReconcileReport r =
      against({cost(0, "claude-opus-5-5", 3'000'000), cost(0, "claude-haiku-4-5", 1'000'000)});
  EXPECT_FALSE(r.advice_allowed);
  EXPECT_EQ(r.summary.find("negotiated_discount"), std::string::npos) << r.summary;
}

TEST_F(Reconcile, ModelsDoNotOffsetOneAnother) {
  use(0, "claude-opus-5-5", 1'000'000);   // 4.00, charged 5.00
  use(0, "claude-haiku-4-5", 1'000'000);  // 1.00, charged 0.00 as another model
  const ReconcileReport r = against({cost(0, "claude-opus-5-5", 5'000'000)});
  EXPECT_EQ(r.gap, 0);
  EXPECT_DOUBLE_EQ(r.unexplained_share, 2.0 / 5);
  EXPECT_FALSE(r.advice_allowed);
  ASSERT_EQ(r.unmatched.size(), 1u);
  EXPECT_EQ(r.unmatched[0].model, "anthropic/claude-haiku-4-5");
  EXPECT_FALSE(r.unmatched[0].charged);
}

TEST_F(Reconcile, DaysOfOneModelMayOffset) {
  use(0, "claude-opus-5-5", 1'000'000);
  use(1, "claude-opus-5-5", 1'000'000);
  const ReconcileReport r =
      against({cost(0, "claude-opus-5-5", 4'400'000), cost(1, "claude-opus-5-5", 3'600'000)});
  EXPECT_EQ(r.unexplained_share, 0);
  EXPECT_EQ(r.rows[0].gap_low, 400'000);
  EXPECT_EQ(r.rows[1].gap_low, -400'000);
  EXPECT_TRUE(r.advice_allowed);
}

TEST_F(Reconcile, ChargesWithoutUsageAreListed) {
  use(0, "claude-opus-5-5", 1'000'000);
  const ReconcileReport r =
      against({cost(0, "claude-opus-5-5", 4'000'000), cost(0, "gpt-5.4", 2'000'000)});
  ASSERT_EQ(r.unmatched.size(), 1u);
  EXPECT_EQ(r.unmatched[0].model, "openai/gpt-5.4");
  EXPECT_EQ(r.unmatched[0].amount.value, 2'000'000);
  EXPECT_EQ(r.unmatched[0].item, "uncached_input_tokens");
  EXPECT_NEAR(r.unexplained_share, 2.0 / 6, 1e-12);
}

TEST_F(Reconcile, OnlyDaysOfBothSidesCount) {
  use(0, "claude-opus-5-5", 1'000'000);
  use(1, "claude-opus-5-5", 1'000'000);
  use(2, "claude-opus-5-5", 1'000'000);  // not billed yet
  const ReconcileReport r =
      against({cost(-1, "claude-opus-5-5", 9'000'000), cost(0, "claude-opus-5-5", 4'000'000),
               cost(1, "claude-opus-5-5", 4'000'000)});
  EXPECT_EQ(r.rows.size(), 2u);
  EXPECT_EQ(r.charged.value, 8'000'000);
  EXPECT_TRUE(r.advice_allowed);
  ASSERT_EQ(r.unmatched.size(), 1u);  // the day before the usage begins
  EXPECT_EQ(r.unmatched[0].day, 20'779);
}

TEST_F(Reconcile, ARangeExplainsWhatLiesInside) {
  domain::UsageRecord day;
  day.provider = "anthropic";
  day.model = "claude-haiku-5-5";
  day.granularity = domain::Granularity::Day;
  day.start_unix_ns = kMonday;
  day.end_unix_ns = kMonday + kDay;
  day.usage.input_uncached = 10'000'000;  // 1.00 to 5.00
  ASSERT_TRUE(builder.add(day).has_value());
  const ReconcileReport r = against({cost(0, "claude-haiku-5-5", 3'000'000)});
  EXPECT_EQ(r.gap, 0);
  EXPECT_TRUE(r.advice_allowed);
}

TEST_F(Reconcile, SeatsAndSearchesStandApart) {
  use(0, "claude-opus-5-5", 1'000'000);
  auto seats = cost(0, "", 20'000'000);
  seats.item = "seats";
  const ReconcileReport r = against({cost(0, "claude-opus-5-5", 4'000'000), seats});
  EXPECT_EQ(r.charged.value, 4'000'000);
  EXPECT_EQ(r.other_charged.value, 20'000'000);
  ASSERT_EQ(r.other_charges.size(), 1u);
  EXPECT_EQ(r.other_charges[0].item, "seats");
  EXPECT_TRUE(r.advice_allowed);
}

TEST_F(Reconcile, TokensAreComparedWhereTheReportCountsThem) {
  use(0, "claude-opus-5-5", 1'000'000);
  auto c = cost(0, "claude-opus-5-5", 4'000'000);
  c.quantity_unit = "Tokens";
  c.quantity = 1'100'000;
  const ReconcileReport r = against({c});
  EXPECT_DOUBLE_EQ(r.rows.at(0).tokens_used, 1'000'000);
  EXPECT_DOUBLE_EQ(r.rows.at(0).tokens_charged.value(), 1'100'000);
}

TEST_F(Reconcile, AMonthsInvoiceIsSpreadOverItsDays) {
  use(0, "claude-opus-5-5", 1'000'000);
  use(1, "claude-opus-5-5", 2'000'000);
  auto invoice = cost(0, "claude-opus-5-5", 12'000'001);
  invoice.end_unix_ns = invoice.start_unix_ns + 2 * kDay;
  const ReconcileReport r = against({invoice});
  EXPECT_EQ(r.charged.value, 12'000'001);  // nothing is lost in the division
  EXPECT_EQ(r.gap, 1);
}

TEST_F(Reconcile, ChargesBesideTheUsageStandIn) {
  use(0, "claude-opus-5-5", 1'000'000, 4'040'000);
  use(0, "claude-haiku-4-5", 1'000'000);  // its source tells no charge: nothing to hold it against
  const ReconcileReport r = against({});
  EXPECT_EQ(r.basis, ChargeBasis::ReportedCost);
  EXPECT_EQ(r.computed.low.value, 4'000'000);
  EXPECT_EQ(r.charged.value, 4'040'000);
  EXPECT_TRUE(r.advice_allowed);
}

TEST_F(Reconcile, WithoutABillThereIsNoAdvice) {
  use(0, "claude-opus-5-5", 1'000'000);
  const ReconcileReport r = against({});
  EXPECT_FALSE(r.evidence);
  EXPECT_FALSE(r.advice_allowed);
  EXPECT_NE(r.summary.find("no bill"), std::string::npos);
}

}  // namespace
}  // namespace fh::planner
