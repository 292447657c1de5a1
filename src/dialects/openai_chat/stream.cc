// The chunk stream of the Chat surface; see reply.h. Every chunk is: a prefix that never changes,
// the delta, one of two ends.

#include <utility>

#include "codec/json.h"
#include "dialects/blocks.h"
#include "dialects/custom_input.h"
#include "dialects/ids.h"
#include "dialects/openai_chat/errors.h"
#include "dialects/openai_chat/reply.h"
#include "dialects/openai_chat/reply_parts.h"

namespace fh::dialects::openai_chat {
namespace {

using codec::json::append_string;
using codec::json::Writer;

enum class CallForm : std::uint8_t { Function, Custom, Legacy, Hidden };

class ChunkStream final : public StreamWriter, private BlockSink {
 public:
  explicit ChunkStream(ReplyContext context);

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

  void write_text(std::string_view key, std::string_view text,
                  std::span<const domain::TokenLogprob> logprobs);
  void write_call_piece(std::string_view text);
  void write_call_text(std::string_view text);

  ReplyContext context_;
  BlockSequencer sequencer_;
  std::string* out_ = nullptr;  // set while a public member runs
  std::string prefix_;          // "data: {...,"
  std::string delta_prefix_;    // prefix_ and the choice up to the delta
  std::string delta_end_;       // after the delta
  std::string call_prefix_;     // of the open call, up to the JSON string of its text
  std::string_view call_end_;
  CallForm form_ = CallForm::Function;
  CustomInput custom_;
  std::string scratch_;
  std::uint32_t calls_ = 0;
  bool started_ = false;
  bool call_text_sent_ = false;
};

ChunkStream::ChunkStream(ReplyContext context)
    : context_(std::move(context)), sequencer_(context_.id) {
  prefix_ = R"(data: {"id":)";
  append_string(prefix_, context_.id);
  prefix_ += R"(,"object":"chat.completion.chunk","created":)";
  prefix_ += std::to_string(context_.created_unix_s);
  prefix_ += R"(,"model":)";
  append_string(prefix_, context_.model);
  prefix_ += R"(,"system_fingerprint":)";
  append_string(prefix_, kFingerprint);
  delta_prefix_ = prefix_ + R"(,"choices":[{"index":0,"delta":{)";
  delta_end_ = R"(},"logprobs":null,"finish_reason":null}])";
  delta_end_ += context_.include_usage ? ",\"usage\":null}\n\n" : "}\n\n";
}

void ChunkStream::start(std::string& out) {
  if (started_ || ended()) return;
  started_ = true;
  out.append(delta_prefix_).append(R"("role":"assistant","content":"")").append(delta_end_);
}

void ChunkStream::on_event(const domain::Event& event, std::string& out) {
  if (const auto* counts = std::get_if<domain::Started>(&event)) {
    context_.prompt_tokens = counts->prompt_tokens;
  }
  if (!std::holds_alternative<domain::Failed>(event)) start(out);
  out_ = &out;
  sequencer_.push(event, *this);
}

void ChunkStream::on_error(const base::Error& error, std::string& out) {
  out_ = &out;
  sequencer_.fail(error, *this);
}

void ChunkStream::keep_alive(std::string& out) {
  if (!ended()) out += ": keepalive\n\n";
}

void ChunkStream::stall_beat(std::string& out) {
  if (ended()) return;
  start(out);
  out.append(delta_prefix_).append(R"("content":"")").append(delta_end_);
}

void ChunkStream::write_text(std::string_view key, std::string_view text,
                             std::span<const domain::TokenLogprob> logprobs) {
  out_->append(delta_prefix_).append("\"").append(key).append("\":");
  append_string(*out_, text);
  if (logprobs.empty()) {
    out_->append(delta_end_);
    return;
  }
  Writer json;
  write_logprobs(json, logprobs);
  out_->append(R"(},"logprobs":)").append(json.str()).append(R"(,"finish_reason":null}])");
  out_->append(context_.include_usage ? ",\"usage\":null}\n\n" : "}\n\n");
}

void ChunkStream::open(BlockKind kind, std::string_view id, std::string_view name) {
  if (kind != BlockKind::ToolCall) return;
  call_text_sent_ = false;
  if (context_.legacy_functions) {
    form_ = calls_ == 0 ? CallForm::Legacy : CallForm::Hidden;  // that form holds one call
  } else {
    const bool custom = context_.custom_tools.contains(std::string(name));
    form_ = custom ? CallForm::Custom : CallForm::Function;
  }
  const std::uint32_t index = calls_++;
  if (form_ == CallForm::Hidden) return;
  Writer json;
  json.object();
  if (form_ == CallForm::Legacy) {
    json.key("function_call").object().member("name", name).member("arguments", "");
    json.end_object();
    call_prefix_ = delta_prefix_ + R"("function_call":{"arguments":)";
    call_end_ = "}";
  } else {
    const bool custom = form_ == CallForm::Custom;
    const std::string_view type = custom ? "custom" : "function";
    const std::string_view text_key = custom ? "input" : "arguments";
    json.key("tool_calls").array().object().member("index", index);
    json.member("id", internal_tool_id(id)).member("type", type);
    json.key(type).object().member("name", name).member(text_key, "").end_object();
    json.end_object().end_array();
    call_prefix_ = delta_prefix_ + R"("tool_calls":[{"index":)" + std::to_string(index);
    call_prefix_.append(",\"").append(type).append("\":{\"").append(text_key).append("\":");
    call_end_ = "}}]";
    custom_ = CustomInput();
  }
  json.end_object();
  // The writer's own braces are those of the delta.
  const std::string_view members = std::string_view(json.str()).substr(1, json.str().size() - 2);
  out_->append(delta_prefix_).append(members).append(delta_end_);
}

void ChunkStream::write_call_piece(std::string_view text) {
  if (text.empty()) return;
  call_text_sent_ = true;
  out_->append(call_prefix_);
  append_string(*out_, text);
  out_->append(call_end_).append(delta_end_);
}

void ChunkStream::write_call_text(std::string_view text) {
  if (form_ == CallForm::Hidden) return;
  if (form_ != CallForm::Custom) return write_call_piece(text);
  scratch_.clear();
  custom_.push(text, scratch_);
  write_call_piece(scratch_);
}

void ChunkStream::delta(BlockKind kind, std::string_view text,
                        std::span<const domain::TokenLogprob> logprobs) {
  if (kind == BlockKind::ToolCall) return write_call_text(text);
  write_text(kind == BlockKind::Text ? "content" : "reasoning_content", text, logprobs);
}

void ChunkStream::close(BlockKind kind, bool cut) {
  if (kind != BlockKind::ToolCall || form_ == CallForm::Hidden) return;
  if (form_ == CallForm::Custom) {
    scratch_.clear();
    custom_.finish(scratch_);
    write_call_piece(scratch_);
  } else if (!call_text_sent_ && !cut) {
    write_call_piece("{}");
  }
}

void ChunkStream::end(const Ending& ending) {
  Writer usage;
  write_usage(usage, ending, context_);
  const std::string_view reason = finish_reason(ending, context_.legacy_functions);
  out_->append(delta_prefix_).append(R"(},"logprobs":null,"finish_reason":")").append(reason);
  // Where usage was asked for it comes once: some clients add up what the chunks say.
  out_->append(R"("}],"usage":)");
  out_->append(context_.include_usage ? std::string_view("null") : usage.str()).append("}\n\n");
  if (context_.include_usage) {
    out_->append(prefix_).append(R"(,"choices":[],"usage":)").append(usage.str());
    out_->append("}\n\n");
  }
  out_->append("data: [DONE]\n\n");
}

void ChunkStream::fail(const base::Error& error, const domain::Usage&) {
  out_->append("data: ").append(error_body(error)).append("\n\n");
}

}  // namespace

std::unique_ptr<StreamWriter> make_stream_writer(ReplyContext context) {
  return std::make_unique<ChunkStream>(std::move(context));
}

}  // namespace fh::dialects::openai_chat
