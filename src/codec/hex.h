#pragma once
// Bytes as hexadecimal digits. Pure functions.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fh::codec {

std::string hex_encode(std::string_view bytes);  // lower case
std::string hex_encode(std::span<const std::uint8_t> bytes);
// Takes both cases. Error: InvalidArgument.
base::Result<std::string> hex_decode(std::string_view text);
// The value of one digit, or -1.
int hex_digit_value(char c);

}  // namespace fh::codec
