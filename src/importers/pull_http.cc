// See pull_http.h.

#include "importers/pull_http.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <span>

#include "base/os/fd.h"
#include "codec/json.h"
#include "crypto/sha256.h"

namespace fh::importers {
namespace {

constexpr std::int64_t kPageTimeoutMs = 180'000;  // the largest pages take a provider a while
constexpr std::size_t kKeyBytesMax = 4096;

std::string_view header_of(const net::HttpResponse& response, std::string_view name) {
  const auto same = [](char a, char b) {
    return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b);
  };
  for (const net::Header& field : response.headers) {
    if (std::equal(field.name.begin(), field.name.end(), name.begin(), name.end(), same)) {
      return field.value;
    }
  }
  return {};
}

// "12", "1.5" as milliseconds with `scale` per unit. Dates are not taken: the back-off serves.
std::optional<std::int64_t> wait_of(std::string_view text, std::int64_t scale) {
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (error != std::errc() || whole < 0 || whole > 86'400'000) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (rest.empty()) return whole * scale;
  const bool decimals =
      rest.front() == '.' && rest.find_first_not_of("0123456789", 1) == std::string_view::npos;
  return decimals ? std::optional((whole + 1) * scale) : std::nullopt;
}

// The kind of error in the server's own word, if it is a plain word: `{"error":{"type":...}}`.
std::string kind_of(const net::HttpResponse& response) {
  const auto document = codec::json::Document::parse(response.body, {8, 64 * 1024, 1000});
  if (!document) return {};
  const std::string_view word = document->root()["error"]["type"].as_string().value_or("");
  const bool plain = word.size() <= 48 && std::all_of(word.begin(), word.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || c == '_';
                     });
  return plain && !word.empty() ? fmt::format(", {}", word) : std::string();
}

base::Result<base::Secret> checked(std::string text, std::string_view where) {
  base::Secret wiped(std::move(text));
  std::string_view key = wiped.reveal();
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r' || key.back() == ' ')) {
    key.remove_suffix(1);
  }
  const bool plain = std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 127; });
  if (!key.empty() && plain) return base::Secret(std::string(key));
  return base::fail(base::Code::InvalidArgument, fmt::format("{} does not hold a key", where),
                    "it must be the key alone, on one line");
}

}  // namespace

base::Result<net::HttpResponse> HttpPageSource::get(const std::string& target) {
  net::ClientRequest request;
  request.target = target;
  request.headers = headers_;
  return client_.request(std::move(request), kPageTimeoutMs);
}

base::Result<base::Secret> read_pull_key(const std::string& file, std::string_view variable) {
  if (file.empty()) {
    const char* value = std::getenv(std::string(variable).c_str());
    if (value != nullptr && *value != '\0') return checked(value, variable);
    return base::fail(base::Code::InvalidArgument, "there is no admin key to pull with",
                      fmt::format("put it into a file that only you can read and name the file "
                                  "with --key-file, or set {}",
                                  variable));
  }
  const base::os::Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return std::unexpected(base::error_from_errno("opening the key file " + file, errno));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return base::fail(base::Code::InvalidArgument, "the key file is not a file: " + file);
  }
  if ((info.st_mode & 077) != 0) {
    return base::fail(
        base::Code::PermissionDenied,
        fmt::format("others can read the key file {} (mode {:04o})", file, info.st_mode & 07777U),
        "chmod 600 " + file);
  }
  std::string text(kKeyBytesMax, '\0');
  FH_TRY(const std::size_t size,
         base::os::read_full(fd.get(), std::as_writable_bytes(std::span(text))));
  if (size == kKeyBytesMax) {
    return base::fail(base::Code::InvalidArgument, "the key file is too long: " + file);
  }
  text.resize(size);
  return checked(std::move(text), "the key file " + file);
}

std::string key_tag(const base::Secret& key) {
  return crypto::to_hex(crypto::sha256("freehold usage pull\n" + key.reveal())).substr(0, 8);
}

PullFailure failure_of(const net::HttpResponse& response, std::string_view provider_title) {
  const int status = response.status;
  PullFailure out;
  out.again = status == 408 || status == 429 || status >= 500;
  out.wait_ms = wait_of(header_of(response, "retry-after-ms"), 1);
  if (!out.wait_ms) out.wait_ms = wait_of(header_of(response, "retry-after"), 1000);
  const std::string said = fmt::format("({}{})", status, kind_of(response));
  if (status == 401) {
    out.error = {base::Code::Unauthenticated,
                 fmt::format("{} refused the admin key {}", provider_title, said),
                 {},
                 {},
                 {}};
  } else if (status == 403) {
    out.error = {base::Code::PermissionDenied,
                 fmt::format("{} does not let this key read the report {}", provider_title, said),
                 "the key must belong to an administrator of the organization",
                 {},
                 {}};
  } else if (status == 404) {
    out.error = {base::Code::NotFound,
                 fmt::format("{} has no such report {}", provider_title, said),
                 "check --base-url",
                 {},
                 {}};
  } else if (status == 429) {
    out.error = {base::Code::ResourceExhausted,
                 fmt::format("{} limits how often it may be asked {}", provider_title, said),
                 "pull again later: it goes on where it stopped",
                 {},
                 {}};
  } else if (out.again) {
    out.error = {base::Code::Unavailable,
                 fmt::format("{} could not answer {}", provider_title, said),
                 "pull again later: it goes on where it stopped",
                 {},
                 {}};
  } else {
    out.error = {base::Code::FailedPrecondition,
                 fmt::format("{} did not take the request {}", provider_title, said),
                 {},
                 {},
                 {}};
  }
  return out;
}

PullFailure failure_of(base::Error connection_error) {
  PullFailure out;
  out.again = connection_error.code == base::Code::Unavailable ||
              connection_error.code == base::Code::DeadlineExceeded;
  if (out.again && connection_error.hint.empty()) {
    connection_error.hint = "pull again later: it goes on where it stopped";
  }
  out.error = std::move(connection_error);
  return out;
}

}  // namespace fh::importers
