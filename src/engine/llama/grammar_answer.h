#pragma once
// The grammar of a whole answer: forced calls, free text with well-formed calls in it, JSON
// formats; with thinking in front where the model thinks.

#include <string>

#include "base/result.h"
#include "domain/conversation.h"
#include "engine/llama/grammar.h"
#include "engine/llama/profile.h"
#include "engine/llama/tool_call.h"

namespace fh::engine::llama {

struct AnswerShape {
  const domain::Conversation* conversation = nullptr;
  const ToolRules* tools = nullptr;  // what may be called: empty for none
  const ThinkTags* think = nullptr;  // null: the model does not think in this answer
  bool starts_in_reasoning = false;
  bool call_open_is_token = false;  // the open marker of a call is one token of the model
};

// Errors: InvalidArgument with field "tools.N.parameters", "tool_choice" or "response_format". What
// cannot be enforced is refused; only under auto a tool without `strict` whose schema cannot be
// enforced gets any object as arguments.
base::Result<GrammarSpec> answer_grammar(const AnswerShape& shape);

}  // namespace fh::engine::llama
