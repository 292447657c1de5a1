#include "engine/stop_matcher.h"

#include <gtest/gtest.h>

#include <random>

#include "codec/utf8.h"

namespace fh::engine {
namespace {

struct Outcome {
  std::string text;
  std::string stop;
  std::uint64_t source_bytes = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome run(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
  StopMatcher matcher(stops);
  Outcome outcome;
  const auto take = [&](const StopMatcher::Output& out) {
    EXPECT_TRUE(codec::utf8::valid(out.text));
    outcome.text += out.text;
    outcome.source_bytes += out.source_bytes;
    if (out.matched) outcome.stop = *out.matched;
  };
  for (const std::string& piece : pieces) take(matcher.push(piece));
  take(matcher.finish());
  return outcome;
}

std::vector<std::string> bytewise(const std::string& text) {
  std::vector<std::string> out;
  for (const char c : text) out.emplace_back(1, c);
  return out;
}

TEST(StopMatcher, PassesTextThroughAtOnce) {
  StopMatcher matcher;
  EXPECT_EQ(matcher.push("hello").text, "hello");
  EXPECT_EQ(matcher.finish().text, "");
}

TEST(StopMatcher, HoldsBackOnlyWhatMayBecomeAStop) {
  StopMatcher matcher({"</end>"});
  EXPECT_EQ(matcher.push("text </e").text, "text ");
  EXPECT_EQ(matcher.push("m> <").text, "</em> ");
  EXPECT_EQ(matcher.finish().text, "<");
  EXPECT_FALSE(matcher.stopped());
}

TEST(StopMatcher, FindsAStopAcrossTokensAndInTheMiddleOfOne) {
  EXPECT_EQ(run({"STOP"}, {"abS", "T", "OPxyz"}), (Outcome{"ab", "STOP", 2}));
  StopMatcher matcher({"STOP"});
  matcher.push("STOP");
  EXPECT_TRUE(matcher.stopped());
  EXPECT_EQ(matcher.push("more").text, "");
}

TEST(StopMatcher, OverlapsRestartRightly) {
  EXPECT_EQ(run({"aab"}, bytewise("aaab")), (Outcome{"a", "aab", 1}));
  EXPECT_EQ(run({"abab", "ba"}, bytewise("xababy")), (Outcome{"xa", "ba", 2}));
  EXPECT_EQ(run({"bc", "abc"}, bytewise("zabc")), (Outcome{"z", "abc", 1}));
}

TEST(StopMatcher, TextAfterFinishBeginsAnew) {
  StopMatcher matcher({"ab"});
  EXPECT_EQ(matcher.push("a").text, "");
  EXPECT_EQ(matcher.finish().text, "a");
  EXPECT_EQ(matcher.push("b").text, "b");
  EXPECT_FALSE(matcher.stopped());
}

TEST(StopMatcher, NeverSplitsACodePoint) {
  StopMatcher matcher;
  EXPECT_EQ(matcher.push("\xE2\x82").text, "");
  EXPECT_EQ(matcher.push("\xAC!").text, "\xE2\x82\xAC!");
  EXPECT_EQ(matcher.push("\xF0\x9F").text, "");
  EXPECT_EQ(matcher.finish().text, "\xEF\xBF\xBD");
  EXPECT_EQ(run({}, bytewise("a\xFF\xC3(")).text, "a\xEF\xBF\xBD\xEF\xBF\xBD(");
}

TEST(StopMatcher, AHalfThatALimitCutOffIsLeftOut) {
  StopMatcher matcher({"zz"});
  EXPECT_EQ(matcher.push("az\xF0\x9F").text, "a");
  const StopMatcher::Output rest = matcher.finish(true);
  EXPECT_EQ(rest.text, "z");
  EXPECT_EQ(rest.source_bytes, 3u);
  EXPECT_EQ(matcher.push("\xA6").text, "\xEF\xBF\xBD");  // what comes later begins anew
}

TEST(StopMatcher, CountsTheBytesItAccountsFor) {
  EXPECT_EQ(run({}, bytewise("a\xFFz")).source_bytes, 3u);
  EXPECT_EQ(run({"zz"}, bytewise("\xE2\x82\xACz")).source_bytes, 4u);
}

// Reference: the stop that ends first, of several the longest.
Outcome reference(const std::vector<std::string>& stops, const std::string& text) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    std::string best;
    for (const std::string& stop : stops) {
      const bool here =
          stop.size() <= end && text.compare(end - stop.size(), stop.size(), stop) == 0;
      if (here && stop.size() > best.size()) best = stop;
    }
    if (!best.empty()) return {text.substr(0, end - best.size()), best, end - best.size()};
  }
  return {text, "", text.size()};
}

TEST(StopMatcher, EqualsTheReferenceHoweverItIsSplit) {
  std::mt19937 random(7);
  const std::vector<std::string> alphabet = {"a", "b", "\xC3\xA9", "\xF0\x9F\x98\x80"};
  const auto text_of = [&](std::size_t length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += alphabet[random() % alphabet.size()];
    return text;
  };
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> stops;
    for (std::size_t i = random() % 4; i > 0; --i) stops.push_back(text_of(1 + random() % 4));
    const std::string text = text_of(random() % 30);
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = 1 + random() % 5;
      pieces.push_back(text.substr(at, size));
      at += size;
    }
    EXPECT_EQ(run(stops, pieces), reference(stops, text)) << text;
  }
}

}  // namespace
}  // namespace fh::engine
