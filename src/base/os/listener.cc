// Listening sockets: see listener.h.

#include "base/os/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/os/peer.h"

namespace fh::base::os {
namespace {

// Linux caps it at net.core.somaxconn; large, because the queue holds clients through a gateway's
// restart.
constexpr int kBacklog = 4096;

struct Place {
  sockaddr_storage address{};
  socklen_t length = 0;
  std::uint16_t port = 0;
};

std::unexpected<Error> malformed(const std::string& where) {
  return fail(
      Code::InvalidArgument, fmt::format("`{}` is not an address to listen on", where),
      "write HOST:PORT; a host is a number or localhost, a port 0 to 65535: 127.0.0.1:8484, "
      "0.0.0.0:8484, [::1]:8484");
}

Result<Place> parse_place(const std::string& where) {
  const std::size_t colon = where.rfind(':');
  if (colon == std::string::npos) return malformed(where);
  std::string host = where.substr(0, colon);
  const std::string_view port_text = std::string_view(where).substr(colon + 1);
  Place place;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), place.port);
  if (error != std::errc() || end != port_text.data() + port_text.size()) return malformed(where);
  if (host == "localhost") host = "127.0.0.1";

  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(place.port);
    const std::string inner = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, inner.c_str(), &v6.sin6_addr) != 1) return malformed(where);
    std::memcpy(&place.address, &v6, sizeof v6);
    place.length = sizeof v6;
    return place;
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(place.port);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) return malformed(where);
  std::memcpy(&place.address, &v4, sizeof v4);
  place.length = sizeof v4;
  return place;
}

std::unexpected<Error> port_in_use(const std::string& where, std::uint16_t port) {
  const std::optional<PortOwner> owner = owner_of_listening_port(port);
  std::string holder = "another program";
  if (owner && owner->same_program) {
    holder = fmt::format("another Freehold (process {})", owner->pid);
  } else if (owner) {
    holder = fmt::format("another program ({}, process {})", owner->program, owner->pid);
  }
  return fail(Code::FailedPrecondition, fmt::format("{} is in use by {}", where, holder),
              "stop that one, or listen elsewhere: freehold up --listen 127.0.0.1:PORT");
}

std::string text_of(const sockaddr_storage& address) {
  char host[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
    return fmt::format("[{}]:{}", host, ntohs(v6.sin6_port));
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &address, sizeof v4);
  inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
  return fmt::format("{}:{}", host, ntohs(v4.sin_port));
}

}  // namespace

Status check_listen_address(const std::string& where) {
  FH_TRY_VOID(parse_place(where));
  return {};
}

Result<Listener> open_listener(const std::string& where) {
  FH_TRY(const Place place, parse_place(where));
  const int family = place.address.ss_family;
  Listener listener{Fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)), {}};
  const int fd = listener.fd.get();
  const auto failed = [&]() -> std::unexpected<Error> {
    if (errno == EADDRNOTAVAIL) {
      return fail(
          Code::FailedPrecondition,
          fmt::format("cannot listen on {}: no interface of this machine has that address", where),
          "127.0.0.1 is this machine alone, 0.0.0.0 all of its addresses");
    }
    if (errno == EACCES) {
      return fail(Code::PermissionDenied,
                  fmt::format("cannot listen on {}: this user may not take that port", where),
                  "ports below 1024 are the system's: choose a higher one with --listen");
    }
    return std::unexpected(error_from_errno(fmt::format("cannot listen on {}", where), errno));
  };
  if (fd < 0) return failed();
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return failed();
  // "[::]:8080" and "0.0.0.0:8080" may then both be given.
  if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) {
    return failed();
  }
  const auto* address = reinterpret_cast<const sockaddr*>(&place.address);
  if (bind(fd, address, place.length) != 0 || listen(fd, kBacklog) != 0) {
    if (errno == EADDRINUSE) return port_in_use(where, place.port);
    return failed();
  }
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return failed();
  listener.address = text_of(bound);
  return listener;
}

}  // namespace fh::base::os
