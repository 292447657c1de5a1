// RemoteEngine: what comes from the worker, and its end. Everything here runs on the link's thread.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "engine/protocol/messages.h"
#include "engine/remote/impl.h"

namespace fh::engine {

using protocol::Frame;
using protocol::FrameType;

namespace {
constexpr std::uint64_t kOutputBytesBase = 4 * 1024 * 1024;  // of an answer of any length

std::unexpected<base::Error> violation(const char* what) {
  return base::fail(base::Code::DataLoss, std::string("worker protocol: ") + what);
}
}  // namespace

base::Status RemoteEngine::Impl::on_frame(std::uint64_t epoch, Frame frame) {
  if (frame.type == FrameType::Hello) return on_hello(epoch, frame);
  {
    const std::lock_guard lock(mutex_);
    if (!worker_ || worker_->epoch != epoch) {
      return base::fail(base::Code::Unavailable, "another worker took its place");
    }
    if (!worker_->greeted) return violation("the first frame is not hello");
  }
  switch (frame.type) {
    case FrameType::Info: return on_info(epoch, frame);
    case FrameType::Status: return on_status(epoch, frame);
    case FrameType::Prepared:
    case FrameType::PrepareFailed: return on_prepared(epoch, frame);
    case FrameType::Event: return on_event(epoch, frame);
    case FrameType::Pong: return on_pong(frame);
    default: return violation("a frame that no worker sends");
  }
}

base::Status RemoteEngine::Impl::on_hello(std::uint64_t epoch, const Frame& frame) {
  FH_TRY(protocol::Hello hello, protocol::parse_hello(frame.payload));
  if (hello.version != protocol::kVersion) {
    return base::fail(base::Code::FailedPrecondition,
                      "it speaks version " + std::to_string(hello.version) +
                          " of the worker protocol, this server version " +
                          std::to_string(protocol::kVersion));
  }
  const std::lock_guard lock(mutex_);
  if (!worker_ || worker_->epoch != epoch) return {};
  if (worker_->greeted) return violation("a second hello");
  worker_->greeted = true;
  worker_->lock = std::move(hello.lock);
  return {};
}

base::Status RemoteEngine::Impl::on_info(std::uint64_t epoch, const Frame& frame) {
  FH_TRY(ModelInfo info, protocol::parse_info(frame.payload));
  Calls calls;
  {
    const std::lock_guard lock(mutex_);
    if (!worker_ || worker_->epoch != epoch) return {};
    info.id = options_.info.id;  // the name is the gateway's to give
    info_ = std::move(info);
    if (ready()) dispatch_waiting();
    if (info_.state == ModelState::Failed) {
      fail_waiting(unavailable("the model could not be loaded: " + info_.detail), calls);
    }
  }
  for (const auto& call : calls) call();
  return {};
}

base::Status RemoteEngine::Impl::on_status(std::uint64_t epoch, const Frame& frame) {
  FH_TRY(const EngineStatus status, protocol::parse_status(frame.payload));
  const std::lock_guard lock(mutex_);
  if (!worker_ || worker_->epoch != epoch) return {};
  if (status.kv_tokens_used != status_.kv_tokens_used) ++worker_->progress;
  status_ = status;
  return {};
}

base::Status RemoteEngine::Impl::on_prepared(std::uint64_t epoch, const Frame& frame) {
  base::Result<Prepared> result;
  if (frame.type == FrameType::Prepared) {
    FH_TRY(Prepared prepared, protocol::parse_prepared(frame.payload));
    result = prepared;
  } else {
    FH_TRY(base::Error error, protocol::parse_error(frame.payload));
    result = std::unexpected(std::move(error));
  }
  PrepareFn done;
  {
    const std::lock_guard lock(mutex_);
    const auto it = requests_.find(frame.id);
    if (it == requests_.end() || it->second.phase != Phase::Preparing ||
        it->second.epoch != epoch) {
      return violation("an answer to a question that was not asked");
    }
    if (worker_ && worker_->epoch == epoch) ++worker_->answers;
    done = std::move(it->second.done);
    // The worker gives back what it had for one that was cancelled, even if this crossed it.
    if (result && it->second.cancel_sent) {
      result = base::fail(base::Code::Cancelled, "the request was given up");
    }
    if (result && !it->second.count_only) {
      it->second.phase = Phase::Prepared;
      result->ticket = frame.id;
      std::uint64_t tokens = result->max_output_tokens;  // as the worker says
      if (options_.info.context_tokens != 0) {
        tokens = std::min<std::uint64_t>(tokens, options_.info.context_tokens);
      }
      it->second.output_left = kOutputBytesBase + tokens * it->second.bytes_per_token;
    } else {
      requests_.erase(it);
    }
  }
  done(std::move(result));
  return {};
}

base::Status RemoteEngine::Impl::on_event(std::uint64_t epoch, const Frame& frame) {
  FH_TRY(domain::Event event, protocol::parse_event(frame.payload));
  std::shared_ptr<EventFn> on_event;
  {
    const std::lock_guard lock(mutex_);
    const auto it = requests_.find(frame.id);
    if (it == requests_.end() || it->second.phase != Phase::Started || it->second.epoch != epoch) {
      return violation("an event of a request that is not running");
    }
    Request& request = it->second;
    FH_TRY_VOID(request.order.accept(event));
    const std::size_t bytes = held_bytes(event);
    if (bytes > request.output_left) return violation("more output than was asked for");
    request.output_left -= bytes;
    on_event = request.on_event;
    if (worker_ && worker_->epoch == epoch) ++worker_->progress;
    if (const auto* started = std::get_if<domain::Started>(&event)) {
      request.begun = *started;
    } else if (!std::holds_alternative<domain::ToolCallEnd>(event)) {
      ++request.deltas;
    }
    if (domain::is_terminal(event)) requests_.erase(it);
  }
  (*on_event)(std::move(event));
  return {};
}

base::Status RemoteEngine::Impl::on_pong(const Frame& frame) {
  std::function<void(base::Status)> done;
  {
    const std::lock_guard lock(mutex_);
    const auto it = pings_.find(frame.id);
    if (it == pings_.end()) return violation("a pong without a ping");
    done = std::move(it->second.done);
    pings_.erase(it);
  }
  done({});
  return {};
}

void RemoteEngine::Impl::dispatch_waiting() {
  while (!waiting_.empty()) {
    auto& [id, frame] = waiting_.front();
    const std::size_t bytes = frame.size();
    // waiting_bytes_ is bounded by the same limit as the link's queue, which is empty now or nearly
    // so: what does not fit waits for the next change of Info or its own deadline.
    std::string copy = frame;
    if (!worker_->link->send(std::move(copy))) return;
    Request& request = requests_.at(id);
    request.phase = Phase::Preparing;
    request.epoch = worker_->epoch;
    watch_prepares();
    waiting_bytes_ -= bytes;
    waiting_.pop_front();
  }
}

void RemoteEngine::Impl::fail_waiting(const base::Error& error, Calls& calls) {
  for (const auto& [id, frame] : waiting_) {
    const auto it = requests_.find(id);
    calls.push_back([done = std::move(it->second.done), error] { done(std::unexpected(error)); });
    requests_.erase(it);
  }
  waiting_.clear();
  waiting_bytes_ = 0;
}

void RemoteEngine::Impl::fail_epoch(std::uint64_t epoch, const base::Error& error, Calls& calls) {
  for (auto it = requests_.begin(); it != requests_.end();) {
    Request& request = it->second;
    if (request.phase == Phase::Waiting || request.epoch != epoch) {
      ++it;
      continue;
    }
    if (request.phase == Phase::Preparing) {
      calls.push_back([done = std::move(request.done), error] { done(std::unexpected(error)); });
    } else if (request.phase == Phase::Started) {
      domain::Failed failed;
      failed.error = error;
      // The worker's own count died with it. Once it has answered, the prompt is known to be done,
      // and each delta was at least one token: the least that can have happened.
      if (request.deltas > 0) {
        failed.work = request.begun.work;
        failed.usage.input_uncached = request.begun.work.computed;
        failed.usage.cache_read = request.begun.work.cached + request.begun.work.restored;
        failed.usage.output = request.deltas;
      }
      calls.push_back([on_event = request.on_event, failed] { (*on_event)(failed); });
    }
    it = requests_.erase(it);
  }
}

void RemoteEngine::Impl::on_closed(std::uint64_t epoch, base::Error why) {
  Calls calls;
  bool stopping = false;
  bool current = false;
  {
    const std::lock_guard lock(mutex_);
    current = worker_ && worker_->epoch == epoch;
    if (current) {
      stopping = worker_->stopping;
      const bool load_failed = info_.state == ModelState::Failed;  // and the worker said why
      worker_.reset();
      status_ = {};
      if (!load_failed) {
        info_.state = ModelState::Stopped;
        info_.detail = stopping ? "stopped" : "its worker process ended: " + why.message;
      }
    }
    if (!stopping) ++deaths_;
    fail_epoch(epoch, unavailable("the model's worker process ended (" + why.message + ")"), calls);
    for (auto& [id, ping] : pings_) {
      if (ping.epoch != epoch) continue;
      calls.push_back([done = std::move(ping.done), why] { done(std::unexpected(why)); });
    }
    std::erase_if(pings_, [epoch](const auto& entry) { return entry.second.epoch == epoch; });
    current = current && !closing_;
  }
  for (const auto& call : calls) call();
  if (!current) return;  // replaced, or the server ends: nobody needs to act
  if (stopping) why = {base::Code::Cancelled, "the worker was asked to end", {}, {}, {}};
  if (!stopping) {
    base::log_warn("a model's worker process ended",
                   {{"model", options_.info.id}, {"why", why.message}});
  }
  if (lost_) lost_(std::move(why));
  {
    // Requests wait, and the owner has done nothing about it: ask.
    const std::lock_guard lock(mutex_);
    const bool idle = !worker_ && info_.state == ModelState::Stopped && !waiting_.empty();
    if (!idle || closing_) return;
    info_.state = ModelState::Starting;
  }
  if (wanted_) wanted_();
}

}  // namespace fh::engine
