#pragma once
// Server-sent events, both ways. The parser takes bytes cut anywhere and gives whole events; it
// holds at most one line and one unfinished event, both bounded. Wire format: HTML Living Standard,
// section 9.2 "Server-sent events". One parser per stream, one thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fh::codec::sse {

struct Event {
  std::string type;  // "" when the stream named none ("message")
  std::string data;  // valid UTF-8; lines joined by '\n'
  std::string id;    // the last id the stream gave, also by earlier events
  bool operator==(const Event&) const = default;
};

struct Limits {
  std::size_t line_bytes_max = 8 * 1024 * 1024;
  std::size_t event_bytes_max = 16 * 1024 * 1024;  // sum of an event's data lines
};

class Parser {
 public:
  explicit Parser(const Limits& limits = {}) : limits_(limits) {}

  // Appends the events that `bytes` completes. Error: OutOfRange when a limit is exceeded; the
  // stream is then useless and every later push fails too.
  base::Status push(std::string_view bytes, std::vector<Event>& events);
  // Bytes of an event came that no blank line has completed: at the end of a stream, it was cut
  // off.
  bool mid_event() const;
  // What the stream asked for with "retry:".
  std::optional<std::uint32_t> retry_ms() const { return retry_ms_; }

 private:
  base::Status end_line(std::vector<Event>& events);
  base::Status field(std::string_view name, std::string_view value);
  base::Status too_long(std::string_view what, std::size_t bytes_max);

  Limits limits_;
  std::string line_;
  Event next_;
  bool has_data_ = false;
  bool first_line_ = true;
  bool skip_newline_ = false;  // the last byte was a carriage return
  bool failed_ = false;
  std::optional<std::uint32_t> retry_ms_;
};

// Appends one event: "event: TYPE" unless `type` is empty, one "data: " line for each line of
// `data`, a blank line. `type` holds no line break.
void append_event(std::string& out, std::string_view type, std::string_view data);
// Appends a comment line, which clients ignore: a sign of life on a quiet stream. `text` holds no
// line break.
void append_comment(std::string& out, std::string_view text);

}  // namespace fh::codec::sse
