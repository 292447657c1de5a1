#pragma once
// Mooncake's and Bailian's request traces (JSON lines, see prefix_trace.h) as usage: what a prefix
// cache without bounds would serve counts as cache reads. Times count from 1970, because the trace
// has none.

#include "importers/importer.h"

namespace fh::importers {

const Format& mooncake_trace_format();
const Format& bailian_trace_format();

}  // namespace fh::importers
