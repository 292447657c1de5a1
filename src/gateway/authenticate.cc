#include "gateway/authenticate.h"

#include <array>
#include <cctype>

namespace fh::gateway {
namespace {

constexpr auto kSessionIdle = std::chrono::hours(12);

base::Error unauthenticated(std::string message) {
  return base::Error{base::Code::Unauthenticated,
                     std::move(message),
                     "send your key as `Authorization: Bearer fh-...` or `x-api-key: fh-...`",
                     {},
                     "invalid_api_key"};
}

bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(a[i])) !=
        std::tolower(static_cast<unsigned char>(b[i]))) {
      return false;
    }
  }
  return true;
}

std::string_view bearer(std::string_view value) {
  static constexpr std::string_view kScheme = "bearer ";
  if (value.size() <= kScheme.size() || !iequals(value.substr(0, kScheme.size()), kScheme))
    return {};
  value.remove_prefix(kScheme.size());
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  return value;
}

// The key in this field, of all that clients put one in; empty: none.
std::string_view presented_key(const net::Header& field) {
  if (iequals(field.name, "authorization")) return bearer(field.value);
  const bool plain = iequals(field.name, "x-api-key") || iequals(field.name, "api-key");
  return plain ? std::string_view(field.value) : std::string_view();
}

std::string_view host_without_port(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end == std::string_view::npos ? host : host.substr(0, end + 1);
  }
  return host.substr(0, host.find(':'));
}

bool is_ip_literal(std::string_view host) {
  if (host.starts_with('[')) return true;
  int dots = 0;
  for (const char c : host) {
    if (c == '.') {
      ++dots;
    } else if (std::isdigit(static_cast<unsigned char>(c)) == 0) {
      return false;
    }
  }
  return dots == 3;
}

// "http://host:port" -> "host:port"; empty for other schemes.
std::string_view authority_of(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return origin.substr(scheme.size());
  }
  return {};
}

bool is_loopback_name(std::string_view host) {
  return iequals(host, "localhost") || host == "127.0.0.1" || host == "[::1]" || host == "0.0.0.0";
}

}  // namespace

std::string Sessions::open(Principal principal) {
  const base::TimePoint now = clock_.now();
  std::erase_if(entries_,
                [&](const auto& item) { return now - item.second.last_used > kSessionIdle; });
  if (entries_.size() >= kSessionsMax) {
    auto oldest = entries_.begin();
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (it->second.last_used < oldest->second.last_used) oldest = it;
    }
    entries_.erase(oldest);
  }
  std::string token = random_.token(43);
  principal.session = true;
  entries_.emplace(token, Entry{std::move(principal), now});
  return token;
}

std::optional<Principal> Sessions::find(std::string_view token) {
  const auto it = entries_.find(token);
  if (it == entries_.end()) return std::nullopt;
  const base::TimePoint now = clock_.now();
  if (now - it->second.last_used > kSessionIdle) {
    entries_.erase(it);
    return std::nullopt;
  }
  it->second.last_used = now;
  return it->second.principal;
}

void Sessions::close(std::string_view token) {
  const auto it = entries_.find(token);
  if (it != entries_.end()) entries_.erase(it);
}

void Sessions::close_key(std::string_view key_id) {
  std::erase_if(entries_, [&](const auto& item) { return item.second.principal.key_id == key_id; });
}

std::string_view session_token(const net::HttpRequest& request) {
  std::string_view cookies = request.header("cookie");
  while (!cookies.empty()) {
    const std::size_t end = cookies.find(';');
    std::string_view item = cookies.substr(0, end);
    cookies = end == std::string_view::npos ? std::string_view{} : cookies.substr(end + 1);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    if (item.starts_with(kSessionCookie) && item.size() > kSessionCookie.size() &&
        item[kSessionCookie.size()] == '=') {
      return item.substr(kSessionCookie.size() + 1);
    }
  }
  return {};
}

base::Result<Principal> Authenticator::authenticate(const net::HttpRequest& request) const {
  std::string_view key;
  for (const net::Header& field : request.headers) {
    const std::string_view presented = presented_key(field);
    if (presented.empty()) continue;
    if (!key.empty() && key != presented) {
      return std::unexpected(unauthenticated("the request carries two different API keys"));
    }
    key = presented;
  }
  if (key.empty()) {
    const std::string_view origin = request.header("origin");
    const bool own = origin.empty() || own_origin(origin, request.header("host"));
    if (const std::string_view token = session_token(request); own && !token.empty()) {
      if (auto principal = sessions_.find(token)) return *std::move(principal);
      return std::unexpected(unauthenticated("the console session has ended; log in again"));
    }
    return std::unexpected(unauthenticated("this request carries no API key"));
  }
  const std::shared_ptr<const auth::KeyRecord> record = keys_.authenticate(key);
  if (record == nullptr) return std::unexpected(unauthenticated("the API key is not valid"));
  return Principal{record->id,      record->name,     record->role,
                   record->project, record->workload, false};
}

bool own_origin(std::string_view origin, std::string_view host) {
  const std::string_view authority = authority_of(origin);
  const std::string_view name = host_without_port(authority);
  return (is_loopback_name(name) || is_ip_literal(name)) && iequals(authority, host);
}

bool origin_allowed(std::string_view origin, std::string_view host) {
  for (const std::string_view scheme :
       {"app://", "file://", "tauri://", "vscode-webview://", "vscode-file://"}) {
    if (origin.starts_with(scheme)) return true;
  }
  return is_loopback_name(host_without_port(authority_of(origin))) || own_origin(origin, host);
}

base::Status check_origin(const net::HttpRequest& request) {
  const std::string_view origin = request.header("origin");
  if (origin.empty()) return {};
  const std::string_view host = request.header("host");
  const bool admin = request.path.starts_with("/admin/");
  if (admin ? own_origin(origin, host) : origin_allowed(origin, host)) return {};
  return base::fail(base::Code::PermissionDenied, "requests from this web origin are not allowed",
                    "call from the console, from localhost, or without a browser");
}

}  // namespace fh::gateway
