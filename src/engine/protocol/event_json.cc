// Events as JSON payloads; see messages.h.
#include <utility>

#include "codec/json.h"
#include "engine/protocol/fields.h"
#include "engine/protocol/messages.h"

namespace fh::engine::protocol {
namespace {

namespace d = domain;
constexpr std::uint8_t kErrorCodes = 16;

std::string_view view_of(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_usage(Writer& out, const d::Usage& usage) {
  out.key("usage").object().member("input_uncached", usage.input_uncached);
  out.member("cache_read", usage.cache_read).member("cache_write_5m", usage.cache_write_5m);
  out.member("cache_write_30m", usage.cache_write_30m);
  out.member("cache_write_1h", usage.cache_write_1h);
  out.member("output", usage.output).member("reasoning", usage.reasoning).end_object();
}

d::Usage read_usage(FieldReader& outer) {
  FieldReader in(outer.object("usage"), "usage");
  d::Usage usage;
  usage.input_uncached = in.u64("input_uncached");
  usage.cache_read = in.u64("cache_read");
  usage.cache_write_5m = in.u64("cache_write_5m");
  usage.cache_write_30m = in.u64("cache_write_30m");
  usage.cache_write_1h = in.u64("cache_write_1h");
  usage.output = in.u64("output");
  usage.reasoning = in.u64("reasoning");
  outer.absorb(in.status());
  return usage;
}

void write_work(Writer& out, const d::PromptWork& work) {
  out.key("work").object().member("computed", work.computed).member("cached", work.cached);
  out.member("restored", work.restored).end_object();
}

d::PromptWork read_work(FieldReader& outer) {
  FieldReader in(outer.object("work"), "work");
  const d::PromptWork work{in.u64("computed"), in.u64("cached"), in.u64("restored")};
  outer.absorb(in.status());
  return work;
}

void write_timings(Writer& out, const d::Timings& timings) {
  out.key("timings").object().member("queue_ns", timings.queue_ns);
  out.member("prefill_ns", timings.prefill_ns).member("decode_ns", timings.decode_ns).end_object();
}

d::Timings read_timings(FieldReader& outer) {
  FieldReader in(outer.object("timings"), "timings");
  const d::Timings timings{in.i64("queue_ns"), in.i64("prefill_ns"), in.i64("decode_ns")};
  outer.absorb(in.status());
  return timings;
}

void write_token(Writer& out, const std::string& token, const std::vector<std::uint8_t>& bytes,
                 double logprob) {
  out.key("token");
  write_bytes_text(out, token);
  out.key("bytes");
  write_hex(out, view_of(bytes));
  out.key("logprob");
  write_number(out, logprob);
}

void write_logprobs(Writer& out, const std::vector<d::TokenLogprob>& tokens) {
  if (tokens.empty()) return;
  out.key("logprobs").array();
  for (const d::TokenLogprob& token : tokens) {
    out.object();
    write_token(out, token.token, token.bytes, token.logprob);
    out.key("top").array();
    for (const d::TokenLogprob::Top& top : token.top) {
      out.object();
      write_token(out, top.token, top.bytes, top.logprob);
      out.end_object();
    }
    out.end_array().end_object();
  }
  out.end_array();
}

d::TokenLogprob read_token(Value value, FieldReader& outer) {
  FieldReader in(value, "logprobs");
  d::TokenLogprob token;
  token.token = in.bytes_text("token");
  token.bytes = in.bytes("bytes");
  token.logprob = in.number("logprob");
  for (const Value element : in.array("top")) {
    FieldReader top(element, "top");
    token.top.push_back({top.bytes_text("token"), top.bytes("bytes"), top.number("logprob")});
    in.absorb(top.status());
  }
  outer.absorb(in.status());
  return token;
}

struct EventWriter {
  Writer& out;
  void operator()(const d::Started& event) const {
    out.member("kind", "started").member("prompt_tokens", event.prompt_tokens);
    write_work(out, event.work);
  }
  void operator()(const d::TextDelta& event) const {
    out.member("kind", "text").member("text", event.text);
    write_logprobs(out, event.logprobs);
  }
  void operator()(const d::ReasoningDelta& event) const {
    out.member("kind", "reasoning").member("text", event.text);
  }
  void operator()(const d::ToolCallStart& event) const {
    out.member("kind", "tool_start").member("id", event.id).member("name", event.name);
  }
  void operator()(const d::ToolCallDelta& event) const {
    out.member("kind", "tool_delta").member("fragment", event.arguments_fragment);
  }
  void operator()(const d::ToolCallEnd&) const { out.member("kind", "tool_end"); }
  void operator()(const d::Finished& event) const {
    out.member("kind", "finished").member("reason", d::end_reason_name(event.reason));
    out.member("stop_sequence", event.stop_sequence);
    write_totals(event.usage, event.work, event.timings);
  }
  void operator()(const d::Failed& event) const {
    const base::Error& error = event.error;
    out.member("kind", "failed").member("code", static_cast<int>(error.code));
    out.member("message", error.message).member("hint", error.hint);
    out.member("field", error.field).member("reason", error.reason);
    write_totals(event.usage, event.work, event.timings);
  }
  void write_totals(const d::Usage& usage, const d::PromptWork& work,
                    const d::Timings& timings) const {
    write_usage(out, usage);
    write_work(out, work);
    write_timings(out, timings);
  }
};

d::Finished read_finished(FieldReader& in) {
  d::Finished event;
  const auto reason = d::end_reason_from_name(in.text("reason"));
  if (!reason) in.note_fault("reason", "is not a known value");
  event.reason = reason.value_or(d::EndReason::Complete);
  event.stop_sequence = in.text("stop_sequence");
  event.usage = read_usage(in);
  event.work = read_work(in);
  event.timings = read_timings(in);
  return event;
}

d::Failed read_failed(FieldReader& in) {
  d::Failed event;
  event.error.code = static_cast<base::Code>(in.ordinal("code", kErrorCodes));
  event.error.message = in.text("message");
  event.error.hint = in.text("hint");
  event.error.field = in.text("field");
  event.error.reason = in.text("reason");
  event.usage = read_usage(in);
  event.work = read_work(in);
  event.timings = read_timings(in);
  return event;
}

d::TextDelta read_text(Value root, FieldReader& in) {
  d::TextDelta event;
  event.text = in.text("text");
  if (!root["logprobs"].exists()) return event;
  for (const Value element : in.array("logprobs")) {
    event.logprobs.push_back(read_token(element, in));
  }
  return event;
}

d::Event read_event(Value root, FieldReader& in) {
  const std::string kind = in.text("kind");
  if (kind == "text") return read_text(root, in);
  if (kind == "reasoning") return d::ReasoningDelta{in.text("text")};
  if (kind == "tool_delta") return d::ToolCallDelta{in.text("fragment")};
  if (kind == "tool_start") return d::ToolCallStart{in.text("id"), in.text("name")};
  if (kind == "tool_end") return d::ToolCallEnd{};
  if (kind == "started") return d::Started{in.u64("prompt_tokens"), read_work(in)};
  if (kind == "finished") return read_finished(in);
  if (kind == "failed") return read_failed(in);
  in.note_fault("kind", "is not a known value");
  return d::ToolCallEnd{};
}

}  // namespace

std::string write_event(const domain::Event& event) {
  Writer out;
  out.object();
  std::visit(EventWriter{out}, event);
  out.end_object();
  return out.take();
}

base::Result<domain::Event> parse_event(std::string_view payload) {
  auto document = codec::json::Document::parse(payload);
  if (!document) {
    return base::fail(base::Code::DataLoss, "worker protocol: " + document.error().message);
  }
  FieldReader in(document->root(), "event");
  d::Event event = read_event(document->root(), in);
  FH_TRY_VOID(in.status());
  return event;
}

}  // namespace fh::engine::protocol
