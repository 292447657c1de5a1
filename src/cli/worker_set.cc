// The supervisor's workers: see worker_set.h.

#include "cli/worker_set.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

#include "base/log.h"

namespace fh::cli {
namespace {

using base::Result;
using base::TimePoint;
using std::chrono::milliseconds;

constexpr std::size_t kDescriptionMax = 500;

std::filesystem::path blob_path(const SupervisorOptions& options, const std::string& sha256) {
  return options.data_dir / "models" / "blobs" / (sha256 + ".gguf");
}

}  // namespace

WorkerSet::WorkerSet(const base::os::Spawner& spawner, const SupervisorOptions& options, Tell tell)
    : spawner_(spawner), options_(options), tell_(std::move(tell)) {}

void WorkerSet::refuse(const std::string& model_id, std::string why) {
  base::log_warn("a worker was not started", {{"model", model_id}, {"why", why}});
  why.resize(std::min(why.size(), kDescriptionMax));
  tell_(WorkerExited{model_id, 0, std::move(why), kNotRetried}, {});
}

WorkerSet::Worker* WorkerSet::find_or_add(const std::string& model_id) {
  if (const auto found = workers_.find(model_id); found != workers_.end()) return &found->second;
  // Stopped models are remembered for their back-off, but not without bound.
  if (workers_.size() >= options_.workers_max) {
    std::erase_if(workers_, [](const auto& entry) {
      return !entry.second.wanted && !entry.second.process.running();
    });
  }
  if (workers_.size() >= options_.workers_max) return nullptr;
  return &workers_.try_emplace(model_id, options_.backoff).first->second;
}

void WorkerSet::want(const StartWorker& request) {
  if (!starts_) return refuse(request.model_id, "the service is being stopped");
  Worker* worker = find_or_add(request.model_id);
  if (worker == nullptr) {
    return refuse(request.model_id,
                  fmt::format("{} workers exist already, which is the limit", workers_.size()));
  }
  const bool same = worker->wanted && worker->request == request;
  worker->wanted = true;
  worker->request = request;
  if (worker->process.running()) {
    // Replaced when it has ended. One that was already asked to end is followed by the new one too.
    if (!same) ask_to_end(*worker);
    return;
  }
  if (same && worker->start_at) return;
  start(*worker);
}

void WorkerSet::unwant(const std::string& model_id) {
  const auto found = workers_.find(model_id);
  if (found == workers_.end()) return;
  Worker& worker = found->second;
  worker.wanted = false;
  worker.start_at.reset();
  if (worker.process.running()) ask_to_end(worker);
}

void WorkerSet::ask_to_end(Worker& worker) const {
  if (worker.kill_at) return;
  static_cast<void>(worker.process.kill(SIGTERM));  // its end is seen at its pidfd in any case
  worker.kill_at = clock_.now() + options_.worker_stop_limit;
}

// Returns the gateway's end of the worker's socket.
Result<base::os::Fd> WorkerSet::spawn(Worker& worker) {
  const StartWorker& request = worker.request;
  FH_TRY(auto sockets, base::os::make_socketpair(base::os::SocketKind::Stream));
  base::os::SpawnRequest spawn;
  spawn.args = {"--role=worker",
                fmt::format("--model-file={}", blob_path(options_, request.blob_sha256).string()),
                fmt::format("--model-id={}", request.model_id),
                fmt::format("--context={}", request.context_tokens),
                fmt::format("--sequences={}", request.sequences),
                fmt::format("--threads={}", request.threads)};
  spawn.args.insert(spawn.args.end(), request.flags.begin(), request.flags.end());
  spawn.args.insert(spawn.args.end(), options_.worker_args.begin(), options_.worker_args.end());
  spawn.environment = options_.worker_environment;
  spawn.inherited = {sockets.second.get()};
  FH_TRY(worker.process, spawner_.spawn(spawn));
  return std::move(sockets.first);
}

void WorkerSet::start(Worker& worker) {
  worker.start_at.reset();
  worker.kill_at.reset();
  const std::string& model = worker.request.model_id;
  std::error_code error;
  if (!std::filesystem::is_regular_file(blob_path(options_, worker.request.blob_sha256), error)) {
    worker.wanted = false;
    return refuse(model, fmt::format("its file {}.gguf is not in the model store",
                                     worker.request.blob_sha256));
  }
  worker.started = clock_.now();
  Result<base::os::Fd> socket = spawn(worker);
  if (!socket) {
    const milliseconds wait = worker.backoff.next(base::Duration(0));
    worker.start_at = clock_.now() + wait;
    const std::string why = socket.error().text();
    base::log_error("a worker cannot be started", {{"model", model}, {"why", why}});
    tell_(WorkerExited{model, 0, why.substr(0, kDescriptionMax),
                       static_cast<std::uint32_t>(wait.count())},
          {});
    return;
  }
  ++worker.generation;
  base::log_info("worker started", {{"model", model},
                                    {"pid", std::to_string(worker.process.pid())},
                                    {"generation", std::to_string(worker.generation)}});
  const int fds[] = {socket->get()};
  tell_(WorkerStarted{model, static_cast<std::uint32_t>(worker.process.pid()), worker.generation},
        fds);
}

void WorkerSet::reap(Worker& worker) {
  const auto status = worker.process.wait(milliseconds(0));
  if (status && !*status) return;
  const std::string how = status ? (*status)->text() : status.error().text();
  if (!status) worker.process = base::os::ChildProcess();
  const bool asked = std::exchange(worker.kill_at, std::nullopt).has_value();
  const TimePoint now = clock_.now();
  std::uint32_t retry_ms = kNotRetried;
  if (worker.wanted && starts_) {
    // One that was asked to end makes room for its replacement at once.
    const milliseconds wait = asked ? milliseconds(0) : worker.backoff.next(now - worker.started);
    worker.start_at = now + wait;
    retry_ms = static_cast<std::uint32_t>(wait.count());
  }
  // A gateway that ends lets its workers end before it.
  const bool expected = asked || (!starts_ && status && (*status)->clean());
  base::log(expected ? base::Level::Info : base::Level::Error, "worker ended",
            {{"model", worker.request.model_id},
             {"how", how},
             {"next_start_ms", retry_ms == kNotRetried ? "never" : std::to_string(retry_ms)}});
  tell_(WorkerExited{worker.request.model_id, worker.generation, how, retry_ms}, {});
}

void WorkerSet::add_polls(std::vector<pollfd>& polls) const {
  for (const auto& [id, worker] : workers_) {
    if (worker.process.running()) polls.push_back({worker.process.pidfd(), POLLIN, 0});
  }
}

std::optional<TimePoint> WorkerSet::next_due() const {
  std::optional<TimePoint> due;
  for (const auto& [id, worker] : workers_) {
    for (const auto& at : {starts_ ? worker.start_at : std::nullopt, worker.kill_at}) {
      if (at && (!due || *at < *due)) due = at;
    }
  }
  return due;
}

void WorkerSet::tick() {
  const TimePoint now = clock_.now();
  for (auto& [id, worker] : workers_) {
    if (worker.process.running()) reap(worker);
    if (worker.process.running() && worker.kill_at && *worker.kill_at <= now) {
      static_cast<void>(worker.process.kill(SIGKILL));
      worker.kill_at = now + options_.worker_stop_limit;  // looked at again, not in a busy loop
    }
    if (starts_ && worker.start_at && *worker.start_at <= now) start(worker);
  }
}

void WorkerSet::forget_all() {
  for (auto& [id, worker] : workers_) {
    worker.wanted = false;
    worker.start_at.reset();
    worker.kill_at.reset();
    worker.process = base::os::ChildProcess();
  }
}

void WorkerSet::end_all() {
  for (auto& [id, worker] : workers_) {
    if (worker.process.running()) static_cast<void>(worker.process.kill(SIGTERM));
  }
  const TimePoint deadline = clock_.now() + options_.worker_stop_limit;
  for (auto& [id, worker] : workers_) {
    if (!worker.process.running()) continue;
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock_.now());
    static_cast<void>(worker.process.wait(std::max(left, milliseconds(0))));
  }
  workers_.clear();  // kills what is left
}

}  // namespace fh::cli
