// The event stream parser works on lines: bytes collect in line_ until a line break, each line
// changes the event under construction, a blank line gives it out. A carriage return ends a line at
// once, so that an event is not held back for the line feed that may follow it.

#include "codec/sse.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "codec/utf8.h"

namespace fh::codec::sse {

base::Status Parser::too_long(std::string_view what, std::size_t bytes_max) {
  failed_ = true;
  std::string message = "event stream has ";
  message.append(what).append(" longer than ").append(std::to_string(bytes_max)).append(" bytes");
  return base::fail(base::Code::OutOfRange, std::move(message));
}

base::Status Parser::push(std::string_view bytes, std::vector<Event>& events) {
  if (failed_) return base::fail(base::Code::FailedPrecondition, "event stream already failed");
  while (!bytes.empty()) {
    if (skip_newline_) {
      skip_newline_ = false;
      if (bytes.front() == '\n') {
        bytes.remove_prefix(1);
        continue;
      }
    }
    const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    if (line_.size() + end > limits_.line_bytes_max) {
      return too_long("a line", limits_.line_bytes_max);
    }
    line_.append(bytes.substr(0, end));
    if (end == bytes.size()) break;
    skip_newline_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    FH_TRY_VOID(end_line(events));
  }
  return {};
}

base::Status Parser::end_line(std::vector<Event>& events) {
  std::string_view line = line_;
  if (first_line_ && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  first_line_ = false;
  if (line.empty()) {
    if (has_data_) {
      next_.data.pop_back();  // the line feed after the last data line
      next_.data = utf8::repaired(next_.data);
      next_.type = utf8::repaired(next_.type);
      events.push_back(next_);
    }
    next_.type.clear();
    next_.data.clear();
    has_data_ = false;
  } else if (const std::size_t colon = line.find(':'); colon == std::string_view::npos) {
    FH_TRY_VOID(field(line, {}));
  } else if (colon > 0) {
    std::string_view value = line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    FH_TRY_VOID(field(line.substr(0, colon), value));
  }
  line_.clear();
  return {};
}

base::Status Parser::field(std::string_view name, std::string_view value) {
  if (name == "data") {
    if (next_.data.size() + value.size() + 1 > limits_.event_bytes_max) {
      return too_long("an event", limits_.event_bytes_max);
    }
    next_.data.append(value).push_back('\n');
    has_data_ = true;
  } else if (name == "event") {
    next_.type = value;
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos) next_.id = utf8::repaired(value);
  } else if (name == "retry") {
    std::uint32_t ms = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), ms);
    if (error == std::errc() && end == value.data() + value.size()) retry_ms_ = ms;
  }
  return {};
}

bool Parser::mid_event() const {
  return has_data_ || !line_.empty() || !next_.type.empty();
}

void append_event(std::string& out, std::string_view type, std::string_view data) {
  if (!type.empty()) {
    FH_DCHECK(type.find_first_of("\r\n") == std::string_view::npos);
    out.append("event: ").append(type).push_back('\n');
  }
  while (true) {
    const std::size_t end = std::min(data.find_first_of("\r\n"), data.size());
    out.append("data: ").append(data.substr(0, end)).push_back('\n');
    if (end == data.size()) break;
    data.remove_prefix(data.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
  out.push_back('\n');
}

void append_comment(std::string& out, std::string_view text) {
  FH_DCHECK(text.find_first_of("\r\n") == std::string_view::npos);
  out.append(": ").append(text).append("\n\n");
}

}  // namespace fh::codec::sse
