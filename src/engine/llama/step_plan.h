#pragma once
// What one step of the engine computes: first every sequence that is generating, one token each,
// then pieces of waiting prompts, up to a number of tokens. Pure values in, a value out.
//
// A prompt is cut at fixed places: multiples of the chunk size from its position 0, and before its
// last token, which is no piece: the sequence then decodes, beginning with that token. Where the
// cuts fall does not depend on the load, on what was cached or on the budget; the budget only
// decides how many pieces a step takes. Each piece is computed in a batch of its own, so its shape
// is always the same (kv_pool.h says why that matters).

#include <cstdint>
#include <span>
#include <vector>

namespace fh::engine::llama {

struct PrefillView {
  std::uint32_t slot = 0;
  std::uint32_t next = 0;     // first position not computed yet
  std::uint32_t end = 0;      // where pieces end: the prompt's last token; next < end
  std::uint64_t service = 0;  // what this request's tenant has been given so far (fair_queue.h)
  std::uint64_t order = 0;    // admission number
  std::uint32_t waited = 0;   // steps in a row without a piece
};

struct PrefillPiece {
  std::uint32_t slot = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool last = false;  // nothing but the last token is left after it
  bool operator==(const PrefillPiece&) const = default;
};

struct StepPlan {
  std::vector<std::uint32_t> decoders;  // slots
  std::vector<PrefillPiece> pieces;
  bool empty() const { return decoders.empty() && pieces.empty(); }
  bool operator==(const StepPlan&) const = default;
};

// Next cut after `next`.
constexpr std::uint32_t piece_end(std::uint32_t next, std::uint32_t end, std::uint32_t chunk) {
  const std::uint32_t cut = (next / chunk + 1) * chunk;
  return cut < end ? cut : end;
}

// `budget_tokens` bounds the prefill tokens; a budget above 0 always lets one piece through. Among
// prompts the tenant that was given least goes first, within a tenant the one with least left to
// compute, so that a short question is not held up by a long document; a prompt that has waited
// kWaitedMax steps goes before all others.
inline constexpr std::uint32_t kWaitedMax = 64;
StepPlan make_step_plan(std::span<const std::uint32_t> decoders,
                        std::span<const PrefillView> prefills, std::uint32_t budget_tokens,
                        std::uint32_t chunk_tokens);

}  // namespace fh::engine::llama
