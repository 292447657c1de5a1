// Schemas as grammars: every text that the grammar takes is valid, what cannot be enforced is
// refused.
#include "engine/llama/grammar_schema.h"

#include <gtest/gtest.h>

#include "engine/llama/grammar_number.h"
#include "engine/llama/grammar_test_model.h"

namespace fh::engine::llama {
namespace {

base::Result<std::string> grammar_of(std::string_view text) {
  const auto schema = JsonSchema::parse(text);
  EXPECT_TRUE(schema.has_value()) << text;
  GrammarRules rules;
  const std::string root = rules.reserve("root");
  FH_TRY(const std::string name, add_schema_rules(rules, **schema, "s", false));
  rules.define(root, name);
  return rules.text();
}

struct Row {
  const char* schema;
  std::vector<const char*> valid;
  std::vector<const char*> invalid;
};

const Row kRows[] = {
    {"{}", {"1", "null", R"({"a":[1,"x"]})"}, {"", "nul", "{"}},
    {R"({"type":"object"})",
     {"{}", R"({"a":1})", R"({ "a": 1, "b": {} })"},
     {"[]", "1", R"({"a"})"}},
    {R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["a"]})",
     {R"({"a":"x"})", R"({"a": "x", "b": -3})"},
     {"{}", R"({"b":1})", R"({"a":1})", R"({"a":"x","b":1.5})", R"({"a":"x",})",
      R"({"a":"x","c":1})"}},
    {R"({"type":"object","properties":{"a":{},"b":{},"c":{}}})",
     {"{}", R"({"a":1})", R"({"b":1})", R"({"c":1})", R"({"a":1,"c":2})", R"({"a":1,"b":2,"c":3})"},
     {R"({,"a":1})", R"({"a":1 "b":2})"}},
    {R"({"type":"object","properties":{"a":{},"b":{},"c":{}},"required":["b"]})",
     {R"({"b":1})", R"({"a":1,"b":1})", R"({"b":1,"c":1})"},
     {"{}", R"({"a":1})", R"({"a":1,"c":1})"}},
    {R"({"type":"object","required":["x"]})", {R"({"x":[1]})"}, {"{}"}},
    {R"({"type":"object","additionalProperties":{"type":"integer"}})",
     {"{}", R"({"k":1,"l":2})"},
     {R"({"k":"x"})"}},
    {R"({"type":"object","properties":{},"additionalProperties":false})", {"{}"}, {R"({"a":1})"}},
    {R"({"type":"object","additionalProperties":{},"minProperties":1,"maxProperties":2})",
     {R"({"a":1})", R"({"a":1,"b":1})"},
     {"{}", R"({"a":1,"b":1,"c":1})"}},
    {R"({"enum":["a\"b","c\nd",1,null,{"x":[1]}]})",
     {R"("a\"b")", R"("c\nd")", "1", "null", R"({"x":[1]})"},
     {"2", R"("a")"}},
    {R"({"type":"string","enum":["a",1]})", {R"("a")"}, {"1"}},
    {R"({"const":"é"})", {R"("é")"}, {R"("e")"}},
    {R"({"type":["string","null"]})", {R"("a")", "null"}, {"1"}},
    {R"({"anyOf":[{"type":"integer"},{"type":"null"}],"description":"x"})",
     {"1", "null"},
     {R"("a")"}},
    {R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"anyOf":[{"required":["a"]},{"required":["b"]}]})",
     {R"({"a":1})", R"({"b":1})", R"({"a":1,"b":1})"},
     {"{}"}},
    {R"({"oneOf":[{"type":"object","properties":{"k":{"const":"x"},"v":{"type":"integer"}},"required":["k","v"]},{"type":"object","properties":{"k":{"const":"y"}},"required":["k"]}]})",
     {R"({"k":"x","v":1})", R"({"k":"y"})"},
     {R"({"k":"x"})", R"({"k":"z"})"}},
    {R"({"allOf":[{"$ref":"#/$defs/a"},{"properties":{"y":{"type":"integer"}},"required":["y"]}],"$defs":{"a":{"type":"object","properties":{"x":{"type":"string"}},"required":["x"]}}})",
     {R"({"x":"1","y":2})", R"({"x": "", "y": 0})"},
     {R"({"x":"1"})", R"({"y":2})"}},
    {R"({"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["v","next"]})",
     {R"({"v":1,"next":null})", R"({"v":1,"next":{"v":2,"next":null}})"},
     {R"({"v":1,"next":1})"}},
    {R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3})",
     {"[1]", "[1, 2,3]"},
     {"[]", "[1,2,3,4]", R"(["a"])"}},
    {R"({"type":"array","items":{"type":"boolean"}})", {"[]", "[true,false]"}, {"[1]", "[true,]"}},
    {R"({"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}],"items":false})",
     {R"(["a",1])"},
     {R"(["a","b"])", R"(["a",1,1])"}},
    {R"({"type":"array","maxItems":0})", {"[]"}, {"[1]"}},
    {R"({"type":"string","minLength":2,"maxLength":3})",
     {R"("ab")", R"("äöü")", R"("a\n")"},
     {R"("a")", R"("abcd")"}},
    {R"({"type":"string","pattern":"^[a-c]+-\\d{2}$"})",
     {R"("abc-12")"},
     {R"("abc-1")", R"("d-12")", "\"\""}},
    {R"({"type":"string","pattern":"b"})", {R"("abc")", R"("b")"}, {R"("ac")"}},
    {R"({"type":"string","pattern":"^\"$"})", {R"("\"")"}, {R"(""")"}},
    {R"({"type":"string","format":"date"})",
     {R"("2026-02-28")"},
     {R"("2026-02-30")", R"("2026-13-01")"}},
    {R"({"type":"string","format":"uri"})", {R"("anything")"}, {"1"}},
    {R"({"type":"integer","minimum":3,"maximum":120})",
     {"3", "9", "10", "99", "100", "119", "120"},
     {"2", "121", "-3", "200", "3.5", "03"}},
    {R"({"type":"integer","minimum":-12,"maximum":5})",
     {"-12", "-9", "-1", "0", "5"},
     {"-13", "6", "-0", "-20"}},
    {R"({"type":"integer","exclusiveMinimum":0})", {"1", "10", "99999"}, {"0", "-1"}},
    {R"({"type":"number","minimum":0,"maximum":1})",
     {"0", "1", "0.5", "0.0"},
     {"1.5", "-0.5", "2", "1.0"}},
    {R"({"type":"number","exclusiveMinimum":0})", {"1", "0.25", "17.5"}, {"0", "0.0", "-1"}},
    {R"({"type":"number","minimum":-2,"maximum":-1})",
     {"-2", "-1", "-1.5"},
     {"-2.5", "-0.5", "0", "1"}},
    {R"({"type":"number"})", {"-1.5e3", "0", "12"}, {"01", "1.", ".5"}},
};

TEST(GrammarSchema, TakesWhatIsValidAndNothingElse) {
  FH_NEEDS_MODEL();
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.schema);
    const auto grammar = grammar_of(row.schema);
    ASSERT_TRUE(grammar) << grammar.error().message;
    for (const char* text : row.valid)
      EXPECT_TRUE(grammar_takes(*grammar, text)) << text << "\n" << *grammar;
    for (const char* text : row.invalid) EXPECT_FALSE(grammar_takes(*grammar, text)) << text;
  }
}

// The tables above are true of the checker too, so that the two never drift apart.
TEST(GrammarSchema, TheCheckerAgrees) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.schema);
    const auto schema = JsonSchema::parse(row.schema);
    ASSERT_TRUE(schema);
    for (const char* text : row.valid) {
      const auto value = codec::json::Document::parse(text);
      ASSERT_TRUE(value) << text;
      EXPECT_TRUE((*schema)->accepts(value->root())) << text;
    }
  }
}

TEST(GrammarSchema, RefusesWhatItCannotEnforce) {
  const char* const refused[] = {
      R"({"not":{"type":"string"}})",
      R"({"if":{},"then":{}})",
      R"({"type":"array","uniqueItems":true})",
      R"({"type":"array","contains":{}})",
      R"({"type":"object","patternProperties":{"a":{}}})",
      R"({"type":"object","propertyNames":{"maxLength":3}})",
      R"({"type":"object","dependentRequired":{"a":["b"]}})",
      R"({"type":"object","properties":{"a":{},"b":{}},"maxProperties":1})",
      R"({"type":"object","minProperties":2})",
      R"({"type":"object","unevaluatedProperties":false})",
      R"({"type":"string","pattern":"(?=a)b"})",
      R"({"type":"string","pattern":"^a","maxLength":3})",
      R"({"type":"number","multipleOf":0.5})",
      R"({"type":"number","minimum":0.2,"maximum":0.3})",
      R"({"oneOf":[{"type":"string"},{"type":"string","maxLength":3}]})",
      R"({"$ref":"#/nowhere"})",
      R"({"$ref":"https://example.com/schema"})",
      R"({"$ref":"#"})",
      R"({"type":"text"})",
      R"({"type":"string","minLength":-1})",
      R"({"enum":"a"})",
      R"({"allOf":[{"type":"string"},{"type":"integer"}]})",
      R"({"type":"object","properties":{"a":{}},"required":["b"],"additionalProperties":false})",
      R"({"type":"string","enum":[1,2]})",
      R"({"unknownKeyword":1})",
      "false",
  };
  for (const char* text : refused) {
    const auto grammar = grammar_of(text);
    EXPECT_FALSE(grammar) << text;
    if (!grammar) {
      EXPECT_FALSE(grammar.error().message.empty());
    }
  }
}

TEST(GrammarSchema, TheRefusalNamesThePlaceAsTheSchemaDoes) {
  const auto inside =
      grammar_of(R"({"type":"object","properties":{"count":{"type":"number","multipleOf":5}}})");
  ASSERT_FALSE(inside);
  EXPECT_EQ(inside.error().message, "at count: multipleOf cannot be enforced");
  const auto whole = grammar_of(R"({"not":{}})");
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().message, "the keyword \"not\" cannot be enforced");
}

TEST(GrammarSchema, AnImpossibleAlternativeIsLeftOut) {
  const auto grammar = grammar_of(R"({"anyOf":[{"type":"string","enum":[1]},{"const":2}]})");
  ASSERT_TRUE(grammar);
  EXPECT_NE(grammar->find("\"2\""), std::string::npos);
}

TEST(GrammarSchema, HostileSchemasEndSoon) {
  std::string deep = R"({"type":"integer"})";
  for (int i = 0; i < 60; ++i) deep = R"({"type":"array","items":)" + deep + "}";
  EXPECT_FALSE(JsonSchema::parse(deep).has_value() && grammar_of(deep).has_value());
  // Alternatives that multiply: 3^20 combinations.
  std::string wide = R"({"allOf":[)";
  for (int i = 0; i < 20; ++i) {
    wide += std::string(i > 0 ? "," : "") +
            R"({"anyOf":[{"minLength":1},{"minLength":2},{"minLength":3}]})";
  }
  EXPECT_FALSE(grammar_of(wide + "]}"));
}

TEST(GrammarSchema, LargeCountsStayWithinTheEngine) {
  FH_NEEDS_MODEL();
  const llama_vocab* vocab = llama_model_get_vocab(test_vocab_model());
  for (
      const char* text :
      {R"({"type":"string","maxLength":100000})",
       R"({"type":"string","minLength":1000,"maxLength":5000})",
       R"({"type":"array","items":{"type":"string","maxLength":2000},"minItems":3,"maxItems":700})"}) {
    const auto grammar = grammar_of(text);
    ASSERT_TRUE(grammar);
    EXPECT_TRUE(check_grammar(*grammar, vocab)) << text;
  }
  const auto grammar = grammar_of(R"({"type":"string","minLength":100,"maxLength":300})");
  ASSERT_TRUE(grammar);
  for (const std::size_t size : {0U, 99U, 100U, 101U, 187U, 299U, 300U, 301U}) {
    EXPECT_EQ(grammar_takes(*grammar, "\"" + std::string(size, 'x') + "\""),
              size >= 100 && size <= 300)
        << size;
  }
}

TEST(GrammarNumber, EveryTextLiesInItsRange) {
  FH_NEEDS_MODEL();
  const int bounds[] = {-1200, -100, -99, -10, -9,  -1,  0,    1,   7,
                        10,    19,   42,  99,  100, 105, 1000, 1999};
  for (const int low : bounds) {
    for (const int high : bounds) {
      if (high < low) continue;
      NumberBounds range;
      range.raise_low(low, false);
      range.drop_high(high, false);
      const std::string grammar = "root ::= " + bounded_integer(range) + "\n";
      for (const int x :
           {low - 1, low, low + 1, (low + high) / 2, high - 1, high, high + 1, -high, -low}) {
        ASSERT_EQ(grammar_takes(grammar, std::to_string(x)), x >= low && x <= high)
            << x << " in [" << low << ", " << high << "]: " << grammar;
      }
    }
  }
}

TEST(GrammarRules, UntilStopsAtTheFirstStop) {
  FH_NEEDS_MODEL();
  GrammarRules rules;
  const std::string root = rules.reserve("root");
  rules.define(root, gbnf_until(rules, "u", "</aab>", "\"!\"", false));
  const std::string grammar = rules.text();
  EXPECT_TRUE(grammar_takes(grammar, "</aab>!"));
  EXPECT_TRUE(grammar_takes(grammar, "x</aa</aab>!"));
  EXPECT_TRUE(grammar_takes(grammar, "<</</aab>!"));
  EXPECT_FALSE(grammar_takes(grammar, "x</aab>"));
  EXPECT_FALSE(grammar_takes(grammar, "x</aab>y</aab>!"));
  EXPECT_FALSE(grammar_takes(grammar, "x"));
}

}  // namespace
}  // namespace fh::engine::llama
