// A watched descriptor calls once per arrival, not after its watch has gone, and not for ever.

#include "net/read_watch.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>

namespace fh::net {
namespace {

class Pair {
 public:
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0); }
  ~Pair() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int near() const { return ends_[0]; }
  void say(const std::string& text) const {
    EXPECT_EQ(::send(ends_[1], text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  std::string heard() const {
    std::array<char, 64> bytes{};
    const ssize_t got = ::recv(ends_[0], bytes.data(), bytes.size(), MSG_DONTWAIT);
    return got > 0 ? std::string(bytes.data(), static_cast<std::size_t>(got)) : std::string();
  }
  void hang_up() const { ::shutdown(ends_[1], SHUT_RDWR); }

 private:
  std::array<int, 2> ends_{};
};

TEST(ReadWatch, CallsForWhatArrivesBeforeAndAfterItsStart) {
  base::ManualClock clock;
  Runtime runtime(clock);
  const Pair pair;
  pair.say("early");
  std::string all;
  int calls = 0;
  const ReadWatch watch(runtime, pair.near(), [&] {
    ++calls;
    all += pair.heard();
  });
  runtime.poll();
  EXPECT_EQ(all, "early");
  runtime.poll();
  const int before = calls;
  pair.say(" late");
  runtime.poll();
  EXPECT_EQ(all, "early late");
  EXPECT_GT(calls, before);
}

TEST(ReadWatch, WhatIsLeftUnreadIsAnnouncedAgain) {
  base::ManualClock clock;
  Runtime runtime(clock);
  const Pair pair;
  int calls = 0;
  std::unique_ptr<ReadWatch> watch;
  watch = std::make_unique<ReadWatch>(runtime, pair.near(), [&] {
    if (++calls == 3) watch.reset();  // from inside its own call
  });
  pair.say("never read");
  for (int i = 0; i < 10; ++i) runtime.poll();
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(pair.heard(), "never read");
}

TEST(ReadWatch, CallsWhenTheOtherSideHangsUpAndStaysSilentAfterItsEnd) {
  base::ManualClock clock;
  Runtime runtime(clock);
  const Pair first;
  int calls = 0;
  std::unique_ptr<ReadWatch> watch;
  watch = std::make_unique<ReadWatch>(runtime, first.near(), [&] {
    ++calls;
    watch.reset();
  });
  first.hang_up();
  runtime.poll();
  EXPECT_EQ(calls, 1);
  const Pair second;
  watch = std::make_unique<ReadWatch>(runtime, second.near(), [&] { ++calls; });
  second.say("x");
  watch.reset();
  runtime.poll();
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace fh::net
