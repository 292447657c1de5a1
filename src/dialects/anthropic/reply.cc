// The whole reply of the Anthropic surface and its shared pieces; see reply.h.

#include "dialects/anthropic/reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dialects/answer.h"
#include "dialects/anthropic/reply_parts.h"
#include "dialects/ids.h"
#include "dialects/json_guard.h"

namespace fh::dialects::anthropic {

using codec::json::Writer;
using domain::EndReason;

std::string thinking_signature(std::string_view thinking) {
  // FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : thinking) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return fmt::format("fh1_{:016x}", hash);
}

std::string_view stop_reason(const Ending& ending) {
  const bool limit = ending.reason == EndReason::Length ||
                     ending.reason == EndReason::ContextFull || ending.reason == EndReason::Budget;
  // A call that was cut must not look like one to be run; one that is whole must, also where text
  // followed it.
  if (ending.any_call && !(limit && (ending.call_cut || !ending.last_is_call))) return "tool_use";
  switch (ending.reason) {
    case EndReason::Stop: return "stop_sequence";
    case EndReason::Length:
    case EndReason::Budget: return "max_tokens";
    case EndReason::ContextFull: return "model_context_window_exceeded";
    default: return "end_turn";
  }
}

namespace {

void write_counters(Writer& json, const domain::Usage& usage) {
  json.member("input_tokens", usage.input_uncached);
  json.member("cache_creation_input_tokens", usage.cache_write());
  json.member("cache_read_input_tokens", usage.cache_read);
  // This surface knows two lifetimes; the one between counts with the shorter.
  json.key("cache_creation").object();
  json.member("ephemeral_5m_input_tokens", usage.cache_write_5m + usage.cache_write_30m);
  json.member("ephemeral_1h_input_tokens", usage.cache_write_1h);
  json.end_object();
  json.member("output_tokens", usage.output);
  json.key("output_tokens_details").object();
  json.member("thinking_tokens", usage.reasoning);
  json.end_object();
}

}  // namespace

void write_usage(Writer& json, const domain::Usage& usage) {
  json.object();
  write_counters(json, usage);
  json.member_null("server_tool_use");
  json.member("service_tier", "standard");
  json.member("speed", "standard");
  json.member_null("inference_geo");
  json.end_object();
}

void write_usage_delta(Writer& json, const domain::Usage& usage) {
  json.object();
  write_counters(json, usage);
  json.end_object();
}

void write_diagnostics(Writer& json, const ReplyContext& context) {
  if (!context.diagnostics_asked) {
    json.null();
    return;
  }
  json.object();
  if (!context.cache_miss) {
    json.member_null("cache_miss_reason");
  } else {
    json.key("cache_miss_reason").object().member("type", context.cache_miss->type);
    if (context.cache_miss->type.ends_with("_changed")) {
      json.member("cache_missed_input_tokens", context.cache_miss->missed_input_tokens);
    }
    json.end_object();
  }
  json.end_object();
}

domain::Usage settled_usage(const domain::Usage& usage, const ReplyContext& context) {
  if (usage.prompt_total() > 0) return usage;
  domain::Usage filled = usage;
  filled.cache_read = std::min(context.cache_read_tokens, context.prompt_tokens);
  filled.input_uncached = context.prompt_tokens - filled.cache_read;
  return filled;
}

namespace {

class MessageBody final : public BodyWriter {
 public:
  explicit MessageBody(ReplyContext context)
      : context_(std::move(context)), answer_(context_.message_id) {}

  void on_event(const domain::Event& event) override { answer_.push(event); }
  bool ended() const override { return answer_.ended(); }
  const std::optional<base::Error>& failure() const override { return answer_.failure(); }
  std::uint32_t anomalies() const override { return answer_.anomalies(); }
  std::string body() override;

 private:
  void write_block(Writer& json, const AnswerBlock& block) const;

  ReplyContext context_;
  Answer answer_;
};

void MessageBody::write_block(Writer& json, const AnswerBlock& block) const {
  json.object();
  if (block.kind == BlockKind::Reasoning) {
    json.member("type", "thinking");
    json.member("thinking", context_.omit_thinking ? std::string_view() : block.text);
    json.member("signature", thinking_signature(block.text));
  } else if (block.kind == BlockKind::Text) {
    json.member("type", "text").member("text", block.text);
  } else {
    JsonGuard guard;
    std::string input;
    guard.push(block.text, input);
    guard.finish(input);
    json.member("type", "tool_use").member("id", anthropic_tool_id(block.id));
    json.member("name", block.name);
    json.member_raw("input", input.empty() ? "{}" : std::string_view(input));
  }
  json.end_object();
}

std::string MessageBody::body() {
  const Ending& ending = answer_.ending();
  Writer json;
  json.object();
  json.member("id", context_.message_id);
  json.member("type", "message").member("role", "assistant").member("model", context_.model);
  json.key("content").array();
  for (const AnswerBlock& block : answer_.blocks()) write_block(json, block);
  json.end_array();
  const std::string_view reason = stop_reason(ending);
  json.member("stop_reason", reason);
  if (reason == "stop_sequence") {
    json.member("stop_sequence", ending.stop_sequence);
  } else {
    json.member_null("stop_sequence");
  }
  json.member_null("stop_details").member_null("container");
  const domain::Usage usage = settled_usage(ending.usage, context_);
  if (context_.cache_miss) {  // now that it is known what was read from the cache all the same
    std::uint64_t& missed = context_.cache_miss->missed_input_tokens;
    missed -= std::min(missed, usage.cache_read);
  }
  json.key("diagnostics");
  write_diagnostics(json, context_);
  json.key("usage");
  write_usage(json, usage);
  json.end_object();
  return json.take();
}

}  // namespace

std::unique_ptr<BodyWriter> make_body_writer(ReplyContext context) {
  return std::make_unique<MessageBody>(std::move(context));
}

}  // namespace fh::dialects::anthropic
