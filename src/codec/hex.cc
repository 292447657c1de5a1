// Hexadecimal digits.

#include "codec/hex.h"

namespace fh::codec {

int hex_digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string hex_encode(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::string hex_encode(std::span<const std::uint8_t> bytes) {
  return hex_encode(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

base::Result<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) {
    return base::fail(base::Code::InvalidArgument, "hexadecimal text has an odd number of digits");
  }
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit_value(text[i]);
    const int low = hex_digit_value(text[i + 1]);
    if (high < 0 || low < 0) {
      return base::fail(base::Code::InvalidArgument,
                        "invalid hexadecimal digit near character " + std::to_string(i));
    }
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return out;
}

}  // namespace fh::codec
