#pragma once
// Rendering, grammar and parser for tool formats that llama-common knows (Llama 3, Mistral,
// GPT-OSS, Gemma 4, DeepSeek, Kimi, GLM and others), for calls that the model may make. Calls that
// it must make are not held by llama-common's grammars: they allow any text before the call. The
// template is the model's with one macro in
// front, so that it is told a constant date.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "engine/llama/chat.h"
#include "engine/llama/chat_normalise.h"

namespace fh::engine::llama {

struct NativeRequest {
  const domain::Conversation* conversation = nullptr;
  const NormalConversation* normal = nullptr;
  // The tools as the prompt shows them, where that is not as they are (special_text.h).
  const std::vector<domain::Tool>* shown_tools = nullptr;
  bool offer_tools = false;
  bool no_thinking = false;  // thinking that the prompt would open is closed
  std::string effort;
};

class NativeTemplates {
 public:
  static base::Result<std::unique_ptr<NativeTemplates>> create(const llama_model* model,
                                                               const std::string& source);
  ~NativeTemplates();
  // Fills all of the prompt but add_bos and tool_bytes, as under tool choice auto. Errors:
  // InvalidArgument with the field.
  base::Result<RenderedPrompt> render(const NativeRequest& request, base::Random& random) const;
  // Whether llama-common can make a grammar and a parser for tools out of this template.
  bool usable() const;

 private:
  NativeTemplates();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fh::engine::llama
