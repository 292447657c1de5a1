// The attempts of the probe: see probe.h. probe_child.cc has the process around them.

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/os/fd.h"
#include "base/os/probe.h"

namespace fh::base::os {
namespace {

constexpr int kMultipathTcp = 262;  // IPPROTO_MPTCP

// Each attempt returns 0 or the errno of the call that failed.
int errno_unless(bool ok) {
  return ok ? 0 : errno;
}

// The errno with which a child ended.
int reap(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return errno;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

int try_open(const std::filesystem::path& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char byte = 0;
  if (!fd) return errno;
  return errno_unless(read(fd.get(), &byte, 1) >= 0);
}

int try_create() {
  const std::string path = "/tmp/freehold-probe-" + std::to_string(getpid());
  const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return errno;
  unlink(path.c_str());
  return 0;
}

int try_chmod(const std::filesystem::path& path) {
  return errno_unless(chmod(path.c_str(), 0600) == 0);
}

int try_socket(int family, int type, int protocol) {
  const Fd fd(socket(family, type | SOCK_CLOEXEC, protocol));
  return errno_unless(static_cast<bool>(fd));
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int try_connect(int protocol, std::uint16_t port) {
  const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol));
  if (!fd) return errno;
  const sockaddr_in to = loopback(port);
  return errno_unless(connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
}

int send_to(int fd, int flags, std::uint16_t port) {
  const sockaddr_in to = loopback(port);
  const ssize_t sent =
      sendto(fd, "x", 1, flags | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  return errno_unless(sent == 1);
}

int try_send(int type, int flags, std::uint16_t port) {
  const Fd fd(socket(AF_INET, type | SOCK_CLOEXEC, 0));
  return fd ? send_to(fd.get(), flags, port) : errno;
}

int disconnect(int fd) {
  const sockaddr nowhere{AF_UNSPEC, {}};
  return errno_unless(connect(fd, &nowhere, sizeof nowhere) == 0);
}

// A connected socket is taken off its peer and pointed at another destination.
int try_reconnect(int fd, std::uint16_t port) {
  if (const int error = disconnect(fd)) return error;
  const sockaddr_in to = loopback(port);
  return errno_unless(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
}

int try_fast_open_again(int fd, std::uint16_t port) {
  // Whether or not disconnecting is refused, the sending call must be refused by itself.
  disconnect(fd);
  return send_to(fd, MSG_FASTOPEN, port);
}

int try_io_uring() {
  alignas(8) unsigned char parameters[120] = {};  // struct io_uring_params
  const Fd fd(static_cast<int>(syscall(SYS_io_uring_setup, 2, parameters)));
  return errno_unless(static_cast<bool>(fd));
}

int try_exec() {
  const pid_t child = fork();
  if (child == 0) {
    char name[] = "/bin/true";
    char* const args[] = {name, nullptr};
    char* const environment[] = {nullptr};
    execve(name, args, environment);
    _exit(errno == 0 ? 1 : errno);
  }
  if (child > 0) {
    return reap(child);
  }
  // No child can be made: the call is made here, with an argument list at an impossible address. A
  // kernel that lets it through answers EFAULT and leaves this process as it is.
  const long result = syscall(SYS_execve, "/bin/true", 1UL, 0UL);
  return errno_unless(result == 0) == EFAULT ? 0 : errno;
}

int try_fork() {
  const pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) _exit(0);
  return reap(child);
}

// Another process of ours to try things on: a child where one can be made, else the parent.
class Victim {
 public:
  Victim() : pid_(fork()) {
    if (pid_ == 0) {
      for (;;) pause();
    }
    made_ = pid_ > 0;
    if (!made_) pid_ = getppid();
  }
  ~Victim() {
    if (!made_) return;
    kill(pid_, SIGKILL);
    reap(pid_);
  }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
  bool made_ = false;
};

int try_trace() {
  const Victim victim;
  return errno_unless(ptrace(PTRACE_SEIZE, victim.pid(), nullptr, nullptr) == 0);
}

int try_read_memory() {
  const Victim victim;
  // The same address holds the same constant in a forked child.
  static const char secret[8] = "secret";
  char copy[sizeof secret] = {};
  const iovec to{copy, sizeof copy};
  const iovec from{const_cast<char*>(secret), sizeof secret};
  return errno_unless(process_vm_readv(victim.pid(), &to, 1, &from, 1, 0) ==
                      static_cast<ssize_t>(sizeof copy));
}

int try_signal() {
  const Victim victim;
  return errno_unless(kill(victim.pid(), 0) == 0);
}

int try_namespace() {
  const pid_t child = fork();
  if (child < 0) return errno_unless(unshare(CLONE_NEWUSER) == 0);
  if (child == 0) _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : errno);
  return reap(child);
}

int try_outlive() {
  int before = 0;
  prctl(PR_GET_PDEATHSIG, &before);
  if (prctl(PR_SET_PDEATHSIG, 0) != 0) return errno;
  prctl(PR_SET_PDEATHSIG, before);
  return 0;
}

struct Attempt {
  const char* name;
  int (*run)(const ProbeOptions&);
};
using Options = const ProbeOptions&;

// The names are shown to operators and looked for by tests.
constexpr Attempt kAttempts[] = {
    {kProbeModelFile, [](Options o) { return try_open(o.inside); }},
    {"open /etc/passwd", [](Options) { return try_open("/etc/passwd"); }},
    {"open a file outside the model folder", [](Options o) { return try_open(o.outside); }},
    {"create a file in /tmp", [](Options) { return try_create(); }},
    {"change a file's mode", [](Options o) { return try_chmod(o.outside); }},
    {"socket: IPv4", [](Options) { return try_socket(AF_INET, SOCK_STREAM, 0); }},
    {"socket: UNIX", [](Options) { return try_socket(AF_UNIX, SOCK_STREAM, 0); }},
    {"socket: netlink", [](Options) { return try_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE); }},
    {"connect by TCP", [](Options o) { return try_connect(0, o.port); }},
    {"connect by multipath TCP", [](Options o) { return try_connect(kMultipathTcp, o.port); }},
    {"connect by TCP fast open",
     [](Options o) { return try_send(SOCK_STREAM, MSG_FASTOPEN, o.port); }},
    {"send by UDP", [](Options o) { return try_send(SOCK_DGRAM, 0, o.port); }},
    {"reconnect an inherited TCP socket",
     [](Options o) { return try_reconnect(o.connected, o.port); }},
    {"fast open on an inherited TCP socket",
     [](Options o) { return try_fast_open_again(o.connected, o.port); }},
    {"io_uring", [](Options) { return try_io_uring(); }},
    {"run /bin/true", [](Options) { return try_exec(); }},
    {"start a process", [](Options) { return try_fork(); }},
    {"trace a process", [](Options) { return try_trace(); }},
    {"read another process's memory", [](Options) { return try_read_memory(); }},
    {"signal another process", [](Options) { return try_signal(); }},
    {"new user namespace", [](Options) { return try_namespace(); }},
    {"outlive the supervisor", [](Options) { return try_outlive(); }},
};

}  // namespace

std::vector<ProbeResult> run_probe(const ProbeOptions& options) {
  std::vector<ProbeResult> results;
  for (const Attempt& attempt : kAttempts) {
    const std::string name = attempt.name;
    if (options.connected < 0 && name.find("inherited") != std::string::npos) continue;
    const int error = attempt.run(options);
    results.push_back({name, error == 0, error == 0 ? "succeeded" : std::strerror(error)});
  }
  return results;
}

}  // namespace fh::base::os
