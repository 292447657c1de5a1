// The commented scenario file that `freehold plan --write-inputs` writes: made from the table of
// inputs, so that it cannot miss one.
#include <fmt/format.h>

#include "planner/scenario.h"

namespace fh::planner {
namespace {

constexpr const char* kHead =
    R"(# A scenario for `freehold plan --inputs FILE`. Every key is here with its default; a line that
# begins with "# " is a comment, so take the mark away from those that you know better.
#
# A plain number counts as certain. A range takes part in the sensitivity and in the break-even
# quantiles:
#   pue = { value = 1.35, low = 1.25, high = 1.5, source = "facility report", date = "2026-10-01" }
# Shares are parts of one: 0.15 is 15 %. Money is USD.

[plan]
# days = 92      # of usage that count, the newest; older usage is no part of today's load
# seed = 1       # of the sampled break-even; the same seed gives the same numbers
# draws = 2000

# Which records are which workload, and which of them may move at all. The first that fits wins; a
# field that is left out fits everything. Without any, a record's own workload tag, workspace or
# application names it, or else its model.
# [[workloads]]
# name = "agentic coding"
# may_move = true
# provider = "anthropic"     # also: model, workspace, key, application, workload, tier
# workspace = "wrkspc_coding"
# prompt_tokens = 122000     # mean of a request, where the provider does not count requests

[replacement]
# models = ["glm-5.2"]             # open models that may take the work over; empty: chosen by class
# machines = ["node-8x-h200"]      # empty: every machine with a price
# ttft_p95_ms = 5000               # targets that the machines must hold
# tpot_ms = 50
# weight_bits = 8                  # least of its weights; 4 needs less memory and loses more
# prompt_token_ratio = 1           # tokens of the replacement per token of today's model
# output_token_ratio = 1

# What no data holds: "yes", "no" or "unknown".
[readiness]
)";

std::string number(double value) {
  return fmt::format("{}", value);
}

void append_input(std::string& out, const InputSpec& spec, double value) {
  out += fmt::format("# {} [{}]", spec.label, spec.unit);
  if (spec.low < spec.high) out += fmt::format("; range {} to {}", spec.low, spec.high);
  out += fmt::format("\n#   source: {}", spec.source);
  if (*spec.date != '\0') out += fmt::format(", {}", spec.date);
  out += fmt::format("; confidence: {}\n", spec.confidence);
  out += fmt::format("# {} = {}\n", spec.key, number(value));
}

}  // namespace

std::string scenario_template() {
  std::string out = kHead;
  for (const AnswerSpec& spec : answer_specs()) {
    out += fmt::format("# {} = \"unknown\"   # {}\n", spec.key, spec.question);
  }
  MoneyInputs defaults;
  std::string section;
  for (const InputSpec& spec : input_specs()) {
    if (section != spec.section) {
      section = spec.section;
      out += "\n";
      if (section == "bill") out += "# Left out, the bill comes from your usage records.\n";
      if (section == "own" || section == "hybrid" || section == "rent") {
        out += fmt::format("# Option: {}. Left out, all of it comes from the capacity estimate.\n",
                           section == "own"      ? option_title(Option::Own)
                           : section == "hybrid" ? option_title(Option::Hybrid)
                                                 : option_title(Option::Rent));
      }
      out += fmt::format("[{}]\n", section);
    }
    append_input(out, spec, spec.at(defaults));
  }
  return out;
}

}  // namespace fh::planner
