#pragma once
// Freehold's own books: the usage sums as JSON or CSV and the ledger rows of docs/api/admin.md.
// See docs/formats/usage-import.md.

#include "importers/importer.h"

namespace fh::importers {
const Format& freehold_ledger_format();
}  // namespace fh::importers
