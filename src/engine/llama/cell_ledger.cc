// Cell accounting by reference counts; see cell_ledger.h.
#include "engine/llama/cell_ledger.h"

namespace fh::engine::llama {

CellLedger::CellLedger(std::uint32_t cells_max, std::uint32_t sequences_max)
    : holders_(cells_max, 0), held_(sequences_max) {
  clear();
}

void CellLedger::clear() {
  for (auto& cells : held_) cells.clear();
  holders_.assign(holders_.size(), 0);
  free_.clear();
  free_.reserve(holders_.size());
  for (std::uint32_t i = cells_max(); i > 0; --i) free_.push_back(i - 1);
  used_ = 0;
}

bool CellLedger::append(std::int32_t sequence, std::uint32_t count) {
  if (!exists(sequence) || count > free()) return false;
  auto& cells = held_[static_cast<std::size_t>(sequence)];
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t cell = free_.back();
    free_.pop_back();
    holders_[cell] = 1;
    cells.push_back(cell);
  }
  used_ += count;
  return true;
}

bool CellLedger::fork(std::int32_t from, std::int32_t to, std::uint32_t length) {
  if (!exists(from) || !exists(to) || from == to) return false;
  const auto& source = held_[static_cast<std::size_t>(from)];
  auto& target = held_[static_cast<std::size_t>(to)];
  if (!target.empty() || source.size() < length) return false;
  target.assign(source.begin(), source.begin() + length);
  for (const std::uint32_t cell : target) ++holders_[cell];
  return true;
}

bool CellLedger::trim(std::int32_t sequence, std::uint32_t length) {
  if (!exists(sequence)) return false;
  auto& cells = held_[static_cast<std::size_t>(sequence)];
  if (cells.size() < length) return false;
  while (cells.size() > length) {
    const std::uint32_t cell = cells.back();
    cells.pop_back();
    if (--holders_[cell] == 0) {
      free_.push_back(cell);
      --used_;
    }
  }
  return true;
}

std::uint32_t CellLedger::length(std::int32_t sequence) const {
  if (!exists(sequence)) return 0;
  return static_cast<std::uint32_t>(held_[static_cast<std::size_t>(sequence)].size());
}

std::uint32_t CellLedger::owned_alone(std::int32_t sequence) const {
  if (!exists(sequence)) return 0;
  std::uint32_t count = 0;
  for (const std::uint32_t cell : held_[static_cast<std::size_t>(sequence)]) {
    if (holders_[cell] == 1) ++count;
  }
  return count;
}

}  // namespace fh::engine::llama
