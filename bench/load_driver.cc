// A load generator for one HTTP endpoint on this machine: N keep-alive connections, one thread, one
// poll loop, so that it takes as little of the machine as it can. Closed loop (each connection
// sends its next request when the last one is answered) or open loop (requests are due at fixed
// times and their latency counts from then, whether or not a connection was free: a slow server
// cannot hide behind a client that waits for it). Prints one line of JSON. It knows answers with
// content-length only, which is what the endpoints under test send.
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <deque>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/os/fd.h"
#include "base/os/process.h"
#include "net/dialer.h"

namespace fh::bench {
namespace {

constexpr std::int64_t kPatienceMs = 20'000;  // without any answer for this long the run has failed

struct Options {
  std::uint16_t port = 0;
  std::string request;  // head and body, as sent
  std::size_t connections = 1;
  std::size_t requests = 1'000;  // measured
  std::size_t warmup = 100;      // before that, not measured
  double rate = 0;               // requests per second; 0 = closed loop
};

struct Result {
  std::vector<std::int64_t> latencies_ns;
  std::size_t errors = 0;  // any answer but 200
  base::TimePoint measured_from{};
  base::TimePoint measured_to{};
};

// One connection: idle, or a request is out since `sent`.
struct Connection {
  base::os::Fd fd;
  bool busy = false;
  base::TimePoint since{};
  std::string received;
  std::size_t unsent_from = 0;
};

// An answer at the front of `received`: its length with head and body, and its status. 0: not whole
// yet.
struct Answer {
  std::size_t bytes = 0;
  int status = 0;
};
base::Result<Answer> answer_of(std::string_view received) {
  const std::size_t head_end = received.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return Answer{};
  std::string head(received.substr(0, head_end));
  std::ranges::transform(head, head.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  constexpr std::string_view kField = "\r\ncontent-length: ";
  const std::size_t at = head.find(kField);
  if (at == std::string::npos || head.size() < 12) {
    return base::fail(base::Code::Unimplemented, "an answer without content-length");
  }
  std::size_t length = 0;
  std::from_chars(head.data() + at + kField.size(), head.data() + head.size(), length);
  Answer answer;
  std::from_chars(head.data() + 9, head.data() + 12, answer.status);
  if (received.size() >= head_end + 4 + length) answer.bytes = head_end + 4 + length;
  return answer;
}

class Load {
 public:
  explicit Load(Options options) : options_(std::move(options)) {}

  base::Result<Result> run() {
    FH_TRY_VOID(connect());
    start_ = clock_.now();
    last_answer_ = start_;
    const std::size_t total = options_.warmup + options_.requests;
    while (answered_ < total) {
      FH_TRY_VOID(send_due(total));
      FH_TRY_VOID(wait());
      if (clock_.now() - last_answer_ > std::chrono::milliseconds(kPatienceMs)) {
        return base::fail(base::Code::DeadlineExceeded, "no answer for 20 s");
      }
    }
    return std::move(result_);
  }

 private:
  base::Status connect() {
    const net::Dialer dialer;
    for (std::size_t i = 0; i < options_.connections; ++i) {
      FH_TRY(const int fd, dialer.connect_blocking({"127.0.0.1", options_.port}, 5'000));
      connections_.emplace_back();
      connections_.back().fd.reset(fd);
    }
    return {};
  }

  // When request number `n` is due; in a closed loop: now.
  base::TimePoint due(std::size_t n) const {
    if (options_.rate <= 0) return clock_.now();
    return start_ +
           base::Duration(static_cast<std::int64_t>(static_cast<double>(n) * 1e9 / options_.rate));
  }

  base::Status send_due(std::size_t total) {
    const base::TimePoint now = clock_.now();
    // In turn, so that none stays unused for so long that the server closes it.
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      Connection& connection = connections_[next_];
      if (sent_ >= total || (options_.rate > 0 && due(sent_) > now)) break;
      next_ = (next_ + 1) % connections_.size();
      if (connection.busy) continue;
      connection.busy = true;
      connection.since = due(sent_);
      connection.unsent_from = 0;
      if (sent_++ == options_.warmup) result_.measured_from = connection.since;
      FH_TRY_VOID(flush(connection));
    }
    return {};
  }

  base::Status flush(Connection& connection) {
    while (connection.unsent_from < options_.request.size()) {
      const ssize_t n =
          ::send(connection.fd.get(), options_.request.data() + connection.unsent_from,
                 options_.request.size() - connection.unsent_from, MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN) return {};
      if (n < 0) return base::fail(base::Code::Unavailable, "the connection broke while sending");
      connection.unsent_from += static_cast<std::size_t>(n);
    }
    return {};
  }

  // Until something can be read, or the next request is due and a connection is free for it.
  base::Status wait() {
    std::vector<pollfd> polled;
    bool any_free = false;
    for (const Connection& connection : connections_) {
      any_free |= !connection.busy;
      const bool unsent = connection.busy && connection.unsent_from < options_.request.size();
      const int events = unsent ? POLLIN | POLLOUT : POLLIN;
      polled.push_back({connection.fd.get(), static_cast<short>(events), 0});
    }
    base::Duration left = std::chrono::seconds(1);
    const bool more = sent_ < options_.warmup + options_.requests;
    if (options_.rate > 0 && any_free && more) left = std::min(left, due(sent_) - clock_.now());
    left = std::max(left, base::Duration::zero());
    const timespec timeout{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    if (::ppoll(polled.data(), polled.size(), &timeout, nullptr) < 0 && errno != EINTR) {
      return base::fail(base::Code::Internal, "ppoll failed");
    }
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if ((polled[i].revents & POLLOUT) != 0) FH_TRY_VOID(flush(connections_[i]));
      if ((polled[i].revents & ~POLLOUT) != 0) FH_TRY_VOID(receive(connections_[i]));
    }
    return {};
  }

  base::Status receive(Connection& connection) {
    std::array<char, 16 * 1024> buffer;
    const ssize_t n = ::recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EAGAIN) return {};
    if (n <= 0) return base::fail(base::Code::Unavailable, "the server closed the connection");
    connection.received.append(buffer.data(), static_cast<std::size_t>(n));
    FH_TRY(const Answer answer, answer_of(connection.received));
    if (answer.bytes == 0) return {};
    if (!connection.busy || answer.bytes != connection.received.size()) {
      return base::fail(base::Code::Internal, "the server sent more than was asked for");
    }
    connection.received.clear();
    connection.busy = false;
    last_answer_ = clock_.now();
    if (++answered_ > options_.warmup) {
      result_.latencies_ns.push_back((last_answer_ - connection.since).count());
      result_.measured_to = last_answer_;
    }
    if (answer.status != 200) ++result_.errors;
    return {};
  }

  const Options options_;
  const base::SystemClock clock_;
  std::vector<Connection> connections_;
  base::TimePoint start_{};
  base::TimePoint last_answer_{};
  std::size_t next_ = 0;  // connection to try first
  std::size_t sent_ = 0;
  std::size_t answered_ = 0;
  Result result_;
};

double percentile_us(const std::vector<std::int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5);
  return static_cast<double>(sorted[at]) / 1000.0;
}

void print(Result result) {
  std::ranges::sort(result.latencies_ns);
  const auto span = static_cast<double>((result.measured_to - result.measured_from).count());
  fmt::print(
      "{{\"requests\": {}, \"errors\": {}, \"seconds\": {:.4f}, \"p50_us\": {:.1f}, "
      "\"p90_us\": {:.1f}, \"p99_us\": {:.1f}, \"max_us\": {:.1f}}}\n",
      result.latencies_ns.size(), result.errors, span / 1e9,
      percentile_us(result.latencies_ns, 0.5), percentile_us(result.latencies_ns, 0.9),
      percentile_us(result.latencies_ns, 0.99), percentile_us(result.latencies_ns, 1.0));
}

template <typename T>
void take(const std::map<std::string, std::string>& flags, const std::string& name, T& out) {
  const auto found = flags.find(name);
  if (found == flags.end()) return;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), out);
}

base::Result<Options> options_of(int count, char** arguments) {
  std::map<std::string, std::string> flags;
  for (int i = 1; i + 1 < count; i += 2) flags[arguments[i]] = arguments[i + 1];
  Options options;
  take(flags, "--port", options.port);
  take(flags, "--connections", options.connections);
  take(flags, "--requests", options.requests);
  take(flags, "--warmup", options.warmup);
  take(flags, "--rate", options.rate);
  std::ifstream file(flags["--body"], std::ios::binary);
  std::ostringstream body;
  body << file.rdbuf();
  if (options.port == 0 || options.connections == 0 || !file) {
    return base::fail(base::Code::InvalidArgument,
                      "usage: load_driver --port N --body FILE [--key KEY] [--path /v1/...] "
                      "[--connections N] [--requests N] [--warmup N] [--rate PER_SECOND]");
  }
  const std::string path = flags.contains("--path") ? flags["--path"] : "/v1/chat/completions";
  options.request = fmt::format(
      "POST {} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nauthorization: Bearer {}\r\n"
      "content-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
      path, options.port, flags["--key"], body.str().size(), body.str());
  return options;
}

int fail(const base::Error& error) {
  fmt::print(stderr, "load_driver: {}\n", error.text());
  return 1;
}

}  // namespace
}  // namespace fh::bench

int main(int count, char** arguments) {
  auto options = fh::bench::options_of(count, arguments);
  if (!options) return fh::bench::fail(options.error());
  auto result = fh::bench::Load(*std::move(options)).run();
  if (!result) return fh::bench::fail(result.error());
  fh::bench::print(*std::move(result));
  return 0;
}
