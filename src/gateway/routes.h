#pragma once
// The static route table: every path the server answers, what permission it needs and how large a
// body it takes. Deny by default: a path that is not here is 404, a method that is not here 405.
// Host is never used to authorise.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fh::gateway {

enum class Permission : std::uint8_t {
  Public,     // health, the console's files, HEAD probes
  Login,      // makes its own decision (session)
  Inference,  // any live key or session
  Admin,      // an admin key or session
};

// Whose shapes (errors, headers) the route speaks.
enum class Surface : std::uint8_t { Plain, Anthropic, OpenAi, Admin };

enum class RouteId : std::uint8_t {
  Messages,
  CountTokens,
  ChatCompletions,
  Models,
  ModelById,
  Hello,
  Healthz,
  Readyz,
  Metrics,
  AdminApi,
  ConsoleFile,
};

struct Route {
  std::string_view method;
  std::string_view pattern;  // exact, or a prefix when it ends with '*'
  RouteId id;
  Permission permission;
  Surface surface;
  std::size_t body_bytes_max;
};

std::span<const Route> all_routes();

struct RouteMatch {
  const Route* route = nullptr;  // null: no route has this path
  bool path_known = false;       // the path exists with another method
  std::string_view rest;         // what '*' matched
};
// HEAD matches a GET route. `path` is decoded, without query.
RouteMatch match_route(std::string_view method, std::string_view path);
// The surface whose error shape fits a path, also for paths that are not routed.
Surface surface_of_path(std::string_view path);
// The methods that a path takes, as the value of an Allow field ("GET, HEAD, OPTIONS"); empty for a
// path that is not routed.
std::string allowed_methods(std::string_view path);

}  // namespace fh::gateway
