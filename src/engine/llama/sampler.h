#pragma once
// Choosing the next token, by llama-common's sampler chain, with the answer's grammar checked the
// cheap way: sample first, check that one token, and only if it does not fit sample again with the
// grammar applied to all.
//
// What is used when a request leaves a setting out: the values that the model file recommends
// (general.sampling.*), else those that the publisher of a known family recommends (the table in
// sampler.cc), else temperature 0.8, top_k 40, top_p 0.95, min_p 0.05, penalties off. A
// setting that is given replaces its own default only. Temperature 0 is greedy. Penalties look at
// the generated text only: presence and frequency at the last 4,096 tokens of it, a repeat penalty
// alone at the last 64. Not thread-safe: one per answer.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/conversation.h"
#include "domain/event.h"
#include "engine/llama/facade.h"
#include "engine/llama/grammar.h"

namespace fh::engine::llama {

struct SamplingDefaults {
  float temperature = 0;
  std::int32_t top_k = 0;
  float top_p = 0;
  bool operator==(const SamplingDefaults&) const = default;
};
// For a model whose file says nothing, by its general.basename ("Qwen2.5-Coder"); empty: unknown.
std::optional<SamplingDefaults> family_sampling(std::string_view basename);

class Sampler {
 public:
  // `seed` is used as it is. Errors: InvalidArgument with the field (logit_bias outside the
  // vocabulary, a grammar that cannot be enforced: constraints never fail open).
  static base::Result<std::unique_ptr<Sampler>> create(const Model& model,
                                                       const domain::Sampling& sampling,
                                                       const GrammarSpec& grammar,
                                                       std::uint64_t seed);
  virtual ~Sampler() = default;
  // The next token after row `row` of the context's last batch, already accepted. Error Internal:
  // the grammar allows no token; this answer has to end, others are not concerned.
  virtual base::Result<Token> next(const Context& context, std::size_t row) = 0;
};

// Natural logarithms of probabilities from raw logits, before any sampling setting: of `token` and
// of the `top_count` likeliest tokens.
domain::TokenLogprob token_logprob(const Model& model, std::span<const float> logits, Token token,
                                   std::uint32_t top_count);
// Difference between the two largest logits: how near a tie the choice was.
float top_margin(std::span<const float> logits);

}  // namespace fh::engine::llama
