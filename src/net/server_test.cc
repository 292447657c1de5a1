// The server through real loopback sockets: keep-alive, pipelining, bodies, limits, streaming,
// vanished peers, draining. Small limits are injected; no test depends on how fast something is.

#include "net/server.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "net/http.h"
#include "net/test_support.h"

namespace {
std::atomic<int> g_accept_errors = 0;
std::atomic<int> g_accept_error = 0;
}  // namespace

// In the place of the C library's, so that a test can play a network that takes connections back.
extern "C" int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  if (g_accept_errors > 0) {
    --g_accept_errors;
    errno = g_accept_error;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_accept4, fd, address, length, flags));
}

namespace fh::net {
namespace {

using testing::eventually;
using testing::RawClient;
using testing::status_of;
using testing::TestServer;

std::string post(std::string_view path, std::string_view fields, std::string_view body) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" +
         std::string(body);
}
std::string sized(std::string_view path, std::string_view body, std::string_view fields = "") {
  return post(path, std::string(fields) + "Content-Length: " + std::to_string(body.size()) + "\r\n",
              body);
}
std::string body_of(const std::string& response) {
  return response.substr(response.find("\r\n\r\n") + 4);
}

TEST(Server, AnswersWithTheFieldsThatAreOurs) {
  TestServer server(ServerOptions{});
  RawClient client(server.port());
  client.send("GET /a%20b?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string response = client.read_response();
  EXPECT_EQ(status_of(response), 200);
  EXPECT_EQ(body_of(response), "GET /a b?x=1 ");
  EXPECT_NE(response.find("\r\ncontent-type: text/plain\r\n"), std::string::npos);
  EXPECT_NE(response.find("\r\ndate: "), std::string::npos);
  EXPECT_EQ(response.find("connection:"), std::string::npos);
}

TEST(Server, GoesOnAcceptingAfterErrorsThatPass) {
  TestServer server(ServerOptions{});
  for (const int error : {EMFILE, ENETDOWN, EHOSTUNREACH, EPERM, ECONNABORTED}) {
    g_accept_error = error;
    g_accept_errors = 2;
    RawClient client(server.port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of(client.read_response()), 200) << error;
    EXPECT_EQ(g_accept_errors, 0) << "the error was not met";
  }
}

TEST(Server, KeepsConnectionsAndCountsThem) {
  TestServer server(ServerOptions{});
  RawClient client(server.port());
  for (int i = 0; i < 50; ++i) {
    client.send(sized("/body", std::string(static_cast<std::size_t>(i) * 100, 'x')));
    EXPECT_EQ(status_of(client.read_response()), 200);
  }
  EXPECT_EQ(server.server().connections(), 1u);
  client.close();
  EXPECT_TRUE(eventually([&] { return server.server().connections() == 0; }));
}

TEST(Server, ServesPipelinedRequestsInOrder) {
  TestServer server(ServerOptions{});
  RawClient client(server.port());
  std::string all;
  for (int i = 0; i < 20; ++i) {
    all += sized("/body" + std::to_string(i), "b" + std::to_string(i));
    all += post("/body", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n");
  }
  client.send(all);
  for (int i = 0; i < 20; ++i) {
    const std::string n = std::to_string(i);
    EXPECT_EQ(body_of(client.read_response()), "POST /body" + n + "? b" + n);
    EXPECT_EQ(body_of(client.read_response()), "POST /body? abc");
  }
}

TEST(Server, BodiesMayArriveInAnyPieces) {
  TestServer server(ServerOptions{});
  for (const std::string& request :
       {sized("/body", "hello"),
        post("/body", "Transfer-Encoding: chunked\r\n", "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n")}) {
    for (std::size_t cut = 1; cut < request.size(); cut += 7) {
      RawClient client(server.port());
      client.send(request.substr(0, cut));
      std::this_thread::yield();
      client.send(request.substr(cut));
      EXPECT_EQ(body_of(client.read_response()), "POST /body? hello") << "cut at " << cut;
    }
  }
}

TEST(Server, LargeBodyBothFramings) {
  TestServer server(ServerOptions{});
  const std::string body(64 * 1024, 'z');
  RawClient client(server.port());
  client.send(sized("/body", body));
  EXPECT_EQ(body_of(client.read_response()), "POST /body? " + body);
  client.send(
      post("/body", "Transfer-Encoding: chunked\r\n", "10000\r\n" + body + "\r\n0\r\n\r\n"));
  EXPECT_EQ(body_of(client.read_response()), "POST /body? " + body);
}

TEST(Server, RefusesBodiesBeyondTheCapEvenWhileTheyAreSent) {
  TestServer server(ServerOptions{});
  const std::string body(4 * 1024 * 1024, 'z');
  {
    RawClient client(server.port());
    EXPECT_TRUE(client.send(sized("/body", body))) << "the refusal must not reset the sender";
    const std::string response = client.read_to_end();
    EXPECT_EQ(status_of(response), 413);
    EXPECT_EQ(body_of(response), "/body: the request body is too large");
  }
  RawClient client(server.port());
  client.send(
      post("/body", "Transfer-Encoding: chunked\r\n", "400000\r\n" + body + "\r\n0\r\n\r\n"));
  EXPECT_EQ(status_of(client.read_to_end()), 413);
}

TEST(Server, ExpectContinue) {
  TestServer server(ServerOptions{});
  RawClient client(server.port());
  client.send(post("/body", "Expect: 100-continue\r\nContent-Length: 5\r\n", ""));
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_EQ(body_of(client.read_response()), "POST /body? hello");
  // A body that may not come is refused instead of invited.
  client.send(post("/body", "Expect: 100-continue\r\nContent-Length: 500000\r\n", ""));
  EXPECT_EQ(status_of(client.read_to_end()), 413);
}

// "hello hello hello hello", compressed.
std::string hello_gzip() {
  return std::string(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\x01\xe3\x51\x3d"
      "\x8d\x17\x00\x00\x00",
      28);
}

TEST(Server, DecodesContentEncodings) {
  TestServer server(ServerOptions{});
  const std::string gzip = hello_gzip();
  RawClient client(server.port());
  client.send(sized("/body", gzip, "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(body_of(client.read_response()), "POST /body? hello hello hello hello");
  client.send(sized("/body", "plain", "Content-Encoding: identity\r\n"));
  EXPECT_EQ(body_of(client.read_response()), "POST /body? plain");
  client.send(sized("/body", gzip, "Content-Encoding: br\r\n"));
  EXPECT_EQ(status_of(client.read_to_end()), 415);
  RawClient damaged(server.port());
  damaged.send(sized("/body", gzip.substr(0, 20), "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(status_of(damaged.read_to_end()), 400);
  RawClient twice(server.port());
  twice.send(sized("/body", gzip, "Content-Encoding: gzip, gzip\r\n"));
  EXPECT_EQ(status_of(twice.read_to_end()), 415);
}

TEST(Server, DecodedBodiesAreCapped) {
  ServerOptions options;
  options.limits.decoded_body_bytes_max = 10;
  TestServer server(std::move(options));
  const std::string gzip = hello_gzip();
  RawClient client(server.port());
  client.send(sized("/body", gzip, "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(status_of(client.read_to_end()), 413);
}

TEST(Server, HeadHasLengthAndNoBody) {
  TestServer server(ServerOptions{});
  RawClient client(server.port());
  client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string head = client.read_until("\r\n\r\n");
  EXPECT_EQ(status_of(head), 200);
  EXPECT_NE(head.find("content-length: 9\r\n"), std::string::npos) << head;
  EXPECT_EQ(body_of(client.read_response()), "GET /y? ");
}

TEST(Server, OldVersionsCloseUnlessAskedNotTo) {
  TestServer server(ServerOptions{});
  RawClient client(server.port());
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(client.read_response().find("connection: keep-alive\r\n"), std::string::npos);
  client.send("GET / HTTP/1.0\r\n\r\n");
  const std::string last = client.read_to_end();
  EXPECT_NE(last.find("connection: close\r\n"), std::string::npos);
  EXPECT_EQ(body_of(last), "GET /? ");
}

TEST(Server, IdentityFieldsDoNotReachTheHandler) {
  ServerOptions options;
  options.handler = [](HttpRequest request, ResponseWriter& response) -> Task<void> {
    HttpResponse answer;
    for (const Header& field : request.headers) answer.body += field.name + ";";
    answer.body += request.peer.address + (request.peer.loopback ? ";loopback" : "");
    co_await response.send(std::move(answer));
  };
  TestServer server(std::move(options));
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\nX-A: b\r\n\r\n");
  EXPECT_EQ(body_of(client.read_response()), "Host;X-A;127.0.0.1;loopback");
}

Task<void> tell_uid(HttpRequest request, ResponseWriter& response) {
  HttpResponse answer;
  answer.body = std::to_string(request.peer.uid);
  co_await response.send(std::move(answer));
}

TEST(Server, PeerUidOnlyWhereTheRouteAsks) {
  ServerOptions options;
  options.handler = tell_uid;
  options.route_policy = [](std::string_view, std::string_view path) {
    RoutePolicy policy;
    policy.wants_peer_uid = path == "/owner";
    return policy;
  };
  TestServer server(std::move(options));
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(body_of(client.read_response()), "-1");
  client.send("GET /owner HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(body_of(client.read_response()), std::to_string(::getuid()));
}

// Timeouts.

ServerOptions impatient() {
  ServerOptions options;
  options.limits.head_timeout_ms = 50;
  options.limits.keep_alive_ms = 50;
  options.route_policy = [](std::string_view, std::string_view) {
    RoutePolicy policy;
    policy.body_bytes_max = 1024;
    policy.request_timeout_ms = 50;
    return policy;
  };
  return options;
}

TEST(Server, SlowHeadGets408) {
  TestServer server(impatient());
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost:");
  EXPECT_EQ(status_of(client.read_to_end()), 408);
  EXPECT_FALSE(client.timed_out());
}

TEST(Server, SlowBodyGets408) {
  TestServer server(impatient());
  RawClient by_length(server.port());
  by_length.send(post("/body", "Content-Length: 5\r\n", "he"));
  EXPECT_EQ(status_of(by_length.read_to_end()), 408);
  RawClient chunked(server.port());
  chunked.send(post("/body", "Transfer-Encoding: chunked\r\n", "5\r\nhe"));
  EXPECT_EQ(status_of(chunked.read_to_end()), 408);
}

TEST(Server, IdleConnectionsEndWithoutAWord) {
  TestServer server(impatient());
  RawClient silent(server.port());
  EXPECT_EQ(silent.read_to_end(), "");
  RawClient used(server.port());
  used.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(used.read_response()), 200);
  EXPECT_EQ(used.read_to_end(), "");
  EXPECT_FALSE(silent.timed_out() || used.timed_out());
}

// Streaming and vanished peers. The handler is driven by the path and reports to the test.

struct Report {
  std::atomic<int> started = 0;
  std::atomic<int> gone = 0;
  std::atomic<int> failed_writes = 0;
  std::atomic<int> done = 0;
};

Task<void> stream_chunks(ResponseWriter& response) {
  co_await response.begin(200, {{"content-type", "text/event-stream"}});
  for (const char* text : {"one", "", "two", "three"}) co_await response.write(text);
  co_await response.finish();
}

Task<void> stream_and_close(ResponseWriter& response) {
  co_await response.begin(200, {});
  co_await response.write("broken");
  response.close_after();
  co_await response.finish();
}

Task<void> wait_for_gone(Report& report, Runtime& runtime, bool begin, ResponseWriter& response) {
  Signal signal(runtime);
  response.on_peer_gone([&] {
    ++report.gone;
    signal.notify();
  });
  if (begin) co_await response.begin(200, {});
  ++report.started;
  const auto patience = std::chrono::seconds(testing::kPatienceSeconds);
  co_await signal.wait_until(runtime.clock().now() + patience);
  if (!co_await response.write("late")) ++report.failed_writes;
  ++report.done;
}

Task<void> flood(Report& report, ResponseWriter& response) {
  ++report.started;
  co_await response.begin(200, {});
  for (int i = 0; i < 4'096; ++i) {
    if (!co_await response.write(std::string(64 * 1024, 'x'))) {
      ++report.failed_writes;
      break;
    }
  }
  ++report.done;
}

// The loop runs before the test can say which it is.
using LoopOf = std::atomic<Runtime*>;

ServerOptions streaming(Report& report, LoopOf& runtime) {
  ServerOptions options;
  options.limits.write_timeout_ms = 100;
  options.handler = [&report, &runtime](HttpRequest request, ResponseWriter& response) {
    if (request.path == "/stream") return stream_chunks(response);
    if (request.path == "/last") return stream_and_close(response);
    if (request.path == "/wait") return wait_for_gone(report, *runtime.load(), true, response);
    if (request.path == "/flood") return flood(report, response);
    return testing::echo_handler(std::move(request), response);
  };
  return options;
}

class Streaming : public ::testing::Test {
 protected:
  Report report_;
  LoopOf runtime_ = nullptr;
  TestServer server_{streaming(report_, runtime_)};
  void SetUp() override { runtime_ = &server_.runtime(); }
};

TEST_F(Streaming, IsChunkedAndKeepsTheConnection) {
  RawClient client(server_.port());
  client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string head = client.read_until("\r\n\r\n");
  EXPECT_NE(head.find("transfer-encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(head.find("content-length"), std::string::npos);
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n");
  EXPECT_EQ(body_of(client.read_response()), "GET /x? ");
}

TEST_F(Streaming, TheConnectionEndsWhereTheHandlerSaysSo) {
  RawClient client(server_.port());
  client.send("GET /last HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.read_to_end().ends_with("\r\n\r\n6\r\nbroken\r\n0\r\n\r\n"));
  EXPECT_FALSE(client.timed_out());
}

TEST_F(Streaming, OldVersionIsCloseDelimited) {
  RawClient client(server_.port());
  client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string response = client.read_to_end();
  EXPECT_EQ(response.find("transfer-encoding"), std::string::npos);
  EXPECT_NE(response.find("connection: close\r\n"), std::string::npos);
  EXPECT_EQ(body_of(response), "onetwothree");
}

TEST_F(Streaming, HeadStreamsNothing) {
  RawClient client(server_.port());
  client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(client.read_until("\r\n\r\n")), 200);
  EXPECT_EQ(body_of(client.read_response()), "GET /x? ");
}

TEST_F(Streaming, ClosedPeerIsNoticedWhileTheHandlerWaits) {
  RawClient client(server_.port());
  client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_until("\r\n\r\n");
  client.close();
  EXPECT_TRUE(eventually([&] { return report_.done == 1; }));
  EXPECT_EQ(report_.gone, 1);
}

TEST_F(Streaming, ResetAndHalfClosedPeersAreNoticedToo) {
  RawClient resetting(server_.port());
  resetting.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  resetting.read_until("\r\n\r\n");
  resetting.reset();
  EXPECT_TRUE(eventually([&] { return report_.gone == 1; }));
  RawClient half(server_.port());
  half.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  half.read_until("\r\n\r\n");
  half.shutdown_send();
  EXPECT_TRUE(eventually([&] { return report_.gone == 2; }));
}

TEST_F(Streaming, PeerThatPipelinedAndLeftIsNoticed) {
  RawClient client(server_.port());
  client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_until("\r\n\r\n");
  client.send("GET /never-served HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(report_.gone, 0);
  client.close();
  EXPECT_TRUE(eventually([&] { return report_.done == 1; }));
  EXPECT_EQ(report_.gone, 1);
}

TEST_F(Streaming, WatchingEndsWithTheAnswer) {
  // A keep-alive connection that served a watched request serves others and is not "gone" when it
  // closes later.
  RawClient client(server_.port());
  for (int i = 0; i < 3; ++i) {
    client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read_until("0\r\n\r\n");
  }
  client.close();
  EXPECT_TRUE(eventually([&] { return server_.server().connections() == 0; }));
  EXPECT_EQ(report_.gone, 0);
}

TEST_F(Streaming, ClientThatDoesNotReadIsCutOff) {
  RawClient client(server_.port(), 4096);
  client.send("GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return report_.done == 1; }));
  EXPECT_EQ(report_.failed_writes, 1);
  EXPECT_TRUE(eventually([&] { return server_.server().connections() == 0; }));
}

TEST_F(Streaming, RequestsInFlightAreCounted) {
  RawClient client(server_.port());
  client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return report_.started == 1; }));
  EXPECT_EQ(server_.server().requests_in_flight(), 1u);
  client.close();
  EXPECT_TRUE(eventually([&] { return server_.server().requests_in_flight() == 0; }));
}

TEST_F(Streaming, DrainFinishesWhatIsOpenAndClosesTheRest) {
  RawClient idle(server_.port());
  idle.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  idle.read_response();
  RawClient busy(server_.port());
  busy.send(post("/body", "Content-Length: 5\r\n", "he"));
  EXPECT_TRUE(eventually([&] { return server_.server().requests_in_flight() == 1; }));
  server_.server().drain();
  EXPECT_EQ(idle.read_to_end(), "");
  busy.send("llo");
  const std::string response = busy.read_to_end();
  EXPECT_EQ(body_of(response), "POST /body? hello");
  EXPECT_NE(response.find("connection: close\r\n"), std::string::npos);
  busy.close();
  EXPECT_TRUE(eventually([&] { return server_.server().connections() == 0; }));
}

Task<void> abort_midway(HttpRequest, ResponseWriter& response) {
  co_await response.begin(200, {});
  co_await response.write("part");
  response.abort();
}

TEST(Server, AbortBreaksTheStreamVisibly) {
  ServerOptions options;
  options.handler = abort_midway;
  TestServer server(std::move(options));
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string response = client.read_to_end();
  EXPECT_EQ(response.find("\r\n0\r\n"), std::string::npos) << response;
  EXPECT_FALSE(client.timed_out());
}

TEST(Server, ConnectionCaps) {
  ServerOptions options;
  options.limits.connections_per_address_max = 2;
  TestServer server(std::move(options));
  RawClient a(server.port());
  RawClient b(server.port());
  EXPECT_TRUE(eventually([&] { return server.server().connections() == 2; }));
  RawClient c(server.port());
  EXPECT_EQ(status_of(c.read_to_end()), 503);
  a.close();
  EXPECT_TRUE(eventually([&] { return server.server().connections() == 1; }));
  RawClient d(server.port());
  d.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(d.read_response()), 200);
}

TEST(Server, DestructionBreaksOpenConnections) {
  Report report;
  LoopOf runtime = nullptr;
  auto server = std::make_unique<TestServer>(streaming(report, runtime));
  runtime = &server->runtime();
  RawClient client(server->port());
  client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_until("\r\n\r\n");
  server.reset();
  client.read_to_end();
  EXPECT_FALSE(client.timed_out());
}

#ifdef NDEBUG
// In debug builds a bug ends the process.
Task<void> throwing(HttpRequest request, ResponseWriter& response) {
  if (request.path == "/late") co_await response.begin(200, {});
  throw std::runtime_error("boom");
}

TEST(Server, HandlerExceptionsBecome500) {
  ServerOptions options;
  options.handler = throwing;
  TestServer server(std::move(options));
  RawClient client(server.port());
  client.send("GET /early HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(status_of(client.read_response()), 500);
  client.send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string late = client.read_to_end();
  EXPECT_EQ(status_of(late), 200);
  EXPECT_EQ(late.find("\r\n0\r\n"), std::string::npos);
}
#endif

TEST(HttpRequest, LooksUpFieldsAndQueryValues) {
  HttpRequest request;
  request.headers = {{"X-A", "1"}, {"x-a", "2"}};
  request.query = "bad=%zz&a=b+c&flag&x=%26&a=second";
  EXPECT_EQ(request.header("x-A"), "1");
  EXPECT_TRUE(request.has_header("X-a"));
  EXPECT_FALSE(request.has_header("X-B"));
  EXPECT_EQ(request.query_value("a"), "b c");
  EXPECT_EQ(request.query_value("x"), "&");
  EXPECT_EQ(request.query_value("flag"), "");
  EXPECT_EQ(request.query_value("none"), "");
}

}  // namespace
}  // namespace fh::net
