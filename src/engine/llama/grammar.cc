// The way of a grammar into llama-common's sampler.
#include "engine/llama/grammar.h"

#include <common.h>
#include <llama.h>
#include <sampling.h>

namespace fh::engine::llama {
namespace {

// A trigger that is one token of the model is cheap to find; as text the whole answer is searched
// at each token.
common_grammar_trigger word_trigger(const llama_vocab* vocab, const std::string& word) {
  const auto tokens = common_tokenize(vocab, word, false, true);
  if (tokens.size() == 1) {
    return {COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN, word, tokens[0]};
  }
  return {COMMON_GRAMMAR_TRIGGER_TYPE_WORD, word, LLAMA_TOKEN_NULL};
}

void apply_thinking(const GrammarSpec& spec, const llama_vocab* vocab,
                    common_params_sampling& params) {
  if (spec.think_start.empty() || spec.think_end.empty()) return;
  if (!spec.lazy && !spec.think_budget_tokens) return;
  params.reasoning_budget_start = common_tokenize(vocab, spec.think_start, false, true);
  params.reasoning_budget_end = {common_tokenize(vocab, spec.think_end, false, true)};
  params.reasoning_budget_forced = params.reasoning_budget_end[0];
  if (spec.think_budget_tokens) {
    params.reasoning_budget_tokens =
        static_cast<std::int32_t>(std::min<std::uint32_t>(*spec.think_budget_tokens, 1U << 30U));
  }
  if (params.generation_prompt.empty() && spec.starts_in_reasoning) {
    params.generation_prompt = spec.think_start;
  }
}

}  // namespace

void apply_grammar(const GrammarSpec& spec, const llama_vocab* vocab,
                   common_params_sampling& params) {
  params.generation_prompt = spec.native ? spec.generation_prompt : std::string();
  apply_thinking(spec, vocab, params);
  if (spec.gbnf.empty()) return;
  // Grammars of ours start at the first generated token: type USER is not fed the generation
  // prompt.
  params.grammar = common_grammar(
      spec.native ? COMMON_GRAMMAR_TYPE_TOOL_CALLS : COMMON_GRAMMAR_TYPE_USER, spec.gbnf);
  params.grammar_lazy = spec.lazy;
  params.grammar_triggers.clear();
  for (const std::string& word : spec.trigger_words) {
    params.grammar_triggers.push_back(word_trigger(vocab, word));
    const auto& trigger = params.grammar_triggers.back();
    if (trigger.token != LLAMA_TOKEN_NULL) params.preserved_tokens.insert(trigger.token);
  }
  for (const std::string& pattern : spec.trigger_patterns) {
    params.grammar_triggers.push_back(
        {COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN, pattern, LLAMA_TOKEN_NULL});
  }
  for (const std::string& pattern : spec.trigger_full_patterns) {
    params.grammar_triggers.push_back(
        {COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL, pattern, LLAMA_TOKEN_NULL});
  }
}

base::Status check_grammar(const std::string& gbnf, const llama_vocab* vocab) {
  llama_sampler* sampler = nullptr;
  try {
    sampler = llama_sampler_init_grammar(vocab, gbnf.c_str(), "root");
  } catch (const std::exception&) {
    sampler = nullptr;
  }
  if (sampler == nullptr) {
    return base::fail(base::Code::InvalidArgument,
                      "the grammar made from the schema is too large or too deep for the engine");
  }
  llama_sampler_free(sampler);
  return {};
}

}  // namespace fh::engine::llama
