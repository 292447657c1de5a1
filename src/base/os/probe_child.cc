// The process around the probe: see probe.h. The child reports on descriptor 3, one line per
// result: "level\t<text>\n" first, then "result\t<name>\t<0|1>\t<detail>\n"; its connected socket
// is descriptor 4.

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/os/file.h"
#include "base/os/listener.h"
#include "base/os/probe.h"
#include "base/os/sandbox.h"

namespace fh::base::os {
namespace {

constexpr int kReportFd = 3;
constexpr int kConnectedFd = 4;
constexpr std::size_t kReportBytesMax = 64 * 1024;
constexpr std::chrono::seconds kReportLimit{30};

const char* name_of(ProbeLock lock) {
  switch (lock) {
    case ProbeLock::None: return "none";
    case ProbeLock::Gateway: return "gateway";
    case ProbeLock::Worker: return "worker";
  }
  return "none";
}

// A temporary folder with "model/file" and "outside"; removed with the object.
class ProbeFolder {
 public:
  static Result<ProbeFolder> make() {
    std::string path = std::filesystem::temp_directory_path() / "freehold-probe-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
      return std::unexpected(error_from_errno("cannot make a temporary folder", errno));
    }
    ProbeFolder folder(path);
    FH_TRY_VOID(make_folders(folder.path_ / "model", 0700));
    FH_TRY_VOID(write_file_atomically(folder.inside(), "model", 0600));
    FH_TRY_VOID(write_file_atomically(folder.outside(), "outside", 0600));
    return folder;
  }
  ProbeFolder(ProbeFolder&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  ProbeFolder& operator=(ProbeFolder&&) = delete;
  ~ProbeFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path inside() const { return path_ / "model" / "file"; }
  std::filesystem::path outside() const { return path_ / "outside"; }

 private:
  explicit ProbeFolder(std::string path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

Result<Fd> connect_to(std::uint16_t port) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    return std::unexpected(error_from_errno("cannot connect to our own listener", errno));
  }
  return fd;
}

Result<std::string> read_report(int fd) {
  const auto deadline = std::chrono::steady_clock::now() + kReportLimit;
  std::string report;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wait{fd, POLLIN, 0};
    const int ready = left.count() > 0 ? poll(&wait, 1, static_cast<int>(left.count())) : 0;
    if (ready == 0) return fail(Code::DeadlineExceeded, "the probe did not finish");
    char buffer[4096];
    const ssize_t got = ready > 0 ? read(fd, buffer, sizeof buffer) : -1;
    if (got == 0) return report;
    if (got < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(error_from_errno("cannot read the probe's report", errno));
    }
    report.append(buffer, static_cast<std::size_t>(got));
    if (report.size() > kReportBytesMax)
      return fail(Code::Internal, "the probe's report is too long");
  }
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

Result<ProbeReport> parse_report(const std::string& text) {
  ProbeReport report;
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> parts = split(line, '\t');
    if (parts.size() == 2 && parts[0] == "level") report.level = parts[1];
    if (parts.size() == 2 && parts[0] == "error") return fail(Code::Unavailable, parts[1]);
    if (parts.size() == 4 && parts[0] == "result") {
      report.results.push_back({parts[1], parts[2] == "1", parts[3]});
    }
  }
  return report;
}

// The value of "--name=value", or nullopt.
std::optional<std::string> value_of(const std::vector<std::string>& args, std::string_view name) {
  const std::string prefix = fmt::format("--{}=", name);
  for (const std::string& arg : args) {
    if (arg.starts_with(prefix)) return arg.substr(prefix.size());
  }
  return std::nullopt;
}

Result<std::string> enter(const std::string& lock, const std::filesystem::path& readable) {
  if (lock == "none") return std::string("no lock");
  WorkerLockOptions options;
  options.readable = {readable};
  FH_TRY(const LockLevel level, lock == "gateway" ? lock_gateway() : lock_worker(options));
  return level.text();
}

}  // namespace

Result<ProbeReport> probe_in_child(const Spawner& spawner, ProbeLock lock) {
  FH_TRY(const ProbeFolder folder, ProbeFolder::make());
  FH_TRY(const Listener listener, open_listener("127.0.0.1:0"));
  std::uint16_t port = 0;
  const std::string_view port_text =
      std::string_view(listener.address).substr(listener.address.rfind(':') + 1);
  std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  FH_TRY(const Fd connected, connect_to(port));
  FH_TRY(Pipe report, make_pipe());

  SpawnRequest request;
  request.args = {"--role=probe", fmt::format("--lock={}", name_of(lock)),
                  fmt::format("--inside={}", folder.inside().string()),
                  fmt::format("--outside={}", folder.outside().string()),
                  fmt::format("--port={}", port)};
  request.inherited = {report.write.get(), connected.get()};
  FH_TRY(ChildProcess child, spawner.spawn(request));
  report.write.reset();
  FH_TRY(const std::string text, read_report(report.read.get()));
  FH_TRY(const auto ended, child.wait(kReportLimit));
  if (!ended || !ended->clean()) {
    return fail(Code::Unavailable,
                fmt::format("the probe ended early: {}", ended ? ended->text() : "still running"));
  }
  return parse_report(text);
}

int probe_role_main(const std::vector<std::string>& args) {
  const std::string lock = value_of(args, "lock").value_or("");
  ProbeOptions options;
  options.inside = value_of(args, "inside").value_or("");
  options.outside = value_of(args, "outside").value_or("");
  options.connected = kConnectedFd;
  const std::string port = value_of(args, "port").value_or("");
  std::from_chars(port.data(), port.data() + port.size(), options.port);
  // A mistyped lock must not run as "no lock held everything".
  if (lock != "none" && lock != "gateway" && lock != "worker") return 2;
  // A report that cannot be written shows as one without results at the reader.
  const auto say = [](const std::string& line) { return write_full(kReportFd, line).has_value(); };
  const Result<std::string> level = enter(lock, options.inside.parent_path());
  if (!level) {
    say(fmt::format("error\t{}\n", level.error().text()));
    return 0;
  }
  bool written = say(fmt::format("level\t{}\n", *level));
  for (const ProbeResult& result : run_probe(options)) {
    written = written && say(fmt::format("result\t{}\t{}\t{}\n", result.name,
                                         result.allowed ? 1 : 0, result.detail));
  }
  return written ? 0 : 1;
}

}  // namespace fh::base::os
