#include "planner/workbook_writer.h"

#include <fmt/format.h>
#include <xlsxwriter.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "base/check.h"

namespace fh::planner {
namespace {

constexpr std::size_t kTextMax = 32'000;  // a cell holds 32,767 characters
constexpr double kBig = 1e11;             // a bound that is none
constexpr double kDefaultWidth = 8.43;    // characters
constexpr double kLinePoints = 15;
constexpr double kTitlePoints = 23, kSectionPoints = 18;

enum class Place : std::uint8_t { Left, Indented, Right, Middle };
struct StyleSpec {
  Style style;
  const char* number;  // format code, or nullptr
  bool bold, wrap;
  std::uint32_t background;  // 0: none
  std::uint32_t colour;      // 0: black
  double size;               // 0: the default
  Place place;
  bool line_above, line_below;
};
constexpr std::uint32_t kHead = 0xDDE3EA, kInput = 0xFFF6D6, kInk = 0x1F3B73, kSoft = 0x5A6570;
constexpr const char* kUsd = "$#,##0;-$#,##0;\"–\"";
constexpr const char* kUsdCent = "$#,##0.00;-$#,##0.00;\"–\"";
constexpr const char* kUsdTyped = "$#,##0;-$#,##0";
// clang-format off
constexpr StyleSpec kSpecs[kStyles] = {
    {Style::Plain, nullptr, false, false, 0, 0, 0, Place::Indented, false, false},
    {Style::Title, nullptr, true, false, 0, 0, 16, Place::Left, false, false},
    {Style::Section, nullptr, true, false, 0, 0, 12, Place::Left, false, true},
    {Style::Header, nullptr, true, true, kHead, 0, 0, Place::Indented, false, false},
    {Style::HeaderRight, nullptr, true, true, kHead, 0, 0, Place::Right, false, false},
    {Style::Band, nullptr, true, false, 0xB9C7D6, 0, 0, Place::Left, false, false},
    {Style::Note, nullptr, false, false, 0, kSoft, 0, Place::Indented, false, false},
    {Style::NoteWrapped, nullptr, false, true, 0, kSoft, 0, Place::Left, false, false},
    {Style::Wrapped, nullptr, false, true, 0, 0, 0, Place::Indented, false, false},
    {Style::TextRight, nullptr, false, false, 0, 0, 0, Place::Right, false, false},
    {Style::Link, nullptr, false, false, 0, 0x0A5C9A, 0, Place::Indented, false, false},
    {Style::Number, "#,##0.00", false, false, 0, 0, 0, Place::Right, false, false},
    {Style::Count, "#,##0", false, false, 0, 0, 0, Place::Right, false, false},
    {Style::Usd, kUsd, false, false, 0, 0, 0, Place::Right, false, false},
    {Style::UsdCent, kUsdCent, false, false, 0, 0, 0, Place::Right, false, false},
    {Style::Rate, "$0.000", false, false, 0, 0, 0, Place::Right, false, false},
    {Style::Share, "0.0%", false, false, 0, 0, 0, Place::Right, false, false},
    {Style::Ratio, "0.00", false, false, 0, 0, 0, Place::Right, false, false},
    {Style::Factor, "0.0000", false, false, 0, 0, 0, Place::Right, false, false},
    {Style::Figure, "General", false, false, 0, 0, 0, Place::Right, false, false},
    {Style::Month, "[=9999]\"never\";#,##0", false, false, 0, 0, 0, Place::Right, false, false},
    {Style::Date, "yyyy-mm-dd", false, false, 0, 0, 0, Place::Indented, false, false},
    {Style::InputFigure, "General", false, false, kInput, kInk, 0, Place::Right, false, false},
    {Style::InputCount, "#,##0", false, false, kInput, kInk, 0, Place::Right, false, false},
    {Style::InputUsd, kUsdTyped, false, false, kInput, kInk, 0, Place::Right, false, false},
    {Style::InputRate, "$0.000", false, false, kInput, kInk, 0, Place::Right, false, false},
    {Style::InputShare, "0.0%", false, false, kInput, kInk, 0, Place::Right, false, false},
    {Style::InputRatio, "0.00", false, false, kInput, kInk, 0, Place::Right, false, false},
    {Style::Answer, nullptr, true, false, 0xD9EAD3, 0, 16, Place::Middle, false, false},
    {Style::Warning, nullptr, true, false, 0, 0xB3261E, 0, Place::Left, false, false},
    {Style::TotalLabel, nullptr, true, false, 0, 0, 0, Place::Left, true, false},
    {Style::TotalUsd, kUsd, true, false, 0, 0, 0, Place::Right, true, false},
    {Style::TotalUsdCent, kUsdCent, true, false, 0, 0, 0, Place::Right, true, false},
    {Style::Check, "0.00;-0.00;0.00", false, false, 0, kSoft, 0, Place::Right, false, false},
    {Style::UsdOrNone, "[<=-900000000000]\"–\";[<0]-$#,##0;$#,##0", false, false, 0, 0, 0, Place::Right, false, false},
};
// clang-format on

lxw_format* make_format(lxw_workbook* book, const StyleSpec& spec) {
  lxw_format* format = workbook_add_format(book);
  if (spec.number != nullptr) format_set_num_format(format, spec.number);
  if (spec.bold) format_set_bold(format);
  if (spec.wrap) format_set_text_wrap(format);
  const bool head = spec.style == Style::Header || spec.style == Style::HeaderRight;
  format_set_align(format, head ? LXW_ALIGN_VERTICAL_BOTTOM : LXW_ALIGN_VERTICAL_TOP);
  if (spec.background != 0) format_set_bg_color(format, spec.background);
  if (spec.colour != 0) format_set_font_color(format, spec.colour);
  if (spec.size != 0) format_set_font_size(format, spec.size);
  if (spec.place == Place::Right) format_set_align(format, LXW_ALIGN_RIGHT);
  // Words beside numbers that end where they begin.
  if (spec.place == Place::Indented) format_set_indent(format, 1);
  if (spec.place == Place::Middle) format_set_align(format, LXW_ALIGN_CENTER);
  if (head) {  // keeps titles that fill their columns apart
    format_set_left(format, LXW_BORDER_MEDIUM);
    format_set_left_color(format, LXW_COLOR_WHITE);
  }
  if (spec.line_above) format_set_top(format, LXW_BORDER_THIN);
  if (spec.line_below) format_set_bottom(format, LXW_BORDER_THIN);
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

// Lines that a text takes in a column of so many characters; words are not broken, hence a little
// more.
double lines_of(std::size_t characters, double width) {
  return std::ceil(static_cast<double>(std::max<std::size_t>(1, characters)) * 1.05 / width);
}

}  // namespace

Style style_of_unit(std::string_view unit, bool input) {
  if (unit.starts_with("share")) return input ? Style::InputShare : Style::Share;
  if (unit == "USD/kWh" || unit == "USD/GPU/hour") return input ? Style::InputRate : Style::Rate;
  if (unit.starts_with("USD")) return input ? Style::InputUsd : Style::Usd;
  if (unit.starts_with("Mtok")) return input ? Style::InputCount : Style::Count;
  if (unit == "factor" || unit == "ratio" || unit == "FTE" || unit == "kW") {
    return input ? Style::InputRatio : Style::Ratio;
  }
  return input ? Style::InputFigure : Style::Figure;
}

std::string cell_name(std::uint32_t row, std::uint32_t col) {
  return column_letters(col) + std::to_string(row + 1);
}

std::string cell_fixed(std::uint32_t row, std::uint32_t col) {
  return "$" + column_letters(col) + "$" + std::to_string(row + 1);
}

void Sheet::text(std::uint32_t row, std::uint32_t col, std::string_view text, Style style) {
  const std::string cut(text.substr(0, kTextMax));
  worksheet_write_string(sheet_, row, column(col), cut.c_str(), book_->format(style));
  if (style == Style::Title) worksheet_set_row(sheet_, row, kTitlePoints, nullptr);
  if (style == Style::Section) worksheet_set_row(sheet_, row, kSectionPoints, nullptr);
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

void Sheet::link(std::uint32_t row, std::uint32_t col, const std::string& address) {
  if (address.starts_with("https://") &&
      worksheet_write_url(sheet_, row, column(col), address.c_str(), book_->format(Style::Link)) ==
          LXW_NO_ERROR) {
    return;
  }
  text(row, col, address);
}

void Sheet::headers(std::uint32_t row, const std::vector<Head>& titles) {
  std::map<std::uint32_t, std::size_t> lengths;
  for (std::uint32_t i = 0; i < titles.size(); ++i) {
    text(row, i, titles[i].text, titles[i].number ? Style::HeaderRight : Style::Header);
    lengths[i] = titles[i].text.size();
  }
  fit_row(row, lengths);
}

void Sheet::note(std::uint32_t row, std::uint32_t col, std::uint32_t col_last,
                 std::string_view text, Style style) {
  double width = 0;
  for (std::uint32_t i = col; i <= col_last; ++i) width += width_of(i);
  const std::string cut(text.substr(0, kTextMax));
  worksheet_merge_range(sheet_, row, column(col), row, column(col_last), cut.c_str(),
                        book_->format(style));
  worksheet_set_row(sheet_, row, kLinePoints * lines_of(cut.size(), width), nullptr);
}

void Sheet::fill(std::uint32_t row, std::uint32_t col, std::uint32_t col_last, Style style) {
  for (std::uint32_t i = col; i <= col_last; ++i) {
    worksheet_write_blank(sheet_, row, column(i), book_->format(style));
  }
}

void Sheet::width(std::uint32_t first, std::uint32_t last, double characters) {
  worksheet_set_column(sheet_, column(first), column(last), characters, nullptr);
  for (std::uint32_t i = first; i <= last; ++i) widths_[i] = characters;
}

double Sheet::width_of(std::uint32_t col) const {
  const auto found = widths_.find(col);
  return found == widths_.end() ? kDefaultWidth : found->second;
}

void Sheet::fit_row(std::uint32_t row, const std::map<std::uint32_t, std::size_t>& lengths) {
  double lines = 1;
  for (const auto& [col, length] : lengths) {
    lines = std::max(lines, lines_of(length, width_of(col)));
  }
  if (lines > 1) worksheet_set_row(sheet_, row, kLinePoints * lines, nullptr);
}

void Sheet::freeze(std::uint32_t rows, std::uint32_t cols) {
  worksheet_freeze_panes(sheet_, rows, column(cols));
}

void Sheet::allow(std::uint32_t row, std::uint32_t col, const Bounds& bounds,
                  const std::string& unit) {
  const auto [low, high, whole] = bounds;
  const std::string most = high < kBig ? fmt::format(" and at most {}", high) : std::string();
  const std::string why =
      fmt::format("{} least {}{} ({}).", whole ? "A whole number, at" : "At", low, most, unit);
  lxw_data_validation rule{};
  rule.validate = whole ? LXW_VALIDATION_TYPE_INTEGER : LXW_VALIDATION_TYPE_DECIMAL;
  rule.criteria = LXW_VALIDATION_CRITERIA_BETWEEN;
  rule.ignore_blank = LXW_VALIDATION_OFF;
  rule.minimum_number = low;
  rule.maximum_number = high;
  std::string title = "This value is not possible";
  std::string message = why;
  rule.error_title = title.data();
  rule.error_message = message.data();
  worksheet_data_validation_cell(sheet_, row, column(col), &rule);
}

void Sheet::grey_where(const std::string& formula, std::uint32_t row, std::uint32_t col,
                       std::uint32_t row_last, std::uint32_t col_last) {
  std::string text = formula;
  lxw_conditional_format rule{};
  rule.type = LXW_CONDITIONAL_TYPE_FORMULA;
  rule.value_string = text.data();
  rule.format = book_->grey_;
  worksheet_conditional_format_range(sheet_, row, column(col), row_last, column(col_last), &rule);
}

void Sheet::print(std::uint32_t row_last, std::uint32_t col_last) {
  worksheet_fit_to_pages(sheet_, 1, 0);
  worksheet_print_area(sheet_, 0, 0, row_last, column(col_last));
}

void Sheet::repeat_on_paper(std::uint32_t row) {
  worksheet_repeat_rows(sheet_, row, row);
}

void Sheet::break_above(const std::vector<std::uint32_t>& rows) {
  std::vector<lxw_row_t> above(rows.begin(), rows.end());
  above.push_back(0);  // ends the list
  worksheet_set_h_pagebreaks(sheet_, above.data());
}

void Sheet::print_in_parts(int scale, const std::vector<std::uint32_t>& rows,
                           const std::vector<std::uint32_t>& cols) {
  worksheet_set_print_scale(sheet_, static_cast<std::uint16_t>(scale));
  worksheet_repeat_columns(sheet_, 0, 0);
  worksheet_print_across(sheet_);
  break_above(rows);
  std::vector<lxw_col_t> left;
  for (const std::uint32_t col : cols) left.push_back(column(col));
  left.push_back(0);
  worksheet_set_v_pagebreaks(sheet_, left.data());
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

Workbook::Workbook(const std::string& path, std::string footer)
    : path_(path), footer_(std::move(footer)), book_(workbook_new(path.c_str())) {
  FH_CHECK(book_ != nullptr);
  for (const StyleSpec& spec : kSpecs) formats_.push_back(make_format(book_, spec));
  grey_ = workbook_add_format(book_);
  format_set_font_color(grey_, 0xC4CACF);
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
  worksheet_set_landscape(sheet->sheet_);
  worksheet_set_paper(sheet->sheet_, 9);  // A4
  worksheet_set_margins(sheet->sheet_, 0.4, 0.4, 0.5, 0.6);
  worksheet_gridlines(sheet->sheet_, LXW_HIDE_ALL_GRIDLINES);
  const std::string footer = "&L&8" + footer_ + "&C&8&A&R&8Page &P of &N";
  worksheet_set_footer(sheet->sheet_, footer.c_str());
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
                                                                     : LXW_CHART_BAR;
  lxw_chart* made = workbook_add_chart(book_, kind);
  for (const Series& series : chart.series) {
    lxw_chart_series* added =
        chart_add_series(made, ("=" + series.categories).c_str(), ("=" + series.values).c_str());
    chart_series_set_name(added, series.name.c_str());
    if (chart.kind == ChartKind::Line) {
      lxw_chart_line line{};
      line.color = series.colour;
      line.width = 2.25F;
      if (series.dashed) line.dash_type = LXW_CHART_LINE_DASH_DASH;
      chart_series_set_line(added, &line);
    } else {
      lxw_chart_fill fill{};
      fill.color = series.colour;
      chart_series_set_fill(added, &fill);
    }
  }
  chart_title_set_name(made, chart.title.c_str());
  lxw_chart_font font{};
  font.size = 12;
  font.bold = LXW_TRUE;
  chart_title_set_name_font(made, &font);
  if (!chart.x_title.empty()) chart_axis_set_name(made->x_axis, chart.x_title.c_str());
  if (!chart.y_title.empty()) chart_axis_set_name(made->y_axis, chart.y_title.c_str());
  chart_legend_set_position(made, LXW_CHART_LEGEND_BOTTOM);
  chart_axis_set_num_format(chart.kind == ChartKind::Bar ? made->x_axis : made->y_axis, "$#,##0");
  if (chart.label_every > 1) {
    chart_axis_set_interval_unit(made->x_axis, static_cast<std::uint16_t>(chart.label_every));
  }
  if (chart.kind == ChartKind::Bar) {
    chart_axis_set_reverse(made->y_axis);
    chart_axis_set_label_position(made->x_axis, LXW_CHART_AXIS_LABEL_POSITION_LOW);
    chart_axis_set_label_position(made->y_axis, LXW_CHART_AXIS_LABEL_POSITION_LOW);
  }
  if (chart.kind != ChartKind::Line) chart_set_series_gap(made, 40);
  if (chart.kind == ChartKind::Bar) chart_set_series_overlap(made, 100);
  if (chart.dates) chart_axis_set_num_format(made->x_axis, "mm-dd");
  lxw_chart_line grid{};
  grid.color = 0xD5DADB;
  grid.width = 0.75F;
  chart_axis_major_gridlines_set_line(chart.kind == ChartKind::Bar ? made->x_axis : made->y_axis,
                                      &grid);
  lxw_chart_options options{};
  options.x_scale = chart.width_px / 480.0;
  options.y_scale = chart.height_px / 288.0;
  options.y_offset = 6;  // off the edge of a page that may begin here
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
