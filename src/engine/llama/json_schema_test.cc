// The schema checker against a table of values.
#include "engine/llama/json_schema.h"

#include <gtest/gtest.h>

namespace fh::engine::llama {
namespace {

bool accepts(const char* schema, const char* value) {
  const auto parsed = JsonSchema::parse(schema);
  EXPECT_TRUE(parsed.has_value()) << schema;
  const auto document = codec::json::Document::parse(value);
  EXPECT_TRUE(document.has_value()) << value;
  return parsed && document && (*parsed)->accepts(document->root());
}

TEST(JsonSchema, Table) {
  struct Row {
    const char* schema;
    const char* value;
    bool expected;
  };
  const Row rows[] = {
      {"{}", "5", true},
      {R"({"type":"integer"})", "5", true},
      {R"({"type":"integer"})", "5.0", true},
      {R"({"type":"integer"})", "5.5", false},
      {R"({"type":["string","null"]})", "null", true},
      {R"({"type":["string","null"]})", "1", false},
      {R"({"enum":["a",1,{"b":[2]}]})", R"({"b":[2.0]})", true},
      {R"({"enum":["a",1]})", R"("b")", false},
      {R"({"const":null})", "null", true},
      {R"({"minimum":1,"exclusiveMaximum":3})", "3", false},
      {R"({"minimum":1,"exclusiveMaximum":3})", "1", true},
      {R"({"multipleOf":0.1})", "0.3", true},
      {R"({"multipleOf":2})", "3", false},
      {R"({"minLength":2,"maxLength":3})", R"("üü")", true},
      {R"({"minLength":2,"maxLength":3})", R"("ü")", false},
      {R"({"pattern":"^a"})", R"("ba")", false},
      {R"({"items":{"type":"string"},"minItems":1})", R"(["a"])", true},
      {R"({"items":{"type":"string"},"minItems":1})", "[]", false},
      {R"({"items":{"type":"string"}})", "[1]", false},
      {R"({"prefixItems":[{"type":"string"}],"items":false})", R"(["a",1])", false},
      {R"({"items":[{"type":"string"}],"additionalItems":{"type":"integer"}})", R"(["a",1])", true},
      {R"({"uniqueItems":true})", "[1,1.0]", false},
      {R"({"contains":{"type":"null"},"maxContains":1})", "[null,null]", false},
      {R"({"properties":{"a":{"type":"string"}},"required":["a"]})", R"({"a":"x","b":1})", true},
      {R"({"properties":{"a":{"type":"string"}},"required":["a"]})", R"({"b":1})", false},
      {R"({"properties":{"a":{}},"additionalProperties":false})", R"({"b":1})", false},
      {R"({"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false})",
       R"({"x1":1})", true},
      {R"({"patternProperties":{"^x":{"type":"integer"}}})", R"({"x1":"s"})", false},
      {R"({"propertyNames":{"maxLength":1}})", R"({"ab":1})", false},
      {R"({"dependentRequired":{"a":["b"]}})", R"({"a":1})", false},
      {R"({"minProperties":1})", "{}", false},
      {R"({"anyOf":[{"type":"string"},{"type":"integer"}]})", "true", false},
      {R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "3", false},
      {R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "1", true},
      {R"({"allOf":[{"minimum":1},{"maximum":2}]})", "3", false},
      {R"({"not":{"type":"string"}})", R"("x")", false},
      {R"({"if":{"minimum":10},"then":{"multipleOf":10},"else":{"maximum":5}})", "7", false},
      {R"({"if":{"minimum":10},"then":{"multipleOf":10},"else":{"maximum":5}})", "20", true},
      {R"({"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"null"}}})", "null", true},
      {R"({"$ref":"#/definitions/none"})", "null", false},
      {R"({"type":"object","properties":{"next":{"$ref":"#"}}})", R"({"next":{"next":{}}})", true},
      {R"({"type":"object","properties":{"next":{"$ref":"#"}}})", R"({"next":{"next":1}})", false},
      {"true", "1", true},
      {"false", "1", false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(accepts(row.schema, row.value), row.expected) << row.schema << " on " << row.value;
  }
}

TEST(JsonSchema, NoSchema) {
  EXPECT_FALSE(JsonSchema::parse("[]"));
  EXPECT_FALSE(JsonSchema::parse("{"));
  EXPECT_TRUE(JsonSchema::parse(""));
}

TEST(JsonSchema, ReferencesWithoutEndAreNotAccepted) {
  EXPECT_FALSE(accepts(R"({"$ref":"#"})", "1"));
  EXPECT_FALSE(accepts(R"({"allOf":[{"$ref":"#"},{"$ref":"#"}]})", "1"));
}

TEST(JsonSchema, Compact) {
  const auto document =
      codec::json::Document::parse("{ \"b\" : [ 1.50 , \"\\u00fc\" ] , \"a\" : null }");
  ASSERT_TRUE(document);
  EXPECT_EQ(compact_json(document->root()), "{\"b\":[1.50,\"ü\"],\"a\":null}");
}

}  // namespace
}  // namespace fh::engine::llama
