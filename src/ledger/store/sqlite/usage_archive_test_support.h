#pragma once
// Sample records, what an archive holds in words, and files behind its back, for its tests. Not
// part of the product.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "ledger/imports.h"
#include "ledger/test_rows.h"

namespace fh::ledger::testing {

using domain::CostRecord;
using domain::MicroUsd;
using domain::UsageRecord;

inline std::unique_ptr<UsageArchive> open_archive(const std::string& path, bool read_only = false) {
  auto archive = UsageArchive::open(path, read_only);
  EXPECT_TRUE(archive.has_value()) << (archive ? "" : archive.error().text());
  return archive ? std::move(*archive) : nullptr;
}

inline base::Error refusal(const std::string& path, bool read_only = false) {
  auto archive = UsageArchive::open(path, read_only);
  EXPECT_FALSE(archive.has_value());
  return archive ? base::Error{} : archive.error();
}

inline UsageRecord record(const std::string& id, std::uint64_t output = 10) {
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

inline CostRecord cost(const std::string& id, std::int64_t micro_usd) {
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
inline UsageRecord random_record(std::uint64_t seed) {
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

inline CostRecord random_cost(std::uint64_t seed) {
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
inline std::string text_of(const UsageRecord& r) {
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
inline std::string text_of(const CostRecord& c) {
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
inline std::string kept(Record r) {
  r.source_id = archived_id(r.format, r.source_id);
  return text_of(r);
}

inline std::vector<std::string> content(UsageArchive& archive, const UsageFilter& filter = {}) {
  std::vector<std::string> out;
  EXPECT_TRUE(archive.scan(filter, [&](const UsageRecord& r) {
    out.push_back(text_of(r));
    return true;
  }));
  return out;
}
inline std::vector<std::string> costs_of(UsageArchive& archive, const UsageFilter& filter = {}) {
  std::vector<std::string> out;
  EXPECT_TRUE(archive.scan_costs(filter, [&](const CostRecord& c) {
    out.push_back(text_of(c));
    return true;
  }));
  return out;
}
inline std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

inline void execute(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(db);
  sqlite3_close(db);
}

}  // namespace fh::ledger::testing
