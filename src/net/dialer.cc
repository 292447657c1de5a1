// See dialer.h. Numeric addresses and "localhost" never touch a resolver.

#include "net/dialer.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

#include "net/address_impl.h"
#include "net/stream_impl.h"
#include "net/text.h"

namespace fh::net {
namespace {

using boost::asio::ip::tcp;

std::string name_of(const HostPort& target) {
  return target.host + ":" + std::to_string(target.port);
}

std::vector<SocketAddress> known_addresses(const HostPort& target) {
  std::vector<SocketAddress> out;
  if (equal_ignoring_case(target.host, "localhost")) {
    for (const char* host : {"127.0.0.1", "::1"}) {
      out.push_back(*numeric_address(host, target.port));
    }
  } else if (const auto address = numeric_address(target.host, target.port)) {
    out.push_back(*address);
  }
  return out;
}

bool is_loopback(const HostPort& target) {
  const auto addresses = known_addresses(target);
  return !addresses.empty() && std::all_of(addresses.begin(), addresses.end(),
                                           [](const SocketAddress& a) { return a.loopback(); });
}

base::Error unreachable(const HostPort& target, int error) {
  const std::string reason = error == ECONNREFUSED
                                 ? "nothing listens there"
                                 : base::error_from_errno("connect", error).message;
  return base::Error{base::Code::Unavailable, "cannot reach " + name_of(target), reason, {}, {}};
}

base::Error too_slow(const HostPort& target) {
  return base::Error{
      base::Code::DeadlineExceeded, name_of(target) + " did not answer in time", {}, {}, {}};
}

struct Attempt {
  int fd = -1;
  int error = 0;
  bool connected = false;
};

// Starts connecting; fd stays -1 on an immediate failure.
Attempt start(const SocketAddress& address) {
  Attempt attempt;
  attempt.fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (attempt.fd < 0) return {-1, errno, false};
  const int on = 1;
  ::setsockopt(attempt.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (::connect(attempt.fd, address.get(), address.length) == 0) {
    attempt.connected = true;
  } else if (errno != EINPROGRESS) {
    attempt.error = errno;
    ::close(attempt.fd);
    attempt.fd = -1;
  }
  return attempt;
}

int connect_error(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

std::vector<SocketAddress> resolve_blocking(const HostPort& target) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  std::vector<SocketAddress> out;
  if (::getaddrinfo(target.host.c_str(), std::to_string(target.port).c_str(), &hints, &list) != 0) {
    return out;
  }
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.length = entry->ai_addrlen;
    out.push_back(address);
  }
  ::freeaddrinfo(list);
  return out;
}

Task<std::vector<SocketAddress>> resolve(Runtime& runtime, HostPort target,
                                         base::TimePoint deadline) {
  const auto resolver = std::make_shared<tcp::resolver>(runtime.impl().io);
  const auto timer = runtime.call_at(deadline, [resolver] { resolver->cancel(); });
  const auto [error, results] = co_await resolver->async_resolve(
      target.host, std::to_string(target.port), boost::asio::as_tuple(boost::asio::use_awaitable));
  runtime.cancel_timer(timer);
  std::vector<SocketAddress> out;
  for (const auto& entry : results) {
    SocketAddress address;
    std::memcpy(&address.storage, entry.endpoint().data(), entry.endpoint().size());
    address.length = static_cast<socklen_t>(entry.endpoint().size());
    out.push_back(address);
  }
  co_return out;
}

base::Error unknown_host(const HostPort& target) {
  return base::Error{
      base::Code::Unavailable, "the host name '" + target.host + "' is not known", {}, {}, {}};
}

}  // namespace

bool Dialer::allows(const HostPort& target) const {
  if (is_loopback(target)) return true;
  return std::any_of(allowed_.begin(), allowed_.end(), [&target](const HostPort& entry) {
    return equal_ignoring_case(entry.host, target.host) &&
           (entry.port == 0 || entry.port == target.port);
  });
}

base::Status Dialer::check(const HostPort& target) const {
  if (allows(target)) return {};
  return base::fail(base::Code::PermissionDenied,
                    "connections to " + name_of(target) + " are not allowed",
                    "add it to the configuration if this program may reach it");
}

Task<base::Result<int>> Dialer::connect(Runtime& runtime, HostPort target,
                                        base::TimePoint deadline) const {
  FH_CO_TRY_VOID(check(target));
  auto addresses = known_addresses(target);
  if (addresses.empty()) addresses = co_await resolve(runtime, target, deadline);
  if (addresses.empty()) co_return std::unexpected(unknown_host(target));
  int last_error = ECONNREFUSED;
  for (const SocketAddress& address : addresses) {
    if (runtime.clock().now() >= deadline) co_return std::unexpected(too_slow(target));
    const Attempt attempt = start(address);
    if (attempt.fd < 0) {
      last_error = attempt.error;
      continue;
    }
    if (attempt.connected) co_return attempt.fd;
    const auto stream = std::make_shared<Stream>(runtime, attempt.fd);
    const auto ready = co_await stream->wait_writable(deadline);
    if (!ready && ready.error().code == base::Code::DeadlineExceeded) {
      co_return std::unexpected(too_slow(target));
    }
    last_error = connect_error(attempt.fd);
    if (last_error == 0) co_return stream->release();
  }
  co_return std::unexpected(unreachable(target, last_error));
}

base::Result<int> Dialer::connect_blocking(const HostPort& target, std::int64_t timeout_ms) const {
  FH_TRY_VOID(check(target));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  auto addresses = known_addresses(target);
  if (addresses.empty()) addresses = resolve_blocking(target);
  if (addresses.empty()) return std::unexpected(unknown_host(target));
  int last_error = ECONNREFUSED;
  for (const SocketAddress& address : addresses) {
    const Attempt attempt = start(address);
    if (attempt.fd < 0) {
      last_error = attempt.error;
      continue;
    }
    if (attempt.connected) return attempt.fd;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd entry{attempt.fd, POLLOUT, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    last_error = ready > 0 ? connect_error(attempt.fd) : ETIMEDOUT;
    if (last_error == 0) return attempt.fd;
    ::close(attempt.fd);
    if (ready == 0) return std::unexpected(too_slow(target));
  }
  return std::unexpected(unreachable(target, last_error));
}

}  // namespace fh::net
