// See response_impl.h. One system call per answer or chunk: head and body, or size line, data and
// line end, leave in one gathered write. A field that would break the framing (a line break in a
// value, a length set by the handler) is never written.

#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "base/check.h"
#include "net/response_impl.h"
#include "net/text.h"

namespace fh::net {
namespace {

iovec part_of(std::string_view text) {
  return iovec{const_cast<char*>(text.data()), text.size()};
}

bool value_is_safe(std::string_view value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) return false;
  }
  return true;
}

// Fields that the server decides about.
bool is_ours(std::string_view name) {
  for (const std::string_view own :
       {"content-length", "transfer-encoding", "connection", "date", "keep-alive"}) {
    if (equal_ignoring_case(name, own)) return true;
  }
  return false;
}

bool without_body(int status) {
  return status == 204 || status == 304 || status < 200;
}

}  // namespace

const std::string& DateCache::value() {
  const std::int64_t second = clock_.unix_ns() / 1'000'000'000;
  if (second == second_) return value_;
  second_ = second;
  const time_t when = second;
  tm utc{};
  ::gmtime_r(&when, &utc);
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                kMonths.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour,
                utc.tm_min, utc.tm_sec);
  value_ = text.data();
  return value_;
}

std::string_view reason_phrase(int status) {
  struct Phrase {
    int status;
    std::string_view text;
  };
  static constexpr std::array<Phrase, 39> kPhrases = {{
      {100, "Continue"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {402, "Payment Required"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {499, "Client Closed Request"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
      {507, "Insufficient Storage"},
      {529, "Overloaded"},
  }};
  const auto at = std::lower_bound(kPhrases.begin(), kPhrases.end(), status,
                                   [](const Phrase& p, int wanted) { return p.status < wanted; });
  return at != kPhrases.end() && at->status == status ? at->text : "Status";
}

std::string SocketResponse::format_head(int status, const std::vector<Header>& headers,
                                        Framing framing, std::size_t length) {
  keep_alive_now_ = setup_.keep_alive && !setup_.draining && framing != Framing::UntilClose;
  std::string head;
  head.reserve(512);
  head.append("HTTP/1.1 ").append(std::to_string(status)).append(" ");
  head.append(reason_phrase(status)).append("\r\n");
  for (const Header& field : headers) {
    if (is_ours(field.name)) continue;
    if (!is_token(field.name) || !value_is_safe(field.value)) {
      FH_BUG("a response header field is malformed");
      continue;
    }
    head.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (framing == Framing::Length) {
    head.append("content-length: ").append(std::to_string(length)).append("\r\n");
  } else if (framing == Framing::Chunked) {
    head.append("transfer-encoding: chunked\r\n");
  }
  head.append("date: ").append(setup_.date.value()).append("\r\n");
  if (!keep_alive_now_) {
    head.append("connection: close\r\n");
  } else if (setup_.http_1_0) {
    head.append("connection: keep-alive\r\n");
  }
  head.append("\r\n");
  return head;
}

base::Status SocketResponse::misuse(std::string_view what) {
  if (state_ != State::Broken) FH_BUG(what);
  return base::fail(base::Code::Unavailable, "the connection is closed");
}

Task<base::Status> SocketResponse::push(std::span<iovec> parts) {
  auto status = co_await setup_.stream->write_all(parts, setup_.write_timeout_ms);
  if (!status) {
    gone_ = true;
    state_ = State::Broken;
    setup_.stream->reset();
  }
  co_return status;
}

Task<base::Status> SocketResponse::send(HttpResponse response) {
  if (state_ != State::Fresh) co_return misuse("send() on a response that has begun");
  state_ = State::Done;
  const bool bare = without_body(response.status);
  const std::string head =
      format_head(response.status, response.headers, bare ? Framing::None : Framing::Length,
                  response.body.size());
  std::array<iovec, 2> parts = {part_of(head), part_of(response.body)};
  const std::size_t count = bare || setup_.head_request ? 1 : 2;
  co_return co_await push(std::span(parts).first(count));
}

Task<base::Status> SocketResponse::begin(int status, std::vector<Header> headers) {
  if (state_ != State::Fresh) co_return misuse("begin() on a response that has begun");
  state_ = State::Streaming;
  mute_ = setup_.head_request || without_body(status);
  chunked_ = !setup_.http_1_0;
  Framing framing = chunked_ ? Framing::Chunked : Framing::UntilClose;
  if (without_body(status)) framing = Framing::None;
  const std::string head = format_head(status, headers, framing, 0);
  std::array<iovec, 1> parts = {part_of(head)};
  co_return co_await push(parts);
}

Task<base::Status> SocketResponse::write(std::string chunk) {
  if (state_ != State::Streaming) co_return misuse("write() outside of begin() and finish()");
  if (mute_ || chunk.empty()) co_return base::Status{};
  if (!chunked_) {
    std::array<iovec, 1> parts = {part_of(chunk)};
    co_return co_await push(parts);
  }
  std::array<char, 20> size_line{};
  char* end = std::to_chars(size_line.data(), size_line.data() + 16, chunk.size(), 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  std::array<iovec, 3> parts = {
      part_of(std::string_view(size_line.data(), static_cast<std::size_t>(end - size_line.data()))),
      part_of(chunk), part_of("\r\n")};
  co_return co_await push(parts);
}

Task<base::Status> SocketResponse::finish() {
  if (state_ != State::Streaming) co_return misuse("finish() without begin()");
  state_ = State::Done;
  if (mute_ || !chunked_) co_return base::Status{};
  std::array<iovec, 1> parts = {part_of("0\r\n\r\n")};
  co_return co_await push(parts);
}

void SocketResponse::abort() {
  if (state_ == State::Broken) return;
  // Without chunks an orderly close would look like the end of the answer.
  const bool needs_reset = state_ == State::Streaming && !chunked_;
  state_ = State::Broken;
  if (needs_reset) {
    setup_.stream->reset();
  } else {
    setup_.stream->close();
  }
}

bool SocketResponse::peer_gone() const {
  return gone_ || state_ == State::Broken || setup_.stream->peer_gone();
}

void SocketResponse::on_peer_gone(std::function<void()> fn) {
  if (!fn) {
    setup_.stream->unwatch();
    return;
  }
  if (peer_gone()) {
    gone_ = true;
    fn();
    return;
  }
  setup_.stream->watch([this, call = std::move(fn)] {
    gone_ = true;
    call();
  });
}

}  // namespace fh::net
