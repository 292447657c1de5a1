// See json_scan.h. The inner loops go from quote to quote with memchr, since records are mostly
// text.

#include "codec/json_scan.h"

#include <array>
#include <cstring>

#include "codec/json_number.h"
#include "codec/utf8.h"

namespace fh::codec::json {
namespace {

constexpr std::size_t kDepthMax = 512;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Which brackets are open, one bit each.
class Brackets {
 public:
  bool push(bool object) {
    if (depth_ == kDepthMax) return false;
    std::uint64_t& word = words_[depth_ / 64];
    const std::uint64_t bit = std::uint64_t{1} << (depth_ % 64);
    word = object ? word | bit : word & ~bit;
    ++depth_;
    return true;
  }
  bool pop(bool object) {
    if (depth_ == 0) return false;
    --depth_;
    return ((words_[depth_ / 64] >> (depth_ % 64)) & 1) == (object ? 1U : 0U);
  }
  bool empty() const { return depth_ == 0; }

 private:
  std::array<std::uint64_t, kDepthMax / 64> words_{};
  std::size_t depth_ = 0;
};

std::optional<unsigned> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(0, 4)) {
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = static_cast<unsigned>((c | 0x20) - 'a' + 10);
    } else {
      return std::nullopt;
    }
    value = value * 16 + digit;
  }
  return value;
}

// The escape at the front of `text`, behind its backslash; takes it off.
bool take_escape(std::string_view& text, std::string& out) {
  if (text.empty()) return false;
  const char c = text.front();
  text.remove_prefix(1);
  switch (c) {
    case '"':
    case '\\':
    case '/': out.push_back(c); return true;
    case 'b': out.push_back('\b'); return true;
    case 'f': out.push_back('\f'); return true;
    case 'n': out.push_back('\n'); return true;
    case 'r': out.push_back('\r'); return true;
    case 't': out.push_back('\t'); return true;
    case 'u': break;
    default: return false;
  }
  const std::optional<unsigned> first = hex4(text);
  if (!first) return false;
  text.remove_prefix(4);
  std::uint32_t code_point = *first;
  if (code_point >= 0xD800 && code_point < 0xDC00 && text.starts_with("\\u")) {
    const std::optional<unsigned> second = hex4(text.substr(2));
    if (second && *second >= 0xDC00 && *second < 0xE000) {
      code_point = 0x10000 + ((code_point - 0xD800) << 10) + (*second - 0xDC00);
      text.remove_prefix(6);
    }
  }
  utf8::append_code_point(out, code_point);
  return true;
}

}  // namespace

bool Scanner::fail() {
  failed_ = true;
  at_ = end_;
  return false;
}

void Scanner::skip_space() {
  while (at_ != end_ && is_space(*at_)) ++at_;
}

char Scanner::peek() {
  skip_space();
  return at_ == end_ ? '\0' : *at_;
}

bool Scanner::at_end() {
  skip_space();
  return at_ == end_;
}

bool Scanner::open(char bracket) {
  if (failed_ || peek() != bracket) return false;
  ++at_;
  fresh_ = true;
  return true;
}

// Takes the closing bracket, or the comma that is due before the next entry.
bool Scanner::separator(char closing, bool& closed) {
  if (failed_) return false;
  closed = peek() == closing;
  if (closed) {
    ++at_;
    fresh_ = false;
    return true;
  }
  if (!fresh_) {
    if (at_ == end_ || *at_ != ',') return fail();
    ++at_;
  }
  fresh_ = false;
  return true;
}

bool Scanner::next_key(std::string_view& key) {
  bool closed = false;
  if (!separator('}', closed) || closed) return false;
  if (peek() != '"') return fail();
  const char* begin = at_ + 1;
  if (!skip_string()) return fail();
  key = std::string_view(begin, static_cast<std::size_t>(at_ - begin - 1));
  if (peek() != ':') return fail();
  ++at_;
  return true;
}

bool Scanner::next_element() {
  bool closed = false;
  return separator(']', closed) && !closed;
}

bool Scanner::skip_string() {
  const char* p = at_ + 1;
  while (true) {
    p = static_cast<const char*>(std::memchr(p, '"', static_cast<std::size_t>(end_ - p)));
    if (p == nullptr) return false;
    const char* back = p;
    while (back - 1 > at_ && back[-1] == '\\') --back;
    ++p;
    if ((p - 1 - back) % 2 == 0) break;  // the backslashes in front pair up: a real end
  }
  at_ = p;
  return true;
}

bool Scanner::skip_container() {
  Brackets open;
  do {
    if (at_ == end_) return false;
    const char c = *at_;
    if (c == '"') {
      if (!skip_string()) return false;
      continue;
    }
    if ((c == '{' || c == '[') && !open.push(c == '{')) return false;
    if ((c == '}' || c == ']') && !open.pop(c == '}')) return false;
    ++at_;
  } while (!open.empty());
  return true;
}

std::string_view Scanner::value() {
  if (failed_) return {};
  const char first = peek();
  const char* begin = at_;
  if (first == '"') {
    if (!skip_string()) fail();
  } else if (first == '{' || first == '[') {
    if (!skip_container()) fail();
  } else {
    while (at_ != end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && !is_space(*at_)) ++at_;
    if (at_ == begin) fail();
  }
  if (failed_) return {};
  return {begin, static_cast<std::size_t>(at_ - begin)};
}

std::optional<std::string> string_of(std::string_view raw) {
  if (raw.size() < 2 || raw.front() != '"' || raw.back() != '"') return std::nullopt;
  raw = raw.substr(1, raw.size() - 2);
  std::string out;
  while (!raw.empty()) {
    const std::size_t plain = raw.find('\\');
    utf8::append_repaired(out, raw.substr(0, plain));
    if (plain == std::string_view::npos) break;
    raw.remove_prefix(plain + 1);
    if (!take_escape(raw, out)) return std::nullopt;
  }
  return out;
}

std::optional<std::uint64_t> whole_of(std::string_view raw) {
  if (!is_json_number(raw)) return std::nullopt;
  const std::optional<std::int64_t> value = json_number_as_int(raw);
  if (!value || *value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

}  // namespace fh::codec::json
