#pragma once
// A spreadsheet file, written with libxlsxwriter: cells with cached results, defined names, charts,
// and how each sheet prints. The library's header stays inside workbook_writer.cc; its structs are
// only named here. Private to the workbook files.
//
// Threads: one workbook per thread. Errors: the library reports them when the file is closed.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct lxw_workbook;
struct lxw_worksheet;
struct lxw_format;
struct lxw_chart;

namespace fh::planner {

enum class Style : std::uint8_t {
  Plain,
  Title,
  Section,      // heads a part of a sheet
  Header,       // of a column of words
  HeaderRight,  // of a column of numbers
  Band,         // over several columns
  Note,
  NoteWrapped,
  Wrapped,
  TextRight,
  Link,
  Number,   // 1,234.50
  Count,    // 1,234
  Usd,      // $1,234
  UsdCent,  // $1,234.56
  Rate,     // $0.135
  Share,    // 12.3 %
  Ratio,    // 0.12
  Factor,   // 0.1234
  Figure,   // as it is: 0.5, 24
  Month,    // 17, or "never" for 9999
  Date,     // days since 1899-12-30, shown as 2026-11-24
  // What may be changed.
  InputFigure,
  InputCount,
  InputUsd,
  InputRate,
  InputShare,
  InputRatio,
  Answer,   // the verdict
  Warning,  // why there is none
  TotalLabel,
  TotalUsd,
  TotalUsdCent,
  Check,      // a difference that must be 0.00
  UsdOrNone,  // a value so far below nothing that it means none
};
inline constexpr std::size_t kStyles = static_cast<std::size_t>(Style::UsdOrNone) + 1;

// How a number of this unit of scenario.h looks; `input`: in a cell that may be changed.
Style style_of_unit(std::string_view unit, bool input);

// "B7", "$B$7", "TCO!$B$7". Rows and columns count from 0.
std::string cell_name(std::uint32_t row, std::uint32_t col);
std::string cell_fixed(std::uint32_t row, std::uint32_t col);

struct Head {
  std::string text;
  bool number = false;
  Head(const char* title) : text(title) {}             // NOLINT(google-explicit-constructor)
  Head(std::string title) : text(std::move(title)) {}  // NOLINT(google-explicit-constructor)
  Head(std::string title, bool right) : text(std::move(title)), number(right) {}
};
inline Head num(std::string title) {
  return {std::move(title), true};
}

class Workbook;

class Sheet {
 public:
  void text(std::uint32_t row, std::uint32_t col, std::string_view text,
            Style style = Style::Plain);
  void number(std::uint32_t row, std::uint32_t col, double value, Style style = Style::Number);
  // `formula` begins with '='; `cached` is what a reader without a calculator shows.
  void formula(std::uint32_t row, std::uint32_t col, const std::string& formula, double cached,
               Style style = Style::Number);
  void formula_text(std::uint32_t row, std::uint32_t col, const std::string& formula,
                    const std::string& cached, Style style = Style::Plain);
  // A link where `address` is one of the web, else plain text.
  void link(std::uint32_t row, std::uint32_t col, const std::string& address);
  void headers(std::uint32_t row, const std::vector<Head>& titles);
  // Wrapped over several columns, in a row that is as high as the text needs. Widths first.
  void note(std::uint32_t row, std::uint32_t col, std::uint32_t col_last, std::string_view text,
            Style style = Style::NoteWrapped);
  // The same style on every cell from col to col_last, without text.
  void fill(std::uint32_t row, std::uint32_t col, std::uint32_t col_last, Style style);
  void width(std::uint32_t first, std::uint32_t last, double characters);
  // A row that is high enough for wrapped text of these lengths (characters) in these columns.
  void fit_row(std::uint32_t row, const std::map<std::uint32_t, std::size_t>& lengths);
  void freeze(std::uint32_t rows, std::uint32_t cols);
  // Only numbers from low to high may be typed there; whole: only whole ones.
  struct Bounds {
    double low, high;
    bool whole;
  };
  void allow(std::uint32_t row, std::uint32_t col, const Bounds& bounds, const std::string& unit);
  // Grey where the formula, written for the first cell of the range, is true.
  void grey_where(const std::string& formula, std::uint32_t row, std::uint32_t col,
                  std::uint32_t row_last, std::uint32_t col_last);
  // On paper: across, one page wide, these rows and columns.
  void print(std::uint32_t row_last, std::uint32_t col_last);
  void repeat_on_paper(std::uint32_t row);
  void break_above(const std::vector<std::uint32_t>& rows);
  // On paper: across, at this scale in per cent, with breaks above and left of these.
  void print_in_parts(int scale, const std::vector<std::uint32_t>& rows,
                      const std::vector<std::uint32_t>& cols);
  const std::string& name() const { return name_; }
  // "'Break-even'!$B$7", "'Break-even'!$B$2:$B$9"
  std::string ref(std::uint32_t row, std::uint32_t col) const;
  std::string range(std::uint32_t row, std::uint32_t col, std::uint32_t row_last,
                    std::uint32_t col_last) const;

 private:
  friend class Workbook;
  double width_of(std::uint32_t col) const;
  Workbook* book_ = nullptr;
  lxw_worksheet* sheet_ = nullptr;
  std::string name_;
  std::map<std::uint32_t, double> widths_;
};

struct Series {
  std::string name, categories, values;  // references as Sheet::range() gives them
  std::uint32_t colour = 0x55606A;
  bool dashed = false;
};
enum class ChartKind : std::uint8_t { Line, ColumnStacked, Bar };
struct Chart {
  ChartKind kind = ChartKind::Line;
  std::string title, x_title, y_title;
  std::vector<Series> series;
  std::uint32_t width_px = 760, height_px = 380;  // a row is 20 high
  std::uint32_t label_every = 1;                  // of the categories
  bool dates = false;                             // the categories are days
};

// Whether a file can be made there. The library finds out at the end only, and says it on stderr.
bool can_write(const std::string& path);

class Workbook {
 public:
  // `footer` stands on every printed page.
  Workbook(const std::string& path, std::string footer);
  ~Workbook();
  Workbook(const Workbook&) = delete;
  Workbook& operator=(const Workbook&) = delete;

  Sheet& sheet(const std::string& name);
  void define(const std::string& name, const std::string& reference);
  void chart(Sheet& on, std::uint32_t row, std::uint32_t col, const Chart& chart);
  base::Status close();

 private:
  friend class Sheet;
  lxw_format* format(Style style) const { return formats_[static_cast<std::size_t>(style)]; }
  std::string path_, footer_;
  lxw_workbook* book_ = nullptr;
  std::vector<lxw_format*> formats_;
  lxw_format* grey_ = nullptr;
  std::vector<std::unique_ptr<Sheet>> sheets_;
};

}  // namespace fh::planner
