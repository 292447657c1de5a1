#pragma once
// Offload: one helper thread for calls that block (reading the ledger's folds), so that the loop
// never waits for a disk. Calls run one after another in the order they came; the queue is bounded
// by the callers being coroutines.

#include <functional>
#include <memory>
#include <utility>

#include "net/mailbox.h"
#include "net/runtime.h"

namespace fh::net {

class Offload {
 public:
  Offload();
  ~Offload();  // finishes what is queued
  void post(std::function<void()> fn);

  template <typename T>
  Task<T> run(Runtime& runtime, std::function<T()> fn) {
    auto answer = std::make_shared<Mailbox<T>>(runtime);
    post([answer, fn = std::move(fn)] { answer->push(fn()); });
    co_return co_await answer->pop();
  }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fh::net
