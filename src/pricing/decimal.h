#pragma once
// Decimal text to scaled integers, exactly. Prices are written as decimal fractions that no binary
// floating point number holds; they never pass through one.

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace fh::pricing {

// The JSON number `text` times 10^6. InvalidArgument when it is no number, negative, has more than
// six decimals or does not fit.
base::Result<std::int64_t> decimal_to_millionths(std::string_view text);

}  // namespace fh::pricing
