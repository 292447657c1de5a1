// Goal: the reader accepts exactly RFC 8259 minus our own rules, says where it went wrong, keeps
// source text, and never gives out text that is not UTF-8; the writer's output is read back
// unchanged. Method: tables of good and hostile texts, and random texts compared with simdjson's
// own document parser.

#include "codec/json.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/check.h"
#include "codec/utf8.h"

namespace fh::codec::json {
namespace {

using namespace std::string_literals;

Document parse_ok(std::string_view text, const Limits& limits = {}) {
  auto doc = Document::parse(text, limits);
  EXPECT_TRUE(doc.has_value()) << text << ": " << (doc ? "" : doc.error().message);
  if (!doc) std::abort();
  return std::move(*doc);
}

std::string error_of(std::string_view text, const Limits& limits = {}) {
  const auto doc = Document::parse(text, limits);
  if (doc) return "accepted";
  EXPECT_EQ(doc.error().code, base::Code::InvalidArgument);
  return doc.error().message;
}

TEST(JsonReader, ReadsEveryKind) {
  const Document doc =
      parse_ok(R"( {"n":null,"t":true,"f":false,"i":-12,"d":1.5e3,"s":"héllo","a":[1,[],{}])"
               R"(,"o":{"x":{}}} )");
  const Value root = doc.root();
  ASSERT_TRUE(root.is_object());
  EXPECT_EQ(root.size(), 8U);
  EXPECT_TRUE(root["n"].exists());
  EXPECT_TRUE(root["n"].is_null());
  EXPECT_EQ(root["t"].as_bool(), true);
  EXPECT_EQ(root["f"].as_bool(), false);
  EXPECT_EQ(root["i"].as_int(), -12);
  EXPECT_EQ(root["d"].as_double(), 1500.0);
  EXPECT_EQ(root["d"].as_int(), 1500);
  EXPECT_EQ(root["s"].as_string(), "héllo");
  EXPECT_EQ(root["a"].size(), 3U);
  EXPECT_TRUE(root["a"][1].is_array());
  EXPECT_TRUE(root["a"][2].is_object());
  EXPECT_TRUE(root["o"]["x"].is_object());
  EXPECT_EQ(kind_name(root["a"].kind()), "array");
}

TEST(JsonReader, AbsentValuesAnswerHarmlessly) {
  const Document doc = parse_ok(R"({"a":[1],"s":"x"})");
  const Value absent = doc.root()["zz"];
  EXPECT_FALSE(absent.exists());
  EXPECT_FALSE(absent["deeper"][3]["still"].exists());
  EXPECT_FALSE(doc.root()["a"][1].exists());
  EXPECT_FALSE(doc.root()["a"]["key"].exists());
  EXPECT_FALSE(doc.root()[std::size_t{0}].exists());
  EXPECT_EQ(absent.raw(), "");
  EXPECT_EQ(absent.size(), 0U);
  EXPECT_TRUE(absent.elements().empty());
  EXPECT_TRUE(absent.members().empty());
  EXPECT_FALSE(absent.as_bool() || absent.as_int() || absent.as_double() || absent.as_string());
  EXPECT_FALSE(doc.root()["s"].as_int().has_value());
  EXPECT_FALSE(doc.root()["a"].as_string().has_value());
}

TEST(JsonReader, KeepsOrderAndSourceText) {
  const std::string_view text =
      "{\"z\" : 1.50 ,\"a\":[ 1 , 2 ],\n\"m\":{ \"q\\u0041\" :\"\\n\" } }";
  const Document doc = parse_ok(text);
  const auto members = doc.root().members();
  ASSERT_EQ(members.size(), 3U);
  EXPECT_EQ(members[0].first, "z");
  EXPECT_EQ(members[0].second.raw(), "1.50");
  EXPECT_EQ(members[1].first, "a");
  EXPECT_EQ(members[1].second.raw(), "[ 1 , 2 ]");
  EXPECT_EQ(members[2].second.raw(), "{ \"q\\u0041\" :\"\\n\" }");
  EXPECT_EQ(members[2].second["qA"].raw(), "\"\\n\"");
  EXPECT_EQ(members[2].second["qA"].as_string(), "\n");
  EXPECT_EQ(doc.root().raw(), text);
}

TEST(JsonReader, ViewsSurviveMovingTheDocument) {
  Document first = parse_ok(R"({"k":["plain","esc\taped"]})");
  const Value inner = first.root()["k"];
  const Document second = std::move(first);
  EXPECT_EQ(inner[0].as_string(), "plain");
  EXPECT_EQ(inner[1].as_string(), "esc\taped");
  EXPECT_FALSE(first.root().exists());  // NOLINT(bugprone-use-after-move): what is tested
  EXPECT_TRUE(second.root().exists());
}

TEST(JsonReader, ScalarRoots) {
  EXPECT_EQ(parse_ok(" 7 ").root().raw(), "7");
  EXPECT_EQ(parse_ok("\"\"").root().as_string(), "");
  EXPECT_TRUE(parse_ok("null").root().is_null());
  EXPECT_EQ(parse_ok("\t\r\n false\n").root().as_bool(), false);
}

TEST(JsonReader, Escapes) {
  const auto decoded = [](std::string_view text) {
    return std::string(parse_ok(text).root().as_string().value());
  };
  EXPECT_EQ(decoded(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(decoded(R"("\u0041\u00e9\u20AC\ud83d\ude00")"), "Aé€😀");
  EXPECT_EQ(decoded(R"("a\u0000b")"), "a\0b"s);
  EXPECT_EQ(decoded(R"("\\\\\\")"), "\\\\\\");
  EXPECT_EQ(decoded(R"("\\\"")"), "\\\"");
}

TEST(JsonReader, HalfSurrogatesBecomeReplacementCharacters) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("\ud83d")", "\uFFFD"},
      {R"("\ude00")", "\uFFFD"},
      {R"("\ude00\ud83d")", "\uFFFD\uFFFD"},
      {R"("\ud83d\ud83d\ude00")", "\uFFFD😀"},
      {R"("\ud83d\u0041")",
       "\uFFFD"
       "A"},
      {R"("\ud83d\n")", "\uFFFD\n"},
      {R"("\ud83dx")", "\uFFFDx"},
      {R"("\uDBFF\uDFFF")", "\U0010FFFF"},
      {R"("\uffff")", "\uFFFF"},
  };
  for (const auto& [text, expected] : cases) {
    const Document doc = parse_ok(text);
    EXPECT_EQ(doc.root().as_string(), expected) << text;
    EXPECT_TRUE(utf8::valid(*doc.root().as_string())) << text;
  }
  EXPECT_EQ(parse_ok(R"({"\ud83d":1})").root().members()[0].first, "\uFFFD");
}

TEST(JsonReader, RefusesBadEscapes) {
  EXPECT_EQ(error_of(R"("ab\x41")"), "invalid JSON at byte 3: unknown escape in a string");
  EXPECT_EQ(error_of(R"(["\u12G4"])"), "invalid JSON at byte 2: unknown escape in a string");
  EXPECT_EQ(error_of(R"("\u12")"), "invalid JSON at byte 1: unknown escape in a string");
  EXPECT_EQ(error_of(R"("\U0041")"), "invalid JSON at byte 1: unknown escape in a string");
  EXPECT_EQ(error_of("\"\\\0\""s),
            "invalid JSON at byte 2: control character in a string; it must be escaped");
  EXPECT_EQ(error_of(R"("\u-123")"), "invalid JSON at byte 1: unknown escape in a string");
}

TEST(JsonReader, RefusesInvalidUtf8AtItsPosition) {
  EXPECT_EQ(error_of("[\"ab\xFF\"]"), "invalid JSON at byte 4: not valid UTF-8");
  EXPECT_EQ(error_of("[\"\xC0\x80\"]"), "invalid JSON at byte 2: not valid UTF-8");
  EXPECT_EQ(error_of("[\"\xED\xA0\x80\"]"), "invalid JSON at byte 2: not valid UTF-8");
  EXPECT_EQ(error_of("[\"\xF4\x90\x80\x80\"]"), "invalid JSON at byte 2: not valid UTF-8");
  EXPECT_EQ(error_of("[\"x\xE2\x82\"]"), "invalid JSON at byte 3: not valid UTF-8");
}

TEST(JsonReader, RefusesByteOrderMarkAndNul) {
  EXPECT_EQ(error_of("\xEF\xBB\xBF{}"), "invalid JSON at byte 0: byte order mark");
  EXPECT_EQ(error_of("\0"s), "invalid JSON at byte 0: expected a value");
  EXPECT_EQ(error_of("{}\0"s), "invalid JSON at byte 2: more text after the end of the value");
  EXPECT_EQ(error_of("{} \0"s), "invalid JSON at byte 3: more text after the end of the value");
  EXPECT_EQ(error_of("1\0"s), "invalid JSON at byte 0: not a valid number");
  EXPECT_EQ(error_of("[1,\0 2]"s), "invalid JSON at byte 3: expected a value");
  EXPECT_EQ(error_of("\"a\0b\""s),
            "invalid JSON at byte 2: control character in a string; it must be escaped");
}

TEST(JsonReader, GrammarErrorsNameTheirByte) {
  const std::pair<std::string_view, const char*> cases[] = {
      {"", "0: no value in the text"},
      {" \n ", "3: no value in the text"},
      {"[1,]", "3: expected a value"},
      {"[,1]", "1: expected a value"},
      {"[1 2]", "3: expected ',' or ']' in an array"},
      {"[1", "0: array is not closed"},
      {"[1,", "0: array is not closed"},
      {"[[1]", "0: array is not closed"},
      {"[{]", "2: expected an object key in double quotes"},
      {"{\"a\":[1}", "7: expected ',' or ']' in an array"},
      {"]", "0: expected a value"},
      {"{\"a\":1,}", "7: expected an object key in double quotes"},
      {"{\"a\" 1}", "5: expected ':' after an object key"},
      {"{\"a\"}", "4: expected ':' after an object key"},
      {"{\"a\":}", "5: expected a value"},
      {"{\"a\":1", "0: object is not closed"},
      {"{\"a\"", "0: object is not closed"},
      {"{a:1}", "1: expected an object key in double quotes"},
      {"{'a':1}", "1: expected an object key in double quotes"},
      {"{1:1}", "1: expected an object key in double quotes"},
      {"{\"a\":1 \"b\":2}", "7: expected ',' or '}' in an object"},
      {"{} {}", "3: more text after the end of the value"},
      {"1 2", "2: more text after the end of the value"},
      {"null,", "4: more text after the end of the value"},
      {"\"a\"b", "3: more text after the end of the value"},
      {"[\"a\"b]", "4: expected ',' or ']' in an array"},
      {"{\"a\"b:1}", "4: expected ':' after an object key"},
      {"\"a\"\"b\"", "3: more text after the end of the value"},
      {"nul", "0: expected a value"},
      {"nullx", "0: expected a value"},
      {"True", "0: expected a value"},
      {"NaN", "0: expected a value"},
      {"Infinity", "0: expected a value"},
      {"[1]\f", "3: more text after the end of the value"},
      {"[1,\f2]", "3: expected a value"},
      {"[1\x0c"
       "2]",
       "2: expected ',' or ']' in an array"},
      {"{\"a\"\x1a"
       "1}",
       "4: expected ':' after an object key"},
      {"/*c*/1", "0: expected a value"},
      {"\"abc", "0: string is not closed"},
      {"[\"ok\",\"abc\\\"]", "6: string is not closed"},
      {"\"a\nb\"", "2: control character in a string; it must be escaped"},
      {"\\\"a\\\"", "0: expected a value"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(error_of(text), "invalid JSON at byte "s + expected) << text;
  }
}

TEST(JsonReader, Numbers) {
  for (const std::string_view good : {"0", "-0", "10", "-1.5", "0.1", "1e5", "1E+5", "1e-5", "0e0",
                                      "123456789012345678901234567890", "1e400", "-1e-400"}) {
    EXPECT_EQ(parse_ok(good).root().raw(), good);
    EXPECT_TRUE(parse_ok(good).root().is_number()) << good;
  }
  for (const std::string_view bad :
       {"-", "01", "-01", "1.", ".5", "+1", "1e", "1e+", "0x10", "1_000", "1.5.5", "--1", "1e5e5",
        "1a", "- 1", "-Infinity", "00"}) {
    EXPECT_NE(error_of(bad), "accepted") << bad;
  }
}

TEST(JsonReader, NumbersAsIntegers) {
  const auto as_int = [](std::string_view text) { return parse_ok(text).root().as_int(); };
  EXPECT_EQ(as_int("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(as_int("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(as_int("9223372036854775808"), std::nullopt);
  EXPECT_EQ(as_int("3.0"), 3);
  EXPECT_EQ(as_int("3.5"), std::nullopt);
  EXPECT_EQ(as_int("3.50e1"), 35);
  EXPECT_EQ(as_int("120e-1"), 12);
  EXPECT_EQ(as_int("1e18"), 1'000'000'000'000'000'000);
  EXPECT_EQ(as_int("9.223372036854775807e18"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(as_int("1e19"), std::nullopt);
  EXPECT_EQ(as_int("1e-1"), std::nullopt);
  EXPECT_EQ(as_int("-0"), 0);
  EXPECT_EQ(as_int("0.000e99999999999999999999"), 0);
  EXPECT_EQ(as_int("1e99999999999999999999"), std::nullopt);
  EXPECT_EQ(as_int("0.001e3"), 1);
  EXPECT_EQ(as_int("-2.000"), -2);
}

TEST(JsonReader, NumbersAsDoubles) {
  const auto as_double = [](std::string_view text) { return parse_ok(text).root().as_double(); };
  EXPECT_EQ(as_double("0.1"), 0.1);
  EXPECT_EQ(as_double("-2"), -2.0);
  EXPECT_EQ(as_double("1e400"), std::nullopt);
  EXPECT_EQ(as_double("-1e400"), std::nullopt);
  EXPECT_EQ(as_double("1e-400"), 0.0);
  EXPECT_TRUE(std::signbit(as_double("-1e-400").value()));
  EXPECT_EQ(as_double("5e-324"), 5e-324);
  EXPECT_EQ(as_double("1e99999999999999999999"), std::nullopt);
  EXPECT_EQ(as_double("1e-99999999999999999999"), 0.0);
  const std::string long_number(100'000, '7');
  EXPECT_EQ(as_double(long_number), std::nullopt);
  EXPECT_EQ(as_double("0." + long_number), 7.0 / 9.0);
}

TEST(JsonReader, DuplicateKeys) {
  EXPECT_EQ(error_of(R"({"a":1,"b":2,"a":3})"),
            "invalid JSON at byte 13: this key is already in the object");
  EXPECT_EQ(error_of(R"({"a":1,"\u0061":3})"),
            "invalid JSON at byte 7: this key is already in the object");
  EXPECT_EQ(error_of(R"([{"x":{"":1,"":2}}])"),
            "invalid JSON at byte 12: this key is already in the object");
  parse_ok(R"({"a":{"a":{"a":1}},"b":{"a":2}})");
  parse_ok(R"([{"a":1},{"a":1}])");
}

TEST(JsonReader, ManyKeysAreCheckedInReasonableTime) {
  std::string text = "{";
  for (int i = 0; i < 50'000; ++i) text += "\"key" + std::to_string(i) + "\":0,";
  EXPECT_EQ(parse_ok(text + "\"last\":1}").root().size(), 50'001U);
  EXPECT_NE(error_of(text + "\"key77\":1}"), "accepted");
}

TEST(JsonReader, DepthLimit) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  parse_ok(nested(64));
  EXPECT_EQ(error_of(nested(65)), "invalid JSON at byte 64: nested deeper than 64");
  EXPECT_EQ(error_of(std::string(1'000'000, '[')),
            "invalid JSON at byte 64: nested deeper than 64");
  parse_ok(nested(100'000), {.depth_max = 100'000});
  EXPECT_NE(error_of("[1]", {.depth_max = 0}), "accepted");
  parse_ok("1", {.depth_max = 0});
  std::string objects;
  for (int i = 0; i < 100; ++i) objects += "{\"a\":";
  EXPECT_EQ(error_of(objects + "1" + std::string(100, '}')),
            "invalid JSON at byte 320: nested deeper than 64");
}

TEST(JsonReader, SizeLimits) {
  EXPECT_EQ(error_of("[1,2,3]", {.bytes_max = 6}),
            "invalid JSON at byte 6: text is longer than 6 bytes");
  parse_ok("[1,2,3]", {.bytes_max = 7});
  EXPECT_EQ(error_of("[1,2,3]", {.values_max = 3}), "invalid JSON at byte 5: more than 3 values");
  parse_ok("[1,2,3]", {.values_max = 4});
}

TEST(JsonReader, LongStringsAcrossBlockBoundaries) {
  for (std::size_t length = 0; length < 200; ++length) {
    const std::string body(length, 'x');
    EXPECT_EQ(parse_ok("[\"" + body + "\\n\"]").root()[0].as_string(), body + "\n");
    EXPECT_EQ(parse_ok("[\"" + body + "\\\\\"]").root()[0].as_string(), body + "\\");
    EXPECT_EQ(parse_ok("[\"" + body + "é\"]").root()[0].as_string(), body + "é");
    EXPECT_NE(error_of("[\"" + body + "\xC3\"]"), "accepted");
    EXPECT_NE(error_of("[\"" + body + "\\\"]"), "accepted");
  }
}

// Random text made of JSON fragments: mostly nearly valid, so that every production and every error
// is reached.
std::string random_text(std::mt19937_64& random) {
  static constexpr std::string_view kPieces[] = {
      "{",         "}",      "[",     "]",       ",",
      ":",         "\"a\"",  "\"b\"", "\"\\n\"", "\"\\ud83d\\ude00\"",
      "1",         "-0.5e3", "true",  "false",   "null",
      " ",         "\n",     "\"",    "\\",      "x",
      "0",         "e",      "{}",    "[]",      "[1,2]",
      "{\"k\":1}", "é",      "\"é\"", "\t"};
  std::string text;
  const std::size_t count = 1 + random() % 12;
  for (std::size_t i = 0; i < count; ++i) text += kPieces[random() % std::size(kPieces)];
  return text;
}

std::string random_value(std::mt19937_64& random, int depth) {
  switch (random() % (depth > 4 ? 5 : 7)) {
    case 0: return "null";
    case 1: return random() % 2 ? "true" : "false";
    case 2: return std::to_string(static_cast<std::int64_t>(random()));
    case 3: return "\"s\\t" + std::to_string(random() % 100) + "é\"";
    case 4: return std::to_string(random() % 1000) + "." + std::to_string(random() % 1000) + "e-3";
    case 5: {
      std::string out = "[";
      for (std::size_t i = random() % 4; i > 0; --i) {
        out += random_value(random, depth + 1) + (i > 1 ? " , " : "");
      }
      return out + "]";
    }
    default: {
      std::string out = "{";
      for (std::size_t i = random() % 4; i > 0; --i) {
        out += "\"k" + std::to_string(i) + "\" :" + random_value(random, depth + 1);
        if (i > 1) out += ",";
      }
      return out + "\n}";
    }
  }
}

// The document parser refuses numbers that fit neither 64 bits nor a double; we keep them as text.
bool has_huge_number(const Value& value) {
  if (value.is_number()) return !value.as_double() || value.raw().size() > 18;
  for (const Value& element : value.elements()) {
    if (has_huge_number(element)) return true;
  }
  for (const auto& [key, member] : value.members()) {
    if (has_huge_number(member)) return true;
  }
  return false;
}

void expect_same_verdict(simdjson::dom::parser& oracle, const std::string& text) {
  const bool oracle_accepts = oracle.parse(text).error() == simdjson::SUCCESS;
  const auto doc = Document::parse(text, {.depth_max = 1000});
  if (!doc && doc.error().message.ends_with("already in the object")) return;  // our own rule
  if (doc && !oracle_accepts && has_huge_number(doc->root())) return;
  EXPECT_EQ(doc.has_value(), oracle_accepts)
      << text << " -> " << (doc ? "accepted" : doc.error().message);
}

TEST(JsonReader, AgreesWithTheDocumentParserOnRandomText) {
  simdjson::dom::parser oracle;
  std::mt19937_64 random(20260101);
  for (int round = 0; round < 40'000; ++round) expect_same_verdict(oracle, random_text(random));
  for (int round = 0; round < 10'000; ++round) {
    std::string text = random_value(random, 0);
    expect_same_verdict(oracle, text);
    const std::size_t at = random() % text.size();
    if (random() % 2) {
      text.erase(at, 1);
    } else {
      text[at] = "{}[],:\"\\0 a\x01"[random() % 12];
    }
    expect_same_verdict(oracle, text);
  }
}

TEST(JsonWriter, PlacesCommas) {
  Writer w;
  w.object();
  w.member("a", 1).member("b", "x").member("c", true).member("d", 1.5).member_null("e");
  w.key("f").array().value(1).value("two").array().end_array().object().end_object().null();
  w.end_array().member_raw("g", "{\"k\":[]}").member("h", std::string("s"));
  w.end_object();
  EXPECT_EQ(w.str(), R"({"a":1,"b":"x","c":true,"d":1.5,"e":null,)"
                     R"("f":[1,"two",[],{},null],"g":{"k":[]},"h":"s"})");
  EXPECT_EQ(w.take().size(), 87U);
  EXPECT_EQ(w.str(), "");
  w.array().end_array();
  EXPECT_EQ(w.take(), "[]");
}

TEST(JsonWriter, Numbers) {
  Writer w;
  w.array().value(std::numeric_limits<std::int64_t>::min());
  w.value(std::numeric_limits<std::uint64_t>::max()).value(0.1).value(1e300).value(3.0);
  w.value(std::numeric_limits<double>::infinity()).value(std::nan("")).value(-0.0).value(7U);
  w.end_array();
  EXPECT_EQ(w.str(), "[-9223372036854775808,18446744073709551615,0.1,1e+300,3,null,null,-0,7]");
}

TEST(JsonWriter, DoublesRoundTrip) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    const double d = std::bit_cast<double>(random());
    if (!std::isfinite(d)) continue;
    Writer w;
    w.value(d);
    EXPECT_EQ(parse_ok(w.str()).root().as_double(), d) << w.str();
  }
}

TEST(JsonWriter, StringsAreEscapedAndRepaired) {
  std::string out;
  append_string(out, "a\"b\\c\n\r\t\b\f\x01\x1f\x7f</é😀>&"s + "\0"s);
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u001f\x7f</é😀>&\\u0000\"");
  out.clear();
  append_string(out, "x\xFFy\xED\xA0\x80z\xE2\x82");
  EXPECT_EQ(out, "\"x\uFFFDy\uFFFD\uFFFD\uFFFDz\uFFFD\"");
}

TEST(JsonWriter, EveryByteStringSurvivesARoundTrip) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    for (std::size_t n = random() % 20; n > 0; --n) bytes.push_back(static_cast<char>(random()));
    std::string text;
    append_string(text, bytes);
    EXPECT_EQ(parse_ok(text).root().as_string(), utf8::repaired(bytes));
  }
}

#ifdef NDEBUG
TEST(JsonWriter, MisuseIsCountedAndSurvived) {
  const std::uint64_t before = base::bug_count();
  Writer w;
  w.end_object();
  w.array();
  w.key("k");
  w.value(1);
  w.end_object();
  w.take();
  EXPECT_GE(base::bug_count(), before + 3);
}
#else
TEST(JsonWriterDeathTest, MisuseIsFatalInDebugBuilds) {
  EXPECT_DEATH(Writer().end_object(), "");
  EXPECT_DEATH(Writer().array().key("k"), "");
  EXPECT_DEATH(Writer().object().value(1), "");
  EXPECT_DEATH(Writer().value(1).value(2), "");
  EXPECT_DEATH(Writer().array().end_object(), "");
  EXPECT_DEATH(Writer().object().key("k").end_object(), "");
  EXPECT_DEATH(Writer().array().take(), "");
}
#endif

}  // namespace
}  // namespace fh::codec::json
