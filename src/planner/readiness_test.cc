// The five questions: what usage answers, what is asked for, and that nothing unknown counts as
// there.

#include "planner/readiness.h"

#include <gtest/gtest.h>

#include <string>

namespace fh::planner {
namespace {

UsageEvidence evidence(std::uint32_t days, double usd_year) {
  UsageEvidence out;
  out.days_covered = out.days_active = days;
  out.annualised_usd = usd_year;
  return out;
}

ReadinessAnswers all(Answer answer) {
  ReadinessAnswers out;
  for (const AnswerSpec& spec : answer_specs()) out.*spec.at = answer;
  out.production = Answer::Unknown;
  return out;
}

ReadinessReport report(const ReadinessAnswers& answers, const UsageEvidence& usage,
                       double node_price_usd = 300'000) {
  MoneyInputs in;
  in.bill_list_usd_month = usage.annualised_usd / 12;
  in.own.moved_usd_month = in.bill_list_usd_month;
  in.own.moved_mtok_month = 1000;
  in.own.node_mtok_month = 2000;
  in.own.utilisation = 0.5;
  in.own.nodes_min = 1;
  in.own.node_price_usd = node_price_usd;
  in.own.node_kw_max = 10;
  const Money money = compute_money(in);
  return assess(answers, usage, in, money.of(Option::Own));
}

const ReadinessItem& item(const ReadinessReport& r, const std::string& key) {
  for (const ReadinessItem& one : r.items) {
    if (one.key == key) return one;
  }
  ADD_FAILURE() << key;
  return r.items[0];
}

TEST(Readiness, AllFiveAreThere) {
  const ReadinessReport r = report(all(Answer::Yes), evidence(60, 900'000));
  EXPECT_EQ(r.yes, 5U);
  EXPECT_EQ(r.summary, "All five are there.");
  for (const ReadinessItem& one : r.items) EXPECT_TRUE(one.missing.empty()) << one.key;
}

TEST(Readiness, WhatIsNotKnownIsNotThere) {
  const ReadinessReport r = report({}, evidence(0, 0));
  EXPECT_EQ(r.yes, 0U);
  EXPECT_EQ(r.unknown, 5U);
  for (const ReadinessItem& one : r.items) {
    EXPECT_EQ(one.state, Readiness::Unknown) << one.key;
    EXPECT_FALSE(one.missing.empty()) << one.key;
  }
  EXPECT_EQ(r.summary,
            "0 of 5 are there; missing or not known: team, site, engineers, production, spend.");
}

TEST(Readiness, AFewDaysDoNotShowProduction) {
  const ReadinessReport few = report(all(Answer::Yes), evidence(5, 900'000));
  EXPECT_EQ(item(few, "production").state, Readiness::Unknown);
  EXPECT_EQ(item(few, "production").missing[0],
            "only 5 days are covered; 30 say something about a month");
  UsageEvidence seldom = evidence(60, 900'000);
  seldom.days_active = 20;
  EXPECT_EQ(item(report(all(Answer::Yes), seldom), "production").state, Readiness::No);
  // Whoever says that it is production is believed.
  ReadinessAnswers said = all(Answer::Yes);
  said.production = Answer::Yes;
  EXPECT_EQ(item(report(said, evidence(5, 900'000)), "production").state, Readiness::Yes);
}

TEST(Readiness, SpendIsHeldAgainstAnEngineer) {
  EXPECT_EQ(item(report(all(Answer::Yes), evidence(60, 500'000)), "spend").state, Readiness::Yes);
  const ReadinessReport small = report(all(Answer::Yes), evidence(60, 499'999));
  EXPECT_EQ(item(small, "spend").state, Readiness::No);
  EXPECT_EQ(small.summary, "4 of 5 are there; missing or not known: spend.");
  // A bill that was written down counts without usage.
  EXPECT_EQ(item(report({}, evidence(0, 800'000)), "spend").state, Readiness::Yes);
}

TEST(Readiness, OneNoDecidesAndOneUnknownLeavesOpen) {
  ReadinessAnswers answers = all(Answer::Yes);
  answers.cooling = Answer::Unknown;
  ReadinessReport r = report(answers, evidence(60, 900'000));
  EXPECT_EQ(item(r, "site").state, Readiness::Unknown);
  EXPECT_EQ(item(r, "site").missing[0], "cooling: not answered");
  answers.rack = Answer::No;
  r = report(answers, evidence(60, 900'000));
  EXPECT_EQ(item(r, "site").state, Readiness::No);
  EXPECT_EQ(item(r, "site").missing.size(), 2U);
  // Rented machines need none of it but the network.
  r = report(answers, evidence(60, 900'000), 0);
  EXPECT_EQ(item(r, "site").state, Readiness::Yes);
}

}  // namespace
}  // namespace fh::planner
