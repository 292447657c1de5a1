#pragma once
// AWS Bedrock model invocation logs: one JSON record per call. See docs/formats/usage-import.md.

#include "importers/importer.h"

namespace fh::importers {
const Format& bedrock_format();
}  // namespace fh::importers
