#pragma once
// Base64 (RFC 4648, sections 4 and 5). Strict on the way in: no white space, no bits set that
// encode nothing, so that every value has one text form. Pure functions; bytes travel in
// std::string.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fh::codec {

enum class Base64 : std::uint8_t {
  Standard,  // '+', '/', padded with '='
  Url,       // '-', '_', written without padding; read with or without
};

std::string base64_encode(std::string_view bytes, Base64 alphabet = Base64::Standard);
// Error: InvalidArgument with the position of the first bad character.
base::Result<std::string> base64_decode(std::string_view text, Base64 alphabet = Base64::Standard);

}  // namespace fh::codec
