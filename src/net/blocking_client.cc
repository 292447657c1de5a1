// See blocking_client.h.

#include "net/blocking_client.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>

#include "net/client_wire_impl.h"
#include "net/stream_impl.h"

namespace fh::net {
namespace {

using SteadyClock = std::chrono::steady_clock;

// One socket with a deadline that each call may set anew.
class Wire {
 public:
  explicit Wire(int fd) : fd_(fd) {}
  ~Wire() { ::close(fd_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  base::Status wait(short events, SteadyClock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
    const auto timeout = std::clamp<std::int64_t>(left.count(), 0, std::numeric_limits<int>::max());
    pollfd entry{fd_, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(timeout));
    if (ready > 0 || (ready < 0 && errno == EINTR)) return {};
    return base::fail(base::Code::DeadlineExceeded, "the server did not answer in time");
  }

  base::Status write(std::span<iovec> parts, SteadyClock::time_point deadline) {
    while (!parts.empty()) {
      const ssize_t n = Stream::try_write(fd_, parts);
      if (n == -EAGAIN) {
        FH_TRY_VOID(wait(POLLOUT, deadline));
      } else if (n < 0) {
        return std::unexpected(base::error_from_errno("send", static_cast<int>(-n)));
      }
    }
    return {};
  }

  // Feeds one portion.
  base::Status receive(ResponseReader& reader, SteadyClock::time_point deadline) {
    FH_TRY_VOID(wait(POLLIN, deadline));
    const ssize_t n = ::recv(fd_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (n > 0) return reader.feed(std::string_view(buffer_.data(), static_cast<std::size_t>(n)));
    if (n == 0) return reader.end_of_data();
    if (errno == EAGAIN || errno == EINTR) return {};
    return base::fail(base::Code::Unavailable, "the connection was lost",
                      base::error_from_errno("recv", errno).message);
  }

 private:
  int fd_;
  std::array<char, 16 * 1024> buffer_{};
};

ParserLimits parser_limits(const ClientLimits& limits) {
  ParserLimits out;
  out.head_bytes_max = limits.head_bytes_max;
  out.header_fields_max = limits.header_fields_max;
  return out;
}

base::Status send_request(Wire& wire, const ClientRequest& request, const HostPort& server,
                          SteadyClock::time_point deadline) {
  ClientRequest closing = request;
  FH_TRY(std::string head, format_request_head(closing, server));
  // One request per connection.
  head.insert(head.size() - 2, "connection: close\r\n");
  std::array<iovec, 2> parts = {iovec{head.data(), head.size()},
                                iovec{closing.body.data(), closing.body.size()}};
  return wire.write(parts, deadline);
}

}  // namespace

BlockingClient::BlockingClient(const Dialer& dialer, HostPort server, ClientLimits limits)
    : dialer_(dialer), server_(std::move(server)), limits_(limits) {}

base::Result<HttpResponse> BlockingClient::request(const ClientRequest& request,
                                                   std::int64_t timeout_ms) const {
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
  FH_TRY(const int fd, dialer_.connect_blocking(server_, timeout_ms));
  Wire wire(fd);
  const base::Status sent = send_request(wire, request, server_, deadline);
  if (!sent && sent.error().code == base::Code::InvalidArgument) {
    return std::unexpected(sent.error());
  }
  ResponseReader reader(parser_limits(limits_), request.method);
  while (!reader.body_done()) {
    const base::Status received = wire.receive(reader, deadline);
    // If sending failed, the server may still have said why; if it did not, the first failure is
    // the one to report.
    if (!received) return std::unexpected(sent ? received.error() : sent.error());
    if (reader.body_waiting() > limits_.body_bytes_max) {
      return base::fail(base::Code::ResourceExhausted, "the server's answer is too large");
    }
  }
  HttpResponse response;
  response.status = reader.head().status;
  response.headers = reader.head().fields;
  response.body = reader.take_body();
  return response;
}

base::Result<int> BlockingClient::stream(const ClientRequest& request, std::int64_t silence_ms,
                                         const OnHead& on_head, const OnChunk& on_chunk) const {
  const auto silence = std::chrono::milliseconds(silence_ms);
  FH_TRY(const int fd, dialer_.connect_blocking(server_, silence_ms));
  Wire wire(fd);
  FH_TRY_VOID(send_request(wire, request, server_, SteadyClock::now() + silence));
  ResponseReader reader(parser_limits(limits_), request.method);
  bool head_given = false;
  for (;;) {
    if (reader.head_done() && !head_given) {
      head_given = true;
      if (on_head) on_head({reader.head().status, reader.head().fields});
    }
    if (reader.body_waiting() > 0 && !on_chunk(reader.take_body())) {
      return base::fail(base::Code::Cancelled, "stopped by the caller");
    }
    if (reader.body_done()) return reader.head().status;
    FH_TRY_VOID(wire.receive(reader, SteadyClock::now() + silence));
  }
}

}  // namespace fh::net
