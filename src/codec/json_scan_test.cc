// Goal: the scanner finds the members that the full reader finds, never reads past the text, and
// calls a text damaged whenever it is cut short. Method: tables, every prefix of a rich record, and
// agreement with codec/json.h on decoded strings.

#include "codec/json_scan.h"

#include <gtest/gtest.h>

#include <map>

#include "codec/json.h"

namespace fh::codec::json {
namespace {

std::optional<std::map<std::string, std::string>> members(std::string_view text) {
  std::map<std::string, std::string> out;
  Scanner scan(text);
  std::string_view key;
  if (!scan.open_object()) return std::nullopt;
  while (scan.next_key(key)) {
    const std::string_view value = scan.value();
    out[std::string(key)] = std::string(value);
  }
  if (!scan.ok() || !scan.at_end()) return std::nullopt;
  return out;
}

constexpr std::string_view kRich =
    R"( {"a" : "x\"}\\" , "b":[1,{"c":"]"},[]], "n":-1.5e3,"t":true,"e":{},"u":"\u00e9\ud83d\ude00","z":null} )";

TEST(JsonScan, GivesTheSourceTextOfEachMember) {
  const auto got = members(kRich);
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->at("a"), R"("x\"}\\")");
  EXPECT_EQ(got->at("b"), R"([1,{"c":"]"},[]])");
  EXPECT_EQ(got->at("n"), "-1.5e3");
  EXPECT_EQ(got->at("e"), "{}");
  EXPECT_EQ(got->at("z"), "null");
  EXPECT_EQ(got->size(), 7U);
}

TEST(JsonScan, EveryCutIsSeen) {
  const std::string_view body = kRich.substr(0, kRich.size() - 1);
  for (std::size_t size = 0; size < body.size(); ++size) {
    const std::string copy(body.substr(0, size));
    EXPECT_FALSE(members(copy).has_value()) << copy;
  }
}

TEST(JsonScan, RefusesWhatIsNotBalancedOrSeparated) {
  for (const std::string_view text :
       {"", "[", "{\"a\":1 \"b\":2}", "{\"a\" 1}", "{a:1}", "{\"a\":}", "{\"a\":[}]}", "{\"a\":{]}",
        "{\"a\":1}}", "{\"a\":1}x", "{\"a\":\"\\\"}", "{,\"a\":1}", "{\"a\":1,}"}) {
    EXPECT_FALSE(members(text).has_value()) << text;
  }
}

TEST(JsonScan, DepthIsBounded) {
  EXPECT_TRUE(members("{\"a\":" + std::string(500, '[') + std::string(500, ']') + "}").has_value());
  EXPECT_FALSE(
      members("{\"a\":" + std::string(600, '[') + std::string(600, ']') + "}").has_value());
}

TEST(JsonScan, NestedContainersReadInStep) {
  Scanner scan(R"({"k":[{"v":1},{"w":[]},7],"after":2})");
  std::string_view key;
  ASSERT_TRUE(scan.open_object());
  ASSERT_TRUE(scan.next_key(key));
  ASSERT_TRUE(scan.open_array());
  ASSERT_TRUE(scan.next_element());
  ASSERT_TRUE(scan.open_object());
  ASSERT_TRUE(scan.next_key(key));
  EXPECT_EQ(key, "v");
  EXPECT_FALSE(scan.open_object());  // a number: nothing is taken
  EXPECT_EQ(scan.value(), "1");
  EXPECT_FALSE(scan.next_key(key));
  ASSERT_TRUE(scan.next_element());
  EXPECT_EQ(scan.value(), R"({"w":[]})");
  ASSERT_TRUE(scan.next_element());
  EXPECT_EQ(whole_of(scan.value()), 7U);
  EXPECT_FALSE(scan.next_element());
  ASSERT_TRUE(scan.next_key(key));
  EXPECT_EQ(key, "after");
  EXPECT_EQ(scan.value(), "2");
  EXPECT_FALSE(scan.next_key(key));
  EXPECT_TRUE(scan.ok());
  EXPECT_TRUE(scan.at_end());
}

TEST(JsonScan, StringsDecodeAsInTheFullReader) {
  for (const std::string_view raw :
       {R"("")", R"("a\n\t\"\\\/b")", R"("\u0041\u00e9\u20ac")", R"("\ud83d\ude00")", R"("\ud83d")",
        R"("\ude00x")", R"("\ud83d\u0041")", "\"h\xC3\xA9\""}) {
    const auto document = Document::parse(raw);
    ASSERT_TRUE(document.has_value()) << raw;
    EXPECT_EQ(string_of(raw), document->root().as_string()) << raw;
  }
  for (const std::string_view raw : {"", "\"", "1", R"("\x")", R"("\u12")", R"("\")"}) {
    EXPECT_FALSE(string_of(raw).has_value()) << raw;
  }
  EXPECT_EQ(string_of("\"\xFF\""), "\xEF\xBF\xBD");
}

TEST(JsonScan, WholeNumbers) {
  EXPECT_EQ(whole_of("0"), 0U);
  EXPECT_EQ(whole_of("12e2"), 1200U);
  EXPECT_EQ(whole_of("9223372036854775807"), 9223372036854775807U);
  for (const std::string_view raw :
       {"-1", "1.5", "9223372036854775808", "", "null", "\"1\"", "01", "1x"}) {
    EXPECT_FALSE(whole_of(raw).has_value()) << raw;
  }
}

}  // namespace
}  // namespace fh::codec::json
