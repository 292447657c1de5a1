#pragma once
// Anthropic's Admin API as a source of pulls: messages usage report and cost report.

#include "importers/pull.h"

namespace fh::importers {
const PullProvider& anthropic_pull();
}  // namespace fh::importers
