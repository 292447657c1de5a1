// Goal: base64, hexadecimal digits and URLs decode exactly what they should. Method: the RFCs'
// vectors, round trips of random bytes, and tables of damaged text.

#include <gtest/gtest.h>

#include <random>

#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/url.h"

namespace fh::codec {
namespace {

using namespace std::string_literals;

TEST(Base64Test, Rfc4648) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
  EXPECT_EQ(base64_encode("\xFB\xFF"), "+/8=");
  EXPECT_EQ(base64_encode("\xFB\xFF", Base64::Url), "-_8");
  EXPECT_EQ(base64_decode("-_8", Base64::Url), "\xFB\xFF");
  EXPECT_EQ(base64_decode("-_8=", Base64::Url), "\xFB\xFF");
}

TEST(Base64Test, RoundTrips) {
  std::mt19937_64 random(5);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(random()));
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(base64_decode(base64_encode(bytes, Base64::Url), Base64::Url), bytes);
  }
}

TEST(Base64Test, RefusesDamage) {
  for (const std::string& bad :
       {"Z"s, "Zg"s, "Zg="s, "Zg==="s, "===="s, "="s, "Z==="s, "Zm9v\n"s, "Zm 9v"s, "Zm-v"s,
        "Zh=="s, "Zm9="s, "Zg==Zg=="s, "Zm9v\0"s, "\xC3\xA9=="s}) {
    EXPECT_FALSE(base64_decode(bad).has_value()) << bad;
  }
  for (const std::string& bad : {"Z"s, "Zm+v"s, "Zh"s, "Zg="s, "Zm9vY"s, "=="s}) {
    EXPECT_FALSE(base64_decode(bad, Base64::Url).has_value()) << bad;
  }
  EXPECT_EQ(base64_decode("Zm9v!m9v").error().message, "invalid base64 at character 4");
}

TEST(HexTest, BothWays) {
  EXPECT_EQ(hex_encode("\x00\x7f\xff"s), "007fff"s.substr(0, 6));
  const std::uint8_t bytes[] = {0xAB, 0x01};
  EXPECT_EQ(hex_encode(bytes), "ab01");
  EXPECT_EQ(hex_decode("aB01"), "\xAB\x01");
  EXPECT_EQ(hex_decode(""), "");
  for (const char* bad : {"a", "0g", "0x", " 0", "-1"}) EXPECT_FALSE(hex_decode(bad)) << bad;
}

TEST(UrlTest, PercentCoding) {
  EXPECT_EQ(url::percent_encode("a b/é~"), "a%20b%2F%C3%A9~");
  EXPECT_EQ(url::percent_decode("a%20b%2f%C3%A9+~"), "a b/é+~");
  EXPECT_EQ(url::percent_decode("%2541"), "%41") << "decoded once only";
  for (const char* bad : {"%", "%2", "%zz", "a%4", "%FF", "%C3", "%00", "%ED%A0%80"}) {
    EXPECT_FALSE(url::percent_decode(bad).has_value()) << bad;
  }
}

TEST(UrlTest, Queries) {
  const auto query = url::parse_query("a=1&&b=x+y%26z&flag&a=2&=v&c==");
  ASSERT_TRUE(query.has_value());
  const url::Query expected = {{"a", "1"}, {"b", "x y&z"}, {"flag", ""},
                               {"a", "2"}, {"", "v"},      {"c", "="}};
  EXPECT_EQ(*query, expected);
  EXPECT_EQ(url::query_value(*query, "a"), "1");
  EXPECT_EQ(url::query_value(*query, "flag"), "");
  EXPECT_EQ(url::query_value(*query, "none"), std::nullopt);
  EXPECT_TRUE(url::parse_query("")->empty());
  EXPECT_FALSE(url::parse_query("a=%").has_value());
  EXPECT_FALSE(url::parse_query("%FF=1").has_value());
}

TEST(UrlTest, TooManyParameters) {
  std::string text;
  for (std::size_t i = 0; i < url::kQueryPairsMax; ++i) text += "a=1&";
  EXPECT_EQ(url::parse_query(text)->size(), url::kQueryPairsMax);
  EXPECT_FALSE(url::parse_query(text + "b=1").has_value());
}

}  // namespace
}  // namespace fh::codec
