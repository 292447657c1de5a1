// The whole reply of the Chat surface and its shared pieces; see reply.h.

#include "dialects/openai_chat/reply.h"

#include <utility>

#include "dialects/answer.h"
#include "dialects/custom_input.h"
#include "dialects/ids.h"
#include "dialects/openai_chat/reply_parts.h"

namespace fh::dialects::openai_chat {

using codec::json::Writer;
using domain::EndReason;

std::string_view finish_reason(const Ending& ending, bool legacy_functions) {
  const bool limit = ending.reason == EndReason::Length ||
                     ending.reason == EndReason::ContextFull || ending.reason == EndReason::Budget;
  if (ending.any_call && !(limit && (ending.call_cut || !ending.last_is_call))) {
    return legacy_functions ? "function_call" : "tool_calls";
  }
  return limit ? "length" : "stop";
}

void write_usage(Writer& json, const Ending& ending, const ReplyContext& context) {
  const domain::Usage& usage = ending.usage;
  const std::uint64_t prompt =
      usage.prompt_total() > 0 ? usage.prompt_total() : context.prompt_tokens;
  json.object();
  json.member("prompt_tokens", prompt);
  json.member("completion_tokens", usage.output);
  json.member("total_tokens", prompt + usage.output);
  json.key("prompt_tokens_details").object();
  json.member("cached_tokens", usage.cache_read).member("cache_write_tokens", usage.cache_write());
  json.member("text_tokens", prompt).member("image_tokens", 0).member("audio_tokens", 0);
  json.end_object();
  json.key("completion_tokens_details").object();
  json.member("reasoning_tokens", usage.reasoning);
  json.member("accepted_prediction_tokens", 0).member("rejected_prediction_tokens", 0);
  json.member("audio_tokens", 0).end_object();
  json.member("cache_read_input_tokens", usage.cache_read);
  json.member("cache_creation_input_tokens", usage.cache_write());
  json.end_object();
}

namespace {

void write_token(Writer& json, const std::string& token, const std::vector<std::uint8_t>& bytes,
                 double logprob) {
  json.member("token", token).member("logprob", logprob);
  json.key("bytes").array();
  for (const std::uint8_t byte : bytes) json.value(static_cast<int>(byte));
  json.end_array();
}

}  // namespace

void write_logprobs(Writer& json, std::span<const domain::TokenLogprob> logprobs) {
  if (logprobs.empty()) {
    json.null();
    return;
  }
  json.object().key("content").array();
  for (const domain::TokenLogprob& entry : logprobs) {
    json.object();
    write_token(json, entry.token, entry.bytes, entry.logprob);
    json.key("top_logprobs").array();
    for (const auto& top : entry.top) {
      json.object();
      write_token(json, top.token, top.bytes, top.logprob);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().member_null("refusal").end_object();
}

namespace {

class CompletionBody final : public BodyWriter {
 public:
  explicit CompletionBody(ReplyContext context)
      : context_(std::move(context)), answer_(context_.id) {}

  void on_event(const domain::Event& event) override { answer_.push(event); }
  bool ended() const override { return answer_.ended(); }
  const std::optional<base::Error>& failure() const override { return answer_.failure(); }
  std::uint32_t anomalies() const override { return answer_.anomalies(); }
  std::string body() override;

 private:
  void write_message(Writer& json) const;
  void write_calls(Writer& json) const;
  void write_call(Writer& json, const AnswerBlock& call) const;

  ReplyContext context_;
  Answer answer_;
};

std::string_view arguments_of(const AnswerBlock& call) {
  return call.text.empty() ? std::string_view("{}") : call.text;
}

void CompletionBody::write_call(Writer& json, const AnswerBlock& call) const {
  json.object().member("id", internal_tool_id(call.id));
  if (context_.custom_tools.contains(call.name)) {
    CustomInput reader;
    std::string input;
    reader.push(call.text, input);
    reader.finish(input);
    json.member("type", "custom").key("custom").object();
    json.member("name", call.name).member("input", input).end_object();
  } else {
    json.member("type", "function").key("function").object();
    json.member("name", call.name).member("arguments", arguments_of(call)).end_object();
  }
  json.end_object();
}

void CompletionBody::write_calls(Writer& json) const {
  if (!answer_.ending().any_call) return;
  if (context_.legacy_functions) {
    for (const AnswerBlock& block : answer_.blocks()) {
      if (block.kind != BlockKind::ToolCall) continue;
      json.key("function_call").object().member("name", block.name);
      json.member("arguments", arguments_of(block)).end_object();
      return;  // that form holds one call
    }
  }
  json.key("tool_calls").array();
  for (const AnswerBlock& block : answer_.blocks()) {
    if (block.kind == BlockKind::ToolCall) write_call(json, block);
  }
  json.end_array();
}

void CompletionBody::write_message(Writer& json) const {
  std::string content;
  std::string reasoning;
  for (const AnswerBlock& block : answer_.blocks()) {
    if (block.kind == BlockKind::Text) content += block.text;
    if (block.kind == BlockKind::Reasoning) reasoning += block.text;
  }
  json.object().member("role", "assistant");
  if (content.empty() && answer_.ending().any_call) {
    json.member_null("content");
  } else {
    json.member("content", content);
  }
  if (!reasoning.empty()) json.member("reasoning_content", reasoning);
  json.member_null("refusal");
  write_calls(json);
  json.key("annotations").array().end_array();
  json.end_object();
}

std::string CompletionBody::body() {
  const Ending& ending = answer_.ending();
  Writer json;
  json.object().member("id", context_.id).member("object", "chat.completion");
  json.member("created", context_.created_unix_s).member("model", context_.model);
  json.member("system_fingerprint", kFingerprint).member("service_tier", "default");
  json.key("choices").array().object().member("index", 0);
  json.key("message");
  write_message(json);
  json.key("logprobs");
  write_logprobs(json, answer_.logprobs());
  json.member("finish_reason", finish_reason(ending, context_.legacy_functions));
  json.end_object().end_array();
  json.key("usage");
  write_usage(json, ending, context_);
  json.end_object();
  return json.take();
}

}  // namespace

std::unique_ptr<BodyWriter> make_body_writer(ReplyContext context) {
  return std::make_unique<CompletionBody>(std::move(context));
}

}  // namespace fh::dialects::openai_chat
