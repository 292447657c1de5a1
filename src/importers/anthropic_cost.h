#pragma once
// Anthropic cost reports; amounts are decimal texts in cents. See
// anthropic_report.h.

#include "importers/importer.h"

namespace fh::importers {
const Format& anthropic_cost_format();
}  // namespace fh::importers
