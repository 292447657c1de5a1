#pragma once
// Ledger rows to and from SQL columns; shared by the store and the reader. Private to this folder.

#include <optional>

#include "ledger/ledger.h"
#include "ledger/store/sqlite/database.h"

namespace fh::ledger {

// Column lists for SELECT with the tables named a and s; the readers below expect this order.
inline constexpr const char* kAdmissionColumns =
    "a.sequence, a.request_id, a.attempt, a.key_id, a.project, a.workload, a.dialect, "
    "a.model_requested,"
    " a.model_served, a.upstream, a.prompt_tokens, a.max_output_tokens, a.stream, "
    "a.received_unix_ns,"
    " a.admitted_unix_ns";
inline constexpr int kAdmissionColumnCount = 15;
inline constexpr const char* kSettlementColumns =
    "s.input_uncached, s.cache_read, s.cache_write_5m, s.cache_write_30m, s.cache_write_1h, "
    "s.output,"
    " s.reasoning, s.usage_source, s.computed, s.cached, s.restored, s.end_reason, s.error_code,"
    " s.http_status, s.cost_micro_usd, s.charge_micro_usd, s.price_version, s.queue_ns, "
    "s.prefill_ns,"
    " s.decode_ns, s.first_token_unix_ns, s.ended_unix_ns";

// Binds parameters 2 to 23 of the settlement INSERT. The settlement must outlive the step.
void bind_settlement(Statement& statement, const Settlement& settlement);
// `first`: index of request_id.
Admission read_admission(const Statement& statement, int first);
// `first`: index of input_uncached. Ids and API costs are left to the caller.
Settlement read_settlement(const Statement& statement, int first);
std::optional<std::int64_t> micro_usd_column(const std::optional<domain::MicroUsd>& amount);
std::optional<domain::MicroUsd> read_micro_usd(const Statement& statement, int column);

}  // namespace fh::ledger
