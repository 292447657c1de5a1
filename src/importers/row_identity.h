#pragma once
// An identity for rows of exports that have none of their own: a digest of the cells that name the
// event (time, model, user; not the amounts, which a later export may correct), and which one of
// several rows with the same names it is. The same rows in the same order have the same identities
// in every export, so that overlapping exports count once and equal rows side by side count each.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/os/pages.h"
#include "codec/fast_hash.h"
#include "importers/spilled.h"

namespace fh::importers {

// The identity before it is a text.
struct RowKey {
  codec::FastHash hash;
  std::uint64_t which = 0;  // of the rows with that hash; 0: no identity
  // 32 hexadecimal digits of the hash; with "-2" for the second row that has it and so on.
  void to(std::string& id) const;
};

class RowIdentity {
 public:
  // Of how many hashes it knows how often they came, and of how many of these in memory, a power of
  // two: the others lie on the disk.
  static constexpr std::size_t kRowsMax = std::size_t{1} << 26;
  static constexpr std::size_t kSlotsMax = std::size_t{1} << 22;  // 32 MiB, three quarters used
  explicit RowIdentity(std::size_t rows_max = kRowsMax, std::size_t slots_max = kSlotsMax)
      : rows_max_(rows_max), slots_max_(slots_max) {}

  void to(std::string& id, std::span<const std::string_view> parts, std::uint64_t line) {
    settle(expect(parts), line).to(id);
  }
  void to(std::string& id, std::initializer_list<std::string_view> parts, std::uint64_t line) {
    to(id, std::span(parts.begin(), parts.size()), line);
  }
  // The same in two steps, the second in the order of the rows: in between, what it will look at
  // comes from memory.
  codec::FastHash expect(std::span<const std::string_view> parts);
  // `line` sets rows apart that are more than can be known. `time` is the same for rows with the
  // same parts: while it only grows, or only falls, a row need not be looked for among those before
  // it.
  RowKey settle(const codec::FastHash& hash, std::uint64_t line,
                std::optional<std::int64_t> time = std::nullopt);
  // Whether it had to: the identities of such rows change with their place in the file.
  bool told_by_line() const { return told_by_line_; }

 private:
  static constexpr std::uint64_t kCountMask = 0xFF;
  std::uint64_t count(std::uint64_t key);
  std::uint64_t count_more(std::uint64_t key);
  std::uint64_t count_in_order(std::uint64_t key, std::int64_t time);
  void leave_order();
  bool make_room();
  void grow();
  void put(std::uint64_t entry);
  bool spill();
  std::uint64_t spilled_key(std::uint64_t entry) const;

  // Entries of 56 bits of the hash and 8 bits that count the rows which have it; 0: free. From 255
  // on they are counted in many_.
  base::os::Pages pages_;
  std::span<std::uint64_t> table_;
  std::unordered_map<std::uint64_t, std::uint64_t> many_;
  std::size_t used_ = 0;
  std::size_t rows_max_, slots_max_;
  SpilledEntries spilled_;
  bool disk_ = true, told_by_line_ = false;
  // While rows come in the order of their times: their keys, and where those of the last time
  // begin.
  bool ordered_ = true;
  std::vector<std::uint64_t> log_;
  std::size_t group_ = 0;
  std::int64_t last_time_ = 0;
  int direction_ = 0;  // 1: later rows come later, -1: earlier; 0: not known yet
  std::vector<char> joined_;
};

}  // namespace fh::importers
