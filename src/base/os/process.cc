// The process and the machine: see process.h.

#include "base/os/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "base/os/file.h"

namespace fh::base::os {

ResidentMemory::ResidentMemory() : statm_(open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) {}

std::uint64_t ResidentMemory::bytes() const {
  char text[128];
  const ssize_t got = pread(statm_.get(), text, sizeof text, 0);
  if (got <= 0) return 0;
  // "size resident shared text lib data dt", in pages: proc(5).
  const std::string_view line(text, static_cast<std::size_t>(got));
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return 0;
  std::uint64_t pages = 0;
  std::from_chars(line.data() + space + 1, line.data() + line.size(), pages);
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

Result<SignalQueue> SignalQueue::watch(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  if (pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) {
    return fail(Code::Internal, "cannot block signals");
  }
  Fd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return std::unexpected(error_from_errno("cannot watch signals", errno));
  return SignalQueue(std::move(fd));
}

std::optional<int> SignalQueue::next() {
  signalfd_siginfo info{};
  ssize_t got = 0;
  do {
    got = read(fd_.get(), &info, sizeof info);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

void ignore_broken_pipes() {
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
}

void end_with_parent() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void set_process_name(const std::string& name) {
  prctl(PR_SET_NAME, name.c_str());
}

std::uint64_t raise_open_files_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit wanted = limit;
    wanted.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0) limit = wanted;
  }
  return limit.rlim_cur;
}

std::size_t thread_count() {
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return 0;
  std::size_t count = 0;
  while (const dirent* entry = readdir(tasks)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(tasks);
  return count;
}

namespace {

constexpr std::size_t kProcFileMax = 16 * 1024 * 1024;

// The value of the first "name : value" line of /proc/cpuinfo or /proc/meminfo.
std::string_view value_of(std::string_view text, std::string_view name) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    if (key != name) continue;
    const std::size_t first = line.find_first_not_of(" \t", colon + 1);
    return first == std::string_view::npos ? std::string_view() : line.substr(first);
  }
  return {};
}

std::uint64_t kib_as_bytes(std::string_view value) {
  std::uint64_t kib = 0;
  std::from_chars(value.data(), value.data() + value.size(), kib);
  return kib * 1024;
}

std::vector<std::string> known_flags(std::string_view line) {
  static constexpr std::string_view kKnown[] = {
      "sse4_2",   "avx",         "f16c",        "fma",      "avx2",     "avx_vnni", "avx512f",
      "avx512bw", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16", "asimd",
      "asimddp",  "i8mm",        "bf16",        "sve",      "sve2"};
  const std::string padded = " " + std::string(line) + " ";
  std::vector<std::string> out;
  for (const std::string_view flag : kKnown) {
    if (padded.find(" " + std::string(flag) + " ") != std::string::npos) out.emplace_back(flag);
  }
  return out;
}

std::uint32_t cores_by_affinity() {
  cpu_set_t* set = CPU_ALLOC(8192);
  const std::size_t size = CPU_ALLOC_SIZE(8192);
  int count = 0;
  if (sched_getaffinity(0, size, set) == 0) count = CPU_COUNT_S(size, set);
  CPU_FREE(set);
  return static_cast<std::uint32_t>(std::max(count, 1));
}

}  // namespace

SystemFacts system_facts() {
  SystemFacts facts;
  facts.cores_usable = cores_by_affinity();
  if (const auto memory = read_file("/proc/meminfo", kProcFileMax)) {
    facts.memory_bytes = kib_as_bytes(value_of(*memory, "MemTotal"));
    facts.memory_free_bytes = kib_as_bytes(value_of(*memory, "MemAvailable"));
  }
  if (const auto cpu = read_file("/proc/cpuinfo", kProcFileMax)) {
    facts.cpu_model = value_of(*cpu, "model name");
    std::string_view flags = value_of(*cpu, "flags");
    if (flags.empty()) flags = value_of(*cpu, "Features");  // its name on arm64
    facts.cpu_flags = known_flags(flags);
  }
  utsname name{};
  if (uname(&name) == 0) facts.kernel = name.release;
  return facts;
}

}  // namespace fh::base::os
