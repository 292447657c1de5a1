// Browsers: what a page of another origin is told, and what it may read.

#include "gateway/cross_origin.h"

#include <gtest/gtest.h>

#include "gateway/test_support.h"
#include "net/memory.h"

namespace fh::gateway {
namespace {

using testing::header_of;
using testing::request_for;

constexpr const char* kPage = "http://localhost:3000";

TEST(CrossOrigin, AQuestionIsAnsweredWithWhatTheRouteTakes) {
  const auto answer =
      options_response(request_for("OPTIONS", "/v1/messages",
                                   {{"origin", kPage},
                                    {"access-control-request-method", "POST"},
                                    {"access-control-request-headers", "x-api-key,content-type"}}),
                       "req_1");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(header_of(answer, "allow"), "POST, OPTIONS");
  EXPECT_EQ(header_of(answer, "access-control-allow-methods"), "POST, OPTIONS");
  EXPECT_EQ(header_of(answer, "access-control-allow-headers"), "x-api-key,content-type");
  EXPECT_EQ(header_of(answer, "request-id"), "req_1");
  EXPECT_EQ(header_of(answer, "access-control-allow-credentials"), "");
}

TEST(CrossOrigin, WithoutABrowserOptionsSaysAllowAlone) {
  const auto answer = options_response(request_for("OPTIONS", "/v1/models"), "req_1");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(header_of(answer, "allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(header_of(answer, "access-control-allow-methods"), "");
}

TEST(CrossOrigin, TheAdminApiAndTheConsoleAreNotShared) {
  for (const char* path : {"/v1/messages", "/v1/chat/completions", "/v1/models", "/v1/models/a/b",
                           "/chat/completions", "/healthz", "/api/version"}) {
    EXPECT_TRUE(readable_across_origins(path)) << path;
  }
  for (const char* path :
       {"/admin/v1/session", "/admin/v1/keys", "/", "/assets/a.js", "/nowhere"}) {
    EXPECT_FALSE(readable_across_origins(path)) << path;
    const auto request = request_for(
        "OPTIONS", path, {{"origin", kPage}, {"access-control-request-method", "POST"}});
    EXPECT_EQ(reading_origin(request), "");
    EXPECT_EQ(header_of(options_response(request, "r"), "access-control-allow-methods"), "");
  }
}

net::Task<void> send_one(net::ResponseWriter& writer, std::string origin) {
  CrossOriginReply reply(writer, std::move(origin));
  net::HttpResponse response;
  response.status = 401;
  response.headers = {{"content-type", "application/json"}};
  co_await reply.send(std::move(response));
}

net::Task<void> stream_one(net::ResponseWriter& writer, std::string origin) {
  CrossOriginReply reply(writer, std::move(origin));
  std::vector<net::Header> headers = {{"content-type", "text/event-stream"}};
  co_await reply.begin(200, std::move(headers));
  co_await reply.write("a");
  co_await reply.write("b");
  reply.close_after();
  co_await reply.finish();
}

TEST(CrossOrigin, EveryKindOfAnswerCarriesTheFields) {
  base::ManualClock clock;
  net::Runtime runtime(clock);
  for (const bool streamed : {false, true}) {
    net::MemoryResponse writer(runtime);
    runtime.spawn(streamed ? stream_one(writer, kPage) : send_one(writer, kPage));
    runtime.poll();
    EXPECT_EQ(writer.status(), streamed ? 200 : 401);
    EXPECT_TRUE(writer.finished());
    EXPECT_EQ(writer.closing(), streamed);
    EXPECT_EQ(writer.header("access-control-allow-origin"), kPage);
    EXPECT_EQ(writer.header("vary"), "origin");
    EXPECT_NE(writer.header("access-control-expose-headers").find("request-id"),
              std::string_view::npos);
    EXPECT_EQ(writer.body(), streamed ? "ab" : "");
  }
}

TEST(CrossOrigin, WithoutAnOriginNothingIsAdded) {
  base::ManualClock clock;
  net::Runtime runtime(clock);
  net::MemoryResponse writer(runtime);
  runtime.spawn(send_one(writer, ""));
  runtime.poll();
  EXPECT_EQ(writer.headers().size(), 1u);
}

}  // namespace
}  // namespace fh::gateway
