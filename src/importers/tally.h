#pragma once
// The sums of a run and what they are made of: counts every event once, whatever it is read from.
// One thread.

#include <cstdint>
#include <string>
#include <vector>

#include "importers/seen.h"
#include "importers/walk.h"

namespace fh::importers {

class Tally {
 public:
  explicit Tally(RunSummary& summary) : summary_(summary) {}
  // Whether the record is to be handed on: it is new, or larger than what was known of its event.
  // `repeated`: its event was known.
  bool usage(const domain::UsageRecord& record, bool& repeated);
  bool cost(const domain::CostRecord& record, bool& repeated);
  void skip(std::string file, std::uint64_t line, std::string why);

 private:
  std::uint32_t model_of(const domain::UsageRecord& record);
  void add(const Share& share);
  void subtract(const Share& share);

  RunSummary& summary_;
  SeenEvents seen_;
  std::map<ModelName, std::uint32_t> numbers_;
  std::vector<Totals*> models_;  // into summary_.models, by number
};

}  // namespace fh::importers
