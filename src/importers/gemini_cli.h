#pragma once
// Gemini CLI conversations: tokens on the model's messages. See docs/formats/usage-import.md.

#include "importers/importer.h"

namespace fh::importers {
const Format& gemini_cli_format();
}  // namespace fh::importers
