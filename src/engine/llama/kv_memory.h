#pragma once
// What the prefix logic needs from the model's memory: a seam, because that logic is tested with a
// memory that only remembers tokens. Context (facade.h) is the real one.
//
// A sequence holds the tokens of positions 0 .. length-1. Blocks are opaque byte strings, valid
// only for the context options and library version that made them.

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace fh::engine::llama {

using Token = std::int32_t;
using Position = std::int32_t;
using SequenceId = std::int32_t;
using BlockData = std::vector<std::uint8_t>;

class KvMemory {
 public:
  virtual ~KvMemory() = default;
  virtual std::uint32_t sequences_max() const = 0;
  virtual std::uint32_t length(SequenceId sequence) const = 0;
  virtual std::uint32_t cells_used() const = 0;
  virtual std::uint32_t cells_max() const = 0;

  // Makes the empty sequence `to` share the first `length` tokens of `from`: no copy, no new cells.
  virtual base::Status fork(SequenceId from, SequenceId to, std::uint32_t length) = 0;
  // Drops everything from position `length` on; 0 empties the sequence.
  virtual base::Status trim(SequenceId sequence, std::uint32_t length) = 0;
  // Empties every sequence, and makes the next token of any land in the first cell again.
  virtual void clear_all() = 0;

  // Copies positions [begin, end) out.
  virtual base::Result<BlockData> save(SequenceId sequence, std::uint32_t begin,
                                       std::uint32_t end) = 0;
  // Appends a block that was saved from [begin, end); the sequence's length must be `begin`. Error
  // DataLoss if the block is not one, ResourceExhausted if cells are short; the sequence is then as
  // before.
  virtual base::Status restore(SequenceId sequence, const BlockData& data, std::uint32_t begin,
                               std::uint32_t end) = 0;
};

}  // namespace fh::engine::llama
