// Goal: rows come out the same however the file is cut, and damage costs the damaged line only.
// Method: every text is read at every piece size from one byte up and compared with one expected
// listing, in which a row is its line number and its fields between bars.

#include "importers/csv_rows.h"

#include <gtest/gtest.h>

#include <random>

#include "codec/csv.h"

namespace fh::importers {
namespace {

using Listing = std::vector<std::string>;

Listing listing(std::string_view text, std::size_t piece, const CsvRowLimits& limits = {}) {
  Listing out;
  CsvRows rows(limits);
  const auto take = [&](const CsvRow& row) {
    std::string line = std::to_string(row.line) + ":";
    if (row.fault != RowFault::None) line += " !" + std::string(row_fault_text(row.fault));
    for (const std::string_view field : row.fields) line += std::string("|") + std::string(field);
    out.push_back(line);
  };
  for (std::size_t at = 0; at < text.size(); at += piece) rows.feed(text.substr(at, piece), take);
  rows.finish(take);
  return out;
}

void expect_rows(std::string_view text, const Listing& expected, const CsvRowLimits& limits = {}) {
  for (const std::size_t piece : {1UL, 2UL, 3UL, 5UL, 7UL, 64UL, 4096UL}) {
    EXPECT_EQ(listing(text, piece, limits), expected) << "pieces of " << piece;
  }
}

TEST(CsvRows, PlainRowsWithBothLineBreaks) {
  expect_rows("a,b,c\r\n1,,3\n\n,,\r\nlast,row,", {"1:|a|b|c", "2:|1||3", "4:|||", "5:|last|row|"});
}

TEST(CsvRows, ByteOrderMark) {
  expect_rows(
      "\xEF\xBB\xBF"
      "a,b\n1,2\n",
      {"1:|a|b", "2:|1|2"});
}

TEST(CsvRows, QuotesLineBreaksAndDoubledQuotes) {
  expect_rows("\"a\",\"b,c\",\"say \"\"hi\"\"\"\n\"two\nlines\",\"\",\"\"\"\"\nx,\"y\"\r\n",
              {"1:|a|b,c|say \"hi\"", "2:|two\nlines||\"", "4:|x|y"});
}

TEST(CsvRows, AQuoteInsideAPlainFieldIsText) {
  expect_rows("a,b\n5\" pipe,x\"y\"\n1,2\n", {"1:|a|b", "2:|5\" pipe|x\"y\"", "3:|1|2"});
}

TEST(CsvRows, AnUnclosedQuoteCostsItsLine) {
  expect_rows("a,b\n1,\"open\n2,ok\n3,ok\n",
              {"1:|a|b", "2: !a quoted field is never closed", "3:|2|ok", "4:|3|ok"});
  expect_rows("a,b\n1,\"open\n2,\"fine\"\n3,ok\n",
              {"1:|a|b", "2: !a quoted field is followed by text before its delimiter", "3:|2|fine",
               "4:|3|ok"});
}

TEST(CsvRows, TextBehindAClosingQuote) {
  expect_rows("a,b\n\"x\"y,1\n2,3",
              {"1:|a|b", "2: !a quoted field is followed by text before its delimiter", "3:|2|3"});
}

TEST(CsvRows, ATornLastRowStillComesOut) {
  expect_rows("a,b\n1,\"to", {"1:|a|b", "2: !a quoted field is never closed"});
  expect_rows("a,b\n1,\"\"", {"1:|a|b", "2:|1|"});
}

TEST(CsvRows, NulBytesCostTheirRow) {
  expect_rows(std::string_view("a,b\n\0\0\0\0\n1,2\n", 13),
              {"1:|a|b", "2: !the row holds a NUL byte, as after a crash of its writer", "3:|1|2"});
}

TEST(CsvRows, LongRowsArePassedOver) {
  const CsvRowLimits limits{16, 4};
  const std::string text = "a,b\n" + std::string(100, 'x') + "\n1,2\n\"" + std::string(40, 'y') +
                           "\",1\n3,4\n1,2,3,4,5\n5,6\n";
  expect_rows(text,
              {"1:|a|b", "2: !the row is longer than a row may be", "3:|1|2",
               "4: !the row is longer than a row may be", "5:|3|4",
               "6: !the row has more fields than a row may have", "7:|5|6"},
              limits);
}

TEST(CsvRows, ALongQuotedFieldThatNeverEndsCostsOneLine) {
  const CsvRowLimits limits{32, 8};
  std::string text = "a,b\n1,\"\n";
  Listing expected = {"1:|a|b", "2: !the row is longer than a row may be"};
  for (int i = 0; i < 20; ++i) {
    text += "22,33\n";
    expected.push_back(std::to_string(i + 3) + ":|22|33");
  }
  expect_rows(text, expected, limits);
}

TEST(CsvRows, OtherDelimiters) {
  expect_rows("a;b\n1,5;2\n", {"1:|a|b", "2:|1,5|2"});
  expect_rows("a\tb\n\"1\t2\"\t3\n", {"1:|a|b", "2:|1\t2|3"});
  expect_rows("\"a;b\",c\n1,2\n", {"1:|a;b|c", "2:|1|2"});
  expect_rows("a|b\n1,5|2\n", {"1:|a|b", "2:|1,5|2"});
  expect_rows("cost ($, net);b;c\n1;2;3\n", {"1:|cost ($, net)|b|c", "2:|1|2|3"});
  expect_rows("cost (a; b)\tb\tc\n1\t2\t3\n", {"1:|cost (a; b)|b|c", "2:|1|2|3"});
}

TEST(CsvRows, NothingIsNothing) {
  expect_rows("", {});
  expect_rows("\n\r\n", {});
  expect_rows("x", {"1:|x"});
}

TEST(CsvRows, LineNumbersCountBreaksInsideQuotes) {
  std::string text = "h,i\n";
  Listing expected = {"1:|h|i"};
  for (int i = 0; i < 50; ++i) {
    text += "\"a\nb\nc\",1\n";
    expected.push_back(std::to_string(2 + 3 * i) + ":|a\nb\nc|1");
  }
  expect_rows(text, expected);
}

TEST(CsvRows, ARowInsideAField) {
  std::vector<std::string_view> fields;
  std::string buffer;
  ASSERT_TRUE(split_csv_row("1,\"a,b\",\"x\"\"y\",", ',', fields, buffer));
  ASSERT_EQ(fields.size(), 4U);
  EXPECT_EQ(fields[1], "a,b");
  EXPECT_EQ(fields[2], "x\"y");
  EXPECT_EQ(fields[3], "");
  EXPECT_FALSE(split_csv_row("1,\"open", ',', fields, buffer));
  EXPECT_FALSE(split_csv_row("1,\"a\"b", ',', fields, buffer));
}

TEST(CsvRows, RandomTextReadsTheSameInAnyPieces) {
  std::mt19937 random(20260828);
  constexpr char kAlphabet[] = {'a', ',', ',', '"', '"', '\n', '\r', 'b', '\0'};
  for (int round = 0; round < 3000; ++round) {
    std::string text(random() % 60, 'x');
    for (char& c : text) c = kAlphabet[random() % (round % 2 == 0 ? 8 : 9)];
    const Listing whole = listing(text, text.size() + 1);
    for (const std::size_t piece : {1UL, 2UL, 3UL, 11UL}) {
      ASSERT_EQ(listing(text, piece), whole) << "round " << round << ", pieces of " << piece;
    }
  }
}

TEST(CsvRows, WhatIsWrittenIsReadBack) {
  std::mt19937 random(7);
  constexpr char kAlphabet[] = {'a', ',', '"', '\n', ' ', ';', '\r', '\xC3'};
  std::string text;
  codec::CsvWriter writer(codec::CsvWriter::Formulas::AsIs);
  std::vector<std::vector<std::string>> rows;
  for (int i = 0; i < 500; ++i) {
    std::vector<std::string> row;
    for (int f = 0; f < 4; ++f) {
      std::string field(random() % 6, 'x');
      for (char& c : field) c = kAlphabet[random() % sizeof kAlphabet];
      writer.text(field);
      row.push_back(field);
    }
    writer.end_row();
    rows.push_back(row);
  }
  const std::string written = writer.take();
  std::size_t at = 0;
  CsvRows reader({}, ',');
  const auto take = [&](const CsvRow& row) {
    ASSERT_LT(at, rows.size());
    ASSERT_EQ(std::vector<std::string>(row.fields.begin(), row.fields.end()), rows[at]) << at;
    ++at;
  };
  for (std::size_t from = 0; from < written.size(); from += 17) {
    reader.feed(std::string_view(written).substr(from, 17), take);
  }
  reader.finish(take);
  EXPECT_EQ(at, rows.size());
}

}  // namespace
}  // namespace fh::importers
