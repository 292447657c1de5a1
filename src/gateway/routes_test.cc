// The route table: what is there, for whom, and what is said about what is not.

#include "gateway/routes.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace fh::gateway {
namespace {

TEST(Routes, EveryRouteIsFoundUnderItsOwnMethodAndPath) {
  for (const Route& route : all_routes()) {
    std::string path(route.pattern);
    const bool prefix = path.ends_with('*');
    if (prefix) path.replace(path.size() - 1, 1, "some/thing");
    const RouteMatch match = match_route(route.method, path);
    ASSERT_NE(match.route, nullptr) << path;
    EXPECT_EQ(match.route->id, route.id) << path;
    EXPECT_EQ(match.rest, prefix ? "some/thing" : "");
  }
}

TEST(Routes, NoTwoRoutesHaveTheSameMethodAndPattern) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const Route& route : all_routes()) {
    EXPECT_TRUE(seen.insert({route.method, route.pattern}).second) << route.pattern;
  }
}

// Whoever adds a public route must come by here.
TEST(Routes, OnlyTheseNeedNoKey) {
  const std::set<std::string_view> expected = {"/api/hello", "/api/version", "/healthz",
                                               "/readyz",    "/metrics",     "/",
                                               "/assets/*",  "/favicon.svg"};
  std::set<std::string_view> open;
  for (const Route& route : all_routes()) {
    if (route.permission == Permission::Public) open.insert(route.pattern);
    if (route.pattern.starts_with("/admin/v1/") && route.pattern != "/admin/v1/session") {
      EXPECT_EQ(route.permission, Permission::Admin) << route.pattern;
    }
    // What reads no body takes none, and what takes one is not public.
    if (route.body_bytes_max > 0) EXPECT_NE(route.permission, Permission::Public) << route.pattern;
  }
  EXPECT_EQ(open, expected);
}

TEST(Routes, HeadIsGetAndAnotherMethodIsToldApartFromNoPath) {
  EXPECT_EQ(match_route("HEAD", "/v1/models").route, match_route("GET", "/v1/models").route);
  EXPECT_NE(match_route("HEAD", "/").route, nullptr);
  const RouteMatch wrong_method = match_route("GET", "/v1/messages");
  EXPECT_EQ(wrong_method.route, nullptr);
  EXPECT_TRUE(wrong_method.path_known);
  for (const char* path : {"/v1/message", "/v1/messages/", "/v1/models/", "/V1/messages",
                           "/v1/messages/count_tokens/x", "*", "/assets/"}) {
    const RouteMatch match = match_route("POST", path);
    EXPECT_EQ(match.route, nullptr) << path;
    EXPECT_FALSE(match.path_known) << path;
  }
}

TEST(Routes, ModelIdsMayHoldSlashesAndColons) {
  EXPECT_EQ(match_route("GET", "/v1/models/anthropic-local/qwen:7b").rest,
            "anthropic-local/qwen:7b");
  EXPECT_EQ(match_route("GET", "/models/x").route->id, RouteId::ModelById);
}

TEST(Routes, AllowedMethods) {
  EXPECT_EQ(allowed_methods("/v1/messages"), "POST, OPTIONS");
  EXPECT_EQ(allowed_methods("/v1/models"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(allowed_methods("/v1/models/x"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(allowed_methods("/admin/v1/keys"), "GET, HEAD, POST, DELETE, OPTIONS");
  EXPECT_EQ(allowed_methods("/nowhere"), "");
}

TEST(Routes, SurfaceOfUnroutedPaths) {
  EXPECT_EQ(surface_of_path("/v1/messages/batches"), Surface::Anthropic);
  EXPECT_EQ(surface_of_path("/v1/responses"), Surface::OpenAi);
  EXPECT_EQ(surface_of_path("/models"), Surface::OpenAi);
  EXPECT_EQ(surface_of_path("/responses"), Surface::OpenAi);
  EXPECT_EQ(surface_of_path("/embeddings"), Surface::OpenAi);
  EXPECT_EQ(surface_of_path("/admin/v2"), Surface::Admin);
  EXPECT_EQ(surface_of_path("/robots.txt"), Surface::Plain);
}

}  // namespace
}  // namespace fh::gateway
