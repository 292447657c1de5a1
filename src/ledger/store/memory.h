#pragma once
// A Store in memory with the two states of a real one, written and durable, and crashes that drop
// what a crash would drop. For tests and the simulation. Any thread (one mutex).

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/random.h"
#include "ledger/store/store.h"

namespace fh::ledger {

class MemoryStore final : public Store {
 public:
  base::Result<std::vector<Outcome>> append(std::span<const Record> records) override;
  base::Status sync() override;
  base::Result<std::vector<Admission>> load_unsettled() override;
  base::Status maintain(bool) override { return {}; }
  bool maintenance_due(bool) const override { return false; }

  // The machine's power is cut: durable transactions stay, and of the others a prefix of random
  // length, as a disk that was writing would leave them.
  void crash_power(base::Random& random);
  // The process is killed: everything written stays (the operating system has it).
  void crash_process() {}

  // All rows in order of admission; sequences count from 1.
  std::vector<Row> rows() const;
  std::size_t unsynced_commits() const;

 private:
  using Key = std::pair<std::string, std::uint32_t>;
  struct State {
    std::vector<Row> rows;
    std::map<Key, std::size_t> index;
  };
  static Outcome apply(State& state, const Record& record);

  mutable std::mutex mutex_;
  State written_;
  State durable_;
  std::vector<std::vector<Record>> unsynced_;  // one element per transaction since durable_
};

}  // namespace fh::ledger
