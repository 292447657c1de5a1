#pragma once
// The client's stop strings, applied to the events of an answer. They hold for its text alone: not
// for the model's reasoning, nor for tool calls, where a stop string would leave half a call that
// nobody can run. A stop string does not reach across either of them.
//
// Log-probabilities stay with their text; those of tokens that are cut away, in whole or in part,
// are dropped. One object per answer; not thread-safe.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "domain/event.h"
#include "engine/stop_matcher.h"

namespace fh::engine {

class TextStops {
 public:
  explicit TextStops(const std::vector<std::string>& stops);

  // Appends to `out` what may be sent of `event`, which is no Started and no terminal event. After
  // a match nothing more is.
  void push(domain::Event event, std::vector<domain::Event>& out);
  // The end of the answer: what was held back.
  void finish(std::vector<domain::Event>& out);
  // The stop string that ended the answer.
  const std::optional<std::string>& matched() const { return matched_; }

 private:
  struct Pending {
    std::uint64_t end = 0;  // of its token, in the bytes of all text
    domain::TokenLogprob logprob;
  };
  void push_text(domain::TextDelta delta, std::vector<domain::Event>& out);
  void give(StopMatcher::Output found, std::vector<domain::Event>& out);

  bool none_;  // no stop strings: everything goes through as it comes
  StopMatcher matcher_;
  std::deque<Pending> logprobs_;
  std::uint64_t pushed_ = 0;
  std::uint64_t given_ = 0;
  std::optional<std::string> matched_;
};

}  // namespace fh::engine
