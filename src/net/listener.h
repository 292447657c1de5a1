#pragma once
// Listening sockets, opened before any process role that parses input exists (the supervisor hands
// them down). Plain system calls; any thread.

#include <cstdint>
#include <string>

#include "base/result.h"

namespace fh::net {

// A non-blocking, close-on-exec TCP socket that listens on a numeric address or "localhost"; port 0
// lets the kernel choose. The caller owns the descriptor. FailedPrecondition: the port is in use;
// PermissionDenied: not allowed.
base::Result<int> open_listener(const std::string& host, std::uint16_t port, int backlog = 1024);

// The port that a socket is bound to.
base::Result<std::uint16_t> listener_port(int fd);

}  // namespace fh::net
