#pragma once
// The rules of domain/event.h as a checker: one object per started request, fed with every event.
// Used on what a worker sends (a worker that breaks them is dropped) and by the contract tests of
// every engine.

#include "base/result.h"
#include "domain/event.h"

namespace fh::engine {

class EventOrder {
 public:
  // Error Internal, naming the broken rule: an event after the terminal one; Started twice or after
  // a delta; a tool call that overlaps text or another call; text that is not UTF-8; usage whose
  // parts contradict each other; an answer that ends by its own will inside a tool call. A call may
  // stay open when it is cut (Length, abort, failure).
  base::Status accept(const domain::Event& event);
  bool ended() const { return ended_; }
  bool started() const { return started_; }

 private:
  base::Status accept_finished(const domain::Finished& finished) const;
  base::Status check_totals(const domain::Usage& usage, const domain::PromptWork& work) const;

  bool started_ = false;
  bool has_output_ = false;
  bool in_call_ = false;
  bool had_call_ = false;
  bool ended_ = false;
  std::uint64_t prompt_tokens_ = 0;
};

}  // namespace fh::engine
