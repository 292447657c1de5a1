// See csv_habits.h.

#include "importers/csv_habits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

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

// What a number says about the sign in front of decimals. Ambiguous: "1,234", "1.234".
enum class Sign : std::uint8_t { Nothing, Point, Comma, Ambiguous };

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

// The number of a cell without what stands around it and without groups that no sign separates.
struct Digits {
  std::array<char, 64> buffer;
  std::size_t size = 0;
  bool decided = false;  // by blanks between groups, or an exponent: a sign is that of decimals
  std::string_view text() const { return {buffer.data(), size}; }
};

Digits digits_of(std::string_view cell) {
  Digits out;
  while (!cell.empty() && !is_digit(cell.front()) && cell.front() != '.' && cell.front() != ',') {
    const char c = cell.front();
    if (c != '-' && c != '+' && c != '(' && c != '$' && c != ' ' && c != 'U' && c != 'S') {
      return out;
    }
    cell.remove_prefix(1);
  }
  bool gap = false;
  for (const char c : cell) {
    if (c == ' ' || c == '\'' || static_cast<unsigned char>(c) >= 0x80) {
      gap = true;
      continue;
    }
    if (!is_digit(c) && c != '.' && c != ',') {
      out.decided = out.decided || c == 'e' || c == 'E';
      break;
    }
    if (out.size == out.buffer.size()) return {};
    out.decided = out.decided || gap;
    out.buffer[out.size++] = c;
  }
  return out;
}

Sign sign_in(std::string_view cell) {
  const Digits digits = digits_of(cell);
  const std::string_view number = digits.text();
  const auto points = std::ranges::count(number, '.'), commas = std::ranges::count(number, ',');
  if (points + commas == 0) return Sign::Nothing;
  const bool point_last = commas == 0 || (points != 0 && number.rfind('.') > number.rfind(','));
  const Sign last = point_last ? Sign::Point : Sign::Comma;
  if (points != 0 && commas != 0) {  // "1,234.5": the last one, if it stands once
    return (point_last ? points : commas) == 1 ? last : Sign::Nothing;
  }
  const bool groups = may_be_groups(number, point_last ? '.' : ',');
  if (points + commas > 1) {  // groups, or no number at all
    if (!groups) return Sign::Nothing;
    return point_last ? Sign::Comma : Sign::Point;
  }
  return groups && !digits.decided ? Sign::Ambiguous : last;
}

struct LocalDate {
  int first = 0, second = 0;
  char separator = 0;
};

std::size_t kind_of(char separator) {
  return separator == '/' ? 0 : separator == '-' ? 1 : 2;
}

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
  struct Dates {
    bool any = false, month_first = false, day_first = false;
  };
  bool point = false, comma = false;
  bool doubtful_point = false, doubtful_comma = false;  // "12.000", "12,000"
  std::array<Dates, 3> dates{};

  void count(std::string_view text) {
    const Sign sign = sign_in(text);
    if (sign != Sign::Ambiguous) return number(text);
    const char separator = text.find('.') != std::string_view::npos ? '.' : ',';
    const bool zeros =
        text.substr(text.find(separator)).find_first_of("123456789") == std::string_view::npos;
    (separator == '.' ? (zeros ? doubtful_point : comma) : (zeros ? doubtful_comma : point)) = true;
  }

  void number(std::string_view text) {
    const Sign sign = sign_in(text);
    point = point || sign == Sign::Point;
    comma = comma || sign == Sign::Comma;
  }
  void time(std::string_view text) {
    const auto found = local_date(text);
    if (!found) return;
    Dates& seen = dates[kind_of(found->separator)];
    seen.any = true;
    seen.day_first = seen.day_first || found->first > 12;
    seen.month_first = seen.month_first || found->second > 12;
  }
  DateOrder order(std::size_t kind) const {
    const Dates& seen = dates[kind];
    if (!seen.any) return kind == kind_of('.') ? DateOrder::DayFirst : DateOrder::None;
    if (seen.month_first != seen.day_first) {
      return seen.month_first ? DateOrder::MonthFirst : DateOrder::DayFirst;
    }
    return kind == kind_of('.') && !seen.day_first ? DateOrder::DayFirst : DateOrder::Unclear;
  }
  DecimalSign decimal(char delimiter) const {
    if (point && comma) return DecimalSign::Unclear;
    if (comma || (!point && delimiter == ';')) {
      return doubtful_comma && !comma ? DecimalSign::Unclear : DecimalSign::Comma;
    }
    return doubtful_point && !point ? DecimalSign::Unclear : DecimalSign::Point;
  }
};

}  // namespace

DateOrder CsvHabits::order_of(std::string_view date) const {
  const auto found = local_date(trimmed(date));
  return found ? dates[kind_of(found->separator)] : DateOrder::None;
}

CsvHabits habits_of(std::string_view head, const HabitColumns& columns, char delimiter,
                    bool unwrap) {
  CsvRows rows({}, delimiter);
  Seen seen;
  std::vector<std::string_view> inner;
  std::string buffer;
  const auto take = [&](const CsvRow& row) {
    std::span<const std::string_view> fields = row.fields;
    if (unwrap && fields.size() == 1 && split_csv_row(fields[0], rows.delimiter(), inner, buffer)) {
      fields = inner;
    }
    const auto cell = [&](int column) {
      const auto at = static_cast<std::size_t>(column);  // -1 is behind every row
      return at < fields.size() && fields[at].size() < 40 ? trimmed(fields[at])
                                                          : std::string_view();
    };
    for (const int column : columns.numbers) seen.number(cell(column));
    for (const int column : columns.times) seen.time(cell(column));
    for (const int column : columns.counts) seen.count(cell(column));
  };
  rows.feed(head, take);
  rows.finish(take);
  CsvHabits habits;
  habits.decimal = seen.decimal(rows.delimiter());
  for (std::size_t kind = 0; kind < habits.dates.size(); ++kind) {
    habits.dates[kind] = seen.order(kind);
  }
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

std::optional<std::string_view> with_point_if_told(std::string_view text, std::string& out) {
  const Sign sign = sign_in(text);
  if (sign == Sign::Ambiguous) return std::nullopt;
  return sign == Sign::Comma ? with_decimal_point(text, out) : text;
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
