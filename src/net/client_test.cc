// Both clients against our server and against scripted bytes from an untrusted one, and the
// dialer's list.

#include "net/client.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "net/blocking_client.h"
#include "net/test_support.h"

namespace fh::net {
namespace {

using testing::TestServer;

// Accepts one connection after another, reads one request head each, answers with the given bytes
// and closes.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    testing::Listening listening = testing::listen_on_loopback();
    fd_ = listening.fd.release();
    port_ = listening.port;
    const int flags = ::fcntl(fd_, F_GETFL);
    ::fcntl(fd_, F_SETFL, flags & ~O_NONBLOCK);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  HostPort where() const { return {"127.0.0.1", port_}; }

 private:
  void serve() {
    for (const std::string& answer : answers_) {
      const int peer = ::accept(fd_, nullptr, nullptr);
      if (peer < 0) return;
      std::string head;
      std::array<char, 4096> buffer{};
      while (head.find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = ::recv(peer, buffer.data(), buffer.size(), 0);
        if (n <= 0) break;
        head.append(buffer.data(), static_cast<std::size_t>(n));
      }
      ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::shutdown(peer, SHUT_WR);
      while (::recv(peer, buffer.data(), buffer.size(), 0) > 0) {
      }
      ::close(peer);
    }
  }

  std::vector<std::string> answers_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

constexpr std::int64_t kPatienceMs = testing::kPatienceSeconds * 1000;

base::Result<HttpResponse> fetch(const HostPort& server, std::string_view method = "GET") {
  const Dialer dialer;
  ClientRequest request;
  request.method = method;
  return BlockingClient(dialer, server).request(request, kPatienceMs);
}

base::Result<HttpResponse> fetch_scripted(std::string answer, std::string_view method = "GET") {
  const ScriptedServer server({std::move(answer)});
  return fetch(server.where(), method);
}

TEST(BlockingClient, ReadsEveryFraming) {
  EXPECT_EQ(fetch_scripted("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")->body, "hi");
  EXPECT_EQ(fetch_scripted("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "1\r\nh\r\n1;x\r\ni\r\n0\r\nA: b\r\n\r\n")
                ->body,
            "hi");
  EXPECT_EQ(fetch_scripted("HTTP/1.1 200 OK\r\n\r\nhi until the end")->body, "hi until the end");
  EXPECT_EQ(fetch_scripted("HTTP/1.0 200 OK\r\n\r\nold")->body, "old");
  EXPECT_EQ(fetch_scripted("HTTP/1.1 204 No Content\r\n\r\n")->status, 204);
  EXPECT_EQ(fetch_scripted("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD")->body, "");
  EXPECT_EQ(fetch_scripted("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"
                           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
                ->body,
            "hi");
  EXPECT_EQ(fetch_scripted("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n")->status, 200);
}

TEST(BlockingClient, RefusesWhatIsAmbiguousOrCut) {
  const std::vector<std::string> bad = {
      "",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhi",
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhi",
      "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
      "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
      "HTTP/1.1 200 OK\r\nBad Name: x\r\nContent-Length: 2\r\n\r\nhi",
      "HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\nhi",
      "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
      "hello",
  };
  for (const std::string& answer : bad) {
    const auto response = fetch_scripted(answer);
    ASSERT_FALSE(response) << answer.substr(0, 80);
    EXPECT_EQ(response.error().code, base::Code::Unavailable) << response.error().text();
  }
}

TEST(BlockingClient, GivesUpOnSilence) {
  const testing::Listening silent = testing::listen_on_loopback();
  const Dialer dialer;
  const BlockingClient client(dialer, {"127.0.0.1", silent.port});
  EXPECT_EQ(client.request({}, 30).error().code, base::Code::DeadlineExceeded);
  const auto streamed = client.stream({}, 30, nullptr, [](std::string_view) { return true; });
  EXPECT_EQ(streamed.error().code, base::Code::DeadlineExceeded);
}

TEST(BlockingClient, RefusesToSendMalformedRequests) {
  TestServer server(ServerOptions{});
  const Dialer dialer;
  const BlockingClient client(dialer, {"localhost", server.port()});
  ClientRequest request;
  request.headers = {{"x-a", "b\r\nx-injected: 1"}};
  EXPECT_EQ(client.request(request, kPatienceMs).error().code, base::Code::InvalidArgument);
  request.headers.clear();
  request.target = "/a b";
  EXPECT_EQ(client.request(request, kPatienceMs).error().code, base::Code::InvalidArgument);
}

Task<void> three_chunks(HttpRequest request, ResponseWriter& response) {
  if (request.path != "/stream") {
    co_await testing::echo_handler(std::move(request), response);
    co_return;
  }
  co_await response.begin(200, {{"x-kind", "stream"}});
  for (const char* text : {"one", "two", "three"}) co_await response.write(text);
  co_await response.finish();
}

ServerOptions streaming_options() {
  ServerOptions options;
  options.handler = three_chunks;
  return options;
}

TEST(BlockingClient, StreamsAndCanStop) {
  TestServer server(streaming_options());
  const Dialer dialer;
  const BlockingClient client(dialer, {"127.0.0.1", server.port()});
  ClientRequest request;
  request.target = "/stream";
  std::string body;
  int heads = 0;
  const auto status = client.stream(
      request, kPatienceMs,
      [&](const BlockingClient::Head& head) {
        ++heads;
        EXPECT_EQ(head.status, 200);
      },
      [&](std::string_view bytes) {
        body += bytes;
        return true;
      });
  ASSERT_TRUE(status);
  EXPECT_EQ(*status, 200);
  EXPECT_EQ(heads, 1);
  EXPECT_EQ(body, "onetwothree");
  const auto stopped =
      client.stream(request, kPatienceMs, nullptr, [](std::string_view) { return false; });
  EXPECT_EQ(stopped.error().code, base::Code::Cancelled);
}

// The coroutine client runs in a loop of its own and stops it when the test body is done.

struct Outcome {
  std::vector<std::string> bodies;
  std::vector<base::Error> errors;
  std::size_t idle = 0;
};

Task<void> exchanges(HttpClient& client, Runtime& runtime, int count, Outcome& out) {
  const auto patience = std::chrono::seconds(testing::kPatienceSeconds);
  for (int i = 0; i < count; ++i) {
    ClientRequest request;
    request.method = "POST";
    request.target = "/body";
    request.body = "n" + std::to_string(i);
    const auto response =
        co_await client.exchange(std::move(request), runtime.clock().now() + patience);
    if (response) {
      out.bodies.push_back(response->body);
    } else {
      out.errors.push_back(response.error());
    }
  }
  out.idle = client.idle_connections();
  runtime.stop();
}

Outcome run_exchanges(const HostPort& server, int count, const Dialer& dialer = {}) {
  base::SystemClock clock;
  Runtime runtime(clock);
  HttpClient client(runtime, dialer, server);
  Outcome out;
  runtime.spawn(exchanges(client, runtime, count, out));
  runtime.run();
  return out;
}

TEST(HttpClient, ReusesOneConnection) {
  TestServer server(ServerOptions{});
  const Outcome out = run_exchanges({"localhost", server.port()}, 5);
  ASSERT_EQ(out.bodies.size(), 5u);
  EXPECT_EQ(out.bodies[4], "POST /body? n4");
  EXPECT_EQ(out.idle, 1u);
}

TEST(HttpClient, DropsPooledConnectionsThatTheServerClosed) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  const ScriptedServer server({answer, answer, answer});
  const Outcome out = run_exchanges(server.where(), 3);
  // The close may arrive after the next request was sent: that one fails, it is not repeated.
  EXPECT_EQ(out.bodies.size() + out.errors.size(), 3u);
  EXPECT_GE(out.bodies.size(), 1u);
}

TEST(HttpClient, DoesNotReuseAConnectionWithSurplusBytes) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n";
  const ScriptedServer server({answer});
  const Outcome out = run_exchanges(server.where(), 1);
  ASSERT_EQ(out.bodies.size(), 1u);
  EXPECT_EQ(out.idle, 0u);
}

TEST(HttpClient, ReportsUnreachableAndForbidden) {
  const std::uint16_t port = testing::listen_on_loopback().port;  // closed again
  const Outcome refused = run_exchanges({"127.0.0.1", port}, 1);
  ASSERT_EQ(refused.errors.size(), 1u);
  EXPECT_EQ(refused.errors[0].code, base::Code::Unavailable);
  EXPECT_NE(refused.errors[0].hint.find("nothing listens there"), std::string::npos);
  const Outcome forbidden = run_exchanges({"192.0.2.1", 80}, 1);
  ASSERT_EQ(forbidden.errors.size(), 1u);
  EXPECT_EQ(forbidden.errors[0].code, base::Code::PermissionDenied);
}

Task<void> read_stream(HttpClient& client, Runtime& runtime, Outcome& out) {
  const auto deadline = runtime.clock().now() + std::chrono::seconds(testing::kPatienceSeconds);
  ClientRequest request;
  request.target = "/stream";
  auto stream = co_await client.start(std::move(request), deadline);
  if (stream) {
    EXPECT_EQ((*stream)->status(), 200);
    EXPECT_EQ((*stream)->header("X-Kind"), "stream");
    std::string all;
    for (;;) {
      const auto bytes = co_await (*stream)->read(deadline);
      EXPECT_TRUE(bytes.has_value());
      if (!bytes || bytes->empty()) break;
      all += *bytes;
    }
    out.bodies.push_back(all);
  }
  out.idle = client.idle_connections();
  runtime.stop();
}

TEST(HttpClient, StreamsABody) {
  TestServer server(streaming_options());
  base::SystemClock clock;
  Runtime runtime(clock);
  const Dialer dialer;
  HttpClient client(runtime, dialer, {"127.0.0.1", server.port()});
  Outcome out;
  runtime.spawn(read_stream(client, runtime, out));
  runtime.run();
  EXPECT_EQ(out.bodies, std::vector<std::string>({"onetwothree"}));
  EXPECT_EQ(out.idle, 1u);
}

Task<void> start_and_drop(HttpClient& client, Runtime& runtime) {
  const auto deadline = runtime.clock().now() + std::chrono::seconds(testing::kPatienceSeconds);
  {
    const auto stream = co_await client.start({}, deadline);
    EXPECT_TRUE(stream.has_value());
  }
  runtime.stop();
}

Task<void> write_until_gone(HttpRequest, ResponseWriter& response) {
  co_await response.begin(200, {});
  while (co_await response.write("x")) {
  }
}

TEST(HttpClient, DroppingAStreamTellsTheServer) {
  ServerOptions options;
  options.handler = write_until_gone;
  TestServer server(std::move(options));
  base::SystemClock clock;
  Runtime runtime(clock);
  const Dialer dialer;
  HttpClient client(runtime, dialer, {"127.0.0.1", server.port()});
  runtime.spawn(start_and_drop(client, runtime));
  runtime.run();
  EXPECT_TRUE(testing::eventually([&] { return server.server().connections() == 0; }));
}

TEST(Dialer, AllowsLoopbackAndTheList) {
  const Dialer loopback;
  EXPECT_TRUE(loopback.allows({"127.0.0.1", 1}));
  EXPECT_TRUE(loopback.allows({"127.1.2.3", 1}));
  EXPECT_TRUE(loopback.allows({"::1", 1}));
  EXPECT_TRUE(loopback.allows({"LOCALHOST", 1}));
  EXPECT_FALSE(loopback.allows({"localhost.example.com", 1}));
  EXPECT_FALSE(loopback.allows({"10.0.0.1", 1}));
  EXPECT_FALSE(loopback.allows({"", 1}));
  const Dialer listed({{"api.example.com", 443}, {"10.0.0.1", 0}});
  EXPECT_TRUE(listed.allows({"API.example.com", 443}));
  EXPECT_FALSE(listed.allows({"api.example.com", 80}));
  EXPECT_TRUE(listed.allows({"10.0.0.1", 8080}));
  EXPECT_FALSE(listed.allows({"10.0.0.2", 8080}));
}

}  // namespace
}  // namespace fh::net
