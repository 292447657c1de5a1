#pragma once
// One answer on its way out: tokens in, events out. In between: bytes of the token, whole UTF-8,
// the template's stop strings, the parser that tells text from reasoning and tool calls, the
// client's stop strings in the text, logprobs that travel with the text they belong to, and the
// counts of output tokens. Not thread-safe: it belongs to whoever
// runs the request.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "domain/event.h"
#include "engine/llama/chat.h"
#include "engine/llama/facade.h"
#include "engine/stop_matcher.h"
#include "engine/text_stops.h"

namespace fh::engine::llama {

class Answer {
 public:
  // `client_stops` end the text and are reported as stop sequences; the template's own end the
  // turn. The model must outlive it.
  Answer(const Model& model, RenderedPrompt& rendered,
         const std::vector<std::string>& client_stops);

  // A token that is not an end token. `logprob` is empty unless asked for. True when the answer is
  // over: a stop string, or calls that only repeat themselves.
  bool push(Token token, std::vector<domain::TokenLogprob> logprob,
            std::vector<domain::Event>& events);
  // The end: gives out what was held back. `reason` is the engine's; the answer's own reason (a
  // stop string, a tool call) replaces it. Failed when a required tool call did not come although
  // the model ended by itself.
  domain::Event finish(domain::EndReason reason, std::vector<domain::Event>& events);

  std::uint64_t output_tokens() const { return output_; }
  std::uint64_t reasoning_tokens() const { return reasoning_; }

 private:
  struct PendingLogprob {
    std::uint64_t bytes_end = 0;  // of all pushed bytes, where this token ends
    domain::TokenLogprob logprob;
  };
  void emit(const StopMatcher::Output& out, std::vector<domain::Event>& events);
  void give(std::vector<domain::Event> parsed, std::vector<domain::Event>& events);

  const Model& model_;
  std::unique_ptr<OutputParser> parser_;
  std::unordered_set<Token> preserved_;
  std::unordered_set<std::string> client_stops_;
  StopMatcher own_stops_;
  TextStops text_stops_;
  std::deque<PendingLogprob> logprobs_;
  std::uint64_t pushed_bytes_ = 0;
  std::uint64_t emitted_bytes_ = 0;
  std::optional<std::string> own_match_;
  bool must_call_ = false;
  std::uint64_t output_ = 0;
  std::uint64_t reasoning_ = 0;
};

}  // namespace fh::engine::llama
