// Decimal text to millionths: exact or refused.

#include "pricing/decimal.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace fh::pricing {
namespace {

TEST(Decimal, ReadsExactly) {
  const std::pair<const char*, std::int64_t> cases[] = {{"0", 0},
                                                        {"0.0", 0},
                                                        {"0e9", 0},
                                                        {"10", 10'000'000},
                                                        {"0.003", 3'000},
                                                        {"0.0028", 2'800},
                                                        {"1.1", 1'100'000},
                                                        {"0.000001", 1},
                                                        {"12.500000", 12'500'000},
                                                        {"1e-6", 1},
                                                        {"1.5E+2", 150'000'000},
                                                        {"2.50000000000", 2'500'000},
                                                        {"0.1e1", 1'000'000},
                                                        {"9223372036854.775807", INT64_MAX}};
  for (const auto& [text, expected] : cases) {
    const auto value = decimal_to_millionths(text);
    ASSERT_TRUE(value.has_value()) << text << ": " << value.error().message;
    EXPECT_EQ(*value, expected) << text;
  }
}

TEST(Decimal, RefusesWhatIsNotAnExactPrice) {
  for (const char* text : {"",
                           "-1",
                           "+1",
                           ".5",
                           "1.",
                           "1.e2",
                           "abc",
                           "1 ",
                           " 1",
                           "0x10",
                           "1e",
                           "1e+",
                           "1e-",
                           "1e99",
                           "1..2",
                           "1.2.3",
                           "0.0000001",
                           "1e-7",
                           "9223372036854.775808",
                           "99999999999999999999",
                           "1e30",
                           "1234567890123456789012345678901"}) {
    EXPECT_FALSE(decimal_to_millionths(text).has_value()) << text;
  }
}

RC_GTEST_PROP(Decimal, EveryValueWithSixDecimalsComesBack, ()) {
  const auto whole = *rc::gen::inRange<std::int64_t>(0, 9'000'000'000'000);
  const auto fraction = *rc::gen::inRange<std::int64_t>(0, 1'000'000);
  std::string digits = std::to_string(1'000'000 + fraction).substr(1);
  const auto value = decimal_to_millionths(std::to_string(whole) + "." + digits);
  RC_ASSERT(value.has_value());
  RC_ASSERT(*value == whole * 1'000'000 + fraction);
}

}  // namespace
}  // namespace fh::pricing
