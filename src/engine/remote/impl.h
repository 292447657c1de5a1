#pragma once
// The state behind RemoteEngine; shared with the threads of its links and with timers that may fire
// after its end. Rule: no callback runs while the mutex is held.

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/backlog.h"
#include "engine/event_order.h"
#include "engine/protocol/frame.h"
#include "engine/remote/link.h"
#include "engine/remote/remote_engine.h"

namespace fh::engine {

class RemoteEngine::Impl : public std::enable_shared_from_this<RemoteEngine::Impl> {
 public:
  Impl(RemoteOptions options, Scheduler& scheduler);
  void close();

  void set_wanted(std::function<void()> wanted) { wanted_ = std::move(wanted); }
  void set_lost(std::function<void(base::Error)> lost) { lost_ = std::move(lost); }
  base::Status attach(int fd, pid_t pid);
  void note_starting(std::string detail);
  void start_failed(const base::Error& why);
  void shutdown_worker();
  void ping(std::function<void(base::Status)> done);
  pid_t worker_pid() const;
  std::string worker_lock() const;
  ModelInfo info() const;
  EngineStatus status() const;
  Ticket prepare(const PrepareRequest& request, PrepareFn done);
  void start(Ticket ticket, EventFn on_event);
  void cancel(Ticket ticket);
  std::shared_ptr<Backlog> backlog() const { return backlog_; }

 private:
  enum class Phase : std::uint8_t { Waiting, Preparing, Prepared, Started };
  struct Request {
    Phase phase = Phase::Waiting;
    std::uint64_t epoch = 0;  // of the worker that has it
    bool count_only = false;
    bool cancel_sent = false;
    std::uint64_t bytes_per_token = 0;
    std::uint64_t output_left = 0;  // bytes of events that it may still have
    PrepareFn done{};
    std::shared_ptr<EventFn> on_event{};
    EventOrder order{};
    domain::Started begun{};  // for the account of a request whose worker dies
    std::uint64_t deltas = 0;
  };
  struct Worker {
    std::shared_ptr<remote::Link> link;
    std::uint64_t epoch = 0;
    pid_t pid = 0;
    bool greeted = false;
    std::string lock;
    bool stopping = false;       // on request
    std::uint64_t progress = 0;  // counts signs of work: events, and changes of the memory's use
    std::uint64_t answers = 0;   // to prepares
    bool watched = false;        // whether it answers those
  };
  using Calls = std::vector<std::function<void()>>;

  base::Status on_frame(std::uint64_t epoch, protocol::Frame frame);
  base::Status on_hello(std::uint64_t epoch, const protocol::Frame& frame);
  base::Status on_info(std::uint64_t epoch, const protocol::Frame& frame);
  base::Status on_status(std::uint64_t epoch, const protocol::Frame& frame);
  base::Status on_prepared(std::uint64_t epoch, const protocol::Frame& frame);
  base::Status on_event(std::uint64_t epoch, const protocol::Frame& frame);
  base::Status on_pong(const protocol::Frame& frame);
  void on_closed(std::uint64_t epoch, base::Error why);
  void expire(std::uint64_t id);
  void watch_cancel(std::uint64_t id, std::uint64_t progress, int waits);
  void check_cancel(std::uint64_t id, std::uint64_t progress, int waits);
  void check_prepares(std::uint64_t epoch, std::uint64_t answers);

  // The following expect the mutex to be held.
  bool ready() const;
  base::Status check_room(std::size_t bytes) const;
  void watch_prepares();
  void dispatch_waiting();
  PrepareFn forget_waiting(std::uint64_t id);
  void fail_waiting(const base::Error& error, Calls& calls);
  void fail_epoch(std::uint64_t epoch, const base::Error& error, Calls& calls);
  base::Error unavailable(const std::string& why) const;

  void refuse(PrepareFn done, base::Error error);
  void reap_links(bool all);

  const RemoteOptions options_;
  Scheduler& scheduler_;
  const std::shared_ptr<Backlog> backlog_ = std::make_shared<Backlog>();
  std::function<void()> wanted_;
  std::function<void(base::Error)> lost_;

  mutable std::mutex mutex_;
  ModelInfo info_;
  EngineStatus status_;
  std::uint64_t deaths_ = 0;
  std::uint64_t epochs_ = 0;
  std::uint64_t next_id_ = 1;
  std::optional<Worker> worker_;
  std::map<std::uint64_t, Request> requests_;
  std::deque<std::pair<std::uint64_t, std::string>>
      waiting_;  // id and its Prepare frame, oldest first
  std::size_t waiting_bytes_ = 0;
  struct Ping {
    std::uint64_t epoch = 0;
    std::function<void(base::Status)> done;
  };
  std::map<std::uint64_t, Ping> pings_;
  std::vector<std::shared_ptr<remote::Link>> old_links_;
  bool closing_ = false;
};

}  // namespace fh::engine
