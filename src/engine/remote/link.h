#pragma once
// One connection to one worker process: reads frames and writes what is queued, in the event loop
// of whoever uses the engine, or on a thread of its own. What the socket takes at once is written
// by the sender itself, which saves a change of threads. The queue is bounded and adding to it
// never waits. While the clients' side holds too much of what came from here, nothing is read.
// RemoteEngine owns links; a new worker gets a new one.

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/result.h"
#include "engine/backlog.h"
#include "engine/protocol/frame.h"
#include "net/read_watch.h"
#include "net/runtime.h"

namespace fh::engine::remote {

class Link : public std::enable_shared_from_this<Link> {
 public:
  struct Handlers {
    std::function<base::Status(protocol::Frame)> on_frame;  // an error ends the link
    std::function<void(base::Error)> on_closed;             // once, last
  };
  struct Limits {
    std::size_t outbox_max_bytes = 0;
    base::Duration stall_max{};       // the worker takes no byte
    net::Runtime* runtime = nullptr;  // whose loop reads and writes; null: a thread of its own
    std::shared_ptr<const Backlog> backlog;  // null: there is no bound
    std::size_t backlog_max_bytes = 0;
  };
  // Takes `fd`, also on error. Handlers run on the link's thread: the loop's, or its own.
  static base::Result<std::shared_ptr<Link>> open(int fd, Limits limits, Handlers handlers);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void start();
  // False if the queue is full. Once closed, what is sent is dropped: on_closed tells. Any thread.
  bool send(std::string frame_bytes);
  // For the few bytes of control frames, which must not be lost to a full queue.
  void send_control(std::string frame_bytes);
  // The first reason counts. Any thread.
  void close(base::Error why);
  // Waits for the thread; called on that very thread it lets it end by itself instead. In a loop:
  // ends the link here and now if it has not ended; on the loop's thread or after the loop's end.
  void join();

 private:
  Link(int fd, int wake_fd, Limits limits, Handlers handlers);
  void run() noexcept;
  void finish();
  void watch();
  void on_readable();
  bool backlogged();
  void read_later();
  void woken();
  void write_backlog();
  bool enqueue(std::string frame_bytes, bool bounded);
  void wake();
  base::Status wait_ready(bool& readable);
  base::Status read_some();
  base::Status write_some();
  std::optional<base::Error> closed() const;

  const int fd_;
  const int wake_fd_;
  const Limits limits_;
  Handlers handlers_;
  protocol::FrameDecoder decoder_{protocol::Sender::Worker};  // link thread only
  std::string buffer_;                                        // link thread only
  base::SystemClock clock_;
  base::TimePoint
      progress_at_{};  // link thread only: the worker last took bytes, or had none to take

  mutable std::mutex mutex_;
  std::deque<std::string> outbox_;
  std::size_t outbox_bytes_ = 0;
  std::size_t front_sent_ = 0;
  std::optional<base::Error> closed_;
  std::unique_ptr<net::ReadWatch> watch_;  // loop's thread only, as are the next two
  bool writing_later_ = false;
  bool finished_ = false;
  bool told_backlog_ = false;  // link thread only
  std::thread thread_;
};

}  // namespace fh::engine::remote
