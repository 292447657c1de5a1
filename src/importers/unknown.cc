// See unknown.h.

#include "importers/unknown.h"

#include "importers/names.h"

namespace fh::importers {
namespace {

struct Kind {
  std::string_view begin, why;
};

constexpr Kind kKinds[] = {
    {"PAR1",
     "a Parquet file: have the report delivered as CSV with gzip, or save the table as CSV"},
    {"PK\x03\x04", "a ZIP archive or a workbook: unpack it, or save its sheet as CSV"},
    {"SQLite format 3", "a database: export the table that holds the usage as CSV"},
    {"%PDF-", "a PDF document: export the usage as CSV, an invoice alone has no tokens"},
    {"BZh", "compressed with bzip2: unpack it; gzip and zstd are undone here"},
    {"\xFD"
     "7zXZ",
     "compressed with xz: unpack it; gzip and zstd are undone here"},
    {"ORC", "an ORC file: save the table as CSV"},
    {"Obj\x01", "an Avro file: save the table as CSV"},
};

}  // namespace

std::string_view why_unknown(std::string_view head) {
  for (const Kind& kind : kKinds) {
    if (head.starts_with(kind.begin)) return kind.why;
  }
  const bool telemetry = has_member(head, "resourceSpans", "[") ||
                         has_member(head, "resourceMetrics", "[") ||
                         has_member(head, "resourceLogs", "[") || contains(head, "\"gen_ai.usage.");
  if (telemetry) {
    return "OpenTelemetry records: import the tool's own logs or its provider's usage report "
           "instead";
  }
  return kUnknownFormat;
}

}  // namespace fh::importers
