// See stream_impl.h. Deadlines: one timer per stream that is left alone while the deadline only
// moves back; when it rings early it re-arms itself, so extending a deadline costs nothing.
//
// Watching for a vanished peer: wait until the socket is readable, then peek. End of data or an
// error means gone. If bytes of a next request lie there (they stay unread, the depth of pipelining
// is 1), readiness says nothing any more, and the kernel is asked for a hang-up every few
// milliseconds instead.

#include "net/stream_impl.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <chrono>
#include <utility>

namespace fh::net {
namespace {

constexpr auto kHangUpPoll = std::chrono::milliseconds(5);

base::Error lost(int error) {
  return base::Error{base::Code::Unavailable,
                     "the connection was lost",
                     base::error_from_errno("socket", error).message,
                     {},
                     {}};
}

bool hung_up(int fd) {
  pollfd entry{fd, POLLRDHUP, 0};
  return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace

Stream::Stream(Runtime& runtime, int fd) : runtime_(runtime), fd_(runtime.impl().io, fd) {}

Stream::~Stream() {
  if (timer_ != 0) runtime_.cancel_timer(timer_);
  if (watch_timer_ != 0) runtime_.cancel_timer(watch_timer_);
}

ssize_t Stream::try_read(std::span<char> into) {
  if (!fd_.is_open()) return -ECONNABORTED;
  for (;;) {
    const ssize_t n = ::recv(fd(), into.data(), into.size(), MSG_DONTWAIT);
    if (n >= 0) return n;
    if (errno != EINTR) return errno == EWOULDBLOCK ? -EAGAIN : -errno;
  }
}

ssize_t Stream::try_write(int fd, std::span<iovec>& parts) {
  while (!parts.empty() && parts.front().iov_len == 0) parts = parts.subspan(1);
  if (parts.empty()) return 0;
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  ssize_t n = 0;
  do {
    n = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return errno == EWOULDBLOCK ? -EAGAIN : -errno;
  auto left = static_cast<std::size_t>(n);
  while (!parts.empty() && left >= parts.front().iov_len) {
    left -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (left > 0) {
    parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + left;
    parts.front().iov_len -= left;
  }
  return n;
}

Task<base::Status> Stream::write_all(std::span<iovec> parts, std::int64_t stall_timeout_ms) {
  const auto self = shared_from_this();
  const auto stall = std::chrono::milliseconds(stall_timeout_ms);
  base::TimePoint deadline{};
  for (;;) {
    if (!fd_.is_open()) co_return std::unexpected(lost(ECONNABORTED));
    const ssize_t n = try_write(fd(), parts);
    if (parts.empty()) co_return base::Status{};
    if (n < 0 && n != -EAGAIN) co_return std::unexpected(lost(static_cast<int>(-n)));
    if (n > 0 || deadline == base::TimePoint{}) deadline = runtime_.clock().now() + stall;
    if (n > 0) continue;
    FH_CO_TRY_VOID(co_await wait_writable(deadline));
  }
}

Task<base::Status> Stream::wait_readable(base::TimePoint deadline) {
  return wait(boost::asio::posix::descriptor_base::wait_read, deadline);
}

Task<base::Status> Stream::wait_writable(base::TimePoint deadline) {
  return wait(boost::asio::posix::descriptor_base::wait_write, deadline);
}

Task<base::Status> Stream::wait(boost::asio::posix::descriptor_base::wait_type type,
                                base::TimePoint deadline) {
  const auto self = shared_from_this();
  if (!fd_.is_open()) co_return std::unexpected(lost(ECONNABORTED));
  waiting_ = true;
  timed_out_ = false;
  deadline_ = deadline;
  arm(deadline);
  const auto [error] =
      co_await fd_.async_wait(type, boost::asio::as_tuple(boost::asio::use_awaitable));
  waiting_ = false;
  if (timed_out_) {
    co_return base::fail(base::Code::DeadlineExceeded, "the peer was silent for too long");
  }
  if (error) co_return std::unexpected(lost(error.value()));
  co_return base::Status{};
}

void Stream::arm(base::TimePoint deadline) {
  if (deadline == base::TimePoint::max()) return;
  if (timer_ != 0 && timer_due_ <= deadline) return;
  if (timer_ != 0) runtime_.cancel_timer(timer_);
  timer_due_ = deadline;
  timer_ = runtime_.call_at(deadline, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_timer();
  });
}

void Stream::on_timer() {
  timer_ = 0;
  if (!waiting_) return;
  if (runtime_.clock().now() < deadline_) {
    arm(deadline_);
    return;
  }
  timed_out_ = true;
  boost::system::error_code ignored;
  fd_.cancel(ignored);
}

void Stream::watch(std::function<void()> fn) {
  on_gone_ = std::move(fn);
  if (on_gone_ && !watch_pending_ && watch_timer_ == 0 && fd_.is_open()) start_watch();
}

void Stream::unwatch() {
  // A pending wait stays: it is harmless, and the next request takes it over.
  on_gone_ = nullptr;
  if (watch_timer_ != 0) runtime_.cancel_timer(std::exchange(watch_timer_, 0));
}

bool Stream::peer_gone() const {
  return !fd_.is_open() || hung_up(fd_.native_handle());
}

void Stream::start_watch() {
  watch_pending_ = true;
  fd_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                 [self = shared_from_this()](const boost::system::error_code& error) {
                   self->watch_pending_ = false;
                   self->on_watch_event(static_cast<bool>(error));
                 });
}

void Stream::on_watch_event(bool aborted) {
  if (!on_gone_ || !fd_.is_open()) return;
  if (aborted) {
    // A write deadline cancelled every wait on this socket.
    start_watch();
    return;
  }
  char byte = 0;
  const ssize_t n = ::recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    start_watch();
  } else if (n <= 0 || hung_up(fd())) {
    fire_gone();
  } else {
    poll_later();
  }
}

void Stream::poll_later() {
  watch_timer_ = runtime_.call_at(runtime_.clock().now() + kHangUpPoll, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->watch_timer_ = 0;
    if (!self->on_gone_) return;
    if (self->peer_gone()) {
      self->fire_gone();
    } else {
      self->poll_later();
    }
  });
}

void Stream::fire_gone() {
  if (const auto fn = std::exchange(on_gone_, nullptr)) fn();
}

void Stream::close() {
  if (watch_timer_ != 0) runtime_.cancel_timer(std::exchange(watch_timer_, 0));
  if (timer_ != 0) runtime_.cancel_timer(std::exchange(timer_, 0));
  on_gone_ = nullptr;
  boost::system::error_code ignored;
  fd_.close(ignored);
}

void Stream::reset() {
  if (!fd_.is_open()) return;
  const linger hard{1, 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  close();
}

void Stream::shutdown_send() {
  if (fd_.is_open()) ::shutdown(fd(), SHUT_WR);
}

int Stream::release() {
  return fd_.release();
}

}  // namespace fh::net
