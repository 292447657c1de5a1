// Placing, parking and releasing sequences; see kv_pool.h.
#include "engine/llama/kv_pool.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace fh::engine::llama {

KvPool::KvPool(KvMemory& memory, const Options& options)
    : memory_(memory),
      options_(options),
      tree_(
          {options.chunk_tokens, options.reuse == ReuseKind::None ? 0 : options.parked_bytes_max}),
      holders_(memory.sequences_max()) {}

// The last place before the prompt's last token where reuse may end.
std::uint32_t KvPool::boundary(std::size_t prompt_tokens) const {
  if (prompt_tokens == 0 || options_.reuse == ReuseKind::None) return 0;
  const auto last = static_cast<std::uint32_t>(prompt_tokens - 1);
  return last / options_.chunk_tokens * options_.chunk_tokens;
}

bool KvPool::has_free_sequence() const {
  return std::ranges::any_of(holders_, [](const Holder& h) { return !h.taken; });
}

std::uint32_t KvPool::running() const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(holders_, [](const Holder& h) { return h.taken; }));
}

KvPool::Donor KvPool::best_donor(const std::string& tenant, std::span<const Token> prefix) const {
  Donor best;
  if (options_.reuse != ReuseKind::BlocksAndForks) return best;
  for (std::size_t s = 0; s < holders_.size(); ++s) {
    const Holder& holder = holders_[s];
    if (!holder.taken || holder.tenant != tenant) continue;
    const auto [end, ignored] = std::ranges::mismatch(holder.tokens, prefix);
    const auto same = static_cast<std::uint32_t>(end - holder.tokens.begin());
    std::uint32_t usable = same / options_.chunk_tokens * options_.chunk_tokens;
    if (same >= holder.prompt_tokens && holder.prompt_tokens % options_.chunk_tokens == 0) {
      usable = std::min(usable, boundary(holder.prompt_tokens));
    }
    if (usable > best.tokens) best = {static_cast<SequenceId>(s), usable};
  }
  return best;
}

std::uint32_t KvPool::known(const std::string& tenant, std::span<const Token> prompt) const {
  if (knows_end(tenant, prompt)) return static_cast<std::uint32_t>(prompt.size() - 1);
  const auto prefix = prompt.first(boundary(prompt.size()));
  return std::max(best_donor(tenant, prefix).tokens, tree_.stored(tenant, prefix));
}

bool KvPool::knows_end(const std::string& tenant, std::span<const Token> prompt) const {
  return !prompt.empty() && tree_.has_end(tenant, prompt.first(prompt.size() - 1));
}

SequenceId KvPool::take_free(const std::string& tenant, std::size_t prompt_tokens) {
  // With nothing running the memory is emptied: the next request finds the same layout as after a
  // start.
  if (running() == 0 && memory_.cells_used() == 0) memory_.clear_all();
  for (std::size_t s = 0; s < holders_.size(); ++s) {
    if (holders_[s].taken) continue;
    holders_[s] = Holder{true, tenant, {}, static_cast<std::uint32_t>(prompt_tokens), 0, false};
    return static_cast<SequenceId>(s);
  }
  return -1;
}

// Appends parked blocks behind what the sequence holds already; returns how many tokens.
std::uint32_t KvPool::restore_blocks(SequenceId sequence, std::span<const Token> prefix) {
  Holder& holder = holders_[static_cast<std::size_t>(sequence)];
  const PrefixTree::Match match = tree_.find(holder.tenant, prefix);
  const std::uint32_t size = options_.chunk_tokens;
  const std::uint32_t begin = memory_.length(sequence);
  for (std::uint32_t at = begin; at < match.tokens; at += size) {
    const auto status = memory_.restore(sequence, *match.blocks[at / size], at, at + size);
    if (!status) {
      if (status.error().code == base::Code::DataLoss) {
        base::log_warn("a parked KV block was damaged and is dropped");
        tree_.erase(holder.tenant, prefix.first(at + size));
      }
      break;
    }
  }
  holder.stored = std::max(holder.stored, std::min(match.tokens, memory_.length(sequence)));
  return memory_.length(sequence) - begin;
}

// The same for what a repeated prompt has behind its last whole block.
std::uint32_t KvPool::restore_end(SequenceId sequence, std::span<const Token> prompt) {
  Holder& holder = holders_[static_cast<std::size_t>(sequence)];
  const std::uint32_t begin = boundary(prompt.size());
  if (prompt.empty() || memory_.length(sequence) != begin) return 0;
  const auto all = prompt.first(prompt.size() - 1);
  const auto data = tree_.find_end(holder.tenant, all);
  if (data == nullptr) return 0;
  const auto status =
      memory_.restore(sequence, *data, begin, static_cast<std::uint32_t>(all.size()));
  if (!status) {
    if (status.error().code == base::Code::DataLoss) {
      base::log_warn("a parked KV block was damaged and is dropped");
      tree_.erase(holder.tenant, all);
    }
    return 0;
  }
  holder.tokens.assign(all.begin(), all.end());
  return static_cast<std::uint32_t>(all.size()) - begin;
}

KvPool::Placement KvPool::fill(SequenceId sequence, std::span<const Token> prefix) {
  Holder& holder = holders_[static_cast<std::size_t>(sequence)];
  Placement placement{sequence, 0, 0};
  if (prefix.empty()) return placement;
  const Donor donor = best_donor(holder.tenant, prefix);
  if (donor.sequence >= 0 && donor.sequence != sequence) {
    if (memory_.fork(donor.sequence, sequence, donor.tokens)) {
      placement.cached = donor.tokens;
      const Holder& source = holders_[static_cast<std::size_t>(donor.sequence)];
      holder.stored = std::min(source.stored, donor.tokens);
    } else {
      FH_BUG("fork of a running sequence refused");
    }
  }
  placement.restored = restore_blocks(sequence, prefix);
  const auto held = prefix.first(memory_.length(sequence));
  holder.tokens.assign(held.begin(), held.end());
  return placement;
}

base::Result<KvPool::Placement> KvPool::place(const std::string& tenant,
                                              std::span<const Token> prompt) {
  const SequenceId sequence = take_free(tenant, prompt.size());
  if (sequence < 0) return base::fail(base::Code::ResourceExhausted, "no free sequence");
  Placement placement = fill(sequence, prompt.first(boundary(prompt.size())));
  placement.restored += restore_end(sequence, prompt);
  return placement;
}

KvPool::Placement KvPool::extend(SequenceId sequence, std::span<const Token> prompt) {
  const Holder& holder = holders_[static_cast<std::size_t>(sequence)];
  const std::uint32_t held = memory_.length(sequence);
  Placement none{sequence, 0, 0};
  if (held % options_.chunk_tokens != 0 || known(holder.tenant, prompt) <= held) return none;
  const auto prefix = prompt.first(boundary(prompt.size()));
  if (held == 0) {
    Placement placement = fill(sequence, prefix);
    placement.restored += restore_end(sequence, prompt);
    return placement;
  }
  if (tree_.stored(holder.tenant, prefix) > held) {
    none.restored = restore_blocks(sequence, prefix);
    const auto now_held = prefix.first(memory_.length(sequence));
    holders_[static_cast<std::size_t>(sequence)].tokens.assign(now_held.begin(), now_held.end());
  }
  none.restored += restore_end(sequence, prompt);
  return none;
}

std::uint32_t KvPool::advance(SequenceId sequence, std::span<const Token> tokens) {
  Holder& holder = holders_[static_cast<std::size_t>(sequence)];
  const std::uint32_t held = memory_.length(sequence);
  if (held < tokens.size()) tokens = tokens.first(held);
  if (holder.tokens.size() < tokens.size()) {
    const auto fresh = tokens.subspan(holder.tokens.size());
    holder.tokens.insert(holder.tokens.end(), fresh.begin(), fresh.end());
  }
  const std::uint32_t size = options_.chunk_tokens;
  while (tree_.bytes_max() > 0 && !holder.store_refused && holder.stored + size <= tokens.size()) {
    const std::uint32_t end = holder.stored + size;
    // A chunk that the prompt's last token, computed apart, completes: no other prompt has it so.
    if (end == holder.prompt_tokens) break;
    if (tree_.stored(holder.tenant, tokens.first(end)) < end) {
      auto data = memory_.save(sequence, holder.stored, end);
      if (!data || !tree_.insert(holder.tenant, tokens.first(end), std::move(*data))) {
        holder.store_refused = true;
        break;
      }
    }
    holder.stored = end;
  }
  return holder.stored;
}

std::uint32_t KvPool::keep_end(SequenceId sequence, std::span<const Token> prompt) {
  const Holder& holder = holders_[static_cast<std::size_t>(sequence)];
  const std::uint32_t begin = boundary(prompt.size());
  const auto end = static_cast<std::uint32_t>(prompt.size() - 1);
  if (begin == end || holder.stored != begin || memory_.length(sequence) != end ||
      tree_.bytes_max() == 0) {
    return holder.stored;
  }
  if (!knows_end(holder.tenant, prompt)) {
    auto data = memory_.save(sequence, begin, end);
    if (!data || !tree_.insert(holder.tenant, prompt.first(end), std::move(*data))) {
      return holder.stored;
    }
  }
  return end;
}

void KvPool::drop(SequenceId sequence) {
  if (!memory_.trim(sequence, 0)) FH_BUG("a whole sequence could not be dropped");
  holders_[static_cast<std::size_t>(sequence)] = Holder{};
}

std::uint32_t KvPool::release(SequenceId sequence, std::span<const Token> tokens) {
  const std::uint32_t stored = advance(sequence, tokens);
  drop(sequence);
  return stored;
}

ParkedSequence KvPool::park(SequenceId sequence, std::span<const Token> tokens) {
  ParkedSequence parked;
  parked.tail_begin = advance(sequence, tokens);
  const std::uint32_t held = memory_.length(sequence);
  parked.tail_end = held;
  parked.prompt_tokens = holders_[static_cast<std::size_t>(sequence)].prompt_tokens;
  if (held > parked.tail_begin && options_.reuse != ReuseKind::None) {
    if (auto data = memory_.save(sequence, parked.tail_begin, held)) parked.tail = std::move(*data);
  }
  drop(sequence);
  return parked;
}

base::Result<KvPool::Placement> KvPool::unpark(const std::string& tenant,
                                               std::span<const Token> tokens,
                                               const ParkedSequence& parked) {
  const SequenceId sequence = take_free(tenant, parked.prompt_tokens);
  if (sequence < 0) return base::fail(base::Code::ResourceExhausted, "no free sequence");
  Placement placement = fill(sequence, tokens.first(parked.tail_begin));
  if (memory_.length(sequence) == parked.tail_begin && !parked.tail.empty() &&
      memory_.restore(sequence, parked.tail, parked.tail_begin, parked.tail_end)) {
    placement.restored += parked.tail_end - parked.tail_begin;
    const auto held = tokens.first(parked.tail_end);
    holders_[static_cast<std::size_t>(sequence)].tokens.assign(held.begin(), held.end());
  }
  return placement;
}

}  // namespace fh::engine::llama
