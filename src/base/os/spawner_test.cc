// Starting ourselves again: what a child gets and does not get, how its end is told, and that
// nobody outlives the process that started it.
#include "base/os/spawner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace fh::base::os {
namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 30s;  // only a broken build waits for it

std::string read_all(int fd) {
  std::string out;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(fd, buffer, sizeof buffer)) > 0;) {
    out.append(buffer, static_cast<std::size_t>(got));
  }
  return out;
}

class SpawnerTest : public testing::Test {
 protected:
  // Runs a role to its end; returns what it said on descriptor 3.
  std::string run(SpawnRequest request, ExitStatus* status = nullptr) {
    Pipe pipe = make_pipe().value();
    request.inherited.insert(request.inherited.begin(), pipe.write.get());
    ChildProcess child = spawner_.spawn(request).value();
    pipe.write.reset();
    const std::string out = read_all(pipe.read.get());
    const auto ended = child.wait(kLimit).value();
    EXPECT_TRUE(ended.has_value());
    if (status != nullptr) *status = ended.value();
    return out;
  }
  Spawner spawner_ = Spawner::create().value();
};

TEST_F(SpawnerTest, ChildGetsWhatItWasGivenAndNothingElse) {
  // Descriptors without close-on-exec, as a careless library leaves them: they must not reach the
  // child.
  const Fd leaky(open("/dev/zero", O_RDONLY));
  const Fd leaky_high(fcntl(leaky.get(), F_DUPFD, 200));
  const Fd extra(open("/dev/null", O_RDONLY | O_CLOEXEC));
  setenv("SECRET_KEY", "sk-1", 1);
  signal(SIGPIPE, SIG_IGN);
  sigset_t block;
  sigset_t before;
  sigemptyset(&block);
  sigaddset(&block, SIGTERM);
  sigprocmask(SIG_BLOCK, &block, &before);
  const std::string out =
      run({{"--role=test-describe", "two words", ""}, {"A=1", "B="}, {extra.get()}});
  sigprocmask(SIG_SETMASK, &before, nullptr);
  signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(out,
            "arg --role=test-describe\narg two words\narg \nenv A=1\nenv B=\n"
            "fd 0\nfd 1\nfd 2\nfd 3\nfd 4\nstdin null\nsigterm blocked 0\nsigpipe default true\n"
            "session leader true\n");
}

TEST_F(SpawnerTest, DescriptorsArriveInOrderWhateverTheirNumbersHere) {
  // The wanted numbers are taken here by other descriptors of the same request, in the opposite
  // order.
  std::vector<Pipe> pipes;
  SpawnRequest request{{"--role=test-describe"}, {}, {}};
  for (int i = 0; i < 20; ++i) pipes.push_back(make_pipe().value());
  for (auto pipe = pipes.rbegin(); pipe != pipes.rend(); ++pipe) {
    request.inherited.push_back(pipe->write.get());
    request.inherited.push_back(pipe->read.get());
  }
  ChildProcess child = spawner_.spawn(request).value();
  Fd reader = std::move(pipes.back().read);  // its writing end is the child's 3
  for (Pipe& pipe : pipes) pipe.write.reset();
  const std::string out = read_all(reader.get());
  EXPECT_NE(out.find("fd 42\n"), std::string::npos) << out;
  EXPECT_EQ(out.find("fd 43\n"), std::string::npos) << out;
  EXPECT_TRUE(child.wait(kLimit).value().value().clean());
}

TEST_F(SpawnerTest, EndIsToldInWords) {
  ExitStatus status;
  run({{"--role=test-exit", "0"}, {}, {}}, &status);
  EXPECT_TRUE(status.clean());
  run({{"--role=test-exit", "3"}, {}, {}}, &status);
  EXPECT_FALSE(status.clean());
  EXPECT_EQ(status.text(), "exit code 3");

  ChildProcess child = spawner_.spawn({{"--role=test-sleep"}, {}, {}}).value();
  EXPECT_TRUE(child.running());
  EXPECT_FALSE(child.wait(0ms).value().has_value());
  EXPECT_TRUE(child.kill(SIGKILL));
  EXPECT_EQ(child.wait(kLimit).value().value().text(), "killed by signal 9 (SIGKILL)");
  EXPECT_FALSE(child.running());
  EXPECT_TRUE(child.kill(SIGKILL));  // of one that has ended: nothing happens
}

TEST_F(SpawnerTest, DestroyingTheOwnerKillsAndReaps) {
  Pipe pipe = make_pipe().value();
  pid_t pid = -1;
  {
    ChildProcess child = spawner_.spawn({{"--role=test-sleep"}, {}, {pipe.write.get()}}).value();
    pid = child.pid();
    pipe.write.reset();
    ChildProcess moved = std::move(child);
    EXPECT_FALSE(child.running());
    EXPECT_TRUE(moved.running());
  }
  EXPECT_EQ(read_all(pipe.read.get()), "");
  EXPECT_NE(kill(pid, 0), 0);  // not even a zombie is left
}

TEST_F(SpawnerTest, ChildrenDieWithTheirParent) {
  Pipe pipe = make_pipe().value();
  ChildProcess parent = spawner_.spawn({{"--role=test-parent"}, {}, {pipe.write.get()}}).value();
  pipe.write.reset();
  char line[16] = {};
  ASSERT_GT(read(pipe.read.get(), line, sizeof line), 0);  // the grandchild's process id: it runs
  EXPECT_GT(std::atoi(line), 0);
  ASSERT_TRUE(parent.kill(SIGKILL));
  ASSERT_TRUE(parent.wait(kLimit).value().has_value());
  // The grandchild holds the pipe open; its end comes when it is dead.
  pollfd wait{pipe.read.get(), POLLIN, 0};
  ASSERT_EQ(poll(&wait, 1, 30'000), 1);
  char byte = 0;
  EXPECT_EQ(read(pipe.read.get(), &byte, 1), 0);
}

TEST_F(SpawnerTest, StartsTheSameProgramUnderTheFixedName) {
  Pipe pipe = make_pipe().value();
  ChildProcess child = spawner_.spawn({{"--role=test-sleep"}, {}, {}}).value();
  const std::string process = "/proc/" + std::to_string(child.pid());
  char ours[4096] = {};
  char theirs[4096] = {};
  ASSERT_GT(readlink("/proc/self/exe", ours, sizeof ours - 1), 0);
  ASSERT_GT(readlink((process + "/exe").c_str(), theirs, sizeof theirs - 1), 0);
  EXPECT_STREQ(ours, theirs);
  const Fd file(open((process + "/cmdline").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(read_all(file.get()), std::string("freehold\0--role=test-sleep\0", 27));
}

TEST(MinimalEnvironment, LeavesKeysBehind) {
  setenv("OPENAI_API_KEY", "sk-1", 1);
  setenv("TZ", "UTC", 1);
  const std::vector<std::string> environment = minimal_environment();
  unsetenv("OPENAI_API_KEY");
  unsetenv("TZ");
  bool zone = false;
  for (const std::string& entry : environment) {
    EXPECT_FALSE(entry.starts_with("OPENAI")) << entry;
    zone = zone || entry == "TZ=UTC";
  }
  EXPECT_TRUE(zone);
}

}  // namespace
}  // namespace fh::base::os
