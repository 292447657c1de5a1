// See schema_steps.h.

#include "ledger/store/sqlite/schema_steps.h"

#include <fmt/format.h>

#include <string>

namespace fh::ledger {
namespace {

base::Result<std::int64_t> scalar(const Database& db, const char* sql) {
  FH_TRY(Statement statement, db.prepare(sql));
  FH_TRY(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

std::int64_t newest(const SchemaSteps& schema) {
  return static_cast<std::int64_t>(schema.steps.size());
}

}  // namespace

base::Result<std::int64_t> check_schema(const Database& db, const SchemaSteps& schema) {
  FH_TRY(const std::int64_t tables,
         scalar(db, "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"));
  if (tables == 0) return 0;
  FH_TRY(const std::int64_t application, scalar(db, "PRAGMA application_id"));
  if (application != schema.application_id) {
    return base::fail(base::Code::FailedPrecondition, std::string(schema.not_ours),
                      "choose another data folder with --data; nothing was changed");
  }
  FH_TRY(Statement statement, db.prepare("SELECT version, readable_from FROM schema_version"));
  FH_TRY(const bool row, statement.step());
  if (!row) {
    return base::fail(base::Code::DataLoss, fmt::format("{} has no schema version", schema.name));
  }
  const std::int64_t version = statement.integer(0);
  if (statement.integer(1) > newest(schema)) {
    return base::fail(base::Code::FailedPrecondition,
                      fmt::format("{} has schema {}, which releases before schema {} cannot read; "
                                  "this one knows schema {}",
                                  schema.name, version, statement.integer(1), newest(schema)),
                      std::string(schema.newer_hint));
  }
  return version;
}

base::Status prepare_schema(const Database& db, const SchemaSteps& schema) {
  FH_TRY(Transaction transaction, Transaction::begin(db));
  FH_TRY(const std::int64_t found, check_schema(db, schema));
  if (found >= newest(schema)) return transaction.commit();
  for (std::int64_t v = found; v < newest(schema); ++v) {
    FH_TRY_VOID(db.execute(schema.steps[static_cast<std::size_t>(v)]));
  }
  FH_TRY_VOID(db.execute(fmt::format("PRAGMA application_id={};"
                                     "UPDATE schema_version SET version={}, readable_from={}",
                                     schema.application_id, newest(schema), schema.readable_from)
                             .c_str()));
  return transaction.commit();
}

}  // namespace fh::ledger
