#pragma once
// What one step of the engine computes: first every sequence that is generating, one token each,
// then pieces of waiting prompts, up to a number of tokens. Pure values in, a value out.
//
// A prompt ends before its last token, which is no piece: the sequence then decodes, beginning with
// that token. Reuse goes in whole chunks counted from position 0 (kv_pool.h), so a piece that
// crosses a cut between chunks begins and ends at one, and what lies behind the last cut is a piece
// of its own. Pieces are cut in one of two ways.
// Alone, when nothing is generating: one chunk each, or up to `wide` tokens of whole chunks. A
// `wide` above one chunk is for models whose numbers were shown not to depend on it (loader.h);
// then a prompt gives the same numbers whatever was cached of it.
// Beside answers: as many tokens as the budget says, so that no answer waits for a whole chunk. The
// numbers of such a prompt may differ in their last bits from those of one computed alone.

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
  std::uint32_t waited = 0;   // steps in a row whose pieces were others'
};

struct PrefillPiece {
  std::uint32_t slot = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool last = false;  // nothing but the last token is left after it
  std::uint32_t size() const { return end - begin; }
  bool operator==(const PrefillPiece&) const = default;
};

struct StepPlan {
  std::vector<std::uint32_t> decoders;  // slots
  std::vector<PrefillPiece> pieces;
  bool empty() const { return decoders.empty() && pieces.empty(); }
  bool operator==(const StepPlan&) const = default;
};

// Next cut between chunks after `next`, or `end`.
constexpr std::uint32_t piece_end(std::uint32_t next, std::uint32_t end, std::uint32_t chunk) {
  const std::uint32_t cut = (next / chunk + 1) * chunk;
  return cut < end ? cut : end;
}

struct PieceSizes {
  std::uint32_t chunk = 64;
  std::uint32_t wide = 64;  // a multiple of `chunk`
};

// `budget_tokens` bounds the prefill tokens. Alone, a budget above 0 always lets one piece through,
// and nothing follows the piece that ends a prompt.
// Among prompts the tenant that was given least goes first, within a tenant the one with least left
// to compute, so that a short question is not held up by a long document; a prompt that has waited
// kWaitedMax steps goes before all others.
inline constexpr std::uint32_t kWaitedMax = 64;
StepPlan make_step_plan(std::span<const std::uint32_t> decoders,
                        std::span<const PrefillView> prefills, std::uint32_t budget_tokens,
                        const PieceSizes& sizes);

}  // namespace fh::engine::llama
