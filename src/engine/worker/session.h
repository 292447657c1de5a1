#pragma once
// One worker's connection to its gateway while run_worker runs: the table of requests and the write
// queue. Engine callbacks hold it by shared pointer, so that one that comes late finds it closed
// instead of gone.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "engine/engine.h"
#include "engine/protocol/frame.h"
#include "engine/worker/worker_loop.h"

namespace fh::engine::worker {

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(int fd, Engine& engine, WorkerOptions options);

  // Until the end; see run_worker. Call once.
  base::Status read_loop();
  // Until close(); the body of the writing thread.
  void write_loop() noexcept;
  // Ends both loops; the first reason counts. Any thread.
  void close(base::Status reason);
  base::Status reason() const;
  // Cancels what is left in the engine. After both loops.
  void cancel_all();
  // Writes or queues a frame unless the session is closed; inside a Together it goes out with the
  // others at the end. Any thread, never waits.
  void send(protocol::FrameType type, std::uint64_t id, std::string payload);

 private:
  enum class Phase : std::uint8_t { Preparing, Prepared, Started };
  struct Request {
    Phase phase = Phase::Preparing;
    Ticket ticket = 0;  // 0 while the engine has not said it, and where there is none
    bool cancelled = false;
  };

  base::Status handle(const protocol::Frame& frame);
  base::Status handle_prepare(const protocol::Frame& frame);
  void handle_start(std::uint64_t id);
  void handle_cancel(std::uint64_t id);
  void on_prepared(std::uint64_t id, bool count_only, base::Result<Prepared> result);
  void on_event(std::uint64_t id, domain::Event event);
  void send_event(std::uint64_t id, const domain::Event& event);
  void send_failure(std::uint64_t id, base::Error error);
  void report_changes();
  base::Status write_all(std::string_view bytes);
  bool write_at_once(std::string& bytes) const;
  void flush();
  bool closed() const;

  const int fd_;
  Engine& engine_;
  const WorkerOptions options_;
  std::optional<std::string> last_info_;    // writing thread only
  std::optional<std::string> last_status_;  // writing thread only

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> outbox_;
  std::size_t outbox_bytes_ = 0;
  bool writing_ = false;  // the writing thread holds a batch that comes before anything new
  std::optional<base::Status> closed_;
  std::map<std::uint64_t, Request> requests_;
};

}  // namespace fh::engine::worker
