#pragma once
// What the pullers need of HTTP: pages by target, and the admin key that is sent along. The key is
// in no message and no error, and a server's error text is not repeated either, because it may hold
// a part of the key.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "net/http.h"
#include "net/web_client.h"

namespace fh::importers {

class PageSource {
 public:
  virtual ~PageSource() = default;
  // `target`: path and query. An error is one of the connection; any status is an answer.
  virtual base::Result<net::HttpResponse> get(const std::string& target) = 0;
};

class HttpPageSource final : public PageSource {
 public:
  HttpPageSource(net::WebClient client, std::vector<net::Header> headers)
      : client_(std::move(client)), headers_(std::move(headers)) {}
  base::Result<net::HttpResponse> get(const std::string& target) override;

 private:
  net::WebClient client_;
  std::vector<net::Header> headers_;
};
// Largest page that is taken.
inline constexpr std::size_t kPageBytesMax = 128 * 1024 * 1024;

// The key in `file`, which must be a file that only its owner can read; without a file, the
// environment variable. InvalidArgument: neither, or not a key; PermissionDenied: others may read
// the file.
base::Result<base::Secret> read_pull_key(const std::string& file, std::string_view variable);

// Tells one key from another without telling the key: 8 hexadecimal digits of a SHA-256.
std::string key_tag(const base::Secret& key);

// How a failed exchange is to be taken.
struct PullFailure {
  base::Error error;
  bool again = false;  // the same request may succeed later
  // What the server asked to wait; nullopt: nothing.
  std::optional<std::int64_t> wait_ms;
};
// Of an answer that is not 200.
PullFailure failure_of(const net::HttpResponse& response, std::string_view provider_title);
PullFailure failure_of(base::Error connection_error);

}  // namespace fh::importers
