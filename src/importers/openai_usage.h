#pragma once
// OpenAI organization usage: buckets of tokens and requests per project, key, user and model. See
// docs/formats/usage-import.md.

#include "importers/importer.h"

namespace fh::importers {
const Format& openai_usage_format();
}  // namespace fh::importers
