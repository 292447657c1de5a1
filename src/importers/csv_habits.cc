// See csv_habits.h.

#include "importers/csv_habits.h"

#include <fmt/format.h>

#include <algorithm>

#include "importers/csv_rows.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<int> take_number(std::string_view& text, int digits_max) {
  int value = 0, digits = 0;
  while (digits < digits_max && !text.empty() && text.front() >= '0' && text.front() <= '9') {
    value = value * 10 + (text.front() - '0');
    text.remove_prefix(1);
    ++digits;
  }
  return digits == 0 ? std::nullopt : std::optional(value);
}

bool take_separator(std::string_view& text) {
  if (text.empty() || (text.front() != '/' && text.front() != '.' && text.front() != '-')) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

// "5:49 PM", "17:49:12.5 +02:00": the hour made one of 24 with two digits, the rest as it is.
std::optional<std::string> clock_text(std::string_view text) {
  const auto hour = take_number(text, 2);
  if (!hour || text.empty() || text.front() != ':') return std::nullopt;
  std::string rest(trimmed(text));
  int of_24 = *hour;
  const std::string end = lowered(rest.size() > 2 ? rest.substr(rest.size() - 2) : "");
  if (end == "am" || end == "pm") {
    if (*hour < 1 || *hour > 12) return std::nullopt;
    of_24 = *hour % 12 + (end == "pm" ? 12 : 0);
    rest = std::string(trimmed(std::string_view(rest).substr(0, rest.size() - 2)));
  }
  return fmt::format("{:02}{}", of_24, rest);
}

// What a cell says about the sign in front of decimals.
enum class Sign : std::uint8_t { Nothing, Point, Comma };

// Whether the digits around `separator` could be groups of three: "1,234", not "0,123" or "12,34".
bool may_be_groups(std::string_view number, char separator) {
  const std::size_t first = number.find(separator);
  if (first == 0 || first > 3 || number.front() == '0') return false;
  for (std::size_t at = first; at < number.size(); at += 4) {
    if (number[at] != separator || number.size() - at < 4) return false;
    if (!std::all_of(number.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                     number.begin() + static_cast<std::ptrdiff_t>(at) + 4, is_digit)) {
      return false;
    }
  }
  return true;
}

Sign sign_in(std::string_view cell) {
  while (!cell.empty() && (cell.front() == '-' || cell.front() == '$')) cell.remove_prefix(1);
  if (cell.empty() || cell.find_first_not_of("0123456789.,") != std::string_view::npos) {
    return Sign::Nothing;
  }
  const auto points = std::ranges::count(cell, '.'), commas = std::ranges::count(cell, ',');
  if (points + commas == 0) return Sign::Nothing;
  const bool point_last = commas == 0 || (points != 0 && cell.rfind('.') > cell.rfind(','));
  if (points != 0 && commas != 0) {  // "1,234.5": the last one, if it stands once
    if ((point_last ? points : commas) != 1) return Sign::Nothing;
    return point_last ? Sign::Point : Sign::Comma;
  }
  const char sign = point_last ? '.' : ',';
  if (points + commas > 1) {  // groups, or no number at all
    if (!may_be_groups(cell, sign)) return Sign::Nothing;
    return point_last ? Sign::Comma : Sign::Point;
  }
  if (may_be_groups(cell, sign)) return Sign::Nothing;
  return point_last ? Sign::Point : Sign::Comma;
}

struct LocalDate {
  int first = 0, second = 0;
  char separator = 0;
};

std::optional<LocalDate> local_date(std::string_view cell) {
  LocalDate date;
  const auto first = take_number(cell, 2);
  if (!first || cell.empty()) return std::nullopt;
  date.separator = cell.front();
  if (!take_separator(cell)) return std::nullopt;
  const auto second = take_number(cell, 2);
  if (!second || cell.empty() || cell.front() != date.separator) return std::nullopt;
  cell.remove_prefix(1);
  const std::size_t year = cell.size();
  if (!take_number(cell, 4) || (year - cell.size() != 4 && year - cell.size() != 2)) {
    return std::nullopt;
  }
  if (!cell.empty() && cell.front() != ' ' && cell.front() != ',') return std::nullopt;
  if (*first == 0 || *second == 0 || *first > 31 || *second > 31) return std::nullopt;
  date.first = *first;
  date.second = *second;
  return date;
}

// What the cells of a file's first rows have shown.
struct Seen {
  bool point = false, comma = false;
  bool date = false, month_first = false, day_first = false;

  void cell(std::string_view text) {
    if (const auto found = local_date(text)) {
      date = true;
      day_first = day_first || found->first > 12 || found->separator == '.';
      month_first = month_first || found->second > 12;
      return;
    }
    const Sign sign = sign_in(text);
    point = point || sign == Sign::Point;
    comma = comma || sign == Sign::Comma;
  }
  DateOrder order() const {
    if (!date) return DateOrder::None;
    if (month_first == day_first) return DateOrder::Unclear;
    return month_first ? DateOrder::MonthFirst : DateOrder::DayFirst;
  }
};

}  // namespace

CsvHabits habits_of(std::string_view head, char delimiter) {
  CsvRows rows({}, delimiter);
  Seen seen;
  const auto take = [&](const CsvRow& row) {
    for (const std::string_view field : row.fields) {
      if (field.size() < 32) seen.cell(trimmed(field));
    }
  };
  rows.feed(head, take);
  rows.finish(take);
  CsvHabits habits;
  habits.dates = seen.order();
  habits.decimal_comma =
      rows.delimiter() == ';' ? seen.comma || !seen.point : seen.comma && !seen.point;
  return habits;
}

bool looks_like_local_date(std::string_view text) {
  return local_date(trimmed(text)).has_value();
}

std::string_view with_decimal_point(std::string_view text, std::string& out) {
  out.assign(text);
  for (char& c : out) {
    if (c == '.' || c == ',') c = c == '.' ? ',' : '.';
  }
  return out;
}

// By way of ISO 8601.
std::optional<std::int64_t> parse_local_time_ns(std::string_view text, bool month_first,
                                                int zone_minutes) {
  text = trimmed(text);
  const auto first = take_number(text, 2);
  if (!first || !take_separator(text)) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second || !take_separator(text)) return std::nullopt;
  const auto year = take_number(text, 4);
  if (!year) return std::nullopt;
  const int full = *year < 100 ? 2000 + *year : *year;
  const int month = month_first ? *first : *second;
  const int day = month_first ? *second : *first;
  std::string iso = fmt::format("{:04}-{:02}-{:02}", full, month, day);
  if (text = trimmed(text); !text.empty()) {
    if (text.front() == ',') text = trimmed(text.substr(1));
    const auto clock = clock_text(text);
    if (!clock) return std::nullopt;
    iso += " " + *clock;
  }
  return parse_time_ns(iso, zone_minutes);
}

}  // namespace fh::importers
