// Who is at the other end: our own client is found in both address families and in the mapped form,
// a closed one is not; the holder of a port is named.
#include "base/os/peer.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/os/listener.h"

namespace fh::base::os {
namespace {

Endpoint endpoint_of(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  return {host, static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1)))};
}

struct Connection {
  Fd client;
  Fd server;
  Endpoint local;  // as the server sees them
  Endpoint peer;
};

Connection connect_to(const Listener& listener) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  getsockname(listener.fd.get(), reinterpret_cast<sockaddr*>(&address), &length);
  Connection c;
  c.client = Fd(socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(c.client.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  c.server = Fd(accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  c.local = endpoint_of(listener.address);
  sockaddr_storage peer{};
  length = sizeof peer;
  getpeername(c.server.get(), reinterpret_cast<sockaddr*>(&peer), &length);
  in_port_t port = 0;
  std::memcpy(&port, reinterpret_cast<const char*>(&peer) + offsetof(sockaddr_in, sin_port),
              sizeof port);
  c.peer = {c.local.address, ntohs(port)};
  return c;
}

TEST(Peer, OurOwnClientIsFound) {
  for (const char* where : {"127.0.0.1:0", "[::1]:0"}) {
    const auto listener = open_listener(where);
    if (!listener && std::string(where).starts_with("[")) continue;  // a machine without IPv6
    const Connection c = connect_to(*listener);
    EXPECT_EQ(uid_of_loopback_peer(c.local, c.peer), static_cast<std::int64_t>(getuid())) << where;
  }
}

TEST(Peer, AMappedAddressIsTheSameAddress) {
  const Listener listener = open_listener("127.0.0.1:0").value();
  Connection c = connect_to(listener);
  c.local.address = "::ffff:127.0.0.1";
  c.peer.address = "::ffff:127.0.0.1";
  EXPECT_EQ(uid_of_loopback_peer(c.local, c.peer), static_cast<std::int64_t>(getuid()));
}

TEST(Peer, UnknownWhenNobodyHoldsTheClientSocket) {
  const Listener listener = open_listener("127.0.0.1:0").value();
  Connection c = connect_to(listener);
  c.client.reset();
  EXPECT_EQ(uid_of_loopback_peer(c.local, c.peer), -1);
  EXPECT_EQ(uid_of_loopback_peer({"192.0.2.1", 80}, {"192.0.2.2", 4000}), -1);
  EXPECT_EQ(uid_of_loopback_peer({"nonsense", 80}, {"127.0.0.1", 4000}), -1);
  // Swapped ends name the server's socket, which is ours as well, but another one.
  EXPECT_EQ(uid_of_loopback_peer(c.local, {c.peer.address, c.local.port}), -1);
}

TEST(Listener, TakesAFreePortAndSaysWhich) {
  const Listener listener = open_listener("localhost:0").value();
  EXPECT_TRUE(listener.address.starts_with("127.0.0.1:"));
  EXPECT_NE(listener.address, "127.0.0.1:0");
}

TEST(Listener, NamesWhoHoldsThePort) {
  const Listener first = open_listener("127.0.0.1:0").value();
  const std::optional<PortOwner> owner = owner_of_listening_port(endpoint_of(first.address).port);
  ASSERT_TRUE(owner.has_value());
  EXPECT_EQ(owner->pid, getpid());
  EXPECT_TRUE(owner->same_program);
  const auto second = open_listener(first.address);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::FailedPrecondition);
  EXPECT_EQ(second.error().message, first.address + " is in use by another Freehold (process " +
                                        std::to_string(getpid()) + ")");
}

TEST(Listener, RefusesWhatIsNoPlace) {
  for (const char* where :
       {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:80x",
        "example.org:80", "::1:80", "[::1:80", "[]:80", "127.0.0.1:-1", "127.0.0.1: 80"}) {
    const auto listener = open_listener(where);
    ASSERT_FALSE(listener) << where;
    EXPECT_EQ(listener.error().code, Code::InvalidArgument) << where;
  }
}

}  // namespace
}  // namespace fh::base::os
