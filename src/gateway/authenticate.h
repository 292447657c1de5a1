#pragma once
// Who is calling: a key from `Authorization: Bearer`, `x-api-key` or `api-key` (any of them; two
// must agree), or a console session cookie. And from where: browsers may call only from the origins
// on the allow list, which defends a local server against pages of other sites (DNS rebinding
// included). Loop thread only.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/keys.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "net/http.h"

namespace fh::gateway {

struct Principal {
  std::string key_id;
  std::string key_name;
  auth::Role role = auth::Role::Member;
  std::string project;
  std::string workload;
  bool session = false;
};

// The key of whoever was let into the console without one.
inline constexpr std::string_view kLocalKeyId = "local";
inline constexpr std::string_view kLocalKeyName = "this machine";

// Console sessions: 256-bit random tokens in memory, 12 hours since last use; gone with the
// process.
class Sessions {
 public:
  Sessions(base::Clock& clock, base::Random& random) : clock_(clock), random_(random) {}
  std::string open(Principal principal);
  std::optional<Principal> find(std::string_view token);
  void close(std::string_view token);
  // All sessions that were opened with this key.
  void close_key(std::string_view key_id);

 private:
  static constexpr std::size_t kSessionsMax = 1'000;
  struct Entry {
    Principal principal;
    base::TimePoint last_used;
  };
  base::Clock& clock_;
  base::Random& random_;
  std::map<std::string, Entry, std::less<>> entries_;
};

inline constexpr std::string_view kSessionCookie = "fh_session";

class Authenticator {
 public:
  Authenticator(const auth::KeyTable& keys, Sessions& sessions)
      : keys_(keys), sessions_(sessions) {}
  // Unauthenticated (reason "invalid_api_key") when there is no or no live key. A session counts
  // only for the server's own pages: the browser sends its cookie along from every page of this
  // machine.
  base::Result<Principal> authenticate(const net::HttpRequest& request) const;

 private:
  const auth::KeyTable& keys_;
  Sessions& sessions_;
};

// The session token of the request's cookie, or empty.
std::string_view session_token(const net::HttpRequest& request);

// PermissionDenied when the Origin is not on the allow list; under /admin/, when it is not the
// server's own. No Origin: allowed (not a browser, or a page of this server that reads).
base::Status check_origin(const net::HttpRequest& request);
// Pages and apps of this machine, and the server's own pages.
bool origin_allowed(std::string_view origin, std::string_view host);
// The server's own pages, reached by a loopback name or an address: a rebinding attack needs a DNS
// name.
bool own_origin(std::string_view origin, std::string_view host);

}  // namespace fh::gateway
