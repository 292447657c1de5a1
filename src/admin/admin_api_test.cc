// The admin API as its callers meet it, without sockets: routes, sessions, keys, usage.

#include "admin/admin_api.h"

#include <gtest/gtest.h>

#include <thread>

#include "codec/json.h"
#include "gateway/test_support.h"
#include "net/memory.h"

namespace fh::admin {
namespace {

using codec::json::Document;
using gateway::testing::KeyRing;
using gateway::testing::request_for;

class NoLedger final : public ledger::Ledger {
 public:
  void admit(ledger::Admission, Done done) override { done({}); }
  void settle(ledger::Settlement, Done done) override { done({}); }
  ledger::Durability durability() const override { return ledger::Durability::Process; }
  bool healthy() const override { return true; }
};

class FixedReader final : public ledger::LedgerReader {
 public:
  base::Result<std::vector<ledger::Row>> rows(const ledger::RowQuery& query) override {
    return std::vector<ledger::Row>(query.limit == 1 ? 1 : 0);
  }
  base::Result<ledger::Row> row(const std::string&) override {
    return base::fail(base::Code::NotFound, "no such request");
  }
  base::Result<std::vector<ledger::UsageRow>> usage(const ledger::UsageQuery&) override {
    std::vector<ledger::UsageRow> rows(1);
    rows[0].group = key_id;
    rows[0].requests = 3;
    return rows;
  }
  std::string key_id;
};

class AdminApiTest : public ::testing::Test {
 protected:
  struct Answer {
    int status = 0;
    std::string body;
    std::string cookie;
  };

  Answer ask(std::string method, std::string path, std::string body = {},
             std::vector<net::Header> headers = {}, std::int64_t uid = -1) {
    net::HttpRequest request =
        request_for(std::move(method), "/admin/v1/" + path, std::move(headers), std::move(body));
    if (const std::size_t mark = request.path.find('?'); mark != std::string::npos) {
      request.query = request.path.substr(mark + 1);
      request.path.resize(mark);
    }
    request.peer.loopback = true;
    request.peer.uid = uid;
    net::MemoryResponse writer(runtime_);
    runtime_.spawn(api_.handle(std::move(request), writer, {}, "req_1"));
    // Reads of the ledger come back from the offload thread.
    for (int i = 0; i < 20'000 && !writer.finished(); ++i) {
      runtime_.poll();
      if (!writer.finished()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(writer.finished()) << path;
    return {writer.status(), writer.body(), std::string(writer.header("set-cookie"))};
  }

  Facts facts() {
    Facts facts;
    facts.data_dir = "/data";
    facts.worker_lock = [] { return std::string("locked"); };
    facts.rss_bytes = [] { return std::int64_t{1}; };
    facts.is_owner = [](std::int64_t uid) { return uid == 1000; };
    facts.shutdown = [this] { ++shutdowns_; };
    return facts;
  }

  KeyRing keys_;
  int shutdowns_ = 0;
  net::Runtime runtime_{keys_.clock};
  NoLedger ledger_;
  FixedReader reader_;
  gateway::Sessions sessions_{keys_.clock, keys_.random};
  gateway::ModelDirectory models_;
  const pricing::PriceBook& prices_ = pricing::PriceBook::bundled();
  obs::Metrics metrics_;
  gateway::LiveRequests live_{keys_.clock};
  gateway::Deps deps_{.runtime = runtime_,
                      .clock = keys_.clock,
                      .random = keys_.random,
                      .ledger = ledger_,
                      .keys = keys_.table,
                      .sessions = sessions_,
                      .models = models_,
                      .prices = prices_,
                      .metrics = metrics_,
                      .live = live_,
                      .settings = {},
                      .admin = {},
                      .console = {}};
  net::Offload offload_;
  AdminApi api_{deps_, reader_, offload_, facts()};
};

TEST_F(AdminApiTest, TheLastAdminKeyCannotBeRevoked) {
  const std::string admin = keys_.make("root", auth::Role::Admin);
  const std::string id = keys_.table.authenticate(admin)->id;
  keys_.make("member");
  for (const std::string& name : {std::string("root"), id}) {
    const Answer refused = ask("DELETE", "keys/" + name);
    EXPECT_EQ(refused.status, 409) << refused.body;
    EXPECT_NE(refused.body.find("last_admin_key"), std::string::npos) << refused.body;
    EXPECT_NE(refused.body.find("freehold keys create"), std::string::npos) << "no hint";
  }
  EXPECT_NE(keys_.table.authenticate(admin), nullptr);
  EXPECT_EQ(ask("DELETE", "keys/member").status, 200);
  keys_.make("second", auth::Role::Admin);
  EXPECT_EQ(ask("DELETE", "keys/root").status, 200);
  EXPECT_EQ(keys_.table.authenticate(admin), nullptr);
  EXPECT_EQ(ask("DELETE", "keys/second").status, 409);
  EXPECT_EQ(ask("DELETE", "keys/" + id).status, 200) << "revoked already: nothing changes";
  EXPECT_EQ(ask("DELETE", "keys/nobody").status, 404);
}

TEST_F(AdminApiTest, ARevokedKeysSessionsEnd) {
  keys_.make("root", auth::Role::Admin);
  const std::string key = keys_.make("bob");
  const Answer login = ask("POST", "session", R"({"key":")" + key + "\"}");
  ASSERT_EQ(login.status, 200) << login.body;
  const std::string cookie = login.cookie.substr(0, login.cookie.find(';'));
  EXPECT_EQ(ask("GET", "session", {}, {{"cookie", cookie}}).status, 200);
  ASSERT_EQ(ask("DELETE", "keys/bob").status, 200);
  EXPECT_EQ(ask("GET", "session", {}, {{"cookie", cookie}}).status, 401);
}

TEST_F(AdminApiTest, ALoginNeedsAKeyOrTheServersOwnUser) {
  EXPECT_EQ(ask("POST", "session", "{}").status, 401);
  EXPECT_EQ(ask("POST", "session", "{}", {}, 1001).status, 401);
  EXPECT_EQ(ask("POST", "session", R"({"key":"fh-no"})", {}, 1000).status, 401);
  EXPECT_EQ(ask("POST", "session", "[]").status, 400);
  const Answer local = ask("POST", "session", "", {}, 1000);
  EXPECT_EQ(local.status, 200);
  EXPECT_EQ(local.body, R"({"key_id":"local","key_name":"this machine","role":"admin"})");
  EXPECT_NE(local.cookie.find("HttpOnly; SameSite=Strict"), std::string::npos) << local.cookie;
  const std::string cookie = local.cookie.substr(0, local.cookie.find(';'));
  EXPECT_EQ(ask("DELETE", "session", {}, {{"cookie", cookie}}).status, 204);
  EXPECT_EQ(ask("GET", "session", {}, {{"cookie", cookie}}).status, 401);
}

TEST_F(AdminApiTest, KeysAreMadeListedAndNeverShownAgain) {
  EXPECT_EQ(ask("POST", "keys", R"({"role":"admin"})").status, 400);
  EXPECT_EQ(ask("POST", "keys", R"({"name":"a","role":"king"})").status, 400);
  const Answer made = ask("POST", "keys", R"({"name":"a","project":"p","workload":"w"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const auto document = Document::parse(made.body);
  ASSERT_TRUE(document);
  const std::string key(*document->root()["key"].as_string());
  EXPECT_EQ(document->root()["record"]["role"].as_string(), "member");
  EXPECT_NE(keys_.table.authenticate(key), nullptr);
  const Answer list = ask("GET", "keys");
  EXPECT_EQ(list.body.find(key), std::string::npos);
  EXPECT_NE(list.body.find(R"("project":"p")"), std::string::npos);
  EXPECT_EQ(ask("POST", "keys", R"({"name":"a"})").status, 409);
}

TEST_F(AdminApiTest, WrongTypesNameTheirMember) {
  for (const auto& [path, body, field] : {std::tuple{"keys", R"({"name":5})", "name"},
                                          {"keys", R"({"name":"a","role":5})", "role"},
                                          {"keys", R"({"name":"a","project":{}})", "project"},
                                          {"keys", R"({"name":"a","workload":[]})", "workload"},
                                          {"session", R"({"key":5})", "key"}}) {
    const Answer answer = ask("POST", path, body, {}, 1000);
    EXPECT_EQ(answer.status, 400) << body << answer.body;
    EXPECT_NE(answer.body.find(R"("field":")" + std::string(field)), std::string::npos) << body;
  }
}

TEST_F(AdminApiTest, UsageByKeyNamesTheKey) {
  const std::string key = keys_.make("ada");
  reader_.key_id = keys_.table.authenticate(key)->id;
  const Answer json = ask("GET", "usage?by=key");
  EXPECT_EQ(json.status, 200);
  EXPECT_NE(json.body.find(R"("key_name":"ada")"), std::string::npos) << json.body;
  const Answer csv = ask("GET", "usage?by=key&format=csv");
  EXPECT_NE(csv.body.find(reader_.key_id + ",ada,3,"), std::string::npos) << csv.body;
}

TEST_F(AdminApiTest, WrongQueriesNameTheirParameter) {
  const struct {
    const char* path;
    const char* field;
  } rows[] = {{"usage?by=moon", "by"},          {"usage?from=24-11-2026", "from"},
              {"usage?to=2026-02-30", "to"},    {"requests?limit=0", "limit"},
              {"requests?limit=1001", "limit"}, {"requests?limit=x", "limit"},
              {"requests?before=1x", "before"}};
  for (const auto& row : rows) {
    const Answer answer = ask("GET", row.path);
    EXPECT_EQ(answer.status, 400) << row.path;
    EXPECT_NE(answer.body.find(std::string(R"("field":")") + row.field + '"'), std::string::npos)
        << answer.body;
  }
}

TEST_F(AdminApiTest, PagesSayWhereTheNextOneBegins) {
  EXPECT_NE(ask("GET", "requests?limit=1").body.find(R"("next_before":0)"), std::string::npos);
  EXPECT_NE(ask("GET", "requests?limit=2").body.find(R"("next_before":null)"), std::string::npos);
}

TEST_F(AdminApiTest, WhatIsNotThereIs404) {
  for (const char* path : {"nothing", "requests/req_x", "keysx", "status/x"}) {
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  }
  EXPECT_EQ(ask("POST", "status").status, 404);
  EXPECT_EQ(shutdowns_, 0);
  EXPECT_EQ(ask("POST", "shutdown").status, 202);
  EXPECT_EQ(shutdowns_, 1);
}

}  // namespace
}  // namespace fh::admin
