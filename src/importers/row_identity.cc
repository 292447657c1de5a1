// An open-addressed table of 56-bit keys; a chance equality of keys only lengthens an identity by a
// number, the same in every export.

#include "importers/row_identity.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "importers/names.h"

namespace fh::importers {
namespace {

constexpr std::uint64_t kByLine = std::uint64_t{1} << 63;  // RowKey::which is a line

// The lowest eight bits of an entry are a count and say nothing.
std::size_t slot_of(std::uint64_t entry, std::size_t mask) {
  return static_cast<std::size_t>(entry >> 8) & mask;
}

}  // namespace

void RowIdentity::grow() {
  // By four: what a table costs is mostly that the kernel clears its pages, of smaller ones too.
  base::os::Pages larger((table_.empty() ? 1024 : table_.size() * 4) * sizeof(std::uint64_t));
  const std::span<std::uint64_t> old = std::exchange(table_, larger.as<std::uint64_t>());
  std::swap(pages_, larger);
  const std::size_t mask = table_.size() - 1;
  for (const std::uint64_t entry : old) {
    if (entry == 0) continue;
    std::size_t i = slot_of(entry, mask);
    while (table_[i] != 0) i = (i + 1) & mask;
    table_[i] = entry;
  }
}

// Which one of the rows with `key` this is, from 1 on; 0 when the table is full and it is not in
// it.
std::uint64_t RowIdentity::count(std::uint64_t key) {
  key &= ~kCountMask;
  const std::size_t mask = table_.size() - 1;
  for (std::size_t i = slot_of(key, mask);; i = (i + 1) & mask) {
    std::uint64_t& entry = table_[i];
    if (entry == 0) {
      if (used_ >= kRowsMax / 4 * 3) return 0;
      ++used_;
      entry = key | 1;
      return 1;
    }
    if ((entry & ~kCountMask) != key) continue;
    if ((entry & kCountMask) != kCountMask) return ++entry & kCountMask;
    std::uint64_t& rows = many_[key];
    rows = rows == 0 ? kCountMask + 1 : rows + 1;
    return rows;
  }
}

codec::FastHash RowIdentity::expect(std::span<const std::string_view> parts) {
  std::size_t bytes = parts.size() * sizeof(std::uint64_t);
  for (const std::string_view part : parts) bytes += part.size();
  if (joined_.size() < bytes) joined_.resize(bytes);
  char* to = joined_.data();
  for (const std::string_view part : parts) {  // length first: no two lists join to the same text
    const std::uint64_t size = part.size();
    std::memcpy(to, &size, sizeof size);
    copy_bytes(to + sizeof size, part.data(), part.size());
    to += sizeof size + part.size();
  }
  const codec::FastHash hash = codec::fast_hash({joined_.data(), bytes});
  if (!table_.empty()) __builtin_prefetch(table_.data() + slot_of(hash.low, table_.size() - 1), 1);
  return hash;
}

RowKey RowIdentity::settle(const codec::FastHash& hash, std::uint64_t line) {
  if (used_ * 4 >= table_.size() * 3 && table_.size() < kRowsMax) grow();
  const std::uint64_t which = count(hash.low);
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
