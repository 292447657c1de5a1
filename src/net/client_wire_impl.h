#pragma once
// What both clients share: the bytes of a request, and a response body from bytes. Sans I/O. Not
// for other folders.

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/client.h"
#include "net/message_parser_impl.h"

namespace fh::net {

// InvalidArgument: a field or target that would break the framing.
// The host field leaves out the port when it is `default_port`.
base::Result<std::string> format_request_head(const ClientRequest& request, const HostPort& server,
                                              std::uint16_t default_port = 0);

// Reads one response (interim ones are skipped): feed() bytes until head_done(), take_body() what
// has arrived, until body_done().
class ResponseReader {
 public:
  ResponseReader(const ParserLimits& limits, std::string request_method);

  // Takes all bytes. An error ends the connection.
  base::Status feed(std::string_view bytes);
  // The peer closed: an error if the response was not complete.
  base::Status end_of_data();

  bool head_done() const { return head_done_; }
  bool body_done() const { return body_done_; }
  bool started() const { return started_; }
  const RawHead& head() const { return head_; }
  std::string take_body() { return std::exchange(body_, {}); }
  std::size_t body_waiting() const { return body_.size(); }
  // The connection can carry another exchange.
  bool reusable() const { return body_done_ && facts_.keep_alive && !surplus_; }

 private:
  base::Status feed_head(std::string_view& bytes);
  base::Status feed_body(std::string_view bytes);

  MessageParser parser_;
  std::string request_method_;
  RawHead head_;
  HeadFacts facts_;
  std::string body_;
  std::uint64_t left_ = 0;
  bool started_ = false;
  bool head_done_ = false;
  bool body_done_ = false;
  bool surplus_ = false;
};

}  // namespace fh::net
