// A pushdown automaton for JSON, one byte at a time.
#include "engine/llama/tool_scanner.h"

#include "codec/json.h"

namespace fh::engine::llama {
namespace {

constexpr std::size_t kDepthMax = 60;

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

}  // namespace

ObjectScanner::State ObjectScanner::push(char c) {
  if (state_ != State::More) return state_;
  text_ += c;
  if (!step(c)) state_ = State::Bad;
  return state_;
}

std::string_view ObjectScanner::value_text(const Member& member) const {
  if (member.begin == Member::kNone) return {};
  const std::size_t end = member.complete ? member.end : text_.size();
  return std::string_view(text_).substr(member.begin, end - member.begin);
}

bool ObjectScanner::step(char c) {
  switch (at_) {
    case At::Start:
      if (is_space(c)) return true;
      if (c != '{') return false;
      stack_.push_back('{');
      at_ = At::FirstKey;
      return true;
    case At::Value: return is_space(c) || begin_value(c);
    case At::FirstItem:
      if (c == ']') return close('[');
      return is_space(c) || begin_value(c);
    case At::FirstKey:
      if (c == '}') return close('{');
      return key_char(c);
    case At::Key: return key_char(c);
    case At::Colon:
      if (is_space(c)) return true;
      at_ = At::Value;
      return c == ':';
    case At::After: return after_value(c);
    case At::String:
    case At::Escape:
    case At::Unicode: return in_string(c);
    case At::Number: return in_number(c);
    case At::Literal:
      if (literal_.empty() || c != literal_.front()) return false;
      literal_.remove_prefix(1);
      if (literal_.empty()) value_done(text_.size());
      return true;
  }
  return false;
}

bool ObjectScanner::key_char(char c) {
  if (is_space(c)) return true;
  if (c != '"') return false;
  at_ = At::String;
  string_is_key_ = true;
  string_begin_ = text_.size() - 1;
  return true;
}

bool ObjectScanner::begin_value(char c) {
  if (stack_.size() == 1) members_.back().begin = text_.size() - 1;
  if (c == '"') {
    at_ = At::String;
    string_is_key_ = false;
    return true;
  }
  if (c == '{' || c == '[') {
    if (stack_.size() >= kDepthMax) return false;
    stack_.push_back(c);
    at_ = c == '{' ? At::FirstKey : At::FirstItem;
    return true;
  }
  if (c == '-' || is_digit(c)) {
    at_ = At::Number;
    num_ = c == '-' ? Num::Minus : c == '0' ? Num::Zero : Num::Int;
    return true;
  }
  literal_ = c == 't' ? "rue" : c == 'f' ? "alse" : c == 'n' ? "ull" : "";
  at_ = At::Literal;
  return !literal_.empty();
}

bool ObjectScanner::in_string(char c) {
  if (at_ == At::Escape) {
    at_ = At::String;
    if (c == 'u') {
      at_ = At::Unicode;
      unicode_left_ = 4;
      return true;
    }
    return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
  }
  if (at_ == At::Unicode) {
    if (--unicode_left_ == 0) at_ = At::String;
    return is_hex(c);
  }
  if (static_cast<unsigned char>(c) < 0x20) return false;
  if (c == '\\') {
    at_ = At::Escape;
  } else if (c == '"' && string_is_key_) {
    at_ = At::Colon;
    if (stack_.size() == 1) {
      Member member;
      const auto literal = std::string_view(text_).substr(string_begin_);
      if (!decode_json_string(literal, member.key)) return false;
      for (const Member& other : members_) {
        if (other.key == member.key) return false;  // duplicate keys mean nothing certain
      }
      members_.push_back(std::move(member));
    }
  } else if (c == '"') {
    value_done(text_.size());
  }
  return true;
}

bool ObjectScanner::in_number(char c) {
  switch (num_) {
    case Num::Minus: num_ = c == '0' ? Num::Zero : Num::Int; return is_digit(c);
    case Num::Int:
      if (is_digit(c)) return true;
      [[fallthrough]];
    case Num::Zero:
      if (c == '.') {
        num_ = Num::Dot;
        return true;
      }
      if (c == 'e' || c == 'E') {
        num_ = Num::Exp;
        return true;
      }
      break;
    case Num::Dot: num_ = Num::Frac; return is_digit(c);
    case Num::Frac:
      if (is_digit(c)) return true;
      if (c == 'e' || c == 'E') {
        num_ = Num::Exp;
        return true;
      }
      break;
    case Num::Exp:
      num_ = c == '+' || c == '-' ? Num::ExpSign : Num::ExpInt;
      return num_ == Num::ExpSign || is_digit(c);
    case Num::ExpSign: num_ = Num::ExpInt; return is_digit(c);
    case Num::ExpInt:
      if (is_digit(c)) return true;
      break;
  }
  value_done(text_.size() - 1);
  return after_value(c);
}

void ObjectScanner::value_done(std::size_t end) {
  at_ = At::After;
  if (stack_.size() == 1) {
    members_.back().end = end;
    members_.back().complete = true;
  }
}

bool ObjectScanner::after_value(char c) {
  if (is_space(c)) return true;
  const char open = stack_.back();
  if (c == ',') {
    at_ = open == '{' ? At::Key : At::Value;
    return true;
  }
  if (c == '}') return close('{');
  return c == ']' && close('[');
}

bool ObjectScanner::close(char open) {
  if (stack_.empty() || stack_.back() != open) return false;
  stack_.pop_back();
  if (stack_.empty()) {
    state_ = State::Done;
  } else {
    value_done(text_.size());
  }
  return true;
}

bool decode_json_string(std::string_view literal, std::string& out) {
  const auto document = codec::json::Document::parse(literal);
  if (!document) return false;
  const auto text = document->root().as_string();
  if (!text) return false;
  out = *text;
  return true;
}

}  // namespace fh::engine::llama
