// Look-ups on HttpRequest. Field names compare without case, query keys exactly.

#include "net/http.h"

#include "codec/url.h"
#include "net/text.h"

namespace fh::net {

std::string_view HttpRequest::header(std::string_view name) const {
  for (const Header& field : headers) {
    if (equal_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

bool HttpRequest::has_header(std::string_view name) const {
  for (const Header& field : headers) {
    if (equal_ignoring_case(field.name, name)) return true;
  }
  return false;
}

std::string HttpRequest::query_value(std::string_view key) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    // One pair at a time, so that a malformed pair hides no other.
    const auto parsed = codec::url::parse_query(pair);
    if (!parsed) continue;
    if (const auto value = codec::url::query_value(*parsed, key)) return std::string(*value);
  }
  return {};
}

}  // namespace fh::net
