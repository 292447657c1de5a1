#pragma once
// What was used somewhere else, as the importers read it and the planner counts it: one canonical
// record for provider exports, usage APIs, transcripts, gateway logs and public traces. Token
// classes are disjoint (usage.h); conversion from a source's own habit (cached tokens inside or
// beside input) is the importer's duty. Counts and names only: no field can hold prompt text.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/money.h"
#include "domain/usage.h"

namespace fh::domain {

// How fine the record is. Only Request carries prompt lengths that price bands may be chosen by.
enum class Granularity : std::uint8_t { Request, Minute, Hour, Day };

enum class ServiceTier : std::uint8_t { Standard, Batch, Flex, Priority, Fast };

// What a money amount found beside the usage is worth as evidence.
enum class CostKind : std::uint8_t {
  None,
  Billed,    // the provider's or gateway's own charge
  List,      // list price, before discounts
  Estimate,  // a client's guess: never treated as billed
  Included,  // covered by a seat or plan
};

// `workload` of what a coding tool logged for a side conversation. Such a log may repeat answers of
// the conversation it was begun in: of two readings of one event that of the main one is right.
inline constexpr std::string_view kSubAgent = "sub-agent";

struct UsageRecord {
  // Dedup identity within `format`: equal ids are the same event, whichever file it came from.
  std::string source_id;
  std::string format;              // importer's name, "claude-code"
  std::string provider;            // "anthropic", "openai", ...; empty: not told
  std::string model;               // as the source wrote it
  std::int64_t start_unix_ns = 0;  // request: when it began
  std::int64_t end_unix_ns = 0;    // bucket: exclusive end; request: when it ended, or start
  Granularity granularity = Granularity::Request;
  std::optional<std::uint64_t> requests;  // nullopt: the source does not count them

  Usage usage;
  std::uint64_t web_searches = 0;
  ServiceTier tier = ServiceTier::Standard;
  std::string region;  // as the source wrote it, "us", "global"; empty: not told
  // Prompt length band that a bucket lies in, from the source's own words; 0: not told.
  std::uint64_t prompt_over = 0;  // "200k-1m" -> 200000
  bool prompt_band_known = false;

  // Who and what for; empty: not told. `user` and `key` as the source names them.
  std::string workspace, key, user, application, workload, session;

  std::optional<MicroUsd> reported_cost;
  CostKind cost_kind = CostKind::None;
  std::optional<std::int64_t> ttft_ns, duration_ns;
  // Where it stands, for messages: not kept with the record.
  std::uint64_t line = 0;
};

// One line of a provider's own cost report or invoice; what reconciliation is held against.
struct CostRecord {
  std::string source_id;
  std::string format;
  std::string provider;
  std::string model;    // empty: not about a model
  std::string item;     // token class or description as the source wrote it
  std::string service;  // FOCUS ServiceName and the like
  std::string workspace;
  std::int64_t start_unix_ns = 0;
  std::int64_t end_unix_ns = 0;
  MicroUsd billed;                    // what is charged, rounded once from the decimal text
  std::optional<MicroUsd> list;       // before discounts
  std::optional<MicroUsd> effective;  // with commitments amortised
  // The decimal texts behind `billed` and `effective` where the source has more digits than
  // micro-USD keep: sums to the last digit are made from these. Empty: the amounts above are exact.
  std::string billed_exact, effective_exact;
  std::string currency = "USD";  // anything else is skipped with a reason
  std::string quantity_unit;     // "Tokens"; empty: none
  std::optional<double> quantity;
  std::uint64_t line = 0;
};

}  // namespace fh::domain
