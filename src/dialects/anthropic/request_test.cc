// Anthropic requests: what is taken, what is refused and at which field.

#include "dialects/anthropic/request.h"

#include <gtest/gtest.h>

#include "dialects/content.h"

namespace fh::dialects::anthropic {
namespace {

using domain::Role;
using Mode = domain::ToolChoice::Mode;

// A body with `members` beside model, max_tokens and one message.
std::string with(std::string_view members) {
  std::string body = R"({"model":"m","max_tokens":10,"messages":[{"role":"user","content":"hi"}])";
  if (!members.empty()) body += ",";
  body += members;
  return body + "}";
}
std::string with_messages(std::string_view messages) {
  return R"({"model":"m","max_tokens":10,"messages":)" + std::string(messages) + "}";
}
Request good(const std::string& body) {
  auto request = parse_request(body);
  if (!request) {
    ADD_FAILURE() << body << "\n" << request.error().field << ": " << request.error().text();
    return {};
  }
  return *std::move(request);
}
std::string text_of(const domain::Message& message) {
  std::string text;
  for (const auto& part : message.parts) {
    if (const auto* plain = std::get_if<domain::TextPart>(&part)) text += plain->text + "|";
  }
  return text;
}

struct Refusal {
  const char* body;
  const char* field;
};

TEST(AnthropicRequest, RefusalsNameTheField) {
  const Refusal refusals[] = {
      {R"([])", ""},
      {R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}]})", "model"},
      {R"({"model":"","max_tokens":1,"messages":[]})", "model"},
      {R"({"model":7,"max_tokens":1,"messages":[]})", "model"},
      {R"({"model":"m","messages":[{"role":"user","content":"x"}]})", "max_tokens"},
      {R"({"model":"m","max_tokens":-1,"messages":[]})", "max_tokens"},
      {R"({"model":"m","max_tokens":1.5,"messages":[]})", "max_tokens"},
      {R"({"model":"m","max_tokens":"9","messages":[]})", "max_tokens"},
      {R"({"model":"m","max_tokens":1})", "messages"},
      {R"({"model":"m","max_tokens":1,"messages":[]})", "messages"},
      {R"({"model":"m","max_tokens":1,"messages":{}})", "messages"},
      {R"({"model":"m","max_tokens":1,"messages":["x"]})", "messages.0"},
      {R"({"model":"m","max_tokens":1,"messages":[{"content":"x"}]})", "messages.0.role"},
      {R"({"model":"m","max_tokens":1,"messages":[{"role":"tool","content":"x"}]})",
       "messages.0.role"},
      {R"({"model":"m","max_tokens":1,"messages":[{"role":"user"}]})", "messages.0.content"},
      {R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":5}]})",
       "messages.0.content"},
  };
  for (const Refusal& refusal : refusals) {
    const auto request = parse_request(refusal.body);
    ASSERT_FALSE(request) << refusal.body;
    EXPECT_EQ(request.error().code, base::Code::InvalidArgument);
    EXPECT_EQ(request.error().field, refusal.field) << refusal.body;
    EXPECT_FALSE(request.error().message.empty());
  }
}

TEST(AnthropicRequest, RefusalsInMembers) {
  const Refusal refusals[] = {
      {R"("stream":"yes")", "stream"},
      {R"("temperature":"hot")", "temperature"},
      {R"("temperature":-0.1)", "temperature"},
      {R"("top_p":1.5)", "top_p"},
      {R"("top_k":-1)", "top_k"},
      {R"("stop_sequences":"x")", "stop_sequences"},
      {R"("stop_sequences":["x",1])", "stop_sequences.1"},
      {R"("system":5)", "system"},
      {R"("system":[{"type":"image"}])", "system.0.type"},
      {R"("system":[{"type":"text"}])", "system.0.text"},
      {R"("tools":{})", "tools"},
      {R"("tools":[{"input_schema":{}}])", "tools.0.name"},
      {R"("tools":[{"name":"a"}])", "tools.0.input_schema"},
      {R"("tools":[{"name":"a","input_schema":[]}])", "tools.0.input_schema"},
      {R"("tools":[{"name":"a","input_schema":{},"strict":1}])", "tools.0.strict"},
      {R"("tools":[{"name":"a","input_schema":{}},{"name":"a","input_schema":{}}])",
       "tools.1.name"},
      {R"("tool_choice":"auto")", "tool_choice"},
      {R"("tool_choice":{"type":"some"})", "tool_choice.type"},
      {R"("tool_choice":{"type":"tool"})", "tool_choice.name"},
      {R"("tool_choice":{"type":"any"})", "tool_choice"},
      {R"("tools":[{"name":"a","input_schema":{}}],"tool_choice":{"type":"tool","name":"b"})",
       "tool_choice"},
      {R"("thinking":{"type":"loud"})", "thinking.type"},
      {R"("thinking":{"type":"enabled"})", "thinking.budget_tokens"},
      {R"("thinking":{"type":"enabled","budget_tokens":1023})", "thinking.budget_tokens"},
      {R"("thinking":{"type":"adaptive","display":"x"})", "thinking.display"},
      {R"("output_config":{"effort":"huge"})", "output_config.effort"},
      {R"("output_config":{"format":{"type":"xml"}})", "output_config.format.type"},
      {R"("output_config":{"format":{"type":"json_schema"}})", "output_config.format.schema"},
      {R"("metadata":{"user_id":5})", "metadata.user_id"},
      {R"("diagnostics":{"previous_message_id":5})", "diagnostics.previous_message_id"},
      {R"("cache_control":{"ttl":"2h"})", "cache_control.ttl"},
      {R"("cache_control":{"type":"forever"})", "cache_control.type"},
      {R"("context_management":"none")", "context_management"},
      {R"("mcp_servers":{})", "mcp_servers"},
      {R"("service_tier":"bronze")", "service_tier"},
      {R"("service_tier":5)", "service_tier"},
      {R"("speed":"warp")", "speed"},
      {R"("inference_geo":5)", "inference_geo"},
      {R"("container":5)", "container"},
      {R"("tools":[{"name":"a","input_schema":{},"eager_input_streaming":1}])",
       "tools.0.eager_input_streaming"},
      {R"("tools":[{"name":"a","input_schema":{},"input_examples":{}}])", "tools.0.input_examples"},
      {R"("tools":[{"name":"a","input_schema":{},"allowed_callers":"x"}])",
       "tools.0.allowed_callers"},
      {R"("tools":[{"name":"a","input_schema":{"type":"string"}}])", "tools.0.input_schema.type"},
  };
  for (const Refusal& refusal : refusals) {
    const auto request = parse_request(with(refusal.body));
    ASSERT_FALSE(request) << refusal.body;
    EXPECT_EQ(request.error().field, refusal.field) << refusal.body;
  }
}

TEST(AnthropicRequest, RefusalsInBlocks) {
  const Refusal refusals[] = {
      {R"([{"role":"user","content":[{"type":"text"}]}])", "messages.0.content.0.text"},
      {R"([{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":1}]}])",
       "messages.0.content.1.text"},
      {R"([{"role":"user","content":[{"text":"a"}]}])", "messages.0.content.0.type"},
      {R"([{"role":"user","content":["a"]}])", "messages.0.content.0"},
      {R"([{"role":"user","content":[{"type":"tool_use","id":"a","name":"b","input":{}}]}])",
       "messages.0.content.0.type"},
      {R"([{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"b","input":"x"}]}])",
       "messages.0.content.0.input"},
      {R"([{"role":"assistant","content":[{"type":"tool_result","tool_use_id":"a"}]}])",
       "messages.0.content.0.type"},
      {R"([{"role":"user","content":[{"type":"tool_result"}]}])",
       "messages.0.content.0.tool_use_id"},
      {R"([{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":5}]}])",
       "messages.0.content.0.content"},
      {R"([{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[
          {"type":"text","text":"x"},{"type":"text"}]}]}])",
       "messages.0.content.0.content.1.text"},
      {R"([{"role":"user","content":[{"type":"image"}]}])", "messages.0.content.0.source"},
      {R"([{"role":"user","content":[{"type":"image","source":{"type":"disk"}}]}])",
       "messages.0.content.0.source.type"},
      {R"([{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"x"}}]}])",
       "messages.0.content.0.source.media_type"},
      {R"([{"role":"system","content":[{"type":"image"}]}])", "messages.0.content.0.type"},
      {R"([{"role":"assistant","content":[{"type":"thinking"}]}])",
       "messages.0.content.0.thinking"},
      {R"([{"role":"user","content":[{"type":"text","text":"a","cache_control":5}]}])",
       "messages.0.content.0.cache_control"},
      {R"([{"role":"user","content":[{"type":"text","text":"a","citations":5}]}])",
       "messages.0.content.0.citations"},
  };
  for (const Refusal& refusal : refusals) {
    const auto request = parse_request(with_messages(refusal.body));
    ASSERT_FALSE(request) << refusal.body;
    EXPECT_EQ(request.error().field, refusal.field) << refusal.body;
  }
}

TEST(AnthropicRequest, MalformedJsonNamesThePosition) {
  for (const char* body : {"", "{", R"({"model":"m",})", "nonsense", "{}{}"}) {
    const auto request = parse_request(body);
    ASSERT_FALSE(request) << body;
    EXPECT_NE(request.error().message.find("byte"), std::string::npos) << request.error().text();
  }
}

TEST(AnthropicRequest, UnknownMembersAndNullsAreIgnored) {
  const Request request = good(with(
      R"("mcp_servers":[],"container":null,"context_management":{"edits":[{"type":"x"}]},
         "inference_geo":"eu","speed":"fast","future":{"a":[1]},"stream":null,"temperature":null,
         "tools":null,"tool_choice":null,"thinking":null,"system":null,"metadata":null)"));
  EXPECT_EQ(request.generation.conversation.messages.size(), 1u);
  EXPECT_FALSE(request.stream);
}

TEST(AnthropicRequest, LimitsAndSampling) {
  const Request request = good(with(
      R"("stream":true,"temperature":0.5,"top_p":0.9,"top_k":40,"stop_sequences":["A","","B"])"));
  EXPECT_TRUE(request.stream);
  EXPECT_EQ(request.generation.max_tokens, 10u);
  EXPECT_EQ(request.generation.sampling.temperature, 0.5);
  EXPECT_EQ(request.generation.sampling.top_p, 0.9);
  EXPECT_EQ(request.generation.sampling.top_k, 40);
  EXPECT_EQ(request.generation.stop, (std::vector<std::string>{"A", "B"}));
  EXPECT_TRUE(request.strict.sampling_given);
  EXPECT_FALSE(check_strict(request, "2026-10-21"));
  EXPECT_TRUE(check_strict(request, "2023-06-01"));
  EXPECT_TRUE(check_strict(good(with("")), "2026-10-21"));
  EXPECT_EQ(good(R"({"model":"m","max_tokens":0,"messages":[{"role":"user","content":"x"}]})")
                .generation.max_tokens,
            0u);
}

TEST(AnthropicRequest, CountingNeedsNoLimit) {
  const char* body = R"({"model":"m","messages":[{"role":"user","content":"x"}]})";
  EXPECT_FALSE(parse_request(body));
  const auto request = parse_request(body, {.for_count = true});
  ASSERT_TRUE(request);
  EXPECT_FALSE(request->generation.max_tokens);
  EXPECT_EQ(count_tokens_body(12), R"({"input_tokens":12})");
}

TEST(AnthropicRequest, BillingLineIsDropped) {
  constexpr std::string_view kLine = "x-anthropic-billing-header: cc_version=2.1; cch=a1;";
  const auto plain = good(with(R"("system":[{"type":"text","text":"You"},
                                            {"type":"text","text":"are"}])"));
  const auto billed =
      good(with(R"("system":[{"type":"text","text":")" + std::string(kLine) +
                R"("},{"type":"text","text":"You"},{"type":"text","text":"are"}])"));
  EXPECT_EQ(plain.generation, billed.generation);
  EXPECT_EQ(text_of(plain.generation.conversation.messages[0]), "You|are|");
  EXPECT_EQ(good(with(R"("system":")" + std::string(kLine) + R"(\nYou are")")).generation,
            good(with(R"("system":"You are")")).generation);
  // Only there: elsewhere it is text like any other.
  const auto second =
      good(with(R"("system":[{"type":"text","text":"You"},{"type":"text","text":")" +
                std::string(kLine) + R"("}])"));
  EXPECT_EQ(second.generation.conversation.messages[0].parts.size(), 2u);
  EXPECT_EQ(strip_billing_line(kLine), "");
  EXPECT_EQ(strip_billing_line("hello"), "hello");
}

TEST(AnthropicRequest, CacheControlMovesNothing) {
  const auto bare =
      good(with_messages(R"([{"role":"user","content":[{"type":"text","text":"a"}]}])"));
  const auto marked = good(with_messages(
      R"([{"role":"user","content":[{"type":"text","text":"a",
           "cache_control":{"type":"ephemeral","ttl":"1h"}}]}])"));
  EXPECT_EQ(bare.generation, marked.generation);
  EXPECT_EQ(bare.retention, Retention::Unasked);
  EXPECT_EQ(marked.retention, Retention::Hour1);
  EXPECT_EQ(good(with(R"("cache_control":{"type":"ephemeral"})")).retention, Retention::Minutes5);
}

TEST(AnthropicRequest, SystemMessagesStayInPlace) {
  const auto request = good(with_messages(
      R"([{"role":"user","content":"a"},{"role":"system","content":"note"},
          {"role":"assistant","content":"b"},{"role":"assistant","content":[]},
          {"role":"user","content":"c"},{"role":"user","content":"d"},
          {"role":"system","content":[{"type":"text","text":"end"}]}])"));
  std::string order;
  for (const auto& message : request.generation.conversation.messages) {
    order += "SUAT"[static_cast<int>(message.role)];
  }
  EXPECT_EQ(order, "USAAUUS");
}

TEST(AnthropicRequest, ToolsUseAndResults) {
  const auto request = good(with_messages(
      R"([{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"zz"},
            {"type":"redacted_thinking","data":"rr"},{"type":"text","text":"ok"},
            {"type":"tool_use","id":"toolu_1","name":"Read","input":{"b": 1.0,"a":[]}}]},
          {"role":"user","content":[{"type":"text","text":"first"},
            {"type":"tool_result","tool_use_id":"toolu_1","is_error":true,"content":"bad"},
            {"type":"tool_result","tool_use_id":"toolu_2"},
            {"type":"text","text":"then"}]}])"));
  const auto& messages = request.generation.conversation.messages;
  ASSERT_EQ(messages.size(), 5u);
  const auto& call = std::get<domain::ToolCallPart>(messages[0].parts[3]);
  EXPECT_EQ(call.id, "call_1");
  EXPECT_EQ(call.arguments_json, R"({"b": 1.0,"a":[]})");
  EXPECT_EQ(std::get<domain::ReasoningPart>(messages[0].parts[0]).text, "hm");
  EXPECT_EQ(std::get<domain::ReasoningPart>(messages[0].parts[1]).signature, "rr");
  EXPECT_EQ(text_of(messages[1]), "first|");
  EXPECT_EQ(messages[2].role, Role::Tool);
  const auto& result = std::get<domain::ToolResultPart>(messages[2].parts[0]);
  EXPECT_EQ(result.tool_call_id, "call_1");
  EXPECT_EQ(result.name, "Read");
  EXPECT_EQ(result.text, "bad");
  EXPECT_TRUE(result.is_error);
  EXPECT_EQ(std::get<domain::ToolResultPart>(messages[3].parts[0]).text, "");
  EXPECT_EQ(text_of(messages[4]), "then|");
}

TEST(AnthropicRequest, ToolResultBlocksOfEveryKind) {
  const auto request = good(with_messages(
      R"([{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[
            {"type":"text","text":"one"},
            {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}},
            {"type":"document","title":"T","source":{"type":"text","data":"body"}},
            {"type":"document","source":{"type":"base64","media_type":"x/pdf","data":"A"}},
            {"type":"search_result","source":"http://x","title":"S",
             "content":[{"type":"text","text":"found"}]},
            {"type":"tool_reference","tool_name":"Later"},
            {"type":"novelty"}]}]}])"));
  auto conversation = request.generation.conversation;
  ASSERT_EQ(conversation.messages.size(), 1u);
  const auto& result = std::get<domain::ToolResultPart>(conversation.messages[0].parts[0]);
  EXPECT_EQ(result.text,
            "one\nT\nbody\n[document: not readable by this model]\nS\nhttp://x\nfound\n"
            "[tool available: Later]\n[novelty: not readable by this model]");
  ASSERT_EQ(result.images.size(), 1u);
  EXPECT_EQ(result.images[0].media_type, "image/png");
  EXPECT_TRUE(has_tool_result_images(conversation));
  EXPECT_FALSE(has_images(conversation));
  EXPECT_FALSE(has_opaque(conversation));
  replace_tool_result_images(conversation);
  EXPECT_FALSE(has_tool_result_images(conversation));
}

TEST(AnthropicRequest, ImagesAndDocuments) {
  const auto request = good(with_messages(
      R"([{"role":"user","content":[
            {"type":"image","source":{"type":"url","url":"https://x/y.png"}},
            {"type":"document","source":{"type":"text","data":"words"}},
            {"type":"document","source":{"type":"url","url":"https://x/y.pdf"}}]}])"));
  const auto& conversation = request.generation.conversation;
  EXPECT_EQ(std::get<domain::ImagePart>(conversation.messages[0].parts[0]).url, "https://x/y.png");
  EXPECT_EQ(std::get<domain::TextPart>(conversation.messages[0].parts[1]).text, "words");
  EXPECT_TRUE(has_images(conversation));
  EXPECT_EQ(opaque_kind(conversation), "document");
}

TEST(AnthropicRequest, DemandsCountTheClientsOwnMessages) {
  const auto request = good(
      R"({"model":"m","max_tokens":1,"system":"s","messages":[
          {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[
            {"type":"image","source":{"type":"url","url":"https://x/y.png"}}]},
            {"type":"text","text":"a"}]},
          {"role":"assistant","content":[{"type":"novelty"}]},
          {"role":"user","content":[{"type":"text","text":"a"},
            {"type":"image","source":{"type":"url","url":"https://x/y.png"}}]}]})");
  EXPECT_EQ(request.demands.image_field, "messages.2.content.1");
  EXPECT_EQ(request.demands.other_field, "messages.1.content.0");
  EXPECT_EQ(request.demands.other_kind, "novelty");
}

TEST(AnthropicRequest, HostedToolsAndTheirTracesAreLeftOut) {
  const auto request = good(
      R"({"model":"m","max_tokens":1,"tools":[{"type":"web_search_20250305","name":"web_search"},
           {"type":"custom","name":"a","description":"d","input_schema":{"type":"object"},
            "strict":true,"eager_input_streaming":true},
           {"type":null,"name":"b","input_schema":{}}],
         "messages":[{"role":"assistant","content":[
            {"type":"server_tool_use","id":"srv","name":"web_search","input":{}},
            {"type":"web_search_tool_result","tool_use_id":"srv","content":[]},
            {"type":"text","text":"done"}]},{"role":"user","content":"x"}]})");
  EXPECT_EQ(request.ignored_tools, std::vector<std::string>{"web_search_20250305"});
  const auto& conversation = request.generation.conversation;
  ASSERT_EQ(conversation.tools.size(), 2u);
  EXPECT_EQ(conversation.tools[0], (domain::Tool{"a", "d", R"({"type":"object"})", true}));
  EXPECT_EQ(conversation.messages[0].parts.size(), 1u);
  EXPECT_FALSE(has_opaque(conversation));
}

TEST(AnthropicRequest, DeferredToolsWaitUntilTheyAreReferenced) {
  const std::string tools =
      R"("tools":[{"name":"a","input_schema":{}},
                  {"name":"late","input_schema":{},"defer_loading":true}])";
  const auto before = good(with(tools));
  EXPECT_EQ(before.generation.conversation.tools.size(), 1u);
  EXPECT_EQ(before.deferred_tools, std::vector<std::string>{"late"});
  const auto after =
      good(R"({"model":"m","max_tokens":1,)" + tools +
           R"(,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t",
           "content":[{"type":"tool_reference","tool_name":"late"}]}]}]})");
  EXPECT_EQ(after.generation.conversation.tools.size(), 2u);
  EXPECT_TRUE(after.deferred_tools.empty());
}

TEST(AnthropicRequest, ToolChoice) {
  const std::string tools = R"("tools":[{"name":"a","input_schema":{}}],"tool_choice":)";
  const struct {
    const char* choice;
    domain::ToolChoice made;
  } rows[] = {
      {R"({"type":"auto"})", {Mode::Auto, "", true}},
      {R"({"type":"any"})", {Mode::Required, "", true}},
      {R"({"type":"none"})", {Mode::None, "", true}},
      // A tool that is demanded by name is called once.
      {R"({"type":"tool","name":"a"})", {Mode::Named, "a", false}},
      {R"({"type":"tool","name":"a","disable_parallel_tool_use":false})",
       {Mode::Named, "a", false}},
      {R"({"type":"auto","disable_parallel_tool_use":true})", {Mode::Auto, "", false}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(good(with(tools + row.choice)).generation.conversation.tool_choice, row.made)
        << row.choice;
  }
}

TEST(AnthropicRequest, TheEnginesFieldsAreNamedAsTheClientWroteThem) {
  const auto request = good(with(
      R"("tools":[{"type":"web_search_20250305","name":"w"},{"name":"later","input_schema":{},
                   "defer_loading":true},{"name":"a","input_schema":{}}],
         "output_config":{"format":{"type":"json_schema","schema":{}}})"));
  const auto named = [&](std::string field) {
    return in_client_terms(request.names, base::fail_field(std::move(field), "x").error()).field;
  };
  EXPECT_EQ(named("tools.0.parameters"), "tools.2.input_schema");
  EXPECT_EQ(named("tools.0.name"), "tools.2.name");
  EXPECT_EQ(named("tools.1.parameters"), "tools.1.parameters");  // there is no such tool
  EXPECT_EQ(named("response_format"), "output_config.format");
  EXPECT_EQ(named("messages.7"), "messages");
  EXPECT_EQ(named("tool_choice"), "tool_choice");
  const auto older = good(with(R"("output_format":{"type":"json_schema","schema":{}})"));
  EXPECT_EQ(older.names.format, "output_format");
}

TEST(AnthropicRequest, ThinkingAndOutput) {
  using R = domain::Reasoning::Mode;
  const auto reasoning = [](std::string_view thinking) {
    return good(with("\"thinking\":" + std::string(thinking))).generation.conversation.reasoning;
  };
  EXPECT_EQ(reasoning(R"({"type":"enabled","budget_tokens":2048})").mode, R::On);
  EXPECT_EQ(reasoning(R"({"type":"enabled","budget_tokens":2048})").budget_tokens, 2048u);
  EXPECT_EQ(reasoning(R"({"type":"disabled"})").mode, R::Off);
  EXPECT_EQ(reasoning(R"({"type":"adaptive"})").mode, R::Default);
  EXPECT_EQ(reasoning(R"({"type":"between_tools"})").mode, R::Default);
  EXPECT_TRUE(good(with(R"("thinking":{"type":"adaptive","display":"omitted"})")).thinking_omitted);
  const auto request = good(with(
      R"("output_config":{"effort":"xhigh",
                          "format":{"type":"json_schema","schema":{"z":1,"a":2}}})"));
  EXPECT_EQ(request.generation.conversation.reasoning.effort, "xhigh");
  EXPECT_EQ(request.generation.conversation.format.kind, domain::OutputFormat::Kind::JsonSchema);
  EXPECT_EQ(request.generation.conversation.format.schema_json, R"({"z":1,"a":2})");
  EXPECT_EQ(good(with(R"("output_format":{"type":"json_schema","schema":{}})"))
                .generation.conversation.format.schema_json,
            "{}");
}

TEST(AnthropicRequest, SessionAndDiagnostics) {
  EXPECT_EQ(good(with(R"("metadata":{"user_id":"{\"device_id\":\"d\",\"session_id\":\"s-1\"}"})"))
                .session_hint,
            "s-1");
  EXPECT_EQ(good(with(R"("metadata":{"user_id":"user_a_account_b_session_c-d"})")).session_hint,
            "c-d");
  EXPECT_EQ(good(with(R"("metadata":{"user_id":"plain"})")).session_hint, "plain");
  EXPECT_EQ(good(with(R"("metadata":{"user_id":"{broken"})")).session_hint, "{broken");
  const auto first = good(with(R"("diagnostics":{"previous_message_id":null})"));
  EXPECT_TRUE(first.diagnostics_asked);
  EXPECT_TRUE(first.previous_message_id.empty());
  EXPECT_EQ(good(with(R"("diagnostics":{"previous_message_id":"msg_1"})")).previous_message_id,
            "msg_1");
  EXPECT_FALSE(good(with("")).diagnostics_asked);
}

}  // namespace
}  // namespace fh::dialects::anthropic
