#pragma once
// Listening sockets of the supervisor. They are opened before anything else starts and are
// inherited by the gateway, so that a gateway's restart refuses nobody: connections wait in the
// kernel's queue meanwhile.

#include <cstdint>
#include <string>

#include "base/os/fd.h"
#include "base/result.h"

namespace fh::base::os {

struct Listener {
  Fd fd;
  std::string address;  // "127.0.0.1:8080", "[::1]:8080", with the port really taken
};

// `where` is "host:port" with a numeric host, an IPv6 host in brackets, or "localhost" (127.0.0.1).
// Port 0 takes a free one. InvalidArgument for a malformed place; FailedPrecondition, naming the
// program that has it when it can be seen, for a port in use; PermissionDenied for a port below
// 1024 without the right to it.
Result<Listener> open_listener(const std::string& where);
// The part of that which needs no socket: is `where` written as an address to listen on?
Status check_listen_address(const std::string& where);

}  // namespace fh::base::os
