// The usage archive on real files: what goes in comes out, importing twice changes nothing, the
// order never matters, totals agree with a plain map, a file copied between any two transactions is
// a whole archive, kill -9, two writers, and files that are not what they should be.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "ledger/imports.h"
#include "ledger/test_rows.h"

namespace fh::ledger {
namespace {

using domain::CostRecord;
using domain::MicroUsd;
using domain::UsageRecord;
using testing::kDayNs;
using testing::kStartNs;
using testing::TempDir;

std::unique_ptr<UsageArchive> open_archive(const std::string& path, bool read_only = false) {
  auto archive = UsageArchive::open(path, read_only);
  EXPECT_TRUE(archive.has_value()) << (archive ? "" : archive.error().text());
  return archive ? std::move(*archive) : nullptr;
}

base::Error refusal(const std::string& path, bool read_only = false) {
  auto archive = UsageArchive::open(path, read_only);
  EXPECT_FALSE(archive.has_value());
  return archive ? base::Error{} : archive.error();
}

UsageRecord record(const std::string& id, std::uint64_t output = 10) {
  UsageRecord r;
  r.source_id = id;
  r.format = "claude-code";
  r.provider = "anthropic";
  r.model = "claude-opus-5-5";
  r.start_unix_ns = kStartNs;
  r.end_unix_ns = kStartNs + 5;
  r.usage = {100, 50, 3, 2, 1, output, 4};
  return r;
}

CostRecord cost(const std::string& id, std::int64_t micro_usd) {
  CostRecord c;
  c.source_id = id;
  c.format = "anthropic-cost";
  c.provider = "anthropic";
  c.start_unix_ns = kStartNs;
  c.end_unix_ns = kStartNs + kDayNs;
  c.billed = {micro_usd};
  return c;
}

// Few ids, few values: what is alike and what is a little different must both be frequent.
UsageRecord random_record(std::uint64_t seed) {
  base::SeededRandom random(seed);
  const auto pick = [&](const char* name, std::uint64_t n) {
    const std::uint64_t k = random.below(n + 1);
    return k == 0 ? std::string() : name + std::to_string(k);
  };
  UsageRecord r = record("event " + std::to_string(random.below(12)));
  r.format = random.below(2) == 0 ? "claude-code" : "codex";
  r.provider = pick("provider", 2);
  r.model = pick("model", 3);
  r.start_unix_ns = kStartNs + static_cast<std::int64_t>(random.below(4)) * kDayNs;
  r.end_unix_ns = r.start_unix_ns + static_cast<std::int64_t>(random.below(2));
  r.granularity = static_cast<domain::Granularity>(random.below(4));
  if (random.below(2) == 0) r.requests = random.below(3);
  r.usage = {random.below(3), random.below(3), random.below(2), random.below(2),
             random.below(2), random.below(3), random.below(2)};
  r.web_searches = random.below(2);
  r.tier = static_cast<domain::ServiceTier>(random.below(5));
  r.region = pick("region", 1);
  r.prompt_over = random.below(2) * 200'000;
  r.prompt_band_known = random.below(2) == 0;
  r.workspace = pick("workspace", 1);
  r.key = pick("key", 1);
  r.user = pick("user", 1);
  r.application = pick("application", 1);
  r.workload = pick("workload", 1);
  r.session = pick("session", 2);
  if (random.below(2) == 0) {
    r.reported_cost = MicroUsd{static_cast<std::int64_t>(random.below(3))};
  }
  r.cost_kind = static_cast<domain::CostKind>(random.below(5));
  if (random.below(2) == 0) r.ttft_ns = static_cast<std::int64_t>(random.below(2));
  if (random.below(2) == 0) r.duration_ns = static_cast<std::int64_t>(random.below(2));
  return r;
}

CostRecord random_cost(std::uint64_t seed) {
  base::SeededRandom random(seed);
  CostRecord c = cost("line " + std::to_string(random.below(8)),
                      static_cast<std::int64_t>(random.below(5)) - 2);
  c.model = random.below(2) == 0 ? "" : "claude-opus-5-5";
  c.item = "item" + std::to_string(random.below(2));
  c.service = random.below(2) == 0 ? "" : "service";
  c.workspace = random.below(2) == 0 ? "" : "workspace";
  c.start_unix_ns = kStartNs + static_cast<std::int64_t>(random.below(3)) * kDayNs;
  if (random.below(2) == 0) c.list = MicroUsd{static_cast<std::int64_t>(random.below(2))};
  if (random.below(2) == 0) c.effective = MicroUsd{static_cast<std::int64_t>(random.below(2))};
  if (random.below(2) == 0) c.billed_exact = "0.00000" + std::to_string(random.below(3));
  if (random.below(2) == 0) c.effective_exact = "0.0000001";
  if (random.below(2) == 0) {
    c.quantity = 0.5 + static_cast<double>(random.below(2));
    c.quantity_unit = "Tokens";
  }
  return c;
}

// Every field that is kept, in words.
std::string text_of(const UsageRecord& r) {
  std::string out;
  const auto add = [&out](const auto& value) {
    if constexpr (std::is_convertible_v<decltype(value), std::string_view>) {
      out += std::string(value) + "|";
    } else {
      out += std::to_string(value) + "|";
    }
  };
  const auto maybe = [&](const auto& value) { value ? add(*value) : add("-"); };
  for (const auto& s : {r.source_id, r.format, r.provider, r.model, r.region, r.workspace, r.key,
                        r.user, r.application, r.workload, r.session}) {
    add(s);
  }
  add(r.start_unix_ns), add(r.end_unix_ns), add(static_cast<int>(r.granularity));
  maybe(r.requests);
  for (const auto n :
       {r.usage.input_uncached, r.usage.cache_read, r.usage.cache_write_5m, r.usage.cache_write_30m,
        r.usage.cache_write_1h, r.usage.output, r.usage.reasoning, r.web_searches, r.prompt_over}) {
    add(n);
  }
  add(static_cast<int>(r.tier)), add(static_cast<int>(r.cost_kind)), add(r.prompt_band_known);
  maybe(r.reported_cost ? std::optional(r.reported_cost->value) : std::nullopt);
  maybe(r.ttft_ns), maybe(r.duration_ns);
  return out;
}
std::string text_of(const CostRecord& c) {
  std::string out;
  for (const auto& s : {c.source_id, c.format, c.provider, c.model, c.item, c.service, c.workspace,
                        c.currency, c.quantity_unit, c.billed_exact, c.effective_exact}) {
    out += s + "|";
  }
  for (const auto n : {c.start_unix_ns, c.end_unix_ns, c.billed.value, c.list ? c.list->value : -9,
                       c.effective ? c.effective->value : -9}) {
    out += std::to_string(n) + "|";
  }
  return out + (c.quantity ? std::to_string(*c.quantity) : "-");
}

template <typename Record>
std::string kept(Record r) {
  r.source_id = archived_id(r.format, r.source_id);
  return text_of(r);
}

std::vector<std::string> content(UsageArchive& archive, const UsageFilter& filter = {}) {
  std::vector<std::string> out;
  EXPECT_TRUE(archive.scan(filter, [&](const UsageRecord& r) {
    out.push_back(text_of(r));
    return true;
  }));
  return out;
}
std::vector<std::string> costs_of(UsageArchive& archive, const UsageFilter& filter = {}) {
  std::vector<std::string> out;
  EXPECT_TRUE(archive.scan_costs(filter, [&](const CostRecord& c) {
    out.push_back(text_of(c));
    return true;
  }));
  return out;
}
std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

void execute(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(db);
  sqlite3_close(db);
}

TEST(UsageArchive, GivesBackEveryField) {
  const TempDir dir;
  const auto archive = open_archive(dir.file("usage.db"));
  std::vector<UsageRecord> records;
  std::vector<CostRecord> costs;
  std::vector<std::string> expected, expected_costs;
  for (std::uint64_t i = 0; i < 200; ++i) {
    records.push_back(random_record(i));
    records.back().source_id = std::to_string(i);
    expected.push_back(kept(records.back()));
    costs.push_back(random_cost(i));
    costs.back().source_id = std::to_string(i);
    expected_costs.push_back(kept(costs.back()));
  }
  UsageRecord extreme = record("extreme");
  extreme.usage = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0};
  extreme.start_unix_ns = INT64_MIN;
  extreme.end_unix_ns = INT64_MAX;
  extreme.requests = UINT64_MAX;
  extreme.user = std::string("a\0b", 3);
  records.push_back(extreme);
  expected.push_back(kept(extreme));
  const auto added = archive->add(records);
  ASSERT_TRUE(added.has_value()) << added.error().text();
  EXPECT_EQ(added->added, 201U);
  ASSERT_TRUE(archive->add_costs(costs).has_value());
  EXPECT_EQ(sorted(content(*archive)), sorted(expected));
  EXPECT_EQ(sorted(costs_of(*archive)), sorted(expected_costs));
  EXPECT_EQ(archive->count().value_or(0), 201U);
  struct stat info{};
  ASSERT_EQ(::stat(dir.file("usage.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST(UsageArchive, ScansInOrderOfTimeAndWithinAFilter) {
  const TempDir dir;
  const auto archive = open_archive(dir.file("usage.db"));
  for (const int day : {3, 1, 0, 2}) {
    UsageRecord r = record(std::to_string(day));
    r.start_unix_ns += day * kDayNs;
    r.model = "model" + std::to_string(day % 2);
    r.provider = day < 2 ? "anthropic" : "openai";
    ASSERT_TRUE(archive->add({&r, 1}).has_value());
  }
  const auto days = [&](const UsageFilter& filter) {
    std::string out;
    EXPECT_TRUE(archive->scan(filter, [&](const UsageRecord& r) {
      out += std::to_string((r.start_unix_ns - kStartNs) / kDayNs);
      return true;
    }));
    return out;
  };
  EXPECT_EQ(days({}), "0123");
  EXPECT_EQ(days({kStartNs + kDayNs, kStartNs + 3 * kDayNs, "", "", ""}), "12");
  EXPECT_EQ(days({kStartNs + kDayNs, 0, "", "", ""}), "123");
  EXPECT_EQ(days({0, kStartNs, "", "", ""}), "");
  EXPECT_EQ(days({0, 0, "openai", "", ""}), "23");
  EXPECT_EQ(days({0, 0, "", "model1", ""}), "13");
  EXPECT_EQ(days({0, 0, "", "", "codex"}), "");
  int seen = 0;
  EXPECT_TRUE(archive->scan({}, [&](const UsageRecord&) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
  // A scan that was ended leaves nothing open.
  const UsageRecord late = record("late");
  EXPECT_TRUE(archive->add({&late, 1}).has_value());
}

TEST(UsageArchive, OfTwoReadingsTheLargerStays) {
  const TempDir dir;
  const auto archive = open_archive(dir.file("usage.db"));
  const std::vector<UsageRecord> first = {record("a", 5), record("a", 9), record("a", 7),
                                          record("b", 1)};
  const auto added = archive->add(first);
  ASSERT_TRUE(added.has_value());
  EXPECT_EQ(added->added, 2U);
  EXPECT_EQ(added->replaced + added->repeated, 2U);
  const auto output_of = [&](std::size_t index) {
    std::vector<std::uint64_t> outputs;
    EXPECT_TRUE(archive->scan({}, [&](const UsageRecord& r) {
      outputs.push_back(r.usage.output);
      return true;
    }));
    std::sort(outputs.begin(), outputs.end());
    return outputs.at(index);
  };
  EXPECT_EQ(output_of(1), 9U);
  UsageRecord moved = record("a", 12);
  moved.start_unix_ns -= kDayNs;
  const auto replaced = archive->add({&moved, 1});
  ASSERT_TRUE(replaced.has_value());
  EXPECT_EQ(replaced->replaced, 1U);
  EXPECT_EQ(output_of(1), 12U);
  EXPECT_EQ(archive->count().value_or(0), 2U);
  // The same id in another format is another event.
  UsageRecord other = record("a", 1);
  other.format = "codex";
  EXPECT_EQ(archive->add({&other, 1})->added, 1U);

  const std::vector<CostRecord> costs = {cost("c", 10), cost("c", -20), cost("c", 15)};
  ASSERT_TRUE(archive->add_costs(costs).has_value());
  std::int64_t billed = 0;
  EXPECT_TRUE(archive->scan_costs({}, [&](const CostRecord& c) {
    billed = c.billed.value;
    return true;
  }));
  EXPECT_EQ(billed, -20);
}

std::vector<std::uint64_t> seeds() {
  return *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(0, 400));
}

void import_in_parts(UsageArchive& archive, const std::vector<std::uint64_t>& of,
                     std::size_t part) {
  for (std::size_t at = 0; at < of.size(); at += part) {
    std::vector<UsageRecord> records;
    std::vector<CostRecord> costs;
    for (std::size_t i = at; i < std::min(at + part, of.size()); ++i) {
      records.push_back(random_record(of[i]));
      costs.push_back(random_cost(of[i]));
    }
    RC_ASSERT(archive.add(records).has_value());
    RC_ASSERT(archive.add_costs(costs).has_value());
  }
}

TEST(UsageArchiveProperty, NeitherRepetitionNorOrderNorBatchesMatter) {
  RC_ASSERT(rc::check([] {
    const TempDir dir;
    auto of = seeds();
    const auto archive = UsageArchive::open(dir.file("a.db")).value();
    import_in_parts(*archive, of, *rc::gen::inRange<std::size_t>(1, 9));
    const auto before = content(*archive);
    const auto costs_before = costs_of(*archive);

    import_in_parts(*archive, of, 5);
    RC_ASSERT(content(*archive) == before);
    RC_ASSERT(costs_of(*archive) == costs_before);

    std::shuffle(of.begin(), of.end(), std::mt19937_64(*rc::gen::arbitrary<std::uint64_t>()));
    const auto other = UsageArchive::open(dir.file("b.db")).value();
    import_in_parts(*other, of, *rc::gen::inRange<std::size_t>(1, 9));
    RC_ASSERT(content(*other) == before);
    RC_ASSERT(costs_of(*other) == costs_before);
  }));
}

TEST(UsageArchiveProperty, TotalsAreThoseOfAMap) {
  RC_ASSERT(rc::check([] {
    const TempDir dir;
    const auto of = seeds();
    const auto archive = UsageArchive::open(dir.file("a.db")).value();
    import_in_parts(*archive, of, 7);
    std::map<std::pair<std::string, std::string>, std::uint64_t> largest;
    std::map<std::string, std::uint64_t> largest_cost;
    for (const std::uint64_t seed : of) {
      const UsageRecord r = random_record(seed);
      auto& total = largest[{r.format, r.source_id}];
      total = std::max(total, r.usage.total());
      const CostRecord c = random_cost(seed);
      auto& amount = largest_cost[c.source_id];
      amount = std::max(amount, static_cast<std::uint64_t>(std::abs(c.billed.value)));
    }
    std::uint64_t expected = 0, found = 0, expected_cost = 0, found_cost = 0;
    for (const auto& [id, total] : largest) expected += total;
    for (const auto& [id, amount] : largest_cost) expected_cost += amount;
    RC_ASSERT(archive
                  ->scan({},
                         [&](const UsageRecord& r) {
                           found += r.usage.total();
                           return true;
                         })
                  .has_value());
    RC_ASSERT(archive
                  ->scan_costs({},
                               [&](const CostRecord& c) {
                                 found_cost += static_cast<std::uint64_t>(std::abs(c.billed.value));
                                 return true;
                               })
                  .has_value());
    RC_ASSERT(found == expected);
    RC_ASSERT(found_cost == expected_cost);
    RC_ASSERT(archive->count().value() == largest.size());
  }));
}

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

TEST(UsageArchive, RemembersFilesAndCursors) {
  const TempDir dir;
  {
    const auto archive = open_archive(dir.file("usage.db"));
    EXPECT_FALSE(archive->file("/a").value().has_value());
    ASSERT_TRUE(archive->note_file({"/a", "codex", "12ab", 77, 88, false}));
    ASSERT_TRUE(archive->note_file({"/a", "codex", "12ab", 99, 88, true}));
    EXPECT_EQ(archive->cursor("codex/x").value(), "");
    ASSERT_TRUE(archive->set_cursor("codex/x", "one"));
    ASSERT_TRUE(archive->set_cursor("codex/x", "two"));
  }
  const auto archive = open_archive(dir.file("usage.db"), true);
  const auto file = archive->file("/a").value();
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->format, "codex");
  EXPECT_EQ(file->sha256_head, "12ab");
  EXPECT_EQ(file->size_bytes, 99U);
  EXPECT_EQ(file->modified_unix_ns, 88);
  EXPECT_TRUE(file->complete);
  EXPECT_EQ(archive->cursor("codex/x").value(), "two");
  EXPECT_FALSE(archive->set_cursor("codex/x", "three"));
  const UsageRecord r = record("a");
  EXPECT_FALSE(archive->add({&r, 1}).has_value());
}

TEST(UsageArchive, ForgetsAFormatWithItsNames) {
  const TempDir dir;
  const auto archive = open_archive(dir.file("usage.db"));
  UsageRecord stays = record("stays");
  stays.user = "both@example.com";
  UsageRecord goes = stays;
  goes.format = "codex";
  goes.session = "only here";
  const std::vector<UsageRecord> records = {stays, goes};
  ASSERT_TRUE(archive->add(records).has_value());
  CostRecord amount = cost("c", 1);
  amount.format = "codex";
  ASSERT_TRUE(archive->add_costs({&amount, 1}).has_value());
  ASSERT_TRUE(archive->note_file({"/a", "codex", "", 0, 0, true}));
  ASSERT_TRUE(archive->note_file({"/b", "claude-code", "", 0, 0, true}));
  ASSERT_TRUE(archive->set_cursor("codex/1d", "x"));
  ASSERT_TRUE(archive->set_cursor("codex-other/1d", "x"));

  EXPECT_EQ(archive->remove_format("codex").value_or(0), 2U);
  EXPECT_EQ(archive->remove_format("codex").value_or(9), 0U);
  EXPECT_EQ(content(*archive), std::vector{kept(stays)});
  EXPECT_TRUE(costs_of(*archive).empty());
  EXPECT_FALSE(archive->file("/a").value().has_value());
  EXPECT_TRUE(archive->file("/b").value().has_value());
  EXPECT_EQ(archive->cursor("codex/1d").value(), "");
  EXPECT_EQ(archive->cursor("codex-other/1d").value(), "x");
  // What was forgotten can come again.
  EXPECT_EQ(archive->add(records)->added, 1U);
  EXPECT_EQ(sorted(content(*archive)), sorted({kept(stays), kept(goes)}));
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
