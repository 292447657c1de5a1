#pragma once
// Which cells of the KV pool each sequence holds, kept beside libllama's own record so that every
// operation can be checked before it is made and admission can count cells. Cells are anonymous:
// what matters is how many are used and which sequences share them. Sequences grow at their end
// only; forks share their beginning. Not thread-safe: it belongs to the thread that owns the
// context.

#include <cstdint>
#include <vector>

namespace fh::engine::llama {

class CellLedger {
 public:
  CellLedger(std::uint32_t cells_max, std::uint32_t sequences_max);

  // False (and nothing changed) when the sequence does not exist or fewer than `count` cells are
  // free.
  bool append(std::int32_t sequence, std::uint32_t count);
  // `to` becomes the first `length` tokens of `from`, sharing their cells. False when one of them
  // does not exist, they are the same, `to` is not empty or `from` is shorter.
  bool fork(std::int32_t from, std::int32_t to, std::uint32_t length);
  // Drops everything from `length` on. False when the sequence does not exist or is shorter.
  bool trim(std::int32_t sequence, std::uint32_t length);
  void clear();

  bool exists(std::int32_t sequence) const {
    return sequence >= 0 && static_cast<std::size_t>(sequence) < held_.size();
  }
  std::uint32_t length(std::int32_t sequence) const;
  std::uint32_t used() const { return used_; }
  std::uint32_t free() const { return cells_max() - used_; }
  std::uint32_t cells_max() const { return static_cast<std::uint32_t>(holders_.size()); }
  // Cells that would become free if the sequence were dropped.
  std::uint32_t owned_alone(std::int32_t sequence) const;

 private:
  std::vector<std::uint16_t> holders_;            // per cell: sequences that hold it
  std::vector<std::uint32_t> free_;               // cells that nobody holds
  std::vector<std::vector<std::uint32_t>> held_;  // per sequence: cell of each position
  std::uint32_t used_ = 0;
};

}  // namespace fh::engine::llama
