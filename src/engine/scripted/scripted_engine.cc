// The scripted engine's queue and clockwork; what it says is decided in plan.cc and answer.cc.
#include "engine/scripted/scripted_engine.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "engine/scripted/answer.h"
#include "engine/scripted/plan.h"
#include "engine/scripted/tokens.h"
#include "engine/together.h"

namespace fh::engine {

namespace d = domain;
using scripted::Step;

class ScriptedEngine::Impl : public std::enable_shared_from_this<ScriptedEngine::Impl> {
 public:
  Impl(ScriptedOptions options, Scheduler& scheduler)
      : options_(std::move(options)),
        scheduler_(scheduler),
        rule_uses_(options_.script.rules.size(), 0) {}

  void close() { closed_ = true; }
  ModelInfo info() const;
  EngineStatus status() const;
  Ticket prepare(PrepareRequest request, PrepareFn done);
  void start(Ticket ticket, EventFn on_event);
  void cancel(Ticket ticket);

 private:
  enum class Phase : std::uint8_t { Prepared, Queued, Running };
  struct Run {
    Phase phase = Phase::Prepared;
    PrepareRequest request;
    std::vector<scripted::Token> prompt;
    scripted::Plan plan;
    scripted::Answer answer;
    EventFn on_event;
    // Steps of an older turn do nothing: cancel begins a new one.
    std::uint64_t turn = 0;
    std::size_t next_step = 0;
    base::Duration pace{};
    bool prefill_only = false;
    bool begun = false;
    bool wedged = false;
    d::Usage prompt_usage;
    d::PromptWork work;
    base::TimePoint queued_at{};
    base::TimePoint begun_at{};
    base::TimePoint decoding_at{};
  };
  using Events = std::vector<d::Event>;

  const scripted::Settings& settings() const { return options_.script.settings; }
  base::Result<Prepared> admit(PrepareRequest& request);
  base::Status check(const PrepareRequest& request) const;
  const scripted::Rule* choose_rule(const PrepareRequest& request);
  void later(Ticket ticket, std::uint64_t turn, base::Duration delay);
  void turn(Ticket ticket, std::uint64_t turn_number);
  void begin(Run& run, Events& events);
  // Applies steps up to the next pause. True: the answer is over and its terminal event is the last
  // of `events`.
  bool advance(Ticket ticket, Run& run, Events& events);
  d::Finished finished(const Run& run, d::EndReason reason, std::string stop_sequence) const;
  void conclude(Ticket ticket);
  void run_next_queued();

  const ScriptedOptions options_;
  Scheduler& scheduler_;
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> rule_uses_;
  std::uint64_t prepared_count_ = 0;
  Ticket next_ticket_ = 1;
  std::map<Ticket, Run> runs_;
  std::deque<Ticket> queue_;
  std::uint32_t running_ = 0;
  scripted::PrefixCache cache_;
  std::atomic<bool> closed_ = false;
};

ScriptedEngine::ScriptedEngine(ScriptedOptions options, Scheduler& scheduler)
    : impl_(std::make_shared<Impl>(std::move(options), scheduler)) {}
ScriptedEngine::~ScriptedEngine() {
  impl_->close();
}
ModelInfo ScriptedEngine::info() const {
  return impl_->info();
}
EngineStatus ScriptedEngine::status() const {
  return impl_->status();
}
Ticket ScriptedEngine::prepare(PrepareRequest request, PrepareFn done) {
  return impl_->prepare(std::move(request), std::move(done));
}
void ScriptedEngine::start(Ticket ticket, EventFn on_event) {
  impl_->start(ticket, std::move(on_event));
}
void ScriptedEngine::cancel(Ticket ticket) {
  impl_->cancel(ticket);
}

ModelInfo ScriptedEngine::Impl::info() const {
  ModelInfo info;
  info.id = options_.model_id;
  info.context_tokens = settings().context_tokens;
  info.tools = settings().tools;
  info.images = settings().images;
  info.reasoning = settings().reasoning;
  info.sequences_max = settings().running_max;
  info.state = ModelState::Ready;
  return info;
}

EngineStatus ScriptedEngine::Impl::status() const {
  const std::lock_guard lock(mutex_);
  EngineStatus status;
  status.running = running_;
  status.queued = static_cast<std::uint32_t>(queue_.size());
  status.queue_max = settings().queue_max;
  status.kv_tokens_used = cache_.tokens_used();
  status.kv_tokens_max = std::uint64_t{settings().context_tokens} * settings().running_max;
  return status;
}

Ticket ScriptedEngine::Impl::prepare(PrepareRequest request, PrepareFn done) {
  base::Result<Prepared> result;
  {
    const std::lock_guard lock(mutex_);
    result = admit(request);
  }
  const Ticket ticket = result ? result->ticket : 0;
  scheduler_.post([weak = weak_from_this(), done = std::move(done), result = std::move(result)] {
    const auto self = weak.lock();
    if (self && !self->closed_) done(result);
  });
  return ticket;
}

base::Status ScriptedEngine::Impl::check(const PrepareRequest& request) const {
  const d::Conversation& conversation = request.generation.conversation;
  if (!conversation.tools.empty() && !settings().tools) {
    return base::fail_field("tools", "this model has no tool format", "tools_unsupported");
  }
  for (std::size_t i = 0; i < conversation.messages.size(); ++i) {
    for (const d::Part& part : conversation.messages[i].parts) {
      const auto* result = std::get_if<d::ToolResultPart>(&part);
      const bool image = std::holds_alternative<d::ImagePart>(part) ||
                         (result != nullptr && !result->images.empty());
      const bool opaque = std::holds_alternative<d::OpaquePart>(part);
      if (opaque || (image && !settings().images)) {
        return base::fail_field("messages." + std::to_string(i) + ".content",
                                image ? "this model does not read images"
                                      : "this model does not read this kind of content",
                                image ? "images_unsupported" : "content_unsupported");
      }
    }
  }
  return {};
}

const scripted::Rule* ScriptedEngine::Impl::choose_rule(const PrepareRequest& request) {
  const scripted::RequestFacts facts{request.generation, options_.model_id, request.tenant,
                                     ++prepared_count_};
  for (std::size_t i = 0; i < options_.script.rules.size(); ++i) {
    const scripted::Rule& rule = options_.script.rules[i];
    if (rule.times_max > 0 && rule_uses_[i] >= rule.times_max) continue;
    const auto holds = [&](const scripted::Condition& c) { return scripted::matches(c, facts); };
    if (!std::ranges::all_of(rule.conditions, holds)) continue;
    ++rule_uses_[i];
    return &rule;
  }
  return nullptr;
}

base::Result<Prepared> ScriptedEngine::Impl::admit(PrepareRequest& request) {
  FH_TRY_VOID(check(request));
  scripted::Prompt prompt = scripted::tokenize(request.generation.conversation);
  Prepared prepared;
  prepared.prompt_tokens = prompt.tokens.size();
  prepared.context_tokens = settings().context_tokens;
  const std::uint64_t room =
      prepared.context_tokens -
      std::min<std::uint64_t>(prepared.prompt_tokens, prepared.context_tokens);
  const std::uint64_t asked = request.generation.max_tokens.value_or(UINT32_MAX);
  const std::uint64_t output_max = std::min(asked, room);
  prepared.max_output_tokens = static_cast<std::uint32_t>(output_max);
  if (request.count_only) return prepared;

  const scripted::Rule* rule = choose_rule(request);
  FH_TRY(scripted::Plan plan,
         scripted::make_plan(rule, request.generation, settings(), output_max));
  const bool fits = prepared.prompt_tokens < prepared.context_tokens ||
                    (asked == 0 && prepared.prompt_tokens == prepared.context_tokens);
  if (!fits) {
    return std::unexpected(
        make_overflow({prepared.prompt_tokens, prompt.tool_tokens, prepared.context_tokens}));
  }
  if (runs_.size() >= std::uint64_t{settings().running_max} + settings().queue_max) {
    return std::unexpected(base::Error{base::Code::ResourceExhausted,
                                       "the queue of model " + options_.model_id + " is full",
                                       "retry in a moment",
                                       {},
                                       "queue_full"});
  }
  prepared.ticket = next_ticket_++;
  const bool by_context = room < asked;
  scripted::Answer answer(
      prepared.ticket, request.generation,
      {output_max, by_context ? d::EndReason::ContextFull : d::EndReason::Length});
  Run run{.request = std::move(request),
          .prompt = std::move(prompt.tokens),
          .plan = std::move(plan),
          .answer = std::move(answer),
          .on_event = {},
          .pace = settings().pace,
          .prefill_only = asked == 0,
          .prompt_usage = {},
          .work = {}};
  runs_.emplace(prepared.ticket, std::move(run));
  return prepared;
}

void ScriptedEngine::Impl::start(Ticket ticket, EventFn on_event) {
  const std::lock_guard lock(mutex_);
  const auto it = runs_.find(ticket);
  if (it == runs_.end() || it->second.phase != Phase::Prepared) {
    d::Failed failed;
    failed.error = {base::Code::Unavailable,
                    "the request is not known to the engine any more",
                    "retry",
                    {},
                    {}};
    scheduler_.post(
        [on_event = std::move(on_event), failed = std::move(failed)] { on_event(failed); });
    return;
  }
  it->second.on_event = std::move(on_event);
  it->second.phase = Phase::Queued;
  it->second.queued_at = scheduler_.now();
  queue_.push_back(ticket);
  run_next_queued();
}

void ScriptedEngine::Impl::run_next_queued() {
  while (running_ < settings().running_max && !queue_.empty()) {
    const Ticket ticket = queue_.front();
    queue_.pop_front();
    Run& run = runs_.at(ticket);
    run.phase = Phase::Running;
    ++running_;
    later(ticket, run.turn, {});
  }
}

void ScriptedEngine::Impl::cancel(Ticket ticket) {
  const std::lock_guard lock(mutex_);
  const auto it = runs_.find(ticket);
  if (it == runs_.end()) return;
  Run& run = it->second;
  if (run.wedged) return;
  if (run.phase == Phase::Prepared) {
    runs_.erase(it);
    return;
  }
  if (run.phase == Phase::Queued) {
    std::erase(queue_, ticket);
    run.phase = Phase::Running;
    ++running_;
  }
  // The stream ends at the next turn; what was planned for later is void.
  run.plan.steps.clear();
  run.plan.steps.push_back({Step::Kind::Finish, {}, {}, d::EndReason::ClientAbort});
  run.next_step = 0;
  later(ticket, ++run.turn, {});
}

void ScriptedEngine::Impl::later(Ticket ticket, std::uint64_t turn_number, base::Duration delay) {
  scheduler_.call_later(delay, [weak = weak_from_this(), ticket, turn_number] {
    if (const auto self = weak.lock()) self->turn(ticket, turn_number);
  });
}

void ScriptedEngine::Impl::turn(Ticket ticket, std::uint64_t turn_number) {
  Events events;
  EventFn on_event;
  {
    const std::lock_guard lock(mutex_);
    const auto it = runs_.find(ticket);
    if (closed_ || it == runs_.end() || it->second.turn != turn_number) return;
    Run& run = it->second;
    on_event = run.on_event;
    const bool cancelled = turn_number > 0;
    if (!run.begun && !cancelled) {
      begin(run, events);
      later(ticket, turn_number, settings().prefill * static_cast<std::int64_t>(run.work.computed));
    } else if (advance(ticket, run, events)) {
      conclude(ticket);
    }
  }
  const Together all;
  for (d::Event& event : events) {
    if (!closed_) on_event(std::move(event));
  }
}

void ScriptedEngine::Impl::begin(Run& run, Events& events) {
  run.begun = true;
  run.begun_at = run.decoding_at = scheduler_.now();
  const std::uint64_t size = run.prompt.size();
  scripted::PrefixCache::Reuse reuse = cache_.match(run.request.tenant, run.prompt);
  if (run.plan.cached_tokens) {
    reuse.reused = std::min(*run.plan.cached_tokens, size - 1);
    reuse.stored = std::min(reuse.stored, size - reuse.reused);
  }
  cache_.store(run.request.tenant, run.prompt);
  run.prompt_usage = scripted::prompt_usage(size, reuse);
  run.work = {size - run.prompt_usage.cache_read, run.prompt_usage.cache_read, 0};
  events.emplace_back(d::Started{size, run.work});
}

bool ScriptedEngine::Impl::advance(Ticket ticket, Run& run, Events& events) {
  if (run.next_step == 0 && run.turn == 0) run.decoding_at = scheduler_.now();
  if (run.prefill_only && run.turn == 0) {
    events.emplace_back(finished(run, d::EndReason::Length, {}));
    return true;
  }
  while (run.next_step < run.plan.steps.size()) {
    const Step& step = run.plan.steps[run.next_step++];
    if (step.kind == Step::Kind::Hang) return false;
    if (step.kind == Step::Kind::Wedge) {
      run.wedged = true;
      return false;
    }
    if (step.kind == Step::Kind::Die) {
      if (!options_.die) std::abort();
      scheduler_.post(options_.die);
      return false;
    }
    if (step.kind == Step::Kind::Delay) {
      later(ticket, run.turn, step.duration);
      return false;
    }
    if (step.kind == Step::Kind::Pace) {
      run.pace = step.duration;
      continue;
    }
    if (step.kind == Step::Kind::Fail) {
      const d::Finished totals = finished(run, d::EndReason::UpstreamError, {});
      events.emplace_back(d::Failed{step.error, totals.usage, totals.work, totals.timings});
      return true;
    }
    if (step.kind == Step::Kind::Finish && step.reason == d::EndReason::ClientAbort) {
      run.answer.cut(events);
      events.emplace_back(finished(run, step.reason, {}));
      return true;
    }
    if (const auto ending = run.answer.apply(step, events)) {
      events.emplace_back(finished(run, ending->reason, ending->stop_sequence));
      return true;
    }
    if (scripted::is_token(step.kind)) {
      later(ticket, run.turn, run.pace);
      return false;
    }
  }
  const auto ending = run.answer.finish(events);
  events.emplace_back(finished(run, ending.reason, ending.stop_sequence));
  return true;
}

d::Finished ScriptedEngine::Impl::finished(const Run& run, d::EndReason reason,
                                           std::string stop_sequence) const {
  d::Finished event;
  event.reason = reason;
  event.stop_sequence = std::move(stop_sequence);
  event.usage = run.prompt_usage;
  event.usage.output = run.answer.output_tokens();
  event.usage.reasoning = run.answer.reasoning_tokens();
  event.work = run.work;
  const base::TimePoint now = scheduler_.now();
  event.timings.queue_ns = ((run.begun ? run.begun_at : now) - run.queued_at).count();
  if (run.begun) {
    event.timings.prefill_ns = (run.decoding_at - run.begun_at).count();
    event.timings.decode_ns = (now - run.decoding_at).count();
  }
  return event;
}

void ScriptedEngine::Impl::conclude(Ticket ticket) {
  const auto it = runs_.find(ticket);
  Run& run = it->second;
  if (run.begun) {
    scripted::append_answer(run.prompt, run.answer.parts());
    cache_.store(run.request.tenant, run.prompt);
  }
  runs_.erase(it);
  --running_;
  run_next_queued();
}

}  // namespace fh::engine
