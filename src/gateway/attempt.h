#pragma once
// One attempt to answer one request: it owns the engine's ticket and the ledger rows, and settles
// exactly once on every exit path: the engine finished, the client left, the worker died, the
// server drains, the coroutine is destroyed. Loop thread only; engine and ledger callbacks reach it
// through mailboxes that outlive it.

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "domain/event.h"
#include "engine/engine.h"
#include "gateway/deps.h"
#include "ledger/ledger.h"
#include "net/mailbox.h"

namespace fh::gateway {

class Attempt {
 public:
  // `life` is marked as the stages pass. The ticket in `prepared` becomes this object's.
  Attempt(const Deps& deps, engine::Engine& engine, const engine::Prepared& prepared,
          std::shared_ptr<RequestLife> life);
  ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  // Writes the admission; on success it is as durable as the level in force demands.
  net::Task<base::Status> admit(ledger::Admission admission);
  // Queues the ticket with the engine. After a successful admit() only.
  void start();
  // The next event, or nullopt when `deadline` passed. After a terminal event: never again.
  net::Task<std::optional<domain::Event>> next(base::TimePoint deadline);
  // Ends the engine's work within one step; `reason` is what the row will say unless the engine had
  // already ended.
  void cancel(domain::EndReason reason);
  bool cancelled() const { return cancel_reason_.has_value(); }
  // Books what the terminal event says. Error: the row could not be written (recovery will find the
  // admission).
  net::Task<base::Status> settle(int http_status);
  // The terminal event as booked: reason adjusted to the cancellation.
  const std::optional<domain::Event>& terminal() const { return terminal_; }
  bool admitted() const { return admitted_; }

 private:
  class Inbox;
  ledger::Settlement settlement(int http_status) const;
  void count(const ledger::Settlement& row) const;

  const Deps& deps_;
  engine::Engine& engine_;
  engine::Prepared prepared_;
  std::shared_ptr<RequestLife> life_;
  ledger::Admission admission_;
  std::shared_ptr<Inbox> events_;
  std::optional<domain::Event> terminal_;
  std::optional<domain::EndReason> cancel_reason_;
  bool admitting_ = false;
  bool admitted_ = false;
  bool started_ = false;
  bool settled_ = false;
  bool released_ = false;
};

// What tokens are worth: our own cost (unpriced unless the price book has "local/<model>") and the
// same tokens at the configured API models.
struct Worth {
  std::optional<domain::MicroUsd> cost;
  std::vector<ledger::ApiCost> api_costs;
};
Worth worth_of(const pricing::PriceBook& prices, const std::vector<std::string>& compare_models,
               std::string_view local_model, const domain::Usage& usage, std::int64_t unix_ns);

// A question to the engine whether it can run a request. The engine may take long (a model that
// loads, a worker that hangs), so whoever asks may give up: the engine is told, and a ticket that
// comes all the same goes back. Loop thread only.
class Preparation {
 public:
  Preparation(net::Runtime& runtime, engine::Engine& engine, engine::PrepareRequest request);
  ~Preparation();
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  // nullopt: `deadline` passed, or give_up() was called, before there was an answer.
  net::Task<std::optional<base::Result<engine::Prepared>>> answer(base::TimePoint deadline);
  void give_up() { shared_->answers.wake(); }

 private:
  // Also the engine's callback's, which may outlive the asking.
  struct Shared {
    explicit Shared(net::Runtime& runtime) : answers(runtime) {}
    std::mutex mutex;
    bool abandoned = false;
    net::Mailbox<base::Result<engine::Prepared>> answers;
  };
  engine::Engine& engine_;
  std::shared_ptr<Shared> shared_;
  engine::Ticket ticket_ = 0;
  bool answered_ = false;
};

}  // namespace fh::gateway
