#pragma once
// How a CSV file writes numbers and dates, found out from its first rows: exports that went through
// a spreadsheet have the habits of its owner's country. What cannot be told for sure is said, not
// guessed.
//
//   0,32 1.234,56    a decimal comma, seen, or assumed in a file with semicolons whose numbers
//   leave
//                    it open (spreadsheets write these for countries with a decimal comma)
//   8/28/2026        month first, when some date of the file can be nothing else; likewise day
//   first;
//                    dates with dots are day first

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fh::importers {

enum class DateOrder : std::uint8_t { None, MonthFirst, DayFirst, Unclear };

struct CsvHabits {
  bool decimal_comma = false;
  DateOrder dates = DateOrder::None;
};

// `head`: the first bytes of the file. `delimiter` '\0': found out.
CsvHabits habits_of(std::string_view head, char delimiter = '\0');

// "8/28/2026 5:49 PM", "28.08.2026, 17:49:12 +02:00" as UTC nanoseconds; nullopt for anything else.
std::optional<std::int64_t> parse_local_time_ns(std::string_view text, bool month_first,
                                                int zone_minutes = 0);
// Whether it begins as such a date does.
bool looks_like_local_date(std::string_view text);

// "1.234,56" as "1,234.56" into `out`.
std::string_view with_decimal_point(std::string_view text, std::string& out);

}  // namespace fh::importers
