// See client.h. A pooled connection is looked at before it is used (the server may have closed it);
// a request is never sent twice, because most of ours are not idempotent.

#include "net/client.h"

#include <array>
#include <chrono>
#include <utility>

#include "net/client_wire_impl.h"
#include "net/stream_impl.h"
#include "net/text.h"

namespace fh::net {

struct HttpClient::Impl {
  struct Idle {
    std::shared_ptr<Stream> stream;
    base::TimePoint since;
  };
  Impl(Runtime& r, const Dialer& d, HostPort s, ClientLimits l)
      : runtime(r), dialer(d), server(std::move(s)), limits(l) {}

  // A live pooled connection or null.
  std::shared_ptr<Stream> take_idle() {
    const base::TimePoint oldest =
        runtime.clock().now() - std::chrono::milliseconds(limits.idle_ms);
    while (!idle.empty()) {
      Idle entry = std::move(idle.back());
      idle.pop_back();
      std::array<char, 1> probe{};
      // Silence is the only good sign: an end or unexpected bytes make the connection useless.
      if (entry.since >= oldest && entry.stream->try_read(probe) == -EAGAIN) return entry.stream;
    }
    return nullptr;
  }
  void give_back(std::shared_ptr<Stream> stream) {
    if (idle.size() >= limits.idle_connections_max) idle.erase(idle.begin());
    idle.push_back({std::move(stream), runtime.clock().now()});
  }

  Runtime& runtime;
  const Dialer& dialer;
  HostPort server;
  ClientLimits limits;
  std::vector<Idle> idle;
  std::vector<char> scratch = std::vector<char>(64 * 1024);
};

namespace {

class SocketResponseStream final : public ResponseStream {
 public:
  SocketResponseStream(std::shared_ptr<HttpClient::Impl> client, std::shared_ptr<Stream> stream,
                       std::string method)
      : client_(std::move(client)),
        stream_(std::move(stream)),
        reader_(parser_limits(client_->limits), std::move(method)) {}
  ~SocketResponseStream() override {
    if (stream_) stream_->close();
  }

  int status() const override { return reader_.head().status; }
  const std::vector<Header>& headers() const override { return reader_.head().fields; }
  std::string_view header(std::string_view name) const override {
    for (const Header& field : headers()) {
      if (equal_ignoring_case(field.name, name)) return field.value;
    }
    return {};
  }

  Task<base::Status> read_head(base::TimePoint deadline) {
    while (!reader_.head_done()) FH_CO_TRY_VOID(co_await receive(deadline));
    release_if_done();
    co_return base::Status{};
  }

  Task<base::Result<std::string>> read(base::TimePoint deadline) override {
    while (reader_.body_waiting() == 0 && !reader_.body_done()) {
      FH_CO_TRY_VOID(co_await receive(deadline));
    }
    release_if_done();
    co_return reader_.take_body();
  }

 private:
  static ParserLimits parser_limits(const ClientLimits& limits) {
    ParserLimits out;
    out.head_bytes_max = limits.head_bytes_max;
    out.header_fields_max = limits.header_fields_max;
    return out;
  }

  // One portion of bytes. After an error the stream is closed.
  Task<base::Status> receive(base::TimePoint deadline) {
    if (!stream_) co_return base::fail(base::Code::Unavailable, "the connection is closed");
    base::Status status;
    const ssize_t n = stream_->try_read(client_->scratch);
    if (n == -EAGAIN) {
      status = co_await stream_->wait_readable(deadline);
    } else if (n > 0) {
      status = reader_.feed(std::string_view(client_->scratch.data(), static_cast<std::size_t>(n)));
    } else {
      status = reader_.end_of_data();
    }
    if (!status) drop();
    co_return status;
  }

  void drop() {
    stream_->close();
    stream_ = nullptr;
  }

  void release_if_done() {
    if (!stream_ || !reader_.body_done()) return;
    if (reader_.reusable()) {
      client_->give_back(std::exchange(stream_, nullptr));
    } else {
      drop();
    }
  }

  std::shared_ptr<HttpClient::Impl> client_;
  std::shared_ptr<Stream> stream_;
  ResponseReader reader_;
};

}  // namespace

HttpClient::HttpClient(Runtime& runtime, const Dialer& dialer, HostPort server, ClientLimits limits)
    : impl_(std::make_shared<Impl>(runtime, dialer, std::move(server), limits)) {}
HttpClient::~HttpClient() = default;

std::size_t HttpClient::idle_connections() const {
  return impl_->idle.size();
}

Task<base::Result<std::unique_ptr<ResponseStream>>> HttpClient::start(ClientRequest request,
                                                                      base::TimePoint deadline) {
  const std::shared_ptr<Impl> impl = impl_;
  FH_CO_TRY(std::string head, format_request_head(request, impl->server));
  std::shared_ptr<Stream> stream = impl->take_idle();
  if (!stream) {
    FH_CO_TRY(const int fd, co_await impl->dialer.connect(impl->runtime, impl->server, deadline));
    stream = std::make_shared<Stream>(impl->runtime, fd);
  }
  std::array<iovec, 2> parts = {iovec{head.data(), head.size()},
                                iovec{request.body.data(), request.body.size()}};
  // A server may answer (and stop reading) before it has the whole body: then its answer counts,
  // not our failure.
  const auto written = co_await stream->write_all(parts, impl->limits.write_timeout_ms);
  auto response = std::make_unique<SocketResponseStream>(impl, stream, std::move(request.method));
  const auto answered = co_await response->read_head(deadline);
  if (!written && !answered) co_return std::unexpected(written.error());
  FH_CO_TRY_VOID(base::Status(answered));
  co_return std::unique_ptr<ResponseStream>(std::move(response));
}

Task<base::Result<HttpResponse>> HttpClient::exchange(ClientRequest request,
                                                      base::TimePoint deadline) {
  const std::size_t bytes_max = impl_->limits.body_bytes_max;
  FH_CO_TRY(const auto stream, co_await start(std::move(request), deadline));
  HttpResponse response;
  response.status = stream->status();
  response.headers = stream->headers();
  for (;;) {
    FH_CO_TRY(const std::string bytes, co_await stream->read(deadline));
    if (bytes.empty()) co_return response;
    if (bytes.size() > bytes_max - std::min(bytes_max, response.body.size())) {
      co_return base::fail(base::Code::ResourceExhausted, "the server's answer is too large");
    }
    response.body += bytes;
  }
}

}  // namespace fh::net
