#pragma once
// Rows of the archive's two tables: how a record is bound, read back and compared. UsageRows and
// CostRows have the same shape, so that adding and scanning are written once. Private to this
// folder.

#include <cstdint>
#include <string>

#include "base/result.h"
#include "domain/usage_record.h"
#include "ledger/imports.h"
#include "ledger/store/sqlite/database.h"
#include "ledger/store/sqlite/usage_archive_names.h"

namespace fh::ledger {

// The digest that names an event.
struct ArchivedId {
  std::int64_t high = 0, low = 0;
  auto operator<=>(const ArchivedId&) const = default;
  static ArchivedId of(std::string_view format, std::string_view source_id);
  std::string hex() const;
};

struct UsageRows {
  using Record = domain::UsageRecord;
  static constexpr const char* kInsert =
      "INSERT INTO usage(start_unix_ns, id_high, id_low, facets, session, span_ns, requests,"
      " input_uncached, cache_read, cache_write_5m, cache_write_30m, cache_write_1h, output,"
      " reasoning, web_searches, cost_micro_usd, ttft_ns, duration_ns)"
      " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)"
      " ON CONFLICT DO NOTHING";
  static constexpr const char* kColumns =
      "SELECT start_unix_ns, id_high, id_low, facets, session, span_ns, requests, input_uncached,"
      " cache_read, cache_write_5m, cache_write_30m, cache_write_1h, output, reasoning,"
      " web_searches, cost_micro_usd, ttft_ns, duration_ns FROM usage";
  static constexpr const char* kErase = "DELETE FROM usage WHERE id_high=?1 AND id_low=?2";

  static base::Status bind(Statement& s, const Record& r, ArchivedId id, NameWriter& names);
  // From kColumns. `r` is the same record at every call between two of names.start_record().
  static base::Status read(const Statement& s, Record& r, NameReader& names);
  // `a` stays rather than `b`; a strict order of everything that is kept.
  static bool wins(const Record& a, const Record& b);
};

struct CostRows {
  using Record = domain::CostRecord;
  static constexpr const char* kInsert =
      "INSERT INTO costs(start_unix_ns, id_high, id_low, span_ns, format, provider, model, item,"
      " service, workspace, currency, quantity_unit, billed_micro_usd, list_micro_usd,"
      " effective_micro_usd, quantity, billed_exact, effective_exact)"
      " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)"
      " ON CONFLICT DO NOTHING";
  static constexpr const char* kColumns =
      "SELECT start_unix_ns, id_high, id_low, span_ns, format, provider, model, item, service,"
      " workspace, currency, quantity_unit, billed_micro_usd, list_micro_usd,"
      " effective_micro_usd, quantity, billed_exact, effective_exact FROM costs";
  static constexpr const char* kErase = "DELETE FROM costs WHERE id_high=?1 AND id_low=?2";

  static base::Status bind(Statement& s, const Record& r, ArchivedId id, NameWriter& names);
  static base::Status read(const Statement& s, Record& r, NameReader& names);
  static bool wins(const Record& a, const Record& b);
};

// `filter` names nothing that the record is not. Its times are the statement's business.
template <typename Record>
bool matches(const UsageFilter& filter, const Record& r) {
  return (filter.provider.empty() || filter.provider == r.provider) &&
         (filter.model.empty() || filter.model == r.model) &&
         (filter.format.empty() || filter.format == r.format);
}

}  // namespace fh::ledger
