// The limit that the gateway is held against: Freehold's own HTTP server with a handler that
// answers every request at once with one Chat Completions body. What a request costs here is
// sockets, parsing and the client; what it costs more at the gateway is the gateway. Prints the
// port it took, serves until it is killed.
#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "base/clock.h"
#include "base/os/listener.h"
#include "base/os/process.h"
#include "net/server.h"

namespace fh::bench {
namespace {

constexpr std::size_t kBodyBytesMax = 1024 * 1024;

net::Task<void> answer(net::HttpRequest request, net::ResponseWriter& writer) {
  net::HttpResponse response;
  response.headers = {{"content-type", "application/json"}, {"x-request-id", "req_instant"}};
  response.body = R"({"id":"chatcmpl-instant","object":"chat.completion","created":1767225600,)"
                  R"("model":"scripted","choices":[{"index":0,"message":{"role":"assistant",)"
                  R"("content":"Four words, at once.","refusal":null},"logprobs":null,)"
                  R"("finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":4,)"
                  R"("total_tokens":24,"prompt_tokens_details":{"cached_tokens":0},)"
                  R"("completion_tokens_details":{"reasoning_tokens":0}}})";
  // A peer that is gone needs no answer.
  static_cast<void>(co_await writer.send(std::move(response)));
}

int serve() {
  auto listener = base::os::open_listener("127.0.0.1:0");
  if (!listener) {
    fmt::print(stderr, "instant_server: {}\n", listener.error().text());
    return 1;
  }
  base::SystemClock clock;
  net::Runtime runtime(static_cast<base::Clock&>(clock));
  net::ServerOptions options;
  options.handler = answer;
  options.route_policy = [](std::string_view, std::string_view) {
    net::RoutePolicy policy;
    policy.body_bytes_max = kBodyBytesMax;
    return policy;
  };
  const net::Server server(runtime, {listener->fd.release()}, std::move(options));
  fmt::print("{}\n", listener->address.substr(listener->address.rfind(':') + 1));
  std::fflush(stdout);
  runtime.run();
  return 0;
}

}  // namespace
}  // namespace fh::bench

int main() {
  fh::base::os::end_with_parent();
  fh::base::os::ignore_broken_pipes();
  return fh::bench::serve();
}
