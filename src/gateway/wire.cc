// The adapters between the dialects and the gateway: which parser, which writer, which error table.
#include "gateway/wire.h"

#include <utility>

#include "codec/json.h"
#include "dialects/anthropic/errors.h"
#include "dialects/anthropic/reply.h"
#include "dialects/anthropic/request.h"
#include "dialects/demands.h"
#include "dialects/failures.h"
#include "dialects/field_names.h"
#include "dialects/models.h"
#include "dialects/openai_chat/errors.h"
#include "dialects/openai_chat/reply.h"
#include "dialects/openai_chat/request.h"
#include "dialects/writer.h"

namespace fh::gateway {
namespace {

namespace anthropic = dialects::anthropic;
namespace openai = dialects::openai_chat;

// Silence after which clients that count only real events need one (some give up at 300 s).
constexpr std::int64_t kStallAfterMs = 240'000;
constexpr std::int64_t kStallEveryMs = 60'000;

class Reply final : public WireReply {
 public:
  Reply(std::unique_ptr<dialects::StreamWriter> stream, std::unique_ptr<dialects::BodyWriter> body)
      : stream_(std::move(stream)), body_(std::move(body)) {}

  std::string open() override {
    std::string out;
    stream_->start(out);
    return out;
  }
  std::string on_event(const domain::Event& event) override {
    std::string out;
    if (stream_) {
      stream_->on_event(event, out);
      if (!out.empty()) silent_beats_ = 0;
    } else {
      body_->on_event(event);
    }
    return out;
  }
  std::string keep_alive(std::int64_t silent_ms) override {
    std::string out;
    const std::int64_t due =
        silent_ms < kStallAfterMs ? 0 : 1 + (silent_ms - kStallAfterMs) / kStallEveryMs;
    if (due > silent_beats_) {
      silent_beats_ = due;
      stream_->stall_beat(out);
    } else {
      stream_->keep_alive(out);
    }
    return out;
  }
  std::string on_error(const base::Error& error) override {
    std::string out;
    stream_->on_error(error, out);
    return out;
  }
  std::string body() override { return body_->body(); }

 private:
  std::unique_ptr<dialects::StreamWriter> stream_;
  std::unique_ptr<dialects::BodyWriter> body_;
  std::int64_t silent_beats_ = 0;
};

class AnthropicCall final : public WireCall {
 public:
  explicit AnthropicCall(anthropic::Request request) : request_(std::move(request)) {
    if (request_.diagnostics_asked) print_ = anthropic::print_of(request_);
  }
  const std::string& model() const override { return request_.model; }
  bool stream() const override { return request_.stream; }
  const std::string& session_hint() const override { return request_.session_hint; }
  base::Status check_abilities(const engine::ModelInfo& model) const override {
    return dialects::check_demands(request_.demands, model.images);
  }
  base::Error in_client_terms(base::Error error) const override {
    return dialects::in_client_terms(request_.names, std::move(error));
  }
  domain::Generation take_generation() override { return std::move(request_.generation); }
  std::unique_ptr<WireReply> reply(ReplyContext context) override {
    anthropic::ReplyContext wire;
    wire.message_id = "msg_" + context.reply_id_suffix;
    wire.request_id = std::move(context.request_id);
    wire.model = request_.model;
    wire.prompt_tokens = context.prompt_tokens;
    wire.thinking_model = context.reasoning_model;
    wire.omit_thinking = request_.thinking_omitted;
    if (request_.diagnostics_asked) add_diagnostics(context, wire);
    if (request_.stream) {
      return std::make_unique<Reply>(anthropic::make_stream_writer(std::move(wire)), nullptr);
    }
    return std::make_unique<Reply>(nullptr, anthropic::make_body_writer(std::move(wire)));
  }

 private:
  void add_diagnostics(const ReplyContext& context, anthropic::ReplyContext& wire) const {
    wire.diagnostics_asked = true;
    if (context.memory == nullptr) {
      wire.cache_miss = anthropic::CacheMiss{"unavailable", 0};
      return;
    }
    anthropic::TurnMemory& turns = context.memory->turns;
    if (!request_.previous_message_id.empty()) {
      wire.cache_miss = turns.compare(context.tenant, request_.previous_message_id, print_);
    }
    turns.remember(context.tenant, wire.message_id, print_, context.prompt_tokens);
  }

  anthropic::Request request_;
  anthropic::TurnPrint print_;  // of a request that asks for diagnostics
};

class OpenAiCall final : public WireCall {
 public:
  explicit OpenAiCall(openai::Request request) : request_(std::move(request)) {}
  const std::string& model() const override { return request_.model; }
  bool stream() const override { return request_.stream; }
  const std::string& session_hint() const override { return request_.session_hint; }
  base::Status check_abilities(const engine::ModelInfo& model) const override {
    return dialects::check_demands(request_.demands, model.images);
  }
  base::Error in_client_terms(base::Error error) const override {
    return dialects::in_client_terms(request_.names, std::move(error));
  }
  domain::Generation take_generation() override { return std::move(request_.generation); }
  std::unique_ptr<WireReply> reply(ReplyContext context) override {
    openai::ReplyContext wire;
    wire.id = "chatcmpl-" + context.reply_id_suffix;
    wire.model = request_.model;
    wire.created_unix_s = context.created_unix_s;
    wire.include_usage = request_.include_usage;
    wire.custom_tools = request_.custom_tools;
    wire.legacy_functions = request_.legacy_functions;
    wire.prompt_tokens = context.prompt_tokens;
    if (request_.stream) {
      return std::make_unique<Reply>(openai::make_stream_writer(std::move(wire)), nullptr);
    }
    return std::make_unique<Reply>(nullptr, openai::make_body_writer(std::move(wire)));
  }

 private:
  openai::Request request_;
};

std::string admin_error_body(const base::Error& error) {
  codec::json::Writer w;
  w.object().key("error").object().member("code", base::code_name(error.code));
  w.member("message", error.message).member("hint", error.hint).member("field", error.field);
  w.member("reason", error.reason).end_object().end_object();
  return w.take();
}

// Deterministic, retryable and refused, as HTTP; the dialects have their own tables.
int plain_status(const base::Error& error) {
  switch (error.code) {
    case base::Code::InvalidArgument: return error.reason == dialects::kReasonTooLarge ? 413 : 400;
    case base::Code::OutOfRange: return 400;
    case base::Code::Unauthenticated: return 401;
    case base::Code::PermissionDenied: return 403;
    case base::Code::NotFound: return 404;
    case base::Code::AlreadyExists:
    case base::Code::FailedPrecondition:
    case base::Code::Aborted: return 409;
    case base::Code::ResourceExhausted: return 429;
    case base::Code::Unimplemented: return 501;
    case base::Code::DeadlineExceeded: return 504;
    default: return 503;
  }
}

std::vector<dialects::ModelCard> cards_of(const ModelDirectory& models) {
  std::vector<dialects::ModelCard> cards;
  for (const ServedModel& model : models.all()) {
    const engine::ModelInfo info = model.engine->info();
    dialects::ModelCard card;
    card.id = model.id;
    card.display_name = model.display_name;
    card.created_unix_s = model.created_unix_s;
    card.context_tokens = info.context_tokens;
    card.tools = info.tools;
    card.images = info.images;
    card.reasoning = info.reasoning;
    cards.push_back(std::move(card));
  }
  return cards;
}

}  // namespace

base::Result<std::unique_ptr<WireCall>> parse_call(RouteId route, const net::HttpRequest& request) {
  if (route == RouteId::ChatCompletions) {
    FH_TRY(openai::Request parsed, openai::parse_request(request.body));
    return std::make_unique<OpenAiCall>(std::move(parsed));
  }
  anthropic::ParseOptions options;
  options.for_count = route == RouteId::CountTokens;
  FH_TRY(anthropic::Request parsed, anthropic::parse_request(request.body, options));
  return std::make_unique<AnthropicCall>(std::move(parsed));
}

std::string count_tokens_body(std::uint64_t tokens) {
  return anthropic::count_tokens_body(tokens);
}

int http_status_of(Surface surface, const base::Error& error) {
  switch (surface) {
    case Surface::Anthropic: return anthropic::http_status(error);
    case Surface::OpenAi: return openai::http_status(error);
    case Surface::Plain:
    case Surface::Admin: break;
  }
  return plain_status(error);
}

Surface surface_of(const RouteMatch& match, const net::HttpRequest& request) {
  const Surface surface =
      match.route != nullptr ? match.route->surface : surface_of_path(request.path);
  const bool shared =
      surface == Surface::OpenAi && (match.route == nullptr || match.route->id == RouteId::Models ||
                                     match.route->id == RouteId::ModelById);
  return shared && request.has_header("anthropic-version") ? Surface::Anthropic : surface;
}

net::HttpResponse no_route_response(const RouteMatch& match, const net::HttpRequest& request,
                                    std::string_view request_id) {
  base::Error error;
  if (match.path_known) {
    error.hint = "it takes " + allowed_methods(request.path);
    error.code = base::Code::Unimplemented;
    error.message = "this path does not take " + request.method;
    error.reason = "method_not_allowed";
  } else {
    error.code = base::Code::NotFound;
    error.message = "there is nothing at this path";
    error.hint = "ask a model with POST /v1/chat/completions or POST /v1/messages";
    error.reason = "not_found";
  }
  net::HttpResponse response = error_response(surface_of(match, request), error, request_id, 0);
  if (match.path_known) {
    response.status = 405;
    response.headers.push_back({"allow", allowed_methods(request.path)});
  }
  return response;
}

std::vector<net::Header> reply_headers(std::string_view content_type, std::string_view request_id) {
  return {{"content-type", std::string(content_type)},
          {"request-id", std::string(request_id)},
          {"x-request-id", std::string(request_id)}};
}

net::HttpResponse error_response(Surface surface, const base::Error& error,
                                 std::string_view request_id, std::int64_t retry_after_ms) {
  net::HttpResponse response;
  response.status = http_status_of(surface, error);
  response.headers = reply_headers("application/json", request_id);
  std::optional<std::uint32_t> wait;
  if (error.code == base::Code::ResourceExhausted && retry_after_ms > 0) {
    wait = static_cast<std::uint32_t>(retry_after_ms);
  }
  for (auto& [name, value] : dialects::retry_headers(error, wait))
    response.headers.push_back({name, value});
  // RFC 9110, 11.6.1: a 401 names at least one way to authenticate.
  if (response.status == 401) {
    response.headers.push_back({"www-authenticate", R"(Bearer realm="freehold")"});
  }
  switch (surface) {
    case Surface::Anthropic: response.body = anthropic::error_body(error, request_id); break;
    case Surface::OpenAi: response.body = openai::error_body(error); break;
    case Surface::Plain:
    case Surface::Admin: response.body = admin_error_body(error); break;
  }
  return response;
}

base::Result<std::string> models_body(const ModelDirectory& models,
                                      const net::HttpRequest& request) {
  FH_TRY(const dialects::ModelsQuery query,
         dialects::models_query(request.query_value("limit"), request.query_value("after_id"),
                                request.query_value("before_id")));
  return dialects::models_body(cards_of(models), query);
}

base::Result<std::string> model_body(const ModelDirectory& models, std::string_view id) {
  const ServedModel* served = models.resolve(id);
  if (served == nullptr) return std::unexpected(dialects::model_not_found(id));
  const std::vector<dialects::ModelCard> cards = cards_of(models);
  const dialects::ModelCard* card = dialects::find_model(cards, served->id);
  if (card == nullptr) return std::unexpected(dialects::model_not_found(id));
  return dialects::model_body(*card, id);
}

}  // namespace fh::gateway
