#include "planner/page.h"

#include <gtest/gtest.h>

#include "codec/json.h"

namespace fh::planner {
namespace {

TEST(Page, NothingInTheDataEndsItsBlock) {
  const std::string json = R"({"a":"</script><script>x</script><!-- \u2028"})"
                           "\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xA6";
  const std::string out = for_data_block(json);
  EXPECT_EQ(out.find('<'), std::string::npos);
  EXPECT_EQ(out.find("\xE2\x80\xA8"), std::string::npos);
  EXPECT_EQ(out.find("\xE2\x80\xA9"), std::string::npos);
  // A neighbour of the two separators stays as it is.
  EXPECT_TRUE(out.ends_with("\\u2028\\u2029\xE2\x80\xA6")) << out;
}

TEST(Page, TheDataReadsTheSame) {
  const std::string json =
      "{\"name\":\"a</script>b\xE2\x80\xA8"
      "c\xC3\xA9\"}";
  const auto parsed = codec::json::Document::parse(for_data_block(json));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(*parsed->root()["name"].as_string(),
            "a</script>b\xE2\x80\xA8"
            "c\xC3\xA9");
}

TEST(Page, TheDataTakesThePlaceOfTheMark) {
  const auto page = fill_page("<p>@FREEHOLD_PLAN@</p>", R"({"a":1})");
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(*page, R"(<p>{"a":1}</p>)");
}

TEST(Page, ABuildWithoutThePageSaysSo) {
  const auto page = fill_page("", "{}");
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().code, base::Code::Unavailable);
  EXPECT_FALSE(page.error().hint.empty());
}

}  // namespace
}  // namespace fh::planner
