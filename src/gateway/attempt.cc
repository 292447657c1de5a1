#include "gateway/attempt.h"

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "gateway/request_log.h"

namespace fh::gateway {
namespace {

// At most one completion callback reaches the waiting coroutine; the mailbox outlives whoever gave
// up waiting.
template <typename T>
using Answer = std::shared_ptr<net::Mailbox<T>>;

net::Task<base::Status> write_admission(net::Runtime& runtime, ledger::Ledger& ledger,
                                        ledger::Admission admission) {
  Answer<base::Status> answer = std::make_shared<net::Mailbox<base::Status>>(runtime);
  ledger.admit(std::move(admission),
               [answer](base::Status status) { answer->push(std::move(status)); });
  co_return co_await answer->pop();
}

net::Task<base::Status> write_settlement(net::Runtime& runtime, ledger::Ledger& ledger,
                                         ledger::Settlement settlement) {
  Answer<base::Status> answer = std::make_shared<net::Mailbox<base::Status>>(runtime);
  ledger.settle(std::move(settlement),
                [answer](base::Status status) { answer->push(std::move(status)); });
  co_return co_await answer->pop();
}

}  // namespace

// The events that wait to be taken, counted in the engine's backlog. Once closed it takes none: an
// engine that goes on talking talks to nobody.
class Attempt::Inbox {
 public:
  Inbox(net::Runtime& runtime, std::shared_ptr<engine::Backlog> backlog)
      : backlog_(std::move(backlog)), events_(runtime) {}

  void push(domain::Event event) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (backlog_) backlog_->add(engine::held_bytes(event));
    events_.push(std::move(event));
  }
  net::Task<std::optional<domain::Event>> pop_until(base::TimePoint deadline) {
    std::optional<domain::Event> event = co_await events_.pop_until(deadline);
    if (event) taken(*event);
    co_return event;
  }
  void wake() { events_.wake(); }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    while (const std::optional<domain::Event> event = events_.try_pop()) taken(*event);
  }

 private:
  void taken(const domain::Event& event) {
    if (backlog_) backlog_->remove(engine::held_bytes(event));
  }

  const std::shared_ptr<engine::Backlog> backlog_;
  std::mutex mutex_;  // between push and close
  bool closed_ = false;
  net::Mailbox<domain::Event> events_;
};

Preparation::Preparation(net::Runtime& runtime, engine::Engine& engine,
                         engine::PrepareRequest request)
    : engine_(engine), shared_(std::make_shared<Shared>(runtime)) {
  ticket_ = engine_.prepare(std::move(request),
                            [shared = shared_, &engine](base::Result<engine::Prepared> result) {
                              {
                                const std::lock_guard lock(shared->mutex);
                                if (!shared->abandoned) {
                                  shared->answers.push(std::move(result));
                                  return;
                                }
                              }
                              if (result && result->ticket != 0) engine.cancel(result->ticket);
                            });
}

Preparation::~Preparation() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->abandoned = true;
  }
  if (!answered_ && ticket_ != 0) engine_.cancel(ticket_);
}

net::Task<std::optional<base::Result<engine::Prepared>>> Preparation::answer(
    base::TimePoint deadline) {
  std::optional<base::Result<engine::Prepared>> answer =
      co_await shared_->answers.pop_until(deadline);
  answered_ = answer.has_value();
  co_return answer;
}

Worth worth_of(const pricing::PriceBook& prices, const std::vector<std::string>& compare_models,
               std::string_view local_model, const domain::Usage& usage, std::int64_t unix_ns) {
  Worth worth;
  const std::string local_id = "local/" + std::string(local_model);
  if (auto quote = prices.price({local_id, usage, unix_ns, pricing::Tier::Standard}))
    worth.cost = quote->cost;
  for (const std::string& model : compare_models) {
    auto quote = prices.price({model, usage, unix_ns, pricing::Tier::Standard});
    worth.api_costs.push_back({model, quote ? std::optional(quote->cost) : std::nullopt});
  }
  return worth;
}

Attempt::Attempt(const Deps& deps, engine::Engine& engine, const engine::Prepared& prepared,
                 std::shared_ptr<RequestLife> life)
    : deps_(deps),
      engine_(engine),
      prepared_(prepared),
      life_(std::move(life)),
      events_(std::make_shared<Inbox>(deps.runtime, engine.backlog())) {}

Attempt::~Attempt() {
  events_->close();
  if (!terminal_ && !released_) engine_.cancel(prepared_.ticket);
  if ((admitted_ || admitting_) && !settled_) {
    // Only a loop that is torn down with requests in flight comes here; the row still says what is
    // known. An admission under way is in the ledger's queue, before this; if it is refused there,
    // so is this.
    if (!cancel_reason_) cancel_reason_ = domain::EndReason::Cancelled;
    ledger::Settlement row = settlement(0);
    settled_ = true;
    deps_.ledger.settle(std::move(row), [](base::Status) {});
  }
  if (life_ && !life_->ended) {
    if (!admitted_) life_->reason = domain::EndReason::Rejected;
    deps_.live.close(life_);
  }
}

net::Task<base::Status> Attempt::admit(ledger::Admission admission) {
  admission_ = std::move(admission);
  admitting_ = true;
  base::Status status = co_await write_admission(deps_.runtime, deps_.ledger, admission_);
  admitting_ = false;
  if (status) {
    admitted_ = true;
    deps_.live.mark(*life_, "admitted");
  }
  co_return status;
}

void Attempt::start() {
  FH_CHECK(admitted_ && !started_);
  started_ = true;
  deps_.live.mark(*life_, "queued");
  engine_.start(prepared_.ticket,
                [inbox = events_](domain::Event event) { inbox->push(std::move(event)); });
}

net::Task<std::optional<domain::Event>> Attempt::next(base::TimePoint deadline) {
  FH_CHECK(started_ && !terminal_);
  std::optional<domain::Event> event = co_await events_->pop_until(deadline);
  if (!event) co_return std::nullopt;
  if (const auto* begun = std::get_if<domain::Started>(&*event)) {
    life_->prompt_tokens = begun->prompt_tokens;
    life_->cached_tokens = begun->work.cached + begun->work.restored;
    deps_.live.mark(*life_, "prefill");
  } else if (domain::is_terminal(*event)) {
    if (auto* finished = std::get_if<domain::Finished>(&*event);
        finished != nullptr && finished->reason == domain::EndReason::ClientAbort &&
        cancel_reason_) {
      finished->reason = *cancel_reason_;
    }
    terminal_ = *event;
    deps_.live.mark(*life_, "ended");
  } else {
    if (life_->first_token_unix_ns == 0) {
      life_->first_token_unix_ns = deps_.clock.unix_ns();
      deps_.live.mark(*life_, "first_token");
    }
    life_->output_tokens += 1;
    deps_.live.touch(*life_);
  }
  co_return event;
}

void Attempt::cancel(domain::EndReason reason) {
  if (terminal_ || cancel_reason_) return;
  cancel_reason_ = reason;
  engine_.cancel(prepared_.ticket);
  if (!started_) released_ = true;
  events_->wake();
}

ledger::Settlement Attempt::settlement(int http_status) const {
  ledger::Settlement row;
  row.request_id = admission_.request_id;
  row.attempt = admission_.attempt;
  row.http_status = http_status;
  row.ended_unix_ns = deps_.clock.unix_ns();
  row.first_token_unix_ns = life_->first_token_unix_ns;
  row.price_version = deps_.prices.version();
  if (terminal_) {
    if (const auto* finished = std::get_if<domain::Finished>(&*terminal_)) {
      row.reason = finished->reason;
      row.usage = finished->usage;
      row.work = finished->work;
      row.timings = finished->timings;
    } else if (const auto* failed = std::get_if<domain::Failed>(&*terminal_)) {
      row.reason = cancel_reason_.value_or(domain::EndReason::UpstreamError);
      row.error_code = base::code_name(failed->error.code);
      row.usage = failed->usage;
      row.work = failed->work;
      row.timings = failed->timings;
    }
  } else {  // the engine never said how it ended: what was delivered is an estimate
    row.reason = cancel_reason_.value_or(domain::EndReason::Cancelled);
    row.source = domain::UsageSource::Estimated;
    row.usage.output = life_->output_tokens;
    if (life_->prompt_tokens >= life_->cached_tokens) {
      row.usage.cache_read = life_->cached_tokens;
      row.usage.input_uncached = life_->prompt_tokens - life_->cached_tokens;
    }
  }
  Worth worth = worth_of(deps_.prices, deps_.settings.compare_models, admission_.model_served,
                         row.usage, admission_.admitted_unix_ns);
  row.cost = worth.cost;
  row.charge = worth.cost;
  row.api_costs = std::move(worth.api_costs);
  return row;
}

net::Task<base::Status> Attempt::settle(int http_status) {
  FH_CHECK(admitted_ && !settled_);
  ledger::Settlement row = settlement(http_status);
  settled_ = true;  // from here on the ledger owns the row; a repeat would be refused there
  count(row);
  if (deps_.settings.log_requests) {  // behind the answer, which need not wait for it
    deps_.runtime.post([admission = admission_, row] { log_ended(admission, row); });
  }
  life_->reason = row.reason;
  life_->output_tokens = row.usage.output;
  base::Status status = co_await write_settlement(deps_.runtime, deps_.ledger, std::move(row));
  if (status) {
    deps_.live.mark(*life_, "settled");
  } else {
    base::log_error("a settlement could not be written; recovery will find the admission",
                    {{"request_id", admission_.request_id}, {"error", status.error().text()}});
  }
  deps_.live.close(life_);
  co_return status;
}

void Attempt::count(const ledger::Settlement& row) const {
  obs::Metrics& metrics = deps_.metrics;
  const std::string& model = admission_.model_served;
  metrics
      .counter("freehold_requests_total", "Requests that ended, by how they ended.",
               {{"dialect", admission_.dialect},
                {"model", model},
                {"reason", std::string(domain::end_reason_name(row.reason))}})
      .add();
  const auto tokens = [&](std::string_view kind, std::uint64_t n) {
    metrics
        .counter("freehold_tokens_total", "Tokens by disjoint class; reasoning is part of output.",
                 {{"model", model}, {"class", std::string(kind)}})
        .add(static_cast<double>(n));
  };
  tokens("input_uncached", row.usage.input_uncached);
  tokens("cache_read", row.usage.cache_read);
  tokens("cache_write", row.usage.cache_write());
  tokens("output", row.usage.output);
  const auto seconds = [](std::int64_t ns) { return static_cast<double>(ns) / 1e9; };
  metrics.latency("freehold_request_seconds", "Time from arrival to the end.", {{"model", model}})
      .observe(seconds(row.ended_unix_ns - admission_.received_unix_ns));
  if (row.first_token_unix_ns != 0) {
    metrics
        .latency("freehold_ttft_seconds", "Time from arrival to the first token.",
                 {{"model", model}})
        .observe(seconds(row.first_token_unix_ns - admission_.received_unix_ns));
  }
  metrics.latency("freehold_queue_seconds", "Time waiting for the engine.", {{"model", model}})
      .observe(seconds(row.timings.queue_ns));
}

}  // namespace fh::gateway
