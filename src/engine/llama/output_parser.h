#pragma once
// From generated text to events: what the model wrote becomes text, reasoning and tool calls, in
// legal event order. A parser belongs to one answer. It holds back only what may still become a
// marker or a call, and gives it out as text when it turns out to be none. Threads: none of its
// own; one caller at a time.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "domain/event.h"

namespace fh::engine::llama {

class OutputParser {
 public:
  virtual ~OutputParser() = default;
  // `utf8`: the next piece of output, whole code points, stop strings already cut away. `logprobs`:
  // one entry per token of the piece if they were asked for; they leave with the text they belong
  // to and are dropped with reasoning and calls. Returns TextDelta, ReasoningDelta,
  // ToolCallStart/Delta/End only.
  virtual std::vector<domain::Event> feed(std::string_view utf8,
                                          std::vector<domain::TokenLogprob> logprobs = {}) = 0;
  // The generation is over. `reason` comes in as the engine sees it and becomes ToolCall when the
  // answer ends with a complete call. An open call is closed with ToolCallEnd; cut off by Length
  // its arguments are incomplete JSON. Nothing may be fed afterwards.
  virtual std::vector<domain::Event> finish(domain::EndReason& reason) = 0;
  // Whether what was fed last belongs to the model's reasoning: ask after each feed(), to count
  // reasoning tokens.
  virtual bool in_reasoning() const = 0;
  // Whether at least one call was completed. For tool_choice required and named the caller checks
  // it at the end.
  virtual bool made_call() const = 0;
  // Nothing that follows would be given out: the generation may end here, as if by itself.
  virtual bool over() const { return false; }
};

}  // namespace fh::engine::llama
