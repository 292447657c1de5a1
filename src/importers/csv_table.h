#pragma once
// A CSV file with a header row, as most exports are: columns are found by name whatever their order
// and spelling, cells are read with the row's first mistake kept, and an importer is the two
// functions that tell formats apart: what the header says, and what a row says.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "importers/csv_habits.h"
#include "importers/csv_rows.h"
#include "importers/importer.h"
#include "importers/names.h"
#include "importers/numbers.h"
#include "importers/row_identity.h"

namespace fh::importers {

// A header's name in the one spelling that columns are looked up by: lower case, each run of other
// characters one underscore, none at the ends. "Input (w/ Cache Write)" is "input_w_cache_write",
// "ChargePeriodStart" is "chargeperiodstart".
std::string column_key(std::string_view name);

struct Column {
  int index = -1;         // -1: the file has none
  std::string_view name;  // for messages; static text
  bool secret = false;    // its cells are credentials, of which a label is kept
  explicit operator bool() const { return index >= 0; }
};

class CsvHeader {
 public:
  CsvHeader() = default;
  explicit CsvHeader(std::span<const std::string_view> names);
  // The first of `keys` that the header has, leftmost on a tie. The name is the first key.
  Column find(std::initializer_list<std::string_view> keys) const;
  bool has(std::string_view key) const;
  bool has_all(std::initializer_list<std::string_view> keys) const;
  std::size_t size() const { return keys_.size(); }
  const std::vector<std::string>& keys() const { return keys_; }
  const std::vector<std::string>& names() const { return names_; }  // as written, trimmed

 private:
  std::vector<std::string> keys_, names_;
};

// The header of a file whose first bytes these are; empty when they hold no whole row.
CsvHeader header_of(std::string_view head);
// Likewise where the header row may be quoted whole (see CsvImporter::Wrapped).
CsvHeader unwrapped_header_of(std::string_view head);

// One row's cells. Reading one that is not what it should be answers as for an empty cell and keeps
// the first mistake.
class Cells {
 public:
  Cells(std::span<const std::string_view> fields, std::uint64_t line, const CsvHabits& habits,
        std::string& scratch)
      : fields_(fields), line_(line), habits_(habits), scratch_(scratch) {}

  // Without blanks around; empty when the file lacks the column, and for the words "NULL" and
  // "null" by which databases write nothing.
  std::string_view text(Column column) const {
    const auto index = static_cast<std::size_t>(column.index);  // -1 is behind every row
    return index < fields_.size() ? content(fields_[index]) : std::string_view();
  }
  std::string name(Column column) const;  // the text made safe to keep, see names.h
  void name_to(Column column, std::string& out) const {
    column.secret ? secret_to(text(column), out) : importers::name_to(text(column), out);
  }
  // The text of a number with a decimal point, whatever the file has; valid until the next call.
  std::string_view number(Column column) {
    const std::string_view cell = text(column);
    return habits_.decimal == DecimalSign::Point ? cell : number_of(column, cell);
  }
  // 0 when empty; believable, see names.h
  std::uint64_t count(Column column) { return count_if_told(column).value_or(0); }
  std::optional<std::uint64_t> count_if_told(Column column) {
    const std::string_view plain = text(column);
    std::uint64_t digits = 0;  // say the same whatever the file's decimal sign is
    if (!plain.empty() && plain.size() <= 8 && read_digits(plain, digits)) return digits;
    const std::string_view cell = number(column);
    if (cell.empty()) return std::nullopt;
    const auto value = parse_count(cell);
    if (value && *value <= kCountMax) return value;
    return not_a_count(column);
  }
  std::optional<domain::MicroUsd> usd(Column column);
  // The same, and into `exact` the text that exact sums are made of; empty with nullopt.
  std::optional<domain::MicroUsd> usd_exact(Column column, std::string& exact);
  // In ISO 8601, as a Unix time, or as people write it where the file shows in which order.
  // `zone_minutes` is that of times which name none.
  std::optional<std::int64_t> time_ns(Column column, int zone_minutes = 0);
  std::optional<std::int64_t> ms_ns(Column column);

  std::uint64_t line() const { return line_; }
  std::span<const std::string_view> fields() const { return fields_; }
  void fail(std::string why);
  // Whatever was found out before.
  void fail_as(std::string why) { why_ = std::move(why); }
  bool ok() const { return why_.empty(); }
  const std::string& why() const { return why_; }

 private:
  std::string_view number_of(Column column, std::string_view cell);
  std::nullopt_t not_a_count(Column column);
  std::optional<std::int64_t> local_time_ns(Column column, std::string_view cell, int zone_minutes);
  static std::string_view content(std::string_view cell) {
    if (cell.empty()) return cell;
    if (cell.front() <= ' ' || cell.back() <= ' ') cell = trimmed(cell);
    return cell == "NULL" || cell == "null" ? std::string_view() : cell;
  }

  std::span<const std::string_view> fields_;
  std::uint64_t line_;
  const CsvHabits& habits_;
  std::string& scratch_;
  std::string why_;
};

class CsvImporter : public Importer {
 public:
  enum class Wrapped : std::uint8_t {
    No,
    Maybe,  // rows may stand whole inside one pair of quotes, with inner quotes doubled
  };
  // `head`: the first bytes of the file, which show how it writes numbers and dates.
  explicit CsvImporter(std::string_view head, Wrapped wrapped = Wrapped::No, char delimiter = '\0')
      : wrapped_(wrapped), delimiter_(delimiter), head_(head), rows_({}, delimiter) {}
  void feed(std::string_view piece, Sink& sink) final;
  void finish(Sink& sink) final;

 protected:
  // Once, before the rows. An error skips the file as a whole with its message.
  virtual base::Status header(const CsvHeader& header) = 0;
  // After the header: all columns that are read by Cells::number and what is made of it, and by
  // Cells::time_ns. They alone show how the file writes numbers and dates.
  virtual HabitColumns habit_columns() const = 0;
  // Where the file's owner says it.
  void set_decimal(DecimalSign sign) { decimal_ = sign; }
  // A row with as many cells as the header. What it leaves in Cells::why() skips the row.
  virtual void row(Cells& cells, Sink& sink) = 0;
  // The records for the row at hand: numbers as they are by default, texts as some row before has
  // left them. So a text that an importer ever sets is set in every row; most rows name what those
  // before them do, and then nothing is copied.
  domain::UsageRecord& next_usage();
  domain::CostRecord& next_cost();
  // They go to the sink, some rows later: looking up what is known is what takes longest, and it is
  // faster for several rows at once. Identified by `parts` (see RowIdentity), or as they are.
  enum class Give : std::uint8_t { Usage, Cost, Both };
  void emit(Sink& sink, Give what, std::span<const std::string_view> parts);
  void emit(Sink& sink, Give what, std::initializer_list<std::string_view> parts) {
    emit(sink, what, std::span(parts.begin(), parts.size()));
  }
  void emit(Sink& sink, Give what);

 private:
  void take(const CsvRow& row, Sink& sink);
  void give(Sink& sink, Give what);
  void flush(Sink& sink);
  void skip(Sink& sink, std::uint64_t line, std::string why);
  void take_header(std::span<const std::string_view> fields, std::uint64_t line, Sink& sink);
  std::span<const std::string_view> unwrapped(std::span<const std::string_view> fields);

  Wrapped wrapped_;
  char delimiter_;
  std::string head_;  // until the header is read
  std::optional<DecimalSign> decimal_;
  CsvHabits habits_;
  std::string scratch_;
  CsvRows rows_;
  CsvHeader header_;
  bool begun_ = false, refused_ = false;
  std::vector<std::string_view> inner_;
  std::string inner_buffer_;
  RowIdentity identity_;
  bool said_by_line_ = false;
  static constexpr std::size_t kBatch = 16;
  std::array<RowRecords, kBatch> batch_;
  std::array<std::optional<codec::FastHash>, kBatch> hashes_;  // of those without an identity yet
  std::size_t batched_ = 0;
};

}  // namespace fh::importers
