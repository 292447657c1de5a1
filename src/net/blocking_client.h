#pragma once
// A small blocking HTTP/1.1 client for command-line verbs: one connection per request, no loop, any
// thread. Goes through the Dialer and the head policy like everything else.

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "net/client.h"
#include "net/dialer.h"

namespace fh::net {

class BlockingClient {
 public:
  // The dialer outlives the client.
  BlockingClient(const Dialer& dialer, HostPort server, ClientLimits limits = {});

  // `timeout_ms` is for the whole exchange.
  base::Result<HttpResponse> request(const ClientRequest& request, std::int64_t timeout_ms) const;

  struct Head {
    int status = 0;
    std::vector<Header> headers;
  };
  using OnHead = std::function<void(const Head&)>;
  // Return false to stop: the connection is closed and the call returns Cancelled.
  using OnChunk = std::function<bool(std::string_view bytes)>;
  // `silence_ms` is the longest wait for the next bytes. on_head runs once, before the first chunk.
  // Returns the status.
  base::Result<int> stream(const ClientRequest& request, std::int64_t silence_ms,
                           const OnHead& on_head, const OnChunk& on_chunk) const;

 private:
  const Dialer& dialer_;
  HostPort server_;
  ClientLimits limits_;
};

}  // namespace fh::net
