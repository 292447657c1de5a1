// The JSON writer: appends to one string, never looks back. Containers that are open are kept as a
// stack only to place commas and to notice misuse.

#include <array>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "codec/json.h"
#include "codec/utf8.h"

namespace fh::codec::json {
namespace {

// Characters of valid UTF-8 that must be escaped inside a string.
constexpr std::array<bool, 256> make_escaped() {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
  table['"'] = true;
  table['\\'] = true;
  return table;
}
constexpr std::array<bool, 256> kEscaped = make_escaped();

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"': out.append("\\\""); return;
    case '\\': out.append("\\\\"); return;
    case '\n': out.append("\\n"); return;
    case '\r': out.append("\\r"); return;
    case '\t': out.append("\\t"); return;
    case '\b': out.append("\\b"); return;
    case '\f': out.append("\\f"); return;
    default: {
      static constexpr std::string_view kHex = "0123456789abcdef";
      out.append("\\u00");
      out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
    }
  }
}

void append_valid(std::string& out, std::string_view text) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!kEscaped[static_cast<unsigned char>(text[i])]) continue;
    out.append(text.substr(from, i - from));
    append_escape(out, text[i]);
    from = i + 1;
  }
  out.append(text.substr(from));
}

template <typename T>
void append_number(std::string& out, T number) {
  std::array<char, 32> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  out.append(buffer.data(), result.ptr);
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  if (utf8::valid(text)) {
    append_valid(out, text);
  } else {
    append_valid(out, utf8::repaired(text));
  }
  out.push_back('"');
}

// Called before every value and key: places the comma, and checks that a value may stand here.
void Writer::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (open_.empty()) {
    if (!out_.empty()) FH_BUG("JSON writer: second value at top level");
    return;
  }
  if (!open_.back().empty) out_.push_back(',');
  open_.back().empty = false;
}

Writer& Writer::key(std::string_view name) {
  if (open_.empty() || !open_.back().is_object || after_key_) {
    FH_BUG("JSON writer: key where none may stand");
  }
  separate();
  append_string(out_, name);
  out_.push_back(':');
  after_key_ = true;
  return *this;
}

Writer& Writer::object() {
  separate_value();
  out_.push_back('{');
  open_.push_back({true, true});
  return *this;
}

Writer& Writer::array() {
  separate_value();
  out_.push_back('[');
  open_.push_back({false, true});
  return *this;
}

void Writer::close(bool is_object) {
  if (open_.empty() || open_.back().is_object != is_object || after_key_) {
    FH_BUG("JSON writer: container closed that is not open, or after a key without a value");
    if (open_.empty()) return;
  }
  out_.push_back(open_.back().is_object ? '}' : ']');
  open_.pop_back();
  after_key_ = false;
}

Writer& Writer::end_object() {
  close(true);
  return *this;
}

Writer& Writer::end_array() {
  close(false);
  return *this;
}

void Writer::separate_value() {
  if (!open_.empty() && open_.back().is_object && !after_key_) {
    FH_BUG("JSON writer: value in an object without a key");
  }
  separate();
}

Writer& Writer::value(std::string_view text) {
  separate_value();
  append_string(out_, text);
  return *this;
}

Writer& Writer::value(bool b) {
  separate_value();
  out_.append(b ? "true" : "false");
  return *this;
}

Writer& Writer::value(double d) {
  if (!std::isfinite(d)) return null();
  separate_value();
  append_number(out_, d);
  return *this;
}

Writer& Writer::value(std::int64_t n) {
  separate_value();
  append_number(out_, n);
  return *this;
}

Writer& Writer::value(std::uint64_t n) {
  separate_value();
  append_number(out_, n);
  return *this;
}

Writer& Writer::null() {
  return raw("null");
}

Writer& Writer::raw(std::string_view json) {
  separate_value();
  out_.append(json);
  return *this;
}

std::string Writer::take() {
  if (!open_.empty() || after_key_) FH_BUG("JSON writer: text taken while a container is open");
  open_.clear();
  after_key_ = false;
  std::string out = std::move(out_);
  out_.clear();
  return out;
}

}  // namespace fh::codec::json
