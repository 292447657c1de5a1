// RemoteEngine: what the gateway calls. What the worker sends is handled in frames.cc.
#include "engine/remote/remote_engine.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "engine/protocol/messages.h"
#include "engine/remote/impl.h"

namespace fh::engine {

using protocol::FrameType;

namespace {
constexpr int kCancelWaitsMax = 5;

// Far more than a token takes, on the average of an answer, with all that is told of it.
constexpr std::uint64_t kTokenBytes = 2048;
constexpr std::uint64_t kLogprobBytes = 1024;

std::uint64_t bytes_per_token(const domain::Generation& generation) {
  return kTokenBytes + (generation.logprobs ? kLogprobBytes * (1 + generation.top_logprobs) : 0);
}

base::Error given_up() {
  return {base::Code::Cancelled, "the request was given up", {}, {}, {}};
}
}  // namespace

RemoteEngine::RemoteEngine(RemoteOptions options, Scheduler& scheduler)
    : impl_(std::make_shared<Impl>(std::move(options), scheduler)) {}
RemoteEngine::~RemoteEngine() {
  impl_->close();
}

void RemoteEngine::set_wanted(std::function<void()> wanted) {
  impl_->set_wanted(std::move(wanted));
}
void RemoteEngine::set_lost(std::function<void(base::Error)> lost) {
  impl_->set_lost(std::move(lost));
}
base::Status RemoteEngine::attach(int fd, pid_t pid) {
  return impl_->attach(fd, pid);
}
void RemoteEngine::note_starting(std::string detail) {
  impl_->note_starting(std::move(detail));
}
void RemoteEngine::start_failed(const base::Error& why) {
  impl_->start_failed(why);
}
void RemoteEngine::shutdown_worker() {
  impl_->shutdown_worker();
}
void RemoteEngine::ping(std::function<void(base::Status)> done) {
  impl_->ping(std::move(done));
}
pid_t RemoteEngine::worker_pid() const {
  return impl_->worker_pid();
}
std::string RemoteEngine::worker_lock() const {
  return impl_->worker_lock();
}
ModelInfo RemoteEngine::info() const {
  return impl_->info();
}
EngineStatus RemoteEngine::status() const {
  return impl_->status();
}
Ticket RemoteEngine::prepare(PrepareRequest request, PrepareFn done) {
  return impl_->prepare(request, std::move(done));
}
void RemoteEngine::start(Ticket ticket, EventFn on_event) {
  impl_->start(ticket, std::move(on_event));
}
void RemoteEngine::cancel(Ticket ticket) {
  impl_->cancel(ticket);
}

std::shared_ptr<Backlog> RemoteEngine::backlog() const {
  return impl_->backlog();
}

RemoteEngine::Impl::Impl(RemoteOptions options, Scheduler& scheduler)
    : options_(std::move(options)), scheduler_(scheduler), info_(options_.info) {
  info_.state = ModelState::Stopped;
}

void RemoteEngine::Impl::close() {
  Calls calls;
  std::shared_ptr<remote::Link> link;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    fail_waiting(unavailable("the server is shutting down"), calls);
    if (worker_) {
      worker_->stopping = true;
      link = worker_->link;
    }
  }
  for (const auto& call : calls) call();
  if (link) link->close({base::Code::Cancelled, "the server is shutting down", {}, {}, {}});
  reap_links(true);
}

void RemoteEngine::Impl::reap_links(bool all) {
  std::vector<std::shared_ptr<remote::Link>> links;
  {
    const std::lock_guard lock(mutex_);
    if (!all && worker_) return;  // joined by the next attach, or at the end
    links.swap(old_links_);
  }
  // In a loop a link that was closed ends by itself, there; only after the loop's end it cannot.
  if (!all && options_.runtime != nullptr) return;
  for (const auto& link : links) link->join();
}

base::Status RemoteEngine::Impl::attach(int fd, pid_t pid) {
  std::shared_ptr<remote::Link> before;
  {
    const std::lock_guard lock(mutex_);
    if (worker_) {
      before = worker_->link;
      worker_.reset();  // now, so that its end is not taken for the loss of the new one
      info_.state = ModelState::Starting;
    }
  }
  if (before) before->close({base::Code::Unavailable, "another worker took its place", {}, {}, {}});
  reap_links(false);

  std::uint64_t epoch = 0;
  {
    const std::lock_guard lock(mutex_);
    epoch = ++epochs_;
  }
  const std::weak_ptr<Impl> weak = weak_from_this();
  remote::Link::Handlers handlers;
  handlers.on_frame = [weak, epoch](protocol::Frame frame) -> base::Status {
    const auto self = weak.lock();
    if (!self) return base::fail(base::Code::Cancelled, "the engine is gone");
    return self->on_frame(epoch, std::move(frame));
  };
  handlers.on_closed = [weak, epoch](base::Error why) {
    if (const auto self = weak.lock()) self->on_closed(epoch, std::move(why));
  };
  FH_TRY(auto link, remote::Link::open(fd,
                                       {options_.bytes_max, options_.stall_max, options_.runtime,
                                        backlog_, options_.backlog_max_bytes},
                                       std::move(handlers)));
  const std::lock_guard lock(mutex_);
  if (closing_) return base::fail(base::Code::Unavailable, "the server is shutting down");
  worker_ = Worker{link, epoch, pid, false, {}, false};
  old_links_.push_back(link);
  info_.state = ModelState::Starting;
  info_.detail = "waiting for the model's worker process";
  status_ = {};
  link->start();
  return {};
}

void RemoteEngine::Impl::note_starting(std::string detail) {
  const std::lock_guard lock(mutex_);
  if (worker_) return;
  info_.state = ModelState::Starting;
  info_.detail = std::move(detail);
}

void RemoteEngine::Impl::start_failed(const base::Error& why) {
  Calls calls;
  {
    const std::lock_guard lock(mutex_);
    if (worker_) return;
    info_.state = ModelState::Failed;
    info_.detail = why.message;
    fail_waiting(unavailable("the model could not be started: " + why.message), calls);
  }
  for (const auto& call : calls) call();
}

void RemoteEngine::Impl::shutdown_worker() {
  const std::lock_guard lock(mutex_);
  if (!worker_) return;
  worker_->stopping = true;
  if (auto frame = protocol::encode_frame({FrameType::Shutdown, 0, {}})) {
    worker_->link->send_control(*std::move(frame));
  }
}

void RemoteEngine::Impl::ping(std::function<void(base::Status)> done) {
  const std::lock_guard lock(mutex_);
  if (!worker_) {
    scheduler_.post([done = std::move(done), error = unavailable("no worker process is running")] {
      done(std::unexpected(error));
    });
    return;
  }
  const std::uint64_t id = next_id_++;
  pings_.emplace(id, Ping{worker_->epoch, std::move(done)});
  if (auto frame = protocol::encode_frame({FrameType::Ping, id, {}})) {
    worker_->link->send_control(*std::move(frame));
  }
}

pid_t RemoteEngine::Impl::worker_pid() const {
  const std::lock_guard lock(mutex_);
  return worker_ ? worker_->pid : 0;
}

std::string RemoteEngine::Impl::worker_lock() const {
  const std::lock_guard lock(mutex_);
  return worker_ ? worker_->lock : std::string();
}

ModelInfo RemoteEngine::Impl::info() const {
  const std::lock_guard lock(mutex_);
  return info_;
}

EngineStatus RemoteEngine::Impl::status() const {
  const std::lock_guard lock(mutex_);
  EngineStatus status = status_;
  status.queued += static_cast<std::uint32_t>(waiting_.size());
  status.restarts = deaths_;
  return status;
}

bool RemoteEngine::Impl::ready() const {
  return worker_ && worker_->greeted && info_.state == ModelState::Ready;
}

base::Error RemoteEngine::Impl::unavailable(const std::string& why) const {
  return {base::Code::Unavailable,
          "model " + options_.info.id + ": " + why,
          "retry",
          {},
          "model_unavailable"};
}

void RemoteEngine::Impl::refuse(PrepareFn done, base::Error error) {
  scheduler_.post([done = std::move(done), error = std::move(error)]() mutable {
    done(std::unexpected(std::move(error)));
  });
}

base::Status RemoteEngine::Impl::check_room(std::size_t bytes) const {
  const auto full = [this](const char* what) {
    return std::unexpected(base::Error{base::Code::ResourceExhausted,
                                       "model " + options_.info.id + ": " + what,
                                       "retry in a moment",
                                       {},
                                       "queue_full"});
  };
  if (closing_) return std::unexpected(unavailable("the server is shutting down"));
  if (requests_.size() >= options_.outstanding_max) return full("too many requests are running");
  if (info_.state == ModelState::Failed) {
    return std::unexpected(unavailable("the model could not be started: " + info_.detail));
  }
  if (ready()) return {};
  if (waiting_.size() >= options_.waiting_max || waiting_bytes_ + bytes > options_.bytes_max) {
    return full("too many requests wait for the model to start");
  }
  return {};
}

Ticket RemoteEngine::Impl::prepare(const PrepareRequest& request, PrepareFn done) {
  std::string payload = protocol::write_prepare(request);
  Ticket id = 0;
  bool want = false;
  std::optional<base::Error> refused;
  {
    const std::lock_guard lock(mutex_);
    id = next_id_++;
    auto frame = protocol::encode_frame({FrameType::Prepare, id, std::move(payload)});
    if (!frame) {
      refused = base::Error{base::Code::InvalidArgument,
                            "the request is too large for the engine",
                            {},
                            {},
                            "request_too_large"};
    } else if (const base::Status room = check_room(frame->size()); !room) {
      refused = room.error();
    } else if (ready()) {
      if (worker_->link->send(*std::move(frame))) {
        requests_.emplace(id, Request{.phase = Phase::Preparing,
                                      .epoch = worker_->epoch,
                                      .count_only = request.count_only,
                                      .bytes_per_token = bytes_per_token(request.generation),
                                      .done = std::move(done)});
        watch_prepares();
      } else {
        refused = base::Error{base::Code::ResourceExhausted,
                              "model " + options_.info.id + ": its worker is behind",
                              "retry in a moment",
                              {},
                              "queue_full"};
      }
    } else {
      waiting_bytes_ += frame->size();
      waiting_.emplace_back(id, *std::move(frame));
      requests_.emplace(id, Request{.phase = Phase::Waiting,
                                    .count_only = request.count_only,
                                    .bytes_per_token = bytes_per_token(request.generation),
                                    .done = std::move(done)});
      scheduler_.call_later(options_.start_wait, [weak = weak_from_this(), id] {
        if (const auto self = weak.lock()) self->expire(id);
      });
    }
    if (!worker_ && info_.state != ModelState::Starting && !closing_) {
      want = true;
      if (info_.state == ModelState::Stopped) {
        info_.state = ModelState::Starting;
        info_.detail = "asked for";
      }
    }
  }
  // NOLINTNEXTLINE(bugprone-use-after-move): moved only when not refused
  if (refused) refuse(std::move(done), *std::move(refused));
  if (want && wanted_) wanted_();
  return id;
}

void RemoteEngine::Impl::start(Ticket ticket, EventFn on_event) {
  {
    const std::lock_guard lock(mutex_);
    const auto it = requests_.find(ticket);
    auto frame = protocol::encode_frame({FrameType::Start, ticket, {}});
    // The end of a replaced worker may still be on its way here: its tickets are not the new one's.
    if (it != requests_.end() && it->second.phase == Phase::Prepared && worker_ &&
        worker_->epoch == it->second.epoch && frame) {
      it->second.phase = Phase::Started;
      it->second.on_event = std::make_shared<EventFn>(std::move(on_event));
      worker_->link->send_control(*std::move(frame));
      return;
    }
  }
  domain::Failed failed;
  failed.error = unavailable("its worker process ended before the request was started");
  scheduler_.post(
      [on_event = std::move(on_event), failed = std::move(failed)] { on_event(failed); });
}

void RemoteEngine::Impl::cancel(Ticket ticket) {
  const std::lock_guard lock(mutex_);
  const auto it = requests_.find(ticket);
  if (it == requests_.end() || it->second.cancel_sent) return;
  const Phase phase = it->second.phase;
  if (phase == Phase::Waiting) return refuse(forget_waiting(ticket), given_up());
  auto frame = protocol::encode_frame({FrameType::Cancel, ticket, {}});
  if (worker_ && worker_->epoch == it->second.epoch && frame) {
    worker_->link->send_control(*std::move(frame));
  }
  it->second.cancel_sent = true;
  if (phase == Phase::Prepared) {
    requests_.erase(it);
  } else if (worker_ && phase == Phase::Started) {
    watch_cancel(ticket, worker_->progress, 1);
  }
}

void RemoteEngine::Impl::watch_cancel(std::uint64_t id, std::uint64_t progress, int waits) {
  scheduler_.call_later(options_.cancel_wait, [weak = weak_from_this(), id, progress, waits] {
    if (const auto self = weak.lock()) self->check_cancel(id, progress, waits);
  });
}

// Gives a worker up that shows no work; also one that works on but has forgotten the cancel.
void RemoteEngine::Impl::check_cancel(std::uint64_t id, std::uint64_t progress, int waits) {
  std::shared_ptr<remote::Link> stuck;
  {
    const std::lock_guard lock(mutex_);
    const auto it = requests_.find(id);
    if (it == requests_.end() || !worker_ || worker_->epoch != it->second.epoch) return;
    if (worker_->progress != progress && waits < kCancelWaitsMax) {
      watch_cancel(id, worker_->progress, waits + 1);
      return;
    }
    stuck = worker_->link;
  }
  const auto waited = std::chrono::duration_cast<std::chrono::seconds>(options_.cancel_wait);
  stuck->close({base::Code::DeadlineExceeded,
                "it is stuck: a cancelled request has not ended after " +
                    std::to_string(waited.count() * waits) + " s",
                {},
                {},
                {}});
}

// One timer for each worker, while there is something to answer.
void RemoteEngine::Impl::watch_prepares() {
  if (std::exchange(worker_->watched, true)) return;
  scheduler_.call_later(options_.prepare_wait, [weak = weak_from_this(), epoch = worker_->epoch,
                                                answers = worker_->answers] {
    if (const auto self = weak.lock()) self->check_prepares(epoch, answers);
  });
}

void RemoteEngine::Impl::check_prepares(std::uint64_t epoch, std::uint64_t answers) {
  std::shared_ptr<remote::Link> stuck;
  {
    const std::lock_guard lock(mutex_);
    if (!worker_ || worker_->epoch != epoch) return;
    worker_->watched = false;
    const bool asked = std::ranges::any_of(requests_, [epoch](const auto& entry) {
      return entry.second.phase == Phase::Preparing && entry.second.epoch == epoch;
    });
    if (!asked) return;
    if (worker_->answers != answers) {
      watch_prepares();
      return;
    }
    stuck = worker_->link;
  }
  const auto waited = std::chrono::duration_cast<std::chrono::seconds>(options_.prepare_wait);
  stuck->close({base::Code::DeadlineExceeded,
                "it is stuck: it has taken no request for " + std::to_string(waited.count()) + " s",
                {},
                {},
                {}});
}

// Who waits for its answer; the request is not to be sent any more.
PrepareFn RemoteEngine::Impl::forget_waiting(std::uint64_t id) {
  const auto waiting =
      std::ranges::find(waiting_, id, &std::pair<std::uint64_t, std::string>::first);
  if (waiting != waiting_.end()) {
    waiting_bytes_ -= waiting->second.size();
    waiting_.erase(waiting);
  }
  return std::move(requests_.extract(id).mapped().done);
}

void RemoteEngine::Impl::expire(std::uint64_t id) {
  PrepareFn done;
  base::Error error;
  {
    const std::lock_guard lock(mutex_);
    const auto it = requests_.find(id);
    if (it == requests_.end() || it->second.phase != Phase::Waiting) return;
    done = forget_waiting(id);
    error = unavailable("the model is still starting: " + info_.detail);
  }
  done(std::unexpected(std::move(error)));
}

}  // namespace fh::engine
