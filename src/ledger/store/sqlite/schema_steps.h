#pragma once
// The versions of a schema: a file says which one it has and from which release on it can be read,
// and is lifted step by step. Private to this folder.

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "ledger/store/sqlite/database.h"

namespace fh::ledger {

// A step is an SQL text that lifts the schema by one version; steps are never edited once released.
// The first makes version 1 from an empty file, with the table schema_version(version,
// readable_from) and its row. All strings outlive the program's use of them.
struct SchemaSteps {
  std::int64_t application_id = 0;     // tells the file from any other database, also to file(1)
  std::span<const char* const> steps;  // as many as the newest version
  std::int64_t readable_from =
      0;                        // the oldest release, named by its version, that can work with it
  std::string_view name;        // "the ledger file"
  std::string_view not_ours;    // what is said of a file of somebody else
  std::string_view newer_hint;  // what to do about one that only newer releases can read
};

// Makes or migrates the schema in one transaction. FailedPrecondition when the file is another
// program's, or was made by a release that says ours cannot read it.
base::Status prepare_schema(const Database& db, const SchemaSteps& schema);
// The version found, 0 for a file without any table; errors as above. Nothing is written.
base::Result<std::int64_t> check_schema(const Database& db, const SchemaSteps& schema);

}  // namespace fh::ledger
