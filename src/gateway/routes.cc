#include "gateway/routes.h"

#include <algorithm>
#include <array>

namespace fh::gateway {
namespace {

constexpr std::size_t kInferenceBody = 32 * 1024 * 1024;  // the hosted API's own limit
constexpr std::size_t kAdminBody = 64 * 1024;

constexpr std::array kRoutes = {
    Route{"POST", "/v1/messages/count_tokens", RouteId::CountTokens, Permission::Inference,
          Surface::Anthropic, kInferenceBody},
    Route{"POST", "/v1/messages", RouteId::Messages, Permission::Inference, Surface::Anthropic,
          kInferenceBody},
    Route{"POST", "/v1/chat/completions", RouteId::ChatCompletions, Permission::Inference,
          Surface::OpenAi, kInferenceBody},
    Route{"POST", "/chat/completions", RouteId::ChatCompletions, Permission::Inference,
          Surface::OpenAi, kInferenceBody},
    Route{"GET", "/v1/models", RouteId::Models, Permission::Inference, Surface::OpenAi, 0},
    Route{"GET", "/models", RouteId::Models, Permission::Inference, Surface::OpenAi, 0},
    Route{"GET", "/v1/models/*", RouteId::ModelById, Permission::Inference, Surface::OpenAi, 0},
    Route{"GET", "/models/*", RouteId::ModelById, Permission::Inference, Surface::OpenAi, 0},
    Route{"GET", "/api/hello", RouteId::Hello, Permission::Public, Surface::Plain, 0},
    Route{"GET", "/api/version", RouteId::Hello, Permission::Public, Surface::Plain, 0},
    Route{"GET", "/healthz", RouteId::Healthz, Permission::Public, Surface::Plain, 0},
    Route{"GET", "/readyz", RouteId::Readyz, Permission::Public, Surface::Plain, 0},
    Route{"GET", "/metrics", RouteId::Metrics, Permission::Public, Surface::Plain, 0},
    Route{"POST", "/admin/v1/session", RouteId::AdminApi, Permission::Login, Surface::Admin,
          kAdminBody},
    Route{"GET", "/admin/v1/session", RouteId::AdminApi, Permission::Login, Surface::Admin, 0},
    Route{"DELETE", "/admin/v1/session", RouteId::AdminApi, Permission::Login, Surface::Admin,
          kAdminBody},
    Route{"GET", "/admin/v1/*", RouteId::AdminApi, Permission::Admin, Surface::Admin, 0},
    Route{"POST", "/admin/v1/*", RouteId::AdminApi, Permission::Admin, Surface::Admin, kAdminBody},
    Route{"DELETE", "/admin/v1/*", RouteId::AdminApi, Permission::Admin, Surface::Admin,
          kAdminBody},
    Route{"GET", "/", RouteId::ConsoleFile, Permission::Public, Surface::Plain, 0},
    Route{"GET", "/assets/*", RouteId::ConsoleFile, Permission::Public, Surface::Plain, 0},
    Route{"GET", "/favicon.svg", RouteId::ConsoleFile, Permission::Public, Surface::Plain, 0},
};

bool path_matches(std::string_view pattern, std::string_view path, std::string_view* rest) {
  if (pattern.ends_with('*')) {
    pattern.remove_suffix(1);
    if (!path.starts_with(pattern) || path.size() == pattern.size()) return false;
    *rest = path.substr(pattern.size());
    return true;
  }
  *rest = {};
  return pattern == path;
}

}  // namespace

std::span<const Route> all_routes() {
  return kRoutes;
}

RouteMatch match_route(std::string_view method, std::string_view path) {
  const std::string_view wanted = method == "HEAD" ? std::string_view("GET") : method;
  RouteMatch match;
  for (const Route& route : kRoutes) {
    std::string_view rest;
    if (!path_matches(route.pattern, path, &rest)) continue;
    match.path_known = true;
    if (route.method != wanted) continue;
    match.route = &route;
    match.rest = rest;
    return match;
  }
  return match;
}

std::string allowed_methods(std::string_view path) {
  std::string methods;
  for (const std::string_view method : {"GET", "HEAD", "POST", "DELETE"}) {
    if (match_route(method, path).route == nullptr) continue;
    methods += method;
    methods += ", ";
  }
  if (!methods.empty()) methods += "OPTIONS";
  return methods;
}

Surface surface_of_path(std::string_view path) {
  if (path.starts_with("/v1/messages")) return Surface::Anthropic;
  if (path.starts_with("/admin/")) return Surface::Admin;
  // With a base address without /v1 OpenAI's libraries ask for these.
  constexpr std::string_view kBare[] = {"/chat/", "/models", "/responses", "/completions",
                                        "/embeddings"};
  const auto begins = [&](std::string_view start) { return path.starts_with(start); };
  const bool openai =
      path == "/v1" || path.starts_with("/v1/") || std::ranges::any_of(kBare, begins);
  return openai ? Surface::OpenAi : Surface::Plain;
}

}  // namespace fh::gateway
