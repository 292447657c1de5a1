#include "planner/workbook_writer.h"

#include <fmt/format.h>
#include <xlsxwriter.h>

#include <fstream>

#include "base/check.h"

namespace fh::planner {
namespace {

constexpr std::size_t kTextMax = 32'000;  // a cell holds 32,767 characters

struct StyleSpec {
  Style style;
  const char* number;  // format code, or nullptr
  bool bold, wrap;
  std::uint32_t background;  // 0: none
  std::uint32_t colour;      // 0: black
};
constexpr StyleSpec kSpecs[kStyles] = {
    {Style::Plain, nullptr, false, false, 0, 0},
    {Style::Title, nullptr, true, false, 0, 0},
    {Style::Header, nullptr, true, true, 0xDDE3EA, 0},
    {Style::Note, nullptr, false, false, 0, 0x666666},
    {Style::Wrapped, nullptr, false, true, 0, 0},
    {Style::Number, "#,##0.00", false, false, 0, 0},
    {Style::Count, "#,##0", false, false, 0, 0},
    {Style::Usd, "$#,##0", false, false, 0, 0},
    {Style::UsdCent, "$#,##0.00", false, false, 0, 0},
    {Style::Share, "0.0%", false, false, 0, 0},
    {Style::Factor, "0.0000", false, false, 0, 0},
    {Style::Input, "General", false, false, 0xFFF6D6, 0x1F3B73},
    {Style::Answer, nullptr, true, false, 0xD9EAD3, 0},
    {Style::Date, "yyyy-mm-dd", false, false, 0, 0},
};

lxw_format* make_format(lxw_workbook* book, const StyleSpec& spec) {
  lxw_format* format = workbook_add_format(book);
  if (spec.number != nullptr) format_set_num_format(format, spec.number);
  if (spec.bold) format_set_bold(format);
  if (spec.wrap) format_set_text_wrap(format);
  if (spec.background != 0) format_set_bg_color(format, spec.background);
  if (spec.colour != 0) format_set_font_color(format, spec.colour);
  if (spec.style == Style::Title) format_set_font_size(format, 14);
  if (spec.style == Style::Answer) format_set_font_size(format, 16);
  if (spec.wrap) format_set_align(format, LXW_ALIGN_VERTICAL_TOP);
  return format;
}

lxw_col_t column(std::uint32_t col) {
  return static_cast<lxw_col_t>(col);
}

std::string column_letters(std::uint32_t col) {
  std::string out;
  for (std::uint32_t rest = col + 1; rest > 0; rest = (rest - 1) / 26) {
    out.insert(out.begin(), static_cast<char>('A' + (rest - 1) % 26));
  }
  return out;
}

}  // namespace

std::string cell_name(std::uint32_t row, std::uint32_t col) {
  return column_letters(col) + std::to_string(row + 1);
}

std::string cell_fixed(std::uint32_t row, std::uint32_t col) {
  return "$" + column_letters(col) + "$" + std::to_string(row + 1);
}

void Sheet::text(std::uint32_t row, std::uint32_t col, std::string_view text, Style style) {
  const std::string cut(text.substr(0, kTextMax));
  worksheet_write_string(sheet_, row, column(col), cut.c_str(), book_->format(style));
}

void Sheet::number(std::uint32_t row, std::uint32_t col, double value, Style style) {
  worksheet_write_number(sheet_, row, column(col), value, book_->format(style));
}

void Sheet::formula(std::uint32_t row, std::uint32_t col, const std::string& formula, double cached,
                    Style style) {
  worksheet_write_formula_num(sheet_, row, column(col), formula.c_str(), book_->format(style),
                              cached);
}

void Sheet::formula_text(std::uint32_t row, std::uint32_t col, const std::string& formula,
                         const std::string& cached, Style style) {
  worksheet_write_formula_str(sheet_, row, column(col), formula.c_str(), book_->format(style),
                              cached.c_str());
}

void Sheet::headers(std::uint32_t row, const std::vector<std::string>& titles) {
  for (std::uint32_t i = 0; i < titles.size(); ++i) text(row, i, titles[i], Style::Header);
}

void Sheet::width(std::uint32_t first, std::uint32_t last, double characters) {
  worksheet_set_column(sheet_, column(first), column(last), characters, nullptr);
}

void Sheet::freeze(std::uint32_t rows, std::uint32_t cols) {
  worksheet_freeze_panes(sheet_, rows, column(cols));
}

std::string Sheet::ref(std::uint32_t row, std::uint32_t col) const {
  return "'" + name_ + "'!" + cell_fixed(row, col);
}

std::string Sheet::range(std::uint32_t row, std::uint32_t col, std::uint32_t row_last,
                         std::uint32_t col_last) const {
  return ref(row, col) + ":" + cell_fixed(row_last, col_last);
}

bool can_write(const std::string& path) {
  return std::ofstream(path, std::ios::app).good();
}

Workbook::Workbook(const std::string& path) : path_(path), book_(workbook_new(path.c_str())) {
  FH_CHECK(book_ != nullptr);
  for (const StyleSpec& spec : kSpecs) formats_.push_back(make_format(book_, spec));
}

Workbook::~Workbook() {
  if (book_ != nullptr) static_cast<void>(close());
}

Sheet& Workbook::sheet(const std::string& name) {
  for (const std::unique_ptr<Sheet>& sheet : sheets_) {
    if (sheet->name_ == name) return *sheet;
  }
  auto sheet = std::make_unique<Sheet>();
  sheet->book_ = this;
  sheet->sheet_ = workbook_add_worksheet(book_, name.c_str());
  sheet->name_ = name;
  FH_CHECK(sheet->sheet_ != nullptr);
  sheets_.push_back(std::move(sheet));
  return *sheets_.back();
}

void Workbook::define(const std::string& name, const std::string& reference) {
  const lxw_error error = workbook_define_name(book_, name.c_str(), ("=" + reference).c_str());
  FH_CHECK(error == LXW_NO_ERROR);
}

void Workbook::chart(Sheet& on, std::uint32_t row, std::uint32_t col, const Chart& chart) {
  const std::uint8_t kind = chart.kind == ChartKind::Line            ? LXW_CHART_LINE
                            : chart.kind == ChartKind::ColumnStacked ? LXW_CHART_COLUMN_STACKED
                                                                     : LXW_CHART_BAR_STACKED;
  lxw_chart* made = workbook_add_chart(book_, kind);
  for (const Series& series : chart.series) {
    lxw_chart_series* added =
        chart_add_series(made, ("=" + series.categories).c_str(), ("=" + series.values).c_str());
    chart_series_set_name(added, series.name.c_str());
  }
  chart_title_set_name(made, chart.title.c_str());
  chart_axis_set_name(made->x_axis, chart.x_title.c_str());
  chart_axis_set_name(made->y_axis, chart.y_title.c_str());
  if (chart.kind == ChartKind::BarStacked) {
    chart_axis_set_reverse(made->y_axis);
    chart_axis_set_label_position(made->x_axis, LXW_CHART_AXIS_LABEL_POSITION_LOW);
    chart_axis_set_label_position(made->y_axis, LXW_CHART_AXIS_LABEL_POSITION_LOW);
  }
  lxw_chart_options options{};
  options.x_scale = 1.6;
  options.y_scale = 1.4;
  worksheet_insert_chart_opt(on.sheet_, row, column(col), made, &options);
}

base::Status Workbook::close() {
  if (book_ == nullptr) return {};
  const lxw_error error = workbook_close(book_);
  book_ = nullptr;
  if (error == LXW_NO_ERROR) return {};
  return base::fail(
      base::Code::Unavailable,
      fmt::format("the workbook {} could not be written: {}", path_, lxw_strerror(error)),
      "is the folder there and writable, and the file not open elsewhere?");
}

}  // namespace fh::planner
