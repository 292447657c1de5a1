#pragma once
// The console's files, embedded in the binary: what `console/` built, in identity, gzip and brotli
// form, with content-hash ETags and a strict content security policy. A build without the console
// serves one plain page that says so. Loop thread; nothing is read from disk.

#include <span>
#include <string>
#include <string_view>

#include "net/http.h"

namespace fh::admin {

struct ConsoleFile {
  std::string_view path;  // "/" or "/assets/index-abc.js"
  std::string_view content_type;
  std::string_view etag;                    // quoted
  std::string_view identity, gzip, brotli;  // empty: that form is not there
};
std::span<const ConsoleFile> console_files();
const ConsoleFile* find_console_file(std::string_view path);

net::Task<void> serve_console_file(net::HttpRequest request, net::ResponseWriter& writer,
                                   std::string request_id);

}  // namespace fh::admin
