#pragma once
// HTTP as the handlers see it: a whole request in, a ResponseWriter out. Our types only; the
// sockets are behind server.h and client.h, the in-memory implementation of the simulation is
// memory.h.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/task.h"

namespace fh::net {

struct Header {
  std::string name;  // as received; compare without case
  std::string value;
};

struct Peer {
  std::string address;  // "127.0.0.1"
  std::uint16_t port = 0;
  bool loopback = false;
  // Owner of the client's socket when it is on this machine and the route asked for it
  // (RoutePolicy::wants_peer_uid), else -1.
  std::int64_t uid = -1;
};

struct HttpRequest {
  std::string method;  // upper case
  std::string target;  // as received
  std::string path;    // percent-decoded, without query; always begins with '/'
  std::string query;   // without '?', still encoded
  std::vector<Header> headers;
  std::string body;  // content-encoding already undone
  Peer peer;

  // First field of that name (any case), or empty.
  std::string_view header(std::string_view name) const;
  bool has_header(std::string_view name) const;
  // Decoded value of a query key, or empty.
  std::string query_value(std::string_view key) const;
};

struct HttpResponse {
  int status = 200;
  std::vector<Header> headers;  // content-length, date, connection are added by the server
  std::string body;
};

// Answers one request. Exactly one of send() or begin()..finish(). All on the connection's loop
// thread. Errors mean that the peer is gone or the write deadline passed; the handler goes on to
// settle what it started.
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;
  virtual Task<base::Status> send(HttpResponse response) = 0;
  // Streaming: status line and headers leave at once (chunked); each write is flushed.
  virtual Task<base::Status> begin(int status, std::vector<Header> headers) = 0;
  virtual Task<base::Status> write(std::string chunk) = 0;
  virtual Task<base::Status> finish() = 0;
  // The connection ends after this answer; before send() or finish().
  virtual void close_after() = 0;
  // Break the connection instead of ending the stream properly.
  virtual void abort() = 0;
  virtual bool peer_gone() const = 0;
  // fn runs once, on the loop thread, when the peer closes or resets while the request is being
  // answered; at once if it already did. Pass {} to remove it.
  virtual void on_peer_gone(std::function<void()> fn) = 0;
};

using Handler = std::function<Task<void>(HttpRequest, ResponseWriter&)>;

// What a request with this method and path may carry; asked once the head is parsed, before the
// body is read.
struct RoutePolicy {
  std::size_t body_bytes_max = 0;            // 0: no body allowed
  std::int64_t request_timeout_ms = 60'000;  // head and body must have arrived by then
  // Fill Peer::uid for loopback clients. Reads the kernel's whole socket table (base/os/peer.h),
  // once per connection: only for routes that decide by it.
  bool wants_peer_uid = false;
};
using RoutePolicyFn = std::function<RoutePolicy(std::string_view method, std::string_view path)>;
// The body of an error that the net layer answers by itself (400, 413, 431, ...) for this path, in
// that surface's shape.
using ErrorBodyFn =
    std::function<HttpResponse(int status, std::string_view path, std::string_view message)>;

}  // namespace fh::net
