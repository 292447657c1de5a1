// See listener.h.

#include "net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address_impl.h"

namespace fh::net {
namespace {

base::Error bind_error(const std::string& host, std::uint16_t port, int error) {
  const std::string where = host + ":" + std::to_string(port);
  if (error == EADDRINUSE) {
    return base::Error{base::Code::FailedPrecondition,
                       "cannot listen on " + where + ": the port is in use",
                       "stop the program that uses it, or choose another port",
                       {},
                       {}};
  }
  if (error == EACCES || error == EPERM) {
    return base::Error{base::Code::PermissionDenied,
                       "cannot listen on " + where + ": not allowed",
                       "ports below 1024 need a privilege; choose a higher one",
                       {},
                       {}};
  }
  if (error == EADDRNOTAVAIL) {
    return base::Error{base::Code::FailedPrecondition,
                       "cannot listen on " + where + ": this machine does not have that address",
                       "use 127.0.0.1, 0.0.0.0 or an address of this machine",
                       {},
                       {}};
  }
  return base::error_from_errno("cannot listen on " + where, error);
}

}  // namespace

base::Result<int> open_listener(const std::string& host, std::uint16_t port, int backlog) {
  const auto address = numeric_address(host == "localhost" ? "127.0.0.1" : host, port);
  if (!address) {
    return base::fail(base::Code::InvalidArgument, "cannot listen on '" + host + "'",
                      "give a numeric address such as 127.0.0.1 or 0.0.0.0");
  }
  const int fd = ::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::unexpected(bind_error(host, port, errno));
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(fd, address->get(), address->length) != 0 || ::listen(fd, backlog) != 0) {
    const int error = errno;
    ::close(fd);
    return std::unexpected(bind_error(host, port, error));
  }
  return fd;
}

base::Result<std::uint16_t> listener_port(int fd) {
  SocketAddress address;
  address.length = sizeof(address.storage);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0) {
    return std::unexpected(base::error_from_errno("getsockname", errno));
  }
  return address.port();
}

}  // namespace fh::net
