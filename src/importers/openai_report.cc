// See openai_report.h.

#include "importers/openai_report.h"

#include "importers/numbers.h"

namespace fh::importers::openai {
namespace {

using codec::json::Value;

constexpr std::string_view kLists[] = {"data"};

std::optional<std::int64_t> time_of(Value bucket, std::string_view key) {
  if (!bucket[key].exists() || bucket[key].is_null()) return std::nullopt;
  return parse_time_ns(number_text(bucket[key]));
}

}  // namespace

ReportImporter::ReportImporter() : ElementImporter(kLists) {}

void ReportImporter::row(Value value, const Element& element, Sink& sink) {
  const auto start = time_of(value, "start_time");
  const auto end = time_of(value, "end_time");
  if (!start || (end && *end <= *start)) {
    sink.skip(element.line, "a bucket without a time that can be read");
    return;
  }
  const Value list = value["results"].exists() ? value["results"] : value["result"];
  if (!list.is_array()) {
    sink.skip(element.line, "a bucket without a list of results");
    return;
  }
  const Bucket bucket{*start, end.value_or(*start + kDayNs), element.line};
  for (const Value result : list.elements()) {
    const bool cost =
        text_of(result, "object") == "organization.costs.result" || result["amount"].exists();
    cost ? read_cost(result, bucket, sink) : read_usage(result, bucket, sink);
  }
}

}  // namespace fh::importers::openai
