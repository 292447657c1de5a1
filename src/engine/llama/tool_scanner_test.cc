// The incremental JSON object scanner against the JSON reader.
#include "engine/llama/tool_scanner.h"

#include <gtest/gtest.h>

#include <random>

#include "codec/json.h"
#include "engine/llama/tool_call.h"

namespace fh::engine::llama {
namespace {

ObjectScanner::State scan(ObjectScanner& scanner, std::string_view text) {
  for (const char c : text) scanner.push(c);
  return scanner.state();
}

TEST(ObjectScanner, Members) {
  ObjectScanner scanner;
  EXPECT_EQ(scan(scanner, " {\"a\\u0041\" : 12, \"b\":{\"c\":[1,{}]}, \"d\" : \"x"),
            ObjectScanner::State::More);
  ASSERT_EQ(scanner.members().size(), 3U);
  EXPECT_EQ(scanner.members()[0].key, "aA");
  EXPECT_EQ(scanner.value_text(scanner.members()[0]), "12");
  EXPECT_EQ(scanner.value_text(scanner.members()[1]), "{\"c\":[1,{}]}");
  EXPECT_TRUE(scanner.members()[1].complete);
  EXPECT_EQ(scanner.value_text(scanner.members()[2]), "\"x");
  EXPECT_FALSE(scanner.members()[2].complete);
  EXPECT_EQ(scan(scanner, "\"}"), ObjectScanner::State::Done);
}

TEST(ObjectScanner, Bad) {
  for (const char* text :
       {"[", "{a", "{\"a\" 1", "{\"a\":}", "{\"a\":1,}", "{\"a\":01", "{\"a\":1.}", "{\"a\":+1",
        "{\"a\":tru}", "{\"a\":\"\\x", "{\"a\":\"\\u12g", "{\"a\":\"\n", "{\"a\":[1,]",
        "{\"a\":[1}", "{\"a\":1,\"a\":2", "{\"a\":1]", "{,", "{\"a\":--1", "{\"a\":1e}"}) {
    ObjectScanner scanner;
    EXPECT_EQ(scan(scanner, text), ObjectScanner::State::Bad) << text;
  }
  ObjectScanner deep;
  std::string text;
  for (int i = 0; i < 100; ++i) text += "{\"a\":";
  EXPECT_EQ(scan(deep, text), ObjectScanner::State::Bad);
}

TEST(ObjectScanner, AgreesWithTheReader) {
  const std::vector<std::string> atoms{"{",     "}",     "[",        "]", ",",      ":",
                                       "\"a\"", "\"b\"", "\"c\\n\"", "1", "-0.5e3", "true",
                                       "null",  " ",     "\"",       "0", "."};
  std::mt19937 random(5);
  int done = 0;
  for (int round = 0; round < 60000; ++round) {
    std::string text = "{";
    for (unsigned n = random() % 9; n > 0; --n) text += atoms[random() % atoms.size()];
    ObjectScanner scanner;
    std::size_t used = 0;
    while (used < text.size() && scanner.push(text[used]) == ObjectScanner::State::More) ++used;
    if (scanner.state() == ObjectScanner::State::Done) {
      ++done;
      EXPECT_TRUE(codec::json::Document::parse(text.substr(0, used + 1)).has_value()) << text;
    } else {
      EXPECT_FALSE(codec::json::Document::parse(text).has_value()) << text;
    }
  }
  EXPECT_GT(done, 100);
}

TEST(ToolCall, RulesAndNames) {
  EXPECT_EQ(tool_rules({{"", "", "{}", false}}).error().field, "tools.0.name");
  EXPECT_EQ(tool_rules({{"a", "", "[]", false}}).error().field, "tools.0.parameters");
  const auto rules = tool_rules({{"a", "", "", false}, {"b", "", "{}", true}});
  ASSERT_TRUE(rules);
  EXPECT_EQ(find_tool(*rules, "b")->strict, true);
  EXPECT_EQ(find_tool(*rules, "c"), nullptr);
}

}  // namespace
}  // namespace fh::engine::llama
