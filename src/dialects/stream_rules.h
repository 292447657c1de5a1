#pragma once
// Test support: the legal order of both event streams as small checkers, written from the protocol
// and not from the writers, and what a client would have understood. Only *_test.cc files include
// this.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"

namespace fh::dialects::test {

using codec::json::Document;
using codec::json::Value;

struct Frame {
  std::string event;
  std::string data;
  std::string comment;
};

// Splits a stream; nullopt if the bytes are not well-formed server-sent events of the strict kind
// we write.
inline std::optional<std::vector<Frame>> frames_of(std::string_view bytes) {
  std::vector<Frame> frames;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find("\n\n");
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view block = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    Frame frame;
    while (!block.empty()) {
      const std::size_t line_end = std::min(block.find('\n'), block.size());
      const std::string_view line = block.substr(0, line_end);
      block.remove_prefix(std::min(line_end + 1, block.size()));
      if (line.starts_with("event: ") && frame.data.empty()) {
        frame.event = line.substr(7);
      } else if (line.starts_with("data: ") && line.size() > 6 && frame.data.empty()) {
        frame.data = line.substr(6);
      } else if (line == ": keepalive") {
        frame.comment = line;
      } else {
        return std::nullopt;
      }
    }
    frames.push_back(std::move(frame));
  }
  return frames;
}

// What a client of either surface ends up with; tool arguments joined, blocks in order.
struct Heard {
  struct Block {
    std::string kind;
    std::string id;
    std::string name;
    std::string text;
    std::string signature;
    bool operator==(const Block&) const = default;
  };
  std::vector<Block> blocks;
  std::string stop;
  std::string usage;
  bool error = false;
  bool ended = false;
  bool operator==(const Heard&) const = default;
};

inline std::string str(Value value) {
  return std::string(value.as_string().value_or("<none>"));
}

// Checks one Anthropic stream; returns what was heard. Adds a failure at the first broken rule.
class AnthropicRules {
 public:
  Heard check(std::string_view bytes) {
    const auto frames = frames_of(bytes);
    if (!frames) {
      ADD_FAILURE() << "not server-sent events: " << bytes;
      return heard_;
    }
    for (const Frame& frame : *frames) {
      const auto document = Document::parse(frame.data);
      if (!document || !document->root().is_object()) {
        ADD_FAILURE() << "not a JSON object: " << frame.data;
        return heard_;
      }
      const Value data = document->root();
      EXPECT_EQ(frame.event, str(data["type"]));
      EXPECT_FALSE(heard_.ended || heard_.error) << "after the end: " << frame.data;
      step(frame.event, data);
    }
    return heard_;
  }

 private:
  void step(const std::string& event, Value data) {
    if (event == "ping") return;
    if (event == "error") {
      heard_.error = true;
      EXPECT_FALSE(str(data["error"]["message"]).empty());
      return;
    }
    if (event == "message_start") {
      EXPECT_FALSE(started_);
      started_ = true;
      EXPECT_TRUE(data["message"]["usage"]["input_tokens"].is_number());
      EXPECT_TRUE(data["message"]["stop_reason"].is_null());
      return;
    }
    EXPECT_TRUE(started_) << event;
    if (event == "content_block_start") return block_start(data);
    if (event == "content_block_delta") return block_delta(data);
    if (event == "content_block_stop") return block_stop(data);
    EXPECT_FALSE(open_) << event;
    if (event == "message_delta") {
      EXPECT_FALSE(finished_);
      finished_ = true;
      heard_.stop = str(data["delta"]["stop_reason"]);
      const auto called = [](const Heard::Block& block) { return block.kind == "tool_use"; };
      if (std::ranges::any_of(heard_.blocks, called)) {
        EXPECT_TRUE(heard_.stop == "tool_use" || heard_.stop == "max_tokens" ||
                    heard_.stop == "model_context_window_exceeded")
            << "a call that nobody is told to run: " << heard_.stop;
      }
      heard_.usage = data["usage"]["output_tokens"].raw();
      EXPECT_TRUE(data["usage"]["output_tokens"].is_number());
    } else if (event == "message_stop") {
      EXPECT_TRUE(finished_);
      heard_.ended = true;
    } else {
      ADD_FAILURE() << "unknown event " << event;
    }
  }

  void block_start(Value data) {
    EXPECT_FALSE(open_);
    EXPECT_FALSE(finished_);
    EXPECT_EQ(data["index"].as_int(), static_cast<std::int64_t>(heard_.blocks.size()));
    open_ = true;
    const Value block = data["content_block"];
    Heard::Block heard;
    heard.kind = str(block["type"]);
    if (heard.kind == "tool_use") {
      heard.id = str(block["id"]);
      heard.name = str(block["name"]);
      EXPECT_TRUE(heard.id.starts_with("toolu_")) << heard.id;
      EXPECT_FALSE(heard.name.empty());
      EXPECT_EQ(block["input"].raw(), "{}");
    } else {
      EXPECT_TRUE(heard.kind == "text" || heard.kind == "thinking");
    }
    heard_.blocks.push_back(heard);
  }

  void block_delta(Value data) {
    ASSERT_TRUE(open_);
    EXPECT_EQ(data["index"].as_int(), static_cast<std::int64_t>(heard_.blocks.size()) - 1);
    Heard::Block& block = heard_.blocks.back();
    const std::string type = str(data["delta"]["type"]);
    EXPECT_TRUE(block.signature.empty()) << "delta after the signature";
    if (block.kind == "text") {
      EXPECT_EQ(type, "text_delta");
      block.text += str(data["delta"]["text"]);
    } else if (block.kind == "tool_use") {
      EXPECT_EQ(type, "input_json_delta");
      block.text += str(data["delta"]["partial_json"]);
    } else if (type == "signature_delta") {
      block.signature = str(data["delta"]["signature"]);
      EXPECT_FALSE(block.signature.empty());
    } else {
      EXPECT_EQ(type, "thinking_delta");
      block.text += str(data["delta"]["thinking"]);
    }
  }

  void block_stop(Value data) {
    ASSERT_TRUE(open_);
    open_ = false;
    EXPECT_EQ(data["index"].as_int(), static_cast<std::int64_t>(heard_.blocks.size()) - 1);
    Heard::Block& block = heard_.blocks.back();
    EXPECT_EQ(block.kind == "thinking", !block.signature.empty());
    if (block.kind != "tool_use") return;
    if (block.text.empty()) block.text = "{}";
    const auto input = Document::parse(block.text, {.depth_max = 600});
    EXPECT_TRUE(input && input->root().is_object()) << block.text;
  }

  Heard heard_;
  bool started_ = false;
  bool open_ = false;
  bool finished_ = false;
};

// The same for Chat Completions chunks.
class ChatRules {
 public:
  explicit ChatRules(bool include_usage) : include_usage_(include_usage) {}

  Heard check(std::string_view bytes) {
    const auto frames = frames_of(bytes);
    if (!frames) {
      ADD_FAILURE() << "not server-sent events: " << bytes;
      return heard_;
    }
    for (const Frame& frame : *frames) {
      EXPECT_TRUE(frame.event.empty());
      EXPECT_FALSE(heard_.ended || heard_.error) << "after the end: " << frame.data;
      if (!frame.comment.empty()) continue;
      if (frame.data == "[DONE]") {
        EXPECT_FALSE(heard_.stop.empty());
        EXPECT_EQ(usage_chunk_, include_usage_);
        heard_.ended = true;
        continue;
      }
      const auto document = Document::parse(frame.data);
      if (!document) {
        ADD_FAILURE() << "not JSON: " << frame.data;
        return heard_;
      }
      chunk(document->root());
    }
    return heard_;
  }

 private:
  void chunk(Value data) {
    if (data["error"].exists()) {
      heard_.error = true;
      EXPECT_TRUE(data["error"]["message"].is_string());
      return;
    }
    EXPECT_EQ(str(data["object"]), "chat.completion.chunk");
    ASSERT_TRUE(data["choices"].is_array());
    if (data["choices"].size() == 0) {
      EXPECT_FALSE(heard_.stop.empty());
      EXPECT_TRUE(data["usage"].is_object());
      heard_.usage = data["usage"]["completion_tokens"].raw();
      usage_chunk_ = true;
      return;
    }
    EXPECT_TRUE(heard_.stop.empty()) << "a choice after finish_reason";
    const Value choice = data["choices"][std::size_t{0}];
    const Value delta = choice["delta"];
    if (!started_) {
      EXPECT_EQ(str(delta["role"]), "assistant");
      started_ = true;
    } else {
      EXPECT_FALSE(delta["role"].exists());
    }
    if (delta["content"].exists()) add("text", str(delta["content"]));
    if (delta["reasoning_content"].exists()) add("thinking", str(delta["reasoning_content"]));
    for (const Value call : delta["tool_calls"].elements()) tool_call(call);
    if (delta["function_call"].exists()) function_call(delta["function_call"]);
    if (!choice["finish_reason"].is_null()) {
      heard_.stop = str(choice["finish_reason"]);
      // Once only: clients add up what the chunks say.
      EXPECT_EQ(data["usage"].is_object(), !include_usage_);
      EXPECT_TRUE(data["usage"].exists());
      if (!include_usage_) heard_.usage = data["usage"]["completion_tokens"].raw();
    } else {
      EXPECT_EQ(data["usage"].exists(), include_usage_);
      EXPECT_TRUE(data["usage"].is_null());
    }
  }

  void add(const std::string& kind, const std::string& text) {
    if (text.empty()) return;
    if (heard_.blocks.empty() || heard_.blocks.back().kind != kind) {
      heard_.blocks.push_back({kind, "", "", "", ""});
    }
    heard_.blocks.back().text += text;
  }

  void tool_call(Value call) {
    const std::int64_t index = call["index"].as_int().value_or(-1);
    const bool custom = call["custom"].exists();
    const Value body = custom ? call["custom"] : call["function"];
    ASSERT_TRUE(body.is_object());
    const Value text = custom ? body["input"] : body["arguments"];
    ASSERT_TRUE(text.is_string());
    if (call["id"].exists()) {
      EXPECT_EQ(index, calls_++);
      EXPECT_EQ(str(call["type"]), custom ? "custom" : "function");
      EXPECT_FALSE(str(body["name"]).empty());
      heard_.blocks.push_back(
          {custom ? "custom" : "call", str(call["id"]), str(body["name"]), str(text), ""});
      return;
    }
    EXPECT_EQ(index, calls_ - 1);
    EXPECT_FALSE(call["type"].exists());
    EXPECT_FALSE(body["name"].exists());
    ASSERT_FALSE(heard_.blocks.empty());
    EXPECT_EQ(heard_.blocks.back().kind, custom ? "custom" : "call");
    heard_.blocks.back().text += str(text);
  }

  void function_call(Value call) {
    if (call["name"].exists()) {
      EXPECT_EQ(calls_++, 0);
      heard_.blocks.push_back({"function_call", "", str(call["name"]), "", ""});
    }
    ASSERT_FALSE(heard_.blocks.empty());
    heard_.blocks.back().text += str(call["arguments"]);
  }

  Heard heard_;
  bool include_usage_;
  bool started_ = false;
  bool usage_chunk_ = false;
  std::int64_t calls_ = 0;
};

}  // namespace fh::dialects::test
