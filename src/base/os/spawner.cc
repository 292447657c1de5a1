// Starting and ending our own processes: see spawner.h.

#include "base/os/spawner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace fh::base::os {
namespace {

constexpr int kFirstInherited = 3;
constexpr std::size_t kInheritedMax = 256;
constexpr int kWaitByPidfd = 3;  // P_PIDFD of linux/wait.h; older C libraries lack the name

// What the child does between fork and exec. The parent may have threads, so only async-signal-safe
// calls are made and all memory was prepared by the parent.
struct ChildPlan {
  const int* inherited;
  std::size_t inherited_count;
  int binary;
  int report;  // write end: the errno of a failure, closed by a successful exec
  pid_t parent;
  char* const* argv;
  char* const* envp;
};

[[noreturn]] void report_failure(int report, int error) {
  [[maybe_unused]] const ssize_t put = write(report, &error, sizeof error);
  _exit(127);
}

void close_the_rest_on_exec(int first) {
  if (syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  for (int fd = first; fd < 65'536; ++fd) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

// Moves `fd` above every number that will be overwritten.
int lift(int fd, int lowest, int report) {
  const int lifted = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
  if (lifted < 0) report_failure(report, errno);
  return lifted;
}

[[noreturn]] void child_main(const ChildPlan& plan, int* lifted) {
  const int first_free = kFirstInherited + static_cast<int>(plan.inherited_count);
  const int report = lift(plan.report, first_free, plan.report);
  // The signal is set first and the parent looked at second: whichever happens first, the child
  // dies with it.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) report_failure(report, errno);
  if (getppid() != plan.parent) _exit(127);
  struct sigaction by_default{};
  by_default.sa_handler = SIG_DFL;
  for (int signal = 1; signal < _NSIG; ++signal) sigaction(signal, &by_default, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setsid();

  const int binary = lift(plan.binary, first_free, report);
  for (std::size_t i = 0; i < plan.inherited_count; ++i) {
    lifted[i] = lift(plan.inherited[i], first_free, report);
  }
  const int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0) report_failure(report, errno);
  for (std::size_t i = 0; i < plan.inherited_count; ++i) {
    if (dup2(lifted[i], kFirstInherited + static_cast<int>(i)) < 0) report_failure(report, errno);
  }
  close_the_rest_on_exec(first_free);
  syscall(SYS_execveat, binary, "", plan.argv, plan.envp, AT_EMPTY_PATH);
  report_failure(report, errno);
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (std::string& text : strings) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::string ExitStatus::text() const {
  if (!signaled) return fmt::format("exit code {}", value);
  const char* name = sigabbrev_np(value);
  if (name == nullptr) return fmt::format("killed by signal {}", value);
  return fmt::format("killed by signal {} (SIG{})", value, name);
}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = other.pid_;
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

void ChildProcess::end() noexcept {
  if (!pidfd_) return;
  static_cast<void>(kill(SIGKILL));
  siginfo_t info{};
  while (waitid(static_cast<idtype_t>(kWaitByPidfd), static_cast<id_t>(pidfd_.get()), &info,
                WEXITED) < 0 &&
         errno == EINTR) {
  }
  pidfd_.reset();
}

Status ChildProcess::kill(int signal) {
  if (!pidfd_) return {};
  if (syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0) == 0) return {};
  if (errno == ESRCH) return {};
  return std::unexpected(error_from_errno("cannot signal a child process", errno));
}

Result<std::optional<ExitStatus>> ChildProcess::wait(std::chrono::milliseconds limit) {
  FH_CHECK(running());
  const auto deadline = std::chrono::steady_clock::now() + limit;
  pollfd ended{pidfd_.get(), POLLIN, 0};
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready = poll(&ended, 1, left.count() > 0 ? static_cast<int>(left.count()) : 0);
    if (ready > 0) break;
    if (ready == 0) return std::optional<ExitStatus>();
    if (errno != EINTR) return std::unexpected(error_from_errno("cannot wait for a child", errno));
  }
  siginfo_t info{};
  if (waitid(static_cast<idtype_t>(kWaitByPidfd), static_cast<id_t>(pidfd_.get()), &info,
             WEXITED) != 0) {
    return std::unexpected(error_from_errno("cannot wait for a child", errno));
  }
  pidfd_.reset();
  return std::optional(ExitStatus{info.si_code != CLD_EXITED, info.si_status});
}

Result<Spawner> Spawner::create() {
  Fd binary(open("/proc/self/exe", O_PATH | O_CLOEXEC));
  if (!binary) return std::unexpected(error_from_errno("cannot open our own program", errno));
  return Spawner(std::move(binary));
}

Result<ChildProcess> Spawner::spawn(const SpawnRequest& request) const {
  FH_CHECK(request.inherited.size() <= kInheritedMax);
  std::vector<std::string> args{"freehold"};
  args.insert(args.end(), request.args.begin(), request.args.end());
  std::vector<std::string> environment = request.environment;
  const std::vector<char*> argv = pointers(args);
  const std::vector<char*> envp = pointers(environment);
  std::array<int, kInheritedMax> lifted;
  FH_TRY(Pipe report, make_pipe());
  const ChildPlan plan{request.inherited.data(),
                       request.inherited.size(),
                       binary_.get(),
                       report.write.get(),
                       getpid(),
                       argv.data(),
                       envp.data()};
  const pid_t pid = fork();
  if (pid < 0) return std::unexpected(error_from_errno("cannot start a process", errno));
  if (pid == 0) child_main(plan, lifted.data());

  report.write.reset();
  // The child cannot be reaped by anybody but us, so its id still names it here.
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return std::unexpected(error_from_errno("cannot watch a child process", error));
  }
  ChildProcess child(pid, std::move(pidfd));
  int error = 0;
  FH_TRY(const std::size_t got,
         read_full(report.read.get(), std::as_writable_bytes(std::span(&error, 1))));
  if (got == sizeof error) {
    return std::unexpected(error_from_errno("cannot start our own program again", error));
  }
  return child;
}

std::vector<std::string> minimal_environment() {
  static constexpr const char* kNames[] = {"HOME",
                                           "LANG",
                                           "LC_ALL",
                                           "TMPDIR",
                                           "XDG_DATA_HOME",
                                           "XDG_CONFIG_HOME",
                                           "TZ",
                                           "CUDA_VISIBLE_DEVICES"};
  std::vector<std::string> out;
  for (const char* name : kNames) {
    if (const char* value = std::getenv(name)) out.push_back(fmt::format("{}={}", name, value));
  }
  return out;
}

}  // namespace fh::base::os
