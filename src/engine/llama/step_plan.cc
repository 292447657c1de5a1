// See step_plan.h.
#include "engine/llama/step_plan.h"

#include <algorithm>
#include <tuple>

namespace fh::engine::llama {
namespace {

// Alone: where the piece that begins at `at` ends.
std::uint32_t alone_end(std::uint32_t at, std::uint32_t end, std::uint32_t budget,
                        const PieceSizes& sizes) {
  const std::uint32_t last_cut = end / sizes.chunk * sizes.chunk;
  if (at % sizes.chunk != 0 || at >= last_cut) return piece_end(at, end, sizes.chunk);
  const std::uint32_t most = std::max(1U, std::min(sizes.wide, budget) / sizes.chunk);
  const std::uint32_t chunks = (last_cut - at) / sizes.chunk;
  const std::uint32_t pieces = (chunks + most - 1) / most;
  return at + (chunks + pieces - 1) / pieces * sizes.chunk;  // even ones: small ones are slow
}

}  // namespace

StepPlan make_step_plan(std::span<const std::uint32_t> decoders,
                        std::span<const PrefillView> prefills, std::uint32_t budget_tokens,
                        const PieceSizes& sizes) {
  StepPlan plan;
  plan.decoders.assign(decoders.begin(), decoders.end());
  if (budget_tokens == 0) return plan;
  std::vector<PrefillView> waiting(prefills.begin(), prefills.end());
  std::ranges::sort(waiting, {}, [](const PrefillView& p) {
    const bool overdue = p.waited >= kWaitedMax;
    return std::tuple(overdue ? 0 : 1, overdue ? 0 : p.service, overdue ? 0 : p.end - p.next,
                      p.order);
  });
  const bool alone = decoders.empty();
  std::uint32_t left = budget_tokens;
  for (const PrefillView& prompt : waiting) {
    std::uint32_t at = prompt.next;
    while (at < prompt.end) {
      const std::uint32_t end = alone ? alone_end(at, prompt.end, budget_tokens, sizes)
                                      : std::min(piece_end(at, prompt.end, sizes.chunk), at + left);
      if (end - at > left && !plan.pieces.empty()) return plan;
      plan.pieces.push_back({prompt.slot, at, end, end == prompt.end});
      left -= std::min(left, end - at);
      at = end;
      // Alone, a prompt that is done comes to its first token before others are read on.
      if (left == 0 || (alone && at == prompt.end)) return plan;
    }
  }
  return plan;
}

}  // namespace fh::engine::llama
