// See names.h.

#include "importers/names.h"

#include <string.h>

#include <algorithm>

#include "codec/utf8.h"
#include "crypto/sha256.h"

namespace fh::importers {

std::string name_of(std::string_view text) {
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7F; };
  if (text.size() <= kNameBytesMax && std::ranges::all_of(text, plain)) return std::string(text);
  // Cut before the repair, which may make it longer, and again after it, between code points.
  std::string name = codec::utf8::repaired(text.substr(0, kNameBytesMax + 4));
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  name.resize(codec::utf8::truncated(name, kNameBytesMax).size());
  return name;
}

std::string identity_of(std::span<const std::string> parts) {
  crypto::Sha256 hash;
  for (const std::string& part : parts) {
    hash.update(std::to_string(part.size()) + ":");
    hash.update(part);
  }
  return crypto::to_hex(hash.finish()).substr(0, 32);
}

bool contains(std::string_view text, std::string_view needle) {
  return ::memmem(text.data(), text.size(), needle.data(), needle.size()) != nullptr;
}

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a < 0 ? INT64_MIN : INT64_MAX;
}

}  // namespace fh::importers
