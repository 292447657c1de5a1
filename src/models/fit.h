#pragma once
// Does a model fit this machine? Bytes of weights, of KV memory per token and of working memory
// against the memory there is. Formulas: KV bytes per token = sum over layers of
// (key_length + value_length) * kv_heads * 2 (f16); a sliding window bounds a layer's tokens but
// not its bytes per token, so the sum is an upper bound there.

#include <cstdint>
#include <string>

#include "models/gguf.h"

namespace fh::models {

std::uint64_t kv_bytes_per_token(const GgufFacts& facts);

enum class Fit : std::uint8_t { Yes, Tight, No };
std::string_view fit_name(Fit fit);

struct FitReport {
  Fit fit = Fit::Yes;
  std::uint64_t weights_bytes = 0;
  std::uint64_t kv_bytes = 0;       // for `context_tokens`
  std::uint64_t working_bytes = 0;  // compute buffers and the process, estimated
  std::uint64_t memory_bytes = 0;   // of the machine
  std::string text;                 // one sentence for people
};
// `context_tokens` as it would be served.
FitReport fit_of(const GgufFacts& facts, std::uint64_t context_tokens, std::uint64_t memory_bytes);

// The window to serve: `wanted` (0: the model's own), lowered until weights and KV take at most 70
// % of the memory, never below 512.
std::uint64_t context_for_memory(const GgufFacts& facts, std::uint64_t wanted,
                                 std::uint64_t memory_bytes);

}  // namespace fh::models
