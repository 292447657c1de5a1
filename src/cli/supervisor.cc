// The supervisor's loop: see supervisor.h.

#include "cli/supervisor.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/os/dir_lock.h"
#include "base/os/file.h"
#include "base/os/listener.h"
#include "base/os/process.h"
#include "base/os/spawner.h"
#include "cli/control.h"
#include "cli/worker_set.h"

namespace fh::cli {
namespace {

using base::Code;
using base::fail;
using base::Result;
using base::Status;
using base::TimePoint;
using std::chrono::milliseconds;

constexpr int kExitConfiguration = 2;
// Read from the gateway before anything else is looked at again.
constexpr int kMessagesPerTurn = 64;
// From the end of its control socket to the end of the gateway, which closes its ledger in between.
constexpr milliseconds kEndAfterControl{5'000};

// What must be had before anything is started.
struct Holdings {
  base::os::DirLock lock;
  std::vector<base::os::Listener> listeners;
  base::os::SignalQueue signals;
  base::os::Spawner spawner;
};

Result<Holdings> take_holdings(const SupervisorOptions& options) {
  if (options.listen.empty()) return fail(Code::InvalidArgument, "no place to listen on is given");
  FH_TRY_VOID(base::os::make_folders(options.data_dir, 0700));
  FH_TRY(auto lock, base::os::DirLock::acquire(options.data_dir));
  std::vector<base::os::Listener> listeners;
  for (const std::string& where : options.listen) {
    FH_TRY(auto listener, base::os::open_listener(where));
    listeners.push_back(std::move(listener));
  }
  FH_TRY(auto signals, base::os::SignalQueue::watch({SIGTERM, SIGINT, SIGHUP}));
  FH_TRY(auto spawner, base::os::Spawner::create());
  return Holdings{std::move(lock), std::move(listeners), std::move(signals), std::move(spawner)};
}

class Supervisor {
 public:
  Supervisor(const SupervisorOptions& options, Holdings holdings)
      : options_(options),
        held_(std::move(holdings)),
        gateway_backoff_(options.backoff),
        heartbeat_(options.heartbeat),
        workers_(held_.spawner, options_,
                 [this](const ControlMessage& message, std::span<const int> fds) {
                   tell(message, fds);
                 }) {}

  Status run() {
    start_gateway();
    while (!result_) turn();
    workers_.end_all();
    return *result_;
  }

 private:
  void turn() {
    std::vector<pollfd> polls{{held_.signals.fd(), POLLIN, 0}};
    if (control_) polls.push_back({control_.get(), POLLIN, 0});
    if (gateway_.running()) polls.push_back({gateway_.pidfd(), POLLIN, 0});
    workers_.add_polls(polls);
    if (poll(polls.data(), polls.size(), timeout_ms()) < 0 && errno != EINTR) {
      finish(std::unexpected(base::error_from_errno("the supervisor cannot wait", errno)));
      return;
    }
    while (const std::optional<int> signal = held_.signals.next()) on_signal(*signal);
    read_control();
    if (gateway_.running()) reap_gateway();
    workers_.tick();
    on_time();
  }

  int timeout_ms() const {
    std::optional<TimePoint> due = workers_.next_due();
    for (const auto& at : {gateway_start_at_, gateway_kill_at_, drain_until_, heartbeat_.next()}) {
      if (at && (!due || *at < *due)) due = at;
    }
    if (!due) return -1;
    const auto left = std::chrono::ceil<milliseconds>(*due - clock_.now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  void finish(Status result) {
    if (!result_) result_ = std::move(result);
  }

  void start_gateway() {
    gateway_start_at_.reset();
    gateway_started_ = clock_.now();
    if (const Status status = spawn_gateway(); !status) {
      base::log_error("the gateway cannot be started", {{"why", status.error().text()}});
      gateway_start_at_ = clock_.now() + gateway_backoff_.next(base::Duration(0));
      return;
    }
    base::log_info("gateway started", {{"pid", std::to_string(gateway_.pid())}});
  }

  Status spawn_gateway() {
    FH_TRY(auto sockets, base::os::make_socketpair(base::os::SocketKind::Message));
    // Only our end: a gateway that does not read must not make the supervisor wait.
    FH_TRY_VOID(base::os::set_nonblocking(sockets.first.get(), true));
    base::os::SpawnRequest request;
    request.args = {"--role=gateway", fmt::format("--listeners={}", held_.listeners.size()),
                    fmt::format("--data-dir={}", options_.data_dir.string())};
    request.args.insert(request.args.end(), options_.gateway_args.begin(),
                        options_.gateway_args.end());
    // The ports that were really taken: the gateway tells them to those who look for the server.
    std::string listen = "--listen=";
    for (const base::os::Listener& listener : held_.listeners) {
      listen += (listen.ends_with('=') ? "" : ",") + listener.address;
    }
    request.args.push_back(std::move(listen));
    request.environment = options_.environment;
    request.inherited = {sockets.second.get()};
    for (const base::os::Listener& listener : held_.listeners) {
      request.inherited.push_back(listener.fd.get());
    }
    FH_TRY(gateway_, held_.spawner.spawn(request));
    control_ = std::move(sockets.first);
    return {};
  }

  void reap_gateway() {
    const auto status = gateway_.wait(milliseconds(0));
    if (status && !*status) return;
    const std::string how = status ? (*status)->text() : status.error().text();
    if (!status) gateway_ = base::os::ChildProcess();
    read_control();  // what it said last
    close_control();
    gateway_kill_at_.reset();
    const bool clean = status && (*status)->clean();
    if (draining_ || clean) {
      base::log_info("gateway ended", {{"how", how}});
      if (clean) return finish({});
      return finish(fail(Code::Unavailable, fmt::format("the gateway ended with {}", how)));
    }
    const bool refused = status && !(*status)->signaled && (*status)->value == kExitConfiguration;
    // Somebody waits at the terminal for the first start; a service that ran before waits for its
    // disk to be mended.
    if (failure_ && (refused || !served_)) return finish(std::unexpected(*std::move(failure_)));
    if (refused) {
      return finish(fail(Code::FailedPrecondition, "the gateway refuses its configuration"));
    }
    const milliseconds wait = gateway_backoff_.next(clock_.now() - gateway_started_);
    base::log_error("gateway died", {{"how", how},
                                     {"why", failure_ ? failure_->text() : std::string()},
                                     {"next_start_ms", std::to_string(wait.count())}});
    failure_.reset();
    workers_.forget_all();
    gateway_start_at_ = clock_.now() + wait;
  }

  // Only while the gateway runs; its end is noticed at its pidfd.
  void distrust_gateway(const std::string& why) {
    base::log_error("the gateway is killed", {{"why", why}});
    close_control();
    static_cast<void>(gateway_.kill(SIGKILL));
  }

  void close_control() {
    control_.reset();
    heartbeat_.end();
  }

  void tell(const ControlMessage& message, std::span<const int> fds) {
    if (!control_) return;
    const Result<std::string> bytes = encode_control(message);
    if (!bytes) return distrust_gateway(bytes.error().text());
    const Status sent = base::os::send_message(control_.get(), *bytes, fds);
    if (!sent) distrust_gateway(sent.error().text());
  }

  void read_control() {
    for (int i = 0; i < kMessagesPerTurn && control_; ++i) {
      auto message = base::os::receive_message(control_.get(), kControlBytesMax);
      if (!message && message.error().code == Code::ResourceExhausted) return;
      if (!message) return distrust_gateway(message.error().text());
      if (!*message) return on_control_closed();
      const Result<ControlMessage> decoded = decode_control((*message)->bytes);
      if (!decoded) return distrust_gateway(decoded.error().text());
      obey(*decoded);
    }
  }

  // The first sign of an end, which its pidfd will tell; a gateway that then goes on living cannot
  // be spoken to.
  void on_control_closed() {
    close_control();
    if (!draining_) gateway_kill_at_ = clock_.now() + kEndAfterControl;
  }

  void obey(const ControlMessage& message) {
    if (const auto* start = std::get_if<StartWorker>(&message)) return workers_.want(*start);
    if (const auto* stop = std::get_if<StopWorker>(&message)) {
      return workers_.unwant(stop->model_id);
    }
    if (const auto* failed = std::get_if<GatewayFailed>(&message)) {
      failure_ =
          base::Error{static_cast<Code>(failed->code), failed->message, failed->hint, {}, {}};
      return;
    }
    if (std::holds_alternative<GatewayReady>(message)) {
      served_ = true;
      heartbeat_.begin(clock_.now());
      if (options_.on_ready) options_.on_ready();
      return;
    }
    if (std::holds_alternative<Pong>(message)) return heartbeat_.heard();
    distrust_gateway("it sent a supervisor's message");
  }

  void on_signal(int signal) {
    if (signal == SIGHUP) {
      base::log_info("SIGHUP is ignored; changes are made through the admin interface");
      return;
    }
    if (draining_) {
      if (clock_.now() - first_signal_at_ < options_.second_signal_after) return;
      return cut_short("stopped at once by a second signal");
    }
    draining_ = true;
    first_signal_at_ = clock_.now();
    held_.listeners
        .clear();  // a new connection is refused from the moment the gateway closes its own
    gateway_start_at_.reset();
    workers_.start_no_more();
    if (!gateway_.running()) return finish({});
    base::log_info("stopping: requests may finish",
                   {{"limit_ms", std::to_string(options_.drain_limit.count())}});
    drain_until_ = clock_.now() + options_.drain_limit;
    tell(Drain{static_cast<std::uint32_t>(options_.drain_limit.count())}, {});
  }

  void cut_short(std::string why) {
    gateway_ = base::os::ChildProcess();
    close_control();
    workers_.forget_all();
    finish(fail(Code::DeadlineExceeded, std::move(why)));
  }

  void on_time() {
    const TimePoint now = clock_.now();
    if (drain_until_ && *drain_until_ <= now) {
      cut_short("requests were still running when the drain limit ended");
    }
    if (gateway_kill_at_ && *gateway_kill_at_ <= now) {
      gateway_kill_at_.reset();
      distrust_gateway("it closed its control socket and did not end");
    }
    const Heartbeat::Due due = heartbeat_.due(now);
    if (due == Heartbeat::Due::Ask) tell(Ping{}, {});
    if (due == Heartbeat::Due::Dead) {
      distrust_gateway(
          fmt::format("its event loop has answered nothing for {} ms",
                      (options_.heartbeat.interval * options_.heartbeat.unanswered_max).count()));
    }
    if (gateway_start_at_ && *gateway_start_at_ <= now) start_gateway();
  }

  const SupervisorOptions& options_;
  Holdings held_;
  base::SystemClock clock_;
  base::os::ChildProcess gateway_;
  base::os::Fd control_;
  TimePoint gateway_started_;
  Backoff gateway_backoff_;
  Heartbeat heartbeat_;
  std::optional<TimePoint> gateway_start_at_;
  std::optional<TimePoint> gateway_kill_at_;
  std::optional<TimePoint> drain_until_;
  TimePoint first_signal_at_;
  bool draining_ = false;
  bool served_ = false;                 // a gateway has said that it serves, in this process's life
  std::optional<base::Error> failure_;  // what the gateway that ends now said of it
  std::optional<Status> result_;
  WorkerSet workers_;
};

}  // namespace

Status run_supervisor(const SupervisorOptions& options) {
  base::os::ignore_broken_pipes();
  base::os::raise_open_files_limit();
  FH_TRY(Holdings holdings, take_holdings(options));
  std::vector<std::string> addresses;
  for (const base::os::Listener& listener : holdings.listeners) {
    addresses.push_back(listener.address);
    base::log_info("listening", {{"address", listener.address}});
  }
  if (options.on_listening) options.on_listening(addresses);
  return Supervisor(options, std::move(holdings)).run();
}

}  // namespace fh::cli
