// The read side: its own read-only connection, so that a long fold never holds up a commit. Queries
// of one call run in one read transaction and see one state of the ledger. Totals are sums in the
// database: integers, and an overflow is an error, never a wrap.

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <utility>

#include "ledger/store/sqlite/database.h"
#include "ledger/store/sqlite/row_codec.h"
#include "ledger/store/sqlite/schema.h"
#include "ledger/store/sqlite/sqlite_store.h"

namespace fh::ledger {
namespace {

constexpr std::uint32_t kRowsMax = 1000;

const char* group_expression(UsageBy by) {
  switch (by) {
    case UsageBy::Day: return "strftime('%Y-%m-%d', a.admitted_unix_ns / 1000000000, 'unixepoch')";
    case UsageBy::Week: return "strftime('%G-W%V', a.admitted_unix_ns / 1000000000, 'unixepoch')";
    case UsageBy::Model: return "iif(a.model_served = '', a.model_requested, a.model_served)";
    case UsageBy::Key: return "a.key_id";
    case UsageBy::Workload: return "a.workload";
  }
  return "''";
}

// The rows of a query's window, for both statements of a fold: ?1 from, ?2 to, ?3 key id or ''.
constexpr const char* kWindow =
    "a.admitted_unix_ns >= ?1 AND a.admitted_unix_ns < ?2 AND (?3 = '' OR a.key_id = ?3)";

// A request failed when it ended for a reason that is neither the client's nor the model's.
constexpr const char* kFailed =
    "s.end_reason IN ('upstream_cut', 'upstream_error', 'timeout', 'cancelled', 'crash', "
    "'rejected')";

class SqliteReader final : public LedgerReader {
 public:
  explicit SqliteReader(Database db) : db_(std::move(db)) {}

  base::Result<std::vector<Row>> rows(const RowQuery& query) override;
  base::Result<Row> row(const std::string& request_id) override;
  base::Result<std::vector<UsageRow>> usage(const UsageQuery& query) override;

 private:
  base::Result<std::vector<Row>> collect(Statement& statement);
  base::Status add_api_costs(std::vector<Row>& rows);
  base::Result<std::vector<UsageRow>> fold(const UsageQuery& query);
  base::Status fold_api_costs(const UsageQuery& query, std::vector<UsageRow>& rows);

  std::mutex mutex_;
  Database db_;
};

std::string row_select() {
  return fmt::format(
      "SELECT {}, s.sequence IS NOT NULL, {} FROM admissions a LEFT JOIN settlements s "
      "USING(sequence)",
      kAdmissionColumns, kSettlementColumns);
}

void bind_window(Statement& statement, const UsageQuery& query) {
  const std::int64_t to = query.to_unix_ns == 0 ? INT64_MAX : query.to_unix_ns;
  statement.bind(1, query.from_unix_ns).bind(2, to).bind(3, query.key_id);
}

base::Result<std::vector<Row>> SqliteReader::collect(Statement& statement) {
  std::vector<Row> rows;
  while (true) {
    FH_TRY(const bool found, statement.step());
    if (!found) break;
    Row row;
    row.sequence = statement.integer(0);
    row.admission = read_admission(statement, 1);
    if (statement.integer(kAdmissionColumnCount) != 0) {
      row.settlement = read_settlement(statement, kAdmissionColumnCount + 1);
      row.settlement->request_id = row.admission.request_id;
      row.settlement->attempt = row.admission.attempt;
    }
    rows.push_back(std::move(row));
  }
  FH_TRY_VOID(add_api_costs(rows));
  return rows;
}

base::Status SqliteReader::add_api_costs(std::vector<Row>& rows) {
  FH_TRY(Statement costs,
         db_.prepare("SELECT model, micro_usd FROM api_costs WHERE sequence=?1 ORDER BY position"));
  for (Row& row : rows) {
    if (!row.settlement) continue;
    costs.bind(1, row.sequence);
    while (true) {
      FH_TRY(const bool found, costs.step());
      if (!found) break;
      row.settlement->api_costs.push_back({costs.text(0), read_micro_usd(costs, 1)});
    }
    costs.reset();
  }
  return {};
}

base::Result<std::vector<Row>> SqliteReader::rows(const RowQuery& query) {
  if (query.limit == 0 || query.limit > kRowsMax) {
    return base::fail_field("limit", fmt::format("limit must be between 1 and {}", kRowsMax));
  }
  const std::lock_guard lock(mutex_);
  std::string sql = row_select() + " WHERE a.sequence < ?1";
  if (!query.model.empty()) sql += " AND ?2 IN (a.model_served, a.model_requested)";
  if (!query.key_id.empty()) sql += " AND a.key_id = ?3";
  if (!query.workload.empty()) sql += " AND a.workload = ?4";
  if (query.running && *query.running) {
    sql +=
        " AND s.sequence IS NULL AND a.sequence >= (SELECT value FROM marks WHERE "
        "name='settled_below')";
  } else if (query.running) {
    sql += " AND s.sequence IS NOT NULL";
  }
  sql += " ORDER BY a.sequence DESC LIMIT ?5";
  FH_TRY(Transaction snapshot, Transaction::begin(db_, "BEGIN"));
  FH_TRY(Statement statement, db_.prepare(sql));
  statement.bind(1, query.before_sequence == 0 ? INT64_MAX : query.before_sequence);
  statement.bind(2, query.model).bind(3, query.key_id).bind(4, query.workload);
  statement.bind(5, std::int64_t{query.limit});
  return collect(statement);
}

base::Result<Row> SqliteReader::row(const std::string& request_id) {
  const std::lock_guard lock(mutex_);
  FH_TRY(Transaction snapshot, Transaction::begin(db_, "BEGIN"));
  FH_TRY(Statement statement,
         db_.prepare(row_select() + " WHERE a.request_id = ?1 ORDER BY a.attempt DESC LIMIT 1"));
  statement.bind(1, request_id);
  FH_TRY(std::vector<Row> rows, collect(statement));
  if (rows.empty())
    return base::fail(base::Code::NotFound, "no request " + request_id + " in the ledger");
  return std::move(rows.front());
}

base::Result<std::vector<UsageRow>> SqliteReader::fold(const UsageQuery& query) {
  FH_TRY(
      Statement s,
      db_.prepare(fmt::format(
          "SELECT {} AS grp, count(*), count(*) FILTER (WHERE {}),"
          " sum(s.input_uncached), sum(s.cache_read), sum(s.cache_write_5m), "
          "sum(s.cache_write_30m),"
          " sum(s.cache_write_1h), sum(s.output), sum(s.reasoning), sum(s.computed), sum(s.cached),"
          " sum(s.restored), sum(s.cost_micro_usd), count(s.sequence) - count(s.cost_micro_usd), "
          "count(s.cost_micro_usd)"
          " FROM admissions a LEFT JOIN settlements s USING(sequence) WHERE {} GROUP BY grp ORDER "
          "BY grp",
          group_expression(query.by), kFailed, kWindow)));
  bind_window(s, query);
  std::vector<UsageRow> rows;
  while (true) {
    FH_TRY(const bool found, s.step());
    if (!found) return rows;
    UsageRow row;  // a sum over no rows is NULL, which reads as 0
    row.group = s.text(0);
    row.requests = s.count(1);
    row.failed = s.count(2);
    row.usage = {s.count(3), s.count(4), s.count(5), s.count(6),
                 s.count(7), s.count(8), s.count(9)};
    row.work = {s.count(10), s.count(11), s.count(12)};
    row.cost = domain::MicroUsd{s.integer(13)};
    row.cost_unpriced = s.count(14);
    row.cost_priced = s.count(15);
    rows.push_back(std::move(row));
  }
}

base::Status SqliteReader::fold_api_costs(const UsageQuery& query, std::vector<UsageRow>& rows) {
  std::map<std::string, UsageRow*> by_group;
  for (UsageRow& row : rows) by_group[row.group] = &row;
  FH_TRY(Statement s,
         db_.prepare(fmt::format("SELECT {} AS grp, c.model, sum(c.micro_usd), count(c.micro_usd)"
                                 " FROM admissions a JOIN api_costs c USING(sequence) WHERE {}"
                                 " GROUP BY grp, c.model ORDER BY grp, min(c.position), c.model",
                                 group_expression(query.by), kWindow)));
  bind_window(s, query);
  while (true) {
    FH_TRY(const bool found, s.step());
    if (!found) return {};
    const auto row = by_group.find(s.text(0));
    if (row == by_group.end()) continue;
    UsageRow& group = *row->second;
    group.api_costs.push_back({s.text(1), read_micro_usd(s, 2)});
    // Requests of a time in which that model was not compared with have no price there either.
    group.api_unpriced.push_back(group.cost_priced + group.cost_unpriced - s.count(3));
  }
}

base::Result<std::vector<UsageRow>> SqliteReader::usage(const UsageQuery& query) {
  const std::lock_guard lock(mutex_);
  FH_TRY(Transaction snapshot, Transaction::begin(db_, "BEGIN"));
  FH_TRY(std::vector<UsageRow> rows, fold(query));
  FH_TRY_VOID(fold_api_costs(query, rows));
  return rows;
}

}  // namespace

base::Result<std::unique_ptr<LedgerReader>> open_sqlite_reader(const std::string& path) {
  FH_TRY(Database db, Database::open(path, Database::Mode::ReadOnly));
  FH_TRY_VOID(check_schema(db, false));
  return std::make_unique<SqliteReader>(std::move(db));
}

}  // namespace fh::ledger
