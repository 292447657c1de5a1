// freehold plan: own, rent, hybrid or stay, from imported usage, the ledger, a scenario file, or,
// where there is none of them, from the example company.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/os/file.h"
#include "cli/access.h"
#include "cli/output.h"
#include "cli/usage_archive_file.h"
#include "cli/verbs.h"
#include "ledger/store/sqlite/sqlite_store.h"
#include "planner/plan.h"
#include "planner/sample.h"

namespace fh::cli {
namespace {

constexpr std::size_t kScenarioBytesMax = 1024 * 1024;
constexpr std::size_t kBookBytesMax = 16 * 1024 * 1024;
constexpr std::size_t kLedgerRowsMax = 2'000'000;

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

std::int32_t today() {
  const auto now = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  return static_cast<std::int32_t>(now.time_since_epoch().count());
}

base::Result<pricing::PriceBook> load_book(const Config& config) {
  pricing::PriceBook book = pricing::PriceBook::bundled();
  if (config.price_book.empty()) return book;
  FH_TRY(const std::string text, base::os::read_file(config.price_book, kBookBytesMax));
  FH_TRY(const pricing::PriceBook own, pricing::PriceBook::parse(text));
  return book.overridden_by(own);
}

base::Result<planner::Scenario> load_scenario(const PlanArgs& args) {
  planner::Scenario scenario;
  if (!args.inputs.empty()) {
    FH_TRY(const std::string text, base::os::read_file(args.inputs, kScenarioBytesMax));
    FH_TRY(scenario, planner::parse_scenario(text, args.inputs));
  }
  if (args.despite_gap) scenario.money.despite_gap = 1;
  return scenario;
}

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

// What this gateway passed on to an API, oldest first. Requests that ran here cost no API.
base::Result<std::vector<domain::UsageRecord>> ledger_records(const Config& config) {
  std::vector<domain::UsageRecord> records;
  if (!is_there(ledger_file(config))) return records;
  FH_TRY(const auto reader, ledger::open_sqlite_reader(ledger_file(config).string()));
  ledger::RowQuery query;
  query.limit = 1000;
  query.running = false;
  while (records.size() < kLedgerRowsMax) {
    FH_TRY(const std::vector<ledger::Row> rows, reader->rows(query));
    if (rows.empty()) break;
    for (const ledger::Row& row : rows) {
      if (row.settlement && row.admission.upstream != "local" && !row.admission.upstream.empty()) {
        records.push_back(record_of(row));
      }
    }
    query.before_sequence = rows.back().sequence;
  }
  std::reverse(records.begin(), records.end());
  return records;
}

struct Evidence {
  std::unique_ptr<ledger::UsageArchive> archive;  // nullptr: nothing was imported
  std::vector<domain::UsageRecord> ledger;
  std::uint64_t imported = 0;
};

base::Result<Evidence> find_evidence(const Config& config) {
  Evidence out;
  if (is_there(usage_archive_file(config))) {
    FH_TRY(out.archive,
           ledger::UsageArchive::open(usage_archive_file(config).string(), /*read_only=*/true));
    FH_TRY(out.imported, out.archive->count());
  }
  FH_TRY(out.ledger, ledger_records(config));
  return out;
}

std::string evidence_text(const Evidence& evidence, const planner::Scenario& scenario) {
  std::string out;
  if (evidence.imported > 0) {
    out = fmt::format("{} imported usage records", human_count(evidence.imported));
  }
  if (!evidence.ledger.empty()) {
    out += fmt::format("{}{} requests of this gateway's ledger", out.empty() ? "" : " and ",
                       human_count(evidence.ledger.size()));
  }
  return out.empty() ? "the figures of " + scenario.name : out;
}

base::Result<planner::Plan> own_plan(Evidence& evidence, planner::Scenario scenario,
                                     const pricing::PriceBook& book) {
  planner::PlanRequest request;
  request.evidence = evidence_text(evidence, scenario);
  request.scenario = std::move(scenario);
  request.usage = [&](const planner::UsageVisit& visit) -> base::Status {
    if (evidence.archive) {
      FH_TRY_VOID(evidence.archive->scan({}, visit));
    }
    for (const domain::UsageRecord& record : evidence.ledger) {
      if (!visit(record)) break;
    }
    return {};
  };
  request.costs = [&](const planner::CostVisit& visit) -> base::Status {
    return evidence.archive ? evidence.archive->scan_costs({}, visit) : base::Status{};
  };
  request.book = &book;
  request.catalogue = &planner::Catalogue::bundled();
  request.today = today();
  return planner::make_plan(request);
}

base::Result<planner::Plan> plan_of(const Config& config, const PlanArgs& args,
                                    const pricing::PriceBook& book) {
  FH_TRY(planner::Scenario scenario, load_scenario(args));
  Evidence evidence;
  if (!args.example) {
    FH_TRY(evidence, find_evidence(config));
  }
  if (evidence.imported == 0 && evidence.ledger.empty() &&
      (args.example || !scenario.by_user("bill_list_usd_month"))) {
    const planner::Scenario* own = args.inputs.empty() ? nullptr : &scenario;
    return planner::sample_plan(book, planner::Catalogue::bundled(), own);
  }
  return own_plan(evidence, std::move(scenario), book);
}

base::Status write_outputs(const planner::Plan& plan, const PlanArgs& args) {
  if (!args.xlsx.empty()) {
    FH_TRY_VOID(planner::write_workbook(plan, args.xlsx));
    fmt::print(stderr, "wrote {}\n", args.xlsx);
  }
  if (!args.html.empty()) {
    FH_TRY_VOID(planner::write_html(plan, args.html));
    fmt::print(stderr, "wrote {}\n", args.html);
  }
  return {};
}

int write_template(const PlanArgs& args) {
  if (is_there(args.write_inputs)) {
    return print_error({base::Code::AlreadyExists,
                        fmt::format("{} is there already", args.write_inputs),
                        "give another name, or remove it first",
                        {},
                        {}},
                       args.json);
  }
  const base::Status written =
      base::os::write_file_atomically(args.write_inputs, planner::scenario_template(), 0644);
  if (!written) return print_error(written.error(), args.json);
  fmt::print(
      "Wrote {}: every input with its default. Change what you know better, then\n"
      "  freehold plan --inputs {}\n",
      args.write_inputs, args.write_inputs);
  return kOk;
}

}  // namespace

base::Result<std::string> plan_for_console(const Config& config) {
  FH_TRY(const pricing::PriceBook book, load_book(config));
  FH_TRY(const planner::Plan plan, plan_of(config, {}, book));
  return planner::plan_json(plan);
}

int run_plan(const Config& config, const PlanArgs& args) {
  if (!args.write_inputs.empty()) return write_template(args);
  const base::Result<pricing::PriceBook> book = load_book(config);
  if (!book) return print_error(book.error(), args.json);
  const base::Result<planner::Plan> plan = plan_of(config, args, *book);
  if (!plan) return print_error(plan.error(), args.json);
  if (const base::Status written = write_outputs(*plan, args); !written) {
    return print_error(written.error(), args.json);
  }
  if (args.json) {
    fmt::print("{}\n", planner::plan_json(*plan));
  } else {
    fmt::print("{}", planner::plan_text(*plan));
  }
  return kOk;
}

}  // namespace fh::cli
