// Keeps a streamed JSON object well formed; see json_guard.h. A pushdown automaton over bytes.

#include "dialects/json_guard.h"

#include "codec/utf8.h"

namespace fh::dialects {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
unsigned hex_value(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>((c | 0x20) - 'a') + 10;
}
unsigned hex4(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) value = value * 16 + hex_value(c);
  return value;
}
bool is_high_surrogate(unsigned unit) {
  return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low_surrogate(unsigned unit) {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

constexpr std::string_view kReplacementEscape = "\\ufffd";
constexpr std::size_t kUnicodeEscapeBytes = 6;

}  // namespace

void JsonGuard::push(std::string_view fragment, std::string& out) {
  for (const char c : fragment) {
    if (broken_) return;
    byte(c, out);
  }
}

void JsonGuard::emit(std::string_view bytes, std::string& out) {
  out += bytes;
  sent_ = true;
}

void JsonGuard::flush_comma(std::string& out) {
  if (comma_) emit(",", out);
  comma_ = false;
}

void JsonGuard::byte(char c, std::string& out) {
  if (state_ == State::String) return string_byte(c, out);
  if (state_ == State::Literal) {
    if (c != literal_.front()) {
      broken_ = true;
      return;
    }
    emit(std::string_view(&c, 1), out);
    literal_.remove_prefix(1);
    if (literal_.empty()) after_value();
    return;
  }
  if (state_ == State::Number) {
    if (number_byte(c)) return emit(std::string_view(&c, 1), out);
    if (!number_ends()) {
      broken_ = true;
      return;
    }
    after_value();
  }
  if (is_space(c)) {
    // Space around the object and after a held comma says nothing.
    if (state_ != State::Start && state_ != State::Done && !comma_) {
      emit(std::string_view(&c, 1), out);
    }
    return;
  }
  structural(c, out);
}

void JsonGuard::structural(char c, std::string& out) {
  switch (state_) {
    case State::Start:
      broken_ = c != '{';
      if (!broken_) value_start(c, out);
      return;
    case State::Value: return value_start(c, out);
    case State::ValueOrEnd: return c == ']' ? close(c, out) : value_start(c, out);
    case State::KeyOrEnd:
    case State::Key:
      if (c == '}' && state_ == State::KeyOrEnd) return close(c, out);
      if (c != '"') break;
      flush_comma(out);
      emit("\"", out);
      key_ = true;
      state_ = State::String;
      return;
    case State::Colon:
      if (c != ':') break;
      emit(":", out);
      state_ = State::Value;
      return;
    case State::CommaOrEnd:
      if (c == (in_object() ? '}' : ']')) return close(c, out);
      if (c != ',') break;
      comma_ = true;
      state_ = in_object() ? State::Key : State::Value;
      return;
    default: break;
  }
  broken_ = true;  // also text after the object
}

void JsonGuard::value_start(char c, std::string& out) {
  const bool number = is_digit(c) || c == '-';
  const bool literal = c == 't' || c == 'f' || c == 'n';
  if ((c != '{' && c != '[' && c != '"' && !number && !literal) ||
      ((c == '{' || c == '[') && stack_.size() >= kDepthMax)) {
    broken_ = true;
    return;
  }
  flush_comma(out);
  emit(std::string_view(&c, 1), out);
  if (c == '{' || c == '[') {
    stack_ += c;
    state_ = c == '{' ? State::KeyOrEnd : State::ValueOrEnd;
  } else if (c == '"') {
    key_ = false;
    state_ = State::String;
  } else if (number) {
    state_ = State::Number;
    number_ = c == '-' ? NumberState::Sign : c == '0' ? NumberState::Zero : NumberState::Whole;
  } else {
    state_ = State::Literal;
    literal_ = c == 't' ? "rue" : c == 'f' ? "alse" : "ull";
  }
}

void JsonGuard::close(char c, std::string& out) {
  emit(std::string_view(&c, 1), out);
  stack_.pop_back();
  after_value();
}

void JsonGuard::after_value() {
  state_ = stack_.empty() ? State::Done : State::CommaOrEnd;
}

void JsonGuard::replace_held(std::string& out) {
  emit(codec::utf8::kReplacement, out);
  held_.clear();
  mended_ = true;
}

void JsonGuard::string_byte(char c, std::string& out) {
  if (!held_.empty()) {
    if (held_.front() == '\\') return escape_byte(c, out);
    return text_byte(c, out);
  }
  const auto unit = static_cast<unsigned char>(c);
  if (c == '"') {
    emit("\"", out);
    if (key_) {
      state_ = State::Colon;
    } else {
      after_value();
    }
  } else if (c == '\\') {
    held_ = "\\";
  } else if (unit < 0x20) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const char escaped[] = {'\\', 'u', '0', '0', kHex[unit >> 4], kHex[unit & 15]};
    emit(std::string_view(escaped, sizeof escaped), out);
    mended_ = true;
  } else if (unit < 0x80) {
    emit(std::string_view(&c, 1), out);
  } else {
    text_byte(c, out);
  }
}

// A byte of a sequence of several bytes, or the byte that shows that the sequence before it was
// cut.
void JsonGuard::text_byte(char c, std::string& out) {
  held_ += c;
  const auto step = codec::utf8::first_sequence(held_);
  if (step.kind == codec::utf8::Sequence::Incomplete) return;
  if (step.kind == codec::utf8::Sequence::Whole) {
    emit(held_, out);
    held_.clear();
    return;
  }
  const bool again = held_.size() > step.size_bytes;
  replace_held(out);
  if (again) string_byte(c, out);
}

// Escapes are sent whole, surrogate pairs as pairs, so that the end never falls into one.
void JsonGuard::escape_byte(char c, std::string& out) {
  const std::size_t place = held_.size() % kUnicodeEscapeBytes;
  if (place == 0) {
    // A high surrogate is held; only "\u" may follow.
    if (c == '\\') {
      held_ += c;
      return;
    }
    emit(kReplacementEscape, out);
    held_.clear();
    mended_ = true;
    return string_byte(c, out);
  }
  if (place == 1) {
    if (c == 'u') {
      held_ += c;
      return;
    }
    if (held_.size() > kUnicodeEscapeBytes) {
      emit(kReplacementEscape, out);
      mended_ = true;
    }
    held_ = "\\";
    if (std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) {
      // Not an escape at all: the backslash was meant literally.
      emit("\\\\", out);
      held_.clear();
      mended_ = true;
      return string_byte(c, out);
    }
    held_ += c;
    emit(held_, out);
    held_.clear();
    return;
  }
  if (!is_hex(c)) {
    emit(kReplacementEscape, out);
    held_.clear();
    mended_ = true;
    return string_byte(c, out);
  }
  held_ += c;
  if (held_.size() % kUnicodeEscapeBytes == 0) unicode_escape_done(out);
}

void JsonGuard::unicode_escape_done(std::string& out) {
  const unsigned unit = hex4(std::string_view(held_).substr(held_.size() - 4));
  if (held_.size() == kUnicodeEscapeBytes) {
    if (is_high_surrogate(unit)) return;  // wait for its other half
    mended_ = mended_ || is_low_surrogate(unit);
    emit(is_low_surrogate(unit) ? kReplacementEscape : std::string_view(held_), out);
    held_.clear();
    return;
  }
  if (is_low_surrogate(unit)) {
    emit(held_, out);
    held_.clear();
    return;
  }
  emit(kReplacementEscape, out);
  mended_ = true;
  held_.erase(0, kUnicodeEscapeBytes);
  unicode_escape_done(out);
}

bool JsonGuard::number_byte(char c) {
  using N = NumberState;
  const bool digit = is_digit(c);
  switch (number_) {
    case N::Sign:
      if (!digit) return false;
      number_ = c == '0' ? N::Zero : N::Whole;
      return true;
    case N::Zero:
    case N::Whole:
      if (digit) return number_ == N::Whole;
      if (c == '.') number_ = N::Dot;
      if (c == 'e' || c == 'E') number_ = N::E;
      return c == '.' || c == 'e' || c == 'E';
    case N::Dot:
      if (digit) number_ = N::Fraction;
      return digit;
    case N::Fraction:
      if (c == 'e' || c == 'E') number_ = N::E;
      return digit || c == 'e' || c == 'E';
    case N::E:
      if (c == '+' || c == '-') number_ = N::ESign;
      if (digit) number_ = N::Exponent;
      return digit || c == '+' || c == '-';
    case N::ESign:
      if (digit) number_ = N::Exponent;
      return digit;
    case N::Exponent: return digit;
  }
  return false;
}

bool JsonGuard::number_ends() const {
  using N = NumberState;
  return number_ == N::Zero || number_ == N::Whole || number_ == N::Fraction ||
         number_ == N::Exponent;
}

void JsonGuard::finish(std::string& out) {
  if (!sent_ || state_ == State::Done) return;
  mended_ = true;
  held_.clear();
  if (state_ == State::String) {
    emit("\"", out);
    state_ = key_ ? State::Colon : State::CommaOrEnd;
  }
  if (state_ == State::Number && !number_ends()) emit("0", out);
  if (state_ == State::Literal) emit(literal_, out);
  if (state_ == State::Colon) emit(":null", out);
  // After a held comma the value is not missing; after a colon it is.
  if (state_ == State::Value && !comma_) emit("null", out);
  comma_ = false;
  for (; !stack_.empty(); stack_.pop_back()) emit(stack_.back() == '{' ? "}" : "]", out);
  state_ = State::Done;
}

}  // namespace fh::dialects
