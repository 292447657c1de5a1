// A worker's connection to its gateway; see session.h.
#include "engine/worker/session.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "codec/utf8.h"
#include "engine/protocol/messages.h"
#include "engine/together.h"

namespace fh::engine::worker {
namespace {

using protocol::FrameType;
namespace d = domain;

constexpr std::size_t kReadBytes = 64 * 1024;
// Escaping makes a byte six at most, so that such a piece always fits into a worker's frame.
constexpr std::size_t kPieceMaxBytes = 64 * 1024;
constexpr std::size_t kErrorTextMaxBytes = 8 * 1024;

base::Error shortened(base::Error error) {
  for (std::string* text : {&error.message, &error.hint, &error.field, &error.reason}) {
    *text = codec::utf8::truncated(codec::utf8::repaired(*text), kErrorTextMaxBytes);
  }
  return error;
}

std::string* long_text_of(d::Event& event) {
  if (auto* text = std::get_if<d::TextDelta>(&event)) return &text->text;
  if (auto* thought = std::get_if<d::ReasoningDelta>(&event)) return &thought->text;
  if (auto* call = std::get_if<d::ToolCallDelta>(&event)) return &call->arguments_fragment;
  return nullptr;
}

// Cuts a piece that fits into one frame off the front of a long delta.
d::Event split_front(d::Event& event) {
  std::string& text = *long_text_of(event);
  std::string front(codec::utf8::truncated(text, kPieceMaxBytes));
  text.erase(0, front.size());
  if (auto* delta = std::get_if<d::TextDelta>(&event)) {
    return d::TextDelta{std::move(front), std::exchange(delta->logprobs, {})};
  }
  if (std::holds_alternative<d::ReasoningDelta>(event)) return d::ReasoningDelta{std::move(front)};
  return d::ToolCallDelta{std::move(front)};
}

}  // namespace

Session::Session(int fd, Engine& engine, WorkerOptions options)
    : fd_(fd), engine_(engine), options_(std::move(options)) {}

bool Session::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_.has_value();
}

base::Status Session::reason() const {
  const std::lock_guard lock(mutex_);
  return closed_.value_or(base::Status{});
}

void Session::close(base::Status reason) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = std::move(reason);
    outbox_.clear();
    outbox_bytes_ = 0;
  }
  changed_.notify_all();
  ::shutdown(fd_, SHUT_RDWR);  // wakes the other loop out of its poll
}

void Session::send(FrameType type, std::uint64_t id, std::string payload) {
  auto bytes = protocol::encode_frame({type, id, std::move(payload)});
  if (!bytes) {
    close(std::unexpected(bytes.error()));
    return;
  }
  const bool later = Together::open();
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    full = outbox_bytes_ + bytes->size() > options_.backlog_max_bytes;
    if (!full) {
      if (!later && outbox_.empty() && !writing_ && write_at_once(*bytes)) return;
      outbox_bytes_ += bytes->size();
      outbox_.push_back(*std::move(bytes));
    }
  }
  if (full) {
    close(base::fail(base::Code::Unavailable, "the gateway reads too slowly: the backlog is full"));
  } else if (later) {
    Together::at_end(this, [self = shared_from_this()] { self->flush(); });
  } else {
    changed_.notify_one();
  }
}

// What the socket takes at once is written by whoever has it: a change of threads for every token
// would cost the engine a core. Erases what was written; true = all of it.
bool Session::write_at_once(std::string& bytes) const {
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent > 0) bytes.erase(0, static_cast<std::size_t>(sent));
  return bytes.empty();
}

// The frames of a step in one call: each by itself would wake the gateway.
void Session::flush() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || writing_ || outbox_.empty()) return;  // the writing thread has them or will
    std::string all;
    all.reserve(outbox_bytes_);
    for (const std::string& bytes : outbox_) all += bytes;
    outbox_.clear();
    outbox_bytes_ = 0;
    if (write_at_once(all)) return;
    outbox_bytes_ = all.size();
    outbox_.push_back(std::move(all));
  }
  changed_.notify_one();
}

base::Status Session::read_loop() {
  protocol::FrameDecoder decoder(protocol::Sender::Gateway);
  std::string buffer(kReadBytes, '\0');
  while (!closed()) {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, -1) < 0 && errno != EINTR) {
      return std::unexpected(base::error_from_errno("poll on the gateway's socket", errno));
    }
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got == 0) return {};
    if (got < 0) {
      if (errno == EAGAIN || errno == EINTR) continue;
      if (errno == ECONNRESET) return {};
      return std::unexpected(base::error_from_errno("read from the gateway", errno));
    }
    FH_TRY_VOID(decoder.feed(std::string_view(buffer).substr(0, static_cast<std::size_t>(got))));
    while (const auto frame = decoder.next()) {
      if (frame->type == FrameType::Shutdown) return {};
      std::optional<Together> all;  // what is made of a frame on this thread goes out in one write
      std::optional<ThreadScheduler::Lend> lend;
      if (options_.scheduler != nullptr) {
        all.emplace();
        lend.emplace(*options_.scheduler);
      }
      FH_TRY_VOID(handle(*frame));
    }
    FH_TRY_VOID(decoder.status());
  }
  return {};
}

base::Status Session::handle(const protocol::Frame& frame) {
  switch (frame.type) {
    case FrameType::Prepare: return handle_prepare(frame);
    case FrameType::Start: handle_start(frame.id); return {};
    case FrameType::Cancel: handle_cancel(frame.id); return {};
    case FrameType::Ping: send(FrameType::Pong, frame.id, {}); return {};
    default:
      return base::fail(base::Code::DataLoss, "worker protocol: a frame that no gateway sends");
  }
}

base::Status Session::handle_prepare(const protocol::Frame& frame) {
  FH_TRY(PrepareRequest request, protocol::parse_prepare(frame.payload));
  const std::uint64_t id = frame.id;
  const bool count_only = request.count_only;
  {
    const std::lock_guard lock(mutex_);
    if (!requests_.emplace(id, Request{}).second) {
      return base::fail(base::Code::DataLoss, "worker protocol: a request number used twice");
    }
  }
  const Ticket ticket =
      engine_.prepare(std::move(request),
                      [self = shared_from_this(), id, count_only](base::Result<Prepared> result) {
                        self->on_prepared(id, count_only, std::move(result));
                      });
  const std::lock_guard lock(mutex_);
  const auto it = requests_.find(id);
  if (it != requests_.end() && it->second.phase == Phase::Preparing) it->second.ticket = ticket;
  return {};
}

void Session::on_prepared(std::uint64_t id, bool count_only, base::Result<Prepared> result) {
  const bool holds_ticket = result.has_value() && !count_only;
  bool cancelled = false;
  {
    const std::lock_guard lock(mutex_);
    const auto it = requests_.find(id);
    cancelled = closed_ || it == requests_.end() || it->second.cancelled;
    if (it != requests_.end()) {
      if (cancelled || !holds_ticket) {
        requests_.erase(it);
      } else {
        it->second.phase = Phase::Prepared;
        it->second.ticket = result->ticket;
      }
    }
    // Closed: run_worker has left or is leaving, and cancel_all cannot know this ticket any more.
  }
  if (cancelled && holds_ticket) engine_.cancel(result->ticket);
  if (cancelled) {
    result = base::fail(base::Code::Cancelled, "the request was cancelled while it was prepared");
  }
  if (result) {
    send(FrameType::Prepared, id, protocol::write_prepared(*result));
  } else {
    send(FrameType::PrepareFailed, id, protocol::write_error(shortened(result.error())));
  }
}

void Session::handle_start(std::uint64_t id) {
  std::optional<Ticket> ticket;
  {
    const std::lock_guard lock(mutex_);
    const auto it = requests_.find(id);
    if (it != requests_.end() && it->second.phase == Phase::Prepared) {
      it->second.phase = Phase::Started;
      ticket = it->second.ticket;
    }
  }
  if (!ticket) {
    send_failure(id,
                 {base::Code::Internal, "a request was started that is not prepared", {}, {}, {}});
    return;
  }
  engine_.start(*ticket, [self = shared_from_this(), id](domain::Event event) {
    self->on_event(id, std::move(event));
  });
}

void Session::handle_cancel(std::uint64_t id) {
  Ticket ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto it = requests_.find(id);
    if (it == requests_.end()) return;
    Request& request = it->second;
    ticket = request.ticket;
    request.cancelled = true;
    if (request.phase == Phase::Prepared) requests_.erase(it);
  }
  engine_.cancel(ticket);
}

void Session::on_event(std::uint64_t id, domain::Event event) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || !requests_.contains(id)) return;
    if (d::is_terminal(event)) requests_.erase(id);
  }
  while (const std::string* text = long_text_of(event)) {
    if (text->size() <= kPieceMaxBytes) break;
    const d::Event front = split_front(event);
    send_event(id, front);
  }
  if (auto* failed = std::get_if<d::Failed>(&event))
    failed->error = shortened(std::move(failed->error));
  send_event(id, event);
}

void Session::send_event(std::uint64_t id, const domain::Event& event) {
  std::string payload = protocol::write_event(event);
  if (payload.size() <= protocol::kFrameMaxFromWorker - protocol::kHeaderBytes) {
    send(FrameType::Event, id, std::move(payload));
    return;
  }
  std::optional<Ticket> ticket;
  {
    const std::lock_guard lock(mutex_);
    const auto it = requests_.find(id);
    if (it != requests_.end()) {
      ticket = it->second.ticket;
      requests_.erase(it);
    }
  }
  if (ticket) engine_.cancel(*ticket);
  send_failure(id,
               {base::Code::Internal, "the answer holds a piece too large to be sent", {}, {}, {}});
}

void Session::send_failure(std::uint64_t id, base::Error error) {
  d::Failed failed;
  failed.error = std::move(error);
  send(FrameType::Event, id, protocol::write_event(failed));
}

void Session::write_loop() noexcept {
  base::SystemClock clock;
  base::TimePoint next_report = clock.now();
  while (true) {
    if (clock.now() >= next_report) {
      report_changes();
      next_report = clock.now() + options_.report_interval;
    }
    std::deque<std::string> batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, next_report, [this] { return closed_ || !outbox_.empty(); });
      if (closed_) return;
      batch.swap(outbox_);
      writing_ = !batch.empty();
    }
    for (const std::string& bytes : batch) {
      if (base::Status written = write_all(bytes); !written) {
        close(std::move(written));
        return;
      }
      const std::lock_guard lock(mutex_);
      outbox_bytes_ -= std::min(outbox_bytes_, bytes.size());
    }
    const std::lock_guard lock(mutex_);
    writing_ = false;
  }
}

void Session::report_changes() {
  std::string info = protocol::write_info(engine_.info());
  if (info != last_info_) {
    last_info_ = info;
    send(FrameType::Info, 0, std::move(info));
  }
  std::string status = protocol::write_status(engine_.status());
  if (status != last_status_) {
    last_status_ = status;
    send(FrameType::Status, 0, std::move(status));
  }
}

base::Status Session::write_all(std::string_view bytes) {
  const int stall_ms = static_cast<int>(
      std::chrono::duration_cast<std::chrono::milliseconds>(options_.stall_max).count());
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
      return {};  // the reading side sees the end
    if (sent < 0 && errno != EAGAIN) {
      return std::unexpected(base::error_from_errno("write to the gateway", errno));
    }
    pollfd waiting{fd_, POLLOUT, 0};
    const int ready = ::poll(&waiting, 1, stall_ms);
    if (ready == 0) {
      return base::fail(base::Code::Unavailable, "the gateway has stopped reading");
    }
  }
  return {};
}

void Session::cancel_all() {
  std::vector<Ticket> tickets;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, request] : requests_) tickets.push_back(request.ticket);
    requests_.clear();
  }
  for (const Ticket ticket : tickets) engine_.cancel(ticket);
}

}  // namespace fh::engine::worker
