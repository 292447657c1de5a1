// Goal: an operator who mistypes a configuration file is told the line, the key and the remedy;
// hostile files are refused within bounds. Method: one schema, many wrong files, exact messages.

#include "codec/toml.h"

#include <gtest/gtest.h>

namespace fh::codec::toml {
namespace {

constexpr Key kSchema[] = {
    {"data_dir", Type::String},        {"server.listen", Type::String},
    {"server.port", Type::Int},        {"server.timeout_s", Type::Double},
    {"server.tls", Type::Bool},        {"server.allow", Type::Strings},
    {"models.*.path", Type::String},   {"models.*.slots", Type::Int},
    {"upstreams[].url", Type::String}, {"upstreams[].weight", Type::Int},
    {"labels.*", Type::Any},           {"extra", Type::Table},
    {"extra.known", Type::Int},
};

File parse_ok(std::string_view text) {
  auto file = File::parse(text);
  EXPECT_TRUE(file.has_value()) << (file ? "" : file.error().message);
  if (!file) std::abort();
  return std::move(*file);
}

std::vector<std::string> problems_of(std::string_view text) {
  std::vector<std::string> out;
  for (const base::Error& error : parse_ok(text).problems(kSchema)) out.push_back(error.text());
  return out;
}

using Messages = std::vector<std::string>;

TEST(Toml, ReadsAGoodFile) {
  const File file = parse_ok(R"(
data_dir = "/var/lib/x"
[server]
port = 8080
timeout_s = 2
listen = "127.0.0.1"
tls = false
allow = ["10.0.0.0/8", "::1"]
[models."qwen2.5-coder"]
path = 'a\b'
slots = 4
[[upstreams]]
url = "http://a"
[[upstreams]]
url = "http://b"
weight = 3
[labels]
when = 2026-01-01
list = [1, [2]]
[extra]
anything = { goes = true }
)");
  EXPECT_TRUE(file.check(kSchema).has_value());
  const Value root = file.root();
  EXPECT_EQ(root["data_dir"].as_string(), "/var/lib/x");
  EXPECT_EQ(root["server"]["port"].as_int(), 8080);
  EXPECT_EQ(root["server"]["timeout_s"].as_double(), 2.0);
  EXPECT_EQ(root["server"]["tls"].as_bool(), false);
  EXPECT_EQ(root["server"]["allow"].as_strings(), (std::vector<std::string>{"10.0.0.0/8", "::1"}));
  EXPECT_EQ(root["models"]["qwen2.5-coder"]["path"].as_string(), "a\\b");
  EXPECT_EQ(root["upstreams"].size(), 2U);
  EXPECT_EQ(root["upstreams"][1]["weight"].as_int(), 3);
  EXPECT_EQ(root["labels"]["when"].type(), Type::Date);
  EXPECT_EQ(root["models"]["qwen2.5-coder"]["slots"].path(), "models.\"qwen2.5-coder\".slots");
  EXPECT_EQ(root["upstreams"][1]["url"].path(), "upstreams[1].url");
  EXPECT_EQ(root["upstreams"][1]["url"].line(), 15U);
}

TEST(Toml, MembersComeInTheOrderOfTheFile) {
  const File file = parse_ok("z = 1\n[m.b]\n[m.a]\n[c]\nq = 1\na = {y = 1, x = 2}\n");
  std::string order;
  for (const auto& [key, value] : file.root().members()) order += key;
  for (const auto& [key, value] : file.root()["m"].members()) order += key;
  for (const auto& [key, value] : file.root()["c"]["a"].members()) order += key;
  EXPECT_EQ(order, "zmcbayx");
}

TEST(Toml, AbsentValuesAnswerHarmlessly) {
  const File file = parse_ok("a = 1\n");
  const Value absent = file.root()["no"]["such"][std::size_t{3}]["key"];
  EXPECT_FALSE(absent.exists());
  EXPECT_EQ(absent.line(), 0U);
  EXPECT_EQ(absent.path(), "");
  EXPECT_FALSE(absent.as_bool() || absent.as_int() || absent.as_double() || absent.as_string());
  EXPECT_FALSE(absent.as_strings().has_value());
  EXPECT_FALSE(file.root()["a"]["b"].exists());
  EXPECT_FALSE(file.root()["a"].as_string().has_value());
}

TEST(Toml, UnknownKeysSuggestTheNearest) {
  EXPECT_EQ(problems_of("\n[server]\nlisen = \"x\"\n"),
            Messages{"unknown key `server.lisen` in line 3; did you mean `listen`?"});
  EXPECT_EQ(problems_of("[servr]\nport = 1\n"),
            Messages{"unknown key `servr` in line 1; did you mean `server`?"});
  EXPECT_EQ(problems_of("[models.a]\npaht = \"x\"\n"),
            Messages{"unknown key `models.a.paht` in line 2; did you mean `path`?"});
  EXPECT_EQ(problems_of("[[upstreams]]\nurl = \"a\"\n[[upstreams]]\nulr = \"a\"\n"),
            Messages{"unknown key `upstreams[1].ulr` in line 4; did you mean `url`?"});
}

TEST(Toml, UnknownKeysThatBelongElsewhere) {
  EXPECT_EQ(problems_of("listen = \"x\"\n"),
            Messages{"unknown key `listen` in line 1; did you mean `server.listen`?"});
}

TEST(Toml, UnknownKeysLikeNothingListWhatIsKnown) {
  EXPECT_EQ(problems_of("[models.a]\nquantisation = 1\n"),
            Messages{"unknown key `models.a.quantisation` in line 2 (known here: path slots)"});
}

TEST(Toml, WrongTypes) {
  EXPECT_EQ(problems_of("[server]\nport = \"8080\"\n"),
            Messages{"`server.port` in line 2 must be an integer, not a string"});
  EXPECT_EQ(problems_of("[server]\nport = 80.5\n"),
            Messages{"`server.port` in line 2 must be an integer, not a fractional number"});
  EXPECT_EQ(problems_of("[server]\ntls = 1\n"),
            Messages{"`server.tls` in line 2 must be true or false, not an integer"});
  EXPECT_EQ(problems_of("[server]\nallow = \"x\"\n"),
            Messages{"`server.allow` in line 2 must be an array of strings, not a string"});
  EXPECT_EQ(problems_of("[server]\nallow = [\"x\", 1]\n"),
            Messages{"`server.allow` in line 2 must hold strings only"});
  EXPECT_EQ(problems_of("[server]\nlisten = 2026-01-01\n"),
            Messages{"`server.listen` in line 2 must be a string, not a date"});
  EXPECT_EQ(problems_of("server = 3\n"),
            Messages{"`server` in line 1 must be a table, not an integer"});
  EXPECT_EQ(problems_of("[server.listen]\n"),
            Messages{"`server.listen` in line 1 must be a string, not a table"});
  EXPECT_EQ(problems_of("[upstreams]\nurl = \"x\"\n"),
            Messages{"`upstreams` in line 1 must be an array of tables, not a table"});
  EXPECT_EQ(problems_of("upstreams = [1]\n"),
            Messages{"`upstreams[0]` in line 1 must be a table, not an integer"});
  EXPECT_EQ(problems_of("[models]\na = \"x\"\n"),
            Messages{"`models.a` in line 2 must be a table, not a string"});
  EXPECT_EQ(problems_of("[extra]\nknown = true\nunknown = true\n"),
            Messages{"`extra.known` in line 2 must be an integer, not a boolean"});
}

TEST(Toml, AllProblemsInTheOrderOfTheFile) {
  const File file = parse_ok("data_dri = 1\n[server]\nport = true\nzz = 1\n");
  const auto problems = file.problems(kSchema);
  ASSERT_EQ(problems.size(), 3U);
  EXPECT_EQ(problems[0].field, "data_dri");
  EXPECT_EQ(problems[0].reason, "unknown_key");
  EXPECT_EQ(problems[1].field, "server.port");
  EXPECT_EQ(problems[2].field, "server.zz");
  EXPECT_EQ(file.check(kSchema).error().field, "data_dri");
}

TEST(Toml, ErrorsOfTheCaller) {
  const File file = parse_ok("\n[server]\nport = 99999\n");
  const base::Error error = file.root()["server"]["port"].error("must be at most 65535");
  EXPECT_EQ(error.message, "`server.port` in line 3 must be at most 65535");
  EXPECT_EQ(error.field, "server.port");
  EXPECT_EQ(error.code, base::Code::InvalidArgument);
}

TEST(Toml, SyntaxErrorsNameLineAndColumn) {
  for (const auto& [text, start] : std::vector<std::pair<std::string, std::string>>{
           {"a = \n", "line 1, column"},
           {"a = 1\nb = [1, 2\n", "line 2, column"},
           {"a = 1\na = 2\n", "line 2, column"},
           {"a = 1\n\nb = \"x\n", "line 3, column"},
           {"[a]\nb = 1\n[a]\n", "line 3, column"},
           {"ok = 1\nx = \"\xFF\"\n", "line 2, column 6: not valid UTF-8"},
           {"a = 99999999999999999999\n", "line 1, column"},
       }) {
    const auto file = File::parse(text);
    ASSERT_FALSE(file.has_value()) << text;
    EXPECT_EQ(file.error().code, base::Code::InvalidArgument);
    EXPECT_TRUE(file.error().message.starts_with(start)) << file.error().message;
  }
}

TEST(Toml, DeepFilesAreRefusedBeforeTheyAreRead) {
  const auto repeat = [](std::string_view piece, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += piece;
    return out;
  };
  EXPECT_FALSE(File::parse("a" + repeat(".a", 300'000) + " = 1\n").has_value());
  EXPECT_FALSE(File::parse("[a" + repeat(".a", 300'000) + "]\n").has_value());
  EXPECT_FALSE(File::parse("[\"a\"" + repeat(" . \"a\"", 100'000) + "]\n").has_value());
  EXPECT_FALSE(File::parse("a = " + repeat("[", 300'000)).has_value());
  EXPECT_FALSE(File::parse("a = " + repeat("{a=", 300'000)).has_value());
  EXPECT_FALSE(File::parse("a = " + repeat("[\n{a.a.a.a.a.a.a.a=", 40'000)).has_value());
  EXPECT_TRUE(File::parse("a" + repeat(".a", 20) + " = " + repeat("[", 30) + repeat("]", 30)));
}

TEST(Toml, StringsAndCommentsDoNotCountAsDepth) {
  const std::string many(100, '.');
  const std::string brackets(100, '[');
  parse_ok("a = \"" + many + brackets + "\\\"" + brackets + "\"\n");
  parse_ok("a = '" + many + brackets + "\\'\nb = 1\n");
  parse_ok("# " + many + brackets + "'\"\na = 1\n");
  parse_ok("a = \"\"\"\n" + many + "\"\"" + brackets + "\\\"\"\"\"\"\"\nb = 1.5\n");
  parse_ok("a = '''\n" + many + "''" + brackets + "'''''\nb = 1.5\n");
  parse_ok("a = [\n" + std::string("  [1.5, 2.5], # x\n") + "]\n");
}

TEST(Toml, SizeLimit) {
  EXPECT_FALSE(File::parse("a = 1\n", {.bytes_max = 5}).has_value());
  EXPECT_TRUE(File::parse("a = 1\n", {.bytes_max = 6}).has_value());
  EXPECT_TRUE(File::parse("").has_value());
}

TEST(Toml, Nearest) {
  const std::string_view words[] = {"listen", "port", "timeout", "tls"};
  EXPECT_EQ(nearest("lisen", words), "listen");
  EXPECT_EQ(nearest("prot", words), "port");
  EXPECT_EQ(nearest("tmieout", words), "timeout");
  EXPECT_EQ(nearest("tsl", words), "tls");
  EXPECT_EQ(nearest("workers", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), words), "");
}

}  // namespace
}  // namespace fh::codec::toml
