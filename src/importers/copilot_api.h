#pragma once
// GitHub's billing API: answers with `usageItems`, of AI credits, of premium requests or of all
// products. They hold amounts and quantities, never tokens: cost records.

#include "importers/importer.h"

namespace fh::importers {

const Format& copilot_api_format();

}  // namespace fh::importers
