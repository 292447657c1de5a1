#pragma once
// Recorded coding sessions with block hashes (one JSON file per session, see prefix_trace.h) as
// usage: what a prefix cache without bounds would serve within the session counts as cache reads,
// so that fresh and cached input add up to the prompts as sent. Requests of sub-agents are placed
// in time after their sub-agent's start. Times count from 1970, because the trace has none.

#include "importers/importer.h"

namespace fh::importers {

const Format& session_trace_format();

}  // namespace fh::importers
