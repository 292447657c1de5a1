// Chat Completions requests: what is taken, what is refused and at which field.

#include "dialects/openai_chat/request.h"

#include <gtest/gtest.h>

#include "dialects/content.h"

namespace fh::dialects::openai_chat {
namespace {

using Mode = domain::ToolChoice::Mode;
using domain::Role;

std::string with(std::string_view members) {
  std::string body = R"({"model":"m","messages":[{"role":"user","content":"hi"}])";
  if (!members.empty()) body += ",";
  body += members;
  return body + "}";
}
std::string with_messages(std::string_view messages) {
  return R"({"model":"m","messages":)" + std::string(messages) + "}";
}
Request good(const std::string& body) {
  auto request = parse_request(body);
  if (!request) {
    ADD_FAILURE() << body << "\n" << request.error().field << ": " << request.error().text();
    return {};
  }
  return *std::move(request);
}

struct Refusal {
  const char* body;
  const char* field;
};

TEST(ChatRequest, RefusalsInMembers) {
  const Refusal refusals[] = {
      {R"("n":2)", "n"},
      {R"("n":0)", "n"},
      {R"("n":"1")", "n"},
      {R"("temperature":2.1)", "temperature"},
      {R"("temperature":[])", "temperature"},
      {R"("temperature":1e999)", "temperature"},
      {R"("top_p":-0.1)", "top_p"},
      {R"("top_k":-2)", "top_k"},
      {R"("min_p":2)", "min_p"},
      {R"("presence_penalty":2.5)", "presence_penalty"},
      {R"("frequency_penalty":-2.5)", "frequency_penalty"},
      {R"("repeat_penalty":0)", "repeat_penalty"},
      {R"("repetition_penalty":-1)", "repetition_penalty"},
      {R"("seed":1.5)", "seed"},
      {R"("logit_bias":[])", "logit_bias"},
      {R"("logit_bias":{"x":1})", "logit_bias.x"},
      {R"("logit_bias":{"5":101})", "logit_bias.5"},
      {R"("logprobs":1)", "logprobs"},
      {R"("top_logprobs":3)", "top_logprobs"},
      {R"("logprobs":true,"top_logprobs":21)", "top_logprobs"},
      {R"("max_tokens":-2)", "max_tokens"},
      {R"("max_completion_tokens":"1")", "max_completion_tokens"},
      {R"("max_completion_tokens":1,"max_tokens":"1")", "max_tokens"},
      {R"("stop":5)", "stop"},
      {R"("stop":["a",null])", "stop.1"},
      {R"("stream":1)", "stream"},
      {R"("stream_options":{"include_usage":"x"})", "stream_options.include_usage"},
      {R"("stream_options":{"include_obfuscation":"x"})", "stream_options.include_obfuscation"},
      {R"("service_tier":"bronze")", "service_tier"},
      {R"("service_tier":5)", "service_tier"},
      {R"("metadata":{"a":"b","c":5})", "metadata.c"},
      {R"("prediction":5)", "prediction"},
      {R"("prediction":{"type":"x","content":"a"})", "prediction.type"},
      {R"("prediction":{"type":"content","content":5})", "prediction.content"},
      {R"("prediction":{"type":"content","content":[{}]})", "prediction.content.0.type"},
      {R"("prompt_cache_retention":5)", "prompt_cache_retention"},
      {R"("prompt_cache_options":{"mode":5})", "prompt_cache_options.mode"},
      {R"("audio":"loud")", "audio"},
      {R"("web_search_options":true)", "web_search_options"},
      {R"("options":[])", "options"},
      {R"("cache_prompt":"x")", "cache_prompt"},
      {R"("reasoning_effort":"vast")", "reasoning_effort"},
      {R"("verbosity":"loud")", "verbosity"},
      {R"("chat_template_kwargs":{"enable_thinking":"x"})", "chat_template_kwargs.enable_thinking"},
      {R"("response_format":{"type":"xml"})", "response_format.type"},
      {R"("response_format":{"type":"json_schema"})", "response_format.json_schema"},
      {R"("response_format":{"type":"json_schema","json_schema":{}})",
       "response_format.json_schema.schema"},
      {R"("response_format":{"type":"json_schema","json_schema":{"name":5,"schema":{}}})",
       "response_format.json_schema.name"},
      {R"("modalities":["text","audio"])", "modalities.1"},
      {R"("tools":{})", "tools"},
      {R"("tools":[{"type":"function"}])", "tools.0.function"},
      {R"("tools":[{"type":"function","function":{}}])", "tools.0.function.name"},
      {R"("tools":[{"type":"function","function":{"name":"a","parameters":5}}])",
       "tools.0.function.parameters"},
      {R"("tools":[{"type":"function","name":"a","parameters":5}])", "tools.0.parameters"},
      {R"("tools":[{"type":"function","function":{"name":"a","parameters":{"type":"array"}}}])",
       "tools.0.function.parameters.type"},
      {R"("tools":[{"type":"custom","custom":{"name":"a","format":{"type":"x"}}}])",
       "tools.0.custom.format.type"},
      {R"("tool_choice":"maybe")", "tool_choice"},
      {R"("tool_choice":"required")", "tool_choice"},
      {R"("tool_choice":{"type":"web_search"})", "tool_choice.type"},
      {R"("tool_choice":{"type":"function","function":{}})", "tool_choice.function.name"},
      {R"("tools":[{"type":"function","name":"a"}],"tool_choice":{"type":"function","name":"b"})",
       "tool_choice"},
      {R"("functions":[{"name":"a"}],"function_call":{"name":"b"})", "function_call"},
      {R"("functions":[{"name":"a"}],"function_call":5)", "function_call"},
      {R"("function_call":5)", "function_call"},
      {R"("tools":[{"type":"function","name":"a"}],"functions":5)", "functions"},
  };
  for (const Refusal& refusal : refusals) {
    const auto request = parse_request(with(refusal.body));
    ASSERT_FALSE(request) << refusal.body;
    EXPECT_EQ(request.error().code, base::Code::InvalidArgument);
    EXPECT_EQ(request.error().field, refusal.field) << refusal.body;
  }
}

TEST(ChatRequest, OnlyAnswersAndResultsMayLackContent) {
  for (const char* role : {"user", "system", "developer"}) {
    const auto request = parse_request(with_messages(R"([{"role":")" + std::string(role) + "\"}]"));
    ASSERT_FALSE(request) << role;
    EXPECT_EQ(request.error().field, "messages.0.content") << role;
    good(with_messages(R"([{"role":")" + std::string(role) + R"(","content":null}])"));
  }
  good(with_messages(R"([{"role":"assistant"},{"role":"tool","tool_call_id":"c"}])"));
}

TEST(ChatRequest, DemandsNameTheFirstPartOfTheirKind) {
  const Request request = good(with_messages(
      R"([{"role":"user","content":"a"},
          {"role":"user","content":[{"type":"text","text":"b"},
            {"type":"file","file":{"file_id":"f"}},
            {"type":"image_url","image_url":{"url":"https://x/y.png"}},
            {"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}]},
          {"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/z.png"}}]}])"));
  EXPECT_EQ(request.demands.image_field, "messages.1.content.2");
  EXPECT_EQ(request.demands.other_field, "messages.1.content.1");
  EXPECT_EQ(request.demands.other_kind, "file");
  EXPECT_FALSE(check_demands(request.demands, true));
  EXPECT_EQ(check_demands(request.demands, false).error().reason, "images_unsupported");
  EXPECT_TRUE(check_demands(good(with("")).demands, false));
}

TEST(ChatRequest, RefusalsInMessages) {
  const Refusal refusals[] = {
      {R"([])", "messages"},
      {R"("x")", "messages"},
      {R"([5])", "messages.0"},
      {R"([{"content":"x"}])", "messages.0.role"},
      {R"([{"role":"robot","content":"x"}])", "messages.0.role"},
      {R"([{"role":"user","content":5}])", "messages.0.content"},
      {R"([{"role":"user","content":"x","name":5}])", "messages.0.name"},
      {R"([{"role":"user","content":[{"type":"text","text":"a"},{"type":"text"}]}])",
       "messages.0.content.1.text"},
      {R"([{"role":"user","content":[{"type":"image_url"}]}])", "messages.0.content.0.image_url"},
      {R"([{"role":"user","content":[{"type":"image_url","image_url":{}}]}])",
       "messages.0.content.0.image_url.url"},
      {R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:x,y"}}]}])",
       "messages.0.content.0.image_url.url"},
      {R"([{"role":"tool","content":"x"}])", "messages.0.tool_call_id"},
      {R"([{"role":"function","content":"x"}])", "messages.0.name"},
      {R"([{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"a"}}]}])",
       "messages.0.tool_calls.0.id"},
      {R"([{"role":"assistant","tool_calls":[{"id":"a","function":{}}]}])",
       "messages.0.tool_calls.0.function.name"},
      {R"([{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"b","arguments":1}}]}])",
       "messages.0.tool_calls.0.function.arguments"},
      {R"([{"role":"assistant","content":"a","reasoning_content":5}])",
       "messages.0.reasoning_content"},
  };
  for (const Refusal& refusal : refusals) {
    const auto request = parse_request(with_messages(refusal.body));
    ASSERT_FALSE(request) << refusal.body;
    EXPECT_EQ(request.error().field, refusal.field) << refusal.body;
  }
  EXPECT_EQ(parse_request(R"({"messages":[]})").error().field, "model");
  EXPECT_EQ(parse_request(R"({"model":"m"})").error().field, "messages");
  EXPECT_EQ(parse_request("[1]").error().code, base::Code::InvalidArgument);
  EXPECT_NE(parse_request("{\"model\":").error().message.find("byte"), std::string::npos);
}

TEST(ChatRequest, Sampling) {
  const auto request = good(with(
      R"("temperature":0,"top_p":0,"top_k":-1,"min_p":0.05,"presence_penalty":1,
         "frequency_penalty":-1,"repetition_penalty":1.1,"seed":7,"n":1,
         "logit_bias":{"50256":-100,"3":2.5},"logprobs":true,"top_logprobs":5,
         "stop":"END","store":true,"prediction":{},"cache_prompt":true,"keep_alive":-1)"));
  const auto& sampling = request.generation.sampling;
  EXPECT_EQ(sampling.temperature, 0.0);
  EXPECT_GT(*sampling.top_p, 0.0);
  EXPECT_EQ(sampling.top_k, 0);
  EXPECT_EQ(sampling.min_p, 0.05);
  EXPECT_EQ(sampling.repeat_penalty, 1.1);
  EXPECT_EQ(sampling.seed, 7u);
  EXPECT_EQ(sampling.logit_bias,
            (std::vector<std::pair<std::int32_t, double>>{{50256, -100.0}, {3, 2.5}}));
  EXPECT_TRUE(request.generation.logprobs);
  EXPECT_EQ(request.generation.top_logprobs, 5u);
  EXPECT_EQ(request.generation.stop, std::vector<std::string>{"END"});
  EXPECT_FALSE(good(with(R"("seed":-1)")).generation.sampling.seed);
}

TEST(ChatRequest, TokenLimits) {
  EXPECT_FALSE(good(with("")).generation.max_tokens);
  EXPECT_EQ(good(with(R"("max_tokens":5)")).generation.max_tokens, 5u);
  EXPECT_EQ(good(with(R"("max_completion_tokens":6)")).generation.max_tokens, 6u);
  EXPECT_EQ(good(with(R"("max_tokens":5,"max_completion_tokens":6)")).generation.max_tokens, 6u);
  EXPECT_FALSE(good(with(R"("max_tokens":-1)")).generation.max_tokens);
  EXPECT_EQ(
      good(with(R"("max_tokens":5,"prompt_cache_options":{"prewarm":true})")).generation.max_tokens,
      0u);
}

TEST(ChatRequest, RolesStayInPlace) {
  const auto request = good(with_messages(
      R"([{"role":"user","content":"a"},{"role":"developer","content":"b"},
          {"role":"system","content":[{"type":"text","text":"c"}]},
          {"role":"assistant","content":null,"refusal":"no"},{"role":"user","content":null}])"));
  std::string order;
  for (const auto& message : request.generation.conversation.messages) {
    order += "SUAT"[static_cast<int>(message.role)];
  }
  EXPECT_EQ(order, "USSAU");
}

TEST(ChatRequest, PartsOfEveryKind) {
  const auto request = good(with_messages(
      R"([{"role":"user","content":[{"type":"text","text":"t","cache_control":{},
             "prompt_cache_breakpoint":{"mode":"explicit"}},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},
            {"type":"image_url","image_url":{"url":"https://x/y.jpg"}},
            {"type":"input_audio","input_audio":{"data":"A","format":"wav"}},
            {"type":"file","file":{"file_data":"A"}}]}])"));
  const auto& conversation = request.generation.conversation;
  const auto& parts = conversation.messages[0].parts;
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(std::get<domain::ImagePart>(parts[1]), (domain::ImagePart{"image/png", "AAAA", ""}));
  EXPECT_EQ(std::get<domain::ImagePart>(parts[2]).url, "https://x/y.jpg");
  EXPECT_EQ(std::get<domain::OpaquePart>(parts[3]).kind, "input_audio");
  EXPECT_EQ(std::get<domain::OpaquePart>(parts[4]).kind, "file");
  EXPECT_TRUE(has_images(conversation));
  EXPECT_EQ(opaque_kind(conversation), "input_audio");
}

TEST(ChatRequest, ToolCallsInHistory) {
  const auto request = good(with_messages(
      R"([{"role":"assistant","content":"","reasoning_content":"hm","reasoning":"hm","tool_calls":[
            {"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"b\": 1}"}},
            {"id":"toolu_2","function":{"name":"g","arguments":""}},
            {"id":"call_3","type":"custom","custom":{"name":"patch","input":"a\nb"}},
            {"id":"call_4","type":"function","function":{"name":"f","arguments":"not json"}}]},
          {"role":"tool","tool_call_id":"call_1","content":[{"type":"text","text":"r"},
             {"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]},
          {"role":"tool","tool_call_id":"toolu_2","content":null}])"));
  const auto& messages = request.generation.conversation.messages;
  const auto& parts = messages[0].parts;
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(std::get<domain::ReasoningPart>(parts[0]).text, "hm");
  EXPECT_EQ(std::get<domain::ToolCallPart>(parts[1]).arguments_json, R"({"b": 1})");
  EXPECT_EQ(std::get<domain::ToolCallPart>(parts[2]).id, "call_2");
  EXPECT_EQ(std::get<domain::ToolCallPart>(parts[2]).arguments_json, "{}");
  EXPECT_EQ(std::get<domain::ToolCallPart>(parts[3]).arguments_json, R"({"input":"a\nb"})");
  EXPECT_EQ(std::get<domain::ToolCallPart>(parts[4]).arguments_json, R"({"input":"not json"})");
  const auto& result = std::get<domain::ToolResultPart>(messages[1].parts[0]);
  EXPECT_EQ(result.name, "f");
  EXPECT_EQ(result.text, "r");
  EXPECT_EQ(result.images.size(), 1u);
  EXPECT_EQ(std::get<domain::ToolResultPart>(messages[2].parts[0]).tool_call_id, "call_2");
}

TEST(ChatRequest, FlatAndNestedToolsAreEqual) {
  const auto nested = good(with(
      R"("tools":[{"type":"function","function":{"name":"a","description":"d",
           "parameters":{"type":"object","z":1},"strict":null}}])"));
  const auto flat = good(with(
      R"("tools":[{"type":"function","name":"a","description":"d",
           "parameters":{"type":"object","z":1}}])"));
  EXPECT_EQ(nested.generation, flat.generation);
  const auto renamed = good(
      with(R"("tools":[{"name":"a","description":"d","input_schema":{"type":"object","z":1}}])"));
  EXPECT_EQ(nested.generation, renamed.generation);
  const auto bare = good(with(R"("tools":[{"type":"function","name":"a"},{"type":"web_search"}])"));
  EXPECT_EQ(bare.generation.conversation.tools[0].parameters_json, "{}");
  EXPECT_EQ(bare.ignored_tools, std::vector<std::string>{"web_search"});
}

TEST(ChatRequest, CustomToolsBecomeFunctions) {
  const auto request = good(with(
      R"("tools":[{"type":"custom","custom":{"name":"patch","description":"Edit.",
           "format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: X"}}}},
          {"type":"custom","name":"note","format":{"type":"text"}}],
         "tool_choice":{"type":"custom","custom":{"name":"patch"}})"));
  EXPECT_EQ(request.custom_tools, (std::set<std::string>{"note", "patch"}));
  const auto& tool = request.generation.conversation.tools[0];
  EXPECT_NE(tool.description.find("start: X"), std::string::npos);
  EXPECT_NE(tool.parameters_json.find("\"input\""), std::string::npos);
  EXPECT_EQ(request.generation.conversation.tool_choice.name, "patch");
}

TEST(ChatRequest, ToolChoice) {
  const std::string tools =
      R"("tools":[{"type":"function","name":"a"},{"type":"function","name":"b"}],"tool_choice":)";
  const struct {
    const char* choice;
    domain::ToolChoice made;
    std::size_t tools;
  } rows[] = {
      {R"("auto")", {Mode::Auto, "", true}, 2},
      {R"("none")", {Mode::None, "", true}, 2},
      {R"("required")", {Mode::Required, "", true}, 2},
      {R"("required","parallel_tool_calls":false)", {Mode::Required, "", false}, 2},
      {R"({"type":"function","function":{"name":"b"}})", {Mode::Named, "b", false}, 2},
      {R"({"type":"function","name":"b"})", {Mode::Named, "b", false}, 2},
      {R"({"type":"function","name":"b"},"parallel_tool_calls":true)",
       {Mode::Named, "b", false},
       2},
      {R"({"type":"allowed_tools","allowed_tools":{"mode":"required",
           "tools":[{"type":"function","function":{"name":"b"}}]}})",
       {Mode::Required, "", true},
       1},
      {R"({"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"a"}]})",
       {Mode::Auto, "", true},
       1},
  };
  for (const auto& row : rows) {
    const auto request = good(with(tools + row.choice));
    EXPECT_EQ(request.generation.conversation.tool_choice, row.made) << row.choice;
    EXPECT_EQ(request.generation.conversation.tools.size(), row.tools) << row.choice;
  }
}

TEST(ChatRequest, TheEnginesFieldsAreNamedAsTheClientWroteThem) {
  const auto request = good(with(
      R"("tools":[{"type":"web_search"},{"type":"function","function":{"name":"no"}},
                  {"type":"function","function":{"name":"a","parameters":{}}},
                  {"type":"function","name":"flat","input_schema":{}}],
         "tool_choice":{"type":"allowed_tools","tools":[{"type":"function","name":"a"},
                                                        {"type":"function","name":"flat"}]})"));
  const auto named = [](const Request& of, std::string field) {
    return in_client_terms(of.names, base::fail_field(std::move(field), "x").error()).field;
  };
  EXPECT_EQ(named(request, "tools.0.parameters"), "tools.2.function.parameters");
  EXPECT_EQ(named(request, "tools.0.name"), "tools.2.function.name");
  EXPECT_EQ(named(request, "tools.1.parameters"), "tools.3.input_schema");
  EXPECT_EQ(named(request, "response_format"), "response_format");
  EXPECT_EQ(named(request, "messages.7"), "messages");
  const auto older = good(with(R"("functions":[{"name":"f","parameters":{}}])"));
  EXPECT_EQ(named(older, "tools.0.parameters"), "functions.0.parameters");
  EXPECT_EQ(named(good(R"({"model":"m","input":"x"})"), "messages.0"), "input");
}

TEST(ChatRequest, OlderFunctions) {
  const auto request = good(
      R"({"model":"m","functions":[{"name":"f","parameters":{"type":"object"}}],
          "function_call":{"name":"f"},
          "messages":[{"role":"assistant","content":null,
                       "function_call":{"name":"f","arguments":"{}"}},
                      {"role":"function","name":"f","content":"r"}]})");
  EXPECT_TRUE(request.legacy_functions);
  const auto& conversation = request.generation.conversation;
  EXPECT_EQ(conversation.tool_choice, (domain::ToolChoice{Mode::Named, "f", false}));
  // That form holds one call, whatever else is asked.
  EXPECT_FALSE(good(with(R"("functions":[{"name":"f"}],"parallel_tool_calls":true)"))
                   .generation.conversation.tool_choice.parallel);
  const auto& call = std::get<domain::ToolCallPart>(conversation.messages[0].parts[0]);
  const auto& result = std::get<domain::ToolResultPart>(conversation.messages[1].parts[0]);
  EXPECT_EQ(call.id, result.tool_call_id);
  EXPECT_EQ(good(with(R"("functions":[{"name":"f"}],"function_call":"none")"))
                .generation.conversation.tool_choice.mode,
            Mode::None);
}

TEST(ChatRequest, FormatAndReasoning) {
  using Kind = domain::OutputFormat::Kind;
  using R = domain::Reasoning::Mode;
  const auto format = [](std::string_view value) {
    return good(with("\"response_format\":" + std::string(value))).generation.conversation.format;
  };
  EXPECT_EQ(format(R"({"type":"text"})").kind, Kind::Text);
  EXPECT_EQ(format(R"({"type":"json_object"})").kind, Kind::JsonObject);
  EXPECT_EQ(format(R"({"type":"json_schema","json_schema":{"name":"x","strict":true,
                        "schema":{"z":1,"a":[]}}})"),
            (domain::OutputFormat{Kind::JsonSchema, R"({"z":1,"a":[]})"}));
  const auto reasoning = [](std::string_view members) {
    return good(with(members)).generation.conversation.reasoning;
  };
  EXPECT_EQ(reasoning(R"("reasoning_effort":"none")").mode, R::Off);
  EXPECT_EQ(reasoning(R"("reasoning_effort":"high")"), (domain::Reasoning{R::On, {}, "high"}));
  EXPECT_EQ(reasoning(R"("chat_template_kwargs":{"enable_thinking":false})").mode, R::Off);
  EXPECT_EQ(reasoning(R"("reasoning_effort":"low","enable_thinking":false)").mode, R::Off);
  EXPECT_EQ(reasoning("").mode, R::Default);
}

TEST(ChatRequest, Extras) {
  const auto request = good(with(
      R"("stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false},
         "prompt_cache_key":"k","safety_identifier":"s","service_tier":"flex",
         "metadata":{"a":"b"})"));
  EXPECT_TRUE(request.stream);
  EXPECT_TRUE(request.include_usage);
  EXPECT_EQ(request.session_hint, "k");
  EXPECT_EQ(request.user, "s");
  EXPECT_EQ(request.service_tier, "flex");
}

TEST(ChatRequest, ResponsesInputIsTaken) {
  const auto as_input = good(
      R"({"model":"m","instructions":"sys","input":[
           {"role":"user","content":"q"},
           {"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]},
           {"type":"message","role":"assistant","content":[{"type":"output_text","text":"a"}]},
           {"type":"function_call","call_id":"call_1","name":"f","arguments":"{\"x\":1}"},
           {"type":"function_call","call_id":"call_2","name":"f","arguments":"{}"},
           {"type":"function_call_output","call_id":"call_1","output":"r"},
           {"type":"custom_tool_call","call_id":"call_3","name":"p","input":"i"},
           {"type":"custom_tool_call_output","call_id":"call_3",
            "output":[{"type":"input_text","text":"o"}]},
           {"type":"item_reference","id":"x"}]})");
  const auto as_messages = good(with_messages(
      R"([{"role":"system","content":"sys"},{"role":"user","content":"q"},
          {"role":"assistant","reasoning_content":"hm","content":"a","tool_calls":[
            {"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
            {"id":"call_2","type":"function","function":{"name":"f","arguments":"{}"}}]},
          {"role":"tool","tool_call_id":"call_1","content":"r"},
          {"role":"assistant","tool_calls":[
            {"id":"call_3","type":"custom","custom":{"name":"p","input":"i"}}]},
          {"role":"tool","tool_call_id":"call_3","content":"o"}])"));
  EXPECT_EQ(as_input.generation, as_messages.generation);
  EXPECT_EQ(good(R"({"model":"m","input":"hi"})").generation, good(with("")).generation);
  EXPECT_EQ(parse_request(R"({"model":"m","input":5})").error().field, "input");
  EXPECT_EQ(parse_request(R"({"model":"m","input":[{"type":"function_call"}]})").error().field,
            "input.0.call_id");
}

}  // namespace
}  // namespace fh::dialects::openai_chat
