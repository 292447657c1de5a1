#pragma once
// The engine thread's work: admits requests, plans and computes steps, samples, and gives events
// out. It owns the context and everything that runs on it.
//
// A step is the unit of nearly everything: admissions and priorities act between steps, cancels too
// but for a piece of prompt that is computed alone, which is given up. While nothing is to be done,
// the runner finds out how prompts may be cut (loader.h, cuts_are_free); until it knows, they are
// computed chunk by chunk.
//
// Memory: a request is admitted when its prompt and a part of its output fit beside what the
// running ones may still need. If the pool runs full all the same, the youngest is set aside, exact
// to the bit, and goes on when there is room; the others do not notice. Threads: submit(), cancel()
// and counts() from any thread; run() on the engine thread, which calls the events' functions
// without holding a lock.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "engine/llama/facade.h"
#include "engine/llama/fair_queue.h"
#include "engine/llama/kv_pool.h"
#include "engine/llama/loader.h"
#include "engine/llama/probe.h"
#include "engine/llama/request.h"
#include "engine/llama/step_budget.h"
#include "engine/llama/step_plan.h"
#include "engine/llama/thread_governor.h"
#include "engine/llama/work_pool.h"

namespace fh::engine::llama {

class Runner {
 public:
  struct Options {
    KvPool::Options pool;
    StepBudget::Options budget;
    std::uint32_t piece_tokens_max = 0;  // of prompts that may be cut freely; 0 = one chunk each
    std::uint32_t output_reserve = 256;  // output tokens that admission keeps free per request
    std::size_t sampling_helpers = 0;
    std::uint32_t threads_max = 1;  // of the context
    FastestThreads threads;         // to begin with
    bool adapt_threads = true;
    std::function<void(const StepReport&)> on_step;
  };
  struct Counts {
    std::uint32_t running = 0;
    std::uint32_t queued = 0;
    std::uint64_t cells_used = 0;
  };
  Runner(std::unique_ptr<Context> context, const base::Clock& clock, Options options);
  ~Runner();

  void submit(std::unique_ptr<Request> request);
  void cancel(Ticket ticket);
  // Works until stop() is called; requests that are left are then answered with
  // Failed(Unavailable).
  void run() noexcept;
  void stop();
  Counts counts() const;
  const Probe& probe() const { return probe_; }

 private:
  using ActivePtr = std::unique_ptr<Active>;
  void take_inbox();
  void cancel_now(Ticket ticket);
  void admit();
  bool fits(const Request& request, const Active* set_aside) const;
  std::uint64_t promised_cells() const;
  bool place(Active& active);
  void begin(ActivePtr active);
  bool has_work() const;
  void find_cuts();
  void step();
  void extend_from_store();
  bool waits_for_other(const Active& active) const;
  StepPlan plan(StepReport& report);
  // A piece of a prompt as it goes through a step, in which places in active_ may change.
  struct Part {
    std::uint64_t order = 0;
    PrefillPiece piece;
    Active* active = nullptr;
  };
  static void add_piece(Batch& batch, const Part& part);
  Active* still_wanted(const Part& part);
  void answers_step(const StepPlan& plan, std::vector<Part> parts, StepReport& report);
  void learn_step(std::uint32_t answers, const std::vector<Part>& parts, std::int64_t cpu_ns,
                  StepReport& report);
  void prompt_step(const Part& part, StepReport& report);
  void prefilled(Active& active, const PrefillPiece& piece, StepReport& report);
  void decoded(Active& active);
  // The rows are the first ones of the last batch.
  void sample_rows(const std::vector<Active*>& rows);
  struct Sampled;
  Sampled sample_row(Active& active, std::size_t row) const;
  Active* find_active(std::uint64_t order);
  void accept(Active& active, Sampled sampled);
  void finish(Active& active, domain::EndReason reason);
  void fail(Active& active, base::Error error);
  void close(Active& active, domain::Event last, std::vector<domain::Event> events);
  void settle(const Active& active, domain::Event& last) const;
  bool make_room(std::uint32_t cells, const Active* for_whom);
  void set_aside(Active& active);
  void remove_closed();
  void publish();
  void fail_all(const base::Error& error);

  std::unique_ptr<Context> context_;
  const base::Clock& clock_;
  Options options_;
  KvPool pool_;
  StepBudget budget_;
  ThreadGovernor governor_;         // of steps of answers, perhaps with a few tokens of prompt
  ThreadGovernor prompt_governor_;  // of those with many
  FairQueue queue_;
  WorkPool sampling_;
  Probe probe_;

  std::unordered_map<Ticket, std::unique_ptr<Request>> waiting_;  // never admitted yet
  std::unordered_map<Ticket, ActivePtr> aside_;                   // set aside, in queue_ as well
  std::vector<ActivePtr> active_;
  std::vector<Ticket> closed_;
  std::uint64_t next_order_ = 1;
  std::uint64_t step_number_ = 0;
  std::uint32_t wide_;  // tokens of a piece that is computed alone
  bool cuts_known_ = false;
  double sampling_row_ns_ = 0;  // smoothed

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Request>> inbox_;
  std::vector<Ticket> cancels_;
  Counts counts_;
  bool stopping_ = false;
  std::atomic<bool> interrupted_ = false;  // something came while a batch may be given up
};

}  // namespace fh::engine::llama
