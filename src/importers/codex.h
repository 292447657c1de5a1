#pragma once
// Codex CLI session logs: one JSON event per line, token counts as running totals and last steps.
// See docs/formats/usage-import.md.

#include "importers/importer.h"

namespace fh::importers {
const Format& codex_format();
}  // namespace fh::importers
