#pragma once
// How sure the answer is: the break-even sampled over the ranges of the inputs, one input moved at
// a time (tornado), and the value of each lever at which the answer becomes another one.
//
// The sampling is made to be repeated elsewhere: draw i of input j is triangular(low, value, high)
// at u = (mix32(seed + 0x9E3779B9 * (64 i + j + 1)) + 0.5) / 2^32, arithmetic modulo 2^32, where j
// counts the inputs that have a range in the order of input_specs() (at most 63) and mix32 is
//   x ^= x >> 16; x *= 0x85EBCA6B; x ^= x >> 13; x *= 0xC2B2AE35; x ^= x >> 16.
//
// Threads: pure functions.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "planner/money.h"
#include "planner/scenario.h"

namespace fh::planner {

struct TornadoBar {
  std::string input;  // name in input_specs()
  double low = 0, high = 0;
  double saved_at_low = 0, saved_at_high = 0;  // present value saved by the option in focus
  Option best_at_low = Option::Stay, best_at_high = Option::Stay;
  double swing() const;
};

// "The answer becomes `to` when `input` is `value`."
struct Flip {
  std::string input, label, unit;
  double now = 0;
  bool found = false;
  double value = 0;  // where it turns, on the far side
  Option to = Option::Stay;
  double searched_low = 0, searched_high = 0;
  std::string
      reading;  // the same in the units of the machine: "a machine at $226,000, now $310,000"
};

struct Quantiles {
  double p10 = 0, p50 = 0, p90 = 0;
};

struct OptionSpread {
  Option option = Option::Stay;
  Quantiles saved_npv_usd;
  Quantiles break_even_month;   // kNever: not within the horizon
  double share_break_even = 0;  // of the draws
  double share_best = 0;        // of the draws in which it is the answer
};

struct Sensitivity {
  Option focus = Option::Own;  // the answer, or the best of the others when the answer is to stay
  bool has_focus = false;      // false: there is no option but to stay
  std::vector<TornadoBar> tornado;  // largest swing first
  std::vector<Flip> flips;          // those between staying and moving first
  std::array<OptionSpread, kOptions> spread;
  std::uint64_t seed = 0;
  std::uint32_t draws = 0;
};

// Uniform in (0, 1).
double uniform_of(std::uint64_t seed, std::uint32_t draw, std::uint32_t input);
// Quantile of the triangular distribution with this mode.
double triangular(double low, double mode, double high, double u);

Sensitivity analyse(const Scenario& scenario, const Money& money);

}  // namespace fh::planner
