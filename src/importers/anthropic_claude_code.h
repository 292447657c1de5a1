#pragma once
// Claude Code analytics of Anthropic's Admin API: tokens and an estimate of cost per person, day
// and model. See docs/formats/usage-import.md.

#include "importers/importer.h"

namespace fh::importers {
const Format& anthropic_claude_code_format();
}  // namespace fh::importers
