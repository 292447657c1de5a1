// See anthropic_report.h.

#include "importers/anthropic_report.h"

#include "importers/numbers.h"

namespace fh::importers::anthropic {
namespace {

constexpr std::string_view kLists[] = {"data"};

void read_result(codec::json::Value row, const Bucket& bucket, std::uint64_t line, Sink& sink) {
  if (!row.is_object()) {
    sink.skip(line, "a result that is no object");
  } else if (row["amount"].exists() || row["cost"].is_object()) {
    read_cost(row, bucket, line, sink);
  } else if (row["output_tokens"].exists() || row["uncached_input_tokens"].exists() ||
             row["cache_read_input_tokens"].exists()) {
    read_usage(row, bucket, line, sink);
  } else {
    sink.skip(line, "a row with neither tokens nor an amount");
  }
}

}  // namespace

bool read_bucket(codec::json::Value value, Bucket& bucket) {
  const auto start = value["starting_at"].as_string();
  const auto end = value["ending_at"].as_string();
  const auto date = value["date"].as_string();
  const auto from = parse_time_ns(start ? *start : date.value_or(""));
  if (!from) return false;
  bucket.start_unix_ns = *from;
  bucket.end_unix_ns = *from + kDayNs;
  if (end) {
    const auto until = parse_time_ns(*end);
    if (!until || *until <= *from) return false;
    bucket.end_unix_ns = *until;
  }
  bucket.granularity = granularity_of(bucket.end_unix_ns - bucket.start_unix_ns);
  return true;
}

bool read_cache_writes(codec::json::Value row, domain::Usage& usage) {
  bool bad = false;
  const codec::json::Value classes = row["cache_creation"];
  usage.cache_write_5m = count_field(classes, "ephemeral_5m_input_tokens", bad);
  usage.cache_write_1h = count_field(classes, "ephemeral_1h_input_tokens", bad);
  // Older answers have the sum alone: then it is of the default lifetime.
  const std::uint64_t sum = count_field(row, "cache_creation_input_tokens", bad);
  const std::uint64_t known = usage.cache_write_5m + usage.cache_write_1h;
  if (sum > known) usage.cache_write_5m += sum - known;
  return !bad;
}

ReportImporter::ReportImporter() : ElementImporter(kLists) {}

void ReportImporter::row(codec::json::Value value, const Element& element, Sink& sink) {
  Bucket bucket;
  if (!read_bucket(value, bucket)) {
    sink.skip(element.line, "a bucket without a time that can be read");
    return;
  }
  const codec::json::Value results = value["results"];
  if (!results.exists()) return read_result(value, bucket, element.line, sink);
  if (!results.is_array()) {
    sink.skip(element.line, "a bucket whose results are no list");
    return;
  }
  for (const codec::json::Value result : results.elements()) {
    read_result(result, bucket, element.line, sink);
  }
}

}  // namespace fh::importers::anthropic
