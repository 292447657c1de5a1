#include "engine/scripted/script.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "engine/scripted/sample_json.h"

namespace fh::engine::scripted {
namespace {

TEST(Script, ReadsSettingsRulesAndActions) {
  const auto script = parse_script(R"(
# a comment
set context_tokens 4096
set split 4
set pace 5ms
set images on

on user "weather" and not tool_result and times 2   # twice
  reasoning "hm"
  tool get_weather {"city": "Paris # no comment"}

on request 3
	fail unavailable "gone" hint "again" reason "worker_lost"
on any
  repeat 3 text "l\u00e9a \"x\" \x41"
  token "\xe2\x82" "\xac"
  delay 20us
  finish stop_sequence "END"
)");
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_EQ(script->settings.context_tokens, 4096u);
  EXPECT_EQ(script->settings.split_chars, 4u);
  EXPECT_EQ(script->settings.pace, std::chrono::milliseconds(5));
  EXPECT_TRUE(script->settings.images);
  ASSERT_EQ(script->rules.size(), 3u);
  const Rule& weather = script->rules[0];
  EXPECT_EQ(weather.times_max, 2u);
  EXPECT_EQ(weather.line, 8);
  ASSERT_EQ(weather.conditions.size(), 2u);
  EXPECT_TRUE(weather.conditions[1].negated);
  EXPECT_EQ(weather.conditions[1].kind, Condition::Kind::ToolResult);
  ASSERT_EQ(weather.actions.size(), 2u);
  EXPECT_EQ(weather.actions[1].name, "get_weather");
  EXPECT_EQ(weather.actions[1].text, R"({"city": "Paris # no comment"})");
  EXPECT_EQ(script->rules[1].actions[0].error.code, base::Code::Unavailable);
  EXPECT_EQ(script->rules[1].actions[0].error.hint, "again");
  const Rule& any = script->rules[2];
  EXPECT_EQ(any.actions[0].repeat, 3u);
  EXPECT_EQ(any.actions[0].text,
            "l\xC3\xA9"
            "a \"x\" A");
  EXPECT_EQ(any.actions[1].tokens, (std::vector<std::string>{"\xE2\x82", "\xAC"}));
  EXPECT_EQ(any.actions[2].duration, std::chrono::microseconds(20));
  EXPECT_EQ(any.actions[3].reason, domain::EndReason::Stop);
  EXPECT_EQ(any.actions[3].text, "END");
}

TEST(Script, EmptyIsAScript) {
  EXPECT_TRUE(parse_script(""));
  EXPECT_TRUE(parse_script("\r\n # nothing\r\n"));
}

TEST(Script, ErrorsNameTheLine) {
  struct Case {
    const char* text;
    const char* expected;
  };
  for (const Case& c : {
           Case{"on any\n  txt \"a\"\n", "line 2: unknown action txt"},
           Case{"\n\nset speed 1\n", "line 3: unknown setting speed"},
           Case{"set images perhaps", "line 1: this setting is on or off"},
           Case{"set context_tokens 0", "at least 1"},
           Case{"set context_tokens -1", "is a number"},
           Case{"  text \"a\"", "line 1: an action without a rule"},
           Case{"set split 3\n  text \"a\"", "line 2: an action without a rule"},
           Case{"on any\n  text \"a", "line 2: the string has no closing quote"},
           Case{"on any\n  text \"\\q\"", "unknown escape"},
           Case{"on any\n  text \"\\x4\"", "unknown escape"},
           Case{"on any\n  text \"a\" \"b\"", "nothing is expected after this"},
           Case{"on any\n  tool f {\"a\":", "line 2: invalid JSON"},
           Case{"on any\n  tool f [1]", "a JSON object"},
           Case{"on any\n  delay 5", "is a time like 20ms"},
           Case{"on any\n  delay 2000000s", "is a time like 20ms"},
           Case{"on any\n  fail sometimes \"x\"", "unknown error code"},
           Case{"on any\n  finish later", "unknown way to finish"},
           Case{"on weather", "unknown condition weather"},
           Case{"on user", "is missing here"},
           Case{"on any user \"x\"", "nothing is expected after this"},
           Case{"hello", "a line begins with"},
           Case{"on any\n  text \xC3", "line 2"},
           Case{"on any\n  repeat 99999999999 text \"a\"", "is a number up to"},
       }) {
    const auto script = parse_script(c.text);
    ASSERT_FALSE(script) << c.text;
    EXPECT_EQ(script.error().code, base::Code::InvalidArgument);
    EXPECT_TRUE(script.error().message.contains(c.expected)) << script.error().message;
  }
}

TEST(SampleJson, SatisfiesWhatItKnows) {
  struct Case {
    const char* schema;
    const char* expected;
  };
  for (const Case& c : {
           Case{"{}", "null"},
           Case{"true", "null"},
           Case{R"({"type":"string"})", R"("text")"},
           Case{R"({"type":"string","minLength":6})", R"("textxx")"},
           Case{R"({"type":"string","maxLength":2})", R"("te")"},
           Case{R"({"type":"string","format":"date"})", R"("2026-01-01")"},
           Case{R"({"type":["integer","null"]})", "0"},
           Case{R"({"type":"integer","minimum":3})", "3"},
           Case{R"({"type":"integer","exclusiveMinimum":3})", "4"},
           Case{R"({"type":"integer","maximum":-3})", "-3"},
           Case{R"({"type":"integer","minimum":5,"multipleOf":4})", "8"},
           Case{R"({"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1})", "0.5"},
           Case{R"({"enum":["red","blue"]})", R"("red")"},
           Case{R"({"const":{"a":[1]}})", R"({"a":[1]})"},
           Case{R"({"type":"array","items":{"type":"boolean"}})", "[]"},
           Case{R"({"type":"array","items":{"type":"boolean"},"minItems":2})", "[true,true]"},
           Case{R"({"anyOf":[false,{"type":"integer"}]})", "0"},
           Case{R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},
                    "required":["b","a"]})",
                R"({"b":0,"a":"text"})"},
           Case{R"({"allOf":[{"type":"object","properties":{"a":{"const":1}},"required":["a"]},
                    {"$ref":"#/$defs/x"}],"$defs":{"x":{"properties":{"b":{"const":2}},
                    "required":["b"]}}})",
                R"({"a":1,"b":2})"},
           Case{R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"object",
                    "properties":{"next":{"$ref":"#/$defs/n"}}}}})",
                "{}"},
       }) {
    const auto sample = sample_json(c.schema);
    ASSERT_TRUE(sample) << c.schema << sample.error().message;
    EXPECT_EQ(*sample, c.expected) << c.schema;
    EXPECT_TRUE(codec::json::Document::parse(*sample));
  }
}

TEST(SampleJson, RefusesWhatItDoesNot) {
  for (const char* schema :
       {"", "false", "1", R"({"type":"banana"})", R"({"type":"string","pattern":"^a$"})",
        R"({"type":"string","format":"iban"})", R"({"type":"string","minLength":4,"maxLength":2})",
        R"({"type":"integer","minimum":5,"maximum":4})",
        R"({"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":1})",
        R"({"$ref":"https://example.com/x"})", R"({"$ref":"#/nowhere"})", R"({"$ref":"#"})",
        R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})",
        R"({"type":"array","minItems":1000000000})", R"({"not":{}})",
        R"({"type":"string","not":{"const":"text"}})", R"({"type":"array","contains":{"const":1}})",
        R"({"type":"object","required":["a"],"patternProperties":{"a":{"type":"string"}}})",
        R"({"allOf":[{"$ref":"#"}],"type":"object"})"}) {
    EXPECT_FALSE(sample_json(schema)) << schema;
  }
}

}  // namespace
}  // namespace fh::engine::scripted
