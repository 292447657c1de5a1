// The admin API's JSON forms: what they say about requests that end, and names beside ids.

#include "admin/admin_json.h"

#include <gtest/gtest.h>

namespace fh::admin {
namespace {

using codec::json::Document;
using codec::json::Value;
using codec::json::Writer;

constexpr std::int64_t kMs = 1'000'000;

Document parsed(std::string_view body) {
  auto document = Document::parse(body);
  if (!document) {
    ADD_FAILURE() << body;
    return *Document::parse("{}");
  }
  return *std::move(document);
}

std::string life_json(const gateway::RequestLife& life, std::int64_t now) {
  Writer w;
  write_life(w, life, now);
  return w.take();
}

gateway::RequestLife running_life() {
  gateway::RequestLife life;
  life.request_id = "req_1";
  life.stages = {{"received", 1'000 * kMs}, {"prefill", 1'100 * kMs}, {"first_token", 1'200 * kMs}};
  life.first_token_unix_ns = 1'200 * kMs;
  life.output_tokens = 11;
  return life;
}

TEST(AdminJson, ALiveRequestEndsWhenItStoppedNotWhenItWasBooked) {
  gateway::RequestLife life = running_life();
  const Document before = parsed(life_json(life, 2'200 * kMs));
  EXPECT_TRUE(before.root()["ended_ms"].exists());
  EXPECT_TRUE(before.root()["ended_ms"].is_null());
  EXPECT_TRUE(before.root()["end_reason"].is_null());
  EXPECT_EQ(before.root()["state"].as_string(), "running");
  EXPECT_DOUBLE_EQ(before.root()["tokens_per_second"].as_double().value_or(0), 10.0);

  life.ended = true;
  life.stages.push_back({"ended", 1'700 * kMs});
  life.stages.push_back({"settled", 1'900 * kMs});
  const Document after = parsed(life_json(life, 9'000 * kMs));
  EXPECT_EQ(after.root()["ended_ms"].as_int(), 1'700);
  EXPECT_EQ(after.root()["received_ms"].as_int(), 1'000);
  EXPECT_EQ(after.root()["first_token_ms"].as_int(), 1'200);
  EXPECT_EQ(after.root()["state"].as_string(), "settled");
  EXPECT_EQ(after.root()["end_reason"].as_string(), "complete");
  EXPECT_DOUBLE_EQ(after.root()["tokens_per_second"].as_double().value_or(0), 20.0);
}

TEST(AdminJson, ARefusedRequestEndsAtItsLastStage) {
  gateway::RequestLife life;
  life.stages = {{"received", 1'000 * kMs}};
  life.ended = true;
  life.reason = domain::EndReason::Rejected;
  const Document json = parsed(life_json(life, 5'000 * kMs));
  EXPECT_EQ(json.root()["ended_ms"].as_int(), 1'000);
  EXPECT_TRUE(json.root()["tokens_per_second"].is_null());
}

KeyNames two_keys() {
  auth::KeyRecord ada;
  ada.id = "key_1";
  ada.name = "ada, \"the first\"";
  auth::KeyRecord bob;
  bob.id = "key_2";
  bob.name = "bob";
  bob.revoked_unix_ns = 5;
  return {ada, bob};
}

std::vector<ledger::UsageRow> three_rows() {
  std::vector<ledger::UsageRow> rows(4);
  const char* groups[] = {"key_1", "key_2", "local", "key_gone"};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].group = groups[i];
    rows[i].requests = i + 1;
    rows[i].usage.output = 10;
  }
  return rows;
}

TEST(AdminJson, UsageByKeyHasTheNamesBesideTheIds) {
  ledger::UsageQuery query;
  query.by = ledger::UsageBy::Key;
  const Document json = parsed(usage_json(query, three_rows(), two_keys()));
  std::string names;
  for (const Value row : json.root()["rows"].elements()) {
    names += std::string(*row["group"].as_string()) + "=";
    names += std::string(*row["key_name"].as_string()) + ";";
  }
  EXPECT_EQ(names, "key_1=ada, \"the first\";key_2=bob;local=this machine;key_gone=;");
  EXPECT_EQ(json.root()["totals"]["requests"].as_int(), 10);
  EXPECT_FALSE(json.root()["totals"]["key_name"].exists());
  query.by = ledger::UsageBy::Model;
  const Document by_model = parsed(usage_json(query, three_rows(), two_keys()));
  for (const Value row : by_model.root()["rows"].elements()) {
    EXPECT_FALSE(row["key_name"].exists());
  }
}

TEST(AdminJson, UsageAsCsvIsRectangularAndQuoted) {
  ledger::UsageQuery query;
  query.by = ledger::UsageBy::Key;
  const std::string csv = usage_csv(query, three_rows(), two_keys());
  EXPECT_TRUE(csv.starts_with("key,key_name,requests,")) << csv;
  EXPECT_NE(csv.find("\r\nkey_1,\"ada, \"\"the first\"\"\",1,"), std::string::npos) << csv;
  EXPECT_NE(csv.find("\r\nlocal,this machine,3,"), std::string::npos) << csv;
  query.by = ledger::UsageBy::Day;
  EXPECT_TRUE(usage_csv(query, {}, two_keys()).starts_with("day,requests,"));
}

TEST(AdminJson, TotalsAddUpAndKeepUnpricedApart) {
  std::vector<ledger::UsageRow> rows(2);
  rows[0].api_costs = {{"a/x", domain::MicroUsd{5}}, {"b/y", std::nullopt}};
  rows[0].api_unpriced = {0, 2};
  rows[1].api_costs = {{"b/y", domain::MicroUsd{7}}, {"a/x", domain::MicroUsd{1}}};
  rows[1].api_unpriced = {1, 0};
  const ledger::UsageRow total = usage_totals(rows);
  ASSERT_EQ(total.api_costs.size(), 2u);
  EXPECT_EQ(total.api_costs[0].cost->value, 6);
  EXPECT_EQ(total.api_costs[1].cost->value, 7);
  EXPECT_EQ(total.api_unpriced, (std::vector<std::uint64_t>{0, 3}));
}

// The list of compared models was changed between the two groups.
TEST(AdminJson, WhatWasNotComparedIsMissingInTheTotal) {
  std::vector<ledger::UsageRow> rows(2);
  rows[0].api_costs = {{"a/x", domain::MicroUsd{5}}};
  rows[0].api_unpriced = {0};
  rows[0].cost_unpriced = 2;
  rows[1].api_costs = {{"b/y", domain::MicroUsd{7}}};
  rows[1].api_unpriced = {0};
  rows[1].cost_unpriced = 3;
  const ledger::UsageRow total = usage_totals(rows);
  EXPECT_EQ(total.api_unpriced, (std::vector<std::uint64_t>{3, 2}));
}

TEST(AdminJson, AKeyShowsNoSecret) {
  auth::KeyRecord key = two_keys()[0];
  key.hash_hex = "abcdef";
  Writer w;
  write_key(w, key);
  EXPECT_EQ(w.str().find("abcdef"), std::string::npos);
  EXPECT_TRUE(parsed(w.str()).root()["revoked_ms"].is_null());
}

}  // namespace
}  // namespace fh::admin
