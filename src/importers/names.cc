// See names.h.

#include "importers/names.h"

#include <string.h>

#include <algorithm>
#include <cstring>

#include "codec/utf8.h"
#include "crypto/sha256.h"

namespace fh::importers {

namespace {

// Not 0 if one of the bytes is not printable ASCII. In a byte from 0x20 to 0x7E none of the three
// has its highest bit; the borrow or carry of another byte comes after that byte was found out.
std::uint64_t odd_bytes(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  return ((eight - 0x20 * kOnes) | (eight + kOnes) | eight) & kHigh;
}

// Whether all bytes are printable ASCII: eight at a time, the last of them twice if need be.
bool is_plain(std::string_view text) {
  const char* const data = text.data();
  const std::size_t size = text.size();
  std::uint64_t eight = 0, odd = 0;
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      std::memcpy(&eight, data + at, 8);
      odd |= odd_bytes(eight);
    }
    std::memcpy(&eight, data + size - 8, 8);
    return (odd | odd_bytes(eight)) == 0;
  }
  if (size >= 4) {
    std::uint32_t first = 0, last = 0;
    std::memcpy(&first, data, 4);
    std::memcpy(&last, data + size - 4, 4);
    return odd_bytes(static_cast<std::uint64_t>(first) << 32 | last) == 0;
  }
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
}

// Cut before the repair, which may make it longer, and again after it, between code points.
std::string repaired_name(std::string_view text) {
  std::string name = codec::utf8::repaired(text.substr(0, kNameBytesMax + 4));
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  name.resize(codec::utf8::truncated(name, kNameBytesMax).size());
  return name;
}

constexpr std::size_t kSecretBytesMin = 20;

bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_' || c == '.' || c == '+' || c == '/' || c == '=';
}

// How the credentials of services begin; what follows is random.
bool begins_as_secret(std::string_view text) {
  static constexpr std::string_view kBegins[] = {
      "sk-",  "sk_",  "pk_live_",    "rk_live_", "fh-",    "AIza",  "ghp_",    "gho_",  "ghu_",
      "ghs_", "ghr_", "github_pat_", "glpat-",   "xoxb-",  "xoxp-", "xoxa-",   "AKIA",  "ASIA",
      "hf_",  "gsk_", "xai-",        "r8_",      "nvapi-", "pplx-", "tgp_v1_", "ya29.", "eyJ"};
  return std::ranges::any_of(kBegins,
                             [&](std::string_view begin) { return text.starts_with(begin); });
}

// Digits and capitals, or digits and great length: not what a person calls something.
bool is_random(std::string_view text) {
  bool digit = false, capital = false;
  for (const char c : text) {
    if (!is_token_char(c)) return false;
    digit = digit || (c >= '0' && c <= '9');
    capital = capital || (c >= 'A' && c <= 'Z');
  }
  return digit && (capital || text.size() >= 32);
}

bool is_secret(std::string_view text) {
  if (text.size() < kSecretBytesMin) return false;
  for (const std::string_view scheme : {"Bearer ", "bearer ", "Basic "}) {
    if (text.starts_with(scheme)) return true;
  }
  return begins_as_secret(text) && is_random(text);
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

std::string secret_label(std::string_view secret) {
  return "secret-" + crypto::to_hex(crypto::sha256(secret)).substr(0, 8);
}

bool holds_secrets(std::string_view column_key) {
  static constexpr std::string_view kColumns[] = {
      "key",         "keys",         "api_key",       "apikey", "x_apikey",   "x_api_key",
      "virtual_key", "secret_key",   "access_key",    "token",  "api_token",  "access_token",
      "auth_token",  "bearer_token", "x_token",       "secret", "api_secret", "client_secret",
      "x_secret",    "password",     "authorization", "auth",   "bearer",     "credential",
      "credentials", "x_key",        "private_key"};
  return std::ranges::find(kColumns, column_key) != std::end(kColumns);
}

void secret_to(std::string_view text, std::string& out) {
  if (text.empty() || is_sha256(text)) return name_to(text, out);
  out = secret_label(text);
}

std::string name_of(std::string_view text) {
  std::string out;
  new_name_to(text, out);
  return out;
}

// A name that is held already needs no second look: it is its own name.
void new_name_to(std::string_view text, std::string& out) {
  if (is_secret(text)) {
    out = secret_label(text);
    return;
  }
  if (text.size() > kNameBytesMax || !is_plain(text)) {
    out = repaired_name(text);
    return;
  }
  // The library may offer more room than was asked for, and says so in the second argument.
  out.resize_and_overwrite(text.size(), [text](char* to, std::size_t) {
    copy_bytes(to, text.data(), text.size());
    return text.size();
  });
}

std::string identity_of(std::span<const std::string> parts) {
  crypto::Sha256 hash;
  for (const std::string& part : parts) {
    hash.update(std::to_string(part.size()) + ":");
    hash.update(part);
  }
  return crypto::to_hex(hash.finish()).substr(0, 32);
}

bool has_member(std::string_view text, std::string_view key, std::string_view value_begin) {
  const std::string quoted = '"' + std::string(key) + '"';
  const auto pass_blanks = [&] {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  };
  for (std::size_t at = text.find(quoted); at != std::string_view::npos; at = text.find(quoted)) {
    text.remove_prefix(at + quoted.size());
    pass_blanks();
    if (!text.starts_with(':')) continue;
    text.remove_prefix(1);
    pass_blanks();
    if (text.starts_with(value_begin)) return true;
  }
  return false;
}

std::size_t first_record(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t first = text.find_first_not_of(" \t\r\n", at);
    if (first == std::string_view::npos || text[first] == '{' || text[first] == '[') return first;
    at = text.find('\n', first);
  }
  return std::string_view::npos;
}

bool contains(std::string_view text, std::string_view needle) {
  return ::memmem(text.data(), text.size(), needle.data(), needle.size()) != nullptr;
}

}  // namespace fh::importers
