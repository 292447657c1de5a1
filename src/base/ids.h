#pragma once
// Request ids: "req_" and 24 random base-62 characters; the same value is sent as `request-id` and
// `x-request-id`, keys the ledger rows and appears in every log line about the request.

#include <string>

#include "base/random.h"

namespace fh::base {
inline std::string make_id(std::string_view prefix, Random& random) {
  return std::string(prefix) + random.token(24);
}
}  // namespace fh::base
