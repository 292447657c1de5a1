#pragma once
// A CSV file with a header row, as most exports are: columns are found by name whatever their order
// and spelling, cells are read with the row's first mistake kept, and an importer is the two
// functions that tell formats apart: what the header says, and what a row says.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "importers/csv_rows.h"
#include "importers/importer.h"
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
  Cells(std::span<const std::string_view> fields, std::uint64_t line)
      : fields_(fields), line_(line) {}

  // Without blanks around; empty when the file lacks the column, and for the words "NULL" and
  // "null" by which databases write nothing.
  std::string_view text(Column column) const;
  std::string name(Column column) const;  // the text made safe to keep, see names.h
  std::uint64_t count(Column column);     // 0 when empty; believable, see names.h
  std::optional<std::uint64_t> count_if_told(Column column);
  std::optional<domain::MicroUsd> usd(Column column);
  std::optional<std::int64_t> time_ns(Column column);
  std::optional<std::int64_t> ms_ns(Column column);

  std::uint64_t line() const { return line_; }
  std::span<const std::string_view> fields() const { return fields_; }
  void fail(std::string why);
  bool ok() const { return why_.empty(); }
  const std::string& why() const { return why_; }

 private:
  std::span<const std::string_view> fields_;
  std::uint64_t line_;
  std::string why_;
};

class CsvImporter : public Importer {
 public:
  enum class Wrapped : std::uint8_t {
    No,
    Maybe,  // rows may stand whole inside one pair of quotes, with inner quotes doubled
  };
  explicit CsvImporter(Wrapped wrapped = Wrapped::No, const CsvRowLimits& limits = {},
                       char delimiter = '\0')
      : wrapped_(wrapped), rows_(limits, delimiter) {}
  void feed(std::string_view piece, Sink& sink) final;
  void finish(Sink& sink) final;

 protected:
  // Once, before the rows. An error skips the file as a whole with its message.
  virtual base::Status header(const CsvHeader& header) = 0;
  // A row with as many cells as the header. What it leaves in Cells::why() skips the row.
  virtual void row(Cells& cells, Sink& sink) = 0;
  RowIdentity& identity() { return identity_; }

 private:
  void take(const CsvRow& row, Sink& sink);
  void take_header(std::span<const std::string_view> fields, std::uint64_t line, Sink& sink);
  std::span<const std::string_view> unwrapped(std::span<const std::string_view> fields);

  Wrapped wrapped_;
  CsvRows rows_;
  CsvHeader header_;
  bool begun_ = false, refused_ = false;
  std::vector<std::string_view> inner_;
  std::string inner_buffer_;
  RowIdentity identity_;
};

}  // namespace fh::importers
