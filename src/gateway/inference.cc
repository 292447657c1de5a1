#include "gateway/inference.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/ids.h"
#include "base/log.h"
#include "dialects/blocks.h"
#include "dialects/content.h"
#include "dialects/models.h"
#include "gateway/request_log.h"

namespace fh::gateway {

struct Inference::Call {
  Surface surface = Surface::Plain;
  std::string request_id;
  std::string project;
  ledger::Admission admission;
  const ServedModel* model = nullptr;
  std::unique_ptr<WireCall> wire;
  std::unique_ptr<WireReply> reply;
  std::shared_ptr<RequestLife> life;
  std::unique_ptr<Attempt> attempt;
  base::TimePoint deadline;

  // Set while the engine is asked whether it can run this.
  Preparation* preparation = nullptr;
  bool client_gone = false;
  void leave() {
    client_gone = true;
    if (preparation != nullptr) {
      preparation->give_up();
    } else if (attempt != nullptr && attempt->admitted()) {
      attempt->cancel(domain::EndReason::ClientAbort);
    }
  }

  // Until the attempt exists the record of a refused request has nobody else to close it.
  LiveRequests* live = nullptr;
  ~Call() {
    if (attempt == nullptr && life && !life->ended) {
      life->reason = domain::EndReason::Rejected;
      live->close(life);
    }
  }
};

namespace {

// Keeps `item` in a list of what is under way, also when the coroutine ends by an exception.
template <typename T>
class Listed {
 public:
  Listed(std::vector<T*>& list, T* item) : list_(list), item_(item) { list_.push_back(item_); }
  ~Listed() { std::erase(list_, item_); }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

 private:
  std::vector<T*>& list_;
  T* item_;
};

constexpr std::string_view kSse = "text/event-stream; charset=utf-8";
constexpr std::string_view kJson = "application/json";

base::Error shutting_down() {
  return base::Error{base::Code::Unavailable,
                     "the server is shutting down",
                     "retry in a moment",
                     {},
                     "shutting_down"};
}

std::string_view dialect_name(Surface surface) {
  return surface == Surface::Anthropic ? "anthropic" : "openai_chat";
}

// A tag is a label: short, printable, never prompt text.
std::string clean_tag(std::string_view tag) {
  std::string out;
  for (const char c : tag.substr(0, 64)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '/' || c == ':';
    out.push_back(plain ? c : '_');
  }
  return out;
}

// A text model goes on where a tool returned a picture; the picture becomes a line that says so.
domain::Generation generation_of(const ServedModel& model, WireCall& wire) {
  domain::Generation generation = wire.take_generation();
  if (!model.engine->info().images) {
    dialects::replace_tool_result_images(generation.conversation);
  }
  return generation;
}

bool ended_badly(const domain::Event& end) {
  const auto* finished = std::get_if<domain::Finished>(&end);
  return finished == nullptr || dialects::failure_of(finished->reason).has_value();
}

base::Error out_of_time() {
  return base::Error{base::Code::DeadlineExceeded,
                     "the request took longer than the server allows",
                     "raise limits.request_seconds or ask for fewer tokens",
                     {},
                     "timeout"};
}

base::Error missing_end() {
  return base::Error{base::Code::Unavailable,
                     "the model's worker did not finish this answer",
                     "retry",
                     {},
                     "worker_silent"};
}

}  // namespace

void Inference::cancel_all(domain::EndReason reason) {
  cancelled_ = reason;
  for (Call* call : preparing_) call->preparation->give_up();
  for (Attempt* attempt : running_) attempt->cancel(reason);
}

base::Result<std::unique_ptr<Inference::Call>> Inference::open(const Route& route,
                                                               const net::HttpRequest& request,
                                                               const Principal& who,
                                                               const std::string& request_id) {
  if (refusing_) return std::unexpected(shutting_down());
  auto call = std::make_unique<Call>();
  call->surface = route.surface;
  call->request_id = request_id;
  call->live = &deps_.live;
  call->project = who.project.empty() ? "default" : who.project;
  call->deadline = deps_.clock.now() + std::chrono::milliseconds(deps_.settings.request_ms_max);
  FH_TRY(call->wire, parse_call(route.id, request));
  call->model = deps_.models.resolve(call->wire->model());
  if (call->model == nullptr)
    return std::unexpected(dialects::model_not_found(call->wire->model()));
  FH_TRY_VOID(call->wire->check_abilities(call->model->engine->info()));

  ledger::Admission& row = call->admission;
  row.request_id = request_id;
  row.key_id = who.key_id;
  row.project = call->project;
  const std::string_view tag = request.header("x-freehold-workload");
  row.workload = tag.empty() ? who.workload : clean_tag(tag);
  row.dialect = dialect_name(route.surface);
  row.model_requested = clean_tag(call->wire->model());
  row.model_served = call->model->id;
  row.upstream = call->model->upstream;
  row.stream = call->wire->stream();
  row.received_unix_ns = deps_.clock.unix_ns();
  return call;
}

// An error also when nobody waits for the answer any more.
net::Task<base::Result<engine::Prepared>> Inference::prepare(Call& call,
                                                             engine::PrepareRequest wanted) {
  std::optional<base::Result<engine::Prepared>> answer;
  if (!call.client_gone) {
    Preparation preparation(deps_.runtime, *call.model->engine, std::move(wanted));
    call.preparation = &preparation;
    const Listed listed(preparing_, &call);
    answer = co_await preparation.answer(call.deadline);
    call.preparation = nullptr;
  }
  if (!answer) co_return std::unexpected(cancelled_ ? shutting_down() : out_of_time());
  if (!*answer) {
    co_return std::unexpected(call.wire->in_client_terms(std::move(*answer).error()));
  }
  co_return **answer;
}

net::Task<base::Status> Inference::prepare_and_admit(Call& call, const Principal& who) {
  RequestLife life;
  life.request_id = call.request_id;
  life.key_id = who.key_id;
  life.key_name = who.key_name;
  life.project = call.project;
  life.workload = call.admission.workload;
  life.dialect = dialect_name(call.surface);
  life.model_requested = call.admission.model_requested;
  life.model_served = call.model->id;
  life.stream = call.wire->stream();
  call.life = deps_.live.open(std::move(life));

  engine::PrepareRequest wanted;
  wanted.request_id = call.request_id;
  wanted.tenant = call.project;
  wanted.session_hint = call.wire->session_hint();
  wanted.generation = generation_of(*call.model, *call.wire);
  const base::Result<engine::Prepared> prepared = co_await prepare(call, std::move(wanted));
  if (!prepared) co_return std::unexpected(prepared.error());
  deps_.live.mark(*call.life, "prepared");
  call.life->prompt_tokens = prepared->prompt_tokens;
  call.attempt = std::make_unique<Attempt>(deps_, *call.model->engine, *prepared, call.life);

  call.admission.prompt_tokens = prepared->prompt_tokens;
  call.admission.max_output_tokens = prepared->max_output_tokens;
  call.admission.admitted_unix_ns = deps_.clock.unix_ns();
  ReplyContext context;
  context.request_id = call.request_id;
  context.created_unix_s = call.admission.admitted_unix_ns / 1'000'000'000;
  context.prompt_tokens = prepared->prompt_tokens;
  context.reasoning_model = call.model->engine->info().reasoning;
  context.reply_id_suffix = deps_.random.token(24);
  context.tenant = call.project;
  context.memory = &memory_;
  call.reply = call.wire->reply(std::move(context));
  co_return co_await call.attempt->admit(call.admission);
}

net::Task<void> Inference::run(const Route& route, net::HttpRequest request,
                               net::ResponseWriter& writer, Principal who, std::string request_id) {
  base::Result<std::unique_ptr<Call>> opened = open(route, request, who, request_id);
  request = {};  // a large body is not kept for the length of the answer
  base::Status ready;
  bool client_gone = false;
  if (opened) {
    Call& call = **opened;
    writer.on_peer_gone([&call] { call.leave(); });
    ready = co_await prepare_and_admit(call, who);
    if (ready) {
      co_await answer(call, writer);
      writer.on_peer_gone({});
      co_return;
    }
    writer.on_peer_gone({});
    client_gone = call.client_gone;
  } else {
    ready = std::unexpected(opened.error());
  }
  opened = std::unexpected(ready.error());  // releases the ticket before the client may retry
  if (client_gone) co_return;
  co_await refuse(route.surface, ready.error(), request_id, writer);
}

net::Task<void> Inference::refuse(Surface surface, const base::Error& error,
                                  const std::string& request_id, net::ResponseWriter& writer) {
  net::HttpResponse response =
      error_response(surface, error, request_id, deps_.settings.retry_after_ms);
  if (deps_.settings.log_requests) log_refused(surface, request_id, error, response.status);
  co_await writer.send(std::move(response));
}

net::Task<void> Inference::answer(Call& call, net::ResponseWriter& writer) {
  Attempt* attempt = call.attempt.get();
  const Listed listed(running_, attempt);
  if (call.client_gone) {
    attempt->cancel(domain::EndReason::ClientAbort);
  } else if (cancelled_) {
    attempt->cancel(*cancelled_);
  }
  if (call.wire->stream()) {
    co_await stream(call, writer);
  } else {
    co_await whole(call, writer);
  }
}

// Drives the attempt to its terminal event. Bytes for a stream are written as they come; the
// terminal event's bytes are the caller's, after the settlement.
net::Task<void> Inference::pump(Call& call, net::ResponseWriter* stream_to) {
  Attempt& attempt = *call.attempt;
  const base::TimePoint began = deps_.clock.now();
  base::TimePoint last_write = began;
  base::TimePoint last_said = began;  // what is only a sign of life does not count
  base::TimePoint cancelled_at{};
  while (!attempt.terminal()) {
    const base::TimePoint now = deps_.clock.now();
    if (now >= call.deadline) attempt.cancel(domain::EndReason::Timeout);
    if (attempt.cancelled() && cancelled_at == base::TimePoint{}) cancelled_at = now;
    base::TimePoint wake = call.deadline;
    if (attempt.cancelled()) {
      wake = cancelled_at + std::chrono::milliseconds(deps_.settings.cancel_wait_ms);
      if (now >= wake) co_return;  // the engine never ended it: settled as an estimate
    } else if (stream_to != nullptr) {
      wake = std::min(wake, last_write + std::chrono::milliseconds(deps_.settings.keep_alive_ms));
    }
    std::optional<domain::Event> event = co_await attempt.next(wake);
    std::string bytes;
    if (event) {
      if (domain::is_terminal(*event)) co_return;
      bytes = call.reply->on_event(*event);
      if (!bytes.empty()) last_said = deps_.clock.now();
    } else if (stream_to != nullptr && !attempt.cancelled() &&
               deps_.clock.now() >=
                   last_write + std::chrono::milliseconds(deps_.settings.keep_alive_ms)) {
      const auto silent =
          std::chrono::duration_cast<std::chrono::milliseconds>(deps_.clock.now() - last_said);
      bytes = call.reply->keep_alive(silent.count());
    }
    if (bytes.empty() || stream_to == nullptr || attempt.cancelled()) continue;
    last_write = deps_.clock.now();
    const base::Status written = co_await stream_to->write(std::move(bytes));
    if (!written) attempt.cancel(domain::EndReason::ClientAbort);
  }
}

net::Task<void> Inference::stream(Call& call, net::ResponseWriter& writer) {
  Attempt& attempt = *call.attempt;
  std::vector<net::Header> headers = reply_headers(kSse, call.request_id);
  headers.push_back({"cache-control", "no-cache"});
  headers.push_back({"x-accel-buffering", "no"});
  attempt.start();
  base::Status begun = co_await writer.begin(200, std::move(headers));
  if (begun) {
    if (std::string first = call.reply->open(); !first.empty())
      begun = co_await writer.write(std::move(first));
  }
  if (!begun) attempt.cancel(domain::EndReason::ClientAbort);
  co_await pump(call, &writer);
  const base::Status settled = co_await attempt.settle(200);

  std::string last;
  const std::optional<domain::Event>& end = attempt.terminal();
  const auto* failed = end ? std::get_if<domain::Failed>(&*end) : nullptr;
  if (!settled) {
    last = call.reply->on_error(settled.error());
  } else if (failed != nullptr) {
    last = call.reply->on_error(failed->error);
  } else if (!end) {
    last = call.reply->on_error(missing_end());
  } else {
    last = call.reply->on_event(*end);
  }
  if (writer.peer_gone()) co_return;
  // Whoever reads to the end of a broken answer must come to one.
  if (!settled || !end || ended_badly(*end)) writer.close_after();
  base::Status written;
  if (!last.empty()) written = co_await writer.write(std::move(last));
  if (written) written = co_await writer.finish();
  if (!written) writer.abort();
}

net::Task<void> Inference::whole(Call& call, net::ResponseWriter& writer) {
  Attempt& attempt = *call.attempt;
  attempt.start();
  co_await pump(call, nullptr);
  const std::optional<domain::Event>& end = attempt.terminal();
  std::optional<base::Error> error;
  if (!end) {
    error = missing_end();
  } else if (const auto* failed = std::get_if<domain::Failed>(&*end)) {
    error = failed->error;
  } else if (const auto& finished = std::get<domain::Finished>(*end);
             finished.reason == domain::EndReason::Cancelled ||
             finished.reason == domain::EndReason::Timeout) {
    error = finished.reason == domain::EndReason::Timeout ? out_of_time() : shutting_down();
  } else {
    call.reply->on_event(*end);
  }
  const int status = error ? http_status_of(call.surface, *error) : 200;
  const base::Status settled = co_await attempt.settle(status);
  if (!settled && !error) error = settled.error();
  if (writer.peer_gone()) co_return;
  if (error) {
    co_await writer.send(
        error_response(call.surface, *error, call.request_id, deps_.settings.retry_after_ms));
    co_return;
  }
  net::HttpResponse response;
  response.headers = reply_headers(kJson, call.request_id);
  response.body = call.reply->body();
  co_await writer.send(std::move(response));
}

net::Task<void> Inference::count_tokens(const Route& route, net::HttpRequest request,
                                        net::ResponseWriter& writer, Principal who,
                                        std::string request_id) {
  base::Result<std::unique_ptr<Call>> opened = open(route, request, who, request_id);
  request = {};
  base::Result<engine::Prepared> counted = base::fail(base::Code::Internal, "not counted");
  if (opened) {
    Call& call = **opened;
    engine::PrepareRequest wanted;
    wanted.request_id = request_id;
    wanted.tenant = call.project;
    wanted.generation = generation_of(*call.model, *call.wire);
    wanted.count_only = true;
    writer.on_peer_gone([&call] { call.leave(); });
    counted = co_await prepare(call, std::move(wanted));
    writer.on_peer_gone({});
    if (call.client_gone) co_return;
  } else {
    counted = std::unexpected(opened.error());
  }
  if (!counted) {
    co_await refuse(route.surface, counted.error(), request_id, writer);
    co_return;
  }
  if (deps_.settings.log_requests) {
    log_counted(request_id, (*opened)->model->id, counted->prompt_tokens);
  }
  net::HttpResponse response;
  response.headers = reply_headers(kJson, request_id);
  response.body = count_tokens_body(counted->prompt_tokens);
  co_await writer.send(std::move(response));
}

}  // namespace fh::gateway
