#pragma once
// Comma-separated values (RFC 4180): a writer and a bounded reader over a text in memory. One
// object, one thread.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fh::codec {

// Rows end in CR LF; a field is quoted only when it must be. Numbers are for the caller to format
// where the form matters (money is exact decimal text).
class CsvWriter {
 public:
  enum class Formulas : std::uint8_t {
    AsIs,
    Guarded,  // text that a spreadsheet would run ("=", "+", "-", "@" first) gets an apostrophe in
              // front
  };
  explicit CsvWriter(Formulas formulas = Formulas::Guarded) : formulas_(formulas) {}

  CsvWriter& text(std::string_view field);
  CsvWriter& number(std::string_view decimal);  // already formatted: never quoted, never guarded
  template <std::integral T>
  CsvWriter& number(T value) {
    return number(std::string_view(std::to_string(value)));
  }
  CsvWriter& end_row();

  const std::string& str() const { return out_; }
  std::string take();

 private:
  void separate();
  std::string out_;
  Formulas formulas_;
  bool row_started_ = false;
};

struct CsvLimits {
  char delimiter = ',';
  std::size_t fields_max = 1024;
  std::size_t row_bytes_max = 1024 * 1024;
};

// Reads rows in order; takes CR LF and LF, a byte order mark in front, and a last row without line
// break. A blank line is skipped. The text must outlive the reader.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text, const CsvLimits& limits = {});

  // The next row into `fields`; false when the text is over. Error: InvalidArgument with the line
  // number.
  base::Result<bool> next(std::vector<std::string>& fields);
  // The line on which the row that was read last begins; the first line is 1.
  std::size_t line() const { return row_line_; }

 private:
  base::Result<std::string> quoted_field();
  bool at_line_break() const;
  void skip_line_break();
  std::unexpected<base::Error> invalid(std::string_view what) const;

  std::string_view text_;
  CsvLimits limits_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t row_line_ = 0;
};

}  // namespace fh::codec
