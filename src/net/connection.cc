// One connection's life: head, policy, body, handler, answer, and again. Pipelining has depth 1:
// bytes behind the current request stay where they are until it is answered. Whatever is ambiguous
// is refused, and a refusal ends the connection; the parser never looks for the next message in a
// stream that it could not follow.

#include <chrono>
#include <exception>
#include <utility>

#include "base/check.h"
#include "base/os/peer.h"
#include "net/address_impl.h"
#include "net/connection_impl.h"
#include "net/text.h"

namespace fh::net {
namespace {

std::chrono::milliseconds ms(std::int64_t count) {
  return std::chrono::milliseconds(count);
}

// Counts a request while it is being answered, also when its coroutine is destroyed.
class InFlight {
 public:
  explicit InFlight(std::atomic<std::size_t>& counter) : counter_(counter) { ++counter_; }
  ~InFlight() { --counter_; }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  std::atomic<std::size_t>& counter_;
};

// A refused head has no trustworthy path; this one only picks the shape of the error.
std::string path_for_error(std::string_view target) {
  const std::size_t end = std::min(target.find_first_of("?#"), target.size());
  if (target.empty() || target.front() != '/') return "/";
  return std::string(target.substr(0, end));
}

std::string exception_text(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown exception";
  }
}

ParserLimits parser_limits(const ServerLimits& limits) {
  ParserLimits out;
  out.head_bytes_max = limits.head_bytes_max;
  out.header_fields_max = limits.header_fields_max;
  return out;
}

}  // namespace

Connection::Connection(std::shared_ptr<Server::Impl> server, int fd, Peer peer)
    : server_(std::move(server)),
      stream_(std::make_shared<Stream>(server_->runtime, fd)),
      peer_(std::move(peer)),
      parser_(MessageParser::Kind::Request, parser_limits(server_->options.limits)) {
  server_->open.insert(this);
  ++server_->per_address[peer_.address];
  ++server_->connections;
}

Connection::~Connection() {
  stream_->close();
  server_->open.erase(this);
  const auto it = server_->per_address.find(peer_.address);
  if (it != server_->per_address.end() && --it->second == 0) server_->per_address.erase(it);
  --server_->connections;
}

Task<void> Connection::run(std::shared_ptr<Connection> self) {
  Next next = Next::Again;
  while (next == Next::Again) next = co_await self->serve_one();
  if (next == Next::Close) co_await self->linger();
}

Connection::Arrival Connection::refused(int status, std::string_view message) {
  refusal_ = Refusal{status, message};
  return Arrival::Refused;
}

Task<Connection::Next> Connection::serve_one() {
  const Arrival arrival = co_await read_head();
  if (arrival == Arrival::Gone) co_return Next::Drop;
  const InFlight in_flight(server_->in_flight);
  if (arrival == Arrival::Refused) co_return co_await refuse(refusal_, parser_.head().target);
  auto facts = check_head(parser_.head());
  if (!facts) co_return co_await refuse(facts.error(), parser_.head().target);
  co_return co_await answer(std::move(*facts));
}

Task<Connection::Arrival> Connection::read_head() {
  const ServerLimits& limits = server_->options.limits;
  parser_.reset();
  idle_ = carry_.empty();
  arrived_ = server_->runtime.clock().now();
  // A new connection gets the head timeout at once: it exists because somebody wants something.
  const std::int64_t idle_ms = first_ ? limits.head_timeout_ms : limits.keep_alive_ms;
  deadline_ = arrived_ + ms(idle_ ? idle_ms : limits.head_timeout_ms);
  first_ = false;
  for (;;) {
    std::string_view bytes;
    const std::string carried = std::exchange(carry_, {});
    if (!carried.empty()) {
      bytes = carried;
    } else {
      const ssize_t n = stream_->try_read(server_->scratch);
      if (n == -EAGAIN) {
        const Arrival waited = co_await wait_for_more(deadline_, idle_);
        if (waited != Arrival::Complete) co_return waited;
        continue;
      }
      if (n <= 0) co_return Arrival::Gone;
      bytes = std::string_view(server_->scratch.data(), static_cast<std::size_t>(n));
    }
    if (idle_) {
      idle_ = false;
      arrived_ = server_->runtime.clock().now();
      deadline_ = arrived_ + ms(limits.head_timeout_ms);
    }
    const std::size_t taken = parser_.feed_head(bytes);
    if (parser_.refused()) {
      refusal_ = parser_.refusal();
      co_return Arrival::Refused;
    }
    carry_ = bytes.substr(taken);
    if (parser_.head_complete()) co_return Arrival::Complete;
  }
}

// Complete: try again. `silent_timeout`: nothing was begun, so there is nobody to tell.
Task<Connection::Arrival> Connection::wait_for_more(base::TimePoint deadline, bool silent_timeout) {
  const auto ready = co_await stream_->wait_readable(deadline);
  if (ready) co_return Arrival::Complete;
  if (ready.error().code == base::Code::DeadlineExceeded && !silent_timeout) {
    co_return refused(408, "the request did not arrive in time");
  }
  co_return Arrival::Gone;
}

Task<Connection::Next> Connection::answer(HeadFacts facts) {
  RawHead& head = parser_.head();
  const bool http_1_0 = head.version_minor == 0;
  HttpRequest request;
  request.method = std::move(head.method);
  request.target = std::move(head.target);
  request.headers = std::move(head.fields);
  request.path = std::move(facts.path);
  request.query = std::move(facts.query);
  RoutePolicy policy;
  if (server_->options.route_policy) {
    policy = server_->options.route_policy(request.method, request.path);
  }
  if (policy.wants_peer_uid) find_peer_uid();
  request.peer = peer_;
  deadline_ = arrived_ + ms(policy.request_timeout_ms);
  if (!check_body(request, facts, policy)) co_return co_await refuse(refusal_, request.target);
  if (facts.expect_continue && carry_.empty()) co_await send_continue();
  const Arrival arrival = co_await read_body(facts, policy.body_bytes_max, request.body);
  if (arrival == Arrival::Gone) co_return Next::Drop;
  if (arrival == Arrival::Refused || !decode_body(request, policy.body_bytes_max)) {
    co_return co_await refuse(refusal_, request.target);
  }
  strip_identity_fields(request.headers);
  co_return co_await call_handler(std::move(request), facts, http_1_0);
}

void Connection::find_peer_uid() {
  if (!peer_.loopback || std::exchange(uid_known_, true)) return;
  SocketAddress local;
  local.length = sizeof(local.storage);
  if (::getsockname(stream_->fd(), reinterpret_cast<sockaddr*>(&local.storage), &local.length) !=
      0) {
    return;
  }
  peer_.uid =
      base::os::uid_of_loopback_peer({local.host(), local.port()}, {peer_.address, peer_.port});
}

Task<Connection::Next> Connection::call_handler(HttpRequest request, const HeadFacts& facts,
                                                bool http_1_0) {
  SocketResponse response({.stream = stream_,
                           .date = server_->date,
                           .draining = server_->draining,
                           .write_timeout_ms = server_->options.limits.write_timeout_ms,
                           .head_request = request.method == "HEAD",
                           .http_1_0 = http_1_0,
                           .keep_alive = facts.keep_alive});
  const std::string path = request.path;
  std::exception_ptr thrown;
  try {
    co_await server_->options.handler(std::move(request), response);
  } catch (...) {
    thrown = std::current_exception();
  }
  response.on_peer_gone({});
  if (thrown) {
    FH_BUG("a request handler threw: " + exception_text(thrown));
  } else if (!response.finished() && !response.peer_gone()) {
    FH_BUG("a request handler returned without finishing its answer");
  }
  if (!response.answered() && !response.peer_gone()) {
    HttpResponse failure = server_->error_response(500, path, "internal error");
    failure.status = 500;
    co_await response.send(std::move(failure));
  } else if (!response.finished()) {
    response.abort();
  }
  if (response.broken()) co_return Next::Drop;
  co_return response.keep_alive() ? Next::Again : Next::Close;
}

Task<Connection::Next> Connection::refuse(Refusal refusal, std::string target) {
  SocketResponse response({.stream = stream_,
                           .date = server_->date,
                           .draining = server_->draining,
                           .write_timeout_ms = server_->options.limits.write_timeout_ms});
  HttpResponse body =
      server_->error_response(refusal.status, path_for_error(target), refusal.message);
  body.status = refusal.status;
  const auto sent = co_await response.send(std::move(body));
  co_return sent ? Next::Close : Next::Drop;
}

Task<void> Connection::send_continue() {
  std::string line = "HTTP/1.1 100 Continue\r\n\r\n";
  std::array<iovec, 1> parts = {iovec{line.data(), line.size()}};
  // A failure shows up when the body is read.
  const auto ignored = co_await stream_->write_all(parts, server_->options.limits.write_timeout_ms);
  static_cast<void>(ignored);
}

// A close with unread data in the socket would send a reset that can overtake the answer.
Task<void> Connection::linger() {
  const ServerLimits& limits = server_->options.limits;
  stream_->shutdown_send();
  const base::TimePoint deadline = server_->runtime.clock().now() + ms(limits.linger_ms);
  std::size_t discarded = 0;
  while (discarded <= limits.linger_bytes_max) {
    const ssize_t n = stream_->try_read(server_->scratch);
    if (n == -EAGAIN) {
      if (!co_await stream_->wait_readable(deadline)) co_return;
      continue;
    }
    if (n <= 0 || server_->runtime.clock().now() >= deadline) co_return;
    discarded += static_cast<std::size_t>(n);
  }
}

}  // namespace fh::net
