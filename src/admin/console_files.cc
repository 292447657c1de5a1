#include "admin/console_files.h"

#include "gateway/wire.h"

namespace fh::admin {
namespace {

// No inline script, no foreign host, no framing.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src "
    "'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors "
    "'none'";

bool accepts(std::string_view header, std::string_view coding) {
  while (!header.empty()) {
    const std::size_t comma = header.find(',');
    std::string_view item = header.substr(0, comma);
    header = comma == std::string_view::npos ? std::string_view{} : header.substr(comma + 1);
    while (item.starts_with(' ')) item.remove_prefix(1);
    const std::size_t parameters = item.find(';');
    const bool refused = parameters != std::string_view::npos &&
                         item.find("q=0", parameters) != std::string_view::npos &&
                         item.find("q=0.", parameters) == std::string_view::npos;
    item = item.substr(0, parameters);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item == coding) return !refused;
  }
  return false;
}

}  // namespace

const ConsoleFile* find_console_file(std::string_view path) {
  for (const ConsoleFile& file : console_files()) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

net::Task<void> serve_console_file(net::HttpRequest request, net::ResponseWriter& writer,
                                   std::string request_id) {
  const ConsoleFile* file = find_console_file(request.path);
  if (file == nullptr) {
    co_await writer.send(gateway::error_response(
        gateway::Surface::Plain,
        {base::Code::NotFound, "there is nothing at this path", {}, {}, {}}, request_id, 0));
    co_return;
  }
  net::HttpResponse response;
  response.headers = gateway::reply_headers(file->content_type, request_id);
  response.headers.push_back({"etag", std::string(file->etag)});
  response.headers.push_back({"vary", "accept-encoding"});
  response.headers.push_back({"content-security-policy", std::string(kPolicy)});
  response.headers.push_back({"x-content-type-options", "nosniff"});
  response.headers.push_back({"referrer-policy", "no-referrer"});
  // Hashed names never change what they name; the page itself is asked for again each time.
  response.headers.push_back({"cache-control", request.path.starts_with("/assets/")
                                                   ? "public, max-age=31536000, immutable"
                                                   : "no-cache"});
  if (request.header("if-none-match") == file->etag) {
    response.status = 304;
    co_await writer.send(std::move(response));
    co_return;
  }
  const std::string_view codings = request.header("accept-encoding");
  if (!file->brotli.empty() && accepts(codings, "br")) {
    response.headers.push_back({"content-encoding", "br"});
    response.body = file->brotli;
  } else if (!file->gzip.empty() && accepts(codings, "gzip")) {
    response.headers.push_back({"content-encoding", "gzip"});
    response.body = file->gzip;
  } else {
    response.body = file->identity;
  }
  co_await writer.send(std::move(response));
}

}  // namespace fh::admin
