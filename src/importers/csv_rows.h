#pragma once
// Comma-separated rows out of a file that arrives in pieces (RFC 4180, and what real exports make
// of it). Fields are views: into the piece itself where a row lies whole in it, else into the
// reader; nothing is allocated per field. A row that is damaged comes out once with the reason, and
// reading goes on with the line after the one where it began, so that a quote that is never closed
// costs one line and not the rest of the file.
//
// Takes CR LF and LF, a byte order mark in front, a last row without line break, quoted fields with
// line breaks, blank lines (skipped). A quote inside a field that did not begin with one is text.
// The delimiter is what a line "sep=;" before the first row says, else the one of comma, semicolon,
// tab and bar that the first row has most of outside of quotes.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "importers/csv_marks.h"

namespace fh::importers {

enum class RowFault : std::uint8_t {
  None,
  TooLong,        // more than row_bytes_max
  TooManyFields,  // more than fields_max
  OpenQuote,      // the file ends inside quotes
  BadQuote,       // text between a closing quote and the delimiter
  NulByte,
};
// "a quoted field is never closed": for Skip::why.
std::string_view row_fault_text(RowFault fault);

struct CsvRow {
  std::span<const std::string_view> fields;  // empty when `fault` is set; valid during the call
  std::uint64_t line = 0;                    // where the row begins; the first line is 1
  RowFault fault = RowFault::None;
};

struct CsvRowLimits {
  std::size_t row_bytes_max = 16 * 1024 * 1024;  // gateways' logs carry whole prompts
  std::size_t fields_max = 4096;
};

// One object per file, one thread.
class CsvRows {
 public:
  explicit CsvRows(const CsvRowLimits& limits = {}, char delimiter = '\0')
      : limits_(limits), delimiter_(delimiter) {}

  template <typename Fn>  // void(const CsvRow&)
  void feed(std::string_view piece, Fn&& fn) {
    while (!piece.empty()) {
      begin(take_part(piece));
      for (CsvRow row; next(row, false);) fn(static_cast<const CsvRow&>(row));
      end();
    }
  }
  // After the last piece.
  template <typename Fn>
  void finish(Fn&& fn) {
    begin({});
    for (CsvRow row; next(row, true);) fn(static_cast<const CsvRow&>(row));
    end();
  }
  char delimiter() const { return delimiter_; }

 private:
  enum class Scan : std::uint8_t { Row, More, Bad };
  enum class Whole : std::uint8_t { Row, Blank, No };

  std::string_view take_part(std::string_view& piece);
  void begin(std::string_view piece);
  void end();
  bool next(CsvRow& row, bool last);
  Whole take_whole(CsvRow& row);
  Whole more_fields(CsvRow& row);
  void unescape(std::size_t row_bytes);
  Scan find_end(bool last);
  Scan scan_quotes(std::size_t line_end, bool last);
  Scan give_up(RowFault fault, bool last);
  bool start(bool last);
  void choose_delimiter(std::string_view first);
  bool split(std::string_view text, CsvRow& row);
  void split_plain(std::string_view text);
  void fail(CsvRow& row, RowFault fault);

  CsvRowLimits limits_;
  char delimiter_;
  bool at_start_ = true;
  bool dropping_ = false;       // inside the rest of a line that was too long
  std::string held_;            // the unfinished row of earlier pieces, then a part of this one
  std::size_t part_bytes_ = 0;  // the least that is added to held_ next
  std::string_view text_;       // what is read now: the piece, or held_
  std::size_t at_ = 0;          // where the next row begins in text_
  std::size_t scanned_ = 0;     // how far the row's end was looked for
  bool in_quotes_ = false;      // state of that search
  bool quoted_ = false;         // the row has a quoted field
  std::size_t row_end_ = 0, row_next_ = 0;
  RowFault fault_ = RowFault::None;
  std::uint64_t line_ = 1;                // of at_
  std::vector<std::string_view> fields_;  // of a whole row the first ones
  std::string unescaped_;                 // quoted fields with doubled quotes, taken apart
  CsvMarks marks_;
  CsvMarks::Cursor cursor_;
  std::size_t marked_ = std::string_view::npos;  // the row at which cursor_ stands, if it does
  std::vector<std::size_t> doubled_;  // the fields of a whole row that have doubled quotes
};

// One row that is itself the content of a field ("some exports quote whole lines"): its fields into
// `fields`, texts that had doubled quotes into `buffer`. False when it is no row.
bool split_csv_row(std::string_view text, char delimiter, std::vector<std::string_view>& fields,
                   std::string& buffer);

}  // namespace fh::importers
