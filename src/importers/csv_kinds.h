#pragma once
// What the importers of cost reports share: an identity of rows that outlives changes of a report's
// columns, and what is the same in all rows of a kind, remembered. One thread.

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "importers/csv_table.h"

namespace fh::importers {

// The cells that name a row, as parts of its RowIdentity: each that is not empty, behind its
// column's key, in the order of the keys. So a later delivery of the same rows with more columns,
// with columns in another order, or with columns that nothing stands in, has the same identities.
class IdentityColumns {
 public:
  void add(Column column, std::string key) {
    const auto behind = std::ranges::upper_bound(columns_, key, {}, &Named::key);
    columns_.insert(behind, {std::move(key), column});
  }
  // Valid until the next call, no longer than the row.
  std::span<const std::string_view> of(const Cells& cells) {
    parts_.clear();
    for (const Named& named : columns_) {
      const std::string_view text = cells.text(named.column);
      if (text.empty()) continue;
      parts_.push_back(named.key);
      parts_.push_back(text);
    }
    return parts_;
  }

 private:
  struct Named {
    std::string key;
    Column column;
  };
  std::vector<Named> columns_;
  std::vector<std::string_view> parts_;
};

// A report of costs whose rows may count tokens, too.
class BillImporter : public CsvImporter {
 public:
  using CsvImporter::CsvImporter;

 protected:
  static bool is_foreign(const Cells& cells, Column currency) {
    const std::string_view text = cells.text(currency);
    return !text.empty() && text != "USD";
  }
  // Of a row in another currency: a count needs none.
  void emit_tokens(Cells& cells, Sink& sink, bool has_tokens, IdentityColumns& identity) {
    if (has_tokens) emit(sink, Give::Usage, identity.of(cells));
    cells.fail_as(has_tokens
                      ? "the amounts are in another currency than USD: only the tokens are kept"
                      : "the amounts are in another currency than USD");
  }
};

// What the cells of some columns together mean, worked out once: reports have few kinds of rows.
template <typename Meaning>
class RowKinds {
 public:
  // Valid until the next call. `more`: what else the meaning hangs on.
  template <typename Read>  // Meaning()
  const Meaning& of(const Cells& cells, std::initializer_list<Column> columns, Read&& read,
                    char more = '\0') {
    key_.assign(1, more);
    for (const Column column : columns) {
      key_.append(cells.text(column));
      key_.push_back('\0');  // in no row
    }
    const auto known = kinds_.find(key_);
    if (known != kinds_.end()) return known->second;
    if (key_.size() > kKeyMax) return unusual_ = read();
    if (kinds_.size() == kKindsMax) kinds_.clear();
    return kinds_.insert_or_assign(key_, read()).first->second;
  }

 private:
  static constexpr std::size_t kKindsMax = 4096, kKeyMax = 4096;
  std::unordered_map<std::string, Meaning> kinds_;
  std::string key_;
  Meaning unusual_;
};

}  // namespace fh::importers
