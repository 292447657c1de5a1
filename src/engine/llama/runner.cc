// Admission, memory pressure and the loop; see runner.h. The computing part of a step is in
// runner_step.cc.
#include "engine/llama/runner.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "engine/llama/loader.h"

namespace fh::engine::llama {

Runner::Runner(std::unique_ptr<Context> context, const base::Clock& clock, Options options)
    : context_(std::move(context)),
      clock_(clock),
      options_(std::move(options)),
      pool_(*context_, options_.pool),
      budget_(options_.budget),
      governor_(options_.threads_max, options_.threads.answers, options_.adapt_threads),
      prompt_governor_(options_.threads_max, options_.threads.prompts, options_.adapt_threads),
      sampling_(options_.sampling_helpers),
      wide_(options_.pool.chunk_tokens) {
  const std::uint32_t chunk = options_.pool.chunk_tokens;
  const std::uint32_t most =
      std::min({options_.piece_tokens_max, context_->batch_tokens_max(), context_->cells_max()});
  options_.piece_tokens_max = std::max(chunk, most / chunk * chunk);
  cuts_known_ = options_.piece_tokens_max == chunk;
  probe_.piece_tokens = cuts_known_ ? chunk : 0;
}

Runner::~Runner() = default;

void Runner::submit(std::unique_ptr<Request> request) {
  {
    const std::lock_guard lock(mutex_);
    request->queued_at = clock_.now();
    ++counts_.queued;
    inbox_.push_back(std::move(request));
    interrupted_ = true;
  }
  changed_.notify_one();
}

void Runner::cancel(Ticket ticket) {
  {
    const std::lock_guard lock(mutex_);
    cancels_.push_back(ticket);
    interrupted_ = true;
  }
  changed_.notify_one();
}

void Runner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    interrupted_ = true;
  }
  changed_.notify_one();
}

Runner::Counts Runner::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void Runner::publish() {
  probe_.parked_bytes = pool_.tree().bytes();
  probe_.blocks_evicted = pool_.tree().evictions();
  const std::lock_guard lock(mutex_);
  counts_.running = pool_.running();
  counts_.queued = static_cast<std::uint32_t>(queue_.size() + inbox_.size());
  counts_.cells_used = context_->cells_used();
}

bool Runner::has_work() const {
  return stopping_ || !inbox_.empty() || !cancels_.empty();
}

// How prompts may be cut; given up, to be begun anew, when there is something better to do.
void Runner::find_cuts() {
  const std::uint32_t wide = options_.piece_tokens_max;
  context_->set_threads(prompt_governor_.threads());  // as prompts will be computed
  const auto free =
      cuts_are_free(*context_, pool_.chunk_tokens(), wide, [this] { return interrupted_.load(); });
  if (!free && interrupted_) return;
  cuts_known_ = true;
  if (free.value_or(false)) wide_ = wide;
  probe_.piece_tokens = wide_;
  base::log_info("how prompts are computed is settled",
                 {{"piece_tokens", std::to_string(wide_)},
                  {"chunk_tokens", std::to_string(pool_.chunk_tokens())}});
}

void Runner::run() noexcept {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const bool idle = active_.empty() && queue_.empty();
      if (idle && cuts_known_) changed_.wait(lock, [this] { return has_work(); });
      if (stopping_) break;
      interrupted_ = false;
      if (idle && !has_work()) {
        lock.unlock();
        find_cuts();
        continue;
      }
    }
    take_inbox();
    admit();
    step();
    publish();
  }
  fail_all(base::Error{base::Code::Unavailable, "the model is being stopped", "retry", {}, {}});
  publish();
}

void Runner::take_inbox() {
  std::vector<std::unique_ptr<Request>> arrived;
  std::vector<Ticket> cancels;
  {
    const std::lock_guard lock(mutex_);
    arrived.swap(inbox_);
    cancels.swap(cancels_);
  }
  for (auto& request : arrived) {
    const Ticket ticket = request->ticket;
    queue_.push(request->tenant, ticket);
    waiting_.emplace(ticket, std::move(request));
  }
  for (const Ticket ticket : cancels) cancel_now(ticket);
  remove_closed();
}

void Runner::cancel_now(Ticket ticket) {
  for (const auto& active : active_) {
    if (active->request->ticket == ticket) {
      if (active->sequence < 0) return;  // has just ended
      finish(*active, domain::EndReason::ClientAbort);
      return;
    }
  }
  if (const auto aside = aside_.find(ticket); aside != aside_.end()) {
    queue_.remove(ticket);
    finish(*aside->second, domain::EndReason::ClientAbort);
    aside_.erase(aside);
    return;
  }
  if (auto waiting = waiting_.extract(ticket)) {
    queue_.remove(ticket);
    domain::Finished finished;
    finished.reason = domain::EndReason::ClientAbort;
    finished.timings.queue_ns = (clock_.now() - waiting.mapped()->queued_at).count();
    waiting.mapped()->on_event(finished);
  }
}

// ---- Admission ----

// Cells that the running requests may still ask for.
std::uint64_t Runner::promised_cells() const {
  std::uint64_t cells = 0;
  for (const auto& active : active_) {
    const std::uint64_t output =
        std::min<std::uint64_t>(active->request->output_max, options_.output_reserve);
    const std::uint64_t goal =
        std::max<std::uint64_t>(active->tokens.size() + 1, active->prompt_size() + output);
    const std::uint32_t held = context_->length(active->sequence);
    if (goal > held) cells += goal - held;
  }
  return cells;
}

bool Runner::fits(const Request& request, const Active* set_aside) const {
  if (active_.empty()) return true;  // alone it always fits: the pool is at least one context
  const std::uint64_t output = std::min<std::uint64_t>(request.output_max, options_.output_reserve);
  std::uint64_t need = request.prompt.size() + output;
  if (set_aside != nullptr) need = std::max<std::uint64_t>(need, set_aside->tokens.size() + output);
  return context_->cells_used() + promised_cells() + need <= context_->cells_max();
}

void Runner::admit() {
  while (!queue_.empty() && pool_.has_free_sequence()) {
    const Ticket ticket = queue_.front();
    const auto aside = aside_.find(ticket);
    const auto waiting = waiting_.find(ticket);
    if (aside == aside_.end() && waiting == waiting_.end()) {
      FH_BUG("a queued request is unknown");
      queue_.pop();
      continue;
    }
    const Active* resumed = aside == aside_.end() ? nullptr : aside->second.get();
    const Request& request = resumed != nullptr ? *resumed->request : *waiting->second;
    if (!fits(request, resumed)) break;
    ActivePtr active;
    if (resumed != nullptr) {
      active = std::move(aside->second);
      aside_.erase(aside);
    } else {
      active = std::make_unique<Active>();
      active->request = std::move(waiting->second);
      active->tokens = active->request->prompt;
      waiting_.erase(waiting);
    }
    queue_.begin(active->request->tenant);
    queue_.pop();
    begin(std::move(active));
  }
}

bool Runner::place(Active& active) {
  const Request& request = *active.request;
  const bool first_time = active.order == 0;
  const auto held = std::span<const Token>(active.tokens).first(active.prefill_end());
  auto placed = first_time ? pool_.place(request.tenant, request.prompt)
                           : pool_.unpark(request.tenant, held, active.parked);
  if (!placed) return false;
  active.sequence = placed->sequence;
  active.computed = context_->length(active.sequence);
  if (first_time) {
    active.cached = placed->cached;
    active.restored = placed->restored;
    active.prompt_done = active.computed;
  }
  probe_.cached_tokens += placed->cached;
  probe_.restored_tokens += placed->restored;
  active.parked = {};
  active.decoding = active.computed == active.prefill_end();
  return true;
}

void Runner::begin(ActivePtr owned) {
  Active& active = *owned;
  const bool first_time = active.order == 0;
  if (!place(active)) {
    FH_BUG("admitted without a free sequence");
    active_.push_back(std::move(owned));
    fail(active, {base::Code::Internal, "no sequence for the request", {}, {}, {}});
    remove_closed();
    return;
  }
  active_.push_back(std::move(owned));
  if (!first_time) return;  // it keeps its admission number: what came after it makes room first
  active.order = next_order_++;
  active.admitted_at = clock_.now();
  domain::Started started;
  started.prompt_tokens = active.prompt_size();
  started.work = {active.prompt_size() - active.computed, active.cached, active.restored};
  active.request->on_event(started);
}

// ---- Memory pressure ----

Active* Runner::find_active(std::uint64_t order) {
  const auto it = std::ranges::find(active_, order, [](const ActivePtr& a) { return a->order; });
  return it == active_.end() ? nullptr : it->get();
}

// Frees cells by setting aside the youngest requests, never one older than `for_whom`. False:
// `for_whom` itself is the youngest and has been set aside, or nothing helps.
bool Runner::make_room(std::uint32_t cells, const Active* for_whom) {
  while (context_->cells_max() - context_->cells_used() < cells) {
    Active* youngest = nullptr;
    std::size_t live = 0;
    for (const auto& active : active_) {
      if (active->sequence < 0) continue;  // has just ended
      ++live;
      if (youngest == nullptr || active->order > youngest->order) youngest = active.get();
    }
    if (live < 2) return false;
    const bool itself = youngest == for_whom;
    set_aside(*youngest);
    if (itself) return false;
  }
  return true;
}

void Runner::set_aside(Active& active) {
  const auto held = std::span<const Token>(active.tokens).first(active.computed);
  active.parked = pool_.park(active.sequence, held);
  active.sequence = -1;
  active.computed = 0;
  active.decoding = false;
  ++probe_.requests_parked;
  const Ticket ticket = active.request->ticket;
  const auto it = std::ranges::find(active_, &active, [](const ActivePtr& a) { return a.get(); });
  ActivePtr owned = std::move(*it);
  active_.erase(it);
  queue_.push_front(owned->request->tenant, ticket);
  queue_.end(owned->request->tenant);
  aside_.emplace(ticket, std::move(owned));
}

// ---- Ends ----

void Runner::settle(const Active& active, domain::Event& last) const {
  domain::PromptWork work;
  work.cached = active.cached;
  work.restored = active.restored;
  const std::uint32_t known = active.cached + active.restored;
  work.computed = active.prompt_done > known ? active.prompt_done - known : 0;
  domain::Usage usage;
  usage.cache_read = known;
  const std::uint32_t stored = std::min(active.stored, active.prompt_done);
  usage.cache_write_5m = stored > known ? stored - known : 0;
  usage.input_uncached = work.computed - usage.cache_write_5m;
  usage.output = active.request->answer->output_tokens();
  usage.reasoning = std::min(active.request->answer->reasoning_tokens(), usage.output);
  domain::Timings timings;
  const base::TimePoint now = clock_.now();
  const bool decoded = active.decoding_at != base::TimePoint{};
  const base::TimePoint begun = active.admitted_at == base::TimePoint{} ? now : active.admitted_at;
  timings.queue_ns = (begun - active.request->queued_at).count();
  timings.prefill_ns = ((decoded ? active.decoding_at : now) - begun).count();
  timings.decode_ns = decoded ? (now - active.decoding_at).count() : 0;
  const auto fill = [&](auto& event) {
    event.usage = usage;
    event.work = work;
    event.timings = timings;
  };
  if (auto* finished = std::get_if<domain::Finished>(&last)) fill(*finished);
  if (auto* failed = std::get_if<domain::Failed>(&last)) fill(*failed);
}

void Runner::close(Active& active, domain::Event last, std::vector<domain::Event> events) {
  if (active.sequence >= 0) {
    const auto held = std::span<const Token>(active.tokens).first(active.computed);
    active.stored = std::max(active.stored, pool_.release(active.sequence, held));
    active.sequence = -1;
    queue_.end(active.request->tenant);
  }
  settle(active, last);
  publish();  // whoever hears of the end finds the place free
  for (domain::Event& event : events) active.request->on_event(std::move(event));
  active.request->on_event(std::move(last));
  closed_.push_back(active.request->ticket);
}

void Runner::finish(Active& active, domain::EndReason reason) {
  std::vector<domain::Event> events;
  domain::Event last = active.request->answer->finish(reason, events);
  close(active, std::move(last), std::move(events));
}

void Runner::fail(Active& active, base::Error error) {
  domain::Failed failed;
  failed.error = std::move(error);
  close(active, std::move(failed), {});
}

void Runner::remove_closed() {
  if (closed_.empty()) return;
  std::erase_if(active_, [this](const ActivePtr& active) {
    return std::ranges::find(closed_, active->request->ticket) != closed_.end();
  });
  closed_.clear();
}

void Runner::fail_all(const base::Error& error) {
  take_inbox();
  for (const auto& active : active_) fail(*active, error);
  for (auto& [ticket, active] : aside_) fail(*active, error);
  closed_.clear();
  active_.clear();
  aside_.clear();
  for (auto& [ticket, request] : waiting_) {
    queue_.remove(ticket);
    domain::Failed failed;
    failed.error = error;
    request->on_event(failed);
  }
  waiting_.clear();
}

}  // namespace fh::engine::llama
