// The guard over streamed tool arguments: right text passes unchanged however it is cut, cut or
// wrong text becomes one JSON object.

#include "dialects/json_guard.h"

#include <gtest/gtest.h>

#include <random>

#include "codec/json.h"
#include "dialects/custom_input.h"

namespace fh::dialects {
namespace {

std::string through(std::string_view text, std::size_t piece = 1) {
  JsonGuard guard;
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece) guard.push(text.substr(at, piece), out);
  guard.finish(out);
  return out;
}

bool is_object(std::string_view text) {
  const auto document = codec::json::Document::parse(text, {.depth_max = 600});
  return document && document->root().is_object();
}

constexpr std::string_view kSamples[] = {
    R"({})",
    R"({"a":1})",
    R"({ "a" : [ 1, -2.5e+10, 0, 0.5, true, false, null ], "b": {"c": {}} })",
    R"({"text":"line\nquote\" back\\slash \/ tab\t \u00e9 \ud83d\ude00 end"})",
    "{\"utf\":\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"}",
    R"({"empty":"","list":[],"n":[[[]]],"k\u0041":1})",
};

TEST(JsonGuard, RightTextPassesUnchangedHoweverItIsCut) {
  for (const std::string_view text : kSamples) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      EXPECT_EQ(through(text, piece), through(text, text.size())) << text;
    }
    JsonGuard guard;
    std::string out;
    guard.push(text, out);
    EXPECT_TRUE(guard.complete()) << text;
    EXPECT_FALSE(guard.broken()) << text;
    guard.finish(out);
    EXPECT_TRUE(is_object(out)) << out;
  }
  // Only space after a comma is not kept.
  EXPECT_EQ(through(kSamples[3]), kSamples[3]);
  EXPECT_EQ(through(kSamples[4]), kSamples[4]);
  EXPECT_EQ(through(kSamples[5]), kSamples[5]);
}

TEST(JsonGuard, EveryPrefixBecomesOneObject) {
  for (const std::string_view text : kSamples) {
    for (std::size_t size = 1; size <= text.size(); ++size) {
      const std::string out = through(text.substr(0, size));
      EXPECT_TRUE(is_object(out)) << text.substr(0, size) << " -> " << out;
    }
  }
}

TEST(JsonGuard, MendsAndCuts) {
  EXPECT_EQ(through(""), "");
  EXPECT_EQ(through("   "), "");
  EXPECT_EQ(through("[1]"), "");
  EXPECT_EQ(through("hello"), "");
  EXPECT_EQ(through("{\"a\":\"x\ny\"}"), R"({"a":"x\u000ay"})");
  EXPECT_EQ(through(R"({"a":"\ud83d"})"), R"({"a":"\ufffd"})");
  EXPECT_EQ(through(R"({"a":"\ude00"})"), R"({"a":"\ufffd"})");
  EXPECT_EQ(through(R"({"a":"\ud83d\n"})"), R"({"a":"\ufffd\n"})");
  EXPECT_EQ(through(R"({"a":"\ud83d\ud83d\ude00"})"), R"({"a":"\ufffd\ud83d\ude00"})");
  EXPECT_EQ(through(R"({"a":"C:\dir"})"), R"({"a":"C:\\dir"})");
  EXPECT_EQ(through("{\"a\":\"\xFF\"}"), "{\"a\":\"\xEF\xBF\xBD\"}");
  EXPECT_EQ(through("{\"a\":\"\xC3\"}"), "{\"a\":\"\xEF\xBF\xBD\"}");
  EXPECT_EQ(through(R"({"a":1} and more)"), R"({"a":1})");
  EXPECT_EQ(through(R"({"a":1,})"), R"({"a":1})");
  EXPECT_EQ(through(R"({"a":[1,)"), R"({"a":[1]})");
  EXPECT_EQ(through(R"({"a")"), R"({"a":null})");
  EXPECT_EQ(through(R"({"a":-)"), R"({"a":-0})");
  EXPECT_EQ(through(R"({"a":tru)"), R"({"a":true})");
  EXPECT_EQ(through(R"({"a":01})"), R"({"a":0})");
  EXPECT_EQ(through(R"({"a":"cut \)"), R"({"a":"cut "})");
}

TEST(JsonGuard, RandomBytesNeverMakeAnythingElse) {
  std::mt19937_64 random(20261124);
  constexpr std::string_view kAlphabet = "{}[]\":,\\u0019dDaef.-+tn \xC3\xA9\xF0\n";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = "{";
    const std::size_t size = random() % 24;
    for (std::size_t i = 0; i < size; ++i) text += kAlphabet[random() % kAlphabet.size()];
    const std::string out = through(text, 1 + random() % 3);
    const auto document = codec::json::Document::parse(out);
    // Our reader also refuses duplicate names, which JSON itself allows.
    const bool duplicate = !document && document.error().message.find("dup") != std::string::npos;
    EXPECT_TRUE(duplicate || is_object(out)) << round << ": " << text << " -> " << out;
  }
}

std::string custom(std::string_view arguments, std::size_t piece) {
  CustomInput reader;
  std::string out;
  for (std::size_t at = 0; at < arguments.size(); at += piece) {
    reader.push(arguments.substr(at, piece), out);
  }
  reader.finish(out);
  return out;
}

TEST(CustomInput, ReadsTheTextHoweverItIsCut) {
  const std::string_view texts[] = {"", "plain", "a\nb\t\"q\" \\ /", "\xC3\xA9\xF0\x9F\x98\x80"};
  for (const std::string_view text : texts) {
    const std::string arguments = custom_arguments(text);
    for (std::size_t piece = 1; piece <= arguments.size(); ++piece) {
      EXPECT_EQ(custom(arguments, piece), text);
    }
  }
  EXPECT_EQ(custom(R"( { "input" : "\ud83d\ude00\u00e9\ud83dx" } )", 1),
            "\xF0\x9F\x98\x80\xC3\xA9\xEF\xBF\xBDx");
}

TEST(CustomInput, OtherShapesComeAsTheyAre) {
  for (const std::string_view text : {R"({"patch":"x"})", R"({"input":7})", "[1]", "text", "{}"}) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece) EXPECT_EQ(custom(text, piece), text);
  }
}

}  // namespace
}  // namespace fh::dialects
