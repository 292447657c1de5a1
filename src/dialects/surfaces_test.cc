// What both surfaces share: equal conversations, ids, model names, errors, the list of models.

#include <gtest/gtest.h>

#include "dialects/anthropic/errors.h"
#include "dialects/anthropic/request.h"
#include "dialects/content.h"
#include "dialects/failures.h"
#include "dialects/ids.h"
#include "dialects/model_names.h"
#include "dialects/models.h"
#include "dialects/openai_chat/errors.h"
#include "dialects/openai_chat/request.h"
#include "dialects/stream_rules.h"

namespace fh::dialects {
namespace {

using base::Code;
using base::Error;
using codec::json::Document;

TEST(Surfaces, SameContentGivesTheSameConversation) {
  const auto anthropic = anthropic::parse_request(
      R"({"model":"m","max_tokens":100,"temperature":0.5,"stop_sequences":["X"],
          "system":[{"type":"text","text":"x-anthropic-billing-header: a"},
                    {"type":"text","text":"You are terse.","cache_control":{"type":"ephemeral"}}],
          "tools":[{"name":"read","description":"Reads.","strict":true,
                    "input_schema":{"type":"object","properties":{"z":{},"a":{}}}}],
          "tool_choice":{"type":"any","disable_parallel_tool_use":true},
          "output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}},
          "messages":[
            {"role":"user","content":[{"type":"text","text":"Look."},
              {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]},
            {"role":"system","content":"12 tokens left"},
            {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""},
              {"type":"text","text":"I read."},
              {"type":"tool_use","id":"toolu_1","name":"read","input":{"z":1.50,"a":"\u00e9"}},
              {"type":"tool_use","id":"toolu_2","name":"read","input":{}}]},
            {"role":"user","content":[
              {"type":"tool_result","tool_use_id":"toolu_1","content":"one"},
              {"type":"tool_result","tool_use_id":"toolu_2",
               "content":[{"type":"text","text":"two"}]},
              {"type":"text","text":"And?"}]}]})");
  const auto chat = openai_chat::parse_request(
      R"({"model":"m","max_completion_tokens":100,"temperature":0.5,"stop":"X",
          "tools":[{"type":"function","function":{"name":"read","description":"Reads.",
            "strict":true,"parameters":{"type":"object","properties":{"z":{},"a":{}}}}}],
          "tool_choice":"required","parallel_tool_calls":false,
          "response_format":{"type":"json_schema","json_schema":{"name":"n",
            "schema":{"type":"object"}}},
          "messages":[
            {"role":"system","content":"You are terse."},
            {"role":"user","content":[{"type":"text","text":"Look."},
              {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
            {"role":"developer","content":"12 tokens left"},
            {"role":"assistant","reasoning_content":"hm","content":"I read.","tool_calls":[
              {"id":"call_1","type":"function","function":{"name":"read",
                "arguments":"{\"z\":1.50,\"a\":\"\\u00e9\"}"}},
              {"id":"call_2","type":"function","function":{"name":"read","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"call_1","content":"one"},
            {"role":"tool","tool_call_id":"call_2","content":"two"},
            {"role":"user","content":"And?"}]})");
  ASSERT_TRUE(anthropic) << anthropic.error().field << anthropic.error().text();
  ASSERT_TRUE(chat) << chat.error().field << chat.error().text();
  EXPECT_EQ(anthropic->generation.conversation, chat->generation.conversation);
  EXPECT_EQ(anthropic->generation, chat->generation);
  // Bytes of schemas and arguments are those received.
  const auto& conversation = chat->generation.conversation;
  EXPECT_EQ(conversation.tools[0].parameters_json,
            R"({"type":"object","properties":{"z":{},"a":{}}})");
}

TEST(Ids, MapInBothDirections) {
  EXPECT_EQ(anthropic_tool_id("call_a1"), "toolu_a1");
  EXPECT_EQ(internal_tool_id("toolu_a1"), "call_a1");
  EXPECT_EQ(internal_tool_id(anthropic_tool_id("call_x")), "call_x");
  EXPECT_EQ(internal_tool_id("call_x"), "call_x");
  EXPECT_EQ(internal_tool_id("other"), "other");
  EXPECT_EQ(anthropic_tool_id("other"), "other");
  EXPECT_EQ(reply_id("msg_", "req_abc"), "msg_abc");
  EXPECT_EQ(reply_id("chatcmpl-", "abc"), "chatcmpl-abc");
  EXPECT_EQ(derived_tool_id("msg_abc", 2), "call_abc_2");
}

TEST(ModelNames, SuffixAndAlias) {
  EXPECT_EQ(canonical_model_name("qwen[1m]"), "qwen");
  EXPECT_EQ(canonical_model_name("qwen[1M]"), "qwen");
  EXPECT_EQ(canonical_model_name("anthropic-local/qwen[1m]"), "qwen");
  EXPECT_EQ(canonical_model_name("org/qwen:7b"), "org/qwen:7b");
  EXPECT_EQ(canonical_model_name("[1m]"), "[1m]");
  EXPECT_EQ(canonical_model_name("anthropic-local/"), "anthropic-local/");
  EXPECT_EQ(canonical_model_name(alias_of("m")), "m");
}

TEST(Arguments, AreOneObject) {
  EXPECT_EQ(arguments_object(""), "{}");
  EXPECT_EQ(arguments_object(" \n"), "{}");
  EXPECT_EQ(arguments_object(R"( {"b":1,  "a":2} )"), R"({"b":1,  "a":2})");
  EXPECT_EQ(arguments_object("[1]"), R"({"input":"[1]"})");
  EXPECT_EQ(arguments_object("{\"a\":"), R"({"input":"{\"a\":"})");
}

Error error(Code code, std::string reason = {}, std::string message = "m") {
  return {code, std::move(message), {}, {}, std::move(reason)};
}

TEST(Errors, Tables) {
  const struct {
    Error error;
    int anthropic_status;
    const char* anthropic_type;
    int openai_status;
    const char* openai_type;
    const char* openai_code;
    bool retry;
  } rows[] = {
      {error(Code::InvalidArgument), 400, "invalid_request_error", 400, "invalid_request_error", "",
       false},
      {error(Code::Unimplemented), 400, "invalid_request_error", 400, "invalid_request_error", "",
       false},
      {error(Code::FailedPrecondition), 400, "invalid_request_error", 400, "invalid_request_error",
       "", false},
      {error(Code::Unauthenticated), 401, "authentication_error", 401, "invalid_request_error",
       "invalid_api_key", false},
      {error(Code::PermissionDenied), 403, "permission_error", 403, "invalid_request_error",
       "permission_denied", false},
      {model_not_found("x"), 404, "not_found_error", 404, "invalid_request_error",
       "model_not_found", false},
      {error(Code::Aborted), 409, "conflict_error", 409, "invalid_request_error", "conflict", true},
      {error(Code::InvalidArgument, "request_too_large"), 413, "request_too_large", 413,
       "invalid_request_error", "request_too_large", false},
      {error(Code::ResourceExhausted), 429, "rate_limit_error", 429, "rate_limit_error",
       "rate_limit_exceeded", true},
      {error(Code::ResourceExhausted, "budget_exceeded"), 402, "billing_error", 429,
       "insufficient_quota", "insufficient_quota", false},
      {error(Code::Internal), 500, "api_error", 500, "server_error", "server_error", true},
      {error(Code::DeadlineExceeded), 504, "timeout_error", 504, "server_error", "timeout", true},
      {error(Code::Unavailable), 529, "overloaded_error", 503, "server_error",
       "server_is_overloaded", true},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(base::code_name(row.error.code));
    EXPECT_EQ(anthropic::http_status(row.error), row.anthropic_status);
    EXPECT_EQ(openai_chat::http_status(row.error), row.openai_status);
    const auto a = Document::parse(anthropic::error_body(row.error, "req_1"));
    ASSERT_TRUE(a);
    EXPECT_EQ(test::str(a->root()["type"]), "error");
    EXPECT_EQ(test::str(a->root()["request_id"]), "req_1");
    EXPECT_EQ(test::str(a->root()["error"]["type"]), row.anthropic_type);
    const auto o = Document::parse(openai_chat::error_body(row.error));
    ASSERT_TRUE(o);
    const auto inner = o->root()["error"];
    EXPECT_EQ(test::str(inner["type"]), row.openai_type);
    EXPECT_EQ(inner["code"].is_null() ? "" : test::str(inner["code"]), row.openai_code);
    EXPECT_TRUE(inner["message"].is_string());
    const auto headers = retry_headers(row.error);
    EXPECT_EQ(headers[0], (std::pair<std::string, std::string>{"x-should-retry",
                                                               row.retry ? "true" : "false"}));
    EXPECT_EQ(headers.size(), row.retry ? 3u : 1u);
  }
}

TEST(Errors, OverflowSentences) {
  const Error overflow = error(Code::OutOfRange, "context_length_exceeded", "140311 2311 131072");
  EXPECT_EQ(anthropic::http_status(overflow), 400);
  EXPECT_EQ(openai_chat::http_status(overflow), 400);
  const auto a = Document::parse(anthropic::error_body(overflow, "req_1"));
  EXPECT_EQ(test::str(a->root()["error"]["message"]),
            "prompt is too long: 140311 tokens > 131072 maximum");
  EXPECT_EQ(test::str(a->root()["error"]["type"]), "invalid_request_error");
  const auto o = Document::parse(openai_chat::error_body(overflow));
  EXPECT_EQ(
      test::str(o->root()["error"]["message"]),
      "This model's maximum context length is 131072 tokens. However, your messages resulted "
      "in 140311 tokens (138000 in the messages, 2311 in the tools). Please reduce the length "
      "of the messages.");
  EXPECT_EQ(test::str(o->root()["error"]["code"]), "context_length_exceeded");
  EXPECT_EQ(test::str(o->root()["error"]["param"]), "messages");
  const auto input = Document::parse(openai_chat::error_body(overflow, "", "input"));
  EXPECT_EQ(test::str(input->root()["error"]["param"]), "input");
  const Error unknown_tools = error(Code::OutOfRange, "context_length_exceeded", "9 0 8");
  EXPECT_EQ(openai_chat::error_body(unknown_tools).find("(9"), std::string::npos);
  for (const char* bad : {"", "9", "9 0", "9 x 8", "9 0 8 7", "1 2 3 4", "1 5 3"}) {
    EXPECT_FALSE(overflow_counts(error(Code::OutOfRange, "context_length_exceeded", bad))) << bad;
  }
  EXPECT_FALSE(overflow_counts(error(Code::OutOfRange, "", "9 0 8")));
}

TEST(Errors, FieldHintAndWaits) {
  Error wrong = error(Code::InvalidArgument, "", "must be 1");
  wrong.field = "n";
  wrong.hint = "send one request each";
  EXPECT_EQ(shown_message(wrong), "n: must be 1 (send one request each)");
  const auto body = Document::parse(openai_chat::error_body(wrong));
  EXPECT_EQ(test::str(body->root()["error"]["param"]), "n");
  EXPECT_TRUE(body->root()["error"]["code"].exists());
  EXPECT_EQ(shown_message({}), "unknown");
  const auto headers = retry_headers(error(Code::ResourceExhausted), 1500);
  EXPECT_EQ(headers[1].second, "1500");
  EXPECT_EQ(headers[2].second, "2");
  EXPECT_EQ(anthropic::strict_limit_overflow(120000, 32000, 131072).message,
            "input length and `max_tokens` exceed context limit: 120000 + 32000 > 131072, decrease "
            "input length or `max_tokens` and try again");
}

std::vector<ModelCard> cards() {
  ModelCard chat{"qwen", "Qwen", 1760000000, 32768, 8192, true, true, true, true};
  ModelCard embed{"org/embed:v1", "", 1760000000, 0, 0, false, false, false, false};
  return {chat, embed};
}

std::vector<std::string> ids_of(const std::string& body) {
  const auto document = Document::parse(body);
  std::vector<std::string> ids;
  if (!document) ADD_FAILURE() << body;
  if (document) {
    for (const auto model : document->root()["data"].elements())
      ids.push_back(test::str(model["id"]));
  }
  return ids;
}

TEST(Models, UnionObject) {
  const auto document = Document::parse(models_body(cards(), {}));
  ASSERT_TRUE(document);
  const auto root = document->root();
  EXPECT_EQ(root["has_more"].as_bool(), false);
  EXPECT_EQ(test::str(root["first_id"]), "qwen");
  EXPECT_EQ(test::str(root["last_id"]), "anthropic-local/qwen");
  const auto model = root["data"][std::size_t{0}];
  EXPECT_EQ(test::str(model["object"]), "model");
  EXPECT_EQ(test::str(model["type"]), "model");
  EXPECT_EQ(test::str(model["display_name"]), "Qwen");
  EXPECT_EQ(test::str(model["created_at"]), "2025-10-09T08:53:20Z");
  EXPECT_EQ(model["max_input_tokens"].as_int(), 32768);
  EXPECT_EQ(model["max_tokens"].as_int(), 8192);
  EXPECT_EQ(model["capabilities"]["thinking"]["types"]["adaptive"]["supported"].as_bool(), true);
  EXPECT_TRUE(root["data"][std::size_t{1}]["max_input_tokens"].is_null());
  EXPECT_EQ(root["models"].size(), 1u);
  EXPECT_EQ(test::str(root["models"][std::size_t{0}]["slug"]), "qwen");
  const auto single = Document::parse(model_body(cards()[0], "anthropic-local/qwen"));
  EXPECT_EQ(test::str(single->root()["id"]), "anthropic-local/qwen");
}

TEST(Models, Paging) {
  const auto page = [](std::string_view limit, std::string_view after, std::string_view before) {
    return ids_of(models_body(cards(), *models_query(limit, after, before)));
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(page("", "", ""), (Ids{"qwen", "org/embed:v1", "anthropic-local/qwen"}));
  EXPECT_EQ(page("1000", "", ""), page("", "", ""));
  EXPECT_EQ(page("1", "", ""), (Ids{"qwen"}));
  EXPECT_EQ(page("1", "qwen", ""), (Ids{"org/embed:v1"}));
  EXPECT_EQ(page("5", "org/embed:v1", ""), (Ids{"anthropic-local/qwen"}));
  EXPECT_EQ(page("1", "", "anthropic-local/qwen"), (Ids{"org/embed:v1"}));
  EXPECT_EQ(page("", "anthropic-local/qwen", ""), Ids{});
  EXPECT_EQ(page("", "nobody", ""), Ids{});
  for (const char* bad : {"0", "1001", "x", "-1", "5x"}) {
    EXPECT_FALSE(models_query(bad, "", "")) << bad;
  }
  const auto first = Document::parse(models_body(cards(), *models_query("1", "", "")));
  EXPECT_EQ(first->root()["has_more"].as_bool(), true);
  ModelsQuery plain;
  plain.aliases = false;
  EXPECT_EQ(ids_of(models_body(cards(), plain)), (Ids{"qwen", "org/embed:v1"}));
  EXPECT_EQ(ids_of(models_body({}, {})), Ids{});
}

TEST(Models, Find) {
  const auto list = cards();
  for (const char* name :
       {"qwen", "qwen[1m]", "anthropic-local/qwen", "anthropic-local/qwen[1m]"}) {
    EXPECT_EQ(find_model(list, name), &list[0]) << name;
  }
  EXPECT_EQ(find_model(list, "org/embed:v1"), &list[1]);
  EXPECT_EQ(find_model(list, "nobody"), nullptr);
}

}  // namespace
}  // namespace fh::dialects
