#pragma once
// The ledger: what was asked, what was used, what it is worth. Every admitted request ends in
// exactly one settled row, whatever is killed. Rows are append-only; budgets, totals and the
// console are folds of them.
//
//   admit()  writes the admission; `done` runs when it is as durable as the level in force demands:
//            process = the row is written (survives kill -9) and synced within 5 ms;
//            power   = the row is synced (survives a power cut).
//   settle() writes the one settlement of (request_id, attempt); a repeat changes nothing and
//   succeeds. `done` runs
//            when it is written; the sync follows within 5 ms at either level.
// At start, recover() turns every admission without settlement into a settlement with reason Crash.
//
// Threads: admit and settle may be called from any thread; callbacks run on the ledger's writer or
// sync thread or inside the call itself, those of different requests perhaps at the same time (in
// the simulation: inside pump()). A store that failed to sync is not trusted again:
// admissions are refused with Unavailable until the process restarts, and the rows that were in
// doubt are found by recover().

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/event.h"
#include "domain/money.h"
#include "domain/usage.h"

namespace fh::ledger {

enum class Durability : std::uint8_t { Process, Power };

struct Admission {
  std::string request_id;
  std::uint32_t attempt = 1;
  std::string key_id;
  std::string project;
  std::string workload;  // tag from header or key
  std::string dialect;   // "anthropic", "openai_chat"
  std::string model_requested;
  std::string model_served;
  std::string upstream;  // "local" or the upstream's name
  std::uint64_t prompt_tokens = 0;
  std::uint32_t max_output_tokens = 0;
  bool stream = false;
  std::int64_t received_unix_ns = 0;
  std::int64_t admitted_unix_ns = 0;
};

// What the same tokens cost on a named API.
struct ApiCost {
  std::string model;                     // price book id, e.g. "anthropic/claude-opus-5-5"
  std::optional<domain::MicroUsd> cost;  // nullopt: unpriced
};

struct Settlement {
  std::string request_id;
  std::uint32_t attempt = 1;
  domain::Usage usage;
  domain::UsageSource source = domain::UsageSource::Counted;
  domain::PromptWork work;
  domain::EndReason reason = domain::EndReason::Complete;
  std::string error_code;                  // base::code_name, or empty
  int http_status = 0;                     // what the client was told
  std::optional<domain::MicroUsd> cost;    // what it costs us; nullopt: unpriced
  std::optional<domain::MicroUsd> charge;  // what a budget is debited
  std::vector<ApiCost> api_costs;
  std::string price_version;
  domain::Timings timings;
  std::int64_t first_token_unix_ns = 0;  // 0: none
  std::int64_t ended_unix_ns = 0;
};

struct Row {
  Admission admission;
  std::optional<Settlement> settlement;  // absent while running
  std::int64_t sequence = 0;             // order of admission
};

struct RowQuery {
  std::int64_t before_sequence = 0;     // 0: newest; keyset paging
  std::uint32_t limit = 100;            // <= 1000
  std::string model, key_id, workload;  // empty: any
  std::optional<bool> running;
};

enum class UsageBy : std::uint8_t { Day, Week, Model, Key, Workload };
struct UsageQuery {
  UsageBy by = UsageBy::Day;
  std::int64_t from_unix_ns = 0;  // [from, to)
  std::int64_t to_unix_ns = 0;    // 0: now
  std::string key_id;             // empty: all keys
};
struct UsageRow {
  std::string group;  // "2026-11-24", "2026-W48", model id, key id, workload
  std::uint64_t requests = 0;
  std::uint64_t failed = 0;
  domain::Usage usage;
  domain::PromptWork work;
  domain::MicroUsd cost;            // sum of the priced rows
  std::uint64_t cost_priced = 0;    // rows in that sum
  std::uint64_t cost_unpriced = 0;  // settled rows without a price
  std::vector<ApiCost>
      api_costs;  // per API model, in the order of the book; cost nullopt if no row was priced
  std::vector<std::uint64_t> api_unpriced;  // per API model: settled rows that are not in its sum
};

class Ledger {
 public:
  using Done = std::function<void(base::Status)>;
  virtual ~Ledger() = default;
  virtual void admit(Admission admission, Done done) = 0;
  virtual void settle(Settlement settlement, Done done) = 0;
  virtual Durability durability() const = 0;
  virtual bool healthy() const = 0;
};

// Read side; its own read-only connection, any thread (serialised inside), never blocks the writer.
class LedgerReader {
 public:
  virtual ~LedgerReader() = default;
  virtual base::Result<std::vector<Row>> rows(const RowQuery& query) = 0;
  virtual base::Result<Row> row(const std::string& request_id) = 0;
  virtual base::Result<std::vector<UsageRow>> usage(const UsageQuery& query) = 0;
};

}  // namespace fh::ledger
