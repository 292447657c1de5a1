// How a request body comes in: by length straight into its string, or in chunks through the parser;
// under the route's cap and the request's deadline; then decompressed under a cap as well.

#include <algorithm>
#include <utility>

#include "codec/compress.h"
#include "net/connection_impl.h"
#include "net/text.h"

namespace fh::net {
namespace {

// A claimed length buys no memory: the string grows with what arrives.
constexpr std::size_t kBodyStep = 64 * 1024;

using Decoder = base::Result<std::string> (*)(std::string_view, std::size_t);

struct Coding {
  bool known = true;
  Decoder decoder = nullptr;  // null: nothing to do
};

// Content-Encoding of the request; several codings on top of each other are not supported.
Coding content_coding(const HttpRequest& request) {
  Coding coding;
  std::size_t count = 0;
  for (const Header& field : request.headers) {
    if (!equal_ignoring_case(field.name, "content-encoding")) continue;
    std::string_view list = field.value;
    while (const auto name = next_list_element(list)) {
      if (equal_ignoring_case(*name, "identity")) continue;
      if (equal_ignoring_case(*name, "gzip") || equal_ignoring_case(*name, "x-gzip")) {
        coding.decoder = codec::gzip_decode;
      } else if (equal_ignoring_case(*name, "zstd")) {
        coding.decoder = codec::zstd_decode;
      } else {
        coding.known = false;
      }
      ++count;
    }
  }
  coding.known = coding.known && count <= 1;
  return coding;
}

}  // namespace

bool Connection::check_body(const HttpRequest& request, const HeadFacts& facts,
                            const RoutePolicy& policy) {
  if (facts.body == BodyKind::None) return true;
  if (policy.body_bytes_max == 0) {
    const bool get = request.method == "GET" || request.method == "HEAD";
    refused(get ? 400 : 413, "this route takes no request body");
    return false;
  }
  if (facts.content_length > policy.body_bytes_max) {
    refused(413, "the request body is too large");
    return false;
  }
  if (!content_coding(request).known) {
    refused(415, "the content encodings that can be decoded are gzip and zstd");
    return false;
  }
  return true;
}

// The route's cap holds for the decoded body too.
bool Connection::decode_body(HttpRequest& request, std::size_t bytes_max) {
  const Coding coding = content_coding(request);
  if (coding.decoder != nullptr && !request.body.empty()) {
    auto decoded = coding.decoder(
        request.body, std::min(bytes_max, server_->options.limits.decoded_body_bytes_max));
    if (!decoded) {
      const bool too_large = decoded.error().code == base::Code::OutOfRange;
      refused(too_large ? 413 : 400, too_large ? "the decoded request body is too large"
                                               : "the request body cannot be decompressed");
      return false;
    }
    request.body = std::move(*decoded);
  }
  std::erase_if(request.headers, [](const Header& field) {
    return equal_ignoring_case(field.name, "content-encoding");
  });
  return true;
}

Task<Connection::Arrival> Connection::read_body(const HeadFacts& facts, std::size_t bytes_max,
                                                std::string& body) {
  if (facts.body == BodyKind::Length) co_return co_await read_by_length(facts.content_length, body);
  if (facts.body == BodyKind::Chunked) co_return co_await read_chunked(bytes_max, body);
  co_return Arrival::Complete;
}

Task<Connection::Arrival> Connection::read_by_length(std::uint64_t length, std::string& body) {
  const auto total = static_cast<std::size_t>(length);
  const std::size_t from_carry = std::min(total, carry_.size());
  if (from_carry == carry_.size()) {
    body = std::exchange(carry_, {});
  } else {
    body = carry_.substr(0, from_carry);
    carry_.erase(0, from_carry);
  }
  while (body.size() < total) {
    const std::size_t have = body.size();
    const std::size_t step = std::min(total - have, std::max(kBodyStep, have));
    ssize_t n = 0;
    body.resize_and_overwrite(have + step, [&](char* data, std::size_t) {
      n = stream_->try_read(std::span(data + have, step));
      return have + static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    });
    if (n == -EAGAIN) {
      const Arrival waited = co_await wait_for_more(deadline_, false);
      if (waited != Arrival::Complete) co_return waited;
    } else if (n <= 0) {
      co_return Arrival::Gone;
    }
  }
  co_return Arrival::Complete;
}

Task<Connection::Arrival> Connection::read_chunked(std::size_t bytes_max, std::string& body) {
  for (;;) {
    std::string_view bytes;
    const std::string carried = std::exchange(carry_, {});
    if (!carried.empty()) {
      bytes = carried;
    } else {
      const ssize_t n = stream_->try_read(server_->scratch);
      if (n == -EAGAIN) {
        const Arrival waited = co_await wait_for_more(deadline_, false);
        if (waited != Arrival::Complete) co_return waited;
        continue;
      }
      if (n <= 0) co_return Arrival::Gone;
      bytes = std::string_view(server_->scratch.data(), static_cast<std::size_t>(n));
    }
    const std::size_t taken = parser_.feed_chunked(bytes, body, bytes_max);
    if (parser_.refused()) {
      refusal_ = parser_.refusal();
      co_return Arrival::Refused;
    }
    carry_ = bytes.substr(taken);
    if (parser_.complete()) co_return Arrival::Complete;
  }
}

}  // namespace fh::net
