// Goal: what the CSV writer writes, the reader reads back, and damaged or oversized rows are errors
// with a line number. Method: RFC 4180's rules one by one, and random tables there and back.

#include "codec/csv.h"

#include <gtest/gtest.h>

#include <random>

namespace fh::codec {
namespace {

using Row = std::vector<std::string>;

base::Result<std::vector<Row>> read_all(std::string_view text, const CsvLimits& limits = {}) {
  CsvReader reader(text, limits);
  std::vector<Row> rows;
  Row row;
  while (true) {
    FH_TRY(const bool more, reader.next(row));
    if (!more) return rows;
    rows.push_back(row);
  }
}

TEST(CsvWriterTest, QuotesOnlyWhatMustBe) {
  CsvWriter w;
  w.text("a").text("b c").text("x,y").text("say \"hi\"").text("two\nlines").text("").number(-5);
  w.end_row().number("12.345678").text("é").end_row();
  EXPECT_EQ(w.str(), "a,b c,\"x,y\",\"say \"\"hi\"\"\",\"two\nlines\",,-5\r\n12.345678,é\r\n");
  EXPECT_EQ(w.take().substr(0, 2), "a,");
  EXPECT_EQ(w.str(), "");
}

TEST(CsvWriterTest, GuardsFormulasInText) {
  CsvWriter guarded;
  guarded.text("=1+1")
      .text("@x")
      .text("-a")
      .text("+b")
      .text("=a,b")
      .text("a=b")
      .number("-1")
      .end_row();
  EXPECT_EQ(guarded.str(), "'=1+1,'@x,'-a,'+b,\"'=a,b\",a=b,-1\r\n");
  CsvWriter plain(CsvWriter::Formulas::AsIs);
  plain.text("=1+1").end_row();
  EXPECT_EQ(plain.str(), "=1+1\r\n");
}

TEST(CsvReaderTest, ReadsWhatOthersWrite) {
  EXPECT_EQ(*read_all("\xEF\xBB\xBF"
                      "a,b\r\n1,\"x,\"\"y\"\"\"\n\n\"two\r\nlines\",\n"),
            (std::vector<Row>{{"a", "b"}, {"1", "x,\"y\""}, {"two\r\nlines", ""}}));
  EXPECT_EQ(*read_all("last,row"), (std::vector<Row>{{"last", "row"}}));
  EXPECT_EQ(*read_all("a,"), (std::vector<Row>{{"a", ""}}));
  EXPECT_EQ(*read_all(","), (std::vector<Row>{{"", ""}}));
  EXPECT_EQ(*read_all("\"\""), (std::vector<Row>{{""}}));
  EXPECT_EQ(*read_all(""), std::vector<Row>{});
  EXPECT_EQ(*read_all("\n\r\n"), std::vector<Row>{});
  EXPECT_EQ(*read_all("a;b,c", {.delimiter = ';'}), (std::vector<Row>{{"a", "b,c"}}));
  EXPECT_EQ(*read_all("a\rb,c"), (std::vector<Row>{{"a\rb", "c"}}));
}

TEST(CsvReaderTest, ErrorsNameTheLine) {
  EXPECT_EQ(read_all("a\nb,\"c").error().message,
            "invalid CSV in line 2: a quoted field is not closed");
  EXPECT_EQ(read_all("a\n\nb,\"c\"d").error().message,
            "invalid CSV in line 3: text after a quoted field");
  EXPECT_EQ(read_all("a\"b").error().message,
            "invalid CSV in line 1: a quote inside an unquoted field");
  EXPECT_EQ(read_all("\"x\ny\"z").error().message,
            "invalid CSV in line 2: text after a quoted field");
}

TEST(CsvReaderTest, Limits) {
  EXPECT_FALSE(read_all("1,2,3", {.fields_max = 2}).has_value());
  EXPECT_TRUE(read_all("1,2", {.fields_max = 2}).has_value());
  EXPECT_FALSE(read_all(std::string(20, 'x'), {.row_bytes_max = 10}).has_value());
  EXPECT_FALSE(read_all("\"" + std::string(20, 'x'), {.row_bytes_max = 10}).has_value());
  EXPECT_FALSE(read_all("xxxx,xxxx,xxxx", {.row_bytes_max = 10}).has_value());
}

TEST(CsvReaderTest, LineOfEachRow) {
  CsvReader reader("a\n\"x\ny\"\nb\n");
  Row row;
  for (const std::size_t expected : {1U, 2U, 4U}) {
    ASSERT_TRUE(reader.next(row).value());
    EXPECT_EQ(reader.line(), expected);
  }
  EXPECT_FALSE(reader.next(row).value());
}

TEST(CsvTest, RandomTablesThereAndBack) {
  std::mt19937_64 random(9);
  static constexpr std::string_view kAlphabet = "ab,\"\n\r =;";
  for (int round = 0; round < 2000; ++round) {
    std::vector<Row> rows;
    CsvWriter w(CsvWriter::Formulas::AsIs);
    for (std::size_t r = 1 + random() % 3; r > 0; --r) {
      Row row = {"id"};  // a row of one empty field is a blank line, which has no meaning
      w.text(row[0]);
      for (std::size_t f = random() % 4; f > 0; --f) {
        std::string field;
        for (std::size_t n = random() % 5; n > 0; --n) {
          field.push_back(kAlphabet[random() % kAlphabet.size()]);
        }
        w.text(field);
        row.push_back(field);
      }
      w.end_row();
      rows.push_back(row);
    }
    ASSERT_EQ(*read_all(w.str()), rows) << w.str();
  }
}

}  // namespace
}  // namespace fh::codec
