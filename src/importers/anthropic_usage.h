#pragma once
// Anthropic usage reports: messages usage, enterprise analytics usage, unified analytics usage. See
// anthropic_report.h.

#include "importers/importer.h"

namespace fh::importers {
const Format& anthropic_usage_format();
}  // namespace fh::importers
