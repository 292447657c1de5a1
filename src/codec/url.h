#pragma once
// Percent-encoding (RFC 3986, section 2) and query strings (application/x-www-form-urlencoded).
// Pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace fh::codec::url {

// Encodes everything but the unreserved characters (letters, digits, "-._~").
std::string percent_encode(std::string_view text);
// Error: InvalidArgument for a '%' without two digits, and for a result that is not UTF-8 or holds
// a NUL.
base::Result<std::string> percent_decode(std::string_view text);

using Query = std::vector<std::pair<std::string, std::string>>;  // in order, keys may repeat
inline constexpr std::size_t kQueryPairsMax = 256;

// "a=1&b=x+y&flag" -> {a,1} {b,"x y"} {flag,""}; empty pieces are skipped. `text` is without the
// '?'.
base::Result<Query> parse_query(std::string_view text);
// The first value of `key`.
std::optional<std::string_view> query_value(const Query& query, std::string_view key);

}  // namespace fh::codec::url
