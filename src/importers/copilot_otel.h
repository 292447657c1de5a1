#pragma once
// The telemetry files of GitHub Copilot's command line and editors (~/.copilot/otel/*.jsonl, which
// their user switches on): OpenTelemetry spans and log records of model calls, one a line, or OTLP
// in JSON. See docs/formats/usage-import.md.

#include "importers/importer.h"

namespace fh::importers {
const Format& copilot_otel_format();
}  // namespace fh::importers
