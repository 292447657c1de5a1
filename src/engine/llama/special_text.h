#pragma once
// Keeps the client's text from becoming control tokens. A prompt is tokenised as one text in which
// "<|im_end|>" is the end of a turn, and that is how a template means it; in a message, in a file
// that a tool has read, it is eleven characters. So such texts are broken up by a mark before the
// template sees them, and the prompt is tokenised in pieces around the marks: neither half is a
// control token, and the mark itself is in no piece. Looked for is what a template may print: JSON
// may spell a control token in escapes, and several texts of one message become one. Texts without
// them, which is nearly all, are left as they are.

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/conversation.h"

struct llama_vocab;

namespace fh::engine::llama {

class SpecialTexts {
 public:
  SpecialTexts() = default;  // none: nothing is broken up
  explicit SpecialTexts(std::vector<std::string> texts);
  // Of all control tokens. Tokens of other kinds that a vocabulary names, such as <tool_call>, are
  // what they are wherever they stand.
  static SpecialTexts of(const llama_vocab* vocab);

  // With a mark in each of them.
  std::string broken_up(std::string_view text) const;
  // The same for a JSON text: what its strings say counts, however they spell it.
  std::string broken_up_json(std::string_view json) const;
  // All texts of the client but the output format; nullopt if none of them needs it.
  std::optional<domain::Conversation> broken_up(const domain::Conversation& conversation) const;

 private:
  // Length of the special text that begins `text`; 0 if none does.
  std::size_t begins(std::string_view text) const;  // `text` is not empty
  bool found_in(std::string_view text) const;

  std::vector<std::string> texts_;  // sorted; none shorter than two bytes
  std::bitset<256> firsts_;         // their first bytes
};

// The pieces of a rendered prompt, in order; at least one.
std::vector<std::string_view> prompt_pieces(std::string_view prompt);

}  // namespace fh::engine::llama
