#pragma once
// A spreadsheet file, written with libxlsxwriter: cells with cached results, defined names, charts.
// The library's header stays inside workbook_writer.cc; its structs are only named here. Private to
// the workbook files.
//
// Threads: one workbook per thread. Errors: the library reports them when the file is closed.

#include <cstdint>
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
  Header,
  Note,
  Wrapped,
  Number,   // 1,234.5
  Count,    // 1,234
  Usd,      // $1,234
  UsdCent,  // $1,234.56
  Share,    // 12.3 %
  Factor,   // 0.1234
  Input,    // a number that may be changed
  Answer,   // the verdict
  Date,     // days since 1899-12-30, shown as 2026-11-24
};
inline constexpr std::size_t kStyles = 14;

// "B7", "$B$7", "TCO!$B$7". Rows and columns count from 0.
std::string cell_name(std::uint32_t row, std::uint32_t col);
std::string cell_fixed(std::uint32_t row, std::uint32_t col);

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
  void headers(std::uint32_t row, const std::vector<std::string>& titles);
  void width(std::uint32_t first, std::uint32_t last, double characters);
  void freeze(std::uint32_t rows, std::uint32_t cols);
  const std::string& name() const { return name_; }
  // "'Break-even'!$B$7", "'Break-even'!$B$2:$B$9"
  std::string ref(std::uint32_t row, std::uint32_t col) const;
  std::string range(std::uint32_t row, std::uint32_t col, std::uint32_t row_last,
                    std::uint32_t col_last) const;

 private:
  friend class Workbook;
  Workbook* book_ = nullptr;
  lxw_worksheet* sheet_ = nullptr;
  std::string name_;
};

struct Series {
  std::string name, categories, values;  // references as Sheet::range() gives them
};
enum class ChartKind : std::uint8_t { Line, ColumnStacked, BarStacked };
struct Chart {
  ChartKind kind = ChartKind::Line;
  std::string title, x_title, y_title;
  std::vector<Series> series;
};

// Whether a file can be made there. The library finds out at the end only, and says it on stderr.
bool can_write(const std::string& path);

class Workbook {
 public:
  explicit Workbook(const std::string& path);
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
  std::string path_;
  lxw_workbook* book_ = nullptr;
  std::vector<lxw_format*> formats_;
  std::vector<std::unique_ptr<Sheet>> sheets_;
};

}  // namespace fh::planner
