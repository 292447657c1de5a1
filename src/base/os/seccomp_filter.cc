// System call filters: see seccomp_filter.h. They list what is refused, not what is allowed: the C
// library, libllama and a GPU's driver decide which harmless calls they make, and change it with
// their versions. Arguments are compared in 32 bits where the kernel reads an int, because it
// ignores the upper half of the register.

#include "base/os/seccomp_filter.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <vector>

namespace fh::base::os {
namespace {

constexpr std::uint32_t kRefuse = SCMP_ACT_ERRNO(EPERM);
// "This kernel does not have it": the C library then falls back to the older call, whose flags can
// be seen.
constexpr std::uint32_t kAbsent = SCMP_ACT_ERRNO(ENOSYS);

// Calls newer than libseccomp's table. Their numbers are the same on every architecture
// (asm-generic/unistd.h).
constexpr int kFchmodat2 = 452;
constexpr int kSetxattrat = 463;
constexpr int kRemovexattrat = 466;
constexpr int kOpenTreeAttr = 467;
constexpr int kFileSetattr = 469;

// Start programs, reach into other processes, change what this process sees of the system, extend
// the kernel.
constexpr int kEveryRole[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(process_mrelease),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(mount),
    SCMP_SYS(umount),
    SCMP_SYS(umount2),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    kOpenTreeAttr,
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(bpf),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(syslog),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(vhangup),
    SCMP_SYS(uselib),
};

// Sockets, channels to other processes, signals, changes of the file system.
constexpr int kWorker[] = {
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(mq_open),
    SCMP_SYS(msgget),
    SCMP_SYS(semget),
    SCMP_SYS(shmget),
    SCMP_SYS(shmat),
    SCMP_SYS(kill),
    SCMP_SYS(tkill),
    SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(rt_tgsigqueueinfo),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(creat),
    SCMP_SYS(truncate),
    SCMP_SYS(link),
    SCMP_SYS(linkat),
    SCMP_SYS(symlink),
    SCMP_SYS(symlinkat),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(rmdir),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(chmod),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    kFchmodat2,
    SCMP_SYS(chown),
    SCMP_SYS(lchown),
    SCMP_SYS(fchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr),
    SCMP_SYS(fsetxattr),
    kSetxattrat,
    SCMP_SYS(removexattr),
    SCMP_SYS(lremovexattr),
    SCMP_SYS(fremovexattr),
    kRemovexattrat,
    kFileSetattr,
    SCMP_SYS(utime),
    SCMP_SYS(utimes),
    SCMP_SYS(futimesat),
    SCMP_SYS(utimensat),
};

constexpr int kOpens[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat)};

scmp_arg_cmp compare(unsigned index, scmp_compare how, std::uint64_t value) {
  return {index, how, value, 0};
}

scmp_arg_cmp masked_equal(unsigned index, std::uint64_t mask, std::uint64_t value) {
  return {index, SCMP_CMP_MASKED_EQ, mask, value};
}

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ALLOW)) {
    if (context_ == nullptr) {
      error_ = ENOMEM;
      return;
    }
    // A call by another architecture's numbers (32-bit, x32) would be read with the wrong table.
    keep(seccomp_attr_set(context_, SCMP_FLTATR_ACT_BADARCH, kRefuse));
    keep(seccomp_attr_set(context_, SCMP_FLTATR_CTL_TSYNC, 1));
    keep(seccomp_attr_set(context_, SCMP_FLTATR_CTL_OPTIMIZE, 2));  // a tree, not a list
  }
  ~Filter() {
    if (context_ != nullptr) seccomp_release(context_);
  }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  void refuse(std::span<const int> calls) {
    for (const int call : calls) add(kRefuse, call, {});
  }
  void refuse_if(int call, scmp_arg_cmp condition) { add(kRefuse, call, {&condition, 1}); }
  // Any bit of `bits` in argument `index`.
  void refuse_flags(int call, unsigned index, std::initializer_list<std::uint64_t> bits) {
    for (const std::uint64_t bit : bits) refuse_if(call, masked_equal(index, bit, bit));
  }
  void refuse_int(int call, unsigned index, std::uint32_t value) {
    refuse_if(call, masked_equal(index, 0xFFFFFFFF, value));
  }
  void absent(int call) { add(kAbsent, call, {}); }

  Status install() {
    if (error_ == 0) keep(seccomp_load(context_));
    if (error_ == 0) return {};
    return std::unexpected(error_from_errno("cannot install the system call filter", error_));
  }

 private:
  void keep(int result) {
    if (result < 0 && error_ == 0) error_ = -result;
  }
  void add(std::uint32_t action, int call, std::span<const scmp_arg_cmp> conditions) {
    if (error_ != 0 || context_ == nullptr) return;
    // EDOM: this architecture does not have the call.
    const int result = seccomp_rule_add_array(
        context_, action, call, static_cast<unsigned>(conditions.size()), conditions.data());
    if (result != -EDOM) keep(result);
  }

  scmp_filter_ctx context_;
  int error_ = 0;
};

void refuse_in_every_role(Filter& filter) {
  filter.refuse(kEveryRole);
  // Threads stay possible, processes and namespaces do not. clone3 hides its flags in memory.
  filter.absent(SCMP_SYS(clone3));
  filter.refuse_if(SCMP_SYS(clone), masked_equal(0, CLONE_THREAD, 0));
  filter.refuse_flags(SCMP_SYS(clone), 0,
                      {CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID,
                       CLONE_NEWNET, CLONE_NEWCGROUP});
  // A role that could undo this would outlive its supervisor.
  filter.refuse_int(SCMP_SYS(prctl), 0, PR_SET_PDEATHSIG);
  // Typing into the operator's terminal.
  filter.refuse_int(SCMP_SYS(ioctl), 1, TIOCSTI);
  filter.refuse_int(SCMP_SYS(ioctl), 1, TIOCLINUX);
}

}  // namespace

Status install_gateway_filter() {
  Filter filter;
  refuse_in_every_role(filter);
  for (std::uint32_t family = 0; family <= AF_NETLINK; ++family) {
    const bool used = family == AF_UNIX || family == AF_INET || family == AF_INET6 ||
                      family == AF_NETLINK;  // netlink: the resolver asks which addresses exist
    if (!used) filter.refuse_int(SCMP_SYS(socket), 0, family);
  }
  filter.refuse_if(SCMP_SYS(socket), compare(0, SCMP_CMP_GT, AF_NETLINK));
  return filter.install();
}

Status install_worker_filter(bool writes_refused) {
  Filter filter;
  refuse_in_every_role(filter);
  filter.refuse(kWorker);
  // An old TCP descriptor could connect anew by sending with this flag, past Landlock's port rules.
  filter.refuse_flags(SCMP_SYS(sendto), 3, {MSG_FASTOPEN});
  filter.refuse_flags(SCMP_SYS(sendmsg), 2, {MSG_FASTOPEN});
  filter.refuse_flags(SCMP_SYS(sendmmsg), 3, {MSG_FASTOPEN});
  // abort() signals its own process; no other may be reached.
  filter.refuse_if(SCMP_SYS(tgkill), compare(0, SCMP_CMP_NE, static_cast<std::uint64_t>(getpid())));
  filter.refuse_if(SCMP_SYS(prlimit64), compare(0, SCMP_CMP_NE, 0));
  if (writes_refused) {
    filter.refuse_flags(SCMP_SYS(open), 1, {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC});
    filter.refuse_flags(SCMP_SYS(openat), 2, {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC});
    filter.absent(SCMP_SYS(openat2));  // hides its flags in memory
  }
  return filter.install();
}

Status install_no_open_filter() {
  Filter filter;
  filter.refuse(kOpens);
  return filter.install();
}

}  // namespace fh::base::os
