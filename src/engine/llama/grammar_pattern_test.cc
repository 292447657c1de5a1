// Patterns of JSON Schema: what matches, what is refused, what becomes of them in a grammar.
#include "engine/llama/grammar_pattern.h"

#include <gtest/gtest.h>

namespace fh::engine::llama {
namespace {

bool matches(const char* pattern, const char* text) {
  const auto parsed = Pattern::parse(pattern);
  EXPECT_TRUE(parsed.has_value()) << pattern;
  return parsed && parsed->matches(text);
}

TEST(Pattern, Matches) {
  struct Row {
    const char* pattern;
    const char* text;
    bool expected;
  };
  const Row rows[] = {
      {"^[a-z]+$", "abc", true},
      {"^[a-z]+$", "abC", false},
      {"^[a-z]+$", "", false},
      {"b", "abc", true},
      {"^b", "abc", false},
      {"c$", "abc", true},
      {"^a|b$", "ax", true},
      {"^a|b$", "xb", true},
      {"^a|b$", "xa", false},
      {"^(a|bc){2,3}$", "abca", true},
      {"^(a|bc){2,3}$", "a", false},
      {"^a{3}$", "aaa", true},
      {"^a{2,}$", "aaaaa", true},
      {"^a{2,}$", "a", false},
      {"^\\d{3}-\\d{4}$", "555-1234", true},
      {"^\\w+@\\w+\\.com$", "a@b.com", true},
      {"^\\w+@\\w+\\.com$", "a@bxcom", false},
      {"^[^/]*$", "a/b", false},
      {"^[^/]*$", "ab", true},
      {"^.$", "ü", true},
      {"^.$", "\n", false},
      {"^[\\u00e0-\\u00ff]$", "ü", true},
      {"^(?:ab)*$", "abab", true},
      {"^(?<y>\\d)$", "7", true},
      {"", "anything", true},
      {"^$", "", true},
      {"^$", "x", false},
      {"^(a*)*$", "aaaa", true},
      {"^[-a]$", "-", true},
      {"^[a-]$", "-", true},
      {"^\\s$", "\t", true},
      {"^\\.$", ".", true},
      {"^a+?$", "aa", true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(matches(row.pattern, row.text), row.expected) << row.pattern << " on " << row.text;
  }
}

TEST(Pattern, HostilePatternsEndSoon) {
  EXPECT_FALSE(
      matches("^(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
  EXPECT_FALSE(matches("^(a|a|a)*$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
  EXPECT_FALSE(Pattern::parse(std::string(3000, 'a')));
  EXPECT_FALSE(Pattern::parse(std::string(200, '(') + std::string(200, ')')));
}

TEST(Pattern, Refused) {
  for (const char* text : {"(?=a)", "(?!a)", "(?<=a)b", "\\1", "\\bword", "\\p{L}", "a{2,1}",
                           "a{x}", "(", ")", "[a", "*a", "[z-a]", "a{5000}", "\\", "^*"}) {
    EXPECT_FALSE(Pattern::parse(text)) << text;
  }
}

std::string gbnf(const char* pattern) {
  const auto parsed = Pattern::parse(pattern);
  EXPECT_TRUE(parsed.has_value());
  const auto text = parsed->to_gbnf("c");
  return text ? *text : "refused";
}

TEST(Pattern, Gbnf) {
  EXPECT_EQ(gbnf("^ab$"), "(([a] [b]))");
  EXPECT_EQ(gbnf("a"), "(c* ([a]) c*)");
  EXPECT_EQ(gbnf("^a|b$"), "(([a]) c* | c* ([b]))");
  EXPECT_EQ(gbnf("^[0-9]{2,}$"), "(([0-9]{2,}))");
  EXPECT_EQ(gbnf("^\"$"), "((\"\\\\\\\"\"))");
  EXPECT_EQ(gbnf("^\\u0001$"), "refused");
  EXPECT_EQ(gbnf("^(a^b)$"), "refused");
}

}  // namespace
}  // namespace fh::engine::llama
