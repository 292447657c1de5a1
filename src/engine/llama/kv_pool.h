#pragma once
// Where prompts come from: which part of a new request's prompt is already computed, and what is
// kept of a sequence for later. Three sources, cheapest first: a running sequence of the same
// tenant that begins alike (forked, nothing copied), blocks parked in RAM (copied back in), and
// computing.
//
// Exactness. Prefill is cut at multiples of the chunk size counted from position 0 (at all of them,
// or at any where it was shown that this makes no difference, see step_plan.h), and before a
// prompt's last token, which is computed like a generated one, alone in its sequence. A block is
// taken up only by prompts that would compute it in the same shape: the whole chunks by all that
// begin alike, what lies between the last of them and the last token only by a repeat of the whole
// prompt, which so computes one token. A chunk that ends with a prompt's last token is not kept.
// The context holds running sequences only: when nothing runs it is emptied, so that a request that
// runs alone finds the same memory layout every time.
// Together: a request repeated alone gives the same logits, bit by bit, whether its prefix was
// computed or restored. Not held: in company the layout differs, and beside answers the pieces are
// smaller, so the numbers may differ in their last bits, also those of a prefix that was computed
// in company and is reused later; and generated tokens are stored as
// they were computed, row by row, so a later turn built on them repeats itself but differs in last
// bits from a run that prefills the whole conversation.
//
// Owned by the thread that owns the context. Works on any KvMemory.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/llama/facade.h"
#include "engine/llama/kv_memory.h"
#include "engine/llama/prefix_tree.h"

namespace fh::engine::llama {

// A sequence's whole memory set aside, exact to the bit, to go on later.
struct ParkedSequence {
  std::uint32_t tail_begin = 0;  // before this: blocks of the tree
  std::uint32_t tail_end = 0;
  BlockData tail;  // empty: nothing behind tail_begin was kept
  std::uint32_t prompt_tokens = 0;
};

class KvPool {
 public:
  struct Options {
    std::uint32_t chunk_tokens = 128;
    std::uint64_t parked_bytes_max = 0;
    ReuseKind reuse = ReuseKind::BlocksAndForks;
  };
  KvPool(KvMemory& memory, const Options& options);

  struct Placement {
    SequenceId sequence = -1;
    std::uint32_t cached = 0;    // tokens shared with a running sequence
    std::uint32_t restored = 0;  // tokens copied back from parked blocks
  };
  // Takes a free sequence and fills it with what is known of the prompt, always leaving at least
  // one token to compute. Error ResourceExhausted: no free sequence. A damaged block only shortens
  // what is reused.
  base::Result<Placement> place(const std::string& tenant, std::span<const Token> prompt);
  // How many tokens of the prompt place() would not have to compute; not a use of the store.
  std::uint32_t known(const std::string& tenant, std::span<const Token> prompt) const;

  // For a sequence in the middle of its prompt: takes over what others have computed of it in the
  // meantime.
  Placement extend(SequenceId sequence, std::span<const Token> prompt);

  // Tells that `tokens` of the sequence are computed now; parks the whole blocks that are new among
  // them. `tokens` is everything the sequence holds. Returns how many tokens from the start are
  // stored.
  std::uint32_t advance(SequenceId sequence, std::span<const Token> tokens);
  // Tells that the prompt but for its last token is computed now; parks what lies behind the last
  // whole block, for repeats of just this prompt. Returns as advance().
  std::uint32_t keep_end(SequenceId sequence, std::span<const Token> prompt);
  // Gives the sequence up; parks what is worth it first. Returns as advance().
  std::uint32_t release(SequenceId sequence, std::span<const Token> tokens);
  // Sets the sequence aside under memory pressure, and takes it up again later; `tokens` begin with
  // what it held. What could not be kept has to be computed again, from the length that the
  // sequence then has.
  ParkedSequence park(SequenceId sequence, std::span<const Token> tokens);
  base::Result<Placement> unpark(const std::string& tenant, std::span<const Token> tokens,
                                 const ParkedSequence& parked);

  bool has_free_sequence() const;
  std::uint32_t running() const;
  const PrefixTree& tree() const { return tree_; }
  std::uint32_t chunk_tokens() const { return options_.chunk_tokens; }

 private:
  struct Holder {
    bool taken = false;
    std::string tenant;
    std::vector<Token> tokens;  // what the sequence holds, for forks by others
    std::uint32_t prompt_tokens = 0;
    std::uint32_t stored = 0;    // tokens from the start that are parked
    bool store_refused = false;  // the store has no room for more of this one
  };
  struct Donor {
    SequenceId sequence = -1;
    std::uint32_t tokens = 0;
  };
  std::uint32_t boundary(std::size_t prompt_tokens) const;
  Donor best_donor(const std::string& tenant, std::span<const Token> prefix) const;
  SequenceId take_free(const std::string& tenant, std::size_t prompt_tokens);
  std::uint32_t restore_blocks(SequenceId sequence, std::span<const Token> prefix);
  std::uint32_t restore_end(SequenceId sequence, std::span<const Token> prompt);
  bool knows_end(const std::string& tenant, std::span<const Token> prompt) const;
  Placement fill(SequenceId sequence, std::span<const Token> prefix);
  void drop(SequenceId sequence);

  KvMemory& memory_;
  Options options_;
  PrefixTree tree_;
  std::vector<Holder> holders_;
};

}  // namespace fh::engine::llama
