#pragma once
// GitHub Copilot's usage reports: the AI-credit report (from June 2026; one row per day, user, SKU
// and model; net_amount is what is charged, included usage shows as a discount), the exports of the
// transition with premium-request rows and without token columns, and the older premium-request
// report, which has no tokens and is recognised only to say so. Columns:
// docs.github.com, "Billing reports reference".

#include "importers/importer.h"

namespace fh::importers {

const Format& copilot_format();

}  // namespace fh::importers
