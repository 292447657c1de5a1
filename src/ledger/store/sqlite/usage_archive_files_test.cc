// The usage archive as a file: copied between any two transactions it is a whole archive; kill -9,
// two writers, readers beside a writer, damaged rows, and files that are not what they should be.

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <thread>
#include <vector>

#include "ledger/imports.h"
#include "ledger/store/sqlite/usage_archive_test_support.h"
#include "ledger/test_rows.h"

namespace fh::ledger {
namespace {

using namespace testing;

TEST(UsageArchive, AFileCopiedBetweenTransactionsIsWholeAndGoesOn) {
  const TempDir dir;
  std::vector<std::vector<UsageRecord>> batches;
  for (std::uint64_t b = 0; b < 6; ++b) {
    auto& batch = batches.emplace_back();
    for (std::uint64_t i = 0; i < 40; ++i) batch.push_back(random_record(b * 40 + i));
  }
  const auto archive = open_archive(dir.file("usage.db"));
  std::vector<std::vector<std::string>> after;
  for (std::size_t b = 0; b < batches.size(); ++b) {
    ASSERT_TRUE(archive->add(batches[b]).has_value());
    after.push_back(content(*archive));
    // What a crash would leave behind: database and log as they are now.
    for (const char* suffix : {"", "-wal"}) {
      std::filesystem::copy_file(dir.file("usage.db") + suffix,
                                 dir.file("copy" + std::to_string(b)) + suffix);
    }
  }
  for (std::size_t b = 0; b < batches.size(); ++b) {
    const auto copy = open_archive(dir.file("copy" + std::to_string(b)));
    EXPECT_EQ(content(*copy), after[b]);
    for (const auto& batch : batches) ASSERT_TRUE(copy->add(batch).has_value());
    EXPECT_EQ(content(*copy), after.back());
  }
}

TEST(UsageArchive, KillAtAnyMomentLosesNoFinishedBatchAndTheRepeatEndsTheSame) {
  const TempDir dir;
  constexpr std::uint64_t kBatches = 24;
  const auto batch_of = [](std::uint64_t b) {
    std::vector<UsageRecord> batch;
    for (std::uint64_t i = 0; i < 200; ++i) {
      UsageRecord r = random_record(b * 200 + i);
      r.source_id = std::to_string(b) + "/" + std::to_string(i);
      batch.push_back(r);
    }
    return batch;
  };
  std::mt19937 random(5);
  for (int round = 0; round < 4; ++round) {
    const std::string path = dir.file("usage" + std::to_string(round) + ".db");
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto archive = UsageArchive::open(path);
      for (std::uint64_t b = 0; archive && b < kBatches; ++b) {
        if (!(*archive)->add(batch_of(b))) break;
        const char done = 1;
        if (::write(pipe_ends[1], &done, 1) != 1) break;
      }
      ::pause();
      ::_exit(0);
    }
    ::close(pipe_ends[1]);
    std::uint64_t finished = 0;
    const std::uint64_t target = random() % kBatches;
    char done = 0;
    while (finished < target && ::read(pipe_ends[0], &done, 1) == 1) ++finished;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe_ends[0], &done, 1) == 1) ++finished;
    ::close(pipe_ends[0]);
    const auto archive = open_archive(path);
    const std::uint64_t there = archive->count().value_or(0);
    EXPECT_EQ(there % 200, 0U);
    EXPECT_GE(there, finished * 200);
    EXPECT_LE(there, (finished + 1) * 200);
    for (std::uint64_t b = 0; b < kBatches; ++b) ASSERT_TRUE(archive->add(batch_of(b)).has_value());
    EXPECT_EQ(archive->count().value_or(0), kBatches * 200);
  }
}

TEST(UsageArchive, HasOneWriterAndAnyNumberOfReaders) {
  const TempDir dir;
  const std::string path = dir.file("usage.db");
  EXPECT_EQ(refusal(path, true).code, base::Code::NotFound);
  const auto writer = open_archive(path);
  const base::Error second = refusal(path);
  EXPECT_EQ(second.code, base::Code::FailedPrecondition);
  EXPECT_NE(second.message.find("is importing"), std::string::npos) << second.message;
  const auto reader = open_archive(path, true);
  EXPECT_TRUE(content(*reader).empty());
  const UsageRecord r = record("a");
  ASSERT_TRUE(writer->add({&r, 1}).has_value());
  EXPECT_EQ(content(*reader), std::vector{kept(r)});
}

TEST(UsageArchive, RefusesFilesThatAreNotItsOwn) {
  const TempDir dir;
  std::ofstream(dir.file("text.db")) << std::string(5000, 'x');
  for (const bool read_only : {false, true}) {
    const base::Error text = refusal(dir.file("text.db"), read_only);
    EXPECT_EQ(text.code, base::Code::DataLoss) << text.text();
    EXPECT_EQ(text.text().find("ledger"), std::string::npos) << text.text();
  }
  execute(dir.file("other.db"), "CREATE TABLE t(a)");
  EXPECT_EQ(refusal(dir.file("other.db")).code, base::Code::FailedPrecondition);
  EXPECT_EQ(refusal(dir.file("other.db"), true).code, base::Code::FailedPrecondition);

  open_archive(dir.file("newer.db")).reset();
  execute(dir.file("newer.db"), "UPDATE schema_version SET version=9, readable_from=9");
  const base::Error newer = refusal(dir.file("newer.db"));
  EXPECT_EQ(newer.code, base::Code::FailedPrecondition);
  EXPECT_NE(newer.message.find("schema 9"), std::string::npos);

  open_archive(dir.file("lacks.db")).reset();
  execute(dir.file("lacks.db"), "DROP TABLE usage");
  EXPECT_EQ(refusal(dir.file("lacks.db")).code, base::Code::DataLoss);

  std::ofstream(dir.file("empty.db")).flush();
  EXPECT_EQ(refusal(dir.file("empty.db"), true).code, base::Code::NotFound);
  EXPECT_EQ(refusal(dir.file("no/such/folder.db")).code, base::Code::NotFound);
}

TEST(UsageArchive, SaysSoWhenRowsAreDamaged) {
  const TempDir dir;
  const auto scan_error = [&](const std::string& name, const std::string& sql) {
    {
      const auto archive = open_archive(dir.file(name));
      const UsageRecord r = record("a");
      EXPECT_TRUE(archive->add({&r, 1}).has_value());
    }
    execute(dir.file(name), sql);
    const auto archive = open_archive(dir.file(name));
    const auto status = archive->scan({}, [](const UsageRecord&) { return true; });
    EXPECT_FALSE(status.has_value());
    const UsageRecord again = record("a", 99);
    EXPECT_FALSE(archive->add({&again, 1}).has_value());
    return status ? base::Code::Unknown : status.error().code;
  };
  EXPECT_EQ(scan_error("a.db", "DELETE FROM facets"), base::Code::DataLoss);
  EXPECT_EQ(scan_error("b.db", "DELETE FROM names WHERE text=''"), base::Code::DataLoss);
  EXPECT_EQ(scan_error("c.db", "UPDATE facets SET granularity='eon'"), base::Code::DataLoss);
  // A page in the middle of the file is overwritten.
  const std::string path = dir.file("d.db");
  {
    const auto archive = open_archive(path);
    std::vector<UsageRecord> records;
    for (int i = 0; i < 3000; ++i) records.push_back(record(std::to_string(i)));
    EXPECT_TRUE(archive->add(records).has_value());
  }
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path));
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  for (std::streamoff at = 40 * 4096; at + 4096 <= size; at += 4096) {
    file.seekp(at);
    file << std::string(4096, '\xee');
  }
  file.close();
  const auto archive = open_archive(path);
  const auto status = archive->scan({}, [](const UsageRecord&) { return true; });
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, base::Code::DataLoss) << status.error().text();
  EXPECT_NE(status.error().hint.find("import again"), std::string::npos);
}

TEST(UsageArchive, AReaderSeesOneStateWhileTheWriterGoesOn) {
  const TempDir dir;
  const std::string path = dir.file("usage.db");
  const auto writer = open_archive(path);
  std::vector<UsageRecord> records;
  for (int i = 0; i < 100; ++i) records.push_back(record(std::to_string(i)));
  ASSERT_TRUE(writer->add(records).has_value());
  const auto reader = open_archive(path, true);
  std::size_t seen = 0;
  ASSERT_TRUE(reader->scan({}, [&](const UsageRecord&) {
    if (++seen == 10) {
      std::vector<UsageRecord> more;
      for (int i = 0; i < 100; ++i) {
        more.push_back(record("more" + std::to_string(i)));
        more.back().start_unix_ns += kDayNs;
        more.back().user = "new" + std::to_string(i);
      }
      EXPECT_TRUE(writer->add(more).has_value());
    }
    return true;
  }));
  EXPECT_EQ(seen, 100U);
  EXPECT_EQ(content(*reader).size(), 200U);
}

}  // namespace
}  // namespace fh::ledger
