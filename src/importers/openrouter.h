#pragma once
// OpenRouter's activity export: CSV with one row per generation (times to the millisecond, time to
// first token, cached tokens inside the prompt tokens, cost in dollars), and the daily activity of
// its API (GET /api/v1/activity) as JSON. Column order has changed over time; columns go by name.

#include "importers/importer.h"

namespace fh::importers {

const Format& openrouter_format();

}  // namespace fh::importers
