// See sqlite_store.h. Every use of the connection is under one mutex: the writer thread has it
// nearly always, a key that is saved takes it for one small transaction. sync() touches only the
// WAL's descriptor and has a mutex of its own: the kernel tells an error of a sync to one caller,
// so a second one beside it would take what was lost for durable. The bulk of a checkpoint is done
// over a second connection, so that commits go on meanwhile; only its end needs the first.

#include "ledger/store/sqlite/sqlite_store.h"

#include <atomic>
#include <mutex>
#include <optional>
#include <utility>

#include "ledger/store/sqlite/database.h"
#include "ledger/store/sqlite/row_codec.h"
#include "ledger/store/sqlite/schema.h"
#include "ledger/store/synced_file.h"

namespace fh::ledger {
namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kFrameBytes = kPageBytes + 24;  // a page of the WAL with its header

constexpr const char* kInsertAdmission =
    "INSERT INTO admissions(request_id, attempt, key_id, project, workload, dialect, "
    "model_requested,"
    " model_served, upstream, prompt_tokens, max_output_tokens, stream, received_unix_ns,"
    " admitted_unix_ns) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)"
    " ON CONFLICT(request_id, attempt) DO NOTHING";
constexpr const char* kFindSequence =
    "SELECT sequence FROM admissions WHERE request_id=?1 AND attempt=?2";
constexpr const char* kInsertSettlement =
    "INSERT INTO settlements(sequence, input_uncached, cache_read, cache_write_5m, cache_write_30m,"
    " cache_write_1h, output, reasoning, usage_source, computed, cached, restored, end_reason,"
    " error_code, http_status, cost_micro_usd, charge_micro_usd, price_version, queue_ns, "
    "prefill_ns,"
    " decode_ns, first_token_unix_ns, ended_unix_ns)"
    " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23)"
    " ON CONFLICT(sequence) DO NOTHING";
constexpr const char* kInsertApiCost =
    "INSERT INTO api_costs(sequence, position, model, micro_usd) VALUES(?1,?2,?3,?4)";
constexpr const char* kSaveKey =
    "INSERT INTO keys(id, name, hint, hash_hex, role, project, workload, created_unix_ns,"
    " revoked_unix_ns) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)"
    " ON CONFLICT(id) DO UPDATE SET name=?2, hint=?3, hash_hex=?4, role=?5, project=?6, "
    "workload=?7,"
    " created_unix_ns=?8, revoked_unix_ns=?9";
constexpr const char* kLoadKeys =
    "SELECT id, name, hint, hash_hex, role, project, workload, created_unix_ns, revoked_unix_ns"
    " FROM keys ORDER BY created_unix_ns DESC, id";
// The first admission that has no settlement, or one past the last admission.
constexpr const char* kAdvanceSettledBelow =
    "UPDATE marks SET value = coalesce("
    "  (SELECT a.sequence FROM admissions a WHERE a.sequence >= marks.value AND NOT EXISTS"
    "    (SELECT 1 FROM settlements s WHERE s.sequence = a.sequence) ORDER BY a.sequence LIMIT 1),"
    "  (SELECT max(sequence) + 1 FROM admissions), 1) WHERE name = 'settled_below'";

}  // namespace

struct SqliteStore::Impl {
  Options options;
  FileHandle lock;  // released last: declared before the connection
  Database db;
  Database upkeep;  // maintain() only
  std::optional<SyncedFile> wal;
  Statement begin, commit, rollback;
  Statement insert_admission, find_sequence, insert_settlement, insert_api_cost, save_key;

  std::mutex mutex;    // the connection and its statements
  std::mutex syncing;  // never waited for with the other held, nor the other way round
  std::atomic<bool> broken = false;
  std::atomic<std::uint64_t> wal_bytes = 0;
  std::atomic<std::uint64_t> retry_at = 0;
  std::atomic<std::uint64_t> checkpoints = 0;

  base::Status open(const std::string& path);
  base::Status prepare_statements();
  base::Status check_usable() const;
  void give_up();
  template <typename Work>
  base::Status in_transaction(Work work);
  base::Result<Outcome> write(const Admission& admission);
  base::Result<Outcome> write(const Settlement& settlement);
  base::Status move_pages(const Database& over);
  base::Status checkpoint();
};

namespace {

int on_wal_commit(void* size, sqlite3*, const char*, int pages) {
  static_cast<std::atomic<std::uint64_t>*>(size)->store(
      static_cast<std::uint64_t>(pages) * kFrameBytes, std::memory_order_relaxed);
  return SQLITE_OK;
}

}  // namespace

base::Status SqliteStore::Impl::open(const std::string& path) {
  FH_TRY(lock, lock_database(path));
  FH_TRY_VOID(create_private(path));
  FH_TRY(db, Database::open(path, Database::Mode::ReadWrite));
  FH_TRY_VOID(check_schema(db, true));
  FH_TRY_VOID(
      db.execute("PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                 "PRAGMA foreign_keys=ON;"));
  FH_TRY(Statement mode, db.prepare("PRAGMA journal_mode"));
  FH_TRY(const bool row, mode.step());
  if (!row || mode.text(0) != "wal") {
    return base::fail(base::Code::FailedPrecondition,
                      "the ledger's file system cannot share memory maps",
                      "put the data folder on a local disk, not on a network share");
  }
  mode.reset();
  FH_TRY_VOID(prepare_schema(db));
  sqlite3_wal_hook(db.handle(), on_wal_commit, &wal_bytes);
  FH_TRY_VOID(prepare_statements());
  // A write makes sure that the WAL exists before it is opened for syncing.
  FH_TRY_VOID(db.execute("UPDATE marks SET value = value + 1 WHERE name = 'restarts'"));
  FH_TRY(upkeep, Database::open(path, Database::Mode::ReadWrite));
  FH_TRY_VOID(upkeep.execute("PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;"));
  FH_TRY(wal, SyncedFile::open(db.wal_path(), "the ledger's WAL file"));
  return wal->presize(options.wal_presize_bytes);
}

base::Status SqliteStore::Impl::prepare_statements() {
  FH_TRY(begin, db.prepare("BEGIN IMMEDIATE"));
  FH_TRY(commit, db.prepare("COMMIT"));
  FH_TRY(rollback, db.prepare("ROLLBACK"));
  FH_TRY(insert_admission, db.prepare(kInsertAdmission));
  FH_TRY(find_sequence, db.prepare(kFindSequence));
  FH_TRY(insert_settlement, db.prepare(kInsertSettlement));
  FH_TRY(insert_api_cost, db.prepare(kInsertApiCost));
  FH_TRY(save_key, db.prepare(kSaveKey));
  return {};
}

base::Status SqliteStore::Impl::check_usable() const {
  if (!broken.load(std::memory_order_acquire)) return {};
  return base::fail(base::Code::Unavailable, "the ledger file failed earlier and is not used again",
                    "check the disk, then restart");
}

void SqliteStore::Impl::give_up() {
  broken.store(true, std::memory_order_release);
}

template <typename Work>
base::Status SqliteStore::Impl::in_transaction(Work work) {
  FH_TRY_VOID(check_usable());
  base::Status status = begin.run();
  if (status) status = work();
  if (status) status = commit.run();
  if (status) return {};
  give_up();
  // After some errors SQLite has rolled back by itself; then this fails and changes nothing.
  if (sqlite3_get_autocommit(db.handle()) == 0) static_cast<void>(rollback.run());
  return status;
}

base::Result<Outcome> SqliteStore::Impl::write(const Admission& a) {
  Statement& s = insert_admission;
  s.bind(1, a.request_id).bind(2, std::int64_t{a.attempt}).bind(3, a.key_id).bind(4, a.project);
  s.bind(5, a.workload).bind(6, a.dialect).bind(7, a.model_requested).bind(8, a.model_served);
  s.bind(9, a.upstream).bind_count(10, a.prompt_tokens).bind(11, std::int64_t{a.max_output_tokens});
  s.bind(12, std::int64_t{a.stream}).bind(13, a.received_unix_ns).bind(14, a.admitted_unix_ns);
  FH_TRY_VOID(s.run());
  return db.changes() == 1 ? Outcome::Written : Outcome::Repeated;
}

base::Result<Outcome> SqliteStore::Impl::write(const Settlement& settlement) {
  find_sequence.bind(1, settlement.request_id).bind(2, std::int64_t{settlement.attempt});
  FH_TRY(const bool admitted, find_sequence.step());
  const std::int64_t sequence = admitted ? find_sequence.integer(0) : 0;
  find_sequence.reset();
  if (!admitted) return Outcome::Orphan;

  insert_settlement.bind(1, sequence);
  bind_settlement(insert_settlement, settlement);
  FH_TRY_VOID(insert_settlement.run());
  if (db.changes() == 0) return Outcome::Repeated;

  std::int64_t position = 0;
  for (const ApiCost& api : settlement.api_costs) {
    insert_api_cost.bind(1, sequence).bind(2, position++).bind(3, api.model);
    insert_api_cost.bind(4, micro_usd_column(api.cost));
    FH_TRY_VOID(insert_api_cost.run());
  }
  return Outcome::Written;
}

base::Status SqliteStore::Impl::move_pages(const Database& over) {
  int pages = 0;
  int moved = 0;
  const int rc =
      sqlite3_wal_checkpoint_v2(over.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
  if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY) return {};
  give_up();
  return std::unexpected(over.error("moving the ledger's WAL into its file"));
}

// With the mutex held, and after most pages have been moved.
base::Status SqliteStore::Impl::checkpoint() {
  const std::uint64_t before = wal_bytes.load(std::memory_order_relaxed);
  FH_TRY_VOID(move_pages(db));
  ++checkpoints;
  // The next commit after a complete checkpoint starts the WAL anew and syncs its header. This
  // small one does, so that no admission pays for it.
  FH_TRY_VOID(
      in_transaction([this]() -> base::Status { return db.execute(kAdvanceSettledBelow); }));
  // A reader with an old snapshot keeps the WAL from starting anew: then the next try waits until
  // it has grown.
  const std::uint64_t after = wal_bytes.load(std::memory_order_relaxed);
  retry_at = after < before ? 0 : after + options.checkpoint_bytes / 2;
  return {};
}

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SqliteStore::~SqliteStore() {
  // SQLite moves the WAL into the file when the last connection closes. After a failure nothing is
  // moved: the next start reads the WAL, whose checksums tell what is whole.
  if (impl_ && impl_->broken && impl_->db.handle() != nullptr) {
    sqlite3_db_config(impl_->db.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
}

base::Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path,
                                                             const Options& options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  FH_TRY_VOID(impl->open(path));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(impl)));
}

base::Result<std::vector<Outcome>> SqliteStore::append(std::span<const Record> records) {
  const std::lock_guard lock(impl_->mutex);
  std::vector<Outcome> outcomes;
  outcomes.reserve(records.size());
  FH_TRY_VOID(impl_->in_transaction([&]() -> base::Status {
    for (const Record& record : records) {
      FH_TRY(const Outcome outcome,
             std::visit([&](const auto& r) { return impl_->write(r); }, record));
      outcomes.push_back(outcome);
    }
    return {};
  }));
  return outcomes;
}

base::Status SqliteStore::sync() {
  const std::lock_guard lock(impl_->syncing);
  FH_TRY_VOID(impl_->check_usable());
  base::Status status = impl_->wal->sync();
  if (!status) impl_->give_up();
  return status;
}

base::Result<std::vector<Admission>> SqliteStore::load_unsettled() {
  const std::lock_guard lock(impl_->mutex);
  FH_TRY_VOID(impl_->in_transaction(
      [&]() -> base::Status { return impl_->db.execute(kAdvanceSettledBelow); }));
  FH_TRY(Statement statement,
         impl_->db.prepare(
             std::string("SELECT ") + kAdmissionColumns +
             " FROM admissions a WHERE a.sequence >= (SELECT value FROM marks WHERE name ="
             " 'settled_below') AND NOT EXISTS (SELECT 1 FROM settlements s WHERE"
             " s.sequence = a.sequence) ORDER BY a.sequence"));
  std::vector<Admission> open;
  while (true) {
    FH_TRY(const bool row, statement.step());
    if (!row) return open;
    open.push_back(read_admission(statement, 1));
  }
}

bool SqliteStore::maintenance_due(bool idle) const {
  const std::uint64_t size = impl_->wal_bytes.load(std::memory_order_relaxed);
  const std::uint64_t limit =
      idle ? impl_->options.checkpoint_idle_bytes : impl_->options.checkpoint_bytes;
  return size >= limit && size >= impl_->retry_at.load(std::memory_order_relaxed);
}

base::Status SqliteStore::maintain(bool idle) {
  if (!maintenance_due(idle)) return {};
  FH_TRY_VOID(impl_->check_usable());
  FH_TRY_VOID(impl_->move_pages(impl_->upkeep));
  const std::lock_guard lock(impl_->mutex);
  FH_TRY_VOID(impl_->check_usable());
  return impl_->checkpoint();
}

base::Result<std::vector<auth::KeyRecord>> SqliteStore::load_keys() {
  const std::lock_guard lock(impl_->mutex);
  FH_TRY(Statement s, impl_->db.prepare(kLoadKeys));
  std::vector<auth::KeyRecord> keys;
  while (true) {
    FH_TRY(const bool row, s.step());
    if (!row) return keys;
    const auth::Role role = s.text(4) == "admin" ? auth::Role::Admin : auth::Role::Member;
    keys.push_back({s.text(0), s.text(1), s.text(2), s.text(3), role, s.text(5), s.text(6),
                    s.integer(7), s.integer(8)});
  }
}

base::Status SqliteStore::save_key(const auth::KeyRecord& r) {
  {
    const std::lock_guard lock(impl_->mutex);
    Statement& s = impl_->save_key;
    s.bind(1, r.id).bind(2, r.name).bind(3, r.hint).bind(4, r.hash_hex);
    s.bind(5, std::string_view(r.role == auth::Role::Admin ? "admin" : "member"));
    s.bind(6, r.project).bind(7, r.workload).bind(8, r.created_unix_ns).bind(9, r.revoked_unix_ns);
    FH_TRY_VOID(impl_->in_transaction([&]() -> base::Status { return s.run(); }));
  }
  return sync();
}

std::uint64_t SqliteStore::wal_bytes() const {
  return impl_->wal_bytes.load(std::memory_order_relaxed);
}

std::uint64_t SqliteStore::checkpoints() const {
  return impl_->checkpoints.load();
}

base::Status SqliteStore::check_integrity() {
  const std::lock_guard lock(impl_->mutex);
  FH_TRY(Statement whole, impl_->db.prepare("PRAGMA integrity_check(1)"));
  FH_TRY(const bool row, whole.step());
  if (!row || whole.text(0) != "ok") {
    return base::fail(base::Code::DataLoss,
                      "the ledger file is damaged: " + (row ? whole.text(0) : ""),
                      "restore it from a backup or rebuild it from the audit log");
  }
  FH_TRY(Statement keys, impl_->db.prepare("PRAGMA foreign_key_check"));
  FH_TRY(const bool broken, keys.step());
  if (broken)
    return base::fail(base::Code::DataLoss, "the ledger file has a settlement without admission");
  return {};
}

std::string_view sqlite_version() {
  return sqlite3_libversion();
}

}  // namespace fh::ledger
