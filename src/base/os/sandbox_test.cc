// The locks, on this kernel: the probe gets out without one and not with it; a locked worker can
// still do its work; a lock that would not hold is refused.
#include "base/os/sandbox.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <map>

#include "base/os/landlock.h"
#include "base/os/probe.h"
#include "base/os/spawner.h"

namespace fh::base::os {
namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 30s;

std::map<std::string, ProbeResult> probe(ProbeLock lock) {
  const Spawner spawner = Spawner::create().value();
  const auto report = probe_in_child(spawner, lock);
  std::map<std::string, ProbeResult> out;
  if (!report) {
    ADD_FAILURE() << report.error().text();
    return out;
  }
  for (const ProbeResult& result : report->results) out[result.name] = result;
  EXPECT_EQ(out.size(), 22U) << report->level;
  return out;
}

// What the design demands a proof of, on every kernel that runs the tests.
constexpr const char* kDemanded[] = {
    "open a file outside the model folder",
    "open /etc/passwd",
    "create a file in /tmp",
    "change a file's mode",
    "socket: IPv4",
    "socket: UNIX",
    "connect by TCP",
    "send by UDP",
    "reconnect an inherited TCP socket",
    "run /bin/true",
    "start a process",
    "trace a process",
    "signal another process",
    "outlive the supervisor",
};

TEST(Probe, SucceedsWithoutALock) {
  const auto results = probe(ProbeLock::None);
  for (const char* name : kDemanded) {
    EXPECT_TRUE(results.at(name).allowed) << name << ": " << results.at(name).detail;
  }
}

TEST(Probe, IsRefusedInAWorkerExceptForItsModel) {
  for (const auto& [name, result] : probe(ProbeLock::Worker)) {
    if (landlock_rights().abi == 0 && name.starts_with("open")) continue;  // said so in the level
    EXPECT_EQ(result.allowed, name == kProbeModelFile) << name << ": " << result.detail;
    if (name == kProbeModelFile) continue;
    // Refused by a lock, not failed for some other reason.
    EXPECT_TRUE(result.detail == "Operation not permitted" || result.detail == "Permission denied")
        << name << ": " << result.detail;
  }
}

TEST(Probe, GatewayMaySpeakTheNetworkButStartNothing) {
  const auto results = probe(ProbeLock::Gateway);
  for (const char* name : {"socket: IPv4", "socket: UNIX", "connect by TCP",
                           "create a file in /tmp", "open /etc/passwd"}) {
    EXPECT_TRUE(results.at(name).allowed) << name << ": " << results.at(name).detail;
  }
  for (const char* name :
       {"io_uring", "run /bin/true", "start a process", "trace a process",
        "read another process's memory", "new user namespace", "outlive the supervisor"}) {
    EXPECT_EQ(results.at(name).detail, "Operation not permitted") << name;
  }
}

class LockedRole : public testing::Test {
 protected:
  std::string run(const std::string& role, ExitStatus* status = nullptr) {
    Pipe pipe = make_pipe().value();
    ChildProcess child = spawner_.spawn({{"--role=" + role}, {}, {pipe.write.get()}}).value();
    pipe.write.reset();
    std::string out(64, '\0');
    out.resize(read_full(pipe.read.get(), std::as_writable_bytes(std::span(out))).value());
    const ExitStatus ended = child.wait(kLimit).value().value();
    if (status != nullptr) {
      *status = ended;
    } else {
      EXPECT_TRUE(ended.clean()) << ended.text();
    }
    return out;
  }
  Spawner spawner_ = Spawner::create().value();
};

TEST_F(LockedRole, WorkerCanStillWork) {
  EXPECT_EQ(run("test-lock-work"), "42");
}

TEST_F(LockedRole, WorkerCanStillAbort) {
  ExitStatus status;
  EXPECT_EQ(run("test-lock-abort", &status), "42");
  EXPECT_EQ(status.text(), "killed by signal 6 (SIGABRT)");
}

TEST_F(LockedRole, ALockIsRefusedWhenThreadsAlreadyRun) {
  EXPECT_EQ(run("test-lock-threads"), "failed_precondition");
}

TEST_F(LockedRole, OpeningCanBeEndedForThreadsThatRunAlready) {
  EXPECT_EQ(run("test-refuse-opens"), "truefalsefalse");
}

TEST_F(LockedRole, AListedDeviceAndNoOtherFileCanBeWritten) {
  if (landlock_rights().abi == 0) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(run("test-device"), "truefalsefalse");
}

TEST_F(LockedRole, APathThatIsMissingIsAnError) {
  if (landlock_rights().abi == 0) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(run("test-missing-path"), "not_found");
}

TEST(Landlock, RightsGrowWithTheAbi) {
  const LandlockRights rights = landlock_rights();
  if (rights.abi == 0) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(rights.files & 0x1FFF, 0x1FFFU);  // ABI 1
  if (rights.abi >= 3) EXPECT_NE(rights.files & (1U << 14), 0U);
  if (rights.abi >= 4) EXPECT_EQ(rights.net & 3, 3U);
  if (rights.abi < 4) EXPECT_EQ(rights.net, 0U);
  if (rights.abi >= 6) EXPECT_EQ(rights.scopes & 3, 3U);
}

TEST(LockLevel, IsToldAsItIs) {
  EXPECT_EQ(LockLevel().text(),
            "no seccomp; no Landlock; any readable path can be opened; sockets allowed");
  LockLevel full{true, 7, true, true, true, true, true};
  EXPECT_EQ(full.text(),
            "seccomp; Landlock ABI 7; only listed paths can be opened; no writing; no sockets; "
            "no signals to others; capabilities dropped");
}

}  // namespace
}  // namespace fh::base::os
