// The event stream of the Anthropic surface; see reply.h. A delta is a prepared prefix, one JSON
// string and a fixed end; everything rarer goes through the JSON writer.

#include <utility>

#include "base/check.h"
#include "codec/json.h"
#include "dialects/anthropic/errors.h"
#include "dialects/anthropic/reply.h"
#include "dialects/anthropic/reply_parts.h"
#include "dialects/blocks.h"
#include "dialects/ids.h"
#include "dialects/json_guard.h"

namespace fh::dialects::anthropic {
namespace {

using codec::json::Writer;

class MessageStream final : public StreamWriter, private BlockSink {
 public:
  explicit MessageStream(ReplyContext context)
      : context_(std::move(context)), sequencer_(context_.message_id) {}

  void start(std::string& out) override;
  void on_event(const domain::Event& event, std::string& out) override;
  void on_error(const base::Error& error, std::string& out) override;
  void keep_alive(std::string& out) override;
  void stall_beat(std::string& out) override;
  bool ended() const override { return sequencer_.ended(); }
  std::uint32_t anomalies() const override { return sequencer_.anomalies(); }

 private:
  void open(BlockKind kind, std::string_view id, std::string_view name) override;
  void delta(BlockKind kind, std::string_view text,
             std::span<const domain::TokenLogprob> logprobs) override;
  void close(BlockKind kind, bool cut) override;
  void end(const Ending& ending) override;
  void fail(const base::Error& error, const domain::Usage& usage) override;

  void take_counts(const domain::Started& started);
  void write_delta(std::string_view text);
  void event(std::string_view name, const std::string& data);

  ReplyContext context_;
  BlockSequencer sequencer_;
  std::string* out_ = nullptr;  // set while a public member runs
  bool started_ = false;
  std::uint32_t index_ = 0;   // of the block that is open or comes next
  std::string delta_prefix_;  // up to the JSON string of the open block's delta
  std::string thinking_;      // of the open thinking block, for its signature
  JsonGuard guard_;           // of the open tool call
  std::string scratch_;
};

void MessageStream::event(std::string_view name, const std::string& data) {
  out_->append("event: ").append(name).append("\ndata: ").append(data).append("\n\n");
}

void MessageStream::start(std::string& out) {
  if (started_ || ended()) return;
  started_ = true;
  out_ = &out;
  domain::Usage usage = settled_usage({}, context_);
  usage.output = 1;
  Writer json;
  json.object().member("type", "message_start").key("message").object();
  json.member("id", context_.message_id);
  json.member("type", "message").member("role", "assistant").member("model", context_.model);
  json.key("content").array().end_array();
  json.member_null("stop_reason").member_null("stop_sequence").member_null("stop_details");
  json.member_null("container").key("diagnostics");
  write_diagnostics(json, context_);
  json.key("usage");
  write_usage(json, usage);
  json.end_object().end_object();
  event("message_start", json.str());
}

void MessageStream::take_counts(const domain::Started& started) {
  context_.prompt_tokens = started.prompt_tokens;
  context_.cache_read_tokens = started.work.cached + started.work.restored;
}

void MessageStream::on_event(const domain::Event& event, std::string& out) {
  if (const auto* counts = std::get_if<domain::Started>(&event)) take_counts(*counts);
  if (!std::holds_alternative<domain::Failed>(event)) start(out);
  out_ = &out;
  sequencer_.push(event, *this);
}

void MessageStream::on_error(const base::Error& error, std::string& out) {
  out_ = &out;
  sequencer_.fail(error, *this);
}

void MessageStream::keep_alive(std::string& out) {
  if (!ended()) out += "event: ping\ndata: {\"type\":\"ping\"}\n\n";
}

void MessageStream::stall_beat(std::string& out) {
  if (ended()) return;
  start(out);
  out_ = &out;
  const BlockKind kind = context_.thinking_model ? BlockKind::Reasoning : BlockKind::Text;
  if (!sequencer_.ensure_open(kind, *this)) return keep_alive(out);
  write_delta({});
}

void MessageStream::open(BlockKind kind, std::string_view id, std::string_view name) {
  Writer json;
  json.object().member("type", "content_block_start").member("index", index_);
  json.key("content_block").object();
  std::string_view delta_type;
  if (kind == BlockKind::Reasoning) {
    json.member("type", "thinking").member("thinking", "").member("signature", "");
    delta_type = R"("thinking_delta","thinking":)";
    thinking_.clear();
  } else if (kind == BlockKind::Text) {
    json.member("type", "text").member("text", "");
    delta_type = R"("text_delta","text":)";
  } else {
    json.member("type", "tool_use").member("id", anthropic_tool_id(id)).member("name", name);
    json.key("input").object().end_object();
    delta_type = R"("input_json_delta","partial_json":)";
    guard_ = JsonGuard();
  }
  json.end_object().end_object();
  event("content_block_start", json.str());
  delta_prefix_ = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":";
  delta_prefix_ += std::to_string(index_);
  delta_prefix_ += R"(,"delta":{"type":)";
  delta_prefix_ += delta_type;
}

void MessageStream::write_delta(std::string_view text) {
  out_->append(delta_prefix_);
  codec::json::append_string(*out_, text);
  out_->append("}}\n\n");
}

void MessageStream::delta(BlockKind kind, std::string_view text,
                          std::span<const domain::TokenLogprob>) {
  if (kind == BlockKind::ToolCall) {
    scratch_.clear();
    guard_.push(text, scratch_);
    if (!scratch_.empty()) write_delta(scratch_);
    return;
  }
  if (kind == BlockKind::Reasoning) {
    thinking_ += text;
    if (context_.omit_thinking) return;
  }
  if (!text.empty()) write_delta(text);
}

void MessageStream::close(BlockKind kind, bool) {
  if (kind == BlockKind::ToolCall) {
    scratch_.clear();
    guard_.finish(scratch_);
    if (!scratch_.empty()) write_delta(scratch_);
  } else if (kind == BlockKind::Reasoning) {
    Writer json;
    json.object().member("type", "content_block_delta").member("index", index_);
    json.key("delta").object().member("type", "signature_delta");
    json.member("signature", thinking_signature(thinking_));
    json.end_object().end_object();
    event("content_block_delta", json.str());
  }
  event("content_block_stop",
        R"({"type":"content_block_stop","index":)" + std::to_string(index_) + "}");
  ++index_;
}

void MessageStream::end(const Ending& ending) {
  Writer json;
  json.object().member("type", "message_delta").key("delta").object();
  const std::string_view reason = stop_reason(ending);
  json.member("stop_reason", reason);
  if (reason == "stop_sequence") {
    json.member("stop_sequence", ending.stop_sequence);
  } else {
    json.member_null("stop_sequence");
  }
  json.member_null("stop_details").member_null("container").end_object();
  json.key("usage");
  write_usage_delta(json, settled_usage(ending.usage, context_));
  json.end_object();
  event("message_delta", json.str());
  event("message_stop", R"({"type":"message_stop"})");
}

void MessageStream::fail(const base::Error& error, const domain::Usage&) {
  event("error", error_body(error, context_.request_id));
}

}  // namespace

std::unique_ptr<StreamWriter> make_stream_writer(ReplyContext context) {
  return std::make_unique<MessageStream>(std::move(context));
}

}  // namespace fh::dialects::anthropic
