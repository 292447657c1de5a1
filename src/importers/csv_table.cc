// Header lookup, cell reading and the frame of a CSV importer.

#include "importers/csv_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "importers/exact_sum.h"
#include "importers/names.h"

namespace fh::importers {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

// A line that may stand before the header is no longer: "sep=;" behind a byte order mark.
constexpr std::size_t kBlankMax = 8;

CsvHeader first_row(std::string_view head, bool unwrap) {
  CsvRows rows;
  CsvHeader header;
  bool found = false;
  std::vector<std::string_view> inner;
  std::string buffer;
  const auto take = [&](const CsvRow& row) {
    if (found || row.fault != RowFault::None) return;
    found = true;
    std::span<const std::string_view> fields = row.fields;
    if (unwrap && fields.size() == 1 && split_csv_row(fields[0], rows.delimiter(), inner, buffer)) {
      fields = inner;
    }
    header = CsvHeader(fields);
  };
  // A wrapped row has no delimiter outside of its quotes; the comma is what is inside.
  while (!found && !head.empty()) {  // a line: what CsvRows passes over comes before the header
    const std::size_t line_end = head.find('\n');
    const std::size_t size = line_end == std::string_view::npos ? head.size() : line_end + 1;
    rows.feed(head.substr(0, size), take);
    const bool blank = trimmed(head.substr(0, size)).size() <= kBlankMax;
    head.remove_prefix(size);
    if (!blank) break;
  }
  rows.finish(take);
  return header;
}

}  // namespace

std::string column_key(std::string_view name) {
  std::string key;
  key.reserve(name.size());
  bool gap = false;
  for (const char c : lowered(name)) {
    if (!is_word(c)) {
      gap = !key.empty();
      continue;
    }
    if (gap) key.push_back('_');
    gap = false;
    key.push_back(c);
  }
  return key;
}

CsvHeader::CsvHeader(std::span<const std::string_view> names) {
  keys_.reserve(names.size());
  names_.reserve(names.size());
  for (const std::string_view name : names) {
    keys_.push_back(column_key(name));
    names_.emplace_back(trimmed(name));
  }
}

Column CsvHeader::find(std::initializer_list<std::string_view> keys) const {
  for (const std::string_view key : keys) {
    const auto at = std::find(keys_.begin(), keys_.end(), key);
    if (at == keys_.end()) continue;
    return {static_cast<int>(at - keys_.begin()), *keys.begin(), holds_secrets(key)};
  }
  return {-1, keys.size() == 0 ? std::string_view() : *keys.begin()};
}

bool CsvHeader::has(std::string_view key) const {
  return std::find(keys_.begin(), keys_.end(), key) != keys_.end();
}

bool CsvHeader::has_all(std::initializer_list<std::string_view> keys) const {
  return std::all_of(keys.begin(), keys.end(), [this](std::string_view key) { return has(key); });
}

CsvHeader header_of(std::string_view head) {
  return first_row(head, false);
}
CsvHeader unwrapped_header_of(std::string_view head) {
  return first_row(head, true);
}

std::string Cells::name(Column column) const {
  std::string out;
  name_to(column, out);
  return out;
}

void Cells::fail(std::string why) {
  if (why_.empty()) why_ = std::move(why);
}

std::string_view Cells::number_of(Column column, std::string_view cell) {
  if (habits_.decimal == DecimalSign::Comma) return with_decimal_point(cell, scratch_);
  const auto told = with_point_if_told(cell, scratch_);
  if (!told) {
    fail(
        fmt::format("{} may be grouped or have decimals, and the file does not show which: "
                    "`decimal` of a mapping "
                    "file says it",
                    column.name));
  }
  return told.value_or(std::string_view());
}

std::nullopt_t Cells::not_a_count(Column column) {
  fail(fmt::format("{} is not a believable count", column.name));
  return std::nullopt;
}

std::optional<domain::MicroUsd> Cells::usd(Column column) {
  const std::string_view cell = number(column);
  if (cell.empty()) return std::nullopt;
  const auto value = parse_usd(cell);
  if (!value) fail(fmt::format("{} is not an amount of money", column.name));
  return value;
}

std::optional<domain::MicroUsd> Cells::usd_exact(Column column, std::string& exact) {
  constexpr std::size_t kPlainMax = 36;  // fewer digits than an exact sum takes
  exact.clear();
  const auto rounded = usd(column);
  if (!rounded) return rounded;
  const std::string_view text = number(column);
  // The shortest texts are the most frequent, and sure to be plain numbers.
  const bool plain =
      text.size() < kPlainMax && text.find_first_not_of("0123456789.-") == std::string_view::npos;
  ExactSum check;
  if (plain || check.add(text)) {
    exact.assign(text);
  } else {  // a currency sign or grouped digits: such amounts have no more decimals than we keep
    exact = domain::format_usd(*rounded);
  }
  return rounded;
}

std::optional<std::int64_t> Cells::time_ns(Column column, int zone_minutes) {
  const std::string_view cell = text(column);
  if (cell.empty()) return std::nullopt;
  const auto value = parse_time_ns(cell, zone_minutes);
  return value ? value : local_time_ns(column, cell, zone_minutes);
}

std::optional<std::int64_t> Cells::local_time_ns(Column column, std::string_view cell,
                                                 int zone_minutes) {
  const bool local = looks_like_local_date(cell);
  const DateOrder order = habits_.order_of(cell);
  if (local && (order == DateOrder::Unclear || order == DateOrder::None)) {
    fail(fmt::format("{} may have the day or the month first: a mapping file can say which",
                     column.name));
    return std::nullopt;
  }
  const auto value = local ? parse_local_time_ns(cell, order == DateOrder::MonthFirst, zone_minutes)
                           : std::nullopt;
  if (!value) fail(fmt::format("{} is not a time", column.name));
  return value;
}

std::optional<std::int64_t> Cells::ms_ns(Column column) {
  const std::string_view cell = number(column);
  if (cell.empty()) return std::nullopt;
  const auto value = parse_ms_ns(cell);
  if (!value) fail(fmt::format("{} is not a duration in milliseconds", column.name));
  return value;
}

domain::UsageRecord& CsvImporter::next_usage() {
  domain::UsageRecord& record = batch_[batched_].usage;
  // All members by name: one that is added has to be thought of here. Texts stay.
  auto& [source_id, format, provider, model, start, end, granularity, requests, usage, searches,
         tier, region, prompt_over, band_known, workspace, key, user, application, workload,
         session, cost, cost_kind, ttft, duration, line] = record;
  start = end = 0;
  granularity = domain::Granularity::Request;
  requests.reset();
  usage = {};
  searches = prompt_over = line = 0;
  tier = domain::ServiceTier::Standard;
  band_known = false;
  cost.reset();
  cost_kind = domain::CostKind::None;
  ttft.reset();
  duration.reset();
  return record;
}

domain::CostRecord& CsvImporter::next_cost() {
  domain::CostRecord& record = batch_[batched_].cost;
  auto& [source_id, format, provider, model, item, service, workspace, start, end, billed, list,
         effective, billed_exact, effective_exact, currency, unit, quantity, line] = record;
  start = end = 0;
  billed = {};
  list.reset();
  effective.reset();
  currency = "USD";
  quantity.reset();
  line = 0;
  return record;
}

void CsvImporter::emit(Sink& sink, Give what, std::span<const std::string_view> parts) {
  hashes_[batched_] = identity_.expect(parts);
  give(sink, what);
}

void CsvImporter::emit(Sink& sink, Give what) {
  hashes_[batched_].reset();
  give(sink, what);
}

void CsvImporter::give(Sink& sink, Give what) {
  RowRecords& row = batch_[batched_];
  row.has_usage = what != Give::Cost;
  row.has_cost = what != Give::Usage;
  if (++batched_ == kBatch) flush(sink);
}

void CsvImporter::flush(Sink& sink) {
  const std::size_t count = std::exchange(batched_, 0);
  for (std::size_t i = 0; i < count; ++i) {
    RowRecords& row = batch_[i];
    row.key = {};
    if (!hashes_[i]) continue;
    row.key = row.has_usage ? identity_.settle(*hashes_[i], row.usage.line, row.usage.start_unix_ns)
                            : identity_.settle(*hashes_[i], row.cost.line, row.cost.start_unix_ns);
  }
  if (count != 0) sink.rows(std::span(batch_).first(count));
  if (!identity_.told_by_line() || said_by_line_) return;
  said_by_line_ = true;
  sink.skip(0,
            "more rows than can be told apart, or no room on the disk to do it: from here on equal "
            "rows are told apart by their lines, and count again in a file with other rows before");
}

void CsvImporter::feed(std::string_view piece, Sink& sink) {
  if (refused_) return;
  rows_.feed(piece, [&](const CsvRow& row) { take(row, sink); });
  flush(sink);
}

void CsvImporter::finish(Sink& sink) {
  if (refused_) return;
  rows_.finish([&](const CsvRow& row) { take(row, sink); });
  flush(sink);
  if (!begun_) sink.skip(0, "the file has no header row");
}

std::span<const std::string_view> CsvImporter::unwrapped(std::span<const std::string_view> fields) {
  if (wrapped_ == Wrapped::No || fields.size() != 1) return fields;
  if (!split_csv_row(fields[0], rows_.delimiter(), inner_, inner_buffer_)) return fields;
  return inner_;
}

void CsvImporter::take_header(std::span<const std::string_view> fields, std::uint64_t line,
                              Sink& sink) {
  begun_ = true;
  header_ = CsvHeader(fields);
  if (const base::Status status = header(header_); !status) {
    refused_ = true;
    sink.skip(line, status.error().message);
    return;
  }
  habits_ =
      habits_of(std::exchange(head_, {}), habit_columns(), delimiter_, wrapped_ == Wrapped::Maybe);
  if (decimal_) habits_.decimal = *decimal_;
}

// Behind the rows before it, however the file was cut.
void CsvImporter::skip(Sink& sink, std::uint64_t line, std::string why) {
  flush(sink);
  sink.skip(line, std::move(why));
}

void CsvImporter::take(const CsvRow& row, Sink& sink) {
  if (refused_) return;
  if (row.fault != RowFault::None)
    return skip(sink, row.line, std::string(row_fault_text(row.fault)));
  std::span<const std::string_view> fields = unwrapped(row.fields);
  if (!begun_) return take_header(fields, row.line, sink);
  // A line of blanks, or a row of empty cells as spreadsheets leave them.
  if (trimmed(fields[0]).empty() &&
      std::ranges::all_of(fields, [](std::string_view cell) { return trimmed(cell).empty(); })) {
    return;
  }
  // Spreadsheets pad rows with empty cells on the right.
  while (fields.size() > header_.size() && trimmed(fields.back()).empty()) {
    fields = fields.first(fields.size() - 1);
  }
  if (fields.size() != header_.size()) {
    return skip(sink, row.line,
                fmt::format("the row has {} fields, the header {}", fields.size(), header_.size()));
  }
  Cells cells(fields, row.line, habits_, scratch_);
  this->row(cells, sink);
  if (!cells.ok()) skip(sink, row.line, cells.why());
}

}  // namespace fh::importers
