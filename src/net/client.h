#pragma once
// HTTP/1.1 client for the event loop: whole exchanges and streamed response bodies, to one host and
// port, with a small pool of idle connections. Response heads pass the head policy: the server at
// the other end is as little trusted as a client. Everything on the runtime's thread.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/dialer.h"
#include "net/http.h"
#include "net/runtime.h"

namespace fh::net {

struct ClientLimits {
  std::size_t head_bytes_max = 32 * 1024;
  std::size_t header_fields_max = 100;
  std::size_t body_bytes_max = 64 * 1024 * 1024;  // of exchange(); streams are not limited
  std::size_t idle_connections_max = 8;
  std::int64_t idle_ms = 15'000;  // an unused connection older than this is not used again
  std::int64_t write_timeout_ms = 30'000;
};

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";     // path and query, encoded
  std::vector<Header> headers;  // host, content-length and connection are added
  std::string body;
};

// An answer whose body is still arriving. Destroying it before the end breaks the connection, which
// is how the server learns that nobody listens any more.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  virtual int status() const = 0;
  virtual const std::vector<Header>& headers() const = 0;
  virtual std::string_view header(std::string_view name) const = 0;
  // The next bytes of the body as they arrive; empty at its proper end. Unavailable: cut off before
  // its end.
  virtual Task<base::Result<std::string>> read(base::TimePoint deadline) = 0;
};

class HttpClient {
 public:
  // The dialer outlives the client.
  HttpClient(Runtime& runtime, const Dialer& dialer, HostPort server, ClientLimits limits = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Sends and waits for the head; `deadline` is for connecting, sending and the head.
  Task<base::Result<std::unique_ptr<ResponseStream>>> start(ClientRequest request,
                                                            base::TimePoint deadline);
  // Sends and reads the whole answer; `deadline` is for all of it.
  Task<base::Result<HttpResponse>> exchange(ClientRequest request, base::TimePoint deadline);

  std::size_t idle_connections() const;

  struct Impl;  // for the files of this folder

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace fh::net
