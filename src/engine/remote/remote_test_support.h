#pragma once
// For the tests of this folder: a worker in a thread, one that says what the test says, and an
// engine beside them whose links run in threads or in an event loop.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "engine/protocol/frame.h"
#include "engine/protocol/messages.h"
#include "engine/remote/remote_engine.h"
#include "engine/scripted/scripted_engine.h"
#include "engine/test_support.h"
#include "engine/worker/worker_loop.h"
#include "net/runtime.h"

namespace fh::engine {

namespace d = domain;
using protocol::FrameType;
using testing::ask;
using testing::Recorder;
using testing::wait_until;

inline std::array<int, 2> make_pair() {
  std::array<int, 2> fds{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
  return fds;
}

inline RemoteOptions options() {
  RemoteOptions out;
  out.info.id = "far";
  out.info.context_tokens = 777;
  return out;
}

inline ScriptedOptions script(std::string_view text) {
  ScriptedOptions out;
  auto parsed = scripted::parse_script(text);
  EXPECT_TRUE(parsed) << parsed.error().message;
  out.script = *std::move(parsed);
  return out;
}

// A worker with a scripted engine in a thread of this process.
class ThreadWorker {
 public:
  ThreadWorker(int fd, std::string_view text, WorkerOptions worker_options = {})
      : fd_(fd),
        engine_(script(text), scheduler_),
        thread_([this, worker_options] { result = run_worker(fd_, engine_, worker_options); }) {}
  ~ThreadWorker() {
    ::shutdown(fd_, SHUT_RDWR);
    join();
    ::close(fd_);
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  ScriptedEngine& engine() { return engine_; }
  base::Status result;

 private:
  int fd_;
  ThreadScheduler scheduler_;
  ScriptedEngine engine_;
  std::thread thread_;
};

// A worker, or a gateway, that says what the test says.
class HandMade {
 public:
  explicit HandMade(int fd, protocol::Sender peer = protocol::Sender::Gateway)
      : fd_(fd), decoder_(peer) {}
  ~HandMade() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void send(FrameType type, std::uint64_t id, std::string payload) {
    const auto bytes = *protocol::encode_frame({type, id, std::move(payload)});
    send_raw(bytes);
  }
  void send_raw(std::string_view bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // False: the other end is closed.
  bool try_send(std::string_view bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  void greet(ModelState state = ModelState::Ready) {
    send(FrameType::Hello, 0, protocol::write_hello({protocol::kVersion, 1, "none"}));
    info(state);
  }
  void info(ModelState state, std::string detail = {}) {
    ModelInfo model;
    model.id = "what the worker calls it";
    model.context_tokens = 1234;
    model.state = state;
    model.detail = std::move(detail);
    send(FrameType::Info, 0, protocol::write_info(model));
  }
  // The next frame of a type; nullopt at the end of the stream.
  std::optional<protocol::Frame> receive(FrameType type) {
    while (true) {
      while (auto frame = decoder_.next()) {
        if (frame->type == type) return frame;
      }
      std::array<char, 4096> buffer{};
      const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (got <= 0) return std::nullopt;
      EXPECT_TRUE(decoder_.feed({buffer.data(), static_cast<std::size_t>(got)}));
    }
  }
  void prepared(std::uint64_t id) {
    send(FrameType::Prepared, id, protocol::write_prepared({0, 10, 100, 90}));
  }
  void event(std::uint64_t id, const d::Event& event) {
    send(FrameType::Event, id, protocol::write_event(event));
  }

 private:
  int fd_;
  protocol::FrameDecoder decoder_;
};

enum class LinksRun : std::uint8_t { InThreads, InALoop };

class RemoteTest : public ::testing::TestWithParam<LinksRun> {
 protected:
  RemoteTest() { open(options()); }
  ~RemoteTest() override { shut(); }
  void open(RemoteOptions remote_options) {
    shut();
    if (GetParam() == LinksRun::InALoop) {
      runtime_ = std::make_unique<net::Runtime>(clock_);
      loop_ = std::thread([this] { runtime_->run(); });
      remote_options.runtime = runtime_.get();
    }
    remote_.emplace(std::move(remote_options), scheduler_);
    remote_->set_lost([this](base::Error why) {
      const std::lock_guard lock(mutex_);
      losses_.push_back(std::move(why));
    });
    remote_->set_wanted([this] { ++wanted_; });
  }
  // The loop ends before what it reads for.
  void shut() {
    if (runtime_) {
      runtime_->stop();
      loop_.join();
    }
    remote_.reset();
    if (runtime_) runtime_->abandon();
    runtime_.reset();
  }
  std::size_t losses() {
    const std::lock_guard lock(mutex_);
    return losses_.size();
  }
  base::Error loss(std::size_t i) {
    const std::lock_guard lock(mutex_);
    return losses_.at(i);
  }
  std::unique_ptr<HandMade> hand_made() {
    const auto fds = make_pair();
    EXPECT_TRUE(remote_->attach(fds[0], 4242));
    return std::make_unique<HandMade>(fds[1]);
  }
  std::unique_ptr<ThreadWorker> worker(std::string_view text, WorkerOptions worker_options = {}) {
    const auto fds = make_pair();
    EXPECT_TRUE(remote_->attach(fds[0], 4242));
    return std::make_unique<ThreadWorker>(fds[1], text, std::move(worker_options));
  }
  std::shared_ptr<Recorder> prepare(PrepareRequest request) {
    auto recorder = Recorder::make();
    remote_->prepare(std::move(request), recorder->on_prepared());
    return recorder;
  }
  std::shared_ptr<Recorder> started(PrepareRequest request) {
    auto recorder = prepare(std::move(request));
    EXPECT_TRUE(wait_until([&] { return recorder->prepared().has_value(); }));
    EXPECT_TRUE(recorder->prepared()->has_value());
    remote_->start((*recorder->prepared())->ticket, recorder->on_event());
    return recorder;
  }
  static bool has_text(const Recorder& recorder) { return !recorder.text().empty(); }

  base::SystemClock clock_;
  ThreadScheduler scheduler_;
  std::unique_ptr<net::Runtime> runtime_;
  std::thread loop_;
  std::mutex mutex_;
  std::vector<base::Error> losses_;
  std::atomic<int> wanted_ = 0;
  std::optional<RemoteEngine> remote_;
};

}  // namespace fh::engine
