#pragma once
// Reading a JSON object byte by byte while it is generated: is it still a prefix of one, where do
// its top members begin and end. Used to stream the arguments of a tool call as the model writes
// them. Pure values.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fh::engine::llama {

// Accepts one JSON object and nothing around it (leading white space allowed).
class ObjectScanner {
 public:
  enum class State : std::uint8_t { More, Done, Bad };
  struct Member {
    static constexpr std::size_t kNone = SIZE_MAX;
    std::string key;            // decoded
    std::size_t begin = kNone;  // of the value in text(); kNone: it has not begun
    std::size_t end = 0;        // one past it; meaningful when complete
    bool complete = false;
  };

  // After Done or Bad nothing more is taken.
  State push(char c);
  State state() const { return state_; }
  const std::string& text() const { return text_; }  // everything taken, white space included
  const std::vector<Member>& members() const { return members_; }
  // Source text of a member's value as far as it is there.
  std::string_view value_text(const Member& member) const;

 private:
  enum class At : std::uint8_t {
    Start,
    Value,
    FirstKey,
    Key,
    Colon,
    After,
    FirstItem,
    String,
    Escape,
    Unicode,
    Number,
    Literal
  };
  enum class Num : std::uint8_t { Minus, Zero, Int, Dot, Frac, Exp, ExpSign, ExpInt };

  bool step(char c);
  bool begin_value(char c);
  bool in_string(char c);
  bool in_number(char c);
  bool after_value(char c);
  bool key_char(char c);
  void value_done(std::size_t end);
  bool close(char open);

  std::string text_;
  std::vector<char> stack_;
  std::vector<Member> members_;
  At at_ = At::Start;
  Num num_ = Num::Int;
  bool string_is_key_ = false;
  std::size_t string_begin_ = 0;
  int unicode_left_ = 0;
  std::string_view literal_;
  State state_ = State::More;
};

// The decoded text of a JSON string literal; false when it is none.
bool decode_json_string(std::string_view literal, std::string& out);

}  // namespace fh::engine::llama
