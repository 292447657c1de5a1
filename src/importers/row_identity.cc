// An open-addressed table of 56-bit keys; a chance equality of keys only lengthens an identity by a
// number, the same in every export.

#include "importers/row_identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "importers/names.h"

namespace fh::importers {
namespace {

constexpr std::size_t kSlotsMin = 1024;
constexpr std::size_t kInPlaceFrom = std::size_t{1} << 18;  // slots: as many as a huge page has
constexpr std::size_t kLogMax = std::size_t{1} << 22;       // 32 MiB
constexpr std::size_t kGroupMax = 64;
constexpr std::uint64_t kByLine = std::uint64_t{1} << 63;  // RowKey::which is a line

// The lowest eight bits of an entry are a count and say nothing.
std::size_t slot_of(std::uint64_t entry, std::size_t mask) {
  return static_cast<std::size_t>(entry >> 8) & mask;
}

}  // namespace

void RowIdentity::grow() {
  const std::size_t before = table_.size();
  if (before < kInPlaceFrom) {
    const std::size_t size = std::min(before == 0 ? kSlotsMin : before * 4, slots_max_);
    base::os::Pages larger((size < kInPlaceFrom ? size : slots_max_) * sizeof(std::uint64_t));
    const std::span<std::uint64_t> old =
        std::exchange(table_, larger.as<std::uint64_t>().first(size));
    std::swap(pages_, larger);
    for (const std::uint64_t entry : old) {
      if (entry != 0) put(entry);
    }
    return;
  }
  // In place, so that no page is cleared twice. What wraps around the end is taken out first; then
  // each entry, moved in the order of the slots, finds those it has to stand behind moved already.
  table_ = pages_.as<std::uint64_t>().first(2 * before);
  std::vector<std::uint64_t> first;
  std::size_t at = 0;
  for (; table_[at] != 0; ++at) first.push_back(std::exchange(table_[at], 0));
  for (; at < before; ++at) {
    if (const std::uint64_t entry = std::exchange(table_[at], 0); entry != 0) put(entry);
  }
  for (const std::uint64_t entry : first) put(entry);
}

void RowIdentity::put(std::uint64_t entry) {
  const std::size_t mask = table_.size() - 1;
  std::size_t i = slot_of(entry, mask);
  while (table_[i] != 0) i = (i + 1) & mask;
  table_[i] = entry;
}

// The hash so that the order of slots is that of numbers. With the table at its largest.
std::uint64_t RowIdentity::spilled_key(std::uint64_t entry) const {
  return std::rotr(entry >> 8, std::countr_zero(slots_max_));
}

bool RowIdentity::spill() {
  std::uint8_t rows = 0;
  const bool done = spill_table(
      spilled_, std::span<const std::uint64_t>(table_), used_,
      [this](std::uint64_t entry) { return spilled_key(entry); },
      [&rows](std::uint64_t entry) {
        rows = static_cast<std::uint8_t>(entry & kCountMask);
        return SpilledEntries::Payload(&rows, 1);
      },
      [](std::size_t) {});
  if (!done) return false;
  std::ranges::fill(table_, 0);
  used_ = 0;
  return true;
}

// For one more hash. False: there is no more.
bool RowIdentity::make_room() {
  const bool full = used_ * 4 >= table_.size() * 3;
  if (full && table_.size() < slots_max_) {
    grow();
  } else if (full) {
    disk_ = disk_ && spill();
    if (!disk_) return false;
  }
  return used_ + spilled_.size() < rows_max_;
}

// Which one of the rows with `key` this is, from 1 on; 0 when there is no room to remember it.
std::uint64_t RowIdentity::count(std::uint64_t key) {
  key &= ~kCountMask;
  const bool room = make_room();
  const std::size_t mask = table_.size() - 1;
  std::uint64_t* const table = table_.data();
  for (std::size_t i = slot_of(key, mask);; i = (i + 1) & mask) {
    std::uint64_t& entry = table[i];
    if (entry == 0) {
      std::uint64_t rows = 0;
      if (!spilled_.empty()) {
        if (const auto known = spilled_.find(spilled_key(key))) rows = known->front();
      }
      if (rows == kCountMask) return count_more(key);
      if (!room || spilled_.damaged()) return 0;
      ++used_;
      entry = key | (rows + 1);
      return rows + 1;
    }
    if ((entry & ~kCountMask) != key) continue;
    if ((entry & kCountMask) != kCountMask) return ++entry & kCountMask;
    return count_more(key);
  }
}

std::uint64_t RowIdentity::count_more(std::uint64_t key) {
  std::uint64_t& rows = many_[key];
  rows = rows == 0 ? kCountMask + 1 : rows + 1;
  return rows;
}

codec::FastHash RowIdentity::expect(std::span<const std::string_view> parts) {
  std::size_t bytes = 0;
  for (const std::string_view part : parts) {  // length first: no two lists join to the same text
    const std::uint64_t size = part.size();
    const std::size_t end = bytes + sizeof size + part.size();
    if (end > joined_.size()) joined_.resize(2 * end);
    char* const to = joined_.data() + bytes;
    std::memcpy(to, &size, sizeof size);
    copy_bytes(to + sizeof size, part.data(), part.size());
    bytes = end;
  }
  const codec::FastHash hash = codec::fast_hash({joined_.data(), bytes});
  if (!table_.empty()) __builtin_prefetch(table_.data() + slot_of(hash.low, table_.size() - 1), 1);
  if (!spilled_.empty()) spilled_.expect(spilled_key(hash.low));
  return hash;
}

// As count, while it can tell; else 0.
std::uint64_t RowIdentity::count_in_order(std::uint64_t key, std::int64_t time) {
  if (log_.size() == kLogMax) return 0;
  if (!log_.empty() && time != last_time_) {
    const int direction = time > last_time_ ? 1 : -1;
    if (direction == -direction_) return 0;
    direction_ = direction;
    group_ = log_.size();
  } else if (log_.size() - group_ == kGroupMax) {
    return 0;
  }
  last_time_ = time;
  key &= ~kCountMask;
  const auto same = std::count(log_.begin() + static_cast<std::ptrdiff_t>(group_), log_.end(), key);
  log_.push_back(key);
  return static_cast<std::uint64_t>(same) + 1;
}

// What was told by the order so far goes into the table.
void RowIdentity::leave_order() {
  constexpr std::size_t kAhead = 32;
  ordered_ = false;
  for (std::size_t i = 0; i < log_.size(); ++i) {
    if (i + kAhead < log_.size() && !table_.empty()) {
      __builtin_prefetch(table_.data() + slot_of(log_[i + kAhead], table_.size() - 1), 1);
    }
    count(log_[i]);
  }
  log_ = {};
}

RowKey RowIdentity::settle(const codec::FastHash& hash, std::uint64_t line,
                           std::optional<std::int64_t> time) {
  std::uint64_t which = ordered_ && time ? count_in_order(hash.low, *time) : 0;
  if (which == 0) {
    if (ordered_) leave_order();
    which = count(hash.low);
  }
  told_by_line_ = told_by_line_ || which == 0;
  return {hash, which == 0 ? kByLine | line : which};
}

void RowKey::to(std::string& id) const {
  codec::hex_to(hash, id);
  if ((which & kByLine) != 0) {
    id += fmt::format("-line{}", which & ~kByLine);
  } else if (which > 1) {
    id += fmt::format("-{}", which);
  }
}

}  // namespace fh::importers
