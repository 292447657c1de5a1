#pragma once
// An identity for rows of exports that have none of their own: a digest of the cells that name the
// event (time, model, user; not the amounts, which a later export may correct), and which one of
// several rows with the same names it is. The same rows in the same order have the same identities
// in every export, so that overlapping exports count once and equal rows side by side count each.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fh::importers {

class RowIdentity {
 public:
  // 32 hexadecimal digits of the hash of `parts`; with "-2" for the second row that has them and
  // so on. `line` sets rows apart once the table is full.
  std::string of(std::span<const std::string_view> parts, std::uint64_t line);
  std::string of(std::initializer_list<std::string_view> parts, std::uint64_t line) {
    return of(std::span(parts.begin(), parts.size()), line);
  }

  static constexpr std::size_t kRowsMax = std::size_t{1} << 22;  // 64 MiB at the most

 private:
  struct Entry {
    std::uint64_t key = 0;
    std::uint64_t count = 0;  // 0: free
  };
  std::uint64_t* slot(std::uint64_t key);
  void grow();

  std::vector<Entry> table_;
  std::size_t used_ = 0;
  std::string joined_;
};

}  // namespace fh::importers
