#pragma once
// Reconciliation: the bill computed from usage and dated prices against what the provider says it
// charged, per day and model. Advice is allowed only while the unexplained part is small.
//
// Gap = charged - computed, positive when the provider charged more. A computed low-high range
// explains every charge inside it. The unexplained share is, over models, the sum of |gap of the
// whole overlap| / charged: a model's days may offset one another (a day may end elsewhere), models
// may not.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "domain/usage_record.h"
#include "planner/profile.h"

namespace fh::planner {

enum class ChargeBasis : std::uint8_t {
  CostRecords,   // the provider's cost report or an invoice
  ReportedCost,  // charges found beside the usage
};

struct ReconcileRow {
  std::int32_t day = 0;
  std::string model;  // price book id, or the source's name
  CostRange computed;
  domain::MicroUsd charged;
  domain::MicroUsd listed;  // the charge before discounts: as the source tells it, else computed
  std::int64_t gap_low = 0, gap_high = 0;  // micro-USD: charged - computed.high / .low
  double tokens_used = 0;
  std::optional<double> tokens_charged;  // where the cost report counts tokens
  bool usage_seen = false, charge_seen = false;
};

// Charged less computed, signed: what of the money the computed range does not hold, and as tokens.
// Few charges count tokens; without, the money at the mean price of the computed ones stands in.
// `at_list`: charges before discount.
struct GapLine {
  std::int64_t money = 0;        // micro-USD
  std::optional<double> tokens;  // nullopt: nothing was used that could tell
  bool tokens_counted = false;   // by the charges
};
GapLine gap_of(const ReconcileRow& row, bool at_list);

struct UnmatchedItem {
  std::int32_t day = 0;
  std::string model, item, why;
  domain::MicroUsd amount;  // charged without usage, or computed (high) without charge
  bool charged = false;
};

struct ReconcileReport {
  ChargeBasis basis = ChargeBasis::CostRecords;
  std::vector<ReconcileRow> rows;            // by day, model; within the days that both sides cover
  std::vector<ReconcileRow> models;          // the same summed by model, dearest first; day: none
  std::vector<UnmatchedItem> unmatched;      // largest first, at most 1,000
  std::vector<UnmatchedItem> other_charges;  // seats, searches, storage: not token charges
  std::int32_t first_day = 0, last_day = 0;  // overlap
  CostRange computed;
  domain::MicroUsd charged, other_charged;
  // The charges are explained before discounts, `listed`, and not as they were charged.
  bool at_list = false;
  bool list_told = false;  // by the charges; else `listed` comes from the discount
  domain::MicroUsd listed;
  std::int64_t gap = 0;  // signed, nearest end of the range; micro-USD
  double unexplained_share = 0;
  double threshold = 0.03;
  bool evidence = false;        // there was something to hold it against
  bool advice_allowed = false;  // evidence and unexplained_share <= threshold
  std::string summary;          // one sentence
};

struct ReconcileOptions {
  double threshold = 0.03;
  // Negotiated, off list price. Some cost reports are before it, some after: what explains more
  // of the charges counts.
  double discount = 0;
};

class Reconciler {
 public:
  Reconciler(const UsageProfile& profile, const ModelNames& names, ReconcileOptions options = {});
  base::Status add(const domain::CostRecord& record);
  // With no cost record added, charges reported beside the usage are taken instead.
  base::Result<ReconcileReport> finish();

 private:
  struct Charge {
    domain::MicroUsd amount, list;
    double tokens = 0;
    bool tokens_known = false;
    std::string item;
  };
  const UsageProfile& profile_;
  const ModelNames& names_;
  ReconcileOptions options_;
  std::map<std::pair<std::int32_t, std::string>, Charge> charges_;
  std::vector<UnmatchedItem> other_;
  domain::MicroUsd other_sum_;
  bool any_cost_ = false;
  base::Status find_overlap(ReconcileReport& report) const;
  void unmatched(ReconcileReport& report, const ReconcileRow& row, std::string_view why) const;
  base::Status sum(ReconcileReport& report) const;
  domain::MicroUsd before_discount(domain::MicroUsd charged) const;
  std::string summary(const ReconcileReport& report) const;
  std::string largest_gaps(const ReconcileReport& report) const;
  bool list_told_ = false;  // by a cost record
};

base::Result<ReconcileReport> reconcile(ledger::UsageArchive& archive,
                                        const ledger::UsageFilter& filter,
                                        const UsageProfile& profile, const ModelNames& names,
                                        ReconcileOptions options = {});

}  // namespace fh::planner
