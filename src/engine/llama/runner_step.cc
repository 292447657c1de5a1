// One step: decoders, pieces of prefill, sampling, output; see runner.h.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/os/cpu_time.h"
#include "engine/llama/runner.h"
#include "engine/together.h"

namespace fh::engine::llama {

namespace {
constexpr double kWorthSharingNs = 1e6;
constexpr double kSmoothing = 0.1;
constexpr std::uint32_t kManyTokens = 16;  // of prompts: then the threads for prompts compute
}  // namespace

struct Runner::Sampled {
  base::Result<Token> token = Token{0};
  std::vector<domain::TokenLogprob> logprob;
};

void Runner::add_piece(Batch& batch, const Part& part) {
  for (std::uint32_t at = part.piece.begin; at < part.piece.end; ++at) {
    batch.add({part.active->tokens[at], static_cast<Position>(at), part.active->sequence, false});
  }
}

// Whether an earlier request of the tenant is computing the very piece this one needs next: then it
// is cheaper to wait and take it over.
bool Runner::waits_for_other(const Active& active) const {
  if (options_.pool.reuse == ReuseKind::None || options_.pool.parked_bytes_max == 0) return false;
  const std::uint32_t chunk = pool_.chunk_tokens();
  const std::uint32_t end = active.computed + chunk;
  const auto& mine = active.request->prompt;
  if (active.generated() > 0 || active.computed % chunk != 0 || end >= mine.size()) return false;
  return std::ranges::any_of(active_, [&](const ActivePtr& other) {
    const auto& theirs = other->request->prompt;
    if (other->order >= active.order || other->decoding || other->generated() > 0 ||
        other->request->tenant != active.request->tenant || theirs.size() < end ||
        other->computed < active.computed || other->computed >= end) {
      return false;
    }
    return std::equal(mine.begin() + active.computed, mine.begin() + end,
                      theirs.begin() + active.computed) &&
           std::equal(mine.begin(), mine.begin() + active.computed, theirs.begin());
  });
}

void Runner::extend_from_store() {
  for (const auto& active : active_) {
    if (active->decoding || active->generated() > 0) continue;
    const auto more = pool_.extend(active->sequence, active->request->prompt);
    active->cached += more.cached;
    active->restored += more.restored;
    active->computed = context_->length(active->sequence);
    active->prompt_done = std::max(active->prompt_done, active->computed);
    active->decoding = active->computed == active->prefill_end();
    probe_.cached_tokens += more.cached;
    probe_.restored_tokens += more.restored;
  }
}

StepPlan Runner::plan(StepReport& report) {
  std::vector<std::uint32_t> decoders;
  std::vector<PrefillView> prefills;
  std::uint32_t depth = 0;
  for (std::uint32_t slot = 0; slot < active_.size(); ++slot) {
    const Active& active = *active_[slot];
    if (active.decoding) {
      decoders.push_back(slot);
    } else if (!waits_for_other(active)) {
      prefills.push_back({slot, active.computed, active.prefill_end(),
                          queue_.service(active.request->tenant), active.order, active.waited});
      depth = std::max(depth, active.computed);
    }
  }
  if (prefills.empty()) return make_step_plan(decoders, {}, 0, {});
  const auto answers = static_cast<std::uint32_t>(decoders.size());
  report.budget_tokens =
      std::min(budget_.tokens(answers, depth), context_->batch_tokens_max() - answers);
  StepPlan plan =
      make_step_plan(decoders, prefills, report.budget_tokens, {pool_.chunk_tokens(), wide_});
  // Steps that compute no prompt at all pass nobody over.
  if (!plan.pieces.empty()) {
    for (const PrefillView& view : prefills) ++active_[view.slot]->waited;
  }
  return plan;
}

void Runner::step() {
  if (active_.empty()) return;
  extend_from_store();
  StepReport report;
  report.number = ++step_number_;
  const StepPlan planned = plan(report);
  // Slots are places in active_, which changes when a request is set aside: keep admission numbers
  // instead.
  std::vector<Part> parts;
  for (const PrefillPiece& piece : planned.pieces) {
    parts.push_back({active_[piece.slot]->order, piece, nullptr});
  }
  if (planned.decoders.empty()) {
    for (Part& part : parts) {
      if (interrupted_ && &part != &parts.front()) break;  // who has come may be quicker to serve
      part.active = still_wanted(part);
      if (part.active == nullptr || !make_room(part.piece.size(), part.active)) continue;
      prompt_step(part, report);
    }
  } else {
    answers_step(planned, std::move(parts), report);
  }
  remove_closed();
  ++probe_.steps;
  report.cells_used = context_->cells_used();
  if (options_.on_step) options_.on_step(report);
}

// The request of a planned piece, unless it has ended or been set aside since.
Active* Runner::still_wanted(const Part& part) {
  Active* active = find_active(part.order);
  const bool gone = active == nullptr || active->computed != part.piece.begin ||
                    std::ranges::find(closed_, active->request->ticket) != closed_.end();
  return gone ? nullptr : active;
}

// Every answer's next token, and pieces of prompts in the same batch.
void Runner::answers_step(const StepPlan& plan, std::vector<Part> parts, StepReport& report) {
  std::vector<std::uint64_t> orders;
  for (const std::uint32_t slot : plan.decoders) orders.push_back(active_[slot]->order);
  auto cells = static_cast<std::uint32_t>(orders.size());
  make_room(cells, nullptr);
  std::map<std::uint64_t, std::uint32_t> reached;  // by the pieces of a request before this one
  std::erase_if(parts, [&](Part& part) {
    Active* active = find_active(part.order);
    if (active == nullptr) return true;
    const auto at = reached.try_emplace(part.order, active->computed).first;
    if (at->second != part.piece.begin || !make_room(cells + part.piece.size(), active))
      return true;
    at->second = part.piece.end;
    cells += part.piece.size();
    return false;
  });
  std::erase_if(parts, [&](Part& part) {  // making room may have set some aside
    part.active = find_active(part.order);
    return part.active == nullptr;
  });
  std::vector<Active*> rows;
  std::vector<Active*> silent;  // only wanted their prompt computed
  for (const std::uint64_t order : orders) {
    Active* active = find_active(order);  // null: it has been set aside just now
    if (active == nullptr) continue;
    (active->request->output_max > 0 ? rows : silent).push_back(active);
  }
  const std::size_t sampled = rows.size();
  rows.insert(rows.end(), silent.begin(), silent.end());
  if (rows.empty()) return;
  Batch batch;
  for (const Active* active : rows) {
    batch.add({active->tokens.back(), static_cast<Position>(active->computed), active->sequence,
               active->request->output_max > 0});
    report.decoders.push_back(active->request->ticket);
  }
  std::uint32_t prompt_tokens = 0;
  for (const Part& part : parts) {
    add_piece(batch, part);
    prompt_tokens += part.piece.size();
  }
  context_->set_threads(prompt_tokens < kManyTokens ? governor_.threads()
                                                    : prompt_governor_.threads());
  const std::int64_t cpu_start = base::os::process_cpu_ns();
  const base::TimePoint start = clock_.now();
  const base::Status status = context_->decode(batch);
  report.decode_ns = (clock_.now() - start).count();
  const std::int64_t cpu_ns = base::os::process_cpu_ns() - cpu_start;
  if (!status) {
    for (const Part& part : parts) rows.push_back(part.active);
    std::ranges::sort(rows);
    rows.erase(std::ranges::unique(rows).begin(), rows.end());
    for (Active* active : rows) {
      active->computed = context_->length(active->sequence);
      fail(*active, status.error());
    }
    return;
  }
  learn_step(static_cast<std::uint32_t>(rows.size()), parts, cpu_ns, report);
  for (Active* active : rows) decoded(*active);
  for (const Part& part : parts) prefilled(*part.active, part.piece, report);
  rows.resize(sampled);
  sample_rows(rows);
  for (Active* active : silent) finish(*active, domain::EndReason::Length);
}

void Runner::learn_step(std::uint32_t answers, const std::vector<Part>& parts, std::int64_t cpu_ns,
                        StepReport& report) {
  std::uint32_t tokens = 0;
  std::uint32_t depth = 0;
  for (const Part& part : parts) {
    tokens += part.piece.size();
    depth = std::max(depth, part.piece.begin);
  }
  const std::int64_t took = report.decode_ns;
  if (tokens > 0) {
    const auto alone = static_cast<std::int64_t>(budget_.decode_ns(answers));
    report.decode_ns = alone > 0 ? std::min(took, alone) : took;
    report.prefill_ns = took - report.decode_ns;
    budget_.both(answers, tokens, depth, took);
  } else {
    budget_.decoded(answers, took);
    governor_.after({answers, static_cast<double>(took), took, cpu_ns});
    probe_.threads = governor_.threads();
  }
  probe_.decode_ns += static_cast<std::uint64_t>(report.decode_ns);
  probe_.prefill_ns += static_cast<std::uint64_t>(report.prefill_ns);
  ++probe_.decode_batches;
}

// The last token of the sequence is computed. The first time that is the prompt's, and the prompt
// is done.
void Runner::decoded(Active& active) {
  ++active.computed;
  if (active.generated() > 0) return;
  active.prompt_done = active.prompt_size();
  active.decoding_at = clock_.now();
  queue_.charge(active.request->tenant, 1, 0);
  ++probe_.prefill_tokens;
}

// A piece alone; given up when its request is cancelled.
void Runner::prompt_step(const Part& part, StepReport& report) {
  Active& active = *part.active;
  Batch batch;
  add_piece(batch, part);
  context_->set_threads(prompt_governor_.threads());
  const std::int64_t cpu_start = base::os::process_cpu_ns();
  const base::TimePoint start = clock_.now();
  const base::Status status = context_->decode(batch, [this, ticket = active.request->ticket] {
    if (!interrupted_) return false;
    const std::lock_guard lock(mutex_);
    return stopping_ || std::ranges::find(cancels_, ticket) != cancels_.end();
  });
  const std::int64_t took = (clock_.now() - start).count();
  const std::int64_t cpu_ns = base::os::process_cpu_ns() - cpu_start;
  if (!status) {
    active.computed = context_->length(active.sequence);
    if (status.error().code != base::Code::Cancelled) fail(active, status.error());
    return;
  }
  // Against what such a piece is known to cost: sizes and depths differ.
  const double expected = budget_.prefill_ns(part.piece.size(), part.piece.begin);
  if (part.piece.size() >= kManyTokens && expected > 0) {
    prompt_governor_.after({0, static_cast<double>(took) / expected, took, cpu_ns});
    probe_.prompt_threads = prompt_governor_.threads();
  }
  budget_.prefilled(part.piece.size(), part.piece.begin, took);
  probe_.prefill_ns += static_cast<std::uint64_t>(took);
  report.prefill_ns += took;
  prefilled(active, part.piece, report);
}

void Runner::prefilled(Active& active, const PrefillPiece& piece, StepReport& report) {
  active.computed = context_->length(active.sequence);
  active.waited = 0;
  active.prompt_done =
      std::max(active.prompt_done, std::min(active.computed, active.prompt_size()));
  active.stored =
      pool_.advance(active.sequence, std::span<const Token>(active.tokens).first(active.computed));
  queue_.charge(active.request->tenant, piece.size(), 0);
  probe_.prefill_tokens += piece.size();
  report.pieces.push_back({active.request->ticket, piece.begin, piece.end});
  if (!piece.last) return;
  active.decoding = true;
  if (active.generated() == 0) {
    active.stored =
        std::max(active.stored, pool_.keep_end(active.sequence, active.request->prompt));
  }
}

Runner::Sampled Runner::sample_row(Active& active, std::size_t row) const {
  Sampled sampled;
  sampled.token = active.request->sampler->next(*context_, row);
  if (sampled.token && active.request->logprobs) {
    sampled.logprob.push_back(token_logprob(context_->model(), context_->logits(row),
                                            *sampled.token, active.request->top_logprobs));
  }
  return sampled;
}

// Rows are independent of each other: they are sampled side by side, and given out in order.
void Runner::sample_rows(const std::vector<Active*>& rows) {
  if (rows.empty()) return;
  const base::TimePoint start = clock_.now();
  std::vector<Sampled> sampled(rows.size());
  if (context_->logits(0).empty()) {  // also makes the library put its rows in order
    for (Active* active : rows) {
      fail(*active, {base::Code::Internal, "the model gave no logits", {}, {}, {}});
    }
    return;
  }
  // Waking others costs more than rows that need only a look at their logits.
  const auto one = [&](std::size_t i) { sampled[i] = sample_row(*rows[i], i); };
  const double rows_now = static_cast<double>(rows.size());
  if (sampling_row_ns_ * rows_now > kWorthSharingNs) {
    sampling_.run(rows.size(), one);
  } else {
    for (std::size_t i = 0; i < rows.size(); ++i) one(i);
  }
  const auto sampling_ns = static_cast<double>((clock_.now() - start).count());
  sampling_row_ns_ += kSmoothing * (sampling_ns / rows_now - sampling_row_ns_);
  {
    const Together all;
    for (std::size_t i = 0; i < rows.size(); ++i) accept(*rows[i], std::move(sampled[i]));
  }
  probe_.sampling_ns += static_cast<std::uint64_t>((clock_.now() - start).count());
}

void Runner::accept(Active& active, Sampled sampled) {
  Request& request = *active.request;
  if (!sampled.token) {
    fail(active, std::move(sampled.token).error());
    return;
  }
  const Token token = *sampled.token;
  if (context_->model().is_end(token)) {
    finish(active, domain::EndReason::Complete);
    return;
  }
  queue_.charge(request.tenant, 0, 1);
  ++probe_.generated_tokens;
  active.tokens.push_back(token);
  std::vector<domain::Event> events;
  const bool stopped = request.answer->push(token, std::move(sampled.logprob), events);
  for (domain::Event& event : events) request.on_event(std::move(event));
  if (stopped) {
    finish(active, domain::EndReason::Stop);
  } else if (active.generated() >= request.output_max) {
    finish(active,
           request.ends_with_context ? domain::EndReason::ContextFull : domain::EndReason::Length);
  }
}

}  // namespace fh::engine::llama
