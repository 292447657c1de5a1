// Goal: rows come out the same whichever way answers were saved and however the file is cut, and
// damage costs no more than its own record. Method: tables of files, each read in pieces of every
// size from one byte.

#include "importers/elements.h"

#include <gtest/gtest.h>

namespace fh::importers {
namespace {

constexpr std::string_view kLists[] = {"data", "rows"};

struct Read {
  std::vector<std::string> rows;
  std::vector<std::uint64_t> lines;
  std::vector<std::string> heads;
  std::vector<std::string> bad;  // "line: why"
  bool operator==(const Read&) const = default;
};

Read read(std::string_view text, std::size_t piece, std::size_t element_max = 1 << 20) {
  Read out;
  ElementSplitter splitter(kLists, element_max);
  const auto bad = [&](std::uint64_t line, std::string why) {
    out.bad.push_back(std::to_string(line) + ": " + why);
  };
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const std::string copy(text.substr(at, piece));
    splitter.feed(
        copy,
        [&](const Element& element) {
          out.rows.emplace_back(element.text);
          out.lines.push_back(element.line);
          out.heads.emplace_back(element.page_head);
        },
        bad);
  }
  splitter.finish(bad);
  return out;
}

Read read_any(std::string_view text) {
  const Read whole = read(text, text.size() + 1);
  for (const std::size_t piece : {1, 2, 3, 5, 16}) EXPECT_EQ(read(text, piece), whole) << text;
  return whole;
}

using Rows = std::vector<std::string>;

TEST(Elements, EveryWayOfSaving) {
  for (const std::string_view text :
       {R"({"data":[{"a":1},{"b":2}],"has_more":false})", R"([{"a":1},{"b":2}])",
        R"([{"data":[{"a":1}],"next":"x"},{"data":[{"b":2}]}])", "{\"a\":1}\n{\"b\":2}\n",
        "{\"data\":[{\"a\":1}]}\r\n{\"data\":[{\"b\":2}]}",
        "{\"data\":[{\"a\":1}]}{\"data\":[{\"b\":2}]}",
        "\xEF\xBB\xBF{\"object\":\"page\",\"data\":[{\"a\":1}],\"rows\":[{\"b\":2}]}",
        "[\n{\"a\":1},\n{\"b\":2}\n]\n"}) {
    const Read got = read_any(text);
    EXPECT_EQ(got.rows, (Rows{R"({"a":1})", R"({"b":2})"})) << text;
    EXPECT_TRUE(got.bad.empty()) << text << got.bad[0];
  }
}

TEST(Elements, PageHeadAndLines) {
  const Read got =
      read_any("{\n \"by\": \"day\",\n \"rows\": [\n  {\"g\": 1},\n  {\"g\": 2}\n ]\n}");
  EXPECT_EQ(got.lines, (std::vector<std::uint64_t>{4, 5}));
  EXPECT_EQ(got.heads[0], "{\n \"by\": \"day\",\n \"rows\": [");
  EXPECT_EQ(got.heads[1], got.heads[0]);
}

TEST(Elements, ListsInsideRowsAreNotPages) {
  const Read got = read_any(R"({"data":[{"data":[{"x":1}],"rows":[]}]})");
  EXPECT_EQ(got.rows, Rows{R"({"data":[{"x":1}],"rows":[]})"});
  // A text that looks like a key, and a key of a member that is no list.
  const Read texts = read_any(R"({"a":"data","b":[1],"data":{"c":[2]}})");
  EXPECT_EQ(texts.rows.size(), 1U);
}

TEST(Elements, BracketsAndQuotesInTexts) {
  const Read got = read_any(R"({"data":[{"a":"]}\\\"[{"},{"b":"\\"}]})");
  EXPECT_EQ(got.rows, (Rows{R"({"a":"]}\\\"[{"})", R"({"b":"\\"})"}));
}

TEST(Elements, DamageCostsItsOwnRecord) {
  const Read text_cut = read_any("{\"a\":\"cut\n{\"b\":2}\n");
  EXPECT_EQ(text_cut.rows, Rows{R"({"b":2})"});
  EXPECT_EQ(text_cut.bad, Rows{"1: a text is cut off"});

  const Read object_cut = read_any("{\"a\":1,\n{\"b\":2}\n{\"c\":[3,\n{\"d\":4}\n{\"e\":5}\n");
  EXPECT_EQ(object_cut.rows, (Rows{R"({"b":2})", R"({"e":5})"}));

  const Read garbage =
      read_any("INFO starting\nINFO more\n{\"a\":1}\nnoise {\"x\":1}\n{\"b\":2}\n");
  EXPECT_EQ(garbage.rows, (Rows{R"({"a":1})", R"({"b":2})"}));
  EXPECT_EQ(garbage.bad, (Rows{"1: not a JSON record", "4: not a JSON record"}));

  const Read mismatch = read_any("{\"data\":[{\"a\":1},{\"b\":2]},{\"c\":3}]}\n{\"d\":4}\n");
  EXPECT_EQ(mismatch.rows, (Rows{R"({"a":1})", R"({"d":4})"}));
  EXPECT_EQ(mismatch.bad, Rows{"1: damaged JSON"});
}

TEST(Elements, EndsInTheMiddle) {
  EXPECT_EQ(read_any("{\"data\":[{\"a\":1},{\"b\"").bad,
            Rows{"1: the file ends in the middle of a record"});
  EXPECT_EQ(read_any("{\"data\":[{\"a\":1},{\"b\"").rows, Rows{R"({"a":1})"});
  EXPECT_EQ(read_any("").bad, Rows{});
}

TEST(Elements, WhatIsNoRecord) {
  EXPECT_EQ(read_any(R"({"data":[1,"x",{"a":1},null]})").rows, Rows{R"({"a":1})"});
  EXPECT_EQ(read_any(R"({"data":[1,"x",{"a":1},null]})").bad.size(), 3U);
  EXPECT_EQ(read_any(R"([[1],{"a":1}])").rows, Rows{});
  EXPECT_EQ(read_any(R"({"data":[[{"z":1}],{"a":1}]})").rows, Rows{R"({"a":1})"});
}

TEST(Elements, LongRowsAreLeftOut) {
  const std::string row = "{\"a\":\"" + std::string(300, 'x') + "\"}";
  const std::string text = "{\"data\":[" + row + ",{\"b\":2}]}";
  const Read got = read(text, 7, 100);
  EXPECT_EQ(got.rows, Rows{R"({"b":2})"});
  EXPECT_EQ(got.bad, Rows{"1: a record is too long"});
  EXPECT_FALSE(read(std::string(600, '['), 7).bad.empty());
}

}  // namespace
}  // namespace fh::importers
