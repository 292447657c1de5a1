// The SQLite store on real files: exactly once, what a second open finds, refusals, checkpoints,
// keys, and kill -9.

#include "ledger/store/sqlite/sqlite_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

#include "base/clock.h"
#include "ledger/test_rows.h"
#include "ledger/thread.h"

namespace {
std::function<int()> g_instead_of_syncing;
}

// In the place of the C library's, so that a test can play a disk that fails.
extern "C" int fdatasync(int fd) {
  if (g_instead_of_syncing) return g_instead_of_syncing();
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

namespace fh::ledger {
namespace {

using testing::admission;
using testing::settlement;
using testing::TempDir;

// Without the room in the WAL, which only costs time here; the tests that need it ask for it.
SqliteStore::Options small() {
  SqliteStore::Options options;
  options.wal_presize_bytes = 0;
  return options;
}

std::unique_ptr<SqliteStore> open_store(const std::string& path,
                                        SqliteStore::Options options = small()) {
  auto store = SqliteStore::open(path, options);
  EXPECT_TRUE(store.has_value()) << (store ? "" : store.error().text());
  return store ? std::move(*store) : nullptr;
}

std::unique_ptr<LedgerReader> open_reader(const std::string& path) {
  auto reader = open_sqlite_reader(path);
  EXPECT_TRUE(reader.has_value()) << (reader ? "" : reader.error().text());
  return reader ? std::move(*reader) : nullptr;
}

void execute(const std::string& path, const char* sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

TEST(SqliteStore, IsTheVersionThatIsPinned) {
  EXPECT_EQ(sqlite_version(), "3.54.1");
}

TEST(SqliteStore, GivesBackEveryFieldOfARow) {
  TempDir dir;
  const auto store = open_store(dir.file("ledger.db"));
  base::SeededRandom random(7);
  std::map<std::string, std::pair<Admission, Settlement>> expected;
  for (int i = 0; i < 40; ++i) {
    const std::string id = "req_" + std::to_string(i);
    expected[id] = {testing::random_admission(random, id), testing::random_settlement(random, id)};
    const std::vector<Record> records = {expected[id].first, expected[id].second};
    const auto outcomes = store->append(records);
    ASSERT_TRUE(outcomes.has_value());
    EXPECT_EQ(*outcomes, (std::vector{Outcome::Written, Outcome::Written}));
  }
  const auto reader = open_reader(dir.file("ledger.db"));
  for (const auto& [id, pair] : expected) {
    const auto row = reader->row(id);
    ASSERT_TRUE(row.has_value());
    EXPECT_TRUE(testing::same(row->admission, pair.first)) << id;
    ASSERT_TRUE(row->settlement.has_value());
    EXPECT_TRUE(testing::same(*row->settlement, pair.second)) << id;
  }
}

TEST(SqliteStore, RepeatsAndOrphansChangeNothing) {
  TempDir dir;
  const auto store = open_store(dir.file("ledger.db"));
  Settlement other = settlement("req_1");
  other.usage.output = 77;
  other.api_costs.push_back({"x/y", domain::MicroUsd{1}});
  const std::vector<Record> records = {
      admission("req_1"),    admission("req_1"), settlement("req_1"), settlement("req_1"), other,
      settlement("req_1", 2)};
  const auto outcomes = store->append(records);
  ASSERT_TRUE(outcomes.has_value()) << outcomes.error().text();
  EXPECT_EQ(*outcomes, (std::vector{Outcome::Written, Outcome::Repeated, Outcome::Written,
                                    Outcome::Repeated, Outcome::Repeated, Outcome::Orphan}));
  const auto row = open_reader(dir.file("ledger.db"))->row("req_1");
  ASSERT_TRUE(row.has_value());
  EXPECT_TRUE(testing::same(*row->settlement, settlement("req_1")));
  EXPECT_TRUE(store->check_integrity().has_value());
}

TEST(SqliteStore, TextIsKeptAsBytesIncludingQuotesNulAndNothing) {
  TempDir dir;
  const auto store = open_store(dir.file("ledger.db"));
  Admission a = admission("req_'; DROP TABLE admissions; --");
  a.workload = std::string("a\0b\xff", 4);
  a.key_id = std::string();
  ASSERT_TRUE(store->append(std::vector<Record>{a}).has_value());
  const auto row = open_reader(dir.file("ledger.db"))->row(a.request_id);
  ASSERT_TRUE(row.has_value());
  EXPECT_TRUE(testing::same(row->admission, a));
}

TEST(SqliteStore, ASecondProcessIsRefusedInPlainWords) {
  TempDir dir;
  const auto store = open_store(dir.file("ledger.db"));
  const auto second = SqliteStore::open(dir.file("ledger.db"), small());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, base::Code::FailedPrecondition);
  EXPECT_NE(second.error().message.find("another Freehold process"), std::string::npos);
}

TEST(SqliteStore, ReopeningFindsOpenRowsAndOnlyThose) {
  TempDir dir;
  const std::string path = dir.file("ledger.db");
  {
    const auto store = open_store(path);
    std::vector<Record> records;
    for (int i = 0; i < 10; ++i) records.emplace_back(admission("req_" + std::to_string(i)));
    for (const int i : {0, 1, 2, 5, 9})
      records.emplace_back(settlement("req_" + std::to_string(i)));
    ASSERT_TRUE(store->append(records).has_value());
  }
  for (int round = 0; round < 2; ++round) {  // asking changes nothing
    const auto store = open_store(path);
    const auto open = store->load_unsettled();
    ASSERT_TRUE(open.has_value());
    std::vector<std::string> ids;
    for (const auto& a : *open) ids.push_back(a.request_id);
    EXPECT_EQ(ids, (std::vector<std::string>{"req_3", "req_4", "req_6", "req_7", "req_8"}));
  }
  base::ManualClock clock;
  const auto store = open_store(path);
  LedgerWriter writer(*store, clock, {});
  EXPECT_EQ(writer.recover().value_or(99), 5U);
  EXPECT_EQ(writer.recover().value_or(99), 0U);
  EXPECT_EQ(open_reader(path)->row("req_4")->settlement->reason, domain::EndReason::Crash);
}

TEST(SqliteStore, RefusesOtherFilesAndNewerSchemasUntouched) {
  TempDir dir;
  execute(dir.file("other.db"), "CREATE TABLE notes(text)");
  const auto other = SqliteStore::open(dir.file("other.db"));
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, base::Code::FailedPrecondition);

  std::ofstream(dir.file("garbage.db")) << std::string(8192, 'x');
  const auto garbage = SqliteStore::open(dir.file("garbage.db"));
  ASSERT_FALSE(garbage.has_value());
  EXPECT_EQ(garbage.error().code, base::Code::DataLoss);

  const std::string path = dir.file("ledger.db");
  open_store(path).reset();
  // A newer release that this one can still work with, then one that it cannot.
  execute(path, "UPDATE schema_version SET version = 2, readable_from = 1");
  open_store(path).reset();
  execute(path, "UPDATE schema_version SET readable_from = 2");
  const auto newer = SqliteStore::open(path);
  ASSERT_FALSE(newer.has_value());
  EXPECT_EQ(newer.error().code, base::Code::FailedPrecondition);
  EXPECT_NE(newer.error().message.find("schema 2"), std::string::npos) << newer.error().message;
  EXPECT_FALSE(open_sqlite_reader(path).has_value());
}

TEST(SqliteStore, AMissingDirectoryIsAnErrorWithAHint) {
  const auto store = SqliteStore::open("/nonexistent-freehold/ledger.db");
  ASSERT_FALSE(store.has_value());
  EXPECT_FALSE(open_sqlite_reader("/nonexistent-freehold/ledger.db").has_value());
}

TEST(SqliteStore, CheckpointsBoundTheWalAndLoseNothing) {
  TempDir dir;
  SqliteStore::Options options = small();
  options.checkpoint_bytes = 256 * 1024;
  options.checkpoint_idle_bytes = 32 * 1024;
  const auto store = open_store(dir.file("ledger.db"), options);
  const auto reader = open_reader(dir.file("ledger.db"));
  std::uint64_t largest = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string id = "req_" + std::to_string(i);
    ASSERT_TRUE(store->append(std::vector<Record>{admission(id)}).has_value());
    ASSERT_TRUE(store->append(std::vector<Record>{settlement(id)}).has_value());
    largest = std::max(largest, store->wal_bytes());
    ASSERT_TRUE(store->maintain(false).has_value());
    if (i % 50 == 0) ASSERT_TRUE(store->sync().has_value());
    if (i % 10 == 0) EXPECT_TRUE(reader->row(id).has_value());
  }
  EXPECT_GT(store->checkpoints(), 2U);
  EXPECT_LT(largest, 2 * options.checkpoint_bytes);
  EXPECT_LT(std::filesystem::file_size(dir.file("ledger.db-wal")), 2 * options.checkpoint_bytes);
  ASSERT_TRUE(store->append(std::vector<Record>{admission("req_last")}).has_value());
  ASSERT_TRUE(store->maintain(true).has_value());
  ASSERT_TRUE(store->sync().has_value());
  EXPECT_TRUE(store->check_integrity().has_value());
  EXPECT_EQ(store->load_unsettled()->size(), 1U);
}

TEST(SqliteStore, TheRoomInTheWalIsNeitherReadNorCut) {
  TempDir dir;
  SqliteStore::Options options;
  options.checkpoint_bytes = 1024 * 1024;
  options.wal_presize_bytes = 2 * 1024 * 1024;
  for (int round = 0; round < 2; ++round) {
    const auto store = open_store(dir.file("ledger.db"), options);
    const auto reader = open_reader(dir.file("ledger.db"));
    for (int i = 0; i < 300; ++i) {
      const std::string id = "req_" + std::to_string(round) + "_" + std::to_string(i);
      ASSERT_TRUE(store->append(std::vector<Record>{admission(id)}).has_value());
      ASSERT_TRUE(store->append(std::vector<Record>{settlement(id)}).has_value());
      ASSERT_TRUE(store->maintain(false).has_value());
      EXPECT_TRUE(reader->row(id).has_value());
    }
    EXPECT_GE(store->checkpoints(), 2U);
    EXPECT_EQ(std::filesystem::file_size(dir.file("ledger.db-wal")), options.wal_presize_bytes);
    EXPECT_TRUE(store->check_integrity().has_value());
  }
}

TEST(SqliteStore, AReaderWithAnOldSnapshotDelaysTheCheckpointAndIsNotDisturbed) {
  TempDir dir;
  SqliteStore::Options options = small();
  options.checkpoint_bytes = 1024 * 1024;
  const auto store = open_store(dir.file("ledger.db"), options);
  ASSERT_TRUE(store->append(std::vector<Record>{admission("req_0")}).has_value());
  sqlite3* old = nullptr;
  ASSERT_EQ(sqlite3_open_v2(dir.file("ledger.db").c_str(), &old, SQLITE_OPEN_READONLY, nullptr),
            SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(old, "BEGIN; SELECT count(*) FROM admissions", nullptr, nullptr, nullptr),
            SQLITE_OK);
  for (int i = 1; i < 200; ++i) {
    ASSERT_TRUE(
        store->append(std::vector<Record>{admission("req_" + std::to_string(i))}).has_value());
    ASSERT_TRUE(store->maintain(false).has_value());
  }
  EXPECT_GE(store->checkpoints(), 2U);
  EXPECT_LE(store->checkpoints(), 6U)
      << "an unfinished checkpoint must not be tried on every commit";
  sqlite3_close(old);
  EXPECT_EQ(store->load_unsettled()->size(), 200U);
}

TEST(SqliteStore, ADeletedWalIsNoticedAndTheStoreGivesUp) {
  TempDir dir;
  const auto store = open_store(dir.file("ledger.db"));
  ASSERT_TRUE(store->append(std::vector<Record>{admission("req_1")}).has_value());
  std::filesystem::remove(dir.file("ledger.db-wal"));
  const auto synced = store->sync();
  ASSERT_FALSE(synced.has_value());
  EXPECT_EQ(synced.error().code, base::Code::DataLoss);
  EXPECT_FALSE(store->append(std::vector<Record>{admission("req_2")}).has_value());
  EXPECT_FALSE(store->maintain(true).has_value() && store->sync().has_value());
}

// The kernel tells one caller that pages were lost; the sync of another, at the same time, is told
// that all is well and must not be believed.
TEST(SqliteStore, ASyncBesideOneThatFailsIsNotTakenForDurable) {
  TempDir dir;
  const auto store = open_store(dir.file("ledger.db"));
  ASSERT_TRUE(store->append(std::vector<Record>{admission("req_1")}).has_value());
  std::atomic<int> calls = 0;
  base::Status beside;
  std::thread other;
  g_instead_of_syncing = [&]() -> int {
    if (++calls > 1) return 0;
    other = std::thread([&] { beside = store->sync(); });
    // Time enough for the other to come here, if it may.
    for (int i = 0; i < 50 && calls == 1; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    errno = EIO;
    return -1;
  };
  EXPECT_FALSE(store->sync().has_value());
  other.join();
  g_instead_of_syncing = nullptr;
  EXPECT_FALSE(beside.has_value());
  EXPECT_EQ(calls, 1);
}

TEST(SqliteStore, TheFileIsForThisUserAlone) {
  TempDir dir;
  const auto store = open_store(dir.file("ledger.db"));
  for (const char* name : {"ledger.db", "ledger.db-wal", "ledger.db.lock"}) {
    const auto perms = std::filesystem::status(dir.file(name)).permissions();
    EXPECT_EQ(perms & std::filesystem::perms(077), std::filesystem::perms::none) << name;
  }
}

TEST(SqliteStore, KeysAreSavedReplacedAndKept) {
  TempDir dir;
  const std::string path = dir.file("ledger.db");
  auth::KeyRecord first{"key_1", "alice", "fh-…wxyz", "abcd", auth::Role::Admin, "", "", 10, 0};
  auth::KeyRecord second{"key_2", "bob", "fh-…0000", "ef01", auth::Role::Member,
                         "team",  "ci",  20,         0};
  {
    const auto store = open_store(path);
    ASSERT_TRUE(store->save_key(first).has_value());
    ASSERT_TRUE(store->save_key(second).has_value());
    first.revoked_unix_ns = 30;
    ASSERT_TRUE(store->save_key(first).has_value());
  }
  const auto keys = open_store(path)->load_keys();
  ASSERT_TRUE(keys.has_value());
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_EQ((*keys)[0].id, "key_2");
  EXPECT_EQ((*keys)[0].project, "team");
  EXPECT_EQ((*keys)[0].workload, "ci");
  EXPECT_EQ((*keys)[0].role, auth::Role::Member);
  EXPECT_EQ((*keys)[1].hash_hex, "abcd");
  EXPECT_EQ((*keys)[1].hint, "fh-…wxyz");
  EXPECT_EQ((*keys)[1].role, auth::Role::Admin);
  EXPECT_EQ((*keys)[1].revoked_unix_ns, 30);
}

TEST(SqliteStore, KeysAreSavedWhileTheLedgerWrites) {
  TempDir dir;
  const auto store = open_store(dir.file("ledger.db"));
  base::SystemClock clock;
  LedgerWriter writer(*store, clock, {});
  LedgerThread thread(writer);
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 20; ++j) {
      const std::string id = "req_" + std::to_string(i) + "_" + std::to_string(j);
      writer.admit(admission(id), nullptr);
      writer.settle(settlement(id), nullptr);
    }
    auth::KeyRecord key{
        "key_" + std::to_string(i), "n", "h", "x", auth::Role::Member, "", "", i, 0};
    ASSERT_TRUE(store->save_key(key).has_value());
  }
  thread.stop();
  EXPECT_TRUE(writer.healthy());
  EXPECT_EQ(store->load_keys()->size(), 20U);
  EXPECT_EQ(store->load_unsettled()->size(), 0U);
  EXPECT_EQ(writer.counters().settled, 400U);
}

// kill -9

struct Note {  // what the child tells its parent, in one write() that the pipe keeps whole
  char kind;   // 'a' admitted, 's' settled
  std::uint32_t number;
};

std::string round_id(int round, std::uint32_t number) {
  return "req_" + std::to_string(round) + "_" + std::to_string(number);
}

// Never returns: admits and settles until it is killed, telling what was acknowledged.
[[noreturn]] void child(const std::string& path, int round, int pipe) {
  SqliteStore::Options options = small();
  options.checkpoint_bytes = 128 * 1024;  // checkpoints happen within a round
  options.wal_presize_bytes = round % 3 == 0 ? 160 * 1024 : 0;
  auto store = SqliteStore::open(path, options);
  if (!store) ::_exit(3);
  base::SystemClock clock;
  LedgerWriter::Options writer_options;
  writer_options.durability = round % 2 == 0 ? Durability::Process : Durability::Power;
  LedgerWriter writer(**store, clock, writer_options);
  if (!writer.recover()) ::_exit(4);
  LedgerThread thread(writer);
  const auto tell = [pipe](char kind, std::uint32_t number) {
    const Note note{kind, number};
    if (::write(pipe, &note, sizeof note) != sizeof note) ::_exit(5);
  };
  for (std::uint32_t n = 0; n < 1'000'000; ++n) {
    writer.admit(admission(round_id(round, n)), [&, n](base::Status s) {
      if (!s) ::_exit(6);
      tell('a', n);
    });
    if (n >= 8) {
      writer.settle(settlement(round_id(round, n - 8)), [&, n](base::Status s) {
        if (!s) ::_exit(7);
        tell('s', n - 8);
      });
    }
    if (n % 16 == 0) ::usleep(300);
  }
  ::_exit(8);
}

// Reads notes until the child has said `notes` of them, kills it, and returns all it ever said.
std::map<std::uint32_t, std::string> run_and_kill(const std::string& path, int round,
                                                  std::uint64_t notes) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    child(path, round, ends[1]);
  }
  ::close(ends[1]);
  std::map<std::uint32_t, std::string> said;
  Note note{};
  for (std::uint64_t i = 0; ::read(ends[0], &note, sizeof note) == sizeof note; ++i) {
    said[note.number] += note.kind;
    if (i == notes) ::kill(pid, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
  return said;
}

TEST(SqliteStore, KillNineLosesNothingThatWasAcknowledged) {
  TempDir dir;
  const std::string path = dir.file("ledger.db");
  base::SystemRandom random;
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE(round);
    const auto said = run_and_kill(path, round, random.below(1'500));
    const auto store = open_store(path);
    ASSERT_NE(store, nullptr);
    base::SystemClock clock;
    LedgerWriter writer(*store, clock, {});
    ASSERT_TRUE(writer.recover().has_value());
    const auto reader = open_reader(path);
    for (const auto& [number, kinds] : said) {
      const auto row = reader->row(round_id(round, number));
      ASSERT_TRUE(row.has_value()) << number;
      ASSERT_TRUE(row->settlement.has_value());
      const bool settled = kinds.find('s') != std::string::npos;
      if (settled) EXPECT_EQ(row->settlement->reason, domain::EndReason::Stop) << number;
      if (settled)
        EXPECT_TRUE(testing::same(*row->settlement, settlement(round_id(round, number))));
    }
    EXPECT_TRUE(store->load_unsettled()->empty());
    EXPECT_TRUE(store->check_integrity().has_value());
  }
}

}  // namespace
}  // namespace fh::ledger
