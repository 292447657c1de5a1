#pragma once
// Keeps a streamed JSON object well formed. A model writes tool arguments piece by piece and may be
// cut at any byte; a client's library fails the whole stream if the pieces do not join to one JSON
// object. The guard passes on what keeps the text a prefix of a JSON object, holds back what it
// cannot judge yet (a half escape, a comma, a cut code point), and at the end supplies what is
// missing. Grammar: RFC 8259; additionally no lone surrogates.
//
// It changes the bytes only where they are wrong: raw control characters in strings are escaped,
// lone surrogate escapes and invalid UTF-8 become U+FFFD. From the first byte that cannot be mended
// on, everything is dropped. One object, one thread.

#include <cstdint>
#include <string>
#include <string_view>

namespace fh::dialects {

class JsonGuard {
 public:
  // Appends to `out` what of `fragment` (and of what was held back) may be sent.
  void push(std::string_view fragment, std::string& out);
  // Appends what is missing for one whole object; nothing if no byte was ever sent.
  void finish(std::string& out);
  // The object was complete by itself.
  bool complete() const { return state_ == State::Done; }
  // Bytes were dropped or mended.
  bool broken() const { return broken_ || mended_; }
  bool empty() const { return !sent_; }

 private:
  static constexpr std::size_t kDepthMax = 256;
  enum class State : std::uint8_t {
    Start,
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    String,
    Number,
    Literal,
    Done
  };
  enum class NumberState : std::uint8_t { Sign, Zero, Whole, Dot, Fraction, E, ESign, Exponent };

  void byte(char c, std::string& out);
  void structural(char c, std::string& out);
  void value_start(char c, std::string& out);
  void close(char c, std::string& out);
  void string_byte(char c, std::string& out);
  void escape_byte(char c, std::string& out);
  void unicode_escape_done(std::string& out);
  void text_byte(char c, std::string& out);
  void replace_held(std::string& out);
  bool number_byte(char c);
  bool number_ends() const;
  void after_value();
  void emit(std::string_view bytes, std::string& out);
  void flush_comma(std::string& out);
  bool in_object() const { return !stack_.empty() && stack_.back() == '{'; }

  State state_ = State::Start;
  NumberState number_ = NumberState::Sign;
  std::string stack_;         // open '{' and '['
  std::string held_;          // a half escape or a half code point
  std::string_view literal_;  // what is left of true, false, null
  bool key_ = false;          // the string being read is a member name
  bool comma_ = false;        // a comma is held back until something follows it
  bool sent_ = false;
  bool broken_ = false;
  bool mended_ = false;
};

}  // namespace fh::dialects
