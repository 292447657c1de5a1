#pragma once
// Who is at the other end of a TCP connection on this machine: the user id that owns the client's
// socket, and the process that owns a listening port, both from /proc (proc(5), "/proc/net/tcp").
// This is how a request from the same user's own programs can be told from another user's without a
// key.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace fh::base::os {

struct Endpoint {
  std::string address;  // numeric, IPv4 or IPv6; an IPv4-mapped IPv6 address counts as IPv4
  std::uint16_t port = 0;
};

// `local` and `peer` as the accepting socket sees them (getsockname, getpeername). -1 when unknown:
// not a loopback connection, already closed by the client, or the table does not show it. Reads the
// whole table: call it once per connection, not per request.
std::int64_t uid_of_loopback_peer(const Endpoint& local, const Endpoint& peer);

struct PortOwner {
  pid_t pid = -1;
  std::string program;        // the last part of its executable's path, or its command name
  bool same_program = false;  // runs the executable we run
};
// The process that listens on the port, when one is visible to us (processes of other users are
// not).
std::optional<PortOwner> owner_of_listening_port(std::uint16_t port);

}  // namespace fh::base::os
