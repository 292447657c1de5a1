// See web_client.h.

#include "net/web_client.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>

#include "base/os/fd.h"
#include "net/blocking_client.h"
#include "net/client_wire_impl.h"
#include "net/text.h"
#include "net/tls_session_impl.h"

namespace fh::net {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint16_t kHttpsPort = 443;
constexpr std::uint16_t kHttpPort = 80;

base::Error bad_url(std::string what) {
  return base::Error{base::Code::InvalidArgument,
                     "the base URL " + std::move(what),
                     "like https://api.example.com, or http://127.0.0.1:8080 for this machine",
                     "base_url",
                     {}};
}

bool is_host_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

// Splits "host:port", "host", "[::1]:port".
bool read_authority(std::string_view authority, HostPort& into) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return false;
    into.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (into.host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string::npos) return false;
  } else {
    const std::size_t colon = authority.find(':');
    into.host = authority.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view() : authority.substr(colon);
    if (!std::all_of(into.host.begin(), into.host.end(), is_host_byte)) return false;
  }
  if (into.host.empty()) return false;
  if (port.empty()) return true;
  if (!port.starts_with(':')) return false;
  port.remove_prefix(1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), into.port);
  return error == std::errc() && end == port.data() + port.size() && into.port != 0;
}

// The socket of one exchange over TLS; every wait ends at the deadline.
class TlsWire {
 public:
  TlsWire(int fd, TlsSession session, SteadyClock::time_point deadline)
      : fd_(fd), session_(std::move(session)), deadline_(deadline) {}

  base::Status handshake() {
    while (true) {
      const base::Result<bool> done = session_.step();
      // What is to be sent is also the alert that tells the peer why we leave.
      const base::Status sent = flush();
      if (!done) return std::unexpected(done.error());
      FH_TRY_VOID(sent);
      if (*done) return {};
      FH_TRY(const bool more, receive());
      if (!more) {
        return base::fail(base::Code::Unavailable, "the server closed during the TLS handshake");
      }
    }
  }

  base::Status write(std::string_view bytes) {
    FH_TRY_VOID(session_.write(bytes));
    return flush();
  }

  // Waits for bytes unless some are there; true at the peer's own end of data.
  base::Result<bool> read(std::string& into) {
    while (true) {
      FH_TRY(const bool ended, session_.read(into));
      FH_TRY_VOID(flush());  // answers of TLS itself
      if (ended) return true;
      if (!into.empty()) return false;
      FH_TRY(const bool more, receive());
      if (!more) return base::fail(base::Code::Unavailable, "the connection was cut");
    }
  }

 private:
  base::Status wait(short events) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - SteadyClock::now());
    const auto timeout = std::clamp<std::int64_t>(left.count(), 0, std::numeric_limits<int>::max());
    pollfd entry{fd_.get(), events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(timeout));
    if (ready > 0 || (ready < 0 && errno == EINTR)) return {};
    return base::fail(base::Code::DeadlineExceeded, "the server did not answer in time");
  }

  base::Status flush() {
    const std::string bytes = session_.give();
    std::string_view left = bytes;
    while (!left.empty()) {
      const ssize_t n = ::send(fd_.get(), left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) {
        left.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno == EAGAIN) {
        FH_TRY_VOID(wait(POLLOUT));
      } else if (errno != EINTR) {
        return lost("send");
      }
    }
    return {};
  }

  // False: the peer closed the connection.
  base::Result<bool> receive() {
    while (true) {
      FH_TRY_VOID(wait(POLLIN));
      const ssize_t n = ::recv(fd_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (n == 0) return false;
      if (n > 0) {
        FH_TRY_VOID(session_.take({buffer_.data(), static_cast<std::size_t>(n)}));
        return true;
      }
      if (errno != EAGAIN && errno != EINTR) return std::unexpected(lost("recv").error());
    }
  }

  static base::Status lost(std::string_view call) {
    return base::fail(base::Code::Unavailable, "the connection was lost",
                      base::error_from_errno(call, errno).message);
  }

  base::os::Fd fd_;
  TlsSession session_;
  SteadyClock::time_point deadline_;
  std::array<char, 16 * 1024> buffer_{};
};

ParserLimits parser_limits(const ClientLimits& limits) {
  ParserLimits out;
  out.head_bytes_max = limits.head_bytes_max;
  out.header_fields_max = limits.header_fields_max;
  return out;
}

base::Result<HttpResponse> read_response(TlsWire& wire, const std::string& method,
                                         const ClientLimits& limits) {
  ResponseReader reader(parser_limits(limits), method);
  while (!reader.body_done()) {
    std::string plain;
    FH_TRY(const bool ended, wire.read(plain));
    FH_TRY_VOID(reader.feed(plain));
    if (ended) FH_TRY_VOID(reader.end_of_data());
    if (reader.body_waiting() > limits.body_bytes_max) {
      return base::fail(base::Code::ResourceExhausted, "the server's answer is too large");
    }
  }
  HttpResponse response;
  response.status = reader.head().status;
  response.headers = reader.head().fields;
  response.body = reader.take_body();
  return response;
}

}  // namespace

std::string WebOrigin::text() const {
  std::string out = tls ? "https://" : "http://";
  const bool v6 = server.host.find(':') != std::string::npos;
  out += v6 ? "[" + server.host + "]" : server.host;
  if (server.port != (tls ? kHttpsPort : kHttpPort)) out += ":" + std::to_string(server.port);
  return out + path_prefix;
}

base::Result<WebOrigin> parse_base_url(std::string_view url) {
  WebOrigin origin;
  if (url.starts_with("https://")) {
    url.remove_prefix(8);
  } else if (url.starts_with("http://")) {
    origin.tls = false;
    url.remove_prefix(7);
  } else {
    return std::unexpected(bad_url("must begin with https://"));
  }
  origin.server.port = origin.tls ? kHttpsPort : kHttpPort;
  const std::size_t slash = url.find('/');
  const std::string_view authority = url.substr(0, slash);
  std::string_view path = slash == std::string_view::npos ? std::string_view() : url.substr(slash);
  if (authority.find('@') != std::string_view::npos) {
    return std::unexpected(bad_url("must not hold a user or password"));
  }
  if (!read_authority(authority, origin.server)) {
    return std::unexpected(bad_url("has no valid host and port"));
  }
  while (path.ends_with('/')) path.remove_suffix(1);
  const bool plain_path = std::all_of(path.begin(), path.end(), [](char c) {
    return c > 0x20 && c < 0x7f && c != '?' && c != '#';
  });
  if (!plain_path) return std::unexpected(bad_url("must end with its path"));
  origin.path_prefix = path;
  if (!origin.tls && !Dialer().allows(origin.server)) {
    return std::unexpected(
        bad_url("must begin with https://: plain http is for this machine only"));
  }
  return origin;
}

struct WebClient::Impl {
  Dialer dialer;
  WebOrigin origin;
  ClientLimits limits;
  std::optional<TlsTrust> trust;
};

WebClient::WebClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebClient::~WebClient() = default;
WebClient::WebClient(WebClient&&) noexcept = default;
WebClient& WebClient::operator=(WebClient&&) noexcept = default;

base::Result<WebClient> WebClient::open(Dialer dialer, WebOrigin origin, const Options& options) {
  auto impl = std::make_unique<Impl>();
  impl->dialer = std::move(dialer);
  impl->origin = std::move(origin);
  impl->limits = options.limits;
  if (impl->origin.tls) {
    FH_TRY(impl->trust, TlsTrust::load(options.ca_file));
  }
  return WebClient(std::move(impl));
}

base::Result<HttpResponse> WebClient::request(ClientRequest request,
                                              std::int64_t timeout_ms) const {
  request.target = impl_->origin.path_prefix + request.target;
  const HostPort& server = impl_->origin.server;
  if (!impl_->origin.tls) {
    return BlockingClient(impl_->dialer, server, impl_->limits).request(request, timeout_ms);
  }
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
  FH_TRY(std::string head, format_request_head(request, server, kHttpsPort));
  // One request per connection.
  head.insert(head.size() - 2, "connection: close\r\n");
  FH_TRY(TlsSession session, TlsSession::open(*impl_->trust, server.host));
  FH_TRY(const int fd, impl_->dialer.connect_blocking(server, timeout_ms));
  TlsWire wire(fd, std::move(session), deadline);
  FH_TRY_VOID(wire.handshake());
  const base::Status sent = wire.write(head + request.body);
  base::Result<HttpResponse> response = read_response(wire, request.method, impl_->limits);
  // If sending failed, the server may still have said why; if it did not, the first failure is the
  // one to report.
  if (!response && !sent) return std::unexpected(sent.error());
  return response;
}

}  // namespace fh::net
