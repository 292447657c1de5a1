#pragma once
// From a conversation to the text that the model reads, for the model's own chat template; and what
// goes with it: the grammar that the answer must follow and the parser of the answer.
//
// Rendering is byte-stable: same conversation, same bytes, on any day and after any restart.
// Templates that ask for today's date are told a constant one (2026-01-01). System messages stay
// where they are; where a template cannot render one, it becomes a tagged text on the user's side.
// Growing a conversation at its end changes the bytes before only where the template itself does.
// Threads: render() is const and may run on several threads at once. No exception leaves this file.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "domain/conversation.h"
#include "engine/llama/grammar.h"
#include "engine/llama/output_parser.h"

struct llama_model;

namespace fh::engine::llama {

struct RenderedPrompt {
  // The whole prompt. Tokenise its prompt_pieces() with parse_special = true; add BOS only if
  // `add_bos` is set (the template prints it itself otherwise).
  std::string prompt;
  bool add_bos = false;
  // What the tool definitions add to the prompt, in bytes (0 = no tools): for the overflow message.
  std::size_t tool_bytes = 0;
  // Empty `grammar.gbnf`: the answer is free. See grammar.h for the way into a sampler.
  GrammarSpec grammar;
  // Strings that end the answer besides the client's stop strings and the end-of-generation tokens;
  // not emitted.
  std::vector<std::string> stops;
  // Texts of special tokens that must reach the parser: detokenise these as text instead of
  // dropping them.
  std::vector<std::string> preserved_tokens;
  // A call must come (tool_choice required or named); if the parser has made none, the outcome
  // check has failed.
  bool must_call = false;
  std::unique_ptr<OutputParser> parser;
};

class ChatTemplate {
 public:
  // Reads the template from the model's metadata (vocab_only loads have it) and probes what it can
  // do. `random` makes the ids of tool calls; both must outlive the object and its parsers. Errors:
  // FailedPrecondition when the template cannot be parsed or is over the limits.
  static base::Result<std::unique_ptr<ChatTemplate>> create(const llama_model* model,
                                                            base::Random& random);
  // The same with a template text instead of the model's; `model` may be null (tests), then
  // grammars are not checked.
  static base::Result<std::unique_ptr<ChatTemplate>> create_from_text(const llama_model* model,
                                                                      std::string_view text,
                                                                      base::Random& random);
  virtual ~ChatTemplate() = default;

  // Errors: InvalidArgument with the field: content that the model cannot take ("messages.N"), a
  // schema that cannot be enforced ("tools.N.parameters", "response_format"), a tool choice that
  // names no tool ("tool_choice"), or a conversation that the template refuses ("messages").
  virtual base::Result<RenderedPrompt> render(const domain::Generation& generation) const = 0;

  virtual bool supports_tools() const = 0;      // the template has a tool format of its own
  virtual bool supports_reasoning() const = 0;  // the template knows thinking
};

}  // namespace fh::engine::llama
