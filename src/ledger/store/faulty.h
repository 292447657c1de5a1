#pragma once
// A Store that fails on demand, around any other. For tests and the simulation. A failure is final,
// as the seam demands: once one call failed, all fail, until heal() stands for the restart of the
// process.

#include <cstdint>
#include <mutex>

#include "ledger/store/store.h"

namespace fh::ledger {

class FaultyStore final : public Store {
 public:
  // What the inner store has of the transaction whose append() reports the failure.
  enum class Lost : std::uint8_t { Transaction, OnlyTheAnswer };

  explicit FaultyStore(Store& inner) : inner_(inner) {}

  // The nth append or sync from now on fails; 1 is the next one, 0 none.
  void fail_append(std::uint64_t nth, Lost lost = Lost::Transaction);
  void fail_sync(std::uint64_t nth);
  void heal();
  bool broken() const;

  base::Result<std::vector<Outcome>> append(std::span<const Record> records) override;
  base::Status sync() override;
  base::Result<std::vector<Admission>> load_unsettled() override;
  base::Status maintain(bool idle) override;
  bool maintenance_due(bool) const override { return true; }

 private:
  base::Status check(std::uint64_t& countdown, const char* what);

  Store& inner_;
  mutable std::mutex mutex_;
  std::uint64_t append_countdown_ = 0, sync_countdown_ = 0;
  Lost lost_ = Lost::Transaction;
  bool broken_ = false;
};

}  // namespace fh::ledger
