#pragma once
// The seam under the ledger: a place that takes records in transactions and makes them durable on
// demand. A record is *written* when append() returned (it survives the end of this process) and
// *durable* when a later sync() returned (it survives a power cut). A power cut keeps every durable
// transaction and any whole-transaction prefix of the rest.
//
// Threads: append and load_unsettled are called by one thread at a time; sync and maintain may run
// beside them, each on one other thread. After a failed append or sync the store is not trusted
// again: every later call fails.

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "base/result.h"
#include "ledger/ledger.h"

namespace fh::ledger {

using Record = std::variant<Admission, Settlement>;

enum class Outcome : std::uint8_t {
  Written,
  Repeated,  // a row of that kind for (request_id, attempt) was there already; nothing was changed
  Orphan,    // a settlement without its admission; nothing was written
};

// Counts beyond this are taken as garbage and stored as this, so that no sum over rows can leave 64
// bits.
inline constexpr std::uint64_t kTokensMax = std::uint64_t{1} << 40;

class Store {
 public:
  virtual ~Store() = default;
  // One transaction: all records or none. One outcome per record, in order.
  virtual base::Result<std::vector<Outcome>> append(std::span<const Record> records) = 0;
  // Everything whose append() returned before this call is durable when it returns.
  virtual base::Status sync() = 0;
  // Admissions without settlement, oldest first.
  virtual base::Result<std::vector<Admission>> load_unsettled() = 0;
  // Upkeep between transactions (SQLite: the checkpoint); cheap when there is nothing to do.
  // `idle`: nothing is waiting, so more may be done.
  virtual base::Status maintain(bool idle) = 0;
  // Whether maintain() would have something to do; costs nothing, any thread.
  virtual bool maintenance_due(bool idle) const = 0;
  // Whether so much is due that it should not wait for a quieter moment; as cheap.
  virtual bool maintenance_pressing() const { return false; }
};

}  // namespace fh::ledger
