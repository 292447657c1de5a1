// Who gets in: by which header, with which key, from which web page.

#include "gateway/authenticate.h"

#include <gtest/gtest.h>

#include "gateway/test_support.h"

namespace fh::gateway {
namespace {

using testing::KeyRing;
using testing::request_for;

Principal principal(std::string key_id) {
  Principal who;
  who.key_id = std::move(key_id);
  return who;
}

class AuthenticateTest : public ::testing::Test {
 protected:
  base::Result<Principal> ask(std::vector<net::Header> headers) {
    return authenticator_.authenticate(request_for("POST", "/v1/messages", std::move(headers)));
  }

  KeyRing keys_;
  Sessions sessions_{keys_.clock, keys_.random};
  Authenticator authenticator_{keys_.table, sessions_};
  const std::string key_ = keys_.make("ada", auth::Role::Admin);
};

TEST_F(AuthenticateTest, AKeyCountsInAnyOfThreeHeaders) {
  const std::vector<std::vector<net::Header>> ways = {
      {{"Authorization", "Bearer " + key_}},
      {{"authorization", "bearer   " + key_}},
      {{"X-Api-Key", key_}},
      {{"api-key", key_}},
      {{"authorization", "Bearer " + key_}, {"x-api-key", key_}, {"api-key", key_}},
      {{"authorization", "Basic Zm9v"}, {"x-api-key", key_}},
  };
  for (const auto& headers : ways) {
    const auto who = ask(headers);
    ASSERT_TRUE(who) << headers.front().name << ": " << headers.front().value;
    EXPECT_EQ(who->key_name, "ada");
    EXPECT_EQ(who->role, auth::Role::Admin);
    EXPECT_FALSE(who->session);
  }
}

TEST_F(AuthenticateTest, NothingElseGetsIn) {
  const std::vector<std::vector<net::Header>> ways = {
      {},
      {{"authorization", key_}},
      {{"authorization", "Bearer "}},
      {{"authorization", "Bearer" + key_}},
      {{"authorization", "Basic " + key_}},
      {{"x-api-key", key_.substr(1)}},
      {{"x-api-key", key_ + " "}},
      {{"x-api-key", "Bearer " + key_}},
      {{"authorization", "Bearer " + key_}, {"x-api-key", "fh-other"}},
      {{"authorization", "Bearer fh-other"}, {"x-api-key", key_}},
      {{"authorization", "Bearer " + key_}, {"Authorization", "Bearer fh-other"}},
      {{"x-api-key", key_}, {"x-api-key", "fh-other"}},
      {{"cookie", "fh_session=nonsense"}},
  };
  for (const auto& headers : ways) {
    const auto who = ask(headers);
    ASSERT_FALSE(who);
    EXPECT_EQ(who.error().code, base::Code::Unauthenticated);
    EXPECT_EQ(who.error().reason, "invalid_api_key");
    EXPECT_EQ(who.error().text().find(key_), std::string::npos) << "the error repeats the key";
  }
}

TEST_F(AuthenticateTest, ARevokedKeyIsOut) {
  const std::string second = keys_.make("bob");
  ASSERT_TRUE(ask({{"x-api-key", second}}));
  ASSERT_TRUE(keys_.table.revoke("bob"));
  EXPECT_FALSE(ask({{"x-api-key", second}}));
}

TEST_F(AuthenticateTest, ASessionLastsTwelveHoursSinceItsLastUse) {
  const std::string token = sessions_.open(principal("k"));
  const std::vector<net::Header> cookie = {{"cookie", "a=b; fh_session=" + token + "; c=d"}};
  for (int hour = 0; hour < 30; hour += 10) {
    const auto who = ask(cookie);
    ASSERT_TRUE(who) << hour;
    EXPECT_TRUE(who->session);
    keys_.clock.advance(std::chrono::hours(10));
  }
  keys_.clock.advance(std::chrono::hours(3));
  EXPECT_FALSE(ask(cookie));
}

TEST_F(AuthenticateTest, ClosedSessionsAndThoseOfAClosedKeyAreOut) {
  const std::string one = sessions_.open(principal("k1"));
  const std::string two = sessions_.open(principal("k2"));
  const std::string three = sessions_.open(principal("k2"));
  sessions_.close(one);
  sessions_.close("unknown");
  sessions_.close_key("k2");
  for (const std::string& token : {one, two, three}) EXPECT_FALSE(sessions_.find(token));
}

TEST_F(AuthenticateTest, TheOldestSessionMakesRoom) {
  const std::string first = sessions_.open({});
  keys_.clock.advance(std::chrono::seconds(1));
  const std::string second = sessions_.open({});
  for (int i = 0; i < 999; ++i) {
    keys_.clock.advance(std::chrono::milliseconds(1));
    sessions_.open({});
  }
  EXPECT_FALSE(sessions_.find(first));
  EXPECT_TRUE(sessions_.find(second));
}

// The cookie goes along from every page of this machine, whatever its port; SameSite knows no
// ports.
TEST_F(AuthenticateTest, ASessionCountsForTheServersOwnPagesOnly) {
  const std::string cookie = "fh_session=" + sessions_.open(principal("k"));
  const auto from = [&](std::string origin, std::string host) {
    return ask({{"cookie", cookie}, {"origin", std::move(origin)}, {"host", std::move(host)}});
  };
  EXPECT_TRUE(from("http://localhost:8484", "localhost:8484"));
  EXPECT_TRUE(from("http://10.0.0.7:8484", "10.0.0.7:8484"));
  EXPECT_FALSE(from("http://localhost:3000", "localhost:8484"));
  EXPECT_FALSE(from("vscode-webview://x", "localhost:8484"));
  EXPECT_TRUE(ask({{"x-api-key", key_}, {"origin", "http://localhost:3000"}}));
}

TEST(Origins, OnTheAllowList) {
  for (const char* origin :
       {"http://localhost", "http://localhost:3000", "https://LOCALHOST:1", "http://127.0.0.1:9",
        "http://[::1]:8080", "http://0.0.0.0", "app://obsidian.md", "file://", "tauri://localhost",
        "vscode-webview://abc", "vscode-file://vscode-app"}) {
    EXPECT_TRUE(origin_allowed(origin, "127.0.0.1:8484")) << origin;
  }
  for (const char* origin :
       {"null", "", "http://", "http://evil.example", "https://localhost.evil.example",
        "http://localhost@evil.example", "http://10.1.2.3:8484", "http://127.0.0.1.evil.example",
        "ftp://localhost", "chrome-extension://x", "http://[::2]", "xapp://y"}) {
    EXPECT_FALSE(origin_allowed(origin, "127.0.0.1:8484")) << origin;
  }
}

// A page that a DNS name leads to this server must not pass for the server's own.
TEST(Origins, OwnIsByAddressNeverByName) {
  EXPECT_TRUE(own_origin("http://192.168.1.5:8484", "192.168.1.5:8484"));
  EXPECT_TRUE(own_origin("https://[fd00::1]:8484", "[fd00::1]:8484"));
  EXPECT_FALSE(own_origin("http://192.168.1.5:8484", "192.168.1.6:8484"));
  EXPECT_FALSE(own_origin("http://192.168.1.5:80", "192.168.1.5:8484"));
  EXPECT_FALSE(own_origin("http://rebound.example:8484", "rebound.example:8484"));
  EXPECT_FALSE(own_origin("app://localhost:8484", "localhost:8484"));
  EXPECT_FALSE(own_origin("null", ""));
}

TEST(Origins, TheAdminApiIsForOwnPages) {
  const auto check = [](std::string path, std::string origin) {
    return check_origin(request_for("POST", std::move(path),
                                    {{"origin", std::move(origin)}, {"host", "localhost:8484"}}));
  };
  EXPECT_TRUE(check("/v1/messages", "http://localhost:3000"));
  EXPECT_TRUE(check("/admin/v1/session", "http://localhost:8484"));
  const base::Status refused = check("/admin/v1/session", "http://localhost:3000");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::Code::PermissionDenied);
  EXPECT_FALSE(check("/admin/v1/keys", "app://x"));
  EXPECT_TRUE(check_origin(request_for("POST", "/admin/v1/keys", {{"host", "x"}})));
}

}  // namespace
}  // namespace fh::gateway
