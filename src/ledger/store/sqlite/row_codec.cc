// See row_codec.h. Enumerations are stored as words, so that the file does not depend on their
// order in the code.

#include "ledger/store/sqlite/row_codec.h"

namespace fh::ledger {
namespace {

std::string_view source_name(domain::UsageSource source) {
  switch (source) {
    case domain::UsageSource::Counted: return "counted";
    case domain::UsageSource::Provider: return "provider";
    case domain::UsageSource::Estimated: return "estimated";
  }
  return "estimated";
}

domain::UsageSource source_from_name(std::string_view name) {
  if (name == "counted") return domain::UsageSource::Counted;
  if (name == "provider") return domain::UsageSource::Provider;
  return domain::UsageSource::Estimated;
}

}  // namespace

std::optional<std::int64_t> micro_usd_column(const std::optional<domain::MicroUsd>& amount) {
  if (!amount) return std::nullopt;
  return amount->value;
}

std::optional<domain::MicroUsd> read_micro_usd(const Statement& statement, int column) {
  if (statement.is_null(column)) return std::nullopt;
  return domain::MicroUsd{statement.integer(column)};
}

void bind_settlement(Statement& st, const Settlement& s) {
  st.bind_count(2, s.usage.input_uncached).bind_count(3, s.usage.cache_read);
  st.bind_count(4, s.usage.cache_write_5m).bind_count(5, s.usage.cache_write_30m);
  st.bind_count(6, s.usage.cache_write_1h)
      .bind_count(7, s.usage.output)
      .bind_count(8, s.usage.reasoning);
  st.bind(9, source_name(s.source)).bind_count(10, s.work.computed).bind_count(11, s.work.cached);
  st.bind_count(12, s.work.restored)
      .bind(13, domain::end_reason_name(s.reason))
      .bind(14, s.error_code);
  st.bind(15, std::int64_t{s.http_status}).bind(16, micro_usd_column(s.cost));
  st.bind(17, micro_usd_column(s.charge)).bind(18, s.price_version).bind(19, s.timings.queue_ns);
  st.bind(20, s.timings.prefill_ns).bind(21, s.timings.decode_ns).bind(22, s.first_token_unix_ns);
  st.bind(23, s.ended_unix_ns);
}

Admission read_admission(const Statement& st, int first) {
  Admission a;
  a.request_id = st.text(first);
  a.attempt = static_cast<std::uint32_t>(st.integer(first + 1));
  a.key_id = st.text(first + 2);
  a.project = st.text(first + 3);
  a.workload = st.text(first + 4);
  a.dialect = st.text(first + 5);
  a.model_requested = st.text(first + 6);
  a.model_served = st.text(first + 7);
  a.upstream = st.text(first + 8);
  a.prompt_tokens = st.count(first + 9);
  a.max_output_tokens = static_cast<std::uint32_t>(st.integer(first + 10));
  a.stream = st.integer(first + 11) != 0;
  a.received_unix_ns = st.integer(first + 12);
  a.admitted_unix_ns = st.integer(first + 13);
  return a;
}

Settlement read_settlement(const Statement& st, int first) {
  Settlement s;
  s.usage = {st.count(first),     st.count(first + 1), st.count(first + 2), st.count(first + 3),
             st.count(first + 4), st.count(first + 5), st.count(first + 6)};
  s.source = source_from_name(st.text(first + 7));
  s.work = {st.count(first + 8), st.count(first + 9), st.count(first + 10)};
  s.error_code = st.text(first + 12);
  if (const auto reason = domain::end_reason_from_name(st.text(first + 11))) {
    s.reason = *reason;
  } else {
    // A word of a newer release: the nearest that this one knows, with the word kept in sight.
    s.reason = domain::EndReason::UpstreamError;
    if (s.error_code.empty()) s.error_code = st.text(first + 11);
  }
  s.http_status = static_cast<int>(st.integer(first + 13));
  s.cost = read_micro_usd(st, first + 14);
  s.charge = read_micro_usd(st, first + 15);
  s.price_version = st.text(first + 16);
  s.timings = {st.integer(first + 17), st.integer(first + 18), st.integer(first + 19)};
  s.first_token_unix_ns = st.integer(first + 20);
  s.ended_unix_ns = st.integer(first + 21);
  return s;
}

}  // namespace fh::ledger
