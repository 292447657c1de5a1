#pragma once
// From the conversation as received to the messages that this template can render. Deterministic,
// and a function of the conversation's beginning for the beginning of the result: a conversation
// that grows keeps its prefix.

#include <string>
#include <vector>

#include "base/result.h"
#include "domain/conversation.h"
#include "engine/llama/chat_render.h"
#include "engine/llama/profile.h"

namespace fh::engine::llama {

struct NormalConversation {
  std::vector<PromptMessage> messages;
  // The last message was the assistant's: the answer continues it.
  bool continues = false;
  std::string prefill_reasoning;
  std::string prefill_text;
};

// `describe`: the tools stand in the system text (ToolFormat::Described). Errors: InvalidArgument,
// field "messages.N".
base::Result<NormalConversation> normalise(const domain::Conversation& conversation,
                                           const Profile& profile, bool describe);

// Claude Code's first system block is a line that changes from session to session and says nothing
// to the model; it begins with this. A block of that kind among several is dropped, from a single
// text only that line is.
inline constexpr std::string_view kBillingPrefix = "x-anthropic-billing-header:";

}  // namespace fh::engine::llama
