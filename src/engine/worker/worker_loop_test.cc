// What a worker writes, one send call a message: the ends of a SOCK_SEQPACKET pair keep them apart.
#include "engine/worker/worker_loop.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/remote/remote_test_support.h"
#include "engine/together.h"

namespace fh::engine {
namespace {

constexpr std::uint64_t kId = 7;

class Gateway {
 public:
  Gateway() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds_.data()), 0); }
  ~Gateway() { ::close(fds_[0]); }
  int far_end() const { return fds_[1]; }

  void send(FrameType type, std::string payload) const {
    const auto bytes = *protocol::encode_frame({type, kId, std::move(payload)});
    EXPECT_EQ(::send(fds_[0], bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // The frames about the request in the next message that has any.
  std::vector<protocol::Frame> next_message() {
    std::vector<protocol::Frame> frames;
    std::array<char, 65536> buffer{};
    while (frames.empty()) {
      const ssize_t got = ::recv(fds_[0], buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      EXPECT_TRUE(decoder_.feed({buffer.data(), static_cast<std::size_t>(got)}));
      while (auto frame = decoder_.next()) {
        if (frame->id == kId) frames.push_back(*std::move(frame));
      }
    }
    return frames;
  }

 private:
  std::array<int, 2> fds_{};
  protocol::FrameDecoder decoder_{protocol::Sender::Worker};
};

// Gives out a whole answer from start(), in one piece or event by event.
class InstantEngine final : public Engine {
 public:
  explicit InstantEngine(bool together) : together_(together) {}
  ModelInfo info() const override { return {}; }
  EngineStatus status() const override { return {}; }
  Ticket prepare(PrepareRequest, PrepareFn done) override {
    done(Prepared{1, 10, 100, 90});
    return 1;
  }
  void start(Ticket, EventFn on_event) override {
    if (!together_) return answer(on_event);
    const Together all;
    answer(on_event);
  }
  void cancel(Ticket) override {}

 private:
  static void answer(const EventFn& on_event) {
    on_event(d::Started{10, {}});
    on_event(d::TextDelta{"one", {}});
    on_event(d::TextDelta{" two", {}});
    d::Finished end;
    end.reason = d::EndReason::Complete;
    on_event(end);
  }
  const bool together_;
};

bool ends(const protocol::Frame& frame) {
  const auto event = protocol::parse_event(frame.payload);
  EXPECT_TRUE(event);
  return event && d::is_terminal(*event);
}

// How many frames each message of an answer had.
std::vector<std::size_t> messages_of(bool together) {
  Gateway gateway;
  InstantEngine engine(together);
  base::Status result;
  std::thread worker([&] { result = run_worker(gateway.far_end(), engine); });
  gateway.send(FrameType::Prepare, protocol::write_prepare(ask("hello")));
  EXPECT_EQ(gateway.next_message().at(0).type, FrameType::Prepared);
  gateway.send(FrameType::Start, {});
  std::vector<std::size_t> sizes;
  for (bool over = false; !over;) {
    const std::vector<protocol::Frame> frames = gateway.next_message();
    if (frames.empty()) break;
    sizes.push_back(frames.size());
    over = ends(frames.back());
  }
  gateway.send(FrameType::Shutdown, {});
  worker.join();
  EXPECT_TRUE(result);
  ::close(gateway.far_end());
  return sizes;
}

TEST(WorkerLoop, WhatComesTogetherIsWrittenInOneCall) {
  EXPECT_EQ(messages_of(true), (std::vector<std::size_t>{4}));
}

TEST(WorkerLoop, WhatComesByItselfIsWrittenAtOnce) {
  EXPECT_EQ(messages_of(false), (std::vector<std::size_t>{1, 1, 1, 1}));
}

// Never answers, and says what it was told to give up.
class ThinkingEngine final : public Engine {
 public:
  ModelInfo info() const override { return {}; }
  EngineStatus status() const override { return {}; }
  Ticket prepare(PrepareRequest, PrepareFn done) override {
    done_ = std::move(done);
    return 5;
  }
  void start(Ticket, EventFn) override {}
  void cancel(Ticket ticket) override {
    given_up = ticket;
    if (done_) std::exchange(done_, {})(base::fail(base::Code::Cancelled, "given up"));
  }
  Ticket given_up = 0;

 private:
  PrepareFn done_;
};

TEST(WorkerLoop, ACancelReachesWhatIsBeingPrepared) {
  for (const bool by_cancel : {true, false}) {
    Gateway gateway;
    ThinkingEngine engine;
    base::Status result;
    std::thread worker([&] { result = run_worker(gateway.far_end(), engine); });
    gateway.send(FrameType::Prepare, protocol::write_prepare(ask("hello")));
    if (by_cancel) {
      gateway.send(FrameType::Cancel, {});
      gateway.send(FrameType::Ping, {});  // so that there is an answer in any case
      EXPECT_EQ(gateway.next_message().at(0).type, FrameType::PrepareFailed);
    }
    gateway.send(FrameType::Shutdown, {});  // what is left is given up too
    worker.join();
    EXPECT_TRUE(result);
    EXPECT_EQ(engine.given_up, 5U);
    ::close(gateway.far_end());
  }
}

}  // namespace
}  // namespace fh::engine
