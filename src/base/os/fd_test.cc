// Descriptors: ownership, close-on-exec, messages with descriptors and their bounds, the reading
// thread.
#include "base/os/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "base/os/channel.h"

namespace fh::base::os {
namespace {

bool is_open(int fd) {
  return fcntl(fd, F_GETFD) >= 0;
}
bool closes_on_exec(int fd) {
  return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

TEST(Fd, OwnsAndCloses) {
  int number = -1;
  {
    Pipe pipe = make_pipe().value();
    number = pipe.read.get();
    const Fd moved = std::move(pipe.read);
    EXPECT_EQ(pipe.read.get(), -1);
    EXPECT_TRUE(is_open(number));
    EXPECT_TRUE(closes_on_exec(number));
    EXPECT_TRUE(closes_on_exec(pipe.write.get()));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, WholeReadsAndWritesPassShortOnes) {
  auto [a, b] = make_socketpair(SocketKind::Stream).value();
  EXPECT_TRUE(closes_on_exec(a.get()) && closes_on_exec(b.get()));
  ASSERT_TRUE(write_full(a.get(), "abc"));
  ASSERT_TRUE(write_full(a.get(), "def"));
  a.reset();
  std::byte bytes[8] = {};
  EXPECT_EQ(read_full(b.get(), bytes).value(), 6U);
  EXPECT_EQ(static_cast<char>(bytes[5]), 'f');
}

TEST(Message, KeepsItsBordersAndCarriesDescriptors) {
  auto [a, b] = make_socketpair(SocketKind::Message).value();
  Pipe pipe = make_pipe().value();
  const int fds[] = {pipe.write.get(), pipe.read.get()};
  ASSERT_TRUE(send_message(a.get(), "one", fds));
  ASSERT_TRUE(send_message(a.get(), "two"));
  Message first = receive_message(b.get(), 100).value().value();
  const Message second = receive_message(b.get(), 100).value().value();
  EXPECT_EQ(first.bytes, "one");
  EXPECT_EQ(second.bytes, "two");
  EXPECT_TRUE(second.fds.empty());
  ASSERT_EQ(first.fds.size(), 2U);
  EXPECT_TRUE(closes_on_exec(first.fds[0].get()));
  ASSERT_TRUE(write_full(first.fds[0].get(), "x"));
  char byte = 0;
  EXPECT_EQ(read(pipe.read.get(), &byte, 1), 1);  // the same pipe
  a.reset();
  EXPECT_FALSE(receive_message(b.get(), 100).value().has_value());
}

TEST(Message, OversizeIsRefusedAndItsDescriptorsClosed) {
  auto [a, b] = make_socketpair(SocketKind::Message).value();
  Pipe pipe = make_pipe().value();
  const int fds[] = {pipe.write.get()};
  ASSERT_TRUE(send_message(a.get(), "too long", fds));
  const auto refused = receive_message(b.get(), 4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::InvalidArgument);
  pipe.write.reset();
  char byte = 0;
  EXPECT_EQ(read(pipe.read.get(), &byte, 1), 0);  // no copy of the writing end is left anywhere
}

TEST(Message, ASenderNeverWaitsForAReaderThatDoesNotRead) {
  auto [a, b] = make_socketpair(SocketKind::Message).value();
  ASSERT_TRUE(set_nonblocking(a.get(), true));
  Status status;
  for (int i = 0; i < 100'000 && status; ++i) status = send_message(a.get(), "m");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::ResourceExhausted);
  b.reset();
  status = send_message(a.get(), "m");  // no SIGPIPE
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::Unavailable);
}

class Collected {
 public:
  MessageReader::Callbacks callbacks() {
    return {[this](Message m) { add(std::move(m.bytes)); },
            [this](const Status& s) { add(s ? "closed" : "error"); }};
  }
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return seen_.size() >= count; });
    return seen_;
  }

 private:
  void add(std::string text) {
    const std::scoped_lock lock(mutex_);
    seen_.push_back(std::move(text));
    changed_.notify_one();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> seen_;
};

TEST(MessageReader, DeliversInOrderThenTellsTheEnd) {
  auto [a, b] = make_socketpair(SocketKind::Message).value();
  Collected seen;
  const auto reader = MessageReader::start(b.get(), 16, seen.callbacks()).value();
  ASSERT_TRUE(send_message(a.get(), "1"));
  ASSERT_TRUE(send_message(a.get(), "2"));
  a.reset();
  EXPECT_EQ(seen.wait_for(3), (std::vector<std::string>{"1", "2", "closed"}));
}

TEST(MessageReader, StopsAtAnOversizeMessage) {
  auto [a, b] = make_socketpair(SocketKind::Message).value();
  Collected seen;
  const auto reader = MessageReader::start(b.get(), 2, seen.callbacks()).value();
  ASSERT_TRUE(send_message(a.get(), "123"));
  EXPECT_EQ(seen.wait_for(1), std::vector<std::string>{"error"});
}

TEST(MessageReader, EndsWithoutACallbackWhenDestroyed) {
  auto [a, b] = make_socketpair(SocketKind::Message).value();
  Collected seen;
  MessageReader::start(b.get(), 16, seen.callbacks()).value().reset();
  ASSERT_TRUE(send_message(a.get(), "late"));
  EXPECT_TRUE(seen.wait_for(0).empty());
}

}  // namespace
}  // namespace fh::base::os
