// What goes into the usage archive comes out, importing twice changes nothing, the order never
// matters, and totals agree with a plain map.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sqlite3.h>

#include <map>
#include <random>
#include <vector>

#include "ledger/imports.h"
#include "ledger/store/sqlite/usage_archive_test_support.h"
#include "ledger/test_rows.h"

namespace fh::ledger {
namespace {

using namespace testing;

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

TEST(UsageArchive, AMainReadingBeatsALargerOneFromTheSide) {
  for (const bool main_first : {true, false}) {
    const TempDir dir;
    const auto archive = open_archive(dir.file("usage.db"));
    UsageRecord main = record("m", 5), side = record("m", 50);
    side.workload = domain::kSubAgent;
    for (UsageRecord* r : {main_first ? &main : &side, main_first ? &side : &main}) {
      ASSERT_TRUE(archive->add({r, 1}).has_value());
    }
    ASSERT_TRUE(archive->scan({}, [&](const UsageRecord& r) {
      EXPECT_EQ(r.usage.output, 5U) << main_first;
      return true;
    }));
  }
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

}  // namespace
}  // namespace fh::ledger
