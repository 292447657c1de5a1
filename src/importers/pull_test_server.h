#pragma once
// For tests of the pullers: a provider on a loopback port that speaks the documented pages and
// makes the trouble it is told to, a store in memory, and the deps of a pull that waits for
// nothing.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "codec/url.h"
#include "importers/pull.h"

namespace fh::importers::test {

struct Reply {
  int status = 200;
  std::string headers;  // "retry-after: 3\r\n"
  std::string body;
  std::size_t cut_at = std::string::npos;  // close after so many bytes of the body
  bool slow = false;                       // byte by byte
};

// One request, one answer, one connection.
class PageServer {
 public:
  struct Request {
    std::string path, head;
    codec::url::Query query;
    std::string at(std::string_view key) const {
      return std::string(codec::url::query_value(query, key).value_or(""));
    }
  };
  using Handler = std::function<Reply(const Request&)>;

  explicit PageServer(Handler handler) : handler_(std::move(handler)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_, raw, size), 0);
    EXPECT_EQ(::listen(fd_, 16), 0);
    EXPECT_EQ(::getsockname(fd_, raw, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~PageServer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<Request> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  void serve() {
    while (true) {
      const int peer = ::accept(fd_, nullptr, nullptr);
      if (peer < 0) return;
      answer(peer);
      ::close(peer);
    }
  }
  void answer(int peer) {
    std::string head;
    std::array<char, 4096> buffer{};
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t n = ::recv(peer, buffer.data(), buffer.size(), 0);
      if (n <= 0) return;
      head.append(buffer.data(), static_cast<std::size_t>(n));
    }
    const std::string target = head.substr(4, head.find(' ', 4) - 4);
    const std::size_t mark = target.find('?');
    Request request{target.substr(0, mark), head, {}};
    if (mark != std::string::npos) {
      request.query = codec::url::parse_query(target.substr(mark + 1)).value();
    }
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(request);
    }
    const Reply reply = handler_(request);
    send(peer, "HTTP/1.1 " + std::to_string(reply.status) + " X\r\n" + reply.headers +
                   "content-length: " + std::to_string(reply.body.size()) + "\r\n\r\n");
    const std::string body = reply.body.substr(0, reply.cut_at);
    for (std::size_t at = 0; reply.slow && at < body.size(); ++at) send(peer, body.substr(at, 1));
    if (!reply.slow) send(peer, body);
    ::shutdown(peer, SHUT_WR);
    while (::recv(peer, buffer.data(), buffer.size(), 0) > 0) {
    }
  }
  static void send(int peer, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  Handler handler_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Request> seen_;
  std::thread thread_;
};

// Keeps the larger reading, as the archive does.
class MemoryPullStore final : public PullStore {
 public:
  base::Result<std::string> cursor(const std::string& name) override {
    const auto it = cursors.find(name);
    return it == cursors.end() ? std::string() : it->second;
  }
  base::Status set_cursor(const std::string& name, const std::string& value) override {
    cursors[name] = value;
    return {};
  }
  base::Result<PullAdded> add(std::span<const domain::UsageRecord> records,
                              std::span<const domain::CostRecord> amounts) override {
    PullAdded added;
    for (const domain::UsageRecord& record : records) {
      const auto [it, fresh] = usage.try_emplace(record.format + "|" + record.source_id, record);
      if (fresh) {
        ++added.added;
      } else if (record.usage.total() > it->second.usage.total()) {
        it->second = record;
        ++added.replaced;
      } else {
        ++added.repeated;
      }
    }
    for (const domain::CostRecord& amount : amounts) {
      const bool fresh = costs.try_emplace(amount.format + "|" + amount.source_id, amount).second;
      fresh ? ++added.added : ++added.repeated;
    }
    return added;
  }
  std::uint64_t tokens() const {
    std::uint64_t sum = 0;
    for (const auto& [id, record] : usage) sum += record.usage.total();
    return sum;
  }
  std::int64_t billed() const {
    std::int64_t sum = 0;
    for (const auto& [id, amount] : costs) sum += amount.billed.value;
    return sum;
  }

  std::map<std::string, std::string> cursors;
  std::map<std::string, domain::UsageRecord> usage;
  std::map<std::string, domain::CostRecord> costs;
};

// Records what it was told to sleep instead of sleeping.
struct Pulling {
  MemoryPullStore store;
  base::ManualClock clock;
  base::SeededRandom random{1};
  std::vector<std::int64_t> slept;

  base::Result<std::vector<PullOutcome>> run(const PullProvider& provider, const std::string& url,
                                             const PullOptions& options) {
    auto origin = net::parse_base_url(url);
    EXPECT_TRUE(origin.has_value());
    auto client = net::WebClient::open(net::Dialer(), *origin, {});
    EXPECT_TRUE(client.has_value());
    HttpPageSource pages(std::move(*client), provider.headers(base::Secret("sk-test-key")));
    const auto sleep = [this](std::int64_t ms) { slept.push_back(ms); };
    return pull(provider, options, {pages, store, clock, random, sleep, {}});
  }
};

}  // namespace fh::importers::test
