#pragma once
// Dialer: the only place that opens outbound sockets. What may be reached is fixed at construction;
// everything else is refused before a name is resolved. An egress broker can take its place later
// without its callers noticing.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/runtime.h"
#include "net/task.h"

namespace fh::net {

struct HostPort {
  std::string host;        // a name or a numeric address, compared without case
  std::uint16_t port = 0;  // in an allow-list: 0 means every port
};

class Dialer {
 public:
  // Loopback (127.0.0.0/8, ::1, "localhost") on any port, and nothing else.
  Dialer() = default;
  // Loopback, and these.
  explicit Dialer(std::vector<HostPort> allowed) : allowed_(std::move(allowed)) {}

  bool allows(const HostPort& target) const;

  // A connected, non-blocking socket with TCP_NODELAY; the caller owns it. PermissionDenied: not on
  // the list; Unavailable: nobody answers; DeadlineExceeded. "localhost" is loopback whatever a
  // resolver says. Addresses of a name are tried in order. Runs on the runtime's thread.
  Task<base::Result<int>> connect(Runtime& runtime, HostPort target,
                                  base::TimePoint deadline) const;
  // The same for a thread without a loop.
  base::Result<int> connect_blocking(const HostPort& target, std::int64_t timeout_ms) const;

 private:
  base::Status check(const HostPort& target) const;

  std::vector<HostPort> allowed_;
};

}  // namespace fh::net
