// See sampler.h.
#include "engine/llama/sampler.h"

#include <common.h>
#include <llama.h>
#include <sampling.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <exception>
#include <limits>
#include <utility>

namespace fh::engine::llama {
namespace {

using base::Code;
constexpr std::int32_t kPenaltyWindow = 4096;
constexpr std::int32_t kRepeatWindow = 64;

// llama-common takes 32 bits and reads all ones as "choose yourself".
std::uint32_t fold_seed(std::uint64_t seed) {
  const auto folded = static_cast<std::uint32_t>(seed ^ (seed >> 32));
  return folded == LLAMA_DEFAULT_SEED ? LLAMA_DEFAULT_SEED - 1 : folded;
}

template <typename T>
void recommended(const Model& model, llama_model_meta_key key, T& value) {
  const char* name = llama_model_meta_key_str(key);
  if (name == nullptr) return;
  const std::string text = model.meta(name);
  T parsed{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error == std::errc{} && end == text.data() + text.size() && !text.empty()) value = parsed;
}

// From the generation_config.json that the publisher ships with the weights, which converters to
// GGUF left out for these. Its repetition penalty (1.05 to 1.1) is not taken: over code and quoted
// text, which repeat themselves, it changes what has to be copied.
struct FamilySampling {
  std::string_view basename;  // prefix
  SamplingDefaults defaults;
};
constexpr std::array kFamilySampling{
    FamilySampling{"Qwen2.5", {0.7F, 20, 0.8F}},
};

void apply_sampling(const Model& model, const domain::Sampling& in, common_params_sampling& out) {
  if (const auto family = family_sampling(model.meta("general.basename"))) {
    out.temp = family->temperature;
    out.top_k = family->top_k;
    out.top_p = family->top_p;
  }
  recommended(model, LLAMA_MODEL_META_KEY_SAMPLING_TEMP, out.temp);
  recommended(model, LLAMA_MODEL_META_KEY_SAMPLING_TOP_K, out.top_k);
  recommended(model, LLAMA_MODEL_META_KEY_SAMPLING_TOP_P, out.top_p);
  recommended(model, LLAMA_MODEL_META_KEY_SAMPLING_MIN_P, out.min_p);
  if (in.temperature) out.temp = static_cast<float>(*in.temperature);
  if (in.top_k) out.top_k = *in.top_k;
  if (in.top_p) out.top_p = static_cast<float>(*in.top_p);
  if (in.min_p) out.min_p = static_cast<float>(*in.min_p);
  if (in.repeat_penalty) out.penalty_repeat = static_cast<float>(*in.repeat_penalty);
  if (in.presence_penalty) out.penalty_present = static_cast<float>(*in.presence_penalty);
  if (in.frequency_penalty) out.penalty_freq = static_cast<float>(*in.frequency_penalty);
  const bool counted = out.penalty_present != 0 || out.penalty_freq != 0;
  out.penalty_last_n = counted ? kPenaltyWindow : kRepeatWindow;
  for (const auto& [token, bias] : in.logit_bias) {
    out.logit_bias.push_back({token, static_cast<float>(bias)});
  }
}

// What next() may do without looking at every token of the vocabulary: with no grammar, bias or
// penalty in front, the chain begins with top-k (or, at temperature 0, ends at the largest), so the
// candidates are chosen here, in one pass over the logits, and the chain gets only these.
enum class Shortcut : std::uint8_t { None, Largest, TopK };

Shortcut shortcut_of(const common_params_sampling& p, bool has_grammar) {
  const common_params_sampling usual;
  const bool plain = !has_grammar && p.logit_bias.empty() && p.penalty_repeat == 1.0F &&
                     p.penalty_present == 0.0F && p.penalty_freq == 0.0F &&
                     p.dry_multiplier == 0.0F && p.top_n_sigma == usual.top_n_sigma &&
                     p.mirostat == 0 && p.samplers == usual.samplers;
  if (!plain) return Shortcut::None;
  if (p.temp <= 0.0F) return Shortcut::Largest;
  return p.top_k > 0 && p.top_k <= 1024 ? Shortcut::TopK : Shortcut::None;
}

constexpr std::size_t kBlock = 64;  // logits that are looked at together

float largest_of(std::span<const float> block) {
  float largest = block[0];
  for (const float l : block) largest = std::max(largest, l);
  return largest;
}

Token largest_token(std::span<const float> logits) {
  std::size_t best = 0;
  for (std::size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const auto block = logits.subspan(begin, std::min(kBlock, logits.size() - begin));
    if (largest_of(block) <= logits[best] && begin > 0) continue;
    for (std::size_t i = 0; i < block.size(); ++i) {
      if (block[i] > logits[best]) best = begin + i;
    }
  }
  return static_cast<Token>(best);
}

// The `k` tokens with the largest logits, largest first; of equal ones the lower number.
void top_tokens(std::span<const float> logits, std::size_t k,
                std::vector<llama_token_data>& chosen) {
  const auto better = [](const llama_token_data& a, const llama_token_data& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  chosen.clear();
  for (std::size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const auto block = logits.subspan(begin, std::min(kBlock, logits.size() - begin));
    if (chosen.size() == k && largest_of(block) <= chosen.front().logit) continue;
    for (std::size_t i = 0; i < block.size(); ++i) {
      const llama_token_data candidate{static_cast<llama_token>(begin + i), block[i], 0.0F};
      if (chosen.size() == k) {
        if (!better(candidate, chosen.front())) continue;
        std::ranges::pop_heap(chosen, better);  // the worst of the chosen goes
        chosen.pop_back();
      }
      chosen.push_back(candidate);
      std::ranges::push_heap(chosen, better);
    }
  }
  std::ranges::sort_heap(chosen, better);
}

class CommonSampler final : public Sampler {
 public:
  CommonSampler(common_sampler* sampler, Shortcut shortcut, std::size_t top_k)
      : sampler_(sampler), shortcut_(shortcut), top_k_(top_k) {}
  ~CommonSampler() override { common_sampler_free(sampler_); }
  CommonSampler(const CommonSampler&) = delete;
  CommonSampler& operator=(const CommonSampler&) = delete;

  base::Result<Token> next(const Context& context, std::size_t row) override {
    if (context.logits(row).empty()) {
      return base::fail(Code::InvalidArgument, "engine contract: the row has no logits");
    }
    try {
      const Token token = choose(context, row);
      common_sampler_accept(sampler_, token, true);
      return token;
    } catch (const std::exception&) {
      return base::fail(Code::Internal, "the model cannot continue within the required format");
    }
  }

 private:
  Token choose(const Context& context, std::size_t row) {
    if (shortcut_ == Shortcut::None) {
      return common_sampler_sample(sampler_, context.raw(), static_cast<std::int32_t>(row));
    }
    if (shortcut_ == Shortcut::Largest) return largest_token(context.logits(row));
    top_tokens(context.logits(row), top_k_, candidates_);
    llama_token_data_array array{candidates_.data(), candidates_.size(), -1, true};
    llama_sampler_apply(common_sampler_get(sampler_), &array);
    return array.data[array.selected].id;
  }

  common_sampler* sampler_;
  Shortcut shortcut_;
  std::size_t top_k_;
  std::vector<llama_token_data> candidates_;
};

std::vector<std::uint8_t> bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

}  // namespace

std::optional<SamplingDefaults> family_sampling(std::string_view basename) {
  for (const FamilySampling& row : kFamilySampling) {
    if (basename.starts_with(row.basename)) return row.defaults;
  }
  return std::nullopt;
}

base::Result<std::unique_ptr<Sampler>> Sampler::create(const Model& model,
                                                       const domain::Sampling& sampling,
                                                       const GrammarSpec& grammar,
                                                       std::uint64_t seed) {
  for (const auto& [token, bias] : sampling.logit_bias) {
    if (token < 0 || static_cast<std::uint32_t>(token) >= model.vocabulary_size()) {
      return base::fail_field("logit_bias", "token " + std::to_string(token) +
                                                " is outside the model's vocabulary of " +
                                                std::to_string(model.vocabulary_size()));
    }
    if (!std::isfinite(bias)) return base::fail_field("logit_bias", "bias is not a number");
  }
  common_params_sampling params;
  params.seed = fold_seed(seed);
  params.no_perf = true;
  apply_sampling(model, sampling, params);
  try {
    if (!grammar.empty()) apply_grammar(grammar, model.vocab(), params);
    common_sampler* raw = common_sampler_init(model.raw(), params);
    if (raw != nullptr) {
      return std::make_unique<CommonSampler>(raw, shortcut_of(params, !grammar.empty()),
                                             static_cast<std::size_t>(std::max(params.top_k, 0)));
    }
  } catch (const std::exception&) {
    // falls through: what the exception says may quote the client's schema
  }
  return base::fail_field(grammar.empty() ? "" : "response_format",
                          "the requested sampling or output format cannot be enforced");
}

domain::TokenLogprob token_logprob(const Model& model, std::span<const float> logits, Token token,
                                   std::uint32_t top_count) {
  domain::TokenLogprob out;
  out.token = model.piece(token, true);
  out.bytes = bytes_of(out.token);
  if (logits.empty()) return out;
  const float largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float l : logits) sum += std::exp(static_cast<double>(l - largest));
  const double norm = static_cast<double>(largest) + std::log(sum);
  const auto logprob = [&](Token t) {
    return static_cast<double>(logits[static_cast<std::size_t>(t)]) - norm;
  };
  out.logprob = logprob(token);
  const std::size_t count = std::min<std::size_t>(top_count, logits.size());
  if (count == 0) return out;
  std::vector<Token> order(logits.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Token>(i);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](Token a, Token b) {
                      const float x = logits[static_cast<std::size_t>(a)];
                      const float y = logits[static_cast<std::size_t>(b)];
                      return x != y ? x > y : a < b;
                    });
  for (std::size_t i = 0; i < count; ++i) {
    domain::TokenLogprob::Top top;
    top.token = model.piece(order[i], true);
    top.bytes = bytes_of(top.token);
    top.logprob = logprob(order[i]);
    out.top.push_back(std::move(top));
  }
  return out;
}

float top_margin(std::span<const float> logits) {
  float first = -std::numeric_limits<float>::infinity();
  float second = first;
  for (const float l : logits) {
    if (l > first) {
      second = first;
      first = l;
    } else if (l > second) {
      second = l;
    }
  }
  return first - second;
}

}  // namespace fh::engine::llama
