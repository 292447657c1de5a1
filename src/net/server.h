#pragma once
// The HTTP/1.1 server: takes inherited listening descriptors, accepts, parses heads with llhttp and
// the head policy (head_policy.h), reads bodies under limits, calls the handler, writes responses.
// Strict: anything ambiguous is refused and the connection closed. docs/LIMITS.md names every
// limit.

#include <cstdint>
#include <memory>
#include <vector>

#include "net/http.h"
#include "net/runtime.h"

namespace fh::net {

struct ServerLimits {
  std::size_t head_bytes_max = 32 * 1024;
  std::size_t header_fields_max = 100;
  std::int64_t head_timeout_ms = 10'000;
  std::int64_t keep_alive_ms = 75'000;
  std::int64_t write_timeout_ms = 30'000;  // a client that does not read for this long is gone
  std::size_t connections_max = 4'096;
  std::size_t connections_per_address_max = 1'024;
  std::size_t decoded_body_bytes_max = 64 * 1024 * 1024;
  // After a refusal: how long and how much is still read and thrown away, so that the client gets
  // to see the answer.
  std::int64_t linger_ms = 2'000;
  std::size_t linger_bytes_max = 64 * 1024 * 1024;
};

struct ServerOptions {
  ServerLimits limits;
  Handler handler;
  RoutePolicyFn route_policy;
  ErrorBodyFn error_body;  // may be empty: plain text then
};

class Server {
 public:
  // Takes ownership of the listening descriptors. Serves from construction on, on the runtime's
  // thread. What the handler refers to must live as long as the runtime runs.
  Server(Runtime& runtime, std::vector<int> listen_fds, ServerOptions options);
  // Stops accepting and breaks what is open.
  ~Server();
  // Any thread. Stop accepting; open connections finish their request, then close.
  void drain();
  // Any thread.
  std::size_t connections() const;
  std::size_t requests_in_flight() const;

  struct Impl;  // for the files of this folder

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace fh::net
