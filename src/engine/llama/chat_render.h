#pragma once
// One run of a chat template: messages in, text out. The Jinja engine is llama-common's; exceptions
// end here, the size of the result, its time (template_limits.h), range() and the date are bounded
// and constant.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/conversation.h"
#include "engine/llama/template_limits.h"

namespace fh::engine::llama {

// A message as templates know it. `role`: "system", "user", "assistant" or "tool".
struct PromptMessage {
  std::string role;
  std::string text;
  std::string reasoning;
  std::vector<domain::ToolCallPart> calls;  // assistant
  std::string tool_call_id;                 // tool
  std::string tool_name;
  bool operator==(const PromptMessage&) const = default;
};

struct RenderOptions {
  const std::vector<domain::Tool>* tools = nullptr;
  std::optional<bool> thinking;  // unset: the template's own default
  std::string effort;            // "", "low", "medium", "high"
  bool generation_prompt = true;
};

// In which form a template wants what it prints; found out by trying.
struct TemplateForms {
  bool typed_content = false;  // content as a list of parts, not as text
  bool object_arguments =
      false;  // arguments of past calls as an object; as text they stay as received
};

class TemplateRunner {
 public:
  // Error: FailedPrecondition when the text is over the limits, takes too long or too much memory,
  // or is no template.
  static base::Result<std::unique_ptr<TemplateRunner>> create(std::string_view source,
                                                              std::string_view bos,
                                                              std::string_view eos,
                                                              const TemplateLimits& limits = {});
  ~TemplateRunner();
  // Error: InvalidArgument when the template refuses the messages (reason template_refused), or
  // takes too long (template_too_slow) or too much memory over them (template_too_large).
  base::Result<std::string> run(const std::vector<PromptMessage>& messages,
                                const RenderOptions& options) const;
  const TemplateForms& forms() const { return forms_; }
  const std::string& source() const { return source_; }
  // Whether any run so far took too long or too much memory.
  bool overrun() const { return overrun_; }

 private:
  TemplateRunner();
  void probe_forms();
  bool prints(const PromptMessage& message, std::string_view text) const;
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::string source_;
  TemplateForms forms_;
  TemplateLimits limits_;
  mutable std::atomic<bool> overrun_{false};
};

// Seconds since 1970 of the day that templates are told: 2026-01-01.
inline constexpr std::int64_t kTemplateDay = 1'767'225'600;
// A size limit on templates, in bytes.
inline constexpr std::size_t kTemplateBytesMax = 512 * 1024;
inline constexpr std::size_t kPromptBytesMax = 64 * 1024 * 1024;

}  // namespace fh::engine::llama
