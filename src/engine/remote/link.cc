// A worker connection's thread; see link.h.
#include "engine/remote/link.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/log.h"

namespace fh::engine::remote {
namespace {
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr auto kWriteAgainAfter = std::chrono::milliseconds(1);
constexpr auto kReadAgainAfter = std::chrono::milliseconds(10);

std::unexpected<base::Error> ended() {
  return base::fail(base::Code::Unavailable, "its connection was closed");
}
}  // namespace

base::Result<std::shared_ptr<Link>> Link::open(int fd, Limits limits, Handlers handlers) {
  const int wake_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) {
    const base::Error error = base::error_from_errno("eventfd for a worker", errno);
    ::close(fd);
    return std::unexpected(error);
  }
  return std::shared_ptr<Link>(new Link(fd, wake_fd, std::move(limits), std::move(handlers)));
}

Link::Link(int fd, int wake_fd, Limits limits, Handlers handlers)
    : fd_(fd), wake_fd_(wake_fd), limits_(std::move(limits)), handlers_(std::move(handlers)) {}

Link::~Link() {
  ::close(fd_);
  ::close(wake_fd_);
}

void Link::start() {
  if (limits_.runtime != nullptr) {
    limits_.runtime->post([self = shared_from_this()] { self->watch(); });
    return;
  }
  thread_ = std::thread([self = shared_from_this()] { self->run(); });
}

void Link::join() {
  if (limits_.runtime != nullptr) {
    close({base::Code::Cancelled, "its connection is not used any more", {}, {}, {}});
    finish();
    return;
  }
  if (!thread_.joinable()) return;
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

bool Link::send(std::string frame_bytes) {
  return enqueue(std::move(frame_bytes), true);
}

void Link::send_control(std::string frame_bytes) {
  enqueue(std::move(frame_bytes), false);
}

bool Link::enqueue(std::string frame_bytes, bool bounded) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return true;
    if (bounded && outbox_bytes_ + frame_bytes.size() > limits_.outbox_max_bytes) return false;
    // A frame that the socket takes at once needs no second thread; an empty outbox means that the
    // link's thread is writing nothing, so the order holds.
    std::size_t sent = 0;
    if (outbox_.empty()) {
      const ssize_t took =
          ::send(fd_, frame_bytes.data(), frame_bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (took == static_cast<ssize_t>(frame_bytes.size())) return true;
      if (took > 0) sent = static_cast<std::size_t>(took);
    }
    outbox_bytes_ += frame_bytes.size();
    outbox_.push_back(std::move(frame_bytes));
    if (outbox_.size() == 1) front_sent_ = sent;
  }
  wake();  // the thread sends the rest, and says what is wrong if the socket refuses it
  return true;
}

void Link::close(base::Error why) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = std::move(why);
  }
  wake();
}

std::optional<base::Error> Link::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void Link::wake() {
  if (limits_.runtime != nullptr) {
    limits_.runtime->post([self = shared_from_this()] { self->woken(); });
    return;
  }
  const std::uint64_t one = 1;
  // A full counter (EAGAIN) wakes just as well.
  static_cast<void>(!::write(wake_fd_, &one, sizeof one));
}

void Link::run() noexcept {
  buffer_.resize(kReadBytes);
  progress_at_ = clock_.now();
  base::Status status;
  while (status && !closed()) {
    bool readable = false;
    status = wait_ready(readable);
    if (status) status = write_some();
    if (status && readable) status = read_some();
  }
  if (!status) close(status.error());
  finish();
}

void Link::finish() {
  if (std::exchange(finished_, true)) return;
  watch_.reset();
  ::shutdown(fd_, SHUT_RDWR);
  const auto on_closed = std::exchange(handlers_, {}).on_closed;
  on_closed(*closed());
}

void Link::watch() {
  if (finished_ || closed()) {
    finish();
    return;
  }
  buffer_.resize(kReadBytes);
  watch_ = std::make_unique<net::ReadWatch>(*limits_.runtime, fd_,
                                            [link = this] { link->on_readable(); });
}

void Link::on_readable() {
  const std::shared_ptr<Link> self = shared_from_this();  // a handler may let go of it
  base::Status status;
  if (!closed()) status = read_some();
  if (!status) close(status.error());
  if (closed()) return finish();
  if (!backlogged()) return;
  watch_.reset();
  read_later();
}

// Looked at again and again, so that whoever holds the memory need not know of us.
void Link::read_later() {
  limits_.runtime->call_at(clock_.now() + kReadAgainAfter, [self = shared_from_this()] {
    if (self->finished_) return;
    if (!self->closed() && self->backlogged()) return self->read_later();
    self->watch();
  });
}

bool Link::backlogged() {
  if (limits_.backlog == nullptr || limits_.backlog->bytes() <= limits_.backlog_max_bytes) {
    return false;
  }
  if (!std::exchange(told_backlog_, true)) {
    base::log_warn("a worker says more than its clients take: it is read more slowly",
                   {{"bytes_waiting", std::to_string(limits_.backlog->bytes())}});
  }
  return true;
}

// A stall counts from when there was something to take: what was sent at once before left no trace.
void Link::woken() {
  if (closed()) {
    finish();
    return;
  }
  if (writing_later_) return;
  progress_at_ = clock_.now();
  write_backlog();
}

// What the socket did not take at once is tried again each millisecond: a worker's socket takes
// 200 kB at a time, and only a long prompt is more.
void Link::write_backlog() {
  base::Status status;
  if (!closed()) status = write_some();
  if (!status) close(status.error());
  if (closed()) {
    finish();
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    writing_later_ = !outbox_.empty();
  }
  if (!writing_later_) return;
  limits_.runtime->call_at(clock_.now() + kWriteAgainAfter,
                           [self = shared_from_this()] { self->write_backlog(); });
}

base::Status Link::wait_ready(bool& readable) {
  const bool reads = !backlogged();
  // While nothing is read, its end must not wake us: it would at once and without end.
  std::array<pollfd, 2> fds{{{reads ? fd_ : -1, POLLIN, 0}, {wake_fd_, POLLIN, 0}}};
  int timeout_ms = -1;
  {
    const std::lock_guard lock(mutex_);
    if (!outbox_.empty()) {
      fds[0].events = POLLIN | POLLOUT;
      timeout_ms = static_cast<int>(
          std::chrono::duration_cast<std::chrono::milliseconds>(limits_.stall_max).count());
    }
  }
  const int again_ms = static_cast<int>(kReadAgainAfter.count());
  if (::poll(fds.data(), fds.size(), reads ? timeout_ms : again_ms) < 0 && errno != EINTR) {
    return std::unexpected(base::error_from_errno("poll on a worker's socket", errno));
  }
  if (timeout_ms < 0)
    progress_at_ = clock_.now();  // a stall counts from when there was something to take
  if (fds[1].revents != 0) {
    std::uint64_t count = 0;
    static_cast<void>(!::read(wake_fd_, &count, sizeof count));
  }
  readable = fds[0].revents != 0;
  return {};
}

base::Status Link::read_some() {
  const ssize_t got = ::recv(fd_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got == 0) return ended();
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return {};
    if (errno == ECONNRESET) return ended();
    return std::unexpected(base::error_from_errno("read from a worker", errno));
  }
  FH_TRY_VOID(decoder_.feed(std::string_view(buffer_).substr(0, static_cast<std::size_t>(got))));
  while (auto frame = decoder_.next()) FH_TRY_VOID(handlers_.on_frame(*std::move(frame)));
  return decoder_.status();
}

base::Status Link::write_some() {
  while (true) {
    const char* data = nullptr;
    std::size_t size = 0;
    {
      const std::lock_guard lock(mutex_);
      if (outbox_.empty()) return {};
      data = outbox_.front().data() + front_sent_;  // stays: only this thread removes
      size = outbox_.front().size() - front_sent_;
    }
    const ssize_t sent = ::send(fd_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      // The end shows when everything that the worker still said has been read.
      if (errno == EPIPE || errno == ECONNRESET) return {};
      if (errno != EAGAIN) {
        return std::unexpected(base::error_from_errno("write to a worker", errno));
      }
      if (clock_.now() - progress_at_ < limits_.stall_max) return {};
      return base::fail(base::Code::DeadlineExceeded, "it has stopped reading");
    }
    progress_at_ = clock_.now();
    const std::lock_guard lock(mutex_);
    front_sent_ += static_cast<std::size_t>(sent);
    if (front_sent_ == outbox_.front().size()) {
      outbox_bytes_ -= outbox_.front().size();
      outbox_.pop_front();
      front_sent_ = 0;
    }
  }
}

}  // namespace fh::engine::remote
