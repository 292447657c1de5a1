#pragma once
// A blocking HTTP/1.1 client for one server that is named by a base URL: https anywhere, plain http
// to this machine only. One connection per request; through the Dialer and the head policy like
// everything else. Redirects are not followed, proxies not used. Any thread.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/client.h"
#include "net/dialer.h"

namespace fh::net {

struct WebOrigin {
  bool tls = true;
  HostPort server;
  std::string path_prefix;  // "/proxy" or empty; never ends with '/'
  // "https://api.example.com", "http://127.0.0.1:8080/proxy"; a port that the scheme implies is
  // left out.
  std::string text() const;
};

// InvalidArgument: not http or https, http to another machine, or anything besides scheme, host,
// port and path in it. The message does not repeat the text, which may hold a password.
base::Result<WebOrigin> parse_base_url(std::string_view url);

class WebClient {
 public:
  struct Options {
    std::string ca_file;  // PEM; empty: the authorities that this machine trusts
    ClientLimits limits;
  };
  // The dialer must allow the server. FailedPrecondition: the authorities cannot be read.
  static base::Result<WebClient> open(Dialer dialer, WebOrigin origin, const Options& options);
  ~WebClient();
  WebClient(WebClient&&) noexcept;
  WebClient& operator=(WebClient&&) noexcept;

  // `request.target` comes behind the origin's prefix; `timeout_ms` is for the whole exchange.
  // FailedPrecondition: the server's certificate is not to be trusted. Unavailable and
  // DeadlineExceeded as always.
  base::Result<HttpResponse> request(ClientRequest request, std::int64_t timeout_ms) const;

 private:
  struct Impl;
  explicit WebClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fh::net
