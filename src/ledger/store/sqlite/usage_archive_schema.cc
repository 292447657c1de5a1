// See usage_archive_schema.h; how steps work: schema_steps.h.
//
// Rows lie in order of start time, so that a scan reads the file from front to back, and a second
// index finds an event by the digest that names it. Strings are numbers into `names`, and what
// changes rarely from record to record is one number into `facets`: a row then takes about 60 bytes
// and two index entries, which is what makes large imports quick. Ids are never used twice
// (AUTOINCREMENT): a reader may remember what they mean.

#include "ledger/store/sqlite/usage_archive_schema.h"

#include <array>

#include "ledger/store/sqlite/schema_steps.h"

namespace fh::ledger {
namespace {

constexpr std::int64_t kApplicationId = 0x46487561;  // "FHua"

constexpr const char* kStep0 = R"sql(
CREATE TABLE schema_version(
  version INTEGER NOT NULL,
  readable_from INTEGER NOT NULL
) STRICT;
INSERT INTO schema_version VALUES(1, 1);

CREATE TABLE names(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  text TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE facets(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  format INTEGER NOT NULL,
  provider INTEGER NOT NULL,
  model INTEGER NOT NULL,
  region INTEGER NOT NULL,
  workspace INTEGER NOT NULL,
  key_name INTEGER NOT NULL,
  user_name INTEGER NOT NULL,
  application INTEGER NOT NULL,
  workload INTEGER NOT NULL,
  granularity TEXT NOT NULL,
  tier TEXT NOT NULL,
  cost_kind TEXT NOT NULL,
  prompt_over INTEGER NOT NULL,
  prompt_band_known INTEGER NOT NULL,
  UNIQUE(format, provider, model, region, workspace, key_name, user_name, application, workload,
    granularity, tier, cost_kind, prompt_over, prompt_band_known)
) STRICT;

CREATE TABLE usage(
  start_unix_ns INTEGER NOT NULL,
  id_high INTEGER NOT NULL,
  id_low INTEGER NOT NULL,
  facets INTEGER NOT NULL,
  session INTEGER NOT NULL,
  span_ns INTEGER NOT NULL,
  requests INTEGER,
  input_uncached INTEGER NOT NULL,
  cache_read INTEGER NOT NULL,
  cache_write_5m INTEGER NOT NULL,
  cache_write_30m INTEGER NOT NULL,
  cache_write_1h INTEGER NOT NULL,
  output INTEGER NOT NULL,
  reasoning INTEGER NOT NULL,
  web_searches INTEGER NOT NULL,
  cost_micro_usd INTEGER,
  ttft_ns INTEGER,
  duration_ns INTEGER,
  PRIMARY KEY(start_unix_ns, id_high, id_low)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX usage_by_id ON usage(id_high, id_low);

CREATE TABLE costs(
  start_unix_ns INTEGER NOT NULL,
  id_high INTEGER NOT NULL,
  id_low INTEGER NOT NULL,
  span_ns INTEGER NOT NULL,
  format INTEGER NOT NULL,
  provider INTEGER NOT NULL,
  model INTEGER NOT NULL,
  item INTEGER NOT NULL,
  service INTEGER NOT NULL,
  workspace INTEGER NOT NULL,
  currency INTEGER NOT NULL,
  quantity_unit INTEGER NOT NULL,
  billed_micro_usd INTEGER NOT NULL,
  list_micro_usd INTEGER,
  effective_micro_usd INTEGER,
  quantity REAL,
  billed_exact TEXT,
  effective_exact TEXT,
  PRIMARY KEY(start_unix_ns, id_high, id_low)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX costs_by_id ON costs(id_high, id_low);

CREATE TABLE files(
  path TEXT PRIMARY KEY,
  format TEXT NOT NULL,
  sha256_head TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  modified_unix_ns INTEGER NOT NULL,
  complete INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cursors(
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::array<const char*, kArchiveVersion> kSteps = {kStep0};

constexpr SchemaSteps kSchema{
    .application_id = kApplicationId,
    .steps = kSteps,
    .readable_from = kArchiveReadableFrom,
    .name = "the usage archive",
    .not_ours = "this SQLite file is not a usage archive of Freehold",
    .newer_hint = "use the newer release again, or move the archive away and import again"};

}  // namespace

base::Status prepare_archive_schema(const Database& db) {
  return prepare_schema(db, kSchema);
}

base::Status check_archive_schema(const Database& db, bool may_be_empty) {
  FH_TRY(const std::int64_t found, check_schema(db, kSchema));
  if (found == 0 && !may_be_empty) {
    return base::fail(base::Code::NotFound, "nothing was imported yet",
                      "import something: freehold usage import PATH");
  }
  return {};
}

}  // namespace fh::ledger
