// See step_plan.h.
#include "engine/llama/step_plan.h"

#include <algorithm>
#include <tuple>

namespace fh::engine::llama {

StepPlan make_step_plan(std::span<const std::uint32_t> decoders,
                        std::span<const PrefillView> prefills, std::uint32_t budget_tokens,
                        std::uint32_t chunk_tokens) {
  StepPlan plan;
  plan.decoders.assign(decoders.begin(), decoders.end());
  if (budget_tokens == 0) return plan;
  std::vector<PrefillView> waiting(prefills.begin(), prefills.end());
  std::ranges::sort(waiting, {}, [](const PrefillView& p) {
    const bool overdue = p.waited >= kWaitedMax;
    return std::tuple(overdue ? 0 : 1, overdue ? 0 : p.service, overdue ? 0 : p.end - p.next,
                      p.order);
  });
  std::uint32_t left = budget_tokens;
  for (const PrefillView& prompt : waiting) {
    std::uint32_t at = prompt.next;
    while (at < prompt.end) {
      const std::uint32_t end = piece_end(at, prompt.end, chunk_tokens);
      const std::uint32_t size = end - at;
      if (size > left && !plan.pieces.empty()) return plan;
      plan.pieces.push_back({prompt.slot, at, end, end == prompt.end});
      left -= std::min(left, size);
      at = end;
    }
  }
  return plan;
}

}  // namespace fh::engine::llama
