#pragma once
// OpenAI organization costs: dollars per day, project and line item. See docs/formats/usage-
// import.md.

#include "importers/importer.h"

namespace fh::importers {
const Format& openai_costs_format();
}  // namespace fh::importers
