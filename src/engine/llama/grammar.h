#pragma once
// The grammar (GBNF) that an answer must follow, and its way into llama-common's sampler.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

struct llama_vocab;
struct common_params_sampling;

namespace fh::engine::llama {

struct GrammarSpec {
  std::string gbnf;  // root rule "root"; empty = no constraint
  // Lazy: free text until one of `trigger_words` appears; from that word on the grammar holds.
  bool lazy = false;
  std::vector<std::string> trigger_words;
  std::vector<std::string> trigger_patterns;       // regular expressions, native formats only
  std::vector<std::string> trigger_full_patterns;  // the same, matched against the whole output
  // Native formats: the grammar starts with this text, which the prompt already holds.
  std::string generation_prompt;
  bool native = false;
  // Thinking: tags and budget. With tags a lazy grammar sleeps while the model thinks.
  std::string think_start;
  std::string think_end;
  bool starts_in_reasoning = false;  // the prompt has opened the tag
  std::optional<std::uint32_t> think_budget_tokens;

  bool empty() const { return gbnf.empty() && !think_budget_tokens; }
};

// Sets grammar, triggers, preserved tokens and reasoning budget in `params`; call before
// common_sampler_init (which may throw on a grammar that does not parse: check_grammar has refused
// those before). Touches nothing else.
void apply_grammar(const GrammarSpec& spec, const llama_vocab* vocab,
                   common_params_sampling& params);

// Whether llama.cpp can take the grammar. Error: InvalidArgument without field.
base::Status check_grammar(const std::string& gbnf, const llama_vocab* vocab);

}  // namespace fh::engine::llama
