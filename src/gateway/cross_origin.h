#pragma once
// What browsers need so that a page or an app of an allowed origin (authenticate.h) may call the
// inference routes: the answer to the question they ask before (OPTIONS), and fields on every
// answer that let the page read it. Fetch Standard, "CORS protocol":
// https://fetch.spec.whatwg.org/#http-cors-protocol. Credentials are never allowed: a page must
// send a key, the console's cookie does not count. The admin API and the console's files are for
// the server's own pages and get no such fields.

#include <string>
#include <string_view>

#include "gateway/routes.h"
#include "net/http.h"

namespace fh::gateway {

// Whether pages of other (allowed) origins may read what this path answers.
bool readable_across_origins(std::string_view path);

// The answer to OPTIONS for a path that is routed: 204 with Allow, for a browser's question with
// what it may do.
net::HttpResponse options_response(const net::HttpRequest& request, std::string_view request_id);

// Writes through to the writer of one request and adds the fields. The writer outlives it.
class CrossOriginReply final : public net::ResponseWriter {
 public:
  // `origin`: of the request, allowed already; empty: nothing is added.
  CrossOriginReply(net::ResponseWriter& writer, std::string origin)
      : writer_(writer), origin_(std::move(origin)) {}

  net::Task<base::Status> send(net::HttpResponse response) override;
  net::Task<base::Status> begin(int status, std::vector<net::Header> headers) override;
  net::Task<base::Status> write(std::string chunk) override {
    return writer_.write(std::move(chunk));
  }
  net::Task<base::Status> finish() override { return writer_.finish(); }
  void close_after() override { writer_.close_after(); }
  void abort() override { writer_.abort(); }
  bool peer_gone() const override { return writer_.peer_gone(); }
  void on_peer_gone(std::function<void()> fn) override { writer_.on_peer_gone(std::move(fn)); }

 private:
  void add_fields(std::vector<net::Header>& headers) const;

  net::ResponseWriter& writer_;
  std::string origin_;
};

// The origin for CrossOriginReply: that of the request where its answer is to be readable, or
// empty.
std::string reading_origin(const net::HttpRequest& request);

}  // namespace fh::gateway
