// freehold_sim [--seeds N] [--first S] [--plant forget-aborted|settle-twice|admit-late]
//
// Runs N lives of the simulated gateway and prints a summary. Exit 0: no promise was broken, or one
// was planted and found. Exit 1: the seed and what broke, to be run again with --first SEED
// --seeds 1.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <string_view>

#include "world.h"

int main(int argc, char** argv) {
  std::uint64_t seeds = 2'000, first = 1;
  fh::sim::Plan plan;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i], value = argv[i + 1];
    if (name == "--seeds") std::from_chars(value.data(), value.data() + value.size(), seeds);
    if (name == "--first") std::from_chars(value.data(), value.data() + value.size(), first);
    if (name == "--plant") {
      plan.plant = value == "forget-aborted" ? fh::sim::Plant::ForgetAborted
                   : value == "settle-twice" ? fh::sim::Plant::SettleTwice
                                             : fh::sim::Plant::AdmitLate;
    }
  }
  // The faults are the point; their log lines are not, except when one life is looked at.
  if (seeds > 1 && std::freopen("/dev/null", "w", stderr) == nullptr) return 2;
  std::uint64_t answered = 0, crashes = 0, settled = 0, requests = 0, steps = 0;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    plan.seed = seed;
    const fh::sim::Report report = fh::sim::run(plan);
    answered += report.answered;
    crashes += report.crashes;
    settled += report.settled;
    requests += report.requests;
    steps += report.steps;
    if (report.ok) continue;
    if (plan.plant != fh::sim::Plant::None) {
      fmt::print("sim: the planted mistake was found after {} seeds: {}\n", seed - first + 1,
                 report.failure);
      return 0;
    }
    fmt::print("sim: FAILED {}\nsim: again with: freehold_sim --first {} --seeds 1\n",
               report.failure, seed);
    return 1;
  }
  fmt::print(
      "sim: {} seeds, {} requests, {} answered, {} settled, {} crashes, {} steps: no promise "
      "broken\n",
      seeds, requests, answered, settled, crashes, steps);
  return plan.plant == fh::sim::Plant::None ? 0 : 1;
}
