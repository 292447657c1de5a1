#pragma once
// The archive's dictionaries: strings as numbers, and the combinations of strings and enumerations
// that many records share ("facets") as one number. Both directions remember what they met, within
// a bound. Private to this folder; used by one thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "domain/usage_record.h"
#include "ledger/store/sqlite/database.h"

namespace fh::ledger {

// To numbers, adding what is new. Inside the writer's transaction.
class NameWriter {
 public:
  // `db` outlives it.
  static base::Result<NameWriter> open(const Database& db);
  base::Result<std::int64_t> name(std::string_view text);
  base::Result<std::int64_t> facets(const domain::UsageRecord& record);
  // After a rollback, and after names were deleted.
  void forget();

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Map = std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>>;

  base::Result<std::int64_t> add_facets(const domain::UsageRecord& record);
  base::Result<std::int64_t> last_id() const;

  const Database* db_ = nullptr;
  Statement find_name_, insert_name_, find_facets_, insert_facets_;
  Map names_, facets_;
  std::string key_, last_key_;
  std::int64_t last_facets_ = 0;
};

// From numbers. DataLoss for a number that stands for nothing.
class NameReader {
 public:
  static base::Result<NameReader> open(const Database& db);
  // Valid until the next call.
  base::Result<std::string_view> name(std::int64_t id);
  // Sets the fields that facets stand for. `record` is the same one at every call between two
  // calls of forget(): what is there already is not set again.
  base::Status set_facets(std::int64_t id, domain::UsageRecord& record);
  // The next set_facets() sets all fields, of another record perhaps.
  void start_record() { set_ = 0; }
  void forget();

 private:
  base::Result<domain::UsageRecord> read_facets(std::int64_t id);

  Statement get_name_, get_facets_;
  std::unordered_map<std::int64_t, std::string> names_;
  std::unordered_map<std::int64_t, domain::UsageRecord> facets_;
  std::int64_t set_ = 0;  // what the record holds; ids begin at 1
};

}  // namespace fh::ledger
