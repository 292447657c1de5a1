// Known answers of public traces (tests/data/validation/LICENSES.md), and small cases by hand.

#include "planner/trace_statistics.h"

#include <gtest/gtest.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "codec/json.h"
#include "planner/sketch.h"

namespace fh::planner {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(GapStatistics, ByHand) {
  // Arrivals at 0, 1, 4 s: gaps 1 and 3, mean 2, standard deviation 1, variation 0.5.
  GapStatistics g;
  for (const std::int64_t t : {0, 1, 4}) g.add(t * kSecond);
  EXPECT_DOUBLE_EQ(g.cv().value(), 0.5);
  EXPECT_DOUBLE_EQ(g.rate_per_s(), 0.5);
  EXPECT_TRUE(g.ordered());
  g.add(2 * kSecond);
  EXPECT_FALSE(g.ordered());
}

TEST(GapStatistics, OfTooLittleIsNothing) {
  GapStatistics g;
  EXPECT_FALSE(g.cv().has_value());
  g.add(5);
  g.add(5);
  g.add(5);
  EXPECT_FALSE(g.cv().has_value());  // all at once: no scale to vary on
  EXPECT_EQ(g.rate_per_s(), 0);
}

TEST(PrefixReuse, ByHand) {
  PrefixReuse reuse(100);
  const std::vector<std::uint64_t> first = {1, 2, 3}, second = {1, 2, 9}, third = {7, 2, 3};
  EXPECT_EQ(reuse.add(0, 250, first), 0u);
  EXPECT_EQ(reuse.add(1, 260, second), 200u);
  EXPECT_EQ(reuse.add(2, 250, third), 0u);    // what is not leading is not reused
  EXPECT_EQ(reuse.add(3, 250, first), 250u);  // never more than the prompt
  EXPECT_DOUBLE_EQ(reuse.share(), 450.0 / 1010);
}

TEST(PrefixReuse, LifetimeIsRenewedByUse) {
  PrefixReuse reuse(100, 300 * kSecond);
  const std::vector<std::uint64_t> block = {1};
  reuse.add(0, 100, block);
  EXPECT_EQ(reuse.add(300 * kSecond, 100, block), 100u);
  EXPECT_EQ(reuse.add(600 * kSecond, 100, block), 100u);
  EXPECT_EQ(reuse.add(901 * kSecond, 100, block), 0u);
}

std::string data(const char* path) {
  return std::string(FH_SOURCE_DIR "/tests/data/validation/") + path;
}

int digits(std::string_view s) {
  int value = 0;
  std::from_chars(s.data(), s.data() + s.size(), value);
  return value;
}

TEST(PublicTrace, AzureCodeHasItsKnownArrivalsAndLengths) {
  std::ifstream file(data("azure-llm-2023/AzureLLMInferenceTrace_code.csv"));
  if (!file) GTEST_SKIP() << "the validation data is not there";
  std::string line;
  std::getline(file, line);
  GapStatistics gaps;
  Sketch input, output;
  while (std::getline(file, line)) {
    // 2023-11-16 18:17:03.9799600,4808,10: one day, so the date is left out.
    const std::string_view s = line;
    const std::int64_t seconds =
        digits(s.substr(11, 2)) * 3600 + digits(s.substr(14, 2)) * 60 + digits(s.substr(17, 2));
    gaps.add(seconds * kSecond + digits(s.substr(20, 7)) * 100LL);
    const std::size_t comma = s.find(',', 28);
    input.add(static_cast<std::uint64_t>(digits(s.substr(28, comma - 28))));
    output.add(static_cast<std::uint64_t>(digits(s.substr(comma + 1))));
  }
  EXPECT_EQ(gaps.count(), 8819u);
  EXPECT_NEAR(gaps.rate_per_s(), 2.57, 0.01);
  EXPECT_NEAR(gaps.cv().value(), 13.2, 0.1);
  EXPECT_NEAR(input.mean(), 2048, 1);
  EXPECT_NEAR(input.quantile(0.99), 7436, 7436 * 0.05);
  EXPECT_NEAR(output.mean(), 27.9, 0.1);
  EXPECT_NEAR(output.quantile(0.99), 252, 252 * 0.05);
}

TEST(PublicTrace, MooncakeHasItsKnownReuse) {
  std::ifstream file(data("mooncake-fast25/synthetic_trace.jsonl"));
  if (!file) GTEST_SKIP() << "the validation data is not there";
  PrefixReuse reuse(512), short_lived(512, 60 * kSecond);
  std::string line;
  std::uint64_t requests = 0;
  while (std::getline(file, line)) {
    if (line.empty()) continue;
    const auto doc = codec::json::Document::parse(line);
    ASSERT_TRUE(doc.has_value());
    const auto root = doc->root();
    std::vector<std::uint64_t> blocks;
    for (const auto id : root["hash_ids"].elements())
      blocks.push_back(static_cast<std::uint64_t>(id.as_int().value()));
    const auto tokens = static_cast<std::uint64_t>(root["input_length"].as_int().value());
    const std::int64_t when = root["timestamp"].as_int().value() * 1'000'000;
    reuse.add(when, tokens, blocks);
    short_lived.add(when, tokens, blocks);
    ++requests;
  }
  EXPECT_EQ(requests, 3993u);
  EXPECT_NEAR(reuse.share(), 0.651, 0.001);
  EXPECT_LT(short_lived.share(), reuse.share());  // a shorter life never finds more
}

}  // namespace
}  // namespace fh::planner
