// See address_impl.h. Structures are copied with memcpy: sockaddr pointers of different types may
// not alias.

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

#include "net/address_impl.h"

namespace fh::net {
namespace {

template <typename Native>
Native as(const sockaddr_storage& storage) {
  Native out{};
  std::memcpy(&out, &storage, sizeof(out));
  return out;
}

template <typename Native>
SocketAddress from(const Native& native) {
  SocketAddress out;
  std::memcpy(&out.storage, &native, sizeof(native));
  out.length = sizeof(native);
  return out;
}

std::string v4_text(const in_addr& address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &address, text.data(), text.size());
  return text.data();
}

// The IPv4 address inside ::ffff:a.b.c.d.
std::optional<in_addr> mapped_v4(const in6_addr& address) {
  constexpr std::size_t kPrefix = 12;
  static constexpr std::array<unsigned char, kPrefix> kMapped = {0, 0, 0, 0, 0,    0,
                                                                 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(&address, kMapped.data(), kPrefix) != 0) return std::nullopt;
  in_addr out{};
  std::memcpy(&out, reinterpret_cast<const unsigned char*>(&address) + kPrefix, sizeof(out));
  return out;
}

bool v4_loopback(const in_addr& address) {
  return (ntohl(address.s_addr) >> 24) == 127;
}

}  // namespace

const sockaddr* SocketAddress::get() const {
  return reinterpret_cast<const sockaddr*>(&storage);
}

bool SocketAddress::loopback() const {
  if (family() == AF_INET) return v4_loopback(as<sockaddr_in>(storage).sin_addr);
  if (family() != AF_INET6) return false;
  const in6_addr address = as<sockaddr_in6>(storage).sin6_addr;
  if (const auto v4 = mapped_v4(address)) return v4_loopback(*v4);
  return std::memcmp(&address, &in6addr_loopback, sizeof(address)) == 0;
}

std::string SocketAddress::host() const {
  if (family() == AF_INET) return v4_text(as<sockaddr_in>(storage).sin_addr);
  if (family() != AF_INET6) return {};
  const in6_addr address = as<sockaddr_in6>(storage).sin6_addr;
  if (const auto v4 = mapped_v4(address)) return v4_text(*v4);
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, &address, text.data(), text.size());
  return text.data();
}

std::uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(as<sockaddr_in>(storage).sin_port);
  if (family() == AF_INET6) return ntohs(as<sockaddr_in6>(storage).sin6_port);
  return 0;
}

std::optional<SocketAddress> numeric_address(const std::string& host, std::uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) return from(v4);
  std::string bare = host;
  if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']') {
    bare = bare.substr(1, bare.size() - 2);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (::inet_pton(AF_INET6, bare.c_str(), &v6.sin6_addr) == 1) return from(v6);
  return std::nullopt;
}

}  // namespace fh::net
