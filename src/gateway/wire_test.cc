// The adapters between dialects and gateway: which surface answers, with which status, headers and
// words; what is refused before an engine is asked; what `diagnostics` says.

#include "gateway/wire.h"

#include <gtest/gtest.h>

#include "codec/json.h"
#include "gateway/test_support.h"

namespace fh::gateway {
namespace {

using codec::json::Document;
using testing::header_of;
using testing::IdleEngine;
using testing::request_for;

Document parsed(std::string_view body) {
  auto document = Document::parse(body);
  if (!document) {
    ADD_FAILURE() << body;
    return *Document::parse("{}");
  }
  return *std::move(document);
}

std::string text(codec::json::Value value) {
  return std::string(value.as_string().value_or("<none>"));
}

std::unique_ptr<WireCall> call_of(RouteId route, std::string body) {
  auto call = parse_call(route, request_for("POST", "/", {}, std::move(body)));
  if (!call) {
    ADD_FAILURE() << call.error().text();
    return nullptr;
  }
  return *std::move(call);
}

base::Error error_of(base::Code code, std::string reason = {}) {
  return base::Error{code, "words", {}, {}, std::move(reason)};
}

TEST(Wire, ErrorsInTheShapeOfTheSurface) {
  const struct {
    base::Error error;
    int anthropic;
    const char* anthropic_type;
    int openai;
    const char* openai_type;
    const char* openai_code;
  } rows[] = {
      {error_of(base::Code::InvalidArgument), 400, "invalid_request_error", 400,
       "invalid_request_error", "<none>"},
      {error_of(base::Code::Unauthenticated, "invalid_api_key"), 401, "authentication_error", 401,
       "invalid_request_error", "invalid_api_key"},
      {error_of(base::Code::NotFound, "model_not_found"), 404, "not_found_error", 404,
       "invalid_request_error", "model_not_found"},
      {error_of(base::Code::InvalidArgument, "request_too_large"), 413, "request_too_large", 413,
       "invalid_request_error", "request_too_large"},
      {error_of(base::Code::ResourceExhausted, "queue_full"), 429, "rate_limit_error", 429,
       "rate_limit_error", "rate_limit_exceeded"},
      {error_of(base::Code::ResourceExhausted), 429, "rate_limit_error", 429, "rate_limit_error",
       "rate_limit_exceeded"},
      {error_of(base::Code::Unavailable), 529, "overloaded_error", 503, "server_error",
       "server_is_overloaded"},
      {error_of(base::Code::Internal), 500, "api_error", 500, "server_error", "server_error"},
  };
  for (const auto& row : rows) {
    const auto one = error_response(Surface::Anthropic, row.error, "req_1", 1500);
    EXPECT_EQ(one.status, row.anthropic);
    const Document message = parsed(one.body);
    EXPECT_EQ(text(message.root()["error"]["type"]), row.anthropic_type);
    EXPECT_EQ(text(message.root()["request_id"]), "req_1");
    const auto two = error_response(Surface::OpenAi, row.error, "req_1", 1500);
    EXPECT_EQ(two.status, row.openai);
    const Document chat = parsed(two.body);
    EXPECT_EQ(text(chat.root()["error"]["type"]), row.openai_type);
    EXPECT_EQ(text(chat.root()["error"]["code"]), row.openai_code);
    for (const auto& response : {one, two}) {
      EXPECT_EQ(header_of(response, "request-id"), "req_1");
      EXPECT_EQ(header_of(response, "x-request-id"), "req_1");
      const bool again = response.status >= 429;
      EXPECT_EQ(header_of(response, "x-should-retry"), again ? "true" : "false");
      EXPECT_EQ(header_of(response, "retry-after").empty(), !again);
      if (response.status == 429) {
        EXPECT_EQ(header_of(response, "retry-after-ms"), "1500");
        EXPECT_EQ(header_of(response, "retry-after"), "2");
      }
    }
  }
}

TEST(Wire, AdminErrorsHaveEveryMember) {
  const auto response = error_response(
      Surface::Admin, {base::Code::FailedPrecondition, "m", "h", "f", "r"}, "req_1", 0);
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(
      response.body,
      R"({"error":{"code":"failed_precondition","message":"m","hint":"h","field":"f","reason":"r"}})");
}

TEST(Wire, WhereOnePathServesTwoSurfacesTheClientDecides) {
  const std::vector<net::Header> version = {{"Anthropic-Version", "2023-06-01"}};
  const struct {
    const char* method;
    const char* path;
    Surface without;
    Surface with;
  } rows[] = {
      {"GET", "/v1/models", Surface::OpenAi, Surface::Anthropic},
      {"GET", "/v1/models/x", Surface::OpenAi, Surface::Anthropic},
      {"POST", "/v1/complete", Surface::OpenAi, Surface::Anthropic},
      {"POST", "/v1/messages", Surface::Anthropic, Surface::Anthropic},
      {"POST", "/v1/chat/completions", Surface::OpenAi, Surface::OpenAi},
      {"GET", "/admin/v1/keys", Surface::Admin, Surface::Admin},
      {"GET", "/nowhere", Surface::Plain, Surface::Plain},
  };
  for (const auto& row : rows) {
    const RouteMatch match = match_route(row.method, row.path);
    EXPECT_EQ(surface_of(match, request_for(row.method, row.path)), row.without) << row.path;
    EXPECT_EQ(surface_of(match, request_for(row.method, row.path, version)), row.with) << row.path;
  }
}

TEST(Wire, NoRouteIs404AndAnotherMethodIs405WithAllow) {
  const auto answer = [](const char* method, const char* path) {
    return no_route_response(match_route(method, path), request_for(method, path), "req_1");
  };
  const auto method = answer("DELETE", "/v1/messages");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(header_of(method, "allow"), "POST, OPTIONS");
  EXPECT_EQ(header_of(method, "x-should-retry"), "false");
  EXPECT_EQ(text(parsed(method.body).root()["error"]["type"]), "invalid_request_error");
  const auto path = answer("GET", "/v1/responses/x");
  EXPECT_EQ(path.status, 404);
  EXPECT_EQ(header_of(path, "allow"), "");
  EXPECT_EQ(text(parsed(path.body).root()["error"]["code"]), "not_found");
}

TEST(Wire, AbilitiesAreCheckedAtTheClientsOwnPart) {
  const auto one = call_of(RouteId::Messages,
                           R"({"model":"m","max_tokens":9,"system":"s","messages":[
          {"role":"user","content":"a"},
          {"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"t","input":{}}]},
          {"role":"user","content":[
            {"type":"tool_result","tool_use_id":"toolu_1","content":[
              {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},
            {"type":"text","text":"see"},
            {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]}]})");
  const auto two = call_of(RouteId::ChatCompletions,
                           R"({"model":"m","messages":[
          {"role":"system","content":"s"},
          {"role":"tool","tool_call_id":"c","content":[
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},
          {"role":"user","content":[
            {"type":"text","text":"see"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]})");
  engine::ModelInfo text_model;
  engine::ModelInfo seeing;
  seeing.images = true;
  const std::pair<const WireCall*, const char*> rows[] = {{one.get(), "messages.2.content.2"},
                                                          {two.get(), "messages.2.content.1"}};
  for (const auto& [call, field] : rows) {
    ASSERT_NE(call, nullptr);
    EXPECT_TRUE(call->check_abilities(seeing));
    const base::Status refused = call->check_abilities(text_model);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::Code::InvalidArgument);
    EXPECT_EQ(refused.error().field, field);
    EXPECT_EQ(refused.error().reason, "images_unsupported");
  }
}

TEST(Wire, ImagesInToolResultsAndPlainTextDemandNothing) {
  const engine::ModelInfo text_model;
  const auto call = call_of(RouteId::Messages,
                            R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[
          {"type":"tool_result","tool_use_id":"toolu_1","content":[
            {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}},
            {"type":"document","source":{"type":"base64","media_type":"a/b","data":"AA=="}}]},
          {"type":"document","source":{"type":"text","media_type":"text/plain","data":"x"}}]}]})");
  ASSERT_NE(call, nullptr);
  EXPECT_TRUE(call->check_abilities(text_model));
}

TEST(Wire, ContentThatNoModelReadsIsNamed) {
  engine::ModelInfo seeing;
  seeing.images = true;
  const auto call = call_of(RouteId::ChatCompletions,
                            R"({"model":"m","input":[{"role":"user","content":[
          {"type":"input_text","text":"hear"},
          {"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}]}]})");
  ASSERT_NE(call, nullptr);
  const base::Status refused = call->check_abilities(seeing);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "input.0.content.1");
  EXPECT_EQ(refused.error().reason, "content_unsupported");
  EXPECT_NE(refused.error().message.find("input_audio"), std::string::npos);
}

// One whole answer of nothing; returns its body.
std::string answer(WireCall& call, WireMemory* memory, const char* id, const char* tenant = "t") {
  call.take_generation();
  ReplyContext context;
  context.request_id = "req_1";
  context.prompt_tokens = 120;
  context.reply_id_suffix = id;
  context.tenant = tenant;
  context.memory = memory;
  const auto reply = call.reply(std::move(context));
  domain::Finished end;
  end.usage = {.input_uncached = 20, .cache_read = 100, .output = 0};
  reply->on_event(end);
  return reply->body();
}

std::string turn(const char* tool, const char* messages, const char* previous) {
  return std::string(R"({"model":"m","max_tokens":9,"system":"s","tools":[{"name":"f",)") +
         R"("input_schema":{},"description":")" + tool + R"("}],"messages":[)" + messages +
         R"(],"diagnostics":{"previous_message_id":)" + previous + "}}";
}

TEST(Wire, DiagnosticsCompareWithTheTurnThatIsNamed) {
  constexpr const char* kFirst = R"({"role":"user","content":"a"})";
  constexpr const char* kLonger =
      R"({"role":"user","content":"a"},{"role":"assistant","content":"b"},
         {"role":"user","content":"c"})";
  constexpr const char* kOther = R"({"role":"user","content":"x"},{"role":"user","content":"c"})";
  WireMemory memory;
  const auto ask = [&](const std::string& body, const char* id, const char* tenant = "t") {
    const auto call = call_of(RouteId::Messages, body);
    return std::string(parsed(answer(*call, &memory, id, tenant))
                           .root()["diagnostics"]["cache_miss_reason"]
                           .raw());
  };
  EXPECT_EQ(ask(turn("d", kFirst, "null"), "1"), "null");
  EXPECT_EQ(ask(turn("d", kLonger, R"("msg_1")"), "2"), "null");
  // 120 tokens could have been read from the cache, 100 were.
  EXPECT_EQ(ask(turn("e", kLonger, R"("msg_1")"), "3"),
            R"({"type":"tools_changed","cache_missed_input_tokens":20})");
  EXPECT_EQ(ask(turn("d", kOther, R"("msg_1")"), "4"),
            R"({"type":"messages_changed","cache_missed_input_tokens":20})");
  EXPECT_EQ(ask(turn("d", kFirst, R"("msg_2")"), "5"),
            R"({"type":"messages_changed","cache_missed_input_tokens":20})");
  EXPECT_EQ(ask(turn("d", kLonger, R"("msg_9")"), "6"), R"({"type":"previous_message_not_found"})");
  EXPECT_EQ(ask(turn("d", kLonger, R"("msg_1")"), "7", "other"),
            R"({"type":"previous_message_not_found"})");
}

TEST(Wire, DiagnosticsAreNullUnlessAskedFor) {
  WireMemory memory;
  const auto call =
      call_of(RouteId::Messages,
              R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}]})");
  EXPECT_TRUE(parsed(answer(*call, &memory, "1")).root()["diagnostics"].is_null());
  EXPECT_EQ(memory.turns.size(), 0u);
}

TEST(Wire, ModelsAreListedAndFoundUnderEveryName) {
  engine::ModelInfo info;
  info.context_tokens = 4096;
  IdleEngine engine(info);
  ModelDirectory models;
  ServedModel served;
  served.id = "tiny";
  served.aliases = {"default", "small"};
  served.engine = &engine;
  models.add(served);
  const auto list = models_body(models, request_for("GET", "/v1/models"));
  ASSERT_TRUE(list);
  const Document document = parsed(*list);
  EXPECT_EQ(text(document.root()["data"][std::size_t{0}]["id"]), "tiny");
  EXPECT_EQ(document.root()["data"][std::size_t{0}]["max_input_tokens"].as_int(), 4096);
  for (const char* name : {"tiny", "small", "default", "tiny[1m]", "anthropic-local/tiny"}) {
    const auto one = model_body(models, name);
    ASSERT_TRUE(one) << name;
    EXPECT_EQ(text(parsed(*one).root()["type"]), "model");
  }
  EXPECT_EQ(model_body(models, "nobody").error().reason, "model_not_found");
}

}  // namespace
}  // namespace fh::gateway
