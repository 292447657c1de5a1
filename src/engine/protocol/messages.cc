// Payloads of the worker protocol, all but events and conversations; see messages.h.
#include "engine/protocol/messages.h"

#include <utility>

#include "codec/json.h"
#include "engine/protocol/fields.h"
#include "engine/protocol/generation_json.h"

namespace fh::engine::protocol {
namespace {

using codec::json::Document;
constexpr std::uint8_t kModelStates = 4;
constexpr std::uint8_t kErrorCodes = 16;

base::Result<Document> parse_payload(std::string_view payload) {
  auto document = Document::parse(payload);
  if (!document) {
    return base::fail(base::Code::DataLoss, "worker protocol: " + document.error().message);
  }
  return document;
}

}  // namespace

std::string write_hello(const Hello& hello) {
  Writer out;
  out.object().member("version", hello.version).member("pid", hello.pid);
  out.member("lock", hello.lock).end_object();
  return out.take();
}

base::Result<Hello> parse_hello(std::string_view payload) {
  FH_TRY(const Document document, parse_payload(payload));
  FieldReader in(document.root(), "hello");
  Hello hello{in.u32("version"), in.i64("pid"), in.text("lock")};
  FH_TRY_VOID(in.status());
  return hello;
}

std::string write_info(const ModelInfo& info) {
  Writer out;
  out.object().member("id", info.id).member("context_tokens", info.context_tokens);
  out.member("tools", info.tools).member("images", info.images);
  out.member("reasoning", info.reasoning).member("sequences_max", info.sequences_max);
  out.member("state", static_cast<int>(info.state)).member("detail", info.detail).end_object();
  return out.take();
}

base::Result<ModelInfo> parse_info(std::string_view payload) {
  FH_TRY(const Document document, parse_payload(payload));
  FieldReader in(document.root(), "info");
  ModelInfo info;
  info.id = in.text("id");
  info.context_tokens = in.u32("context_tokens");
  info.tools = in.flag("tools");
  info.images = in.flag("images");
  info.reasoning = in.flag("reasoning");
  info.sequences_max = in.u32("sequences_max");
  info.state = static_cast<ModelState>(in.ordinal("state", kModelStates));
  info.detail = in.text("detail");
  FH_TRY_VOID(in.status());
  return info;
}

std::string write_status(const EngineStatus& status) {
  Writer out;
  out.object().member("running", status.running).member("queued", status.queued);
  out.member("queue_max", status.queue_max).member("kv_tokens_used", status.kv_tokens_used);
  out.member("kv_tokens_max", status.kv_tokens_max).member("restarts", status.restarts);
  out.end_object();
  return out.take();
}

base::Result<EngineStatus> parse_status(std::string_view payload) {
  FH_TRY(const Document document, parse_payload(payload));
  FieldReader in(document.root(), "status");
  EngineStatus status;
  status.running = in.u32("running");
  status.queued = in.u32("queued");
  status.queue_max = in.u32("queue_max");
  status.kv_tokens_used = in.u64("kv_tokens_used");
  status.kv_tokens_max = in.u64("kv_tokens_max");
  status.restarts = in.u64("restarts");
  FH_TRY_VOID(in.status());
  return status;
}

std::string write_prepare(const PrepareRequest& request) {
  Writer out;
  out.object().member("request_id", request.request_id).member("tenant", request.tenant);
  out.member("session_hint", request.session_hint).member("count_only", request.count_only);
  out.key("generation");
  write_generation(out, request.generation);
  out.end_object();
  return out.take();
}

base::Result<PrepareRequest> parse_prepare(std::string_view payload) {
  FH_TRY(const Document document, parse_payload(payload));
  FieldReader in(document.root(), "prepare");
  PrepareRequest request;
  request.request_id = in.text("request_id");
  request.tenant = in.text("tenant");
  request.session_hint = in.text("session_hint");
  request.count_only = in.flag("count_only");
  const Value generation = in.object("generation");
  FH_TRY_VOID(in.status());
  FH_TRY(request.generation, read_generation(generation));
  return request;
}

std::string write_prepared(const Prepared& prepared) {
  Writer out;
  out.object().member("prompt_tokens", prepared.prompt_tokens);
  out.member("context_tokens", prepared.context_tokens);
  out.member("max_output_tokens", prepared.max_output_tokens).end_object();
  return out.take();
}

base::Result<Prepared> parse_prepared(std::string_view payload) {
  FH_TRY(const Document document, parse_payload(payload));
  FieldReader in(document.root(), "prepared");
  Prepared prepared;
  prepared.prompt_tokens = in.u64("prompt_tokens");
  prepared.context_tokens = in.u32("context_tokens");
  prepared.max_output_tokens = in.u32("max_output_tokens");
  FH_TRY_VOID(in.status());
  return prepared;
}

std::string write_error(const base::Error& error) {
  Writer out;
  out.object().member("code", static_cast<int>(error.code)).member("message", error.message);
  out.member("hint", error.hint).member("field", error.field).member("reason", error.reason);
  out.end_object();
  return out.take();
}

base::Result<base::Error> parse_error(std::string_view payload) {
  FH_TRY(const Document document, parse_payload(payload));
  FieldReader in(document.root(), "error");
  base::Error error;
  error.code = static_cast<base::Code>(in.ordinal("code", kErrorCodes));
  error.message = in.text("message");
  error.hint = in.text("hint");
  error.field = in.text("field");
  error.reason = in.text("reason");
  FH_TRY_VOID(in.status());
  return error;
}

}  // namespace fh::engine::protocol
