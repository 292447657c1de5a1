// See client_wire_impl.h.

#include <algorithm>
#include <limits>
#include <utility>

#include "net/client_wire_impl.h"
#include "net/text.h"

namespace fh::net {
namespace {

base::Error bad_answer(std::string_view what) {
  return base::Error{
      base::Code::Unavailable, "the server's answer is not valid HTTP", std::string(what), {}, {}};
}

bool value_is_safe(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

bool target_is_safe(std::string_view target) {
  return !target.empty() && std::all_of(target.begin(), target.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f;
  });
}

bool is_framing_field(std::string_view name) {
  return equal_ignoring_case(name, "content-length") || equal_ignoring_case(name, "host") ||
         equal_ignoring_case(name, "transfer-encoding") || equal_ignoring_case(name, "connection");
}

std::string host_field(const HostPort& server, std::uint16_t default_port) {
  const bool v6 = server.host.find(':') != std::string::npos && server.host.front() != '[';
  const std::string host = v6 ? "[" + server.host + "]" : server.host;
  return server.port == default_port ? host : host + ":" + std::to_string(server.port);
}

}  // namespace

base::Result<std::string> format_request_head(const ClientRequest& request, const HostPort& server,
                                              std::uint16_t default_port) {
  if (!is_token(request.method) || !target_is_safe(request.target)) {
    return base::fail(base::Code::InvalidArgument, "the request line would be malformed");
  }
  std::string head = request.method + " " + request.target +
                     " HTTP/1.1\r\nhost: " + host_field(server, default_port) + "\r\n";
  for (const Header& field : request.headers) {
    if (is_framing_field(field.name)) continue;
    if (!is_token(field.name) || !value_is_safe(field.value)) {
      return base::fail(base::Code::InvalidArgument, "a request header field would be malformed");
    }
    head.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  const bool needs_length = request.method != "GET" && request.method != "HEAD";
  if (needs_length || !request.body.empty()) {
    head.append("content-length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  head.append("\r\n");
  return head;
}

ResponseReader::ResponseReader(const ParserLimits& limits, std::string request_method)
    : parser_(MessageParser::Kind::Response, limits), request_method_(std::move(request_method)) {}

base::Status ResponseReader::feed(std::string_view bytes) {
  started_ = started_ || !bytes.empty();
  while (!head_done_ && !bytes.empty()) FH_TRY_VOID(feed_head(bytes));
  if (bytes.empty()) return {};
  return feed_body(bytes);
}

base::Status ResponseReader::feed_head(std::string_view& bytes) {
  const std::size_t taken = parser_.feed_head(bytes);
  if (parser_.refused()) return std::unexpected(bad_answer(parser_.refusal().message));
  bytes.remove_prefix(taken);
  if (!parser_.head_complete()) return {};
  const auto facts = check_response_head(parser_.head(), request_method_);
  if (!facts) return std::unexpected(bad_answer(facts.error().message));
  if (parser_.head().status < 200) {
    parser_.reset();
    return {};
  }
  facts_ = *facts;
  head_ = std::move(parser_.head());
  left_ = facts_.content_length;
  head_done_ = true;
  body_done_ = facts_.body == BodyKind::None;
  return {};
}

base::Status ResponseReader::feed_body(std::string_view bytes) {
  if (body_done_) {
    surplus_ = true;
    return {};
  }
  if (facts_.body == BodyKind::UntilClose) {
    body_.append(bytes);
    return {};
  }
  if (facts_.body == BodyKind::Length) {
    const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    body_.append(bytes.substr(0, take));
    left_ -= take;
    body_done_ = left_ == 0;
    surplus_ = take < bytes.size();
    return {};
  }
  const std::size_t taken =
      parser_.feed_chunked(bytes, body_, std::numeric_limits<std::size_t>::max());
  if (parser_.refused()) return std::unexpected(bad_answer(parser_.refusal().message));
  body_done_ = parser_.complete();
  surplus_ = taken < bytes.size();
  return {};
}

base::Status ResponseReader::end_of_data() {
  if (body_done_) return {};
  if (head_done_ && facts_.body == BodyKind::UntilClose) {
    body_done_ = true;
    return {};
  }
  return base::fail(base::Code::Unavailable, head_done_
                                                 ? "the server closed in the middle of its answer"
                                                 : "the server closed without an answer");
}

}  // namespace fh::net
