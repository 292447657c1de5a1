#pragma once
// The gateway's side of a model that runs in a worker process: an Engine that outlives its workers.
// The supervisor starts a worker and hands its socket over with attach(); when the worker dies,
// everything that it was doing ends with a clear, retryable error, and the next attach() goes on.
// Wire format: docs/formats/worker-protocol.md.
//
// While there is no ready worker, prepare() waits: until one is ready, until start_failed(), or for
// `start_wait`. The worker is not trusted: a frame that breaks the protocol, an event out of order
// an impossible token count, or more output than was asked for costs it its connection. So does a
// worker that is stuck: a cancel ends a request with the step that is being computed, so one that
// has had no effect after `cancel_wait`, while no other answer went on, never will. The same holds
// for a worker that has answered no prepare() for `prepare_wait`, though it was asked.
//
// Threads: as Engine says. Callbacks come on the worker's reading thread (with a runtime: the
// loop's), those of refused or expired calls on the scheduler's. The destructor ends waiting
// requests itself and waits for the reading thread to end the others; it must not run inside one of
// those callbacks, and with a runtime only on the loop's thread or after the loop's end.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "engine/engine.h"
#include "engine/scheduler.h"
#include "net/runtime.h"

namespace fh::engine {

struct RemoteOptions {
  ModelInfo info;  // until a worker tells better: id (which stays), context, capabilities
  base::Duration start_wait =
      std::chrono::seconds(120);       // a prepare() waits so long for a ready worker
  std::size_t waiting_max = 256;       // prepares that wait
  std::size_t outstanding_max = 4096;  // requests between prepare() and their end
  std::size_t bytes_max =
      256 * 1024 * 1024;  // of waiting requests, and of those not yet taken by the worker
  base::Duration stall_max = std::chrono::seconds(30);  // the worker takes no byte
  // Of events that wait for clients: beyond it nothing is read from the worker.
  std::size_t backlog_max_bytes = 64 * 1024 * 1024;
  // A cancelled request has not ended, and the worker shows no sign of work either.
  base::Duration cancel_wait = std::chrono::seconds(60);
  // A worker answers no prepare() at all. Above what it allows its slowest, a chat template over a
  // conversation of the largest size.
  base::Duration prepare_wait = std::chrono::seconds(900);
  // Whose loop reads what workers send; null: a thread per worker. Outlives the engine.
  net::Runtime* runtime = nullptr;
};

class RemoteEngine final : public Engine {
 public:
  // `scheduler` outlives this object.
  RemoteEngine(RemoteOptions options, Scheduler& scheduler);
  ~RemoteEngine() override;
  RemoteEngine(const RemoteEngine&) = delete;
  RemoteEngine& operator=(const RemoteEngine&) = delete;

  // Both before the first use. `wanted`: a request needs a worker and none is starting, as far as
  // this object knows; called on the requesting thread, may come again. `lost`: a worker is gone
  // and its requests have been answered; called on its reading thread with the reason (code
  // Cancelled after shutdown_worker, DeadlineExceeded for one that is stuck or takes no bytes: its
  // process may live on and has to be killed); may call attach(). Not called for a worker that
  // another attach() has replaced.
  void set_wanted(std::function<void()> wanted);
  void set_lost(std::function<void(base::Error)> lost);

  // A worker has been started: takes its end of the socketpair. A worker that is still attached
  // counts as lost.
  base::Status attach(int fd, pid_t pid);
  // Starting has begun; `detail` is shown to people.
  void note_starting(std::string detail);
  // Starting has failed: waiting requests end with Unavailable; so do new ones (which call `wanted`
  // again).
  void start_failed(const base::Error& why);
  // Asks the worker to end in order; requests still running fail. `lost` follows.
  void shutdown_worker();
  // Answers when the worker's reading thread does, or with Unavailable when the worker is or gets
  // lost.
  void ping(std::function<void(base::Status)> done);
  // 0 while none is attached.
  pid_t worker_pid() const;
  // How far the worker says that it has locked itself in; empty before its first frame.
  std::string worker_lock() const;

  ModelInfo info() const override;
  EngineStatus status() const override;
  Ticket prepare(PrepareRequest request, PrepareFn done) override;
  void start(Ticket ticket, EventFn on_event) override;
  void cancel(Ticket ticket) override;
  std::shared_ptr<Backlog> backlog() const override;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace fh::engine
