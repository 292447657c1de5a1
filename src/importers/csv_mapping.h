#pragma once
// How a CSV file of no known format is to be read: which column is what, and what the numbers mean.
// Comes from a mapping file in TOML, or is guessed from column names that leave no doubt.
//
//   input_includes_cache = true        # cached tokens are counted inside `input` (default false)
//   output_includes_reasoning = true   # the default; false: reasoning is added to the output
//   tokens_per_unit = 1000             # what one of every token count stands for (default 1)
//   time_format = "auto"               # "iso", "unix_s", "unix_ms", "mdy" (8/28/2026), "dmy"
//   time_zone = "+02:00"               # of times that name none (default UTC)
//   cost_unit = "usd"                  # or "cents"
//   cost_kind = "billed"               # or "list", "estimate" (default)
//   granularity = "request"            # "minute", "hour", "day"; default: a date alone is a day
//   decimal = ","                      # or "."; default: found out, see csv_habits.h
//   delimiter = ";"                    # default: found out
//   [columns]                          # the file's column names; time, a model and a token count
//   time = "Created"                   # are needed, everything else may be left out
//   end = "Finished"
//   model = "Model"
//   input = "Prompt tokens"
//   ...  id provider cache_read cache_write cache_write_1h output reasoning requests cost user key
//        workspace application workload session tier region ttft_ms duration_ms
//   [constants]                        # instead of a column: one value for every row
//   model = "gpt-5"
//   ...  provider user key workspace application workload session tier region

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "importers/csv_table.h"

namespace fh::importers {

enum class MapField : std::uint8_t {
  Time,
  End,
  Id,
  Model,
  Provider,
  Input,
  CacheRead,
  CacheWrite,
  CacheWrite1h,
  Output,
  Reasoning,
  Requests,
  Cost,
  User,
  Key,
  Workspace,
  Application,
  Workload,
  Session,
  Tier,
  Region,
  TtftMs,
  DurationMs,
  Count,
};
inline constexpr std::size_t kMapFields = static_cast<std::size_t>(MapField::Count);
std::string_view map_field_name(MapField field);  // "cache_read"

enum class TimeFormat : std::uint8_t { Auto, Iso, UnixS, UnixMs, MonthFirst, DayFirst };

struct CsvMapping {
  std::array<std::string, kMapFields> columns;    // names as in the file; empty: none
  std::array<std::string, kMapFields> constants;  // empty: none
  bool input_includes_cache = false;
  bool output_includes_reasoning = true;
  std::uint64_t tokens_per_unit = 1;
  TimeFormat time_format = TimeFormat::Auto;
  int zone_minutes = 0;
  bool cost_in_cents = false;
  domain::CostKind cost_kind = domain::CostKind::Estimate;
  std::optional<domain::Granularity> granularity;
  std::optional<DecimalSign> decimal;
  char delimiter = '\0';

  const std::string& column(MapField field) const {
    return columns[static_cast<std::size_t>(field)];
  }
  const std::string& constant(MapField field) const {
    return constants[static_cast<std::size_t>(field)];
  }
};

// Error: InvalidArgument with line and key; an unknown key names the known one that it resembles.
base::Result<CsvMapping> parse_csv_mapping(std::string_view toml);
// The mapping that the names of the columns give by themselves; nullopt when time, model and both
// token counts are not all there.
std::optional<CsvMapping> guess_csv_mapping(const CsvHeader& header);

using MappedColumns = std::array<Column, kMapFields>;
// Where the mapping's columns are. Error: InvalidArgument for a name that the header lacks, with
// the one that it resembles.
base::Result<MappedColumns> resolve(const CsvMapping& mapping, const CsvHeader& header);

// A time in the mapping's form; nullopt when it is not in it.
std::optional<std::int64_t> mapped_time_ns(const CsvMapping& mapping, std::string_view text);

}  // namespace fh::importers
