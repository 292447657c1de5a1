// Whatever events come, in whatever order: both streams are legal, and say the same as the whole
// reply does.

#include <gtest/gtest.h>

#include <random>

#include "dialects/anthropic/reply.h"
#include "dialects/openai_chat/reply.h"
#include "dialects/stream_rules.h"

namespace fh::dialects {
namespace {

using domain::Event;
using test::Heard;

class Events {
 public:
  explicit Events(std::uint64_t seed) : random_(seed) {}

  // In the promised order.
  std::vector<Event> orderly() {
    std::vector<Event> events;
    events.push_back(domain::Started{100, {60, 40, 0}});
    const std::size_t blocks = pick(5);
    for (std::size_t i = 0; i < blocks; ++i) {
      const std::size_t kind = pick(3);
      if (kind == 2) {
        events.push_back(domain::ToolCallStart{"call_" + std::to_string(i), "tool"});
        const std::string arguments = R"({"path":"/a\nb","n":[1,2,{"x":"é"}]})";
        for (std::size_t at = 0; at < arguments.size();) {
          std::size_t size = std::min(arguments.size() - at, 1 + pick(6));
          while (at + size < arguments.size() && (arguments[at + size] & '\xC0') == '\x80') ++size;
          events.push_back(domain::ToolCallDelta{arguments.substr(at, size)});
          at += size;
        }
        events.push_back(domain::ToolCallEnd{});
        continue;
      }
      const std::size_t deltas = 1 + pick(4);
      for (std::size_t j = 0; j < deltas; ++j) {
        if (kind == 0) events.push_back(domain::TextDelta{text(), {}});
        if (kind == 1) events.push_back(domain::ReasoningDelta{text()});
      }
    }
    events.push_back(finished());
    return events;
  }

  std::vector<Event> disorderly() {
    std::vector<Event> events;
    const std::size_t count = pick(14);
    for (std::size_t i = 0; i < count; ++i) events.push_back(any());
    return events;
  }

 private:
  std::size_t pick(std::size_t bound) { return random_() % bound; }

  std::string text() {
    static const std::string kTexts[] = {"hello ",           "a\"b\\", "line\nline",
                                         "\u00e9\U0001f600", "</x>",   "\x01",
                                         "data: {}\n\n",     ": ping", ""};
    return kTexts[pick(std::size(kTexts))];
  }

  Event finished() {
    static constexpr domain::EndReason kReasons[] = {
        domain::EndReason::Complete,    domain::EndReason::Stop,     domain::EndReason::Length,
        domain::EndReason::ContextFull, domain::EndReason::ToolCall, domain::EndReason::Budget,
        domain::EndReason::ClientAbort};
    domain::Finished event;
    event.reason = kReasons[pick(std::size(kReasons))];
    if (event.reason == domain::EndReason::Stop) event.stop_sequence = "STOP";
    event.usage = {.input_uncached = 60, .cache_read = 40, .output = 1 + pick(50)};
    return event;
  }

  Event any() {
    static const std::string kFragments[] = {"{", "}", "\"a\":",         "\"\\u", "d83d", "1",
                                             ",", "]", "{\"input\":\"x", "\xFF",  "tru",  "",
                                             "[", "\\"};
    switch (pick(12)) {
      case 0: return domain::Started{pick(1000), {}};
      case 1:
      case 2: return domain::TextDelta{text(), {}};
      case 3: return domain::ReasoningDelta{text()};
      case 4:
      case 5: {
        static const std::string kIds[] = {"call_1", "call_2", "", "toolu_9"};
        static const std::string kNames[] = {"read", "patch", ""};
        return domain::ToolCallStart{kIds[pick(4)], kNames[pick(3)]};
      }
      case 6:
      case 7:
      case 8: return domain::ToolCallDelta{kFragments[pick(std::size(kFragments))]};
      case 9: return domain::ToolCallEnd{};
      case 10: return pick(3) == 0 ? finished() : Event(domain::TextDelta{"x", {}});
      default:
        if (pick(4) != 0) return domain::ToolCallEnd{};
        return domain::Failed{{base::Code::Unavailable, "worker died", {}, {}, {}}, {}, {}, {}};
    }
  }

  std::mt19937_64 random_;
};

template <typename Noise>
std::string stream(StreamWriter& writer, const std::vector<Event>& events, Noise noise) {
  std::string out;
  for (const Event& event : events) {
    noise(writer, out);
    writer.on_event(event, out);
  }
  noise(writer, out);
  return out;
}
void quiet(StreamWriter&, std::string&) {}

anthropic::ReplyContext anthropic_context() {
  anthropic::ReplyContext context;
  context.message_id = "msg_1";
  context.request_id = "req_1";
  context.model = "m";
  context.prompt_tokens = 100;
  return context;
}
openai_chat::ReplyContext chat_context(std::uint64_t seed) {
  openai_chat::ReplyContext context;
  context.id = "chatcmpl-1";
  context.model = "m";
  context.created_unix_s = 1;
  context.include_usage = seed % 2 == 0;
  context.legacy_functions = seed % 5 == 0;
  context.custom_tools = {"patch"};
  return context;
}

Heard heard_of_message(std::string_view body) {
  const auto document = codec::json::Document::parse(body, {.depth_max = 600});
  Heard heard;
  if (!document) {
    ADD_FAILURE() << "not JSON: " << body;
    return heard;
  }
  const auto root = document->root();
  for (const auto block : root["content"].elements()) {
    Heard::Block made{test::str(block["type"]), "", "", "", ""};
    if (made.kind == "tool_use") {
      made.id = test::str(block["id"]);
      made.name = test::str(block["name"]);
      made.text = block["input"].raw();
    } else {
      made.text = test::str(block[made.kind]);
    }
    if (made.kind == "thinking") made.signature = test::str(block["signature"]);
    heard.blocks.push_back(made);
  }
  heard.stop = test::str(root["stop_reason"]);
  heard.usage = root["usage"]["output_tokens"].raw();
  heard.ended = true;
  return heard;
}

// Content and reasoning are one string each in the whole reply, so the order among kinds is lost
// there.
Heard by_kind(const Heard& heard) {
  Heard sorted = heard;
  sorted.blocks.clear();
  for (const std::string_view kind : {"text", "thinking"}) {
    Heard::Block joined{std::string(kind), "", "", "", ""};
    for (const auto& block : heard.blocks) joined.text += block.kind == kind ? block.text : "";
    if (!joined.text.empty()) sorted.blocks.push_back(joined);
  }
  for (const auto& block : heard.blocks) {
    if (block.kind != "text" && block.kind != "thinking") sorted.blocks.push_back(block);
  }
  return sorted;
}

Heard heard_of_completion(std::string_view body) {
  const auto document = codec::json::Document::parse(body);
  Heard heard;
  if (!document) {
    ADD_FAILURE() << "not JSON: " << body;
    return heard;
  }
  const auto choice = document->root()["choices"][std::size_t{0}];
  const auto message = choice["message"];
  const auto add = [&](std::string kind, test::Value text) {
    if (text.is_string() && !text.as_string()->empty()) {
      heard.blocks.push_back({std::move(kind), "", "", std::string(*text.as_string()), ""});
    }
  };
  add("text", message["content"]);
  add("thinking", message["reasoning_content"]);
  for (const auto call : message["tool_calls"].elements()) {
    const bool custom = call["custom"].exists();
    const auto body_of = custom ? call["custom"] : call["function"];
    heard.blocks.push_back({custom ? "custom" : "call", test::str(call["id"]),
                            test::str(body_of["name"]),
                            test::str(body_of[custom ? "input" : "arguments"]), ""});
  }
  if (const auto call = message["function_call"]; call.exists()) {
    heard.blocks.push_back(
        {"function_call", "", test::str(call["name"]), test::str(call["arguments"]), ""});
  }
  heard.stop = test::str(choice["finish_reason"]);
  heard.usage = document->root()["usage"]["completion_tokens"].raw();
  heard.ended = true;
  return heard;
}

void same_as_whole(const std::vector<Event>& events, std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  auto message_stream = anthropic::make_stream_writer(anthropic_context());
  const Heard message = test::AnthropicRules().check(stream(*message_stream, events, quiet));
  auto message_body = anthropic::make_body_writer(anthropic_context());
  auto chunk_stream = openai_chat::make_stream_writer(chat_context(seed));
  const Heard chunks = test::ChatRules(seed % 2 == 0).check(stream(*chunk_stream, events, quiet));
  auto completion = openai_chat::make_body_writer(chat_context(seed));
  for (const Event& event : events) {
    message_body->on_event(event);
    completion->on_event(event);
  }
  EXPECT_EQ(message_stream->anomalies(), message_body->anomalies());
  EXPECT_EQ(message.error, message_body->failure().has_value());
  EXPECT_EQ(chunks.error, completion->failure().has_value());
  EXPECT_EQ(message.ended, chunks.ended);
  if (!message.ended) return;
  EXPECT_EQ(message, heard_of_message(message_body->body()));
  Heard whole = heard_of_completion(completion->body());
  // A call that was cut before its first byte has no arguments in the stream.
  Heard streamed = by_kind(chunks);
  ASSERT_EQ(streamed.blocks.size(), whole.blocks.size());
  for (std::size_t i = 0; i < whole.blocks.size(); ++i) {
    const bool none =
        streamed.blocks[i].kind == "call" || streamed.blocks[i].kind == "function_call";
    if (none && streamed.blocks[i].text.empty()) streamed.blocks[i].text = "{}";
  }
  EXPECT_EQ(streamed, by_kind(whole));
}

TEST(Writers, OrderlyEventsGiveLegalStreamsThatEqualTheWholeReply) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto events = Events(seed).orderly();
    auto writer = anthropic::make_stream_writer(anthropic_context());
    stream(*writer, events, quiet);
    EXPECT_TRUE(writer->ended());
    EXPECT_EQ(writer->anomalies(), 0u);
    same_as_whole(events, seed);
    if (HasFailure()) return;
  }
}

TEST(Writers, DisorderlyEventsGiveLegalStreamsThatEqualTheWholeReply) {
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    same_as_whole(Events(seed).disorderly(), seed);
    if (HasFailure()) return;
  }
}

TEST(Writers, KeepAlivesBeatsStartsAndErrorsAtAnyTimeAreLegal) {
  for (std::uint64_t seed = 0; seed < 800; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto events = seed % 3 == 0 ? Events(seed).orderly() : Events(seed).disorderly();
    const auto noise = [&random](StreamWriter& writer, std::string& out) {
      const auto draw = random() % 16;
      if (draw < 3) writer.keep_alive(out);
      if (draw == 3 || draw == 4) writer.stall_beat(out);
      if (draw == 5) writer.start(out);
      if (draw == 6 && random() % 4 == 0) {
        writer.on_error({base::Code::Internal, "no", {}, {}, {}}, out);
      }
    };
    auto context = anthropic_context();
    context.thinking_model = seed % 2 == 0;
    context.omit_thinking = seed % 4 == 0;
    auto message_stream = anthropic::make_stream_writer(context);
    const std::string message = stream(*message_stream, events, noise);
    const Heard heard = test::AnthropicRules().check(message);
    EXPECT_EQ(message_stream->ended(), heard.ended || heard.error);
    for (std::size_t i = 1; i < heard.blocks.size() && !context.omit_thinking; ++i) {
      EXPECT_FALSE(heard.blocks[i - 1].kind == "tool_use" && heard.blocks[i].kind != "tool_use" &&
                   heard.blocks[i].text.empty())
          << "a block that the model has not said, behind a call";
    }
    EXPECT_EQ(message.find("\n: ping"), std::string::npos);
    auto chunk_stream = openai_chat::make_stream_writer(chat_context(seed));
    const std::string chunks = stream(*chunk_stream, events, noise);
    const Heard chunks_heard = test::ChatRules(seed % 2 == 0).check(chunks);
    EXPECT_EQ(chunk_stream->ended(), chunks_heard.ended || chunks_heard.error);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace fh::dialects
