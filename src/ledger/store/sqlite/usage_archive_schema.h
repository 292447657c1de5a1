#pragma once
// The usage archive's schema and its versions (docs/formats/usage-archive.md). Private to this
// folder.

#include <cstdint>

#include "base/result.h"
#include "ledger/store/sqlite/database.h"

namespace fh::ledger {

inline constexpr std::int64_t kArchiveVersion = 1;
// The oldest release, named by its schema version, that can work with a file of kArchiveVersion.
inline constexpr std::int64_t kArchiveReadableFrom = 1;

// Makes or migrates the schema in one transaction. FailedPrecondition when another program or a
// release that says ours cannot read it made the file.
base::Status prepare_archive_schema(const Database& db);
// Only the check; nothing is written. `may_be_empty`: a file without any table passes.
base::Status check_archive_schema(const Database& db, bool may_be_empty);

}  // namespace fh::ledger
