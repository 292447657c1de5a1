#include "gateway/cross_origin.h"

#include <utility>

#include "gateway/wire.h"

namespace fh::gateway {
namespace {

// What the client libraries read: ids for reports, and when to try again.
constexpr std::string_view kReadable =
    "request-id, x-request-id, retry-after, retry-after-ms, x-should-retry";
constexpr std::string_view kAskAgainSeconds = "600";

}  // namespace

bool readable_across_origins(std::string_view path) {
  for (const Route& route : all_routes()) {
    const bool closed = route.surface == Surface::Admin || route.id == RouteId::ConsoleFile;
    if (!closed && match_route(route.method, path).route == &route) return true;
  }
  return false;
}

std::string reading_origin(const net::HttpRequest& request) {
  const std::string_view origin = request.header("origin");
  if (origin.empty() || !readable_across_origins(request.path)) return {};
  return std::string(origin);
}

net::HttpResponse options_response(const net::HttpRequest& request, std::string_view request_id) {
  net::HttpResponse response;
  response.status = 204;
  response.headers = {{"request-id", std::string(request_id)},
                      {"x-request-id", std::string(request_id)},
                      {"allow", allowed_methods(request.path)}};
  const bool asks = request.has_header("access-control-request-method");
  if (!asks || reading_origin(request).empty()) return response;
  // The route and the key decide; a field that nobody knows is ignored, so any may be sent.
  response.headers.push_back({"access-control-allow-methods", allowed_methods(request.path)});
  if (const std::string_view fields = request.header("access-control-request-headers");
      !fields.empty()) {
    response.headers.push_back({"access-control-allow-headers", std::string(fields)});
  }
  response.headers.push_back({"access-control-max-age", std::string(kAskAgainSeconds)});
  return response;
}

void CrossOriginReply::add_fields(std::vector<net::Header>& headers) const {
  if (origin_.empty()) return;
  headers.push_back({"access-control-allow-origin", origin_});
  headers.push_back({"access-control-expose-headers", std::string(kReadable)});
  headers.push_back({"vary", "origin"});
}

net::Task<base::Status> CrossOriginReply::send(net::HttpResponse response) {
  add_fields(response.headers);
  return writer_.send(std::move(response));
}

net::Task<base::Status> CrossOriginReply::begin(int status, std::vector<net::Header> headers) {
  add_fields(headers);
  return writer_.begin(status, std::move(headers));
}

}  // namespace fh::gateway
