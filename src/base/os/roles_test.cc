// The test program's main: plays a role when it was started with one (spawner_test.cc,
// sandbox_test.cc), else runs the tests. Roles report on the inherited descriptor 3.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "base/os/probe.h"
#include "base/os/sandbox.h"
#include "base/os/spawner.h"

extern char** environ;

namespace fh::base::os {
namespace {

constexpr int kReport = 3;

void say(const std::string& text) {
  if (!write_full(kReport, text)) _exit(99);
}

[[noreturn]] void sleep_for_ever() {
  for (;;) pause();
}

// Everything a child could have inherited, one fact a line.
int describe_self(const std::vector<std::string>& args) {
  for (const std::string& arg : args) say(fmt::format("arg {}\n", arg));
  for (char** entry = environ; *entry != nullptr; ++entry) say(fmt::format("env {}\n", *entry));
  DIR* dir = opendir("/proc/self/fd");
  std::vector<int> fds;
  while (const dirent* entry = readdir(dir)) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != dirfd(dir)) fds.push_back(fd);
  }
  closedir(dir);
  std::sort(fds.begin(), fds.end());
  for (const int fd : fds) say(fmt::format("fd {}\n", fd));
  struct stat in{};
  struct stat null{};
  if (fstat(0, &in) == 0 && stat("/dev/null", &null) == 0 && in.st_rdev == null.st_rdev) {
    say("stdin null\n");
  }
  sigset_t blocked;
  sigprocmask(SIG_BLOCK, nullptr, &blocked);
  say(fmt::format("sigterm blocked {}\n", sigismember(&blocked, SIGTERM)));
  struct sigaction pipe{};
  sigaction(SIGPIPE, nullptr, &pipe);
  say(fmt::format("sigpipe default {}\n", pipe.sa_handler == SIG_DFL));
  say(fmt::format("session leader {}\n", getsid(0) == getpid()));
  return 0;
}

// Starts a child that holds our descriptor 3 open, tells its process id, and waits to be killed.
int be_parent() {
  const Result<Spawner> spawner = Spawner::create();
  if (!spawner) return 1;
  const Result<ChildProcess> child = spawner->spawn({{"--role=test-sleep"}, {}, {kReport}});
  if (!child) return 1;
  say(fmt::format("{}\n", child->pid()));
  sleep_for_ever();
}

int lock_with_threads() {
  std::thread other(sleep_for_ever);
  const Result<LockLevel> level = lock_worker({});
  say(level ? "locked" : std::string(code_name(level.error().code)));
  _exit(0);
}

// What a worker needs after the lock: threads, memory, its socket, and abort().
int work_locked(bool end_by_abort) {
  const Result<LockLevel> level = lock_worker({});
  if (!level) return 1;
  int answer = 0;
  std::thread thread([&] { answer = 42; });
  thread.join();
  say(std::to_string(answer));
  if (end_by_abort) std::abort();
  return 0;
}

// Opening works before, and for no thread after, the last tightening.
int refuse_opens() {
  if (!lock_worker({.readable = {"/proc", "/etc"}, .devices = {}})) return 1;
  const auto opens = [] { return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0; };
  const bool before = opens();
  bool tell = false;
  std::atomic<bool> go{false};
  std::thread waiting([&] {
    go.wait(false);
    tell = opens();
  });
  if (!refuse_all_opens()) return 1;
  const bool after = opens();
  go = true;
  go.notify_one();
  waiting.join();
  say(fmt::format("{}{}{}", before, after, tell));
  return 0;
}

// A device that the lock names can be written; a file beside it cannot.
int use_device() {
  if (!lock_worker({.readable = {}, .devices = {"/dev/null"}})) return 1;
  const Fd device(open("/dev/null", O_RDWR | O_CLOEXEC));
  const Fd file(open("/tmp/freehold-test-device", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const Fd other(open("/dev/zero", O_RDWR | O_CLOEXEC));
  say(fmt::format("{}{}{}", bool(device), bool(file), bool(other)));
  return 0;
}

int demand_missing_path() {
  const Result<LockLevel> level = lock_worker({.readable = {"/nowhere/at/all"}, .devices = {}});
  say(level ? "locked" : std::string(code_name(level.error().code)));
  return 0;
}

// Runs the role and returns its exit code; -1 when `args` names none.
int run_test_role(const std::vector<std::string>& args) {
  if (args.empty() || !args[0].starts_with("--role=")) return -1;
  const std::string role = args[0].substr(7);
  if (role == "probe") return probe_role_main(args);
  if (role == "test-describe") return describe_self(args);
  if (role == "test-exit") return std::atoi(args.at(1).c_str());
  if (role == "test-sleep") sleep_for_ever();
  if (role == "test-parent") return be_parent();
  if (role == "test-lock-threads") return lock_with_threads();
  if (role == "test-lock-work") return work_locked(false);
  if (role == "test-lock-abort") return work_locked(true);
  if (role == "test-refuse-opens") return refuse_opens();
  if (role == "test-device") return use_device();
  if (role == "test-missing-path") return demand_missing_path();
  return 98;
}

}  // namespace
}  // namespace fh::base::os

int main(int argc, char** argv) {
  const int code = fh::base::os::run_test_role({argv + 1, argv + argc});
  if (code >= 0) return code;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
