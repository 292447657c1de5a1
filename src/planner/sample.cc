// The files of examples/sample in read-only memory, and their way through the importers.
#include "planner/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "importers/importer.h"

#define FH_SAMPLE(symbol, file)                      \
  asm(".section .rodata.fh_sample,\"a\",@progbits\n" \
      ".global fh_sample_" symbol                    \
      "\n"                                           \
      ".global fh_sample_" symbol                    \
      "_end\n"                                       \
      "fh_sample_" symbol                            \
      ":\n"                                          \
      ".incbin \"" FH_SAMPLE_DIR "/" file            \
      "\"\n"                                         \
      "fh_sample_" symbol                            \
      "_end:\n"                                      \
      ".byte 0\n"                                    \
      ".text\n")

FH_SAMPLE("anthropic_usage", "anthropic-usage.json");
FH_SAMPLE("anthropic_costs", "anthropic-costs.json");
FH_SAMPLE("openai_usage", "openai-usage.json");
FH_SAMPLE("openai_costs", "openai-costs.json");
FH_SAMPLE("scenario", "scenario.toml");

extern "C" {
extern const char fh_sample_anthropic_usage[], fh_sample_anthropic_usage_end[];
extern const char fh_sample_anthropic_costs[], fh_sample_anthropic_costs_end[];
extern const char fh_sample_openai_usage[], fh_sample_openai_usage_end[];
extern const char fh_sample_openai_costs[], fh_sample_openai_costs_end[];
extern const char fh_sample_scenario[], fh_sample_scenario_end[];
}

namespace fh::planner {
namespace {

struct Collected final : importers::Sink {
  std::vector<domain::UsageRecord> records;
  std::vector<domain::CostRecord> charges;
  std::string skipped;
  void usage(domain::UsageRecord&& record) override { records.push_back(std::move(record)); }
  void cost(domain::CostRecord&& record) override { charges.push_back(std::move(record)); }
  void skip(std::uint64_t line, std::string why) override {
    if (skipped.empty()) skipped = fmt::format("line {}: {}", line, why);
  }
};

base::Status read_into(const SampleFile& file, Collected& sink) {
  const importers::FileHint hint{file.name, file.content.substr(0, importers::kHeadBytes)};
  const importers::Format* best = nullptr;
  int most = 0;
  for (const importers::Format& format : importers::formats()) {
    if (const int sure = format.recognise(hint); sure > most) {
      most = sure;
      best = &format;
    }
  }
  if (best == nullptr) {
    return base::fail(base::Code::Internal, fmt::format("no importer knows {}", file.name));
  }
  FH_TRY(const auto importer, best->open(hint, {}));
  importer->feed(file.content, sink);
  importer->finish(sink);
  if (sink.skipped.empty()) return {};
  return base::fail(base::Code::Internal, fmt::format("the example's {} was not read whole: {}",
                                                      file.name, sink.skipped));
}

}  // namespace

std::span<const SampleFile> sample_files() {
  const auto text = [](const char* begin, const char* end) {
    return std::string_view(begin, static_cast<std::size_t>(end - begin));
  };
  static const SampleFile files[] = {
      {"anthropic-usage.json", text(fh_sample_anthropic_usage, fh_sample_anthropic_usage_end)},
      {"anthropic-costs.json", text(fh_sample_anthropic_costs, fh_sample_anthropic_costs_end)},
      {"openai-usage.json", text(fh_sample_openai_usage, fh_sample_openai_usage_end)},
      {"openai-costs.json", text(fh_sample_openai_costs, fh_sample_openai_costs_end)},
  };
  return files;
}

std::string_view sample_scenario() {
  return {fh_sample_scenario,
          static_cast<std::size_t>(fh_sample_scenario_end - fh_sample_scenario)};
}

base::Result<Plan> sample_plan(const pricing::PriceBook& book, const Catalogue& catalogue,
                               const Scenario* scenario) {
  Collected sink;
  for (const SampleFile& file : sample_files()) {
    FH_TRY_VOID(read_into(file, sink));
  }
  std::sort(sink.records.begin(), sink.records.end(), [](const auto& a, const auto& b) {
    return std::tie(a.start_unix_ns, a.source_id) < std::tie(b.start_unix_ns, b.source_id);
  });
  PlanRequest request;
  if (scenario != nullptr) {
    request.scenario = *scenario;
  } else {
    FH_TRY(request.scenario, parse_scenario(sample_scenario(), "the example's scenario"));
  }
  request.usage = [&](const UsageVisit& visit) -> base::Status {
    for (const domain::UsageRecord& record : sink.records) {
      if (!visit(record)) break;
    }
    return {};
  };
  request.costs = [&](const CostVisit& visit) -> base::Status {
    for (const domain::CostRecord& record : sink.charges) {
      if (!visit(record)) break;
    }
    return {};
  };
  request.book = &book;
  request.catalogue = &catalogue;
  request.example = true;
  request.evidence = "its usage and cost reports";
  // The day after its last record: the example does not age.
  std::int64_t last = 0;
  for (const domain::UsageRecord& record : sink.records) {
    last = std::max(last, record.start_unix_ns);
  }
  request.today = static_cast<std::int32_t>(last / 86'400'000'000'000) + 1;
  return make_plan(request);
}

}  // namespace fh::planner
