#pragma once
// A custom tool takes plain text, models write JSON objects. Inside, a custom tool is a function
// with one string argument `input`; this reads the text of that argument out of the arguments while
// they are being written. If the arguments have another shape, their text is given as it is when
// they end.

#include <cstdint>
#include <string>
#include <string_view>

namespace fh::dialects {

inline constexpr std::string_view kCustomToolSchema =
    R"({"type":"object","properties":{"input":{"type":"string"}},"required":["input"],)"
    R"("additionalProperties":false})";

// Arguments of the function for a custom tool's input.
std::string custom_arguments(std::string_view input);

class CustomInput {
 public:
  // Appends the plain text that `fragment` brings.
  void push(std::string_view fragment, std::string& out);
  // Appends the whole arguments if they were not {"input":"..."}.
  void finish(std::string& out);

 private:
  enum class State : std::uint8_t { Open, KeyQuote, Key, Colon, ValueQuote, Text, Done, Other };
  void byte(char c, std::string& out);
  void text_byte(char c, std::string& out);
  void unicode_escape_done(std::string& out);
  void expect(bool ok, State next) { state_ = ok ? next : State::Other; }

  State state_ = State::Open;
  std::string head_;  // everything until the text begins
  std::string key_;
  std::string escape_;      // a half escape
  std::uint32_t high_ = 0;  // a high surrogate that waits for its other half
};

}  // namespace fh::dialects
