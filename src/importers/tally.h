#pragma once
// The sums of a run and what they are made of: counts every event once, whatever it is read from.
// One thread.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "importers/nesting.h"
#include "importers/seen.h"
#include "importers/walk.h"

namespace fh::importers {

// What identifies a record within a run, and more of what is looked up for it. Of the file at hand.
struct TallyKey {
  std::uint64_t event = 0;
  enum class Kind : std::uint8_t { None, Named, Row } kind = Kind::None;
  std::uint64_t* of_format = nullptr;  // how many records of its format there were
};

class Tally {
 public:
  explicit Tally(RunSummary& summary) : summary_(summary) {}
  // `last`: nothing comes after this file, so that rows which have their identity within it need
  // not be remembered.
  void begin_file(bool last) { last_file_ = last; }
  // Whether the record is to be handed on: it is new, or larger than what was known of its event.
  // `repeated`: its event was known. `key` is what expect() said of the record: that fetches from
  // memory what will be looked at here, which is worth it with other work in between.
  bool usage(const domain::UsageRecord& record, const TallyKey& key, bool& repeated);
  bool cost(const domain::CostRecord& record, const TallyKey& key, bool& repeated);
  // `row`, if it has one, is the identity of a record that does not yet hold it.
  TallyKey expect(const domain::UsageRecord& record, const RowKey& row = {});
  TallyKey expect(const domain::CostRecord& record, const RowKey& row = {});
  void skip(std::string file, std::uint64_t line, std::string why);
  // After a file of that format. Not empty: a warning, in one sentence.
  std::string_view end_file(std::string_view format);
  // After the last file, once: takes buckets that are part of others out of the sums.
  void settle();

 private:
  std::uint32_t model_of(const domain::UsageRecord& record);
  std::uint32_t number_of(ModelName name);
  void see_format(const std::string& format);
  TallyKey key_of(std::uint64_t kind, const std::string& source_id, const RowKey& row) const;
  SeenEvents::Answer look_up(const TallyKey& key, const Share& share);

  RunSummary& summary_;
  SeenEvents seen_;
  bool last_file_ = false;
  Nesting nesting_;
  Groupings groupings_;
  std::map<ModelName, std::uint32_t> numbers_;
  std::vector<Totals*> models_;  // into summary_.models, by number
  // Of the record before: most rows of a file name the same.
  ModelName last_model_;
  std::optional<std::uint32_t> last_number_;
  std::string last_format_;
  std::uint64_t* last_format_count_ = nullptr;  // into summary_.formats
  std::uint64_t last_format_hash_ = 0;
};

}  // namespace fh::importers
