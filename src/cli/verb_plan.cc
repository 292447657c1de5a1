// freehold plan: own, rent, hybrid or stay, from imported usage, the ledger, a scenario file, or,
// where there is none of them, from the example company.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "base/os/file.h"
#include "cli/output.h"
#include "cli/verb_plan_evidence.h"
#include "cli/verbs.h"
#include "planner/plan.h"
#include "planner/sample.h"

namespace fh::cli {
namespace {

constexpr std::size_t kScenarioBytesMax = 1024 * 1024;
constexpr std::size_t kBookBytesMax = 16 * 1024 * 1024;

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
  base::Result<pricing::PriceBook> own = pricing::PriceBook::parse(text);
  if (!own) {
    base::Error error = own.error();
    error.message = config.price_book + ": " + error.message;
    return std::unexpected(std::move(error));
  }
  return book.overridden_by(*own);
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

base::Result<planner::Plan> own_plan(const PlanEvidence& evidence, planner::Scenario scenario,
                                     const PlanArgs& args, const pricing::PriceBook& book) {
  planner::PlanRequest request;
  request.evidence = evidence.text();
  if (request.evidence.empty()) request.evidence = "the figures of " + scenario.name;
  request.what_if = !args.local_as.empty();
  request.notes = evidence.notes();
  request.scenario = std::move(scenario);
  request.usage = [&](const planner::UsageVisit& visit) { return evidence.usage(visit); };
  request.costs = [&](const planner::CostVisit& visit) { return evidence.costs(visit); };
  request.book = &book;
  request.catalogue = &planner::Catalogue::bundled();
  request.today = today();
  return planner::make_plan(request);
}

base::Result<planner::Plan> plan_of(const Config& config, const PlanArgs& args,
                                    const pricing::PriceBook& book) {
  FH_TRY(planner::Scenario scenario, load_scenario(args));
  if (args.example) {
    const planner::Scenario* own = args.inputs.empty() ? nullptr : &scenario;
    return planner::sample_plan(book, planner::Catalogue::bundled(), own);
  }
  FH_TRY(const PlanEvidence evidence, PlanEvidence::find(config, book, args.local_as));
  if (!args.local_as.empty() && !evidence.any()) {
    return base::fail(base::Code::NotFound, "no request in the ledger ran on this machine",
                      "freehold up serves local models; without --local-as the plan is made of "
                      "imported usage");
  }
  if (evidence.any() || scenario.states_bill()) {
    return own_plan(evidence, std::move(scenario), args, book);
  }
  const planner::Scenario* own = args.inputs.empty() ? nullptr : &scenario;
  FH_TRY(planner::Plan plan, planner::sample_plan(book, planner::Catalogue::bundled(), own));
  const std::vector<std::string> notes = evidence.notes();
  plan.notes.insert(plan.notes.begin(), notes.begin(), notes.end());
  return plan;
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
    return print_local_error({base::Code::AlreadyExists,
                              fmt::format("{} is there already", args.write_inputs),
                              "give another name, or remove it first",
                              {},
                              {}},
                             args.json);
  }
  const base::Status written =
      base::os::write_file_atomically(args.write_inputs, planner::scenario_template(), 0644);
  if (!written) return print_local_error(written.error(), args.json);
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
  if (!book) return print_local_error(book.error(), args.json);
  const base::Result<planner::Plan> plan = plan_of(config, args, *book);
  if (!plan) return print_local_error(plan.error(), args.json);
  if (const base::Status written = write_outputs(*plan, args); !written) {
    return print_local_error(written.error(), args.json);
  }
  if (args.json) {
    fmt::print("{}\n", planner::plan_json(*plan));
  } else {
    fmt::print("{}", planner::plan_text(*plan));
  }
  return kOk;
}

}  // namespace fh::cli
