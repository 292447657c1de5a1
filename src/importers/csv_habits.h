#pragma once
// How a CSV file writes numbers and dates, found out from its first rows: exports that went through
// a spreadsheet have the habits of its owner's country. Only the columns that are read as numbers
// and as times are judged: an address or a version says nothing. What cannot be told for sure is
// said, not guessed.
//
//   0,32 1.234,56    a decimal comma, seen, or assumed in a file with semicolons whose numbers
//                    leave it open (spreadsheets write these for countries with a decimal comma)
//   0,32 and 0.32    both: unclear, and a cell that may be either (1.234) is refused
//   12.000           of a count, and nothing else in the file: unclear, too
//   8/28/2026        month first, when some date of the file with this separator can be nothing
//                    else; likewise day first; dates with dots are day first unless one cannot be

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fh::importers {

enum class DateOrder : std::uint8_t { None, MonthFirst, DayFirst, Unclear };

enum class DecimalSign : std::uint8_t { Point, Comma, Unclear };

struct CsvHabits {
  DecimalSign decimal = DecimalSign::Point;
  std::array<DateOrder, 3> dates{};  // by separator
  // Of the separator that the text, a local date, has.
  DateOrder order_of(std::string_view date) const;
};

// The columns whose cells are read as numbers, as times, and as whole numbers; those below 0 are
// none. A whole number shows more: 1.234 has no decimals, so its point separates groups.
struct HabitColumns {
  std::vector<int> numbers, times;
  std::vector<int> counts = {};
};

// `head`: the first bytes of the file. `delimiter` '\0': found out. `unwrap`: rows may stand whole
// inside one pair of quotes.
CsvHabits habits_of(std::string_view head, const HabitColumns& columns, char delimiter = '\0',
                    bool unwrap = false);

// "8/28/2026 5:49 PM", "28.08.2026, 17:49:12 +02:00" as UTC nanoseconds; nullopt for anything else.
std::optional<std::int64_t> parse_local_time_ns(std::string_view text, bool month_first,
                                                int zone_minutes = 0);
// Whether it begins as such a date does.
bool looks_like_local_date(std::string_view text);

// "1.234,56" as "1,234.56" into `out`.
std::string_view with_decimal_point(std::string_view text, std::string& out);
// The number with a decimal point, where a file writes now a comma, now a point: as it is or into
// `out`. nullopt for one that may be either.
std::optional<std::string_view> with_point_if_told(std::string_view text, std::string& out);

}  // namespace fh::importers
