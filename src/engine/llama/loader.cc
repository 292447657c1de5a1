// See loader.h.
#include "engine/llama/loader.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "base/log.h"

namespace fh::engine::llama {
namespace {

constexpr std::uint32_t kContextMin = 512;
constexpr std::uint32_t kContextUnstated =
    4096;  // for files that do not say what they were trained for
constexpr std::uint32_t kProbeTokens = 16;

Token probe_token(const Model& model, std::uint32_t i) {
  return static_cast<Token>((i * 37 + 11) % model.vocabulary_size());
}

// Logits after computing one more token behind `sequence`; empty on any failure.
std::vector<float> logits_after(Context& context, SequenceId sequence) {
  Batch batch;
  batch.add({probe_token(context.model(), kProbeTokens),
             static_cast<Position>(context.length(sequence)), sequence, true});
  if (!context.decode(batch)) return {};
  const auto logits = context.logits(0);
  return {logits.begin(), logits.end()};
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return !a.empty() && a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

using PieceSize = std::function<std::uint32_t(std::uint32_t begin)>;

// Keys and values of the first `tokens` probe tokens, computed in pieces; empty when given up or on
// any failure.
BlockData computed_in_pieces(Context& context, std::uint32_t tokens, const PieceSize& piece,
                             const Context::GiveUp& give_up) {
  context.clear_all();
  for (std::uint32_t begin = 0; begin < tokens;) {
    const std::uint32_t end = std::min(tokens, begin + piece(begin));
    Batch batch;
    for (std::uint32_t i = begin; i < end; ++i) {
      batch.add({probe_token(context.model(), i), static_cast<Position>(i), 0, false});
    }
    if (!context.decode(batch, give_up)) return {};
    begin = end;
  }
  auto saved = context.save(0, 0, tokens);
  return saved ? std::move(*saved) : BlockData{};
}

bool compute_probe(Context& context) {
  Batch batch;
  for (std::uint32_t i = 0; i < kProbeTokens; ++i) {
    batch.add({probe_token(context.model(), i), static_cast<Position>(i), 0, false});
  }
  return context.decode(batch).has_value();
}

}  // namespace

base::Result<PoolSize> pool_size(const Model& model, const PoolWish& wish) {
  const std::uint32_t trained =
      model.training_context() > 0 ? model.training_context() : kContextUnstated;
  const std::uint64_t affordable = wish.bytes_max / model.kv_bytes_per_token();
  if (wish.context_tokens > trained) {
    return base::fail_field("context_tokens", "the model was trained for a context of " +
                                                  std::to_string(trained) + " tokens, " +
                                                  std::to_string(wish.context_tokens) +
                                                  " were asked for");
  }
  PoolSize size;
  size.context_tokens = wish.context_tokens;
  if (size.context_tokens == 0) {
    const std::uint64_t fitting = std::max<std::uint64_t>(kContextMin, affordable);
    size.context_tokens = static_cast<std::uint32_t>(std::min<std::uint64_t>(trained, fitting));
  }
  const std::uint32_t contexts = std::min(wish.sequences_max, kContextsMax);
  const std::uint64_t wanted = std::uint64_t{size.context_tokens} * contexts;
  constexpr std::uint64_t kCellsMax = 1U << 30;
  size.cells = static_cast<std::uint32_t>(std::min(
      kCellsMax, std::max<std::uint64_t>(size.context_tokens, std::min(wanted, affordable))));
  return size;
}

ReuseKind proven_reuse(Context& context) {
  ReuseKind kind = context.model().reuse_kind();
  context.clear_all();
  if (kind == ReuseKind::None || context.sequences_max() < 1 ||
      context.cells_max() < 2 * kProbeTokens || !compute_probe(context)) {
    context.clear_all();
    return ReuseKind::None;
  }
  const auto block = context.save(0, 0, kProbeTokens);
  const bool can_fork = kind == ReuseKind::BlocksAndForks && context.sequences_max() > 1 &&
                        context.fork(0, 1, kProbeTokens).has_value();
  const std::vector<float> expected = logits_after(context, 0);
  const std::vector<float> forked = can_fork ? logits_after(context, 1) : std::vector<float>{};
  context.clear_all();
  const bool restored = block && context.restore(0, *block, 0, kProbeTokens);
  const std::vector<float> again = restored ? logits_after(context, 0) : std::vector<float>{};
  context.clear_all();
  if (!same_bits(expected, again)) {
    base::log_warn("this architecture's memory cannot be restored exactly: prefixes are not reused",
                   {{"architecture", context.model().architecture()}});
    return ReuseKind::None;
  }
  if (kind == ReuseKind::BlocksAndForks && !same_bits(expected, forked)) kind = ReuseKind::Blocks;
  return kind;
}

std::optional<bool> cuts_are_free(Context& context, std::uint32_t chunk, std::uint32_t wide,
                                  const Context::GiveUp& give_up) {
  if (chunk == 0 || wide % chunk != 0 || wide > context.batch_tokens_max() ||
      wide > context.cells_max()) {
    return std::nullopt;
  }
  const auto in_one = [&](std::uint32_t) { return wide; };
  // One chunk, then pieces as long as what is before them: kernels are chosen by size.
  const auto growing = [&](std::uint32_t begin) { return std::max(begin, chunk); };
  const BlockData whole = computed_in_pieces(context, wide, in_one, give_up);
  const BlockData cut =
      whole.empty() ? BlockData{} : computed_in_pieces(context, wide, growing, give_up);
  context.clear_all();
  if (cut.empty()) return std::nullopt;
  return whole == cut;
}

FastestThreads fastest_threads(Context& context, std::uint32_t threads_max,
                               const base::Clock& clock) {
  constexpr double kGain = 0.8;  // fewer threads must be this much faster, or noise would decide
  const auto fastest = [&](int steps, const std::function<void()>& step) {
    const auto measure = [&](std::uint32_t threads) {
      context.clear_all();
      context.set_threads(threads);
      step();  // the pool's threads wake up, the weights are read in
      const base::TimePoint start = clock.now();
      for (int i = 0; i < steps; ++i) step();
      return static_cast<double>((clock.now() - start).count());
    };
    std::uint32_t best = threads_max;
    double best_ns = threads_max > 1 ? measure(threads_max) : 0;
    while (best > 1) {
      const double fewer_ns = measure(best - 1);
      if (fewer_ns > kGain * best_ns) break;
      best_ns = fewer_ns;
      --best;
    }
    context.clear_all();
    return best;
  };
  FastestThreads found;
  found.answers = fastest(6, [&] { logits_after(context, 0); });
  found.prompts = fastest(2, [&] {
    context.clear_all();
    compute_probe(context);
  });
  return found;
}

}  // namespace fh::engine::llama
