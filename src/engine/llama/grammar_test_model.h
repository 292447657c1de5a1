#pragma once
// For tests: the small model that FH_TEST_MODEL names, its vocabulary, and answers sampled under a
// grammar.

#include <common.h>
#include <gtest/gtest.h>
#include <llama.h>
#include <sampling.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "engine/llama/grammar.h"

namespace fh::engine::llama {

inline const char* test_model_path() {
  return std::getenv("FH_TEST_MODEL");
}
#define FH_NEEDS_MODEL() \
  if (test_model_path() == nullptr) GTEST_SKIP() << "FH_TEST_MODEL names no model file"

struct ModelFree {
  void operator()(llama_model* model) const { llama_model_free(model); }
};
using ModelPtr = std::unique_ptr<llama_model, ModelFree>;

inline ModelPtr load_test_model(const char* path, bool vocab_only) {
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  llama_backend_init();
  llama_model_params params = llama_model_default_params();
  params.vocab_only = vocab_only;
  return ModelPtr(llama_model_load_from_file(path, params));
}
inline llama_model* test_vocab_model() {
  static const ModelPtr model = load_test_model(test_model_path(), true);
  return model.get();
}
inline llama_model* test_model() {
  static const ModelPtr model = load_test_model(test_model_path(), false);
  return model.get();
}

// Whether the grammar takes exactly this text.
inline bool grammar_takes(const std::string& gbnf, const std::string& text) {
  const llama_vocab* vocab = llama_model_get_vocab(test_vocab_model());
  llama_sampler* sampler = llama_sampler_init_grammar(vocab, gbnf.c_str(), "root");
  if (sampler == nullptr) {
    ADD_FAILURE() << "the grammar does not parse:\n" << gbnf;
    return false;
  }
  const auto allowed = [&](llama_token token) {
    llama_token_data data{token, 1.0F, 0.0F};
    llama_token_data_array array{&data, 1, -1, false};
    llama_sampler_apply(sampler, &array);
    return std::isfinite(data.logit);
  };
  bool fits = true;
  for (const llama_token token : common_tokenize(vocab, text, false, false)) {
    fits = allowed(token);
    if (!fits) break;
    llama_sampler_accept(sampler, token);
  }
  fits = fits && allowed(llama_vocab_eos(vocab));
  llama_sampler_free(sampler);
  return fits;
}

// Samples an answer to the prompt under the grammar. `ended`: the model ended it by itself.
struct Sampled {
  std::vector<std::string> pieces;
  bool ended = false;
};
inline Sampled sample_answer(const std::string& prompt, const GrammarSpec& grammar,
                             std::uint32_t seed, int tokens_max) {
  llama_model* model = test_model();
  const llama_vocab* vocab = llama_model_get_vocab(model);
  static llama_context* const context = [&] {
    llama_context_params params = llama_context_default_params();
    params.n_ctx = 1536;
    params.n_batch = 1536;
    params.n_threads = 1;
    params.n_threads_batch = 1;
    return llama_init_from_model(model, params);
  }();
  static std::string prefilled;
  common_params_sampling sampling;
  sampling.seed = seed;
  sampling.temp = 1.0F;
  apply_grammar(grammar, vocab, sampling);
  common_sampler* sampler = common_sampler_init(model, sampling);
  auto tokens = common_tokenize(vocab, prompt, false, true);
  Sampled out;
  const int count = static_cast<int>(tokens.size());
  llama_memory_t memory = llama_get_memory(context);
  if (prefilled == prompt) {
    llama_memory_seq_rm(memory, -1, count - 1, -1);
    llama_decode(context, llama_batch_get_one(&tokens.back(), 1));
  } else {
    llama_memory_clear(memory, true);
    llama_decode(context, llama_batch_get_one(tokens.data(), count));
    prefilled = prompt;
  }
  for (int i = 0; i < tokens_max; ++i) {
    llama_token token = common_sampler_sample(sampler, context, -1);
    if (llama_vocab_is_eog(vocab, token)) {
      out.ended = true;
      break;
    }
    common_sampler_accept(sampler, token, true);
    out.pieces.push_back(common_token_to_piece(vocab, token, true));
    llama_decode(context, llama_batch_get_one(&token, 1));
  }
  common_sampler_free(sampler);
  return out;
}

}  // namespace fh::engine::llama
