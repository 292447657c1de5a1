// See verb_plan_evidence.h.
#include "cli/verb_plan_evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "cli/access.h"
#include "cli/output.h"
#include "cli/usage_archive_file.h"
#include "ledger/store/sqlite/sqlite_store.h"

namespace fh::cli {
namespace {

constexpr std::uint32_t kPageRows = 1000;
constexpr std::int64_t kNsPerDay = 86'400LL * 1'000'000'000;
constexpr std::int64_t kReportDaysMax = 366;  // of one bucket

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

bool ran_here(const ledger::Row& row) {
  return row.admission.upstream.empty() || row.admission.upstream == "local";
}

// The price book's name of a model, else the source's.
std::string key_of(const planner::ModelNames& names, std::string_view provider,
                   std::string_view model) {
  const planner::ModelName name = names.normalise(provider, model);
  return name.kind == planner::NameKind::Known ? name.entry_id : name.plain;
}

// "1 request", "1,204 requests"
std::string counted(std::uint64_t n, std::string_view what) {
  return fmt::format("{} {}{}", human_count(n), what, n == 1 ? "" : "s");
}

// One request as a tool wrote it down; the rest are buckets of a provider's report.
bool is_log(const domain::UsageRecord& record) {
  return record.granularity == domain::Granularity::Request;
}

// key_of() and payer_of_log() for records in a row, which mostly name the same model.
class ModelKeys {
 public:
  explicit ModelKeys(const planner::ModelNames& names) : names_(names) {}
  const std::string& of(const domain::UsageRecord& record) {
    look(record);
    return key_;
  }
  Payer payer_of(const domain::UsageRecord& log) {
    look(log);
    return payer_;
  }

 private:
  void look(const domain::UsageRecord& record) {
    if (!key_.empty() && record.provider == provider_ && record.model == model_ &&
        record.format == format_) {
      return;
    }
    provider_ = record.provider;
    model_ = record.model;
    format_ = record.format;
    key_ = key_of(names_, provider_, model_);
    payer_ = payer_of_log(record);
  }

  const planner::ModelNames& names_;
  std::string provider_, model_, format_, key_;
  Payer payer_ = Payer::None;
};

domain::UsageRecord record_of(const ledger::Row& row) {
  domain::UsageRecord record;
  record.source_id = row.admission.request_id;
  record.format = "freehold";
  record.model = row.admission.model_served;
  record.start_unix_ns = row.admission.received_unix_ns;
  record.end_unix_ns = row.settlement->ended_unix_ns;
  record.requests = 1;
  record.usage = row.settlement->usage;
  record.workspace = row.admission.project;
  record.key = row.admission.key_id;
  record.workload = row.admission.workload;
  if (row.settlement->first_token_unix_ns > 0) {
    record.ttft_ns = row.settlement->first_token_unix_ns - row.admission.received_unix_ns;
  }
  return record;
}

}  // namespace

// Pages are known by the sequence that ends them, so rows that come meanwhile change none.
class PlanEvidence::Walk {
 public:
  Walk(const PlanEvidence& evidence, const planner::ModelNames& names)
      : evidence_(evidence), names_(names), page_(evidence.pages_.size()) {}

  // nullptr: the end.
  base::Result<const domain::UsageRecord*> next() {
    while (true) {
      while (row_ > 0) {
        if (evidence_.take(rows_[--row_], names_, record_)) return &record_;
      }
      if (page_ == 0) return nullptr;
      ledger::RowQuery query;
      query.limit = kPageRows;
      query.before_sequence = evidence_.pages_[--page_];
      FH_TRY(rows_, evidence_.ledger_->rows(query));
      row_ = rows_.size();
    }
  }

 private:
  const PlanEvidence& evidence_;
  const planner::ModelNames& names_;
  std::size_t page_;
  std::vector<ledger::Row> rows_;  // newest first
  std::size_t row_ = 0;
  domain::UsageRecord record_;
};

base::Result<PlanEvidence> PlanEvidence::find(const Config& config, const pricing::PriceBook& book,
                                              const std::string& local_as) {
  PlanEvidence out;
  out.book_ = &book;
  const planner::ModelNames names(book);
  if (!local_as.empty()) {
    const planner::ModelName name = names.normalise("", local_as);
    if (name.kind != planner::NameKind::Known) {
      return base::fail(base::Code::InvalidArgument,
                        fmt::format("the price book knows no model {}", local_as),
                        "name one like anthropic/claude-opus-5-5");
    }
    out.local_as_ = name.entry_id;
  }
  if (const base::Status seen = check_data_folder(config);
      !seen && seen.error().code == base::Code::PermissionDenied) {
    return std::unexpected(seen.error());
  }
  if (is_there(ledger_file(config))) {
    FH_TRY(out.ledger_, ledger::open_sqlite_reader(ledger_file(config).string()));
  }
  if (out.local_as_.empty() && is_there(usage_archive_file(config))) {
    FH_TRY(out.archive_,
           ledger::UsageArchive::open(usage_archive_file(config).string(), /*read_only=*/true));
    FH_TRY(out.imported_, out.archive_->count());
  }
  FH_TRY_VOID(out.read_archive(names));
  if (out.ledger_) {
    FH_TRY_VOID(out.read_ledger(names));
  }
  return out;
}

// Which days of which models the imported usage holds, and which of its buckets are of others.
// Only then is known which reports count, and what they hold.
base::Status PlanEvidence::read_archive(const planner::ModelNames& names) {
  if (!archive_) return {};
  nesting_ = std::make_unique<importers::Nesting>();
  FH_TRY_VOID(archive_->scan_costs({}, [&](const domain::CostRecord& record) {
    ++charges_;
    nesting_->see(record);
    return true;
  }));
  bool any_report = false;
  ModelKeys keys(names);
  FH_TRY_VOID(archive_->scan({}, [&](const domain::UsageRecord& record) {
    if (is_log(record)) {
      ++logged_[{record.start_unix_ns / kNsPerDay, keys.of(record), keys.payer_of(record)}];
    } else {
      any_report = any_report || payer_of_report(record) != Payer::None;
      nesting_->see(record, importers::share_of(record));
    }
    return true;
  }));
  nesting_->settle();
  for (const importers::Nesting::Left& left : nesting_->left_out()) nested_ += left.totals.records;
  return any_report ? read_reports(names) : base::Status{};
}

// The days that each provider's report tells of, and the logs that tell the same.
base::Status PlanEvidence::read_reports(const planner::ModelNames& names) {
  ModelKeys keys(names);
  FH_TRY_VOID(archive_->scan({}, [&](const domain::UsageRecord& record) {
    if (is_log(record) || payer_of_report(record) == Payer::None || !nesting_->counts(record)) {
      return true;
    }
    const std::int64_t first = record.start_unix_ns / kNsPerDay;
    const std::int64_t last = std::max(first, (record.end_unix_ns - 1) / kNsPerDay);
    for (std::int64_t day = first; day <= last && day < first + kReportDaysMax; ++day) {
      reported_.emplace(day, keys.of(record), payer_of_report(record));
    }
    return true;
  }));
  for (const auto& [at, records] : logged_) {
    if (reported(at)) logs_in_report_ += records;
  }
  return {};
}

bool PlanEvidence::reported(const DayModel& at) const {
  const auto& [day, key, payer] = at;
  if (payer == Payer::None) return false;
  return reported_.contains(at) ||
         (payer == Payer::ClaudeCode && reported_.contains({day, key, Payer::Anthropic}));
}

bool PlanEvidence::is_logged(std::int64_t day, const std::string& key) const {
  const auto at = logged_.lower_bound({day, key, Payer{}});
  return at != logged_.end() && std::get<0>(at->first) == day && std::get<1>(at->first) == key;
}

base::Status PlanEvidence::read_ledger(const planner::ModelNames& names) {
  ledger::RowQuery query;
  query.limit = kPageRows;
  domain::UsageRecord record;
  while (true) {
    FH_TRY(const std::vector<ledger::Row> rows, ledger_->rows(query));
    if (rows.empty()) return {};
    pages_.push_back(rows.front().sequence + 1);
    for (const ledger::Row& row : rows) {
      if (!row.settlement) continue;
      if (ran_here(row)) ++local_;
      if (take(row, names, record)) {
        ++counted_;
        if (!ran_here(row) &&
            is_logged(record.start_unix_ns / kNsPerDay, key_of(names, "", record.model))) {
          ++in_log_;
        }
      } else if (!ran_here(row) && local_as_.empty()) {
        ++in_report_;
      }
    }
    query.before_sequence = rows.back().sequence;
  }
}

bool PlanEvidence::take(const ledger::Row& row, const planner::ModelNames& names,
                        domain::UsageRecord& out) const {
  if (!row.settlement || ran_here(row) == local_as_.empty()) return false;
  out = record_of(row);
  if (!local_as_.empty()) {
    out.model = local_as_;
    return true;
  }
  return reported_.empty() ||
         !reported({out.start_unix_ns / kNsPerDay, key_of(names, "", out.model),
                    payer_of_name(row.admission.upstream)});
}

std::string PlanEvidence::text() const {
  std::string out;
  if (imported_ > 0) out = counted(imported_ - logs_in_report_ - nested_, "imported usage record");
  if (counted_ == 0) return out;
  if (!local_as_.empty()) {
    return fmt::format("{} that ran on this machine, counted as {}", counted(counted_, "request"),
                       local_as_);
  }
  return fmt::format("{}{}{} of this gateway's ledger", out, out.empty() ? "" : " and ",
                     counted(counted_, "request"));
}

std::vector<std::string> PlanEvidence::notes() const {
  std::vector<std::string> out;
  if (!local_as_.empty()) {
    out.push_back(fmt::format(
        "A what-if: these requests ran on this machine and nobody was charged. \"Stay\" would mean "
        "to send them to {}.",
        local_as_));
    return out;
  }
  if (charges_ > 0 && !any()) {
    out.push_back(fmt::format(
        "{} imported, but no usage: what was paid is known, not for which tokens. Import the usage "
        "report of the same days, too.",
        charges_ == 1 ? "1 charge was" : human_count(charges_) + " charges were"));
  }
  if (local_ > 0) {
    out.push_back(fmt::format(
        "{} in the ledger ran on models of this machine and cost no API: in no sum here; "
        "--local-as MODEL plans as if MODEL had answered.",
        counted(local_, "request")));
  }
  for (const auto& [requests, whose] :
       {std::pair(logs_in_report_, "imported logs"), std::pair(in_report_, "this gateway")}) {
    if (requests == 0) continue;
    out.push_back(fmt::format(
        "Counted once, as part of the provider's report of the same model and day: {} of {}.",
        counted(requests, "request"), whose));
  }
  if (nested_ > 0) {
    out.push_back(fmt::format(
        "Counted once, though reports in longer and in shorter buckets tell it: {} left out.",
        counted(nested_, "imported record")));
  }
  if (nesting_ && nesting_->overlaps()) {
    out.emplace_back(
        "Some imported buckets of the same names overlap in part: what both tell counts twice.");
  }
  if (nesting_ && nesting_->bills_differ()) {
    out.emplace_back(
        "AWS's own bill and its FOCUS bill tell of the same day and differ by more than 1 %: both "
        "count. If they are of the same account, freehold usage forget one of the two.");
  }
  if (nesting_ && nesting_->overflowed()) {
    out.push_back(fmt::format(
        "The imported reports name more days and names than {} that can be told apart: what two "
        "of the others tell counts twice.",
        human_count(importers::Nesting::kEntriesMax)));
  }
  if (in_log_ > 0) {
    out.push_back(fmt::format(
        "For {} of this gateway, imported logs have requests of the same model and day. If those "
        "tools ask through this gateway, they count twice: freehold usage forget FORMAT.",
        counted(in_log_, "request")));
  }
  return out;
}

base::Status PlanEvidence::usage(const planner::UsageVisit& visit) const {
  const planner::ModelNames names(*book_);
  Walk walk(*this, names);
  const domain::UsageRecord* mine = nullptr;
  if (counted_ > 0) {
    FH_TRY(mine, walk.next());
  }
  base::Status failed;
  bool more = true;
  // The ledger's records up to a time.
  const auto give = [&](std::optional<std::int64_t> until) -> base::Status {
    while (more && mine != nullptr && (!until || mine->start_unix_ns <= *until)) {
      more = visit(*mine);
      FH_TRY(mine, walk.next());
    }
    return {};
  };
  if (archive_) {
    ModelKeys keys(names);
    FH_TRY_VOID(archive_->scan({}, [&](const domain::UsageRecord& record) {
      if (is_log(record) && !reported_.empty() &&
          reported({record.start_unix_ns / kNsPerDay, keys.of(record), keys.payer_of(record)})) {
        return true;
      }
      if (!nesting_->counts(record)) return true;
      failed = give(record.start_unix_ns);
      more = failed.has_value() && more && visit(record);
      return more;
    }));
    FH_TRY_VOID(failed);
  }
  return give(std::nullopt);
}

base::Status PlanEvidence::costs(const planner::CostVisit& visit) const {
  if (!archive_) return {};
  return archive_->scan_costs({}, [&](const domain::CostRecord& record) {
    return !nesting_->counts(record) || visit(record);
  });
}

}  // namespace fh::cli
