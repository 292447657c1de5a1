// The accepting half of the server: listening sockets, connection caps, draining. One connection's
// life is in connection.cc, bodies in connection_body.cc, answers in response.cc.

#include "net/server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "base/log.h"
#include "net/address_impl.h"
#include "net/connection_impl.h"

namespace fh::net {
namespace {

constexpr auto kAcceptPause = std::chrono::milliseconds(50);
constexpr auto kWarningEvery = std::chrono::seconds(10);

// Of the listening socket itself. Other errors are those of one connection, which the network or a
// filter took back, or a lack that passes: the next accept may work.
bool is_final(int error) {
  return error == EBADF || error == EINVAL || error == ENOTSOCK || error == EOPNOTSUPP ||
         error == EFAULT;
}

void make_non_blocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0) ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

}  // namespace

Server::Server(Runtime& runtime, std::vector<int> listen_fds, ServerOptions options)
    : impl_(std::make_shared<Impl>(runtime, std::move(options))) {
  for (const int fd : listen_fds) {
    make_non_blocking(fd);
    impl_->listeners.push_back(std::make_shared<Stream>(runtime, fd));
  }
  for (const auto& listener : impl_->listeners) {
    runtime.spawn(impl_->accept_loop(impl_, listener));
  }
}

Server::~Server() {
  impl_->runtime.post([impl = impl_] {
    impl->stop_accepting();
    impl->close_all();
  });
}

void Server::drain() {
  impl_->runtime.post([impl = impl_] {
    impl->stop_accepting();
    impl->close_idle();
  });
}

std::size_t Server::connections() const {
  return impl_->connections.load();
}
std::size_t Server::requests_in_flight() const {
  return impl_->in_flight.load();
}

Task<void> Server::Impl::accept_loop(std::shared_ptr<Impl> self, std::shared_ptr<Stream> listener) {
  while (listener->is_open()) {
    SocketAddress address;
    address.length = sizeof(address.storage);
    const int fd = ::accept4(listener->fd(), reinterpret_cast<sockaddr*>(&address.storage),
                             &address.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      Peer peer;
      peer.address = address.host();
      peer.port = address.port();
      peer.loopback = address.loopback();
      admit(self, fd, std::move(peer));
      continue;
    }
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) {
      co_await listener->wait_readable(base::TimePoint::max());
    } else if (is_final(error)) {
      base::log_error("a listening socket failed",
                      {{"error", base::error_from_errno("accept", error).message}});
      co_return;
    } else if (error != EINTR && error != ECONNABORTED && error != EPROTO) {
      if (warning_due()) {
        base::log_warn("cannot accept a connection",
                       {{"error", base::error_from_errno("accept", error).message}});
      }
      co_await runtime.sleep_until(runtime.clock().now() + kAcceptPause);
    }
  }
}

bool Server::Impl::warning_due() {
  const base::TimePoint now = runtime.clock().now();
  if (last_warning != base::TimePoint{} && now - last_warning <= kWarningEvery) return false;
  last_warning = now;
  return true;
}

void Server::Impl::admit(const std::shared_ptr<Impl>& self, int fd, Peer peer) {
  const std::size_t from_address = per_address[peer.address];
  const ServerLimits& limits = options.limits;
  if (open.size() >= limits.connections_max || from_address >= limits.connections_per_address_max) {
    if (from_address == 0) per_address.erase(peer.address);
    if (warning_due()) {
      base::log_warn("connection refused: too many are open",
                     {{"peer", peer.address}, {"open", std::to_string(open.size())}});
    }
    turn_away(fd);
    return;
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  runtime.spawn(Connection::run(std::make_shared<Connection>(self, fd, std::move(peer))));
}

// No coroutine for those: one attempt to say why, then closed.
void Server::Impl::turn_away(int fd) {
  const HttpResponse response = error_response(503, "/", "too many connections are open");
  std::string text = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n";
  for (const Header& field : response.headers) text += field.name + ": " + field.value + "\r\n";
  text += "content-length: " + std::to_string(response.body.size()) + "\r\n\r\n" + response.body;
  std::array<iovec, 1> parts = {iovec{text.data(), text.size()}};
  std::span<iovec> rest(parts);
  Stream::try_write(fd, rest);
  ::shutdown(fd, SHUT_WR);
  // What already arrived is read, or the close would become a reset that overtakes the answer.
  std::array<char, 16 * 1024> discard{};
  const ssize_t ignored = ::recv(fd, discard.data(), discard.size(), MSG_DONTWAIT);
  static_cast<void>(ignored);
  ::close(fd);
}

void Server::Impl::stop_accepting() {
  draining = true;
  for (const auto& listener : listeners) listener->close();
  listeners.clear();
}

void Server::Impl::close_idle() {
  for (Connection* connection : open) {
    if (connection->idle()) connection->close();
  }
}

void Server::Impl::close_all() {
  for (Connection* connection : open) connection->close();
}

HttpResponse Server::Impl::error_response(int status, std::string_view path,
                                          std::string_view message) const {
  if (options.error_body) return options.error_body(status, path, message);
  HttpResponse response;
  response.status = status;
  response.headers = {{"content-type", "text/plain; charset=utf-8"}};
  response.body = std::string(message) + "\n";
  return response;
}

}  // namespace fh::net
