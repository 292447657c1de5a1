#pragma once
// A request as it goes through the engine: what prepare() made of it, and its state while it runs.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/engine.h"
#include "engine/llama/answer.h"
#include "engine/llama/kv_pool.h"
#include "engine/llama/sampler.h"

namespace fh::engine::llama {

// Made by prepare(), on its thread; handed to the runner by start().
struct Request {
  Ticket ticket = 0;
  std::string id;  // for logs
  std::string tenant;
  std::vector<Token> prompt;  // not empty
  std::unique_ptr<Sampler> sampler;
  std::unique_ptr<Answer> answer;
  bool logprobs = false;
  std::uint32_t top_logprobs = 0;
  std::uint32_t output_max = 0;    // tokens; 0 = prefill only
  bool ends_with_context = false;  // output_max is the room in the context, not the client's wish
  EventFn on_event;
  base::TimePoint queued_at{};
};

// A request that has been admitted at least once.
struct Active {
  std::unique_ptr<Request> request;
  std::vector<Token>
      tokens;  // the prompt and what was generated; the last one may not be computed yet
  std::uint32_t computed = 0;  // of these, what the sequence holds
  SequenceId sequence = -1;
  bool decoding = false;     // all but the last token is computed: one token per step
  std::uint64_t order = 0;   // admission number: the youngest makes room first
  std::uint32_t waited = 0;  // steps in a row without a piece of prefill

  // For usage: how the prompt came to be there.
  std::uint32_t cached = 0;
  std::uint32_t restored = 0;
  std::uint32_t prompt_done = 0;
  std::uint32_t stored = 0;  // tokens from the start that are parked for later requests

  ParkedSequence parked;  // while set aside
  base::TimePoint admitted_at{};
  base::TimePoint decoding_at{};

  std::uint32_t prompt_size() const { return static_cast<std::uint32_t>(request->prompt.size()); }
  std::uint64_t generated() const { return tokens.size() - request->prompt.size(); }
  // Where prefill ends: before the last token, of the prompt or of what was sampled, which the next
  // decode step computes.
  std::uint32_t prefill_end() const { return static_cast<std::uint32_t>(tokens.size()) - 1; }
};

}  // namespace fh::engine::llama
