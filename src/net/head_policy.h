#pragma once
// The HTTP head policy: what may pass, decided by one pure function over the head exactly as the
// parser reported it (fields in order, uncombined, lenient parsing never switched on). Whatever two
// HTTP parsers could read differently is refused: the caller answers, says `Connection: close` and
// closes; it never looks for the next message. Rules from RFC 9112 sections 2, 3, 6 and 7,
// narrowed. docs/LIMITS.md has the numbers.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace fh::net {

// A head as parsed. For a response `status` is set and method and target are empty.
struct RawHead {
  std::string method;
  std::string target;
  std::string protocol;  // "HTTP"; empty in the HTTP/0.9 form
  int status = 0;
  int version_major = 0;
  int version_minor = 0;
  bool exact_first_line = true;  // nothing before it, single spaces between its parts
  std::vector<Header> fields;
};

// The answer to a head or body that may not pass. The message is a static text in plain words.
struct Refusal {
  int status = 400;
  std::string_view message;
};

enum class BodyKind : std::uint8_t {
  None,
  Length,
  Chunked,
  UntilClose
};  // UntilClose: responses only

struct HeadFacts {
  std::string path;   // decoded, begins with '/'; "*" for OPTIONS *
  std::string query;  // still encoded
  BodyKind body = BodyKind::None;
  std::uint64_t content_length = 0;
  bool keep_alive = false;
  bool expect_continue = false;
};

std::expected<HeadFacts, Refusal> check_head(const RawHead& head);

// `request_method` is the method that this answers: the answer to HEAD has no body. An interim
// response (1xx) has no body either and is followed by another head.
std::expected<HeadFacts, Refusal> check_response_head(const RawHead& head,
                                                      std::string_view request_method);

// Removes what only a proxy in front of us may say about who the client is. No proxy is trusted, so
// these fields never reach a handler.
void strip_identity_fields(std::vector<Header>& fields);

}  // namespace fh::net
