// Goal: sums keep every digit, and rows keep their identity. Method: sums that floating point or
// micro-USD would get wrong; identities over repeated and reordered rows.

#include "importers/exact_sum.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "importers/row_identity.h"

namespace fh::importers {
namespace {

std::string sum_of(std::initializer_list<std::string_view> texts) {
  ExactSum sum;
  for (const std::string_view text : texts) EXPECT_TRUE(sum.add(text)) << text;
  return sum.str();
}

TEST(ExactSum, KeepsEveryDigit) {
  EXPECT_EQ(sum_of({}), "0");
  EXPECT_EQ(sum_of({"0.1", "0.2"}), "0.3");
  EXPECT_EQ(sum_of({"0.00000080000", "0.00001605990"}), "0.0000168599");
  EXPECT_EQ(sum_of({"999999999999999999999999999999999999", "1"}),
            "1000000000000000000000000000000000000");
  EXPECT_EQ(sum_of({"0.000000000000000000000000000000000001", "1"}),
            "1.000000000000000000000000000000000001");
  EXPECT_EQ(sum_of({"1e-7", "2.5E+2", "-0.5"}), "249.5000001");
}

TEST(ExactSum, SignsCancel) {
  EXPECT_EQ(sum_of({"1.5", "-1.5"}), "0");
  EXPECT_EQ(sum_of({"1.5", "-2.75"}), "-1.25");
  EXPECT_EQ(sum_of({"-0.000000000000000001", "1000000000000000000"}),
            "999999999999999999.999999999999999999");
}

TEST(ExactSum, RefusesWhatItCannotKeep) {
  ExactSum sum;
  EXPECT_TRUE(sum.add("2"));
  for (const std::string_view text :
       {"", "abc", "1,2", "1.2.3", "1e", "1e40", "1e-37", "$1", "NaN", "-"}) {
    EXPECT_FALSE(sum.add(text)) << text;
  }
  EXPECT_TRUE(sum.add("0e99"));
  EXPECT_EQ(sum.str(), "2");
}

TEST(ExactSum, SumsAdd) {
  ExactSum a, b;
  a.add("0.1");
  b.add("-0.35");
  a.add(b);
  EXPECT_EQ(a.str(), "-0.25");
}

std::string id_of(RowIdentity& identity, std::initializer_list<std::string_view> parts,
                  std::uint64_t line) {
  std::string id = "what the row before left behind";
  identity.to(id, parts, line);
  return id;
}

TEST(RowIdentity, EqualRowsCountEach) {
  RowIdentity first, second;
  const std::string a = id_of(first, {"x", "y"}, 2);
  EXPECT_EQ(id_of(first, {"x", "y"}, 3), a + "-2");
  EXPECT_NE(id_of(first, {"xy", ""}, 4), a);
  EXPECT_NE(id_of(first, {"", "xy"}, 5), a);
  EXPECT_EQ(id_of(second, {"x", "y"}, 99), a);  // another export, another line
  EXPECT_EQ(a, "fc58571ac522d93c0a5cf71459db0c37") << "archives hold it: it may never change";
}

TEST(RowIdentity, ManyRowsStayApart) {
  RowIdentity identity;
  std::set<std::string> seen;
  for (int i = 0; i < 5000; ++i) seen.insert(id_of(identity, {std::to_string(i % 2500)}, 1));
  EXPECT_EQ(seen.size(), 5000U);
}

// The identities of rows are stored: they may not depend on how many rows there are, and not on
// how many of them fit into memory.
TEST(RowIdentity, IsTheSameWithLittleMemory) {
  RowIdentity large, small(RowIdentity::kRowsMax, 64);
  std::mt19937_64 random(11);
  for (std::uint64_t line = 1; line < 60'000; ++line) {
    const std::string name = std::to_string(random() % (line % 5 == 0 ? 3 : 20'000));
    ASSERT_EQ(id_of(small, {name}, line), id_of(large, {name}, line)) << line;
  }
  EXPECT_FALSE(small.told_by_line());
}

// Rows by time, some of them equal, in order and then no longer; forwards and backwards.
TEST(RowIdentity, IsTheSameForRowsInOrder) {
  std::mt19937_64 random(12);
  for (const std::int64_t step : {1, -1}) {
    for (const std::int64_t ordered : {0, 1, 50, 3000, 20'000}) {
      RowIdentity by_order, by_table;
      for (std::int64_t row = 0; row < 20'000; ++row) {
        const std::int64_t time =
            row < ordered ? step * (row / 3) : static_cast<std::int64_t>(random() % 9000);
        const std::string texts[] = {std::to_string(time), std::to_string(random() % 2)};
        const std::string_view parts[] = {texts[0], texts[1]};
        std::string a, b;
        by_order.settle(by_order.expect(parts), 1, time).to(a);
        by_table.settle(by_table.expect(parts), 1).to(b);
        ASSERT_EQ(a, b) << "row " << row << " of " << ordered;
      }
    }
  }
}

TEST(RowIdentity, ManyRowsOfOneTimeAreStillTheSame) {
  RowIdentity by_order, by_table;
  for (int row = 0; row < 1000; ++row) {
    const std::string_view parts[] = {"noon", row % 3 == 0 ? "a" : "b"};
    std::string a, b;
    by_order.settle(by_order.expect(parts), 1, 5).to(a);
    by_table.settle(by_table.expect(parts), 1).to(b);
    ASSERT_EQ(a, b) << row;
  }
}

TEST(RowIdentity, MoreRowsThanAreKnownAreToldApartByLineAndItSaysSo) {
  RowIdentity identity(100, 64);
  for (std::uint64_t line = 1; line <= 100; ++line) {
    ASSERT_EQ(id_of(identity, {std::to_string(line)}, line).size(), 32U);
  }
  EXPECT_FALSE(identity.told_by_line());
  EXPECT_TRUE(id_of(identity, {"101"}, 101).ends_with("-line101"));
  EXPECT_TRUE(identity.told_by_line());
  EXPECT_TRUE(id_of(identity, {"100"}, 102).ends_with("-2"));
}

TEST(RowIdentity, CountsManyEqualRowsOneByOne) {
  RowIdentity identity;
  const std::string first = id_of(identity, {"x"}, 1);
  for (int i = 2; i < 1000; ++i) {
    ASSERT_EQ(id_of(identity, {"x"}, 1), first + "-" + std::to_string(i));
  }
}

}  // namespace
}  // namespace fh::importers
