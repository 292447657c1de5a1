#pragma once
// Claude Code transcripts: one JSON record per line, usage on the assistant's lines. See
// docs/formats/usage-import.md.

#include "importers/importer.h"

namespace fh::importers {
const Format& claude_code_format();
}  // namespace fh::importers
