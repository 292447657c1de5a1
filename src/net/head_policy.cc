// See head_policy.h. The order of the checks decides which status a head with several faults gets:
// version first, then the framing of the body (where smuggling lives), then the target and Host,
// then expectations.

#include "net/head_policy.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "codec/url.h"
#include "net/text.h"

namespace fh::net {
namespace {

using Verdict = std::expected<void, Refusal>;

std::unexpected<Refusal> refuse(int status, std::string_view message) {
  return std::unexpected(Refusal{status, message});
}

// The only field of that name; nullptr if there is none. More than one: `count` tells.
struct Found {
  const Header* first = nullptr;
  std::size_t count = 0;
};
Found find_field(const RawHead& head, std::string_view name) {
  Found found;
  for (const Header& field : head.fields) {
    if (!equal_ignoring_case(field.name, name)) continue;
    if (found.first == nullptr) found.first = &field;
    ++found.count;
  }
  return found;
}

Verdict check_version(const RawHead& head) {
  if (head.protocol != "HTTP") return refuse(400, "the first line is not HTTP/1.1");
  if (head.version_major == 0) return refuse(400, "HTTP/0.9 is not supported");
  if (head.version_major != 1 || head.version_minor > 1) {
    return refuse(505, "only HTTP/1.1 and HTTP/1.0 are supported");
  }
  if (!head.exact_first_line) return refuse(400, "the first line has extra bytes");
  return {};
}

Verdict check_fields(const RawHead& head) {
  for (const Header& field : head.fields) {
    if (!is_token(field.name)) return refuse(400, "a header field name is not a token");
    for (const char c : field.value) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < 0x20 && c != '\t') || byte == 0x7f) {
        return refuse(400, "a header field value has a control character");
      }
    }
  }
  return {};
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

Verdict check_transfer_encoding(std::string_view value) {
  std::size_t chunked = 0;
  bool other = false;
  while (const auto coding = next_list_element(value)) {
    if (equal_ignoring_case(*coding, "chunked")) {
      ++chunked;
    } else {
      other = true;
    }
  }
  if (other) return refuse(501, "the only supported transfer coding is chunked");
  if (chunked != 1) return refuse(400, "Transfer-Encoding must name chunked once");
  return {};
}

// Fills body and content_length. `no_body` is what a message without both fields has.
Verdict check_framing(const RawHead& head, BodyKind no_body, HeadFacts& facts) {
  const Found encoding = find_field(head, "transfer-encoding");
  const Found length = find_field(head, "content-length");
  if (encoding.count > 0) {
    if (length.count > 0)
      return refuse(400, "both Transfer-Encoding and Content-Length are present");
    if (head.version_minor == 0) return refuse(400, "Transfer-Encoding is not part of HTTP/1.0");
    if (encoding.count > 1) return refuse(400, "Transfer-Encoding is present twice");
    if (const auto verdict = check_transfer_encoding(encoding.first->value); !verdict) {
      return verdict;
    }
    facts.body = BodyKind::Chunked;
    return {};
  }
  if (length.count == 0) {
    facts.body = no_body;
    return {};
  }
  if (length.count > 1) return refuse(400, "Content-Length is present twice");
  const auto value = parse_length(length.first->value);
  if (!value) return refuse(400, "Content-Length is not a decimal number");
  facts.content_length = *value;
  facts.body = *value == 0 ? BodyKind::None : BodyKind::Length;
  return {};
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~%!$&'()*+;=:[]").find(c) != std::string_view::npos;
}

Verdict check_host(const RawHead& head, std::string_view target_authority) {
  const Found host = find_field(head, "host");
  if (host.count > 1) return refuse(400, "Host is present twice");
  if (host.count == 0) {
    if (head.version_minor == 0) return {};
    return refuse(400, "Host is missing");
  }
  const std::string_view value = host.first->value;
  if (value.empty()) return refuse(400, "Host is empty");
  if (!std::all_of(value.begin(), value.end(), is_host_char)) {
    return refuse(400, "Host is not a host name");
  }
  if (!target_authority.empty() && !equal_ignoring_case(target_authority, value)) {
    return refuse(400, "the host in the request target differs from Host");
  }
  return {};
}

Verdict check_target_bytes(std::string_view target) {
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f) return refuse(400, "the request target has an invalid byte");
    if (c == '#') return refuse(400, "the request target has a fragment");
  }
  return {};
}

// Splits "http://authority/path?query" at the authority; the path may be empty.
Verdict split_absolute(std::string_view& rest, std::string_view& authority) {
  constexpr std::array<std::string_view, 2> kSchemes = {"http://", "https://"};
  for (const std::string_view scheme : kSchemes) {
    if (!starts_with_ignoring_case(rest, scheme)) continue;
    rest.remove_prefix(scheme.size());
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    authority = rest.substr(0, end);
    rest.remove_prefix(end);
    if (authority.empty() || !std::all_of(authority.begin(), authority.end(), is_host_char)) {
      return refuse(400, "the request target has no valid host");
    }
    return {};
  }
  return refuse(400, "the request target is neither a path nor an http URL");
}

Verdict decode_path(std::string_view encoded, HeadFacts& facts) {
  auto path = codec::url::percent_decode(encoded);
  if (!path) return refuse(400, "the path is not percent-encoded UTF-8");
  for (const char c : *path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return refuse(400, "the path has a control character");
  }
  facts.path = path->empty() ? "/" : std::move(*path);
  return {};
}

Verdict check_target(const RawHead& head, HeadFacts& facts) {
  std::string_view rest = head.target;
  if (rest.empty()) return refuse(400, "the request target is missing");
  if (const auto verdict = check_target_bytes(rest); !verdict) return verdict;
  std::string_view authority;
  if (rest == "*") {
    if (head.method != "OPTIONS") return refuse(400, "the target * belongs to OPTIONS");
    facts.path = "*";
    return check_host(head, authority);
  }
  if (rest.front() != '/') {
    if (const auto verdict = split_absolute(rest, authority); !verdict) return verdict;
  }
  if (const auto verdict = check_host(head, authority); !verdict) return verdict;
  const std::size_t question = rest.find('?');
  if (question != std::string_view::npos) facts.query = rest.substr(question + 1);
  return decode_path(rest.substr(0, question), facts);
}

bool connection_has(const RawHead& head, std::string_view option) {
  return std::any_of(head.fields.begin(), head.fields.end(), [option](const Header& field) {
    return equal_ignoring_case(field.name, "connection") && list_has(field.value, option);
  });
}

bool keeps_alive(const RawHead& head) {
  if (connection_has(head, "close")) return false;
  return head.version_minor == 1 || connection_has(head, "keep-alive");
}

Verdict check_expect(const RawHead& head, HeadFacts& facts) {
  const Found expect = find_field(head, "expect");
  if (expect.count == 0 || head.version_minor == 0) return {};
  if (expect.count > 1 || !equal_ignoring_case(expect.first->value, "100-continue")) {
    return refuse(417, "the only supported expectation is 100-continue");
  }
  facts.expect_continue = facts.body != BodyKind::None;
  return {};
}

}  // namespace

std::expected<HeadFacts, Refusal> check_head(const RawHead& head) {
  HeadFacts facts;
  if (const auto verdict = check_version(head); !verdict) return std::unexpected(verdict.error());
  // SOURCE is llhttp's door to another protocol, CONNECT asks for a tunnel.
  if (head.method == "CONNECT" || head.method == "SOURCE" || !is_token(head.method)) {
    return refuse(501, "this method is not supported");
  }
  for (const auto& verdict : {check_fields(head), check_framing(head, BodyKind::None, facts),
                              check_target(head, facts), check_expect(head, facts)}) {
    if (!verdict) return std::unexpected(verdict.error());
  }
  facts.keep_alive = keeps_alive(head);
  return facts;
}

std::expected<HeadFacts, Refusal> check_response_head(const RawHead& head,
                                                      std::string_view request_method) {
  HeadFacts facts;
  if (const auto verdict = check_version(head); !verdict) return std::unexpected(verdict.error());
  if (head.status < 100 || head.status > 599) return refuse(502, "the status code is out of range");
  if (head.status == 101) return refuse(502, "the peer switches protocols, which was not asked");
  for (const auto& verdict :
       {check_fields(head), check_framing(head, BodyKind::UntilClose, facts)}) {
    if (!verdict) return std::unexpected(verdict.error());
  }
  facts.keep_alive = keeps_alive(head);
  const bool interim = head.status < 200;
  if (interim || head.status == 204 || head.status == 304 || request_method == "HEAD") {
    facts.body = BodyKind::None;
  }
  if (facts.body == BodyKind::UntilClose) facts.keep_alive = false;
  return facts;
}

void strip_identity_fields(std::vector<Header>& fields) {
  constexpr std::array<std::string_view, 16> kNames = {"forwarded",
                                                       "remote-user",
                                                       "via",
                                                       "x-forwarded",
                                                       "x-real-ip",
                                                       "x-client-ip",
                                                       "x-remote-user",
                                                       "x-remote-group",
                                                       "x-auth-request-user",
                                                       "x-authenticated-user",
                                                       "x-consumer-username",
                                                       "x-consumer-id",
                                                       "x-webauth-user",
                                                       "true-client-ip",
                                                       "cf-connecting-ip",
                                                       "x-original-url"};
  std::erase_if(fields, [&kNames](const Header& field) {
    if (starts_with_ignoring_case(field.name, "x-forwarded-")) return true;
    if (starts_with_ignoring_case(field.name, "x-freehold-identity")) return true;
    return std::any_of(kNames.begin(), kNames.end(), [&field](std::string_view name) {
      return equal_ignoring_case(field.name, name);
    });
  });
}

}  // namespace fh::net
