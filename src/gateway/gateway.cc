#include "gateway/gateway.h"

#include <utility>

#include "base/ids.h"
#include "codec/json.h"
#include "gateway/cross_origin.h"
#include "gateway/request_log.h"

namespace fh::gateway {
namespace {

constexpr std::string_view kJson = "application/json";

net::HttpResponse plain(int status, std::string_view content_type, std::string body,
                        std::string_view request_id) {
  net::HttpResponse response;
  response.status = status;
  response.headers = reply_headers(content_type, request_id);
  response.body = std::move(body);
  return response;
}

}  // namespace

Gateway::Gateway(Deps deps)
    : deps_(std::move(deps)), authenticator_(deps_.keys, deps_.sessions), inference_(deps_) {}

net::RoutePolicy Gateway::route_policy(std::string_view method, std::string_view path) {
  const RouteMatch match = match_route(method, path);
  net::RoutePolicy policy;
  policy.body_bytes_max = match.route != nullptr ? match.route->body_bytes_max : 64 * 1024;
  policy.wants_peer_uid = match.route != nullptr && match.route->permission == Permission::Login &&
                          match.route->method == "POST";
  return policy;
}

net::HttpResponse Gateway::error_body(int status, std::string_view path, std::string_view message) {
  base::Error error;
  error.message = message;
  switch (status) {
    case 413:
      error.code = base::Code::InvalidArgument;
      error.reason = "request_too_large";
      break;
    case 408: error.code = base::Code::DeadlineExceeded; break;
    case 500: error.code = base::Code::Internal; break;
    case 501: error.code = base::Code::Unimplemented; break;
    case 503: error.code = base::Code::Unavailable; break;
    default: error.code = base::Code::InvalidArgument; break;
  }
  const Surface surface = surface_of_path(path);
  const std::string request_id = base::make_request_id(deps_.random, deps_.clock);
  net::HttpResponse response =
      error_response(surface, error, request_id, deps_.settings.retry_after_ms);
  response.status = status;
  if (deps_.settings.log_requests) log_refused(surface, request_id, error, status);
  return response;
}

net::Task<void> Gateway::handle(net::HttpRequest request, net::ResponseWriter& writer) {
  std::string request_id = base::make_request_id(deps_.random, deps_.clock);
  const RouteMatch match = match_route(request.method, request.path);
  if (const base::Status allowed = check_origin(request); !allowed) {
    co_await writer.send(error_response(surface_of(match, request), allowed.error(), request_id,
                                        deps_.settings.retry_after_ms));
    co_return;
  }
  CrossOriginReply reply(writer, reading_origin(request));
  if (match.path_known && request.method == "OPTIONS") {
    co_await reply.send(options_response(request, request_id));
    co_return;
  }
  if (match.route == nullptr) {
    co_await reply.send(no_route_response(match, request, request_id));
    co_return;
  }
  co_await dispatch(match, std::move(request), reply, std::move(request_id));
}

net::Task<void> Gateway::dispatch(const RouteMatch& match, net::HttpRequest request,
                                  net::ResponseWriter& writer, std::string request_id) {
  const Route& route = *match.route;
  const Surface surface = surface_of(match, request);
  Principal who;
  if (route.permission == Permission::Inference || route.permission == Permission::Admin) {
    base::Result<Principal> caller = authenticator_.authenticate(request);
    if (caller && route.permission == Permission::Admin && caller->role != auth::Role::Admin) {
      caller = base::fail(
          base::Code::PermissionDenied, "this needs an admin key",
          "use the key in <data>/admin.key or one made with `freehold keys create --admin`");
    }
    if (!caller) {
      net::HttpResponse refusal =
          error_response(surface, caller.error(), request_id, deps_.settings.retry_after_ms);
      if (deps_.settings.log_requests) {
        log_refused(surface, request_id, caller.error(), refusal.status);
      }
      co_await writer.send(std::move(refusal));
      co_return;
    }
    who = *std::move(caller);
  }
  switch (route.id) {
    case RouteId::Messages:
    case RouteId::ChatCompletions:
      co_await inference_.run(route, std::move(request), writer, std::move(who),
                              std::move(request_id));
      co_return;
    case RouteId::CountTokens:
      co_await inference_.count_tokens(route, std::move(request), writer, std::move(who),
                                       std::move(request_id));
      co_return;
    case RouteId::Models:
      co_await send_models(surface, models_body(deps_.models, request), writer, request_id);
      co_return;
    case RouteId::ModelById:
      co_await send_models(surface, model_body(deps_.models, match.rest), writer, request_id);
      co_return;
    case RouteId::Hello:
      co_await writer.send(plain(200, kJson, R"({"server":"freehold"})", request_id));
      co_return;
    case RouteId::Healthz: co_await writer.send(health(request_id)); co_return;
    case RouteId::Readyz: co_await writer.send(ready(request_id)); co_return;
    case RouteId::Metrics: co_await writer.send(metrics(request_id)); co_return;
    case RouteId::AdminApi:
      co_await deps_.admin(std::move(request), writer, std::move(who), std::move(request_id));
      co_return;
    case RouteId::ConsoleFile:
      co_await deps_.console(std::move(request), writer, std::move(who), std::move(request_id));
      co_return;
  }
}

// One route for two kinds of client: errors go out in the shape of the one that asked.
net::Task<void> Gateway::send_models(Surface surface, base::Result<std::string> body,
                                     net::ResponseWriter& writer, const std::string& request_id) {
  if (body) {
    co_await writer.send(plain(200, kJson, *std::move(body), request_id));
    co_return;
  }
  co_await writer.send(
      error_response(surface, body.error(), request_id, deps_.settings.retry_after_ms));
}

net::HttpResponse Gateway::health(std::string_view request_id) const {
  return plain(200, kJson, R"({"status":"ok"})", request_id);
}

// Ready means: requests to every served model would be taken now.
net::HttpResponse Gateway::ready(std::string_view request_id) const {
  bool ok = !draining_ && deps_.ledger.healthy();
  codec::json::Writer w;
  w.object()
      .member("draining", draining_)
      .member("ledger", deps_.ledger.healthy())
      .key("models")
      .object();
  for (const ServedModel& model : deps_.models.all()) {
    const engine::ModelInfo info = model.engine->info();
    // A stopped one is started by its first request, which waits for it.
    const bool ready =
        info.state == engine::ModelState::Ready || info.state == engine::ModelState::Stopped;
    ok = ok && ready;
    w.member(model.id, ready);
  }
  w.end_object().member("ready", ok).end_object();
  return plain(ok ? 200 : 503, kJson, w.take(), request_id);
}

net::HttpResponse Gateway::metrics(std::string_view request_id) const {
  for (const ServedModel& model : deps_.models.all()) {
    const engine::EngineStatus status = model.engine->status();
    const auto gauge = [&](std::string_view name, std::string_view help, double value) {
      deps_.metrics.gauge(name, help, {{"model", model.id}}).set(value);
    };
    gauge("freehold_engine_running", "Requests running in the engine.", status.running);
    gauge("freehold_engine_queued", "Requests waiting for the engine.", status.queued);
    gauge("freehold_kv_tokens_used", "Tokens held in KV memory.",
          static_cast<double>(status.kv_tokens_used));
    gauge("freehold_kv_tokens_max", "Tokens that KV memory can hold.",
          static_cast<double>(status.kv_tokens_max));
    gauge("freehold_worker_restarts", "Worker deaths since the start.",
          static_cast<double>(status.restarts));
  }
  deps_.metrics.gauge("freehold_requests_running", "Requests in flight.")
      .set(static_cast<double>(running()));
  deps_.metrics.gauge("freehold_ledger_healthy", "1 while the ledger accepts admissions.")
      .set(deps_.ledger.healthy() ? 1 : 0);
  return plain(200, "text/plain; version=0.0.4; charset=utf-8", deps_.metrics.exposition(),
               request_id);
}

}  // namespace fh::gateway
