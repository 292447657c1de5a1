// Log lines: what a hostile value can and cannot do to them. Lines are read back from standard
// error.
#include "base/log.h"

#include <gtest/gtest.h>

namespace fh::base {
namespace {

class LogTest : public testing::Test {
 protected:
  std::string line(LogFormat format, std::string_view message, std::string value) {
    log_configure(format, Level::Info, "test");
    testing::internal::CaptureStderr();
    log(Level::Debug, "below the minimum", {});
    log(Level::Warn, message, {{"key", std::move(value)}});
    return testing::internal::GetCapturedStderr();
  }
  ~LogTest() override { log_configure(LogFormat::Human, Level::Info, "freehold"); }
};

TEST_F(LogTest, JsonHasTheFieldsAndOneLine) {
  const std::string out = line(LogFormat::Json, "hello", "a\"b\\c\nd\x7f");
  EXPECT_NE(out.find(R"("level":"warn","role":"test","msg":"hello","key":"a\"b\\c\u000ad\u007f"})"),
            std::string::npos)
      << out;
  EXPECT_EQ(out.find('\n'), out.size() - 1);
  EXPECT_EQ(out.find("below"), std::string::npos);
}

TEST_F(LogTest, JsonReplacesWhatIsNoUtf8) {
  const std::string out =
      line(LogFormat::Json, "m", "gr\xC3\xBC\xC3 \xED\xA0\x80 \xF0\x9F\x98\x80");
  EXPECT_NE(out.find("gr\xC3\xBC\\ufffd \\ufffd\\ufffd\\ufffd \xF0\x9F\x98\x80\""),
            std::string::npos)
      << out;
}

TEST_F(LogTest, HumanLineCannotBeForgedOrSteerATerminal) {
  const std::string out = line(LogFormat::Human, "first\nsecond", "x  status=200\x1b[2J\xC2\x9b 1");
  EXPECT_EQ(out.find('\n'), out.size() - 1);
  EXPECT_EQ(out.find('\x1b'), std::string::npos);
  EXPECT_EQ(out.find('\x9b'), std::string::npos);
  EXPECT_NE(out.find("first second  key=\"x  status=200 [2J  1\""), std::string::npos) << out;
}

TEST_F(LogTest, HumanLineLeavesPlainValuesBare) {
  EXPECT_NE(line(LogFormat::Human, "m", "127.0.0.1:80").find("  key=127.0.0.1:80\n"),
            std::string::npos);
}

}  // namespace
}  // namespace fh::base
