// Goal: money, counts and times come out of text exactly or not at all. Method: tables of texts
// with hand-computed values; the rounding is checked against one rule, half to even.

#include "importers/numbers.h"

#include <gtest/gtest.h>

namespace fh::importers {
namespace {

std::optional<std::int64_t> usd(std::string_view text) {
  const auto amount = parse_usd(text);
  return amount ? std::optional(amount->value) : std::nullopt;
}

TEST(Numbers, MoneyIsExact) {
  const std::pair<std::string_view, std::int64_t> cases[] = {
      {"0", 0},
      {"0.71", 710'000},
      {"$0.32", 320'000},
      {"-$1.5", -1'500'000},
      {"$-1.5", -1'500'000},
      {"(2.25)", -2'250'000},
      {"($2.25)", -2'250'000},
      {" 1,234,567.891234 ", 1'234'567'891'234},
      {"12.5 USD", 12'500'000},
      {"US$3", 3'000'000},
      {".5", 500'000},
      {"5.", 5'000'000},
      {"+7", 7'000'000},
      {"2.6999999999999998e-05", 27},
      {"1E3", 1'000'000'000},
      {"0e9999", 0},
      {"0.00000000000000000000000000000000000001", 0},
      {"-0.0000000001", 0},
      {"9223372036854.775807", INT64_MAX},
  };
  for (const auto& [text, micro] : cases) EXPECT_EQ(usd(text), micro) << text;
}

TEST(Numbers, MoneyRoundsHalfToEvenOnce) {
  EXPECT_EQ(usd("0.0000005"), 0);
  EXPECT_EQ(usd("0.0000015"), 2);
  EXPECT_EQ(usd("0.0000025"), 2);
  EXPECT_EQ(usd("0.00000250000000000000000000000000000001"), 3);
  EXPECT_EQ(usd("0.0000024999999999999999999999999"), 2);
  EXPECT_EQ(usd("-0.0000015"), -2);
  EXPECT_EQ(usd("0.00000080000"), 1);
  EXPECT_EQ(usd("5e-7"), 0);
  EXPECT_EQ(usd("6e-7"), 1);
  EXPECT_EQ(usd("9e-8"), 0);
}

TEST(Numbers, WhatIsNoMoneyIsRefused) {
  for (const std::string_view text : {"",
                                      " ",
                                      "-",
                                      "$",
                                      "abc",
                                      "1.2.3",
                                      "1,23",
                                      "1,2345",
                                      "12,34,567",
                                      "0,123",
                                      "-0,123",
                                      "0,004 USD",
                                      "0,123,456",
                                      "012 345",
                                      ",123",
                                      "1e",
                                      "1e+",
                                      "1e99999999999",
                                      "0x10",
                                      "nan",
                                      "inf",
                                      "1 2",
                                      "9223372036854.775808",
                                      "99999999999999999999",
                                      "1e30",
                                      "EUR 5",
                                      "5 EUR",
                                      "x$5",
                                      "1,234,",
                                      "--1",
                                      "()"}) {
    EXPECT_EQ(usd(text), std::nullopt) << text;
  }
}

TEST(Numbers, CentsAreAHundredthOfADollar) {
  EXPECT_EQ(parse_cents("123.45")->value, 1'234'500);
  EXPECT_EQ(parse_cents("0.00005")->value, 0);  // half of a micro-USD, to even
  EXPECT_EQ(parse_cents("0.00015")->value, 2);
}

TEST(Numbers, CountsAreWholeOrNothing) {
  EXPECT_EQ(parse_count("1234"), 1234U);
  EXPECT_EQ(parse_count("1,234"), 1234U);
  EXPECT_EQ(parse_count("1,034"), 1034U);
  EXPECT_EQ(parse_count("0,123"), std::nullopt);
  EXPECT_EQ(parse_count(" 12.0 "), 12U);
  EXPECT_EQ(parse_count("1.2e3"), 1200U);
  EXPECT_EQ(parse_count("0"), 0U);
  EXPECT_EQ(parse_count("-0"), 0U);
  EXPECT_EQ(parse_count("18446744073709551615"), UINT64_MAX);
  for (const std::string_view text :
       {"", "12.5", "-1", "1,23", "18446744073709551616", "1e40", "12a", "1.2e0", "0x1"}) {
    EXPECT_EQ(parse_count(text), std::nullopt) << text;
  }
}

TEST(Numbers, QuantitiesInUnits) {
  EXPECT_EQ(parse_count_in_units("1.5", 1000), 1500U);
  EXPECT_EQ(parse_count_in_units("0.0000004", 1'000'000), 0U);
  EXPECT_EQ(parse_count_in_units("0.0000005", 1'000'000), 0U);  // half a token, to even
  EXPECT_EQ(parse_count_in_units("0.0000015", 1'000'000), 2U);
  EXPECT_EQ(parse_count_in_units("12345.678901234", 1'000'000), 12'345'678'901U);
  EXPECT_EQ(parse_count_in_units("10,000,000,000", 1000), 10'000'000'000'000U);
  EXPECT_EQ(parse_count_in_units("-1", 1000), std::nullopt);
  EXPECT_EQ(parse_count_in_units("18446744073709551615", 2), std::nullopt);
  EXPECT_EQ(parse_count_in_units("1", 0), std::nullopt);
}

TEST(Numbers, Times) {
  constexpr std::int64_t kBase = 1'787'939'352 * kSecondNs;  // 2026-08-28T17:49:12Z
  const std::pair<std::string_view, std::int64_t> cases[] = {
      {"2026-08-28T17:49:12Z", kBase},
      {"2026-08-28T17:49:12", kBase},
      {"2026-08-28 17:49:12", kBase},
      {"2026-08-28t17:49:12z", kBase},
      {"2026-08-28 17:49:12 UTC", kBase},
      {"2026-08-28T19:49:12+02:00", kBase},
      {"2026-08-28T12:19:12-0530", kBase},
      {"2026-08-28 19:49:12+02", kBase},
      {"2026-08-28T17:49:12.795Z", kBase + 795'000'000},
      {"2026-08-28 17:49:12.1234567", kBase + 123'456'700},
      {"2026-08-28 17:49:12.123456789999", kBase + 123'456'789},
      {"2026-08-28T17:49", kBase - 12 * kSecondNs},
      {"2026-08-28", kBase - (17 * 3600 + 49 * 60 + 12) * kSecondNs},
      {"1787939352", kBase},
      {"1787939352.5", kBase + 500'000'000},
      {"1787939352795", kBase + 795'000'000},
      {"1787939352795123", kBase + 795'123'000},
      {"1787939352795123456", kBase + 795'123'456},
      {"1970-01-01T00:00:00Z", 0},
      {"2024-02-29", 1'709'164'800 * kSecondNs},
  };
  for (const auto& [text, ns] : cases) EXPECT_EQ(parse_time_ns(text), ns) << text;
  EXPECT_EQ(parse_time_ns("2026-08-28 19:49:12", 120), kBase);
  EXPECT_EQ(parse_time_ns("2026-08-28 17:49:12Z", 120), kBase);
}

TEST(Numbers, WhatIsNoTimeIsRefused) {
  for (const std::string_view text :
       {"", "yesterday", "2026-13-01", "2026-02-29", "2026-00-10", "2026-08-28T25:00:00Z",
        "2026-08-28T17:60:00Z", "2026-08-28T17:49:61Z", "2026-08-28T17:49:12X", "2026-08-28T",
        "2026-08-28T17", "2026-8-28", "1969-12-31", "2262-01-01", "-5", "12:30",
        "2026-08-28T17:49:12+25:00", "2026-08-28T17:49:12+02:0"}) {
    EXPECT_EQ(parse_time_ns(text), std::nullopt) << text;
  }
}

TEST(Numbers, Durations) {
  EXPECT_EQ(parse_ms_ns("250.5"), 250'500'000);
  EXPECT_EQ(parse_seconds_ns("8.79"), 8'790'000'000);
  EXPECT_EQ(parse_seconds_ns("-1"), std::nullopt);
}

TEST(Numbers, Tiers) {
  EXPECT_EQ(parse_tier(""), domain::ServiceTier::Standard);
  EXPECT_EQ(parse_tier("Batch"), domain::ServiceTier::Batch);
  EXPECT_EQ(parse_tier("flex_discount"), domain::ServiceTier::Flex);
  EXPECT_EQ(parse_tier("priority_on_demand"), domain::ServiceTier::Priority);
  EXPECT_EQ(parse_tier("turbo"), std::nullopt);
}

// Numbers of rows, counts and dates without signs are no times.
TEST(Numbers, ASmallNumberIsNoUnixTime) {
  for (const std::string_view text :
       {"0", "7", "1234", "86400", "20260801", "1262303999", "1262303999.999", "4102444800",
        "300000000000", "20260801120000", "99999999999999999999"}) {
    EXPECT_EQ(parse_time_ns(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_time_ns("1262304000"), 1'262'304'000 * kSecondNs);
  EXPECT_EQ(parse_time_ns("1785542400.5"), 1'785'542'400 * kSecondNs + kSecondNs / 2);
  EXPECT_EQ(parse_time_ns("1785542400123"), 1'785'542'400'123 * 1'000'000);
  EXPECT_EQ(parse_time_ns("1785542400123456"), 1'785'542'400'123'456 * 1000);
  EXPECT_EQ(parse_time_ns("1785542400123456789"), 1'785'542'400'123'456'789);
}

}  // namespace
}  // namespace fh::importers
