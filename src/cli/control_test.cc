// The control protocol: every message survives its trip; nothing malformed or out of bounds is let
// in; the client tells apart what it is told.
#include "cli/control.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "base/random.h"

namespace fh::cli {
namespace {

using base::os::Fd;
using base::os::make_socketpair;
using base::os::send_message;
using base::os::SocketKind;

StartWorker good_start() {
  return {"qwen2.5-coder:1.5b", std::string(64, 'a'), 8192, 4, 2, {"--kv-type=q8_0", "--mmap=1"}};
}

std::vector<ControlMessage> every_message() {
  return {good_start(),
          StopWorker{"m"},
          GatewayReady{},
          GatewayFailed{4, "cannot open /none: No such file or directory", "look there"},
          WorkerStarted{"m", 4711, 3},
          WorkerExited{"m", 3, "killed by signal 6 (SIGABRT)", 400},
          Drain{600'000},
          Ping{},
          Pong{}};
}

TEST(Control, EveryMessageSurvivesItsTrip) {
  for (const ControlMessage& message : every_message()) {
    const auto bytes = encode_control(message);
    ASSERT_TRUE(bytes) << bytes.error().text();
    EXPECT_LE(bytes->size(), kControlBytesMax);
    EXPECT_TRUE(decode_control(*bytes) == message) << message.index();
  }
}

TEST(Control, LayoutIsTheDocumentedOne) {
  EXPECT_EQ(encode_control(StopWorker{"ab"}).value(), std::string("FHCT\1\0\2\0\2\0ab", 12));
  EXPECT_EQ(encode_control(Drain{0x01020304}).value(), std::string("FHCT\1\0\x12\0\4\3\2\1", 12));
}

TEST(Control, WhyAGatewayFailedIsCutAndMadePrintable) {
  const GatewayFailed failed = gateway_failed(
      {base::Code::DataLoss, "a\x1b[2J\nb" + std::string(2000, 'x'), std::string(1, '\0'), {}, {}});
  EXPECT_EQ(failed.message, "a [2J b" + std::string(1017, 'x'));
  EXPECT_EQ(failed.hint, " ");
  EXPECT_TRUE(encode_control(failed));
  EXPECT_FALSE(encode_control(GatewayFailed{0, "a\x1b", ""}));
  EXPECT_FALSE(encode_control(GatewayFailed{999, "a", ""}));
}

TEST(Control, TheLargestMessageFits) {
  StartWorker large = good_start();
  large.model_id = std::string(128, 'm');
  large.flags.assign(16, "--" + std::string(60, 'n') + "=" + std::string(65, 'v'));
  EXPECT_LE(encode_control(large).value().size(), kControlBytesMax);
}

TEST(Control, NoPrefixAndNoExtensionOfAMessageIsOne) {
  for (const ControlMessage& message : every_message()) {
    const std::string bytes = encode_control(message).value();
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_FALSE(decode_control(bytes.substr(0, length))) << message.index() << " " << length;
    }
    EXPECT_FALSE(decode_control(bytes + '\0')) << message.index();
  }
}

TEST(Control, ChangedBytesNeverLeaveTheBounds) {
  base::SeededRandom random(11);
  for (int round = 0; round < 20'000; ++round) {
    const auto messages = every_message();
    std::string bytes = encode_control(messages[random.below(messages.size())]).value();
    for (std::uint64_t i = 0; i <= random.below(3); ++i) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    const auto decoded = decode_control(bytes);
    // Whatever is let in can be sent again: decoding checks what encoding checks.
    if (decoded) EXPECT_EQ(encode_control(*decoded).value(), bytes);
  }
}

TEST(Control, AnotherVersionIsRefusedByName) {
  std::string bytes = encode_control(GatewayReady{}).value();
  bytes[4] = 2;
  EXPECT_EQ(decode_control(bytes).error().message, "a control message of version 2, not 1");
}

TEST(Control, FieldsThatCouldReachBeyondTheStoreAreRefused) {
  const auto refused = [](auto change) {
    StartWorker m = good_start();
    change(m);
    return !encode_control(m).has_value();
  };
  EXPECT_FALSE(refused([](StartWorker&) {}));
  EXPECT_TRUE(refused([](StartWorker& m) { m.model_id = ""; }));
  EXPECT_TRUE(refused([](StartWorker& m) { m.model_id = "--role"; }));
  EXPECT_TRUE(refused([](StartWorker& m) { m.model_id = "a b"; }));
  EXPECT_TRUE(refused([](StartWorker& m) { m.model_id = std::string(129, 'm'); }));
  EXPECT_TRUE(refused([](StartWorker& m) { m.blob_sha256 = "../../etc/passwd"; }));
  EXPECT_TRUE(refused([](StartWorker& m) { m.blob_sha256[0] = 'A'; }));
  EXPECT_TRUE(refused([](StartWorker& m) { m.blob_sha256 += 'a'; }));
  for (const char* flag : {"--model-file=x", "--role=gateway", "--context=1", "--x", "x=1", "--=1",
                           "-x=1", "--a=/etc/passwd", "--a=b c", "--A=b", "--a=b\n"}) {
    EXPECT_TRUE(refused([&](StartWorker& m) { m.flags = {flag}; })) << flag;
  }
  EXPECT_TRUE(refused([](StartWorker& m) { m.flags.assign(17, "--a=b"); }));
  EXPECT_TRUE(refused([](StartWorker& m) { m.flags = {"--a=" + std::string(125, 'b')}; }));
}

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    auto sockets = make_socketpair(SocketKind::Message).value();
    supervisor_ = std::move(sockets.first);
    client_ = ControlClient::start(
                  std::move(sockets.second),
                  {[this](WorkerStarted m, Fd fd) {
                     const bool open = fcntl(fd.get(), F_GETFD) >= 0;
                     add("started " + m.model_id + (open ? " open" : " closed"));
                   },
                   [this](WorkerExited m) { add("exited " + m.description); },
                   [this](Drain m) { add("drain " + std::to_string(m.limit_ms)); },
                   [this] { add("ping"); },
                   [this](base::Status s) { add(s ? "lost" : "lost: " + s.error().message); }})
                  .value();
  }
  void tell(const ControlMessage& message, std::span<const int> fds = {}) {
    ASSERT_TRUE(send_message(supervisor_.get(), encode_control(message).value(), fds));
  }
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return seen_.size() >= count; });
    return seen_;
  }
  void add(std::string text) {
    const std::scoped_lock lock(mutex_);
    seen_.push_back(std::move(text));
    changed_.notify_one();
  }
  Fd supervisor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> seen_;
  std::unique_ptr<ControlClient> client_;
};

TEST_F(ClientTest, HearsTheSupervisorInOrder) {
  const int fds[] = {supervisor_.get()};
  tell(WorkerStarted{"m", 1, 1}, fds);
  tell(WorkerExited{"m", 1, "exit code 1", 100});
  tell(Drain{5});
  tell(Ping{});
  supervisor_.reset();
  EXPECT_EQ(wait_for(5), (std::vector<std::string>{"started m open", "exited exit code 1",
                                                   "drain 5", "ping", "lost"}));
}

TEST_F(ClientTest, AWorkerWithoutItsSocketEndsTheTrust) {
  tell(WorkerStarted{"m", 1, 1});
  tell(Drain{5});  // no more is heard
  supervisor_.reset();
  EXPECT_EQ(wait_for(1),
            std::vector<std::string>{"lost: a worker was announced without its socket"});
}

TEST_F(ClientTest, SpeaksToTheSupervisor) {
  ASSERT_TRUE(client_->start_worker(good_start()));
  ASSERT_TRUE(client_->stop_worker("m"));
  ASSERT_TRUE(client_->ready());
  ASSERT_TRUE(client_->pong());
  EXPECT_EQ(client_->stop_worker("").error().field, "model_id");
  for (const ControlMessage& expected :
       {ControlMessage(good_start()), ControlMessage(StopWorker{"m"}),
        ControlMessage(GatewayReady{}), ControlMessage(Pong{})}) {
    const auto message = base::os::receive_message(supervisor_.get(), kControlBytesMax).value();
    EXPECT_TRUE(decode_control(message.value().bytes) == expected);
  }
}

}  // namespace
}  // namespace fh::cli
