#pragma once
// Ids that are told to clients and stored. A request's id is sent as `request-id` and
// `x-request-id`, keys its rows in the ledger and appears in every log line about it.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace fh::base {

// `prefix` and 24 random characters of [0-9A-Za-z].
inline std::string make_id(std::string_view prefix, Random& random) {
  return std::string(prefix) + random.token(24);
}

// "req_", nine base-62 digits of the wall time in microseconds, fifteen random characters (89
// bits). As bytes, ids sort by time, until the year 2398 and as far as the clock does: an index
// over them grows at its end, where neighbours share a page, not in a random place for each.
std::string make_request_id(Random& random, const Clock& clock);

}  // namespace fh::base
