// One step: decoders, pieces of prefill, sampling, output; see runner.h.
#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "engine/llama/runner.h"

namespace fh::engine::llama {

struct Runner::Sampled {
  base::Result<Token> token = Token{0};
  std::vector<domain::TokenLogprob> logprob;
};

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
  report.budget_tokens = prefills.empty() ? 0 : budget_.tokens(!decoders.empty(), depth);
  return make_step_plan(decoders, prefills, report.budget_tokens, pool_.chunk_tokens());
}

void Runner::step() {
  if (active_.empty()) return;
  extend_from_store();
  StepReport report;
  report.number = ++step_number_;
  const StepPlan planned = plan(report);
  for (const auto& active : active_) {
    if (!active->decoding) ++active->waited;
  }
  // Slots are places in active_, which changes when a request is set aside: keep admission numbers
  // instead.
  std::vector<std::pair<std::uint64_t, PrefillPiece>> pieces;
  for (const PrefillPiece& piece : planned.pieces) {
    pieces.emplace_back(active_[piece.slot]->order, piece);
  }
  if (!planned.decoders.empty()) decode_step(planned, report);
  for (auto& [order, piece] : pieces) {
    Active* active = find_active(order);
    const bool gone = active == nullptr || active->computed != piece.begin ||
                      std::ranges::find(closed_, active->request->ticket) != closed_.end();
    if (gone) continue;
    piece.slot = static_cast<std::uint32_t>(
        std::ranges::find(active_, active, [](const ActivePtr& a) { return a.get(); }) -
        active_.begin());
    prefill_step(piece, !planned.decoders.empty(), report);
  }
  remove_closed();
  ++probe_.steps;
  report.cells_used = context_->cells_used();
  if (options_.on_step) options_.on_step(report);
}

void Runner::decode_step(const StepPlan& plan, StepReport& report) {
  std::vector<std::uint64_t> orders;
  for (const std::uint32_t slot : plan.decoders) orders.push_back(active_[slot]->order);
  make_room(static_cast<std::uint32_t>(orders.size()), nullptr);
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
  std::uint64_t depth_sum = 0;
  for (const Active* active : rows) {
    batch.add({active->tokens.back(), static_cast<Position>(active->computed), active->sequence,
               active->request->output_max > 0});
    depth_sum += active->computed;
    report.decoders.push_back(active->request->ticket);
  }
  const base::TimePoint start = clock_.now();
  const base::Status status = context_->decode(batch);
  report.decode_ns = (clock_.now() - start).count();
  if (!status) {
    for (Active* active : rows) {
      active->computed = context_->length(active->sequence);
      fail(*active, status.error());
    }
    return;
  }
  budget_.decoded(static_cast<std::uint32_t>(rows.size()), depth_sum, report.decode_ns);
  const std::uint32_t threads = governor_.threads();
  if (governor_.decoded(static_cast<std::uint32_t>(rows.size()), report.decode_ns) != threads) {
    context_->set_threads(governor_.threads());
  }
  probe_.threads = governor_.threads();
  probe_.decode_ns += static_cast<std::uint64_t>(report.decode_ns);
  ++probe_.decode_batches;
  for (Active* active : rows) decoded(*active);
  rows.resize(sampled);
  sample_rows(rows);
  for (Active* active : silent) finish(*active, domain::EndReason::Length);
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

void Runner::prefill_step(const PrefillPiece& piece, bool has_decoders, StepReport& report) {
  Active& active = *active_[piece.slot];
  const std::uint32_t count = piece.end - piece.begin;
  if (!make_room(count, &active)) return;
  Batch batch;
  for (std::uint32_t at = piece.begin; at < piece.end; ++at) {
    batch.add({active.tokens[at], static_cast<Position>(at), active.sequence, false});
  }
  const base::TimePoint start = clock_.now();
  const base::Status status = context_->decode(batch);
  const std::int64_t took = (clock_.now() - start).count();
  active.computed = context_->length(active.sequence);
  if (!status) {
    fail(active, status.error());
    return;
  }
  active.waited = 0;
  active.prompt_done =
      std::max(active.prompt_done, std::min(active.computed, active.prompt_size()));
  active.stored =
      pool_.advance(active.sequence, std::span<const Token>(active.tokens).first(active.computed));
  budget_.prefilled(count, piece.begin, took, has_decoders);
  queue_.charge(active.request->tenant, count, 0);
  probe_.prefill_tokens += count;
  probe_.prefill_ns += static_cast<std::uint64_t>(took);
  report.prefill_ns += took;
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
  sampling_.run(rows.size(), [&](std::size_t i) { sampled[i] = sample_row(*rows[i], i); });
  for (std::size_t i = 0; i < rows.size(); ++i) accept(*rows[i], std::move(sampled[i]));
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
