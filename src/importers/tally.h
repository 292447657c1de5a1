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

class Tally {
 public:
  explicit Tally(RunSummary& summary) : summary_(summary) {}
  // Whether the record is to be handed on: it is new, or larger than what was known of its event.
  // `repeated`: its event was known. `event` is what expect() said of the record: that fetches from
  // memory what will be looked at here, which is worth it with other work in between.
  bool usage(const domain::UsageRecord& record, std::uint64_t event, bool& repeated);
  bool cost(const domain::CostRecord& record, std::uint64_t event, bool& repeated);
  std::uint64_t expect(const domain::UsageRecord& record);
  std::uint64_t expect(const domain::CostRecord& record);
  void skip(std::string file, std::uint64_t line, std::string why);
  // After a file of that format. Not empty: a warning, in one sentence.
  std::string_view end_file(std::string_view format);
  // After the last file, once: takes buckets that are part of others out of the sums.
  void settle();

 private:
  std::uint32_t model_of(const domain::UsageRecord& record);
  std::uint32_t number_of(ModelName name);
  void see_format(const std::string& format);
  void add(const Share& share);
  void subtract(const Share& share);

  RunSummary& summary_;
  SeenEvents seen_;
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
