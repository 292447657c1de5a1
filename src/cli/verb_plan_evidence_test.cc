// Goal: requests that logs and the ledger hold are left out of a plan where the same paying
// account's own report holds them, and nowhere else. Method: archives made record by record and a
// ledger's row, and which records the plan's usage then has.
#include "cli/verb_plan_evidence.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "cli/usage_archive_file.h"
#include "cli/verb_plan_evidence_payer.h"

namespace fh::cli {
namespace {

constexpr std::int64_t kHour = 3'600'000'000'000, kDay = 24 * kHour, kFirst = 20'000 * kDay;
constexpr std::string_view kClaude = "claude-opus-4-5", kGpt = "gpt-5";

domain::UsageRecord of(std::string_view format, std::string_view provider, std::string_view model,
                       std::int64_t start, std::int64_t end, std::uint64_t tokens) {
  domain::UsageRecord record;
  record.source_id = std::to_string(start) + std::to_string(tokens);
  record.format = format;
  record.provider = provider;
  record.model = model;
  record.start_unix_ns = start;
  record.end_unix_ns = end;
  record.usage.output = tokens;
  return record;
}
domain::UsageRecord request(std::string_view format, std::string_view provider,
                            std::string_view model = kClaude, std::int64_t start = kFirst + kHour) {
  return of(format, provider, model, start, start, 7);
}
domain::UsageRecord bucket(std::string_view format, std::string_view provider,
                           std::string_view model = kClaude, std::int64_t start = kFirst,
                           std::int64_t length = kDay, std::uint64_t tokens = 1000) {
  domain::UsageRecord record = of(format, provider, model, start, start + length, tokens);
  record.granularity = length == kHour ? domain::Granularity::Hour : domain::Granularity::Day;
  return record;
}

class PlanEvidenceOf : public ::testing::Test {
 protected:
  PlanEvidenceOf() {
    config_.data_dir = std::filesystem::path(::testing::TempDir()) / "plan_evidence";
    std::filesystem::remove_all(config_.data_dir);
  }
  ~PlanEvidenceOf() override { std::filesystem::remove_all(config_.data_dir); }

  // The output tokens that count.
  std::uint64_t counted(const std::vector<domain::UsageRecord>& records) {
    std::filesystem::remove_all(config_.data_dir);
    auto archive = open_usage_archive(config_);
    EXPECT_TRUE(archive && (*archive)->add(records));
    archive->reset();
    const auto evidence = PlanEvidence::find(config_, book_, "");
    EXPECT_TRUE(evidence.has_value());
    std::uint64_t tokens = 0;
    EXPECT_TRUE(evidence->usage([&](const domain::UsageRecord& record) {
      tokens += record.usage.output;
      return true;
    }));
    text_ = evidence->text();
    notes_.clear();
    for (const std::string& note : evidence->notes()) notes_ += note + "\n";
    return tokens;
  }

  Config config_;
  const pricing::PriceBook& book_ = pricing::PriceBook::bundled();
  std::string text_, notes_;
};

TEST_F(PlanEvidenceOf, AReportHoldsTheLogsOfItsOwnProvider) {
  struct Case {
    const char *report, *of, *log, *asked;
  };
  for (const Case& c : {Case{"anthropic-usage", "anthropic", "claude-code", "anthropic"},
                        Case{"anthropic-usage", "anthropic", "litellm", "anthropic"},
                        Case{"anthropic-claude-code", "anthropic", "claude-code", "anthropic"},
                        Case{"openai-usage", "openai", "codex", "openai"},
                        Case{"openai-usage", "openai", "litellm", "openai"},
                        Case{"aws-cur", "aws-bedrock", "bedrock", "aws-bedrock"},
                        Case{"aws-cur", "aws-bedrock", "claude-code", "aws-bedrock"},
                        Case{"focus", "Amazon Web Services", "bedrock", "aws-bedrock"},
                        Case{"focus", "AWS", "litellm", "bedrock_converse"},
                        Case{"focus", "Anthropic", "claude-code", "anthropic"},
                        Case{"copilot", "github-copilot", "copilot-otel", "github-copilot"}}) {
    EXPECT_EQ(counted({bucket(c.report, c.of), request(c.log, c.asked)}), 1000U)
        << c.report << " of " << c.of << ", " << c.log << " at " << c.asked;
    EXPECT_EQ(text_, "1 imported usage record");
  }
}

TEST_F(PlanEvidenceOf, OtherLogsOfTheModelAndDayCount) {
  struct Case {
    const char *report, *of, *log, *asked;
  };
  for (const Case& c : {Case{"anthropic-usage", "anthropic", "bedrock", "aws-bedrock"},
                        Case{"anthropic-usage", "anthropic", "claude-code", "aws-bedrock"},
                        Case{"anthropic-usage", "anthropic", "litellm", "vertex_ai"},
                        Case{"anthropic-usage", "anthropic", "cursor", "anthropic"},
                        Case{"anthropic-usage", "anthropic", "openrouter", "anthropic"},
                        Case{"anthropic-claude-code", "anthropic", "litellm", "anthropic"},
                        Case{"aws-cur", "aws-bedrock", "claude-code", "anthropic"},
                        Case{"focus", "Microsoft Azure OpenAI", "codex", "openai"},
                        Case{"copilot", "github-copilot", "claude-code", "anthropic"},
                        Case{"anthropic-usage", "anthropic", "copilot-otel", "github-copilot"},
                        Case{"cursor", "cursor", "claude-code", "anthropic"},
                        Case{"openrouter", "openrouter", "claude-code", "anthropic"},
                        Case{"csv", "anthropic", "claude-code", "anthropic"},
                        Case{"litellm", "anthropic", "claude-code", "anthropic"},
                        Case{"openai-usage", "openai", "litellm", "azure"},
                        Case{"openai-usage", "openai", "litellm", "openai_like"}}) {
    EXPECT_EQ(counted({bucket(c.report, c.of), request(c.log, c.asked)}), 1007U)
        << c.report << " of " << c.of << ", " << c.log << " at " << c.asked;
    EXPECT_EQ(text_, "2 imported usage records");
  }
  EXPECT_EQ(
      counted({bucket("openai-usage", "openai", kGpt), request("codex", "openai", "gpt-5-mini")}),
      1007U);
}

TEST_F(PlanEvidenceOf, AReportHoldsEveryDayOfItsBuckets) {
  const auto log = [](std::int64_t day) {
    return request("codex", "openai", kGpt, kFirst + day * kDay + kHour);
  };
  const auto week = bucket("openai-usage", "openai", kGpt, kFirst, 7 * kDay);
  EXPECT_EQ(counted({week, log(0), log(3), log(6)}), 1000U);
  EXPECT_EQ(counted({week, log(7)}), 1007U);
}

TEST_F(PlanEvidenceOf, ABucketThatDoesNotCountHidesNothing) {
  // Two days in one bucket, and more tokens by the hour on the first: the longer one is left out.
  const auto both = bucket("openai-usage", "openai", kGpt, kFirst, 2 * kDay);
  const auto hour = bucket("openai-usage", "openai", kGpt, kFirst, kHour, 5000);
  const auto second = request("codex", "openai", kGpt, kFirst + kDay + kHour);
  EXPECT_EQ(counted({both, second}), 1000U);
  EXPECT_EQ(counted({both, hour, second}), 5007U);
}

TEST_F(PlanEvidenceOf, EachCauseOfCountingTwiceIsNamed) {
  const auto says = [&](std::string_view words) { return notes_.find(words) != notes_.npos; };
  EXPECT_EQ(counted({bucket("openai-usage", "openai", kGpt, kFirst, 2 * kDay),
                     bucket("openai-usage", "openai", kGpt, kFirst + kDay, 2 * kDay)}),
            2000U);
  EXPECT_TRUE(says("overlap in part")) << notes_;
  EXPECT_FALSE(says("FOCUS")) << notes_;
  EXPECT_EQ(counted({bucket("aws-cur", "aws-bedrock"),
                     bucket("focus", "Amazon Web Services", kClaude, kFirst, kDay, 2000)}),
            3000U);
  EXPECT_TRUE(says("AWS's own bill and its FOCUS bill")) << notes_;
  EXPECT_FALSE(says("overlap in part")) << notes_;
  EXPECT_EQ(counted({bucket("openai-usage", "openai", kGpt)}), 1000U);
  EXPECT_EQ(notes_, "");
}

TEST_F(PlanEvidenceOf, ChargesWithoutUsageAreSaid) {
  auto archive = open_usage_archive(config_);
  ASSERT_TRUE(archive.has_value());
  domain::CostRecord charge;
  charge.source_id = "1";
  charge.format = "anthropic-costs";
  charge.model = kClaude;
  charge.start_unix_ns = kFirst;
  charge.end_unix_ns = kFirst + kDay;
  charge.billed = domain::MicroUsd{5'000'000};
  ASSERT_TRUE((*archive)->add_costs({&charge, 1}));
  archive->reset();
  const auto evidence = PlanEvidence::find(config_, book_, "");
  ASSERT_TRUE(evidence.has_value());
  EXPECT_FALSE(evidence->any());
  ASSERT_EQ(evidence->notes().size(), 1U);
  EXPECT_TRUE(evidence->notes()[0].starts_with("1 charge was imported, but no usage"));
}

TEST(Payer, IsFoundInTheNamesOfUpstreams) {
  EXPECT_EQ(payer_of_name("anthropic"), Payer::Anthropic);
  EXPECT_EQ(payer_of_name("OpenAI-EU"), Payer::OpenAi);
  EXPECT_EQ(payer_of_name("bedrock_converse"), Payer::Bedrock);
  for (const std::string_view other : {"", "local", "azure/openai", "openai-compatible",
                                       "vertex_ai", "openrouter", "github-copilot", "mistral"}) {
    EXPECT_EQ(payer_of_name(other), Payer::None) << other;
  }
}

}  // namespace
}  // namespace fh::cli
