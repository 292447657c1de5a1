#pragma once
// What a plan is made from: imported usage (<data>/usage.db) and the requests in this gateway's
// ledger, as one stream of records in order of time. Requests that ran on models of this machine
// cost no API: they are left out and counted, unless a model is named as which they shall count.
//
// A provider's report holds what went through this gateway and what its clients wrote down, too.
// Where the imported usage has a provider's own report of a model for a day, the requests of that
// model and day that were made of this provider (verb_plan_evidence_payer.h) and that the ledger
// and imported logs hold are left out, and counted.
//
// An hourly and a daily report of the same usage count once (importers/nesting.h).
//
// Memory is bounded: the ledger is read in pages, twice (it is kept newest first). Threads: one.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "cli/config.h"
#include "cli/verb_plan_evidence_payer.h"
#include "importers/nesting.h"
#include "ledger/imports.h"
#include "ledger/ledger.h"
#include "planner/plan.h"
#include "pricing/price_book.h"

namespace fh::cli {

class PlanEvidence {
 public:
  // `local_as`: price book id of the model as which local requests count; then they alone are the
  // usage. Empty: none. InvalidArgument when the book has no such model.
  static base::Result<PlanEvidence> find(const Config& config, const pricing::PriceBook& book,
                                         const std::string& local_as);

  bool any() const { return imported_ > 0 || counted_ > 0; }
  std::string text() const;                // "1,204 imported usage records"; empty: nothing
  std::vector<std::string> notes() const;  // what was left out, and what may count twice

  base::Status usage(const planner::UsageVisit& visit) const;
  base::Status costs(const planner::CostVisit& visit) const;

 private:
  using DayModel = std::tuple<std::int64_t, std::string, Payer>;
  class Walk;  // the ledger's records, oldest first

  base::Status read_archive(const planner::ModelNames& names);
  base::Status read_reports(const planner::ModelNames& names);
  base::Status read_ledger(const planner::ModelNames& names);
  // Whether a row is of the usage, and if so as which record.
  bool take(const ledger::Row& row, const planner::ModelNames& names,
            domain::UsageRecord& out) const;

  // Whether a report holds the requests of a log or the ledger with this payer.
  bool reported(const DayModel& at) const;
  bool is_logged(std::int64_t day, const std::string& key) const;

  std::unique_ptr<ledger::UsageArchive> archive_;  // nullptr: nothing was imported
  std::unique_ptr<ledger::LedgerReader> ledger_;   // nullptr: there is none
  const pricing::PriceBook* book_ = nullptr;
  std::string local_as_;
  std::vector<std::int64_t> pages_;              // where the ledger's pages end, newest first
  std::unique_ptr<importers::Nesting> nesting_;  // of what was imported; settled
  std::set<DayModel> reported_;                  // by a provider's own report that counts
  std::map<DayModel, std::uint64_t> logged_;     // by other tools, a record each
  std::uint64_t imported_ = 0, counted_ = 0, local_ = 0, in_log_ = 0;
  std::uint64_t charges_ = 0;                                      // imported
  std::uint64_t in_report_ = 0, logs_in_report_ = 0, nested_ = 0;  // left out
};

}  // namespace fh::cli
