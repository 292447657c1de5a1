#pragma once
// For the tests of this folder: a server on a loopback port with its loop in a thread, and a raw
// client socket that sends exactly the bytes it is told to. Every wait is bounded by a socket
// timeout far above what is needed.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/os/fd.h"
#include "base/os/listener.h"
#include "net/server.h"

namespace fh::net::testing {

inline constexpr int kPatienceSeconds = 20;

// Waits for something that another thread will do; gives up after the patience.
inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < kPatienceSeconds * 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

struct Listening {
  base::os::Fd fd;
  std::uint16_t port = 0;
};
inline Listening listen_on_loopback() {
  auto listener = base::os::open_listener("127.0.0.1:0");
  if (!listener) throw std::runtime_error(listener.error().text());
  const std::string& address = listener->address;
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  return {std::move(listener->fd), static_cast<std::uint16_t>(port)};
}

class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{kPatienceSeconds, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (receive_buffer > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int rc = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    EXPECT_EQ(rc, 0);
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  // Up to the end of the peer's data, a reset, or the patience.
  std::string read_to_end() {
    std::string out;
    while (receive(out)) {
    }
    return out;
  }
  // Up to and including `mark`; what came behind it stays for the next call.
  std::string read_until(std::string_view mark) {
    std::size_t at = 0;
    while ((at = pending_.find(mark)) == std::string::npos) {
      if (!receive_pending()) return std::exchange(pending_, {});
    }
    std::string out = pending_.substr(0, at + mark.size());
    pending_.erase(0, at + mark.size());
    return out;
  }
  std::string read_exactly(std::size_t count) {
    while (pending_.size() < count && receive_pending()) {
    }
    std::string out = pending_.substr(0, count);
    pending_.erase(0, count);
    return out;
  }
  // Head and body of one answer with a content-length.
  std::string read_response() {
    std::string head = read_until("\r\n\r\n");
    const std::size_t at = head.find("content-length: ");
    if (at == std::string::npos) return head;
    return head + read_exactly(std::strtoul(head.c_str() + at + 16, nullptr, 10));
  }
  void shutdown_send() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close();
  }
  bool timed_out() const { return timed_out_; }

 private:
  bool receive(std::string& out) {
    if (!pending_.empty()) {
      out += std::exchange(pending_, {});
      return true;
    }
    std::array<char, 16384> buffer{};
    const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EAGAIN) timed_out_ = true;
    if (n <= 0) return false;
    out.append(buffer.data(), static_cast<std::size_t>(n));
    return true;
  }
  bool receive_pending() {
    std::string more;
    std::string kept = std::exchange(pending_, {});
    const bool ok = receive(more);
    pending_ = kept + more;
    return ok;
  }

  int fd_ = -1;
  std::string pending_;
  bool timed_out_ = false;
};

inline int status_of(std::string_view response) {
  if (!response.starts_with("HTTP/1.1 ") || response.size() < 12) return 0;
  return std::atoi(std::string(response.substr(9, 3)).c_str());
}

// Answers with what it received; a path of "/body..." allows a body, others do not.
inline Task<void> echo_handler(HttpRequest request, ResponseWriter& response) {
  HttpResponse answer;
  answer.headers = {{"content-type", "text/plain"}};
  answer.body = request.method + " " + request.path + "?" + request.query + " " + request.body;
  co_await response.send(std::move(answer));
}

inline RoutePolicy body_routes(std::string_view, std::string_view path) {
  RoutePolicy policy;
  policy.body_bytes_max = path.starts_with("/body") ? 64 * 1024 : 0;
  return policy;
}

class TestServer {
 public:
  explicit TestServer(ServerOptions options) {
    if (!options.handler) options.handler = echo_handler;
    if (!options.route_policy) options.route_policy = body_routes;
    if (!options.error_body) {
      options.error_body = [](int status, std::string_view path, std::string_view message) {
        HttpResponse response;
        response.status = status;
        response.body = std::string(path) + ": " + std::string(message);
        return response;
      };
    }
    options.limits.linger_ms = 500;
    Listening listening = listen_on_loopback();
    port_ = listening.port;
    server_ = std::make_unique<Server>(runtime_, std::vector<int>{listening.fd.release()},
                                       std::move(options));
    thread_ = std::thread([this] { runtime_.run(); });
  }
  ~TestServer() {
    server_.reset();
    runtime_.stop();
    thread_.join();
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::uint16_t port() const { return port_; }
  Server& server() { return *server_; }
  Runtime& runtime() { return runtime_; }

 private:
  base::SystemClock clock_;
  Runtime runtime_{clock_};
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace fh::net::testing
