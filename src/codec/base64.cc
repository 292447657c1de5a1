// Base64 by table, three bytes to four characters.

#include "codec/base64.h"

#include <array>

namespace fh::codec {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t kBad = 0xFF;

constexpr std::array<std::uint8_t, 256> reversed(std::string_view alphabet) {
  std::array<std::uint8_t, 256> table{};
  table.fill(kBad);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}
constexpr std::array<std::uint8_t, 256> kStandardValues = reversed(kStandard);
constexpr std::array<std::uint8_t, 256> kUrlValues = reversed(kUrl);

std::unexpected<base::Error> invalid_at(std::size_t at) {
  return base::fail(base::Code::InvalidArgument,
                    "invalid base64 at character " + std::to_string(at));
}

}  // namespace

std::string base64_encode(std::string_view bytes, Base64 alphabet) {
  const std::string_view letters = alphabet == Base64::Standard ? kStandard : kUrl;
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0U);
    }
    for (std::size_t k = 0; k <= group.size(); ++k) {
      out.push_back(letters[bits >> (18 - 6 * k) & 63]);
    }
  }
  if (alphabet == Base64::Standard) out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

base::Result<std::string> base64_decode(std::string_view text, Base64 alphabet) {
  const auto& values = alphabet == Base64::Standard ? kStandardValues : kUrlValues;
  if (text.ends_with('=') || alphabet == Base64::Standard) {
    if (text.size() % 4 != 0) return invalid_at(text.size());
    if (text.ends_with('=')) text.remove_suffix(1);
    if (text.size() % 4 == 3 && text.ends_with('=')) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return invalid_at(text.size());
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  std::uint32_t bit_count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t value = values[static_cast<unsigned char>(text[i])];
    if (value == kBad) return invalid_at(i);
    bits = (bits << 6 | value) & 0xFFFF;
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      out.push_back(static_cast<char>(bits >> bit_count & 0xFF));
    }
  }
  if ((bits & ((1U << bit_count) - 1)) != 0) return invalid_at(text.size() - 1);
  return out;
}

}  // namespace fh::codec
