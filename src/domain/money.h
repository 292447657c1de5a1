#pragma once
// Money is an integer number of micro-USD (1e-6 USD). Rates are micro-USD per million tokens.
// Products are made in checked 128-bit arithmetic; a row is rounded once, half to even. Never a
// double.

#include <cstdint>
#include <string>

#include "base/result.h"

namespace fh::domain {

struct MicroUsd {
  std::int64_t value = 0;
  auto operator<=>(const MicroUsd&) const = default;
};

// Sum with overflow check.
base::Result<MicroUsd> add(MicroUsd a, MicroUsd b);
// numerator / denominator, rounded half to even; denominator > 0.
base::Result<MicroUsd> rounded(__int128 numerator, __int128 denominator);
// "12.345678", "-0.000001": exact decimal USD.
std::string format_usd(MicroUsd amount);
// "$12.35", "$0.0042": for people, at least two significant digits, never rounded to zero unless
// zero.
std::string display_usd(MicroUsd amount);

}  // namespace fh::domain
