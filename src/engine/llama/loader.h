#pragma once
// Bringing a model up: how large its context and its KV pool are, and whether its memory can be
// saved and taken up again exactly.

#include <cstdint>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "engine/llama/facade.h"

namespace fh::engine::llama {

struct PoolSize {
  std::uint32_t context_tokens = 0;  // of one request
  std::uint32_t cells = 0;           // of the pool, at least one context
};
struct PoolWish {
  std::uint32_t context_tokens = 0;  // 0 = the training context
  std::uint32_t sequences_max = 1;
  std::uint64_t bytes_max = 0;
};
// Works on a vocabulary-only load. An asked-for context is granted whatever it costs, but not above
// what the model was trained for; without one, the context is what fits in `bytes_max`. The pool
// holds up to kContextsMax contexts. Error InvalidArgument: more context asked for than the model
// has.
inline constexpr std::uint32_t kContextsMax = 4;
base::Result<PoolSize> pool_size(const Model& model, const PoolWish& wish);

// Runs a short sequence, saves, forks and restores it, and compares the logits that follow bit by
// bit: what this architecture claims is believed only as far as it holds here. Leaves the context
// empty.
ReuseKind proven_reuse(Context& context);

// Whether the numbers of a prompt do not depend on how it is cut: `wide` tokens computed in one
// piece, and again in pieces from one chunk upwards, leave the same keys and values bit by bit. So
// it is on CPUs, where each row of a batch is computed alike, and not on every accelerator. Shown
// for these sizes and within `wide` tokens; taken to hold behind them. Takes as long as 2 x
// `wide` tokens of prefill; nothing when given up or when it cannot be tried. Leaves the context
// empty.
std::optional<bool> cuts_are_free(Context& context, std::uint32_t chunk, std::uint32_t wide,
                                  const Context::GiveUp& give_up);

// The numbers of threads, at most `threads_max`, with which steps are fastest at this moment: fewer
// than the maximum when other programs hold some of the cores, and for answers also where waiting
// for each other costs more than sharing their few rows saves. Leaves the context empty.
struct FastestThreads {
  std::uint32_t answers = 1;
  std::uint32_t prompts = 1;
};
FastestThreads fastest_threads(Context& context, std::uint32_t threads_max,
                               const base::Clock& clock);

}  // namespace fh::engine::llama
