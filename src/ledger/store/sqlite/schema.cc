// See schema.h; how steps work: schema_steps.h.

#include "ledger/store/sqlite/schema.h"

#include <array>

#include "ledger/store/sqlite/schema_steps.h"

namespace fh::ledger {
namespace {

constexpr std::int64_t kApplicationId =
    0x46486c67;  // "FHlg": lets file(1) and us tell it from any other database

constexpr const char* kStep0 = R"sql(
CREATE TABLE schema_version(
  version INTEGER NOT NULL,
  readable_from INTEGER NOT NULL
) STRICT;
INSERT INTO schema_version VALUES(1, 1);

CREATE TABLE marks(
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO marks VALUES('settled_below', 1), ('restarts', 0);

CREATE TABLE admissions(
  sequence INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,
  attempt INTEGER NOT NULL CHECK(attempt >= 0),
  key_id TEXT NOT NULL,
  project TEXT NOT NULL,
  workload TEXT NOT NULL,
  dialect TEXT NOT NULL,
  model_requested TEXT NOT NULL,
  model_served TEXT NOT NULL,
  upstream TEXT NOT NULL,
  prompt_tokens INTEGER NOT NULL CHECK(prompt_tokens >= 0),
  max_output_tokens INTEGER NOT NULL CHECK(max_output_tokens >= 0),
  stream INTEGER NOT NULL CHECK(stream IN (0, 1)),
  received_unix_ns INTEGER NOT NULL,
  admitted_unix_ns INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX admissions_by_request ON admissions(request_id, attempt);
CREATE INDEX admissions_by_time ON admissions(admitted_unix_ns);

CREATE TABLE settlements(
  sequence INTEGER PRIMARY KEY REFERENCES admissions(sequence),
  input_uncached INTEGER NOT NULL CHECK(input_uncached >= 0),
  cache_read INTEGER NOT NULL CHECK(cache_read >= 0),
  cache_write_5m INTEGER NOT NULL CHECK(cache_write_5m >= 0),
  cache_write_30m INTEGER NOT NULL CHECK(cache_write_30m >= 0),
  cache_write_1h INTEGER NOT NULL CHECK(cache_write_1h >= 0),
  output INTEGER NOT NULL CHECK(output >= 0),
  reasoning INTEGER NOT NULL CHECK(reasoning >= 0),
  usage_source TEXT NOT NULL,
  computed INTEGER NOT NULL CHECK(computed >= 0),
  cached INTEGER NOT NULL CHECK(cached >= 0),
  restored INTEGER NOT NULL CHECK(restored >= 0),
  end_reason TEXT NOT NULL,
  error_code TEXT NOT NULL,
  http_status INTEGER NOT NULL,
  cost_micro_usd INTEGER,
  charge_micro_usd INTEGER,
  price_version TEXT NOT NULL,
  queue_ns INTEGER NOT NULL,
  prefill_ns INTEGER NOT NULL,
  decode_ns INTEGER NOT NULL,
  first_token_unix_ns INTEGER NOT NULL,
  ended_unix_ns INTEGER NOT NULL
) STRICT;

CREATE TABLE api_costs(
  sequence INTEGER NOT NULL REFERENCES settlements(sequence),
  position INTEGER NOT NULL,
  model TEXT NOT NULL,
  micro_usd INTEGER,
  PRIMARY KEY(sequence, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys(
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  hint TEXT NOT NULL,
  hash_hex TEXT NOT NULL,
  role TEXT NOT NULL CHECK(role IN ('member', 'admin')),
  project TEXT NOT NULL,
  workload TEXT NOT NULL,
  created_unix_ns INTEGER NOT NULL,
  revoked_unix_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::array<const char*, kSchemaVersion> kSteps = {kStep0};

constexpr SchemaSteps kSchema{
    .application_id = kApplicationId,
    .steps = kSteps,
    .readable_from = kSchemaReadableFrom,
    .name = "the ledger file",
    .not_ours = "this SQLite file is not a Freehold ledger",
    .newer_hint = "start the newer release again, or restore the backup made before the upgrade"};

}  // namespace

base::Status prepare_schema(const Database& db) {
  return prepare_schema(db, kSchema);
}

base::Status check_schema(const Database& db, bool may_be_empty) {
  FH_TRY(const std::int64_t found, check_schema(db, kSchema));
  if (found == 0 && !may_be_empty) {
    return base::fail(base::Code::FailedPrecondition, "the ledger file is empty");
  }
  return {};
}

}  // namespace fh::ledger
