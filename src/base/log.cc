#include "base/log.h"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cstdio>
#include <memory>

#include "base/clock.h"

namespace fh::base {
namespace {

struct Sink {
  LogFormat format = LogFormat::Human;
  Level min_level = Level::Info;
  std::string role = "freehold";
  std::shared_ptr<spdlog::logger> logger;
};

Sink& sink() {
  static Sink instance = [] {
    Sink s;
    s.logger = std::make_shared<spdlog::logger>("freehold",
                                                std::make_shared<spdlog::sinks::stderr_sink_mt>());
    s.logger->set_pattern("%v");
    s.logger->set_level(spdlog::level::trace);
    s.logger->flush_on(spdlog::level::trace);
    return s;
  }();
  return instance;
}

std::string_view level_name(Level level) {
  switch (level) {
    case Level::Debug: return "debug";
    case Level::Info: return "info";
    case Level::Warn: return "warn";
    case Level::Error: return "error";
  }
  return "info";
}

// Length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629), 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool outside = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
  return overlong || outside ? 0 : length;
}

// base may not include codec, so the few escapes a log line needs are made here. What is no UTF-8
// becomes U+FFFD: one bad byte from a client must not make a collector drop the line.
void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out.push_back('"');
}

// Control characters (C0, DEL and, in UTF-8, C1) would let a value steer the reader's terminal.
void append_plain(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    out.push_back(c < 0x20 || c == 0x7F || c1 ? ' ' : text[i]);
  }
}

// Quoted when a reader could take a part of the value for a field of its own.
void append_plain_value(std::string& out, std::string_view text) {
  if (!text.empty() && text.find_first_of(" \t\n\r\"=") == std::string_view::npos) {
    append_plain(out, text);
    return;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  append_plain(out, quoted + "\"");
}

}  // namespace

void log_configure(LogFormat format, Level min_level, std::string_view role) {
  sink().format = format;
  sink().min_level = min_level;
  sink().role = role;
}

void log(Level level, std::string_view message, std::initializer_list<LogField> fields) {
  Sink& s = sink();
  if (level < s.min_level) return;
  const std::string when = format_rfc3339(SystemClock().unix_ns());
  std::string line;
  if (s.format == LogFormat::Json) {
    line = fmt::format(R"({{"ts":"{}","level":"{}","role":"{}","msg":)", when, level_name(level),
                       s.role);
    append_json_string(line, message);
    for (const LogField& field : fields) {
      line.push_back(',');
      append_json_string(line, field.key);
      line.push_back(':');
      append_json_string(line, field.value);
    }
    line.push_back('}');
  } else {
    line = fmt::format("{} {:<5} {:<10} ", when, level_name(level), s.role);
    append_plain(line, message);
    for (const LogField& field : fields) {
      line += fmt::format("  {}=", field.key);
      append_plain_value(line, field.value);
    }
  }
  s.logger->log(spdlog::level::info, "{}", line);
}

namespace {
// A pipe that is not read keeps most of its room for the other lines, which wait for their reader.
bool log_is_taken() {
  constexpr int kUnreadMax = 16 * 1024;  // of 64 KiB: pipe(7)
  pollfd out{fileno(stderr), POLLOUT, 0};
  if (poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) return false;
  struct stat info{};
  int unread = 0;
  const bool pipe = fstat(out.fd, &info) == 0 && S_ISFIFO(info.st_mode);
  return !pipe || ioctl(out.fd, FIONREAD, &unread) != 0 || unread <= kUnreadMax;
}
}  // namespace

void log_if_taken(Level level, std::string_view message, std::initializer_list<LogField> fields) {
  if (level >= sink().min_level && log_is_taken()) log(level, message, fields);
}

}  // namespace fh::base
