// Goal: a run finds every file once, counts every event once with exact sums, names what it leaves
// out, goes on where it was told, and ends on a hook's error alone. Method: folders made for each
// case, with the public transcript among them.

#include "importers/walk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "importers/test_sink.h"

namespace fh::importers {
namespace {

namespace fs = std::filesystem;

// zstd (RFC 8878) of a short text: a window of 2 MiB and one stored block.
std::string stored_zstd(std::string_view text) {
  const std::size_t head = 1 | text.size() << 3;
  std::string out("\x28\xB5\x2F\xFD\x00\x58", 6);
  for (int shift = 0; shift < 24; shift += 8) out += static_cast<char>(head >> shift);
  return out += text;
}

// What stands behind a gzip member (RFC 1952).
std::string gzip_tail(std::string_view text) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int k = 0; k < 8; ++k) crc = (crc >> 1) ^ (0xEDB88320U & (0U - (crc & 1)));
  }
  std::string out;
  for (const std::uint32_t word : {~crc, static_cast<std::uint32_t>(text.size())}) {
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(word >> shift));
  }
  return out;
}

const std::string kGzipHead("\x1F\x8B\x08\0\0\0\0\0\0\xFF", 10);

// gzip in stored blocks.
std::string stored_gzip(std::string_view text) {
  std::string out = kGzipHead;
  for (std::size_t at = 0; at < text.size() || at == 0; at += 60'000) {
    const std::string_view part = text.substr(at, 60'000);
    const auto size = static_cast<std::uint16_t>(part.size());
    out.push_back(at + 60'000 >= text.size() ? 1 : 0);
    for (const int value : {size & 255, size >> 8, ~size & 255, (~size >> 8) & 255}) {
      out.push_back(static_cast<char>(value));
    }
    out += part;
  }
  return out + gzip_tail(text);
}

// gzip of ASCII text in which each byte from `repeats` on is the one 33 before it: one block of
// fixed codes (RFC 1951), 258 bytes of it in 17 bits.
std::string repeating_gzip(std::string_view text, std::size_t repeats) {
  std::string out = kGzipHead;
  unsigned held = 0, bits = 0;
  const auto bit = [&](unsigned value) {
    held |= value << bits;
    if (++bits < 8) return;
    out.push_back(static_cast<char>(held));
    held = bits = 0;
  };
  const auto code = [&](unsigned value, int size) {  // codes begin with their highest bit
    while (size-- > 0) bit(value >> size & 1);
  };
  for (const unsigned value : {1U, 1U, 0U}) bit(value);  // the last block, of fixed codes
  for (std::size_t at = 0; at < text.size();) {
    if (at >= repeats && text.size() - at >= 258) {
      code(0xC5, 8);  // 258 bytes
      code(10, 5);    // from 33 bytes before, and 4 bits more
      code(0, 4);
      at += 258;
    } else {
      code(0x30 + static_cast<unsigned char>(text[at++]), 8);
    }
  }
  code(0, 7);  // the end
  while (bits != 0) bit(0);
  return out + gzip_tail(text);
}

std::string answer(const std::string& id, int output) {
  return R"({"parentUuid":null,"isSidechain":false,"type":"assistant","timestamp":"2026-06-01T05:40:29Z","sessionId":"s","requestId":"r","message":{"id":")" +
         id + R"(","model":"claude-opus-4-8","usage":{"input_tokens":10,"output_tokens":)" +
         std::to_string(output) + "}}}\n";
}

class Walk : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              ("freehold-walk-" + std::to_string(::getpid()) + "-" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view text) {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  RunSummary run(RunHooks hooks = {}, std::vector<std::string> paths = {}) {
    if (paths.empty()) paths = {folder_.string()};
    ImportRun run({}, std::move(hooks), clock_);
    const base::Status status = run.run(paths);
    EXPECT_TRUE(status.has_value()) << status.error().message;
    return run.summary();
  }

  fs::path folder_;
  base::ManualClock clock_;
};

TEST_F(Walk, AnEventInTwoFilesCountsOnceWithItsLargestReading) {
  write("a.jsonl", answer("m1", 5) + answer("m2", 7));
  write("sub/b.jsonl", answer("m1", 9) + answer("m3", 1));
  write("sub/c.jsonl", answer("m1", 2) + answer("m2", 7));
  std::vector<std::string> handed_on;
  RunHooks hooks;
  hooks.usage = [&](domain::UsageRecord&& record) {
    handed_on.push_back(record.source_id + ":" + std::to_string(record.usage.output));
  };
  const RunSummary summary = run(hooks);
  EXPECT_EQ(summary.records, 3U);
  EXPECT_EQ(summary.repeated, 3U);
  EXPECT_EQ(summary.replaced, 1U);
  EXPECT_EQ(summary.total.usage.output, 17U);
  EXPECT_EQ(summary.total.usage.input_uncached, 30U);
  EXPECT_EQ(summary.total.requests, 3U);
  EXPECT_EQ(handed_on, (std::vector<std::string>{"m1:5", "m2:7", "m1:9", "m3:1"}));
  ASSERT_EQ(summary.reports.size(), 3U);
  EXPECT_EQ(summary.reports[2].records, 2U);
  EXPECT_EQ(summary.reports[2].repeated, 2U);
  const Totals& model = summary.models.at({"anthropic", "claude-opus-4-8"});
  EXPECT_EQ(model.records, 3U);
  EXPECT_EQ(model.usage, summary.total.usage);
  EXPECT_EQ(summary.formats.at("claude-code"), 6U);
}

// The log of a side conversation repeats answers of the main one under other request ids, whichever
// file comes first.
TEST_F(Walk, AMainConversationIsRightAboutItsAnswers) {
  std::string side = answer("m1", 90);
  side.replace(side.find("\"isSidechain\":false"), 19, "\"isSidechain\":true");
  side.replace(side.find("\"r\""), 3, "\"other\"");
  write("a/main.jsonl", answer("m1", 5));
  write("b/side.jsonl", side);
  write("c/side.jsonl", side);
  write("d/main.jsonl", answer("m1", 4));
  EXPECT_EQ(run().total.usage.output, 5U);
  fs::remove_all(folder_ / "a");
  EXPECT_EQ(run().total.usage.output, 4U);
  EXPECT_EQ(run().records, 1U);
}

TEST_F(Walk, AByteOrderMarkIsNothing) {
  const std::string mark = "\xEF\xBB\xBF";
  write("a.jsonl", mark + answer("m1", 5) + answer("m2", 7));
  write("b.jsonl.gz", stored_gzip(mark + answer("m3", 1)));
  write("c.csv", mark + "timestamp,model,input_tokens,output_tokens\n2026-08-28,m,1,2\n");
  const RunSummary summary = run();
  EXPECT_EQ(summary.skips_total, 0U);
  EXPECT_EQ(summary.records, 4U);
  EXPECT_EQ(summary.total.usage.output, 15U);
}

TEST_F(Walk, ATurnWithoutATimeHasThatOfItsFile) {
  const std::string path =
      write("out.jsonl",
            "{\"type\":\"thread.started\",\"thread_id\":\"t\"}\n"
            "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":9,\"output_tokens\":3}}\n");
  const std::array<timespec, 2> times{{{1'774'087'569, 0}, {1'774'087'569, 0}}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  const RunSummary summary = run();
  EXPECT_EQ(summary.records, 1U);
  EXPECT_EQ(summary.first_unix_ns, 1'774'087'569'000'000'000);
}

// What often holds usage and is not read says what to do.
TEST_F(Walk, KindsOfFilesThatAreNotRead) {
  write("a.parquet", std::string("PAR1\x15\x04", 6) + std::string(200, '\0') + "PAR1");
  write("b.xlsx", std::string("PK\x03\x04", 4) + std::string(60, '\0'));
  write(
      "c.json",
      R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"claude_code.token.usage"}]}]}]})");
  write("d.db", std::string("SQLite format 3\0", 16));
  const RunSummary summary = run();
  EXPECT_EQ(summary.files_read, 0U);
  ASSERT_EQ(summary.skips.size(), 4U);
  const std::string_view expected[] = {"a Parquet file: ", "a ZIP archive or a workbook: ",
                                       "OpenTelemetry records: ", "a database: "};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(summary.skips[i].why.starts_with(expected[i])) << summary.skips[i].why;
  }
}

TEST_F(Walk, ThePublicTranscriptTwiceHasItsKnownTotals) {
  const std::string text = test::file_bytes(
      test::validation_path("tracelab/claude-projects/-workspace-project/claude-session-01.jsonl"));
  write("projects/a/one.jsonl", text);
  write("projects/b/copy.jsonl", text);
  write("projects/b/zipped.jsonl.gz", stored_gzip(text));
  const RunSummary summary = run();
  EXPECT_EQ(summary.files_read, 3U);
  EXPECT_EQ(summary.records, 10U);
  EXPECT_EQ(summary.total.usage.input_uncached, 3'039U);
  EXPECT_EQ(summary.total.usage.cache_write(), 21'086U);
  EXPECT_EQ(summary.total.usage.cache_read, 394'068U);
  EXPECT_EQ(summary.total.usage.output, 9'423U);
  EXPECT_EQ(base::format_date(summary.first_unix_ns), "2026-06-01");
}

TEST_F(Walk, ZstdAndUtf16AreUndone) {
  const std::string csv =
      "timestamp,model,input_tokens,output_tokens\r\n2026-08-28T10:00:00Z,mod\xC3\xA8le,100,7\r\n";
  std::string wide = "\xFF\xFE";
  for (const char c : std::string_view("timestamp\tmodel\tinput_tokens\toutput_tokens\r\n"
                                       "2026-08-28T11:00:00Z\tmod\xE8le\t200\t9\r\n")) {
    wide += c;
    wide += '\0';
  }
  const std::string packed = stored_zstd(csv);
  write("a.csv.zst", packed);
  write("b.txt", wide);
  write("cut.csv.zst", packed.substr(0, packed.size() - 3));
  const RunSummary summary = run();
  EXPECT_EQ(summary.files_read, 3U);
  EXPECT_EQ(summary.records, 2U);
  EXPECT_EQ(summary.total.usage.input_uncached, 300U);
  ASSERT_EQ(summary.models.size(), 1U);
  EXPECT_EQ(summary.models.begin()->first.model, "mod\xC3\xA8le");
  EXPECT_EQ(summary.skip_reasons.at("zstd data is cut off"), 1U);
}

// Small files, too, of which nothing is recognised before their end.
TEST_F(Walk, WhatComesBeforeTheDamageOfACompressedFileCounts) {
  const std::string text = answer("m1", 5) + answer("m2", 7);
  const std::string whole = repeating_gzip(text, text.size());
  write("cut.gz", std::string_view(whole).substr(0, whole.size() - 6));
  EXPECT_EQ(run().total.usage.output, 12U);
  EXPECT_EQ(run().skips_total, 1U);
  fs::remove(folder_ / "cut.gz");
  write("more.gz", whole + "not gzip");
  EXPECT_EQ(run().total.usage.output, 12U);
  EXPECT_EQ(run().skips_total, 1U);
  fs::remove(folder_ / "more.gz");
  fs::remove(folder_ / "more.gz");
  const std::string rows =
      "timestamp,model,input_tokens,output_tokens\n2026-08-01,m,5,10\n2026-08-02,m,5,123456789";
  const std::string table = repeating_gzip(rows, rows.size());
  write("table.gz", std::string_view(table).substr(0, table.size() - 14));
  EXPECT_EQ(run().total.usage.output, 10U) << "not a part of the number that is cut";
  EXPECT_EQ(run().skip_reasons.size(), 2U);
  fs::remove(folder_ / "table.gz");
  const std::string other = repeating_gzip("nothing that is known", 100);
  write("other.gz", std::string_view(other).substr(0, other.size() - 6));
  EXPECT_EQ(run().skips_total, 1U);
}

TEST_F(Walk, LinesThatEndInCarriageReturnsAlone) {
  std::string rows = "timestamp,model,input_tokens,output_tokens\r";
  for (int i = 0; i < 20'000; ++i) rows += "2026-08-01,m" + std::to_string(i) + ",2,1\r";
  write("a.csv", rows);
  const RunSummary summary = run();
  EXPECT_EQ(summary.records, 20'000U);
  EXPECT_EQ(summary.skips_total, 0U);
}

TEST_F(Walk, AMappingIsForEveryFile) {
  write("own.csv", "when,which,in,out\n2026-08-28T10:00:00Z,m,100,7\n");
  // Its own reader would take the columns for what they are called.
  write("swapped.csv",
        "timestamp,model,input_tokens,output_tokens,when,which,in,out\n"
        "2026-08-28T10:00:00Z,a,1,2,2026-08-28T11:00:00Z,m,200,9\n");
  write("transcript.jsonl", answer("m", 1));
  RunHooks hooks;
  const base::SystemClock clock;
  ImportRun run({"[columns]\ntime='when'\nmodel='which'\ninput='in'\noutput='out'\n"},
                std::move(hooks), clock);
  ASSERT_TRUE(run.run({folder_.string()}).has_value());
  EXPECT_EQ(run.summary().files_read, 2U);
  EXPECT_EQ(run.summary().total.usage.input_uncached, 300U);
  EXPECT_EQ(run.summary().total.usage.output, 16U);
  EXPECT_EQ(run.summary().formats.at("csv"), 2U);
  ASSERT_EQ(run.summary().skips.size(), 1U);
  EXPECT_EQ(run.summary().skips[0].why, "the file does not begin with a header row");
}

TEST_F(Walk, WhatIsLeftOutIsNamed) {
  write("a.txt", "notes of a meeting");
  write("b.txt", "more notes");
  write("empty.jsonl", "");
  write("good.jsonl", answer("m", 1) + "{\"usage\" broken\n");
  write("cut.gz", stored_gzip(answer("z", 1)).substr(0, 60));
  fs::create_symlink(folder_ / "good.jsonl", folder_ / "link.jsonl");
  ::mkfifo((folder_ / "pipe").c_str(), 0600);
  const RunSummary summary = run();
  EXPECT_EQ(summary.records, 1U);
  EXPECT_EQ(summary.files, 5U);
  EXPECT_EQ(summary.files_read, 1U);
  EXPECT_EQ(summary.files_skipped, 4U);
  EXPECT_EQ(summary.skips_total, 7U);
  EXPECT_EQ(summary.skip_reasons.at("no known usage format"), 2U);
  EXPECT_EQ(summary.skip_reasons.at("the file is empty"), 1U);
  EXPECT_EQ(summary.skip_reasons.at("damaged JSON"), 1U);
  EXPECT_EQ(summary.skip_reasons.at("gzip data is cut off"), 1U);
  EXPECT_EQ(summary.skip_reasons.at("a link: links in folders are not followed"), 1U);
  const auto damaged = std::ranges::find(summary.skips, "damaged JSON", &Skip::why);
  ASSERT_NE(damaged, summary.skips.end());
  EXPECT_EQ(damaged->line, 2U);
  EXPECT_TRUE(damaged->file.ends_with("good.jsonl"));
}

TEST_F(Walk, EachFileOnceInAFixedOrder) {
  const std::string b = write("b.jsonl", answer("b", 1));
  const std::string a = write("a.jsonl", answer("a", 1));
  write("a/z.jsonl", answer("z", 1));
  const std::string link = (folder_ / "named-link").string();
  fs::create_symlink(b, link);
  const RunSummary summary = run({}, {link, folder_.string(), folder_.string() + "/", a});
  std::vector<std::string> names;
  for (const FileReport& report : summary.reports) {
    names.push_back(fs::path(report.file.path).filename());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"named-link", "z.jsonl", "a.jsonl"}));
  EXPECT_EQ(summary.records, 3U);
}

TEST_F(Walk, APathThatIsNotThereIsAnError) {
  ImportRun run({}, {}, clock_);
  const base::Status status = run.run({(folder_ / "nothing").string()});
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, base::Code::NotFound);
}

TEST_F(Walk, UnchangedFilesAreNotRead) {
  write("a.jsonl", answer("a", 1));
  write("b.jsonl", answer("b", 1));
  RunHooks hooks;
  std::vector<std::string> done;
  hooks.unchanged = [](const FoundFile& file) {
    EXPECT_GT(file.size_bytes, 0U);
    EXPECT_GT(file.modified_unix_ns, 0);
    return file.path.ends_with("a.jsonl");
  };
  hooks.done = [&](const FileReport& report) -> base::Status {
    done.push_back(report.unchanged ? "unchanged" : report.format);
    EXPECT_NE(report.complete, report.unchanged);
    EXPECT_EQ(report.sha256_head.empty(), report.unchanged);
    return {};
  };
  const RunSummary summary = run(hooks);
  EXPECT_EQ(summary.records, 1U);
  EXPECT_EQ(summary.files_unchanged, 1U);
  EXPECT_EQ(done, (std::vector<std::string>{"unchanged", "claude-code"}));
}

TEST_F(Walk, AHooksErrorEndsTheRun) {
  write("a.jsonl", answer("a", 1));
  write("b.jsonl", answer("b", 1));
  int files = 0;
  RunHooks hooks;
  hooks.done = [&](const FileReport&) {
    ++files;
    return base::Status(base::fail(base::Code::Cancelled, "stop"));
  };
  ImportRun run({}, hooks, clock_);
  const base::Status status = run.run({folder_.string()});
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, base::Code::Cancelled);
  EXPECT_EQ(files, 1);
  EXPECT_EQ(run.summary().records, 1U);
}

// Equal rows take next to nothing in a compressed file: a piece of it is many pieces of text.
TEST_F(Walk, ACompressedFileIsStoredInPiecesOfItsText) {
  constexpr std::uint64_t kRows = 100'000;
  constexpr std::string_view kRow = "2026-06-01T05:40:29Z,gpt-5,10,20\n";
  static_assert(kRow.size() == 33);
  std::string text = "time,model,input_tokens,output_tokens\n";
  const std::size_t repeats = text.size() + kRow.size();
  for (std::uint64_t i = 0; i < kRows; ++i) text += kRow;
  const std::string packed = repeating_gzip(text, repeats);
  ASSERT_LT(packed.size(), 256U * 1024) << "one piece on the disk";
  write("rows.csv.gz", packed);
  std::uint64_t held = 0, most = 0, stored = 0;
  RunHooks hooks;
  hooks.usage = [&](domain::UsageRecord&&) { most = std::max(most, ++held); };
  hooks.checkpoint = [&]() -> base::Status {
    stored += std::exchange(held, 0);
    return {};
  };
  EXPECT_EQ(run(hooks).records, kRows);
  EXPECT_EQ(stored, kRows);
  EXPECT_LT(most, 20'000U);

  held = stored = most = 0;
  hooks.checkpoint = [&]() -> base::Status {
    return base::fail(base::Code::ResourceExhausted, "the disk is full");
  };
  ImportRun failing({}, hooks, clock_);
  const base::Status status = failing.run({folder_.string()});
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().message, "the disk is full");
  EXPECT_LT(held, 20'000U);
}

TEST_F(Walk, ProgressReachesItsGoal) {
  std::string text;
  for (int i = 0; i < 9000; ++i) text += answer("m" + std::to_string(i), 1);
  write("a.jsonl", text);
  write("b.jsonl", stored_gzip(text));
  std::vector<std::uint64_t> bytes;
  Progress last;
  RunHooks hooks;
  hooks.progress = [&](const Progress& progress) {
    clock_.advance(std::chrono::milliseconds(100));
    EXPECT_LE(progress.bytes_done, progress.bytes_total);
    EXPECT_TRUE(bytes.empty() || bytes.back() <= progress.bytes_done);
    bytes.push_back(progress.bytes_done);
    last = progress;
    last.path = {};
  };
  const RunSummary summary = run(hooks);
  EXPECT_EQ(summary.records, 9000U);
  EXPECT_EQ(last.bytes_done, last.bytes_total);
  EXPECT_EQ(last.files_done, 2U);
  EXPECT_GT(last.bytes_per_second, 0U);
  EXPECT_EQ(last.seconds_left, 0U);
}

TEST_F(Walk, ListsAreBounded) {
  std::string text = answer("m", 1);
  for (int i = 0; i < 1500; ++i) text += "{\"usage\"\n";
  write("a.jsonl", text);
  const RunSummary summary = run();
  EXPECT_EQ(summary.skips.size(), kSkipsMax);
  EXPECT_EQ(summary.skips_total, 1500U);
  EXPECT_EQ(summary.skip_reasons.at("damaged JSON"), 1500U);
}

TEST_F(Walk, CostsAreSummed) {
  const auto page = [](const char* amount) {
    return std::string(
               R"({"data":[{"starting_at":"2026-08-01T00:00:00Z","ending_at":"2026-08-02T00:00:00Z","results":[{"currency":"USD","cost_type":"tokens","amount":")") +
           amount + "\"}]}]}";
  };
  write("a.json", page("100"));
  write("b.json", page("250.5"));  // the same day, pulled later
  write("c.json", page("100"));
  const RunSummary summary = run();
  EXPECT_EQ(summary.costs, 1U);
  EXPECT_EQ(summary.billed_micro_usd, 2'505'000);
}

}  // namespace
}  // namespace fh::importers
