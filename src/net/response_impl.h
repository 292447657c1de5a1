#pragma once
// ResponseWriter on a socket, and how response heads are written. Not for other folders.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"
#include "net/stream_impl.h"

namespace fh::net {

// "Date: ..." in IMF-fixdate (RFC 9110 section 5.6.7), formatted once a second.
class DateCache {
 public:
  explicit DateCache(const base::Clock& clock) : clock_(clock) {}
  const std::string& value();

 private:
  const base::Clock& clock_;
  std::int64_t second_ = -1;
  std::string value_;
};

std::string_view reason_phrase(int status);

class SocketResponse final : public ResponseWriter {
 public:
  struct Setup {
    std::shared_ptr<Stream> stream;
    DateCache& date;
    const bool& draining;
    std::int64_t write_timeout_ms = 0;
    bool head_request = false;
    bool http_1_0 = false;
    bool keep_alive = false;
  };
  explicit SocketResponse(Setup setup) : setup_(std::move(setup)) {}
  ~SocketResponse() override { setup_.stream->unwatch(); }

  Task<base::Status> send(HttpResponse response) override;
  Task<base::Status> begin(int status, std::vector<Header> headers) override;
  Task<base::Status> write(std::string chunk) override;
  Task<base::Status> finish() override;
  void close_after() override { setup_.keep_alive = keep_alive_now_ = false; }
  void abort() override;
  bool peer_gone() const override;
  void on_peer_gone(std::function<void()> fn) override;

  bool answered() const { return state_ != State::Fresh; }
  bool finished() const { return state_ == State::Done; }
  bool broken() const { return state_ == State::Broken; }
  // Whether the connection may carry another request after this answer.
  bool keep_alive() const { return state_ == State::Done && keep_alive_now_; }

 private:
  enum class State : std::uint8_t { Fresh, Streaming, Done, Broken };
  enum class Framing : std::uint8_t { None, Length, Chunked, UntilClose };

  std::string format_head(int status, const std::vector<Header>& headers, Framing framing,
                          std::size_t length);
  Task<base::Status> push(std::span<iovec> parts);
  base::Status misuse(std::string_view what);

  Setup setup_;
  State state_ = State::Fresh;
  bool keep_alive_now_ = false;
  bool mute_ = false;  // no body bytes: HEAD, 204, 304
  bool chunked_ = false;
  bool gone_ = false;
};

}  // namespace fh::net
