#pragma once
// The gateway's view of a dialect: a parsed call, and a reply that turns events into bytes. One
// adapter file per dialect (wire_anthropic.cc, wire_openai.cc); the wire forms themselves live in
// dialects/.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dialects/anthropic/turns.h"
#include "domain/conversation.h"
#include "domain/event.h"
#include "engine/engine.h"
#include "gateway/directory.h"
#include "gateway/routes.h"
#include "net/http.h"

namespace fh::gateway {

// What answers of the wire forms remember from one request to the next. One per gateway.
struct WireMemory {
  dialects::anthropic::TurnMemory turns;
};

struct ReplyContext {
  std::string request_id;
  std::int64_t created_unix_s = 0;
  std::uint64_t prompt_tokens = 0;
  bool reasoning_model = false;
  std::string reply_id_suffix;   // 24 random characters for "msg_..." and "chatcmpl-..."
  std::string tenant;            // whose earlier turns may be spoken of
  WireMemory* memory = nullptr;  // outlives the call to reply(); null: nothing is remembered
};

// Writes one answer. Streams: open(), on_event()*, then either a terminal event or on_error().
// Otherwise on_event()* with the results ignored, then body() after Finished.
class WireReply {
 public:
  virtual ~WireReply() = default;
  virtual std::string open() = 0;
  virtual std::string on_event(const domain::Event& event) = 0;
  virtual std::string keep_alive(std::int64_t silent_ms) = 0;
  virtual std::string on_error(const base::Error& error) = 0;
  virtual std::string body() = 0;
};

// One parsed inference request.
class WireCall {
 public:
  virtual ~WireCall() = default;
  virtual const std::string& model() const = 0;
  virtual bool stream() const = 0;
  virtual const std::string& session_hint() const = 0;
  // InvalidArgument at the client's own part if the model cannot take what the request holds.
  virtual base::Status check_abilities(const engine::ModelInfo& model) const = 0;
  // An error of the engine about this request, with the client's own name of the field.
  virtual base::Error in_client_terms(base::Error error) const = 0;
  // Moves the generation out; once.
  virtual domain::Generation take_generation() = 0;
  virtual std::unique_ptr<WireReply> reply(ReplyContext context) = 0;
};

base::Result<std::unique_ptr<WireCall>> parse_call(RouteId route, const net::HttpRequest& request);
// Body of a count_tokens answer.
std::string count_tokens_body(std::uint64_t tokens);

// The answer to an error on that surface: status, body, retry headers, request ids.
net::HttpResponse error_response(Surface surface, const base::Error& error,
                                 std::string_view request_id, std::int64_t retry_after_ms);
// The surface whose shapes an answer to `request` has: that of the path, but where one path serves
// two surfaces, or none, that of the client.
Surface surface_of(const RouteMatch& match, const net::HttpRequest& request);
// The answer to a path that is not there (404) or does not take the method (405 with Allow).
net::HttpResponse no_route_response(const RouteMatch& match, const net::HttpRequest& request,
                                    std::string_view request_id);
std::vector<net::Header> reply_headers(std::string_view content_type, std::string_view request_id);
int http_status_of(Surface surface, const base::Error& error);

// GET /v1/models and /v1/models/{id}.
base::Result<std::string> models_body(const ModelDirectory& models,
                                      const net::HttpRequest& request);
base::Result<std::string> model_body(const ModelDirectory& models, std::string_view id);

}  // namespace fh::gateway
