#pragma once
// Socket addresses as text and back. Not for other folders. Pure.

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

namespace fh::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const;
  int family() const { return storage.ss_family; }
  bool loopback() const;
  // An IPv4 address that arrived on an IPv6 socket is shown as the IPv4 address that it is.
  std::string host() const;
  std::uint16_t port() const;
};

// Takes "127.0.0.1", "::1" or "[::1]"; nullopt for anything else, names included.
std::optional<SocketAddress> numeric_address(const std::string& host, std::uint16_t port);

}  // namespace fh::net
