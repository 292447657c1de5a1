// The read side: paging and filters, and every fold against a naive recomputation from the rows.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "ledger/store/sqlite/sqlite_store.h"
#include "ledger/test_rows.h"

namespace fh::ledger {
namespace {

using testing::TempDir;

struct Fixture {
  TempDir dir;
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<LedgerReader> reader;
  std::vector<Row> rows;  // in order of admission

  explicit Fixture(std::uint64_t seed, int count) {
    SqliteStore::Options options;
    options.wal_presize_bytes = 0;
    store = SqliteStore::open(dir.file("ledger.db"), options).value();
    base::SeededRandom random(seed);
    std::vector<Record> records;
    for (int i = 0; i < count; ++i) {
      const std::string id = "req_" + std::to_string(i);
      Row row{testing::random_admission(random, id), std::nullopt, i + 1};
      records.emplace_back(row.admission);
      if (random.below(8) != 0) {
        row.settlement = testing::random_settlement(random, id);
        records.emplace_back(*row.settlement);
      }
      rows.push_back(std::move(row));
    }
    EXPECT_TRUE(store->append(records).has_value());
    reader = open_sqlite_reader(dir.file("ledger.db")).value();
  }
};

TEST(SqliteReader, PagesThroughEveryRowOnceNewestFirst) {
  Fixture f(1, 57);
  RowQuery query;
  query.limit = 10;
  std::vector<std::int64_t> seen;
  for (int page = 0; page < 10; ++page) {
    const auto rows = f.reader->rows(query);
    ASSERT_TRUE(rows.has_value());
    if (rows->empty()) break;
    for (const Row& row : *rows) {
      seen.push_back(row.sequence);
      const Row& expected = f.rows[static_cast<std::size_t>(row.sequence - 1)];
      EXPECT_TRUE(testing::same(row.admission, expected.admission));
      ASSERT_EQ(row.settlement.has_value(), expected.settlement.has_value());
      if (row.settlement) EXPECT_TRUE(testing::same(*row.settlement, *expected.settlement));
    }
    query.before_sequence = rows->back().sequence;
  }
  ASSERT_EQ(seen.size(), 57U);
  for (std::size_t i = 0; i < seen.size(); ++i)
    EXPECT_EQ(seen[i], static_cast<std::int64_t>(57 - i));
}

TEST(SqliteReader, FiltersCombine) {
  Fixture f(2, 300);
  for (const std::optional<bool> running :
       {std::optional<bool>(), std::optional(true), std::optional(false)}) {
    for (const char* model : {"", "m1", "claude-opus-5-5", "none"}) {
      for (const char* key : {"", "key_2"}) {
        for (const char* workload : {"", "w1"}) {
          RowQuery query;
          query.limit = 1000;
          query.model = model;
          query.key_id = key;
          query.workload = workload;
          query.running = running;
          std::vector<std::int64_t> expected;
          for (auto it = f.rows.rbegin(); it != f.rows.rend(); ++it) {
            const Admission& a = it->admission;
            if (!query.model.empty() && a.model_served != query.model &&
                a.model_requested != query.model)
              continue;
            if (!query.key_id.empty() && a.key_id != query.key_id) continue;
            if (!query.workload.empty() && a.workload != query.workload) continue;
            if (running && *running == it->settlement.has_value()) continue;
            expected.push_back(it->sequence);
          }
          const auto rows = f.reader->rows(query);
          ASSERT_TRUE(rows.has_value());
          std::vector<std::int64_t> got;
          for (const Row& row : *rows) got.push_back(row.sequence);
          EXPECT_EQ(got, expected) << model << key << workload;
        }
      }
    }
  }
}

TEST(SqliteReader, RefusesUnboundedPagesAndUnknownRows) {
  Fixture f(3, 1);
  RowQuery query;
  query.limit = 0;
  EXPECT_FALSE(f.reader->rows(query).has_value());
  query.limit = 1001;
  EXPECT_FALSE(f.reader->rows(query).has_value());
  const auto row = f.reader->row("req_none");
  ASSERT_FALSE(row.has_value());
  EXPECT_EQ(row.error().code, base::Code::NotFound);
}

TEST(SqliteReader, ARowWithSeveralAttemptsIsTheLastOne) {
  Fixture f(4, 1);
  ASSERT_TRUE(
      f.store->append(std::vector<Record>{testing::admission("r", 2), testing::admission("r", 1)})
          .has_value());
  EXPECT_EQ(f.reader->row("r")->admission.attempt, 2U);
}

// folds

std::string group_of(const Admission& a, UsageBy by) {
  const std::chrono::sys_days day =
      std::chrono::floor<std::chrono::days>(std::chrono::sys_time<std::chrono::nanoseconds>(
          std::chrono::nanoseconds(a.admitted_unix_ns)));
  switch (by) {
    case UsageBy::Day: {
      const std::chrono::year_month_day d(day);
      return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(d.year()),
                         static_cast<unsigned>(d.month()), static_cast<unsigned>(d.day()));
    }
    case UsageBy::Week: {
      // ISO 8601: the week belongs to the year that has its Thursday.
      const unsigned weekday = std::chrono::weekday(day).iso_encoding();
      const std::chrono::sys_days thursday = day + std::chrono::days(4 - static_cast<int>(weekday));
      const std::chrono::year year = std::chrono::year_month_day(thursday).year();
      const auto first = std::chrono::sys_days(year / 1 / 1);
      return fmt::format("{:04}-W{:02}", static_cast<int>(year),
                         (thursday - first).count() / 7 + 1);
    }
    case UsageBy::Model: return a.model_served.empty() ? a.model_requested : a.model_served;
    case UsageBy::Key: return a.key_id;
    case UsageBy::Workload: return a.workload;
  }
  return {};
}

struct Api {
  std::int64_t sum = 0;
  std::uint64_t priced = 0;
};
struct Naive {
  UsageRow row;
  std::uint64_t settled = 0;
  std::map<std::string, Api> api;
};

bool failed(domain::EndReason reason) {
  using enum domain::EndReason;
  return reason == UpstreamCut || reason == UpstreamError || reason == Timeout ||
         reason == Cancelled || reason == Crash || reason == Rejected;
}

std::map<std::string, Naive> naive_fold(const std::vector<Row>& rows, const UsageQuery& query) {
  std::map<std::string, Naive> groups;
  for (const Row& r : rows) {
    const Admission& a = r.admission;
    if (a.admitted_unix_ns < query.from_unix_ns) continue;
    if (query.to_unix_ns != 0 && a.admitted_unix_ns >= query.to_unix_ns) continue;
    if (!query.key_id.empty() && a.key_id != query.key_id) continue;
    Naive& n = groups[group_of(a, query.by)];
    ++n.row.requests;
    if (!r.settlement) continue;
    const Settlement& s = *r.settlement;
    ++n.settled;
    n.row.failed += failed(s.reason) ? 1 : 0;
    n.row.usage.input_uncached += s.usage.input_uncached;
    n.row.usage.cache_read += s.usage.cache_read;
    n.row.usage.cache_write_5m += s.usage.cache_write_5m;
    n.row.usage.cache_write_30m += s.usage.cache_write_30m;
    n.row.usage.cache_write_1h += s.usage.cache_write_1h;
    n.row.usage.output += s.usage.output;
    n.row.usage.reasoning += s.usage.reasoning;
    n.row.work.computed += s.work.computed;
    n.row.work.cached += s.work.cached;
    n.row.work.restored += s.work.restored;
    n.row.cost.value += s.cost ? s.cost->value : 0;
    n.row.cost_unpriced += s.cost ? 0 : 1;
    for (const ApiCost& api : s.api_costs) {
      Api& sum = n.api[api.model];
      sum.sum += api.cost ? api.cost->value : 0;
      sum.priced += api.cost ? 1 : 0;
    }
  }
  return groups;
}

void expect_equal(const UsageRow& got, const Naive& expected) {
  SCOPED_TRACE(got.group);
  EXPECT_EQ(got.requests, expected.row.requests);
  EXPECT_EQ(got.failed, expected.row.failed);
  EXPECT_EQ(got.usage, expected.row.usage);
  EXPECT_EQ(got.work, expected.row.work);
  EXPECT_EQ(got.cost, expected.row.cost);
  EXPECT_EQ(got.cost_unpriced, expected.row.cost_unpriced);
  ASSERT_EQ(got.api_costs.size(), expected.api.size());
  ASSERT_EQ(got.api_unpriced.size(), expected.api.size());
  for (std::size_t i = 0; i < got.api_costs.size(); ++i) {
    const Api& api = expected.api.at(got.api_costs[i].model);
    EXPECT_EQ(got.api_costs[i].cost.has_value(), api.priced > 0);
    if (api.priced > 0) EXPECT_EQ(got.api_costs[i].cost->value, api.sum);
    EXPECT_EQ(got.api_unpriced[i], expected.settled - api.priced);
  }
}

TEST(SqliteReader, FoldsEqualTheSumOfTheRows) {
  for (std::uint64_t seed = 10; seed < 14; ++seed) {
    Fixture f(seed, 400);
    base::SeededRandom random(seed);
    for (const UsageBy by :
         {UsageBy::Day, UsageBy::Week, UsageBy::Model, UsageBy::Key, UsageBy::Workload}) {
      for (int round = 0; round < 4; ++round) {
        UsageQuery query;
        query.by = by;
        if (round > 0) {
          query.from_unix_ns =
              testing::kStartNs + static_cast<std::int64_t>(random.below(10ULL * testing::kDayNs));
        }
        if (round > 1) query.to_unix_ns = query.from_unix_ns + 5 * testing::kDayNs;
        if (round > 2) query.key_id = "key_1";
        const auto got = f.reader->usage(query);
        ASSERT_TRUE(got.has_value()) << got.error().text();
        const auto expected = naive_fold(f.rows, query);
        ASSERT_EQ(got->size(), expected.size());
        for (const UsageRow& row : *got) {
          ASSERT_TRUE(expected.contains(row.group)) << row.group;
          expect_equal(row, expected.at(row.group));
        }
      }
    }
  }
}

TEST(SqliteReader, ApiCostsKeepTheOrderOfTheBook) {
  Fixture f(20, 0);
  Settlement s = testing::settlement("req_1");
  s.api_costs = {{"z/first", domain::MicroUsd{1}},
                 {"a/second", std::nullopt},
                 {"m/third", domain::MicroUsd{3}}};
  ASSERT_TRUE(f.store->append(std::vector<Record>{testing::admission("req_1"), s}).has_value());
  const auto rows = f.reader->usage({});
  ASSERT_TRUE(rows.has_value());
  ASSERT_EQ(rows->size(), 1U);
  std::vector<std::string> models;
  for (const ApiCost& api : rows->front().api_costs) models.push_back(api.model);
  EXPECT_EQ(models, (std::vector<std::string>{"z/first", "a/second", "m/third"}));
}

TEST(SqliteReader, IsoWeeksAroundTheNewYear) {
  TempDir dir;
  SqliteStore::Options options;
  options.wal_presize_bytes = 0;
  const auto store = SqliteStore::open(dir.file("ledger.db"), options).value();
  Admission a = testing::admission("thursday");
  a.admitted_unix_ns = testing::kStartNs;  // 2026-01-01 is a Thursday: week 1 of 2026
  Admission b = testing::admission("monday");
  b.admitted_unix_ns = testing::kStartNs - 3 * testing::kDayNs;  // 2025-12-29, the same week
  Admission c = testing::admission("sunday");
  c.admitted_unix_ns =
      testing::kStartNs - 4 * testing::kDayNs;  // 2025-12-28: the last week of 2025
  ASSERT_TRUE(store->append(std::vector<Record>{a, b, c}).has_value());
  const auto reader = open_sqlite_reader(dir.file("ledger.db")).value();
  UsageQuery query;
  query.by = UsageBy::Week;
  const auto weeks = reader->usage(query);
  ASSERT_TRUE(weeks.has_value());
  ASSERT_EQ(weeks->size(), 2U);
  EXPECT_EQ((*weeks)[0].group, "2025-W52");
  EXPECT_EQ((*weeks)[1].group, "2026-W01");
  EXPECT_EQ((*weeks)[1].requests, 2U);
}

TEST(SqliteReader, SeesCommitsOfTheWriterAtOnce) {
  Fixture f(30, 0);
  for (int i = 0; i < 20; ++i) {
    const std::string id = "live_" + std::to_string(i);
    ASSERT_TRUE(f.store->append(std::vector<Record>{testing::admission(id)}).has_value());
    EXPECT_TRUE(f.reader->row(id).has_value());
  }
}

}  // namespace
}  // namespace fh::ledger
