#pragma once
// One answer in the making: takes the steps of a plan one by one and says which events they mean.
// Knows nothing of time, queues or threads.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "domain/conversation.h"
#include "domain/event.h"
#include "engine/scripted/plan.h"
#include "engine/stop_matcher.h"

namespace fh::engine::scripted {

class Answer {
 public:
  struct Limits {
    std::uint64_t output_tokens_max = 0;
    domain::EndReason at_limit = domain::EndReason::Length;
  };
  Answer(std::uint64_t ticket, const domain::Generation& generation, Limits limits);

  struct Ending {
    domain::EndReason reason = domain::EndReason::Complete;
    std::string stop_sequence;
  };
  // Applies a token, ToolEnd or Finish step. Appends events; an ending if the answer is over, whose
  // last deltas are then among the events.
  std::optional<Ending> apply(const Step& step, std::vector<domain::Event>& events);
  // No step is left.
  Ending finish(std::vector<domain::Event>& events);
  // Ends it from outside (cancel): no more text, but no tool call is left open.
  void cut(std::vector<domain::Event>& events);

  std::uint64_t output_tokens() const { return output_tokens_; }
  std::uint64_t reasoning_tokens() const { return reasoning_tokens_; }
  // What the answer said, as the parts of an assistant message.
  std::vector<domain::Part> parts() const;

 private:
  std::optional<Ending> take_text(const std::string& token, std::vector<domain::Event>& events);
  void emit_text(const StopMatcher::Output& out, std::vector<domain::Event>& events);
  void flush(std::vector<domain::Event>& events, bool cut = false);
  void begin_call(const std::string& name, std::vector<domain::Event>& events);
  void end_call(std::vector<domain::Event>& events);
  domain::TokenLogprob logprob_of(const std::string& token) const;

  const std::uint64_t ticket_;
  const Limits limits_;
  const bool logprobs_;
  const std::uint32_t top_logprobs_;
  StopMatcher matcher_;
  struct PendingToken {
    std::uint64_t bytes;
    domain::TokenLogprob logprob;
  };
  std::deque<PendingToken> pending_;  // sampled, text not released yet; only with logprobs
  std::uint64_t released_bytes_ = 0;  // of the tokens in front of pending_
  std::uint64_t output_tokens_ = 0;
  std::uint64_t reasoning_tokens_ = 0;
  bool in_call_ = false;
  bool last_was_call_ = false;
  std::string text_;
  std::vector<domain::ToolCallPart> calls_;
};

}  // namespace fh::engine::scripted
