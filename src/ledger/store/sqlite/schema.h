#pragma once
// The ledger file's schema and its versions (docs/formats/ledger.md). Private to this folder.

#include <cstdint>

#include "base/result.h"
#include "ledger/store/sqlite/database.h"

namespace fh::ledger {

inline constexpr std::int64_t kSchemaVersion = 1;
// The oldest release, named by its schema version, that can work with a file of kSchemaVersion.
inline constexpr std::int64_t kSchemaReadableFrom = 1;

// Makes or migrates the schema in one transaction. FailedPrecondition when the file was made by a
// release that says ours cannot read it.
base::Status prepare_schema(const Database& db);
// Only the check; nothing is written, not even the journal mode. `may_be_empty`: a file without any
// table passes.
base::Status check_schema(const Database& db, bool may_be_empty);

}  // namespace fh::ledger
