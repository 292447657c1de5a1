// An open-addressed table of 64-bit keys; a chance equality of keys only lengthens an identity by a
// number, the same in every export.

#include "importers/row_identity.h"

#include <fmt/format.h>

#include "codec/fast_hash.h"

namespace fh::importers {

void RowIdentity::grow() {
  std::vector<Entry> old(table_.empty() ? 1024 : table_.size() * 2);
  old.swap(table_);
  used_ = 0;
  for (const Entry& entry : old) {
    if (entry.count != 0) *slot(entry.key) = entry.count;
  }
}

// The count of `key`, 0 if it is new; nullptr when the table is full and the key is not in it.
std::uint64_t* RowIdentity::slot(std::uint64_t key) {
  const std::size_t mask = table_.size() - 1;
  for (std::size_t i = key & mask;; i = (i + 1) & mask) {
    Entry& entry = table_[i];
    if (entry.count != 0 && entry.key == key) return &entry.count;
    if (entry.count == 0) {
      if (used_ >= kRowsMax / 4 * 3) return nullptr;
      entry.key = key;
      ++used_;
      return &entry.count;
    }
  }
}

std::string RowIdentity::of(std::span<const std::string_view> parts, std::uint64_t line) {
  joined_.clear();
  for (const std::string_view part : parts) {  // length first: no two lists join to the same text
    const std::uint64_t size = part.size();
    joined_.append(reinterpret_cast<const char*>(&size), sizeof size);
    joined_.append(part);
  }
  const codec::FastHash hash = codec::fast_hash(joined_);
  std::string id = codec::to_hex(hash);
  if (used_ * 4 >= table_.size() * 3 && table_.size() < kRowsMax) grow();
  std::uint64_t* const count = slot(hash.low);
  if (count == nullptr) return fmt::format("{}-line{}", id, line);
  if (++*count > 1) id += fmt::format("-{}", *count);
  return id;
}

}  // namespace fh::importers
