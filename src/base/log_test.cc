// Log lines: what a hostile value can and cannot do to them. Lines are read back from standard
// error.
#include "base/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

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

// A program that starts a server and never reads its log must not bring it to a halt.
TEST_F(LogTest, LinesOfRequestsDoNotFillAPipeThatNobodyReads) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const int before = dup(STDERR_FILENO);
  ASSERT_EQ(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
  for (int i = 0; i < 5000; ++i) log_if_taken(Level::Info, "a request", {{"n", "1"}});
  log(Level::Info, "the end");
  dup2(before, STDERR_FILENO);
  close(before);
  close(ends[1]);
  std::string read_back;
  std::array<char, 4096> block{};
  for (ssize_t got = 0; (got = read(ends[0], block.data(), block.size())) > 0;) {
    read_back.append(block.data(), static_cast<std::size_t>(got));
  }
  close(ends[0]);
  EXPECT_LT(read_back.size(), 20'000U);
  EXPECT_NE(read_back.find("a request"), std::string::npos);
  EXPECT_TRUE(read_back.ends_with("the end\n")) << read_back;
}

TEST_F(LogTest, HumanLineLeavesPlainValuesBare) {
  EXPECT_NE(line(LogFormat::Human, "m", "127.0.0.1:80").find("  key=127.0.0.1:80\n"),
            std::string::npos);
}

}  // namespace
}  // namespace fh::base
