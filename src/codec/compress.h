#pragma once
// Bounded decompression of what others send: gzip (RFC 1952) and zstd (RFC 8878). The decoded size
// is limited, and memory grows with what was really decoded, never with what a header claims. Pure
// functions.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fh::codec {

// Error: OutOfRange when the result would be longer than `decoded_bytes_max`; InvalidArgument when
// `data` is damaged, cut off, or followed by something else. Several members or frames one after
// another are one text.
base::Result<std::string> gzip_decode(std::string_view data, std::size_t decoded_bytes_max);
base::Result<std::string> zstd_decode(std::string_view data, std::size_t decoded_bytes_max);

}  // namespace fh::codec
