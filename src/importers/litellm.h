#pragma once
// LiteLLM's own tables, as CSV, JSON or JSON lines: LiteLLM_SpendLogs (one row per request, with
// the provider's usage object in `metadata`) and LiteLLM_DailyUserSpend with its siblings per team,
// organisation, end user, tag and agent (one row per day). Field names: schema.prisma of the
// LiteLLM proxy. The columns `messages` and `response` may hold prompts and are never looked at.
//
// LiteLLM computes spend from its own price list: it is kept as an estimate, not as a bill.

#include "importers/importer.h"

namespace fh::importers {

const Format& litellm_format();

}  // namespace fh::importers
