// Plain text of a custom tool call out of streamed JSON arguments; see custom_input.h.

#include "dialects/custom_input.h"

#include <charconv>

#include "codec/json.h"
#include "codec/utf8.h"

namespace fh::dialects {

std::string custom_arguments(std::string_view input) {
  std::string out = R"({"input":)";
  codec::json::append_string(out, input);
  out += '}';
  return out;
}

void CustomInput::push(std::string_view fragment, std::string& out) {
  for (const char c : fragment) {
    if (state_ < State::Text || state_ == State::Other) head_ += c;
    byte(c, out);
  }
}

void CustomInput::byte(char c, std::string& out) {
  const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
  switch (state_) {
    case State::Open:
      if (!space) expect(c == '{', State::KeyQuote);
      return;
    case State::KeyQuote:
      if (!space) expect(c == '"', State::Key);
      return;
    case State::Key:
      if (c == '"') return expect(key_ == "input", State::Colon);
      key_ += c;
      return;
    case State::Colon:
      if (!space) expect(c == ':', State::ValueQuote);
      return;
    case State::ValueQuote:
      if (!space) expect(c == '"', State::Text);
      return;
    case State::Text: return text_byte(c, out);
    case State::Done:
    case State::Other: return;
  }
}

void CustomInput::text_byte(char c, std::string& out) {
  if (escape_.empty()) {
    if (c == '\\') {
      escape_ = "\\";
      return;
    }
    if (high_ != 0) out += codec::utf8::kReplacement;
    high_ = 0;
    if (c == '"') {
      state_ = State::Done;
    } else {
      out += c;
    }
    return;
  }
  escape_ += c;
  if (escape_[1] == 'u') {
    if (escape_.size() == 6) unicode_escape_done(out);
    return;
  }
  if (high_ != 0) out += codec::utf8::kReplacement;
  high_ = 0;
  escape_.clear();
  switch (c) {
    case 'b': out += '\b'; return;
    case 'f': out += '\f'; return;
    case 'n': out += '\n'; return;
    case 'r': out += '\r'; return;
    case 't': out += '\t'; return;
    default: out += c; return;
  }
}

void CustomInput::unicode_escape_done(std::string& out) {
  std::uint32_t unit = 0xFFFD;
  const char* first = escape_.data() + 2;
  const auto parsed = std::from_chars(first, first + 4, unit, 16);
  if (parsed.ec != std::errc() || parsed.ptr != first + 4) unit = 0xFFFD;
  escape_.clear();
  if (unit >= 0xDC00 && unit <= 0xDFFF && high_ != 0) {
    codec::utf8::append_code_point(out, 0x10000 + ((high_ - 0xD800) << 10) + (unit - 0xDC00));
    high_ = 0;
    return;
  }
  if (high_ != 0) out += codec::utf8::kReplacement;
  high_ = 0;
  if (unit >= 0xD800 && unit <= 0xDBFF) {
    high_ = unit;
  } else {
    codec::utf8::append_code_point(out, unit);
  }
}

void CustomInput::finish(std::string& out) {
  if (state_ < State::Text || state_ == State::Other) out += head_;
  head_.clear();
  state_ = State::Done;
}

}  // namespace fh::dialects
