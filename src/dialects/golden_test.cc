// Representative answers, byte for byte: each file of testdata/ holds one answer as both surfaces
// write it, streamed and whole. FH_UPDATE_GOLDEN=1 rewrites the files; the difference is then read
// like any other change.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "dialects/anthropic/reply.h"
#include "dialects/openai_chat/reply.h"

namespace fh::dialects {
namespace {

using domain::Event;

struct Case {
  const char* name;
  std::vector<Event> events;
  anthropic::ReplyContext message;
  openai_chat::ReplyContext completion;
};

anthropic::ReplyContext message_context() {
  anthropic::ReplyContext context;
  context.message_id = "msg_01";
  context.request_id = "req_01";
  context.model = "qwen3-8b[1m]";
  context.prompt_tokens = 120;
  return context;
}

openai_chat::ReplyContext completion_context() {
  openai_chat::ReplyContext context;
  context.id = "chatcmpl-01";
  context.model = "qwen3-8b";
  context.created_unix_s = 1760000000;
  return context;
}

domain::Finished finished(domain::EndReason reason) {
  domain::Finished event;
  event.reason = reason;
  event.usage = {.input_uncached = 20, .cache_read = 100, .output = 9, .reasoning = 2};
  return event;
}

std::vector<Case> cases() {
  const domain::Started started{120, {20, 100, 0}};
  std::vector<Case> all;
  const auto add = [&](const char* name, std::vector<Event> events) -> Case& {
    events.insert(events.begin(), started);
    all.push_back({name, std::move(events), message_context(), completion_context()});
    return all.back();
  };
  using R = domain::EndReason;
  add("text", {domain::TextDelta{"Hello", {}}, domain::TextDelta{", \"wörld\"\n", {}},
               finished(R::Complete)})
      .completion.include_usage = true;
  add("reasoning_and_tools",
      {domain::ReasoningDelta{"Let me "}, domain::ReasoningDelta{"see."},
       domain::TextDelta{"I read both.", {}}, domain::ToolCallStart{"call_a", "read"},
       domain::ToolCallDelta{"{\"path\": "}, domain::ToolCallDelta{"\"/x\"}"},
       domain::ToolCallEnd{}, domain::ToolCallStart{"call_b", "read"}, domain::ToolCallEnd{},
       finished(R::ToolCall)});
  domain::Finished stop = finished(R::Stop);
  stop.stop_sequence = "END";
  add("stop_sequence", {domain::TextDelta{"a", {}}, stop});
  add("cut_call", {domain::ToolCallStart{"call_a", "write"},
                   domain::ToolCallDelta{"{\"text\":\"half\\u00"}, finished(R::Length)});
  add("context_full", {domain::TextDelta{"a", {}}, finished(R::ContextFull)});
  add("custom_call",
      {domain::ToolCallStart{"call_a", "patch"}, domain::ToolCallDelta{"{\"input\":\"*** Begin\\n"},
       domain::ToolCallDelta{"+x\"}"}, domain::ToolCallEnd{}, finished(R::ToolCall)})
      .completion.custom_tools = {"patch"};
  add("older_function", {domain::ToolCallStart{"call_a", "f"}, domain::ToolCallDelta{"{\"a\":1}"},
                         domain::ToolCallEnd{}, finished(R::ToolCall)})
      .completion.legacy_functions = true;
  const domain::TokenLogprob token{"Hi", {72, 105}, -0.25, {{"Hi", {72, 105}, -0.25}}};
  add("logprobs", {domain::TextDelta{"Hi", {token}}, finished(R::Complete)});
  add("prewarm", {finished(R::Length)});
  Case& miss = add("cache_miss", {domain::TextDelta{"a", {}}, finished(R::Complete)});
  miss.message.diagnostics_asked = true;
  miss.message.cache_miss = {"tools_changed", 77};
  add("failure",
      {domain::TextDelta{"par", {}},
       domain::Failed{{base::Code::Unavailable, "the model stopped while answering", "", "", ""},
                      {},
                      {},
                      {}}});
  return all;
}

std::string render(const Case& one) {
  auto message = anthropic::make_stream_writer(one.message);
  auto chunks = openai_chat::make_stream_writer(one.completion);
  auto message_body = anthropic::make_body_writer(one.message);
  auto completion_body = openai_chat::make_body_writer(one.completion);
  std::string message_bytes;
  std::string chunk_bytes;
  message->keep_alive(message_bytes);
  chunks->keep_alive(chunk_bytes);
  for (const Event& event : one.events) {
    message->on_event(event, message_bytes);
    chunks->on_event(event, chunk_bytes);
    message_body->on_event(event);
    completion_body->on_event(event);
  }
  std::string out = "== anthropic, stream\n" + message_bytes;
  if (!message_body->failure()) out += "== anthropic, whole\n" + message_body->body() + "\n";
  out += "== chat, stream\n" + chunk_bytes;
  if (!completion_body->failure()) out += "== chat, whole\n" + completion_body->body() + "\n";
  return out;
}

TEST(Golden, AnswersAreWrittenByteForByte) {
  const std::string folder = std::string(FH_SOURCE_DIR) + "/src/dialects/testdata/";
  for (const Case& one : cases()) {
    const std::string path = folder + one.name + ".txt";
    const std::string rendered = render(one);
    if (std::getenv("FH_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << rendered;
    std::ifstream file(path);
    ASSERT_TRUE(file) << path;
    std::stringstream kept;
    kept << file.rdbuf();
    EXPECT_EQ(rendered, kept.str()) << one.name;
  }
}

}  // namespace
}  // namespace fh::dialects
