#pragma once
// A ledger that loses every fifth settlement while saying that it wrote it. Compiled only into the
// test binary freehold_broken, with which the kill test shows that its comparison finds such a
// thing.

#include <atomic>
#include <utility>

#include "ledger/ledger.h"

namespace fh::tests {

class ForgetfulLedger final : public ledger::Ledger {
 public:
  explicit ForgetfulLedger(ledger::Ledger& inner) : inner_(inner) {}
  void admit(ledger::Admission admission, Done done) override {
    inner_.admit(std::move(admission), std::move(done));
  }
  void settle(ledger::Settlement settlement, Done done) override {
    if (++count_ % 5 == 0) {
      done({});
      return;
    }
    inner_.settle(std::move(settlement), std::move(done));
  }
  ledger::Durability durability() const override { return inner_.durability(); }
  bool healthy() const override { return inner_.healthy(); }

 private:
  ledger::Ledger& inner_;
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace fh::tests
