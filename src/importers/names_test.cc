// Goal: names are safe to store and print whatever a file holds, identities tell parts apart, sums
// never wrap. Method: tables of hostile texts.

#include "importers/names.h"

#include <gtest/gtest.h>

#include "codec/utf8.h"

namespace fh::importers {
namespace {

TEST(Names, AreCutAndCleaned) {
  EXPECT_EQ(name_of("claude-opus-5-5"), "claude-opus-5-5");
  EXPECT_EQ(name_of("a\x1B[31m\n\x7F\tb"), "a [31m   b");
  EXPECT_EQ(name_of("\xFFx"), "\xEF\xBF\xBDx");
  for (std::size_t size = 250; size < 262; ++size) {
    for (const std::string_view tail :
         {"\xC3\xA9\xC3\xA9\xC3\xA9", "\xF0\x9F\x98\x80", "\xFF\xFF"}) {
      const std::string name = name_of(std::string(size, 'x') + std::string(tail));
      EXPECT_LE(name.size(), kNameBytesMax);
      EXPECT_GE(name.size(), size < kNameBytesMax ? size : kNameBytesMax - 3);
      EXPECT_TRUE(codec::utf8::valid(name));
    }
  }
}

TEST(Names, OneTakesThePlaceOfAnother) {
  std::string out;
  for (std::size_t before = 0; before < 70; ++before) {
    for (std::size_t size = 0; size < 70; ++size) {
      std::string text(size, 'x');
      for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>('a' + (i * 7 + before) % 26);
      out = std::string(before, 'q');
      name_to(text, out);
      ASSERT_EQ(out, text) << "in place of " << before << " bytes";
      name_to(text, out);
      ASSERT_EQ(out, text);
      if (size == 0) continue;
      text[(before * 5) % size] ^= 1;  // the same length, one byte another
      name_to(text, out);
      ASSERT_EQ(out, text);
    }
  }
}

TEST(Names, EveryPlaceOfAByteIsLookedAt) {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const char odd : {'\x1F', '\x7F', '\0', '\n'}) {
        std::string text(size, '~');
        text[at] = odd;
        std::string clean = text;
        clean[at] = ' ';
        ASSERT_EQ(name_of(text), clean);
      }
    }
  }
}

TEST(Names, IdentitiesSeeTheBordersOfParts) {
  const std::string a[] = {"ab", "c"};
  const std::string b[] = {"a", "bc"};
  const std::string c[] = {"ab", "c", ""};
  EXPECT_EQ(identity_of(a).size(), 32U);
  EXPECT_EQ(identity_of(a), identity_of(a));
  EXPECT_NE(identity_of(a), identity_of(b));
  EXPECT_NE(identity_of(a), identity_of(c));
}

TEST(Names, SumsStayAtTheTop) {
  EXPECT_EQ(saturating_add(std::uint64_t{2}, std::uint64_t{3}), 5U);
  EXPECT_EQ(saturating_add(UINT64_MAX, std::uint64_t{1}), UINT64_MAX);
  EXPECT_EQ(saturating_add(INT64_MAX, std::int64_t{1}), INT64_MAX);
  EXPECT_EQ(saturating_add(INT64_MIN, std::int64_t{-1}), INT64_MIN);
}

TEST(Names, ContainsFindsBytes) {
  EXPECT_TRUE(contains("abc\"usage\":1", "\"usage\""));
  EXPECT_FALSE(contains("abc\\\"usage\\\":1", "\"usage\""));
  EXPECT_FALSE(contains("", "x"));
  EXPECT_TRUE(contains("x", ""));
}

}  // namespace
}  // namespace fh::importers
