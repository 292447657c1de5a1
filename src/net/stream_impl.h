#pragma once
// A connected socket with deadlines, used by the server and the client. Reading and writing are
// plain non-blocking system calls made at once (most succeed); only when the socket is not ready
// does a coroutine wait in the event loop. Not for other folders. Loop's thread only; held by
// shared_ptr because callbacks of the loop refer to it.

#include <sys/types.h>
#include <sys/uio.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/result.h"
#include "net/runtime_impl.h"

namespace fh::net {

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  // Takes ownership of a non-blocking descriptor.
  Stream(Runtime& runtime, int fd);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // recv(2) without waiting: bytes read, 0 at the end of the peer's data, -errno (-EAGAIN: nothing
  // there).
  ssize_t try_read(std::span<char> into);
  Task<base::Status> wait_readable(base::TimePoint deadline);
  Task<base::Status> wait_writable(base::TimePoint deadline);
  // Writes everything; `parts` is used up. The deadline starts anew with each progress. The data
  // must live until the task is done.
  Task<base::Status> write_all(std::span<iovec> parts, std::int64_t stall_timeout_ms);
  // Like write_all for what fits at once: the bytes written or -errno; moves `parts` past them.
  static ssize_t try_write(int fd, std::span<iovec>& parts);

  // Calls fn once when the peer closes or resets, until unwatch(). Closing the sending half counts
  // as going away.
  void watch(std::function<void()> fn);
  void unwatch();
  // Asks the kernel now.
  bool peer_gone() const;

  // Ends a pending wait with an error; later waits fail as well. Bytes that were written still go
  // out.
  void close();
  // Closes with a reset: the peer sees an error instead of an orderly end.
  void reset();
  // The peer reads the end of our data; we can still read.
  void shutdown_send();
  bool is_open() const { return fd_.is_open(); }
  int fd() { return fd_.native_handle(); }
  // Gives the descriptor away.
  int release();
  Runtime& runtime() { return runtime_; }

 private:
  Task<base::Status> wait(boost::asio::posix::descriptor_base::wait_type type,
                          base::TimePoint deadline);
  void arm(base::TimePoint deadline);
  void on_timer();
  void start_watch();
  void on_watch_event(bool aborted);
  void poll_later();
  void fire_gone();

  Runtime& runtime_;
  mutable boost::asio::posix::stream_descriptor fd_;
  Runtime::TimerId timer_ = 0;
  base::TimePoint timer_due_{};
  base::TimePoint deadline_{};
  bool waiting_ = false;
  bool timed_out_ = false;
  std::function<void()> on_gone_;
  bool watch_pending_ = false;
  Runtime::TimerId watch_timer_ = 0;
};

}  // namespace fh::net
