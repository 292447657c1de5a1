// See usage_archive_rows.h. A bucket's or request's end is kept as its distance from the start,
// which is mostly small or nothing; the arithmetic wraps, so that any two times come back.

#include "ledger/store/sqlite/usage_archive_rows.h"

#include <array>
#include <cmath>
#include <optional>
#include <tuple>

#include "crypto/sha256.h"

namespace fh::ledger {
namespace {

using domain::CostRecord;
using domain::MicroUsd;
using domain::UsageRecord;

std::int64_t span_of(std::int64_t start, std::int64_t end) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(end) -
                                   static_cast<std::uint64_t>(start));
}
std::int64_t end_of(std::int64_t start, std::int64_t span) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(start) +
                                   static_cast<std::uint64_t>(span));
}

std::optional<std::int64_t> number(const std::optional<MicroUsd>& amount) {
  return amount ? std::optional(amount->value) : std::nullopt;
}
std::optional<std::int64_t> number(const std::optional<std::uint64_t>& count) {
  return count ? std::optional(static_cast<std::int64_t>(*count)) : std::nullopt;
}
std::optional<std::int64_t> integer(const Statement& s, int column) {
  return s.is_null(column) ? std::nullopt : std::optional(s.integer(column));
}
std::optional<MicroUsd> money(const Statement& s, int column) {
  return s.is_null(column) ? std::nullopt : std::optional(MicroUsd{s.integer(column)});
}

unsigned __int128 tokens_of(const domain::Usage& u) {
  unsigned __int128 sum = 0;
  for (const std::uint64_t part : {u.input_uncached, u.cache_read, u.cache_write_5m,
                                   u.cache_write_30m, u.cache_write_1h, u.output}) {
    sum += part;
  }
  return sum;
}

std::uint64_t magnitude(MicroUsd amount) {
  const auto bits = static_cast<std::uint64_t>(amount.value);
  return amount.value < 0 ? 0 - bits : bits;
}

// A quantity that is not a number is none: it would compare with nothing.
auto quantity_of(const CostRecord& r) {
  auto quantity = r.quantity;
  if (quantity && std::isnan(*quantity)) quantity.reset();
  return quantity;
}

auto rank(const UsageRecord& r) {
  return std::tie(r.usage.output, r.web_searches, r.requests, r.reported_cost, r.duration_ns,
                  r.ttft_ns, r.usage.cache_write_1h, r.usage.cache_write_30m,
                  r.usage.cache_write_5m, r.usage.cache_read, r.usage.input_uncached,
                  r.usage.reasoning, r.end_unix_ns, r.start_unix_ns);
}
auto rank_of_names(const UsageRecord& r) {
  return std::tie(r.model, r.provider, r.workspace, r.key, r.user, r.application, r.workload,
                  r.session, r.region, r.granularity, r.tier, r.cost_kind, r.prompt_band_known,
                  r.prompt_over);
}

auto rank(const CostRecord& r) {
  return std::tie(r.billed, r.list, r.effective, r.end_unix_ns, r.start_unix_ns, r.model,
                  r.provider, r.item, r.service, r.workspace, r.currency, r.quantity_unit,
                  r.billed_exact, r.effective_exact);
}

template <typename Record>
auto cost_strings(Record& r) {
  return std::array{&r.format,  &r.provider,  &r.model,    &r.item,
                    &r.service, &r.workspace, &r.currency, &r.quantity_unit};
}

}  // namespace

ArchivedId ArchivedId::of(std::string_view format, std::string_view source_id) {
  thread_local std::string text;
  text.assign(format).push_back('\0');
  text.append(source_id);
  const crypto::Sha256Digest digest = crypto::sha256(text);
  std::array<std::uint64_t, 2> halves{};
  for (std::size_t i = 0; i < 16; ++i) halves[i / 8] = halves[i / 8] << 8 | digest[i];
  return {static_cast<std::int64_t>(halves[0]), static_cast<std::int64_t>(halves[1])};
}

std::string ArchivedId::hex() const {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(32, '0');
  for (std::size_t i = 0; i < 32; ++i) {
    const auto half = static_cast<std::uint64_t>(i < 16 ? high : low);
    out[i] = kDigits[half >> (60 - 4 * (i % 16)) & 15];
  }
  return out;
}

std::string archived_id(std::string_view format, std::string_view source_id) {
  return ArchivedId::of(format, source_id).hex();
}

base::Status UsageRows::bind(Statement& s, const UsageRecord& r, ArchivedId id, NameWriter& names) {
  FH_TRY(const std::int64_t facets, names.facets(r));
  FH_TRY(const std::int64_t session, names.name(r.session));
  s.bind(1, r.start_unix_ns).bind(2, id.high).bind(3, id.low).bind(4, facets).bind(5, session);
  s.bind(6, span_of(r.start_unix_ns, r.end_unix_ns)).bind(7, number(r.requests));
  s.bind_count(8, r.usage.input_uncached).bind_count(9, r.usage.cache_read);
  s.bind_count(10, r.usage.cache_write_5m).bind_count(11, r.usage.cache_write_30m);
  s.bind_count(12, r.usage.cache_write_1h).bind_count(13, r.usage.output);
  s.bind_count(14, r.usage.reasoning).bind_count(15, r.web_searches);
  s.bind(16, number(r.reported_cost)).bind(17, r.ttft_ns).bind(18, r.duration_ns);
  return {};
}

base::Status UsageRows::read(const Statement& s, UsageRecord& r, NameReader& names) {
  r.start_unix_ns = s.integer(0);
  r.source_id = ArchivedId{s.integer(1), s.integer(2)}.hex();
  FH_TRY_VOID(names.set_facets(s.integer(3), r));
  FH_TRY(const std::string_view session, names.name(s.integer(4)));
  r.session.assign(session);
  r.end_unix_ns = end_of(r.start_unix_ns, s.integer(5));
  r.requests = s.is_null(6) ? std::nullopt : std::optional(s.count(6));
  r.usage = {s.count(7),  s.count(8),  s.count(9), s.count(10),
             s.count(11), s.count(12), s.count(13)};
  r.web_searches = s.count(14);
  r.reported_cost = money(s, 15);
  r.ttft_ns = integer(s, 16);
  r.duration_ns = integer(s, 17);
  return {};
}

bool UsageRows::wins(const UsageRecord& a, const UsageRecord& b) {
  const bool side_a = a.workload == domain::kSubAgent, side_b = b.workload == domain::kSubAgent;
  if (side_a != side_b) return side_b;
  const unsigned __int128 tokens_a = tokens_of(a.usage);
  const unsigned __int128 tokens_b = tokens_of(b.usage);
  if (tokens_a != tokens_b) return tokens_a > tokens_b;
  if (rank(a) != rank(b)) return rank(a) > rank(b);
  return rank_of_names(a) > rank_of_names(b);
}

base::Status CostRows::bind(Statement& s, const CostRecord& r, ArchivedId id, NameWriter& names) {
  s.bind(1, r.start_unix_ns).bind(2, id.high).bind(3, id.low);
  s.bind(4, span_of(r.start_unix_ns, r.end_unix_ns));
  int at = 5;
  for (const std::string* text : cost_strings(r)) {
    FH_TRY(const std::int64_t name, names.name(*text));
    s.bind(at++, name);
  }
  s.bind(13, r.billed.value).bind(14, number(r.list)).bind(15, number(r.effective));
  if (const auto quantity = quantity_of(r)) {
    sqlite3_bind_double(s.handle(), 16, *quantity);
  } else {
    s.bind_null(16);
  }
  r.billed_exact.empty() ? s.bind_null(17) : s.bind(17, r.billed_exact);
  r.effective_exact.empty() ? s.bind_null(18) : s.bind(18, r.effective_exact);
  return {};
}

base::Status CostRows::read(const Statement& s, CostRecord& r, NameReader& names) {
  r.start_unix_ns = s.integer(0);
  r.source_id = ArchivedId{s.integer(1), s.integer(2)}.hex();
  r.end_unix_ns = end_of(r.start_unix_ns, s.integer(3));
  int at = 4;
  for (std::string* text : cost_strings(r)) {
    FH_TRY(const std::string_view name, names.name(s.integer(at++)));
    text->assign(name);
  }
  r.billed = {s.integer(12)};
  r.list = money(s, 13);
  r.effective = money(s, 14);
  r.quantity.reset();
  if (!s.is_null(15)) r.quantity = sqlite3_column_double(s.handle(), 15);
  r.billed_exact = s.text(16);
  r.effective_exact = s.text(17);
  return {};
}

bool CostRows::wins(const CostRecord& a, const CostRecord& b) {
  const std::uint64_t size_a = magnitude(a.billed);
  const std::uint64_t size_b = magnitude(b.billed);
  if (size_a != size_b) return size_a > size_b;
  if (rank(a) != rank(b)) return rank(a) > rank(b);
  return quantity_of(a) > quantity_of(b);
}

}  // namespace fh::ledger
