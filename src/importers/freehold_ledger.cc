// Freehold's own books, for a plan that includes what is already served here: rows of
// /admin/v1/requests (one request each) and sums of /admin/v1/usage (as JSON, or its CSV). Sums by
// model, key or workload have no time of their own: as JSON they take the range that was asked for,
// as CSV they cannot be placed. Cache writes have no lifetime here and count as the shortest.

#include "importers/freehold_ledger.h"

#include <array>
#include <charconv>
#include <chrono>
#include <vector>

#include "codec/csv.h"
#include "codec/json_scan.h"
#include "importers/elements.h"
#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

using codec::json::Value;
using domain::UsageRecord;

constexpr std::string_view kName = "freehold";
constexpr std::string_view kLists[] = {"rows"};
constexpr std::string_view kCsvColumns =
    ",requests,failed,input_uncached,cache_read,cache_write,output,reasoning,";
constexpr std::int64_t kWeekNs = 7 * kDayNs;

// "2026-W48": the Monday of that ISO week.
std::optional<std::int64_t> week_ns(std::string_view text) {
  if (text.size() != 8 || text.substr(4, 2) != "-W") return std::nullopt;
  const auto year = parse_count(text.substr(0, 4));
  const auto week = parse_count(text.substr(6));
  if (!year || !week || *week < 1 || *week > 53) return std::nullopt;
  // The week with January 4th is the first one (ISO 8601).
  const auto fourth = day_ns(static_cast<int>(*year), 1, 4);
  if (!fourth) return std::nullopt;
  const std::chrono::sys_days day{std::chrono::days(*fourth / kDayNs)};
  const unsigned past_monday = std::chrono::weekday(day).iso_encoding() - 1;
  return *fourth + (static_cast<std::int64_t>(*week) - 1) * kWeekNs - past_monday * kDayNs;
}

// Puts the group of a sum where it belongs: a time, or a name in the range [from, to).
bool place(std::string_view by, std::string_view group, UsageRecord& record) {
  if (by == "day" || by == "week") {
    const auto start = by == "day" ? parse_time_ns(group) : week_ns(group);
    if (!start) return false;
    record.start_unix_ns = *start;
    record.end_unix_ns = *start + (by == "day" ? kDayNs : kWeekNs);
    return true;
  }
  if (record.start_unix_ns <= 0 || record.end_unix_ns <= record.start_unix_ns) return false;
  if (by == "model") record.model = name_of(group);
  if (by == "key") record.key = name_of(group);
  if (by == "workload") record.workload = name_of(group);
  return by == "model" || by == "key" || by == "workload";
}

std::string sum_identity(std::string_view by, std::string_view group, const UsageRecord& record) {
  const std::string parts[] = {std::string(by), std::string(group),
                               std::to_string(record.start_unix_ns),
                               std::to_string(record.end_unix_ns)};
  return identity_of(parts);
}

UsageRecord blank_sum(std::uint64_t line) {
  UsageRecord record;
  record.format = kName;
  record.provider = kName;
  record.granularity = domain::Granularity::Day;
  record.line = line;
  return record;
}

void give(UsageRecord&& record, Sink& sink) {
  record.usage.reasoning = std::min(record.usage.reasoning, record.usage.output);
  if (record.usage.total() > 0 || record.requests.value_or(0) > 0) sink.usage(std::move(record));
}

bool read_usage(Value usage, domain::Usage& out) {
  bool bad = !usage.is_object();
  out.input_uncached = count_field(usage, "input_uncached", bad);
  out.cache_read = count_field(usage, "cache_read", bad);
  out.cache_write_5m = count_field(usage, "cache_write", bad);
  out.output = count_field(usage, "output", bad);
  out.reasoning = count_field(usage, "reasoning", bad);
  return !bad;
}

std::optional<std::int64_t> ms_ns(Value ms) {
  const auto value = ms.as_int();
  if (!value || *value <= 0 || *value > INT64_MAX / 1'000'000) return std::nullopt;
  return *value * 1'000'000;
}

std::optional<std::int64_t> us_ns(Value us) {
  const auto value = us.as_int();
  if (!value || *value < 0 || *value > INT64_MAX / 1'000) return std::nullopt;
  return *value * 1'000;
}

void read_request(Value row, std::uint64_t line, Sink& sink) {
  if (text_of(row, "state") != "settled") {
    sink.skip(line, "a request that was still running");
    return;
  }
  UsageRecord record = blank_sum(line);
  const auto start = ms_ns(row["received_ms"]);
  if (!start || !read_usage(row["usage"], record.usage)) {
    sink.skip(line, "a request without a time or without counts");
    return;
  }
  record.granularity = domain::Granularity::Request;
  record.source_id = text_of(row, "request_id");
  record.start_unix_ns = *start;
  record.end_unix_ns = std::max(*start, ms_ns(row["ended_ms"]).value_or(*start));
  record.requests = 1;
  record.model = text_of(row, "model_served");
  record.workspace = text_of(row, "project");
  record.workload = text_of(row, "workload");
  record.key = text_of_any(row, {"key_name", "key_id"});
  record.ttft_ns = us_ns(row["ttft_us"]);
  record.duration_ns = us_ns(row["duration_us"]);
  if (const auto cost = row["cost_micro_usd"].as_int()) {
    record.reported_cost = domain::MicroUsd{*cost};
    record.cost_kind = domain::CostKind::List;
  }
  give(std::move(record), sink);
}

// Scalars of the page in front of its rows.
struct PageHead {
  std::string by;
  std::int64_t from_ns = 0, to_ns = 0;
};

PageHead head_of(std::string_view text) {
  PageHead head;
  codec::json::Scanner scan(text);
  std::string_view key;
  if (!scan.open_object()) return head;
  while (scan.next_key(key)) {
    if (key == "rows") break;
    const std::string_view raw = scan.value();
    if (key == "by") head.by = codec::json::string_of(raw).value_or("");
    const auto ms = codec::json::whole_of(raw);
    if (!ms || *ms > INT64_MAX / 1'000'000) continue;
    if (key == "from_ms") head.from_ns = static_cast<std::int64_t>(*ms) * 1'000'000;
    if (key == "to_ms") head.to_ns = static_cast<std::int64_t>(*ms) * 1'000'000;
  }
  return head;
}

class LedgerJson final : public ElementImporter {
 public:
  LedgerJson() : ElementImporter(kLists) {}

 private:
  void row(Value value, const Element& element, Sink& sink) override {
    if (value["request_id"].is_string()) return read_request(value, element.line, sink);
    const PageHead head = head_of(element.page_head);
    UsageRecord record = blank_sum(element.line);
    record.start_unix_ns = head.from_ns;
    record.end_unix_ns = head.to_ns;
    const std::string group(value["group"].as_string().value_or(""));
    bool bad = false;
    record.requests = count_field(value, "requests", bad);
    if (bad || !read_usage(value["usage"], record.usage)) {
      sink.skip(element.line, "a row without counts");
    } else if (!place(head.by, group, record)) {
      sink.skip(element.line, "a sum that cannot be placed in time");
    } else {
      if (const auto cost = value["cost_micro_usd"].as_int()) {
        record.reported_cost = domain::MicroUsd{*cost};
        record.cost_kind = domain::CostKind::List;
      }
      record.source_id = sum_identity(head.by, group, record);
      give(std::move(record), sink);
    }
  }
};

// "day,requests,failed,input_uncached,...": one short line per group.
class LedgerCsv final : public LineImporter {
 public:
  LedgerCsv() : LineImporter(1024 * 1024) {}

 protected:
  void line(const LineSplitter::Line& line, Sink& sink) override {
    if (line.number == 1) {
      std::string_view header = line.text;
      if (header.starts_with("\xEF\xBB\xBF")) header.remove_prefix(3);
      by_ = header.substr(0, header.find(','));
      return;
    }
    if (line.text.empty() && !line.too_long) return;
    std::vector<std::string> cells;
    const auto got = codec::CsvReader(line.text).next(cells);
    if (line.too_long || !got || cells.size() < kCells) {
      sink.skip(line.number, "a damaged row");
      return;
    }
    UsageRecord record = blank_sum(line.number);
    std::array<std::uint64_t, kCells> counts{};
    for (std::size_t i = 1; i < kCells; ++i) {
      const auto count = parse_count(cells[i]);
      if (!count || *count > kCountMax) {
        sink.skip(line.number, "a count that is no count");
        return;
      }
      counts[i] = *count;
    }
    record.requests = counts[1];
    record.usage = {.input_uncached = counts[3],
                    .cache_read = counts[4],
                    .cache_write_5m = counts[5],
                    .cache_write_30m = 0,
                    .cache_write_1h = 0,
                    .output = counts[6],
                    .reasoning = counts[7]};
    if (!place(by_, cells[0], record)) {
      sink.skip(line.number, "a sum that cannot be placed in time");
      return;
    }
    record.source_id = sum_identity(by_, cells[0], record);
    give(std::move(record), sink);
  }

 private:
  static constexpr std::size_t kCells = 8;
  std::string by_;
};

bool is_csv(std::string_view head) {
  return contains(head.substr(0, std::min(head.find('\n'), head.size())), kCsvColumns);
}

int recognise(const FileHint& hint) {
  if (is_csv(hint.head)) return 97;
  if (!contains(hint.head, "\"input_uncached\"") || !contains(hint.head, "\"cache_read\"")) {
    return 0;
  }
  return contains(hint.head, "\"model_served\"") || contains(hint.head, "\"cost_unpriced\"") ? 96
                                                                                             : 40;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options&) {
  if (is_csv(hint.head)) return std::make_unique<LedgerCsv>();
  return std::make_unique<LedgerJson>();
}

}  // namespace

const Format& freehold_ledger_format() {
  static constexpr Format kFormat{kName, "Freehold usage", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
