// Percent-encoding and query strings.

#include "codec/url.h"

#include "codec/hex.h"
#include "codec/utf8.h"

namespace fh::codec::url {
namespace {

bool is_unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

base::Result<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const int high = i + 2 < text.size() ? hex_digit_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return base::fail(base::Code::InvalidArgument,
                          "'%' without two hexadecimal digits in the URL");
      }
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  if (!utf8::valid(out) || out.find('\0') != std::string::npos) {
    return base::fail(base::Code::InvalidArgument, "the URL does not decode to text");
  }
  return out;
}

}  // namespace

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

base::Result<std::string> percent_decode(std::string_view text) {
  return decode(text, false);
}

base::Result<Query> parse_query(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (piece.empty()) continue;
    if (query.size() == kQueryPairsMax) {
      return base::fail(base::Code::InvalidArgument, "more than " + std::to_string(kQueryPairsMax) +
                                                         " parameters in the query string");
    }
    const std::size_t equals = piece.find('=');
    FH_TRY(std::string key, decode(piece.substr(0, equals), true));
    std::string value;
    if (equals != std::string_view::npos) {
      FH_TRY(value, decode(piece.substr(equals + 1), true));
    }
    query.emplace_back(std::move(key), std::move(value));
  }
  return query;
}

std::optional<std::string_view> query_value(const Query& query, std::string_view key) {
  for (const auto& [name, value] : query) {
    if (name == key) return value;
  }
  return {};
}

}  // namespace fh::codec::url
