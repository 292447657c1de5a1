// See step_time.h, which has the formulas.

#include "planner/step_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fh::planner {
namespace {

constexpr double kMlaPrefillWidth = 160;  // per head: (128 + 64 + 128) / 2
constexpr double kPrefillChunk = 8192;

std::unexpected<base::Error> missing(const Model& model, std::string_view what) {
  return base::fail(base::Code::FailedPrecondition,
                    fmt::format("{}: {} is not established", model.name, what),
                    "read it from the model's own configuration");
}

// Geometry of attention: widths for operations, heads that a cache splits over.
base::Status read_attention(const Model& m, ModelShape& s) {
  const double heads = m.q_heads.value_or(0);
  if (heads <= 0) return missing(m, "the number of attention heads");
  if (m.attention == AttentionKind::Mla) {
    if (!m.kv_lora_rank) return missing(m, "the rank of the latent cache");
    s.width_decode = heads * (*m.kv_lora_rank + m.qk_rope_head_dim.value_or(0) / 2.0);
    s.width_prefill = heads * kMlaPrefillWidth;
    s.kv_heads = 0;
    return {};
  }
  if (!m.head_dim) return missing(m, "the width of an attention head");
  s.width_decode = s.width_prefill = heads * *m.head_dim;
  s.kv_heads = std::max(m.kv_heads.value_or(1), 1);
  return {};
}

// Total and active parameters give the routed experts' share: P = N + X, A = N + X k/E.
base::Status read_experts(const Model& m, ModelShape& s) {
  s.params_active = m.params_active.value_or(m.mixture_of_experts ? 0 : s.params_total);
  if (s.params_active <= 0) return missing(m, "the number of active parameters");
  if (!m.mixture_of_experts) return {};
  if (!m.experts || !m.experts_top_k) return missing(m, "the number of experts");
  s.mixture_of_experts = true;
  s.experts = *m.experts;
  s.top_k = *m.experts_top_k;
  if (s.experts <= s.top_k || s.params_active > s.params_total) {
    return missing(m, "a consistent set of expert figures");
  }
  s.expert_params = (s.params_total - s.params_active) / (1 - s.top_k / s.experts);
  const double rest = std::max(s.params_total - s.expert_params, 0.0);
  s.expert_params = s.params_total - rest;
  const double embeddings = 2.0 * m.vocab.value_or(0) * s.hidden;
  const double shared =
      3.0 * s.hidden * m.expert_intermediate.value_or(0) * m.experts_shared.value_or(0) * s.layers;
  s.attention_params = std::max(rest - embeddings - shared, 0.0);
  return {};
}

bool is_fp4(std::string_view precision) {
  return precision.find("fp4") != precision.npos;
}

}  // namespace

base::Result<ModelShape> shape_of(const Model& model, std::string_view precision,
                                  double kv_element_bytes) {
  if (kv_element_bytes <= 0 || kv_element_bytes > 4)
    return base::fail_field("kv_element_bytes", "1 or 2 bytes per element are known");
  const Weights* weights = model.weights_at(precision);
  if (weights == nullptr) {
    return base::fail(base::Code::NotFound, fmt::format("{}: no size is established for {} weights",
                                                        model.name, precision));
  }
  ModelShape s;
  s.id = model.id;
  s.precision = std::string(precision);
  s.weights_bytes = weights->bytes;
  if (!model.params_total || *model.params_total <= 0)
    return missing(model, "the number of parameters");
  s.params_total = *model.params_total;
  if (!model.layers || *model.layers <= 0) return missing(model, "the number of layers");
  s.layers = *model.layers;
  s.layers_full = model.layers_full;
  s.layers_sliding = model.layers_sliding;
  s.window = model.window.value_or(0);
  s.recurrent = model.layers_recurrent > 0;
  if (!model.kv_bytes_per_token) return missing(model, "the size of the cache per token");
  s.kv_bytes_per_token = *model.kv_bytes_per_token * kv_element_bytes / 2;
  // Recurrent states keep their own width; windows follow the cache's.
  s.kv_fixed_bytes = model.kv_fixed_bytes_per_sequence * (s.recurrent ? 1.0 : kv_element_bytes / 2);
  FH_TRY_VOID(read_attention(model, s));
  // Where the hidden size is not told, the attention's width stands in: it only sizes messages.
  s.hidden = model.hidden ? *model.hidden : s.width_prefill;
  FH_TRY_VOID(read_experts(model, s));
  s.context_tokens = static_cast<double>(model.context_tokens);
  return s;
}

base::Result<double> peak_flops(const Accelerator& a, std::string_view precision) {
  if (!a.bf16_flops) {
    return base::fail(base::Code::FailedPrecondition,
                      fmt::format("{}: its arithmetic rate is not established", a.name),
                      "measure it, or leave this machine out");
  }
  if (is_fp4(precision) && a.fp4_flops) return *a.fp4_flops;
  if (precision.find("fp8") != precision.npos && !is_fp4(precision) && a.fp8_flops)
    return *a.fp8_flops;
  if (precision == "int8" && a.int8_flops) return *a.int8_flops;
  return *a.bf16_flops;
}

base::Result<StepTime> StepTime::make(const ModelShape& shape, const Accelerator& accelerator,
                                      const Layout& layout, const StepConstants& constants) {
  const int tp = layout.tensor_parallel;
  if (tp < 1 || layout.attention_data_parallel < 1 || layout.expert_parallel < 1 ||
      layout.attention_data_parallel > tp || layout.expert_parallel > tp) {
    return base::fail(base::Code::InvalidArgument,
                      "a layout has at least one GPU and no more groups than GPUs");
  }
  StepTime t;
  t.shape_ = shape;
  t.layout_ = layout;
  t.constants_ = constants;
  FH_TRY(t.peak_flops_, peak_flops(accelerator, shape.precision));
  FH_TRY(t.bf16_flops_, peak_flops(accelerator, "bf16"));
  t.bandwidth_ = accelerator.bandwidth_bytes_s * constants.mbu;
  t.memory_ = accelerator.memory_bytes * constants.memory_share;
  const bool fast_link =
      accelerator.link_kind.starts_with("NVLink") || accelerator.link_kind.starts_with("Infinity");
  const bool across = tp > accelerator.link_domain_gpus;
  t.link_ = across ? constants.network_bytes_s
                   : accelerator.link_bytes_s * (fast_link ? 1 : constants.pcie_share);
  t.collective_s_ = across ? constants.network_collective_s : constants.collective_s;
  if (tp > 1 && t.link_ <= 0) {
    return base::fail(base::Code::FailedPrecondition,
                      fmt::format("{} has no link to share one model over", accelerator.name));
  }
  return t;
}

double StepTime::weight_bytes_read(double tokens) const {
  const double bytes_per_param = shape_.weights_bytes / shape_.params_total;
  const double tp = layout_.tensor_parallel, dp = layout_.attention_data_parallel;
  const double rest = shape_.params_total - shape_.expert_params;
  const double replicated = shape_.attention_params * (dp - 1) / tp;
  const double fixed = rest / tp + (shape_.mixture_of_experts ? replicated : rest * (dp - 1) / tp);
  if (!shape_.mixture_of_experts) return fixed * bytes_per_param;
  const double hit = 1 - std::pow(1 - shape_.top_k / shape_.experts, tokens);
  double fullest = 1;
  if (const double ep = layout_.expert_parallel; ep > 1 && hit > 0) {
    const double per_gpu = std::max(shape_.experts / ep, 1.0);
    const double mean = per_gpu * hit;
    const double sigma = std::sqrt(mean * (1 - hit));
    fullest = std::min((mean + sigma * std::sqrt(2 * std::log(ep))) / mean, 1 / hit);
  }
  return (fixed + shape_.expert_params * hit * fullest / tp) * bytes_per_param;
}

double StepTime::weights_bytes_per_gpu() const {
  const double bytes_per_param = shape_.weights_bytes / shape_.params_total;
  const double tp = layout_.tensor_parallel, dp = layout_.attention_data_parallel;
  const double replicated =
      shape_.mixture_of_experts ? shape_.attention_params : shape_.params_total;
  return (shape_.params_total + replicated * (dp - 1)) / tp * bytes_per_param;
}

double StepTime::cache_shards() const {
  const double dp = layout_.attention_data_parallel;
  const double group = layout_.tensor_parallel / dp;
  return dp * std::max(std::min(group, shape_.kv_heads), 1.0);
}

double StepTime::fixed_shards() const {
  return shape_.recurrent ? layout_.tensor_parallel : cache_shards();
}

double StepTime::cache_bytes_per_gpu(double context_tokens) const {
  return shape_.kv_bytes_per_token * context_tokens / cache_shards() +
         shape_.kv_fixed_bytes / fixed_shards();
}

double StepTime::cache_budget_per_gpu() const {
  return memory_ - weights_bytes_per_gpu() - constants_.other_bytes_per_gpu;
}

double StepTime::sequences_max(double context_tokens) const {
  const double budget = cache_budget_per_gpu();
  const double each = cache_bytes_per_gpu(context_tokens);
  if (budget <= 0 || each <= 0) return 0;
  return std::floor(budget / each);
}

double StepTime::communication_s(double tokens) const {
  const double tp = layout_.tensor_parallel;
  if (tp <= 1) return 0;
  const double latency = 2 * shape_.layers * collective_s_;
  if (layout_.attention_data_parallel > 1 && layout_.expert_parallel > 1) {
    const double copies =
        std::min(std::max(shape_.top_k, 1.0), static_cast<double>(layout_.expert_parallel));
    return latency + shape_.layers * tokens / tp * copies * shape_.hidden * 3 / link_;
  }
  return latency + 2 * shape_.layers * tokens * shape_.hidden * 2 / link_;
}

double StepTime::step_s(const Step& step) const {
  const double tp = layout_.tensor_parallel;
  const double n = step.new_tokens;
  const double matrices =
      std::max(2 * shape_.params_active * n / (tp * peak_flops_ * constants_.mfu),
               weight_bytes_read(n) / bandwidth_);
  const double own = step.sequences > 0 ? n / step.sequences : 0;
  const double seen = step.context_tokens + own / 2;
  const double windowed = shape_.window > 0 ? std::min(seen, shape_.window) : seen;
  const double width = step.decode ? shape_.width_decode : shape_.width_prefill;
  const double operations =
      4 * width * n * (shape_.layers_full * seen + shape_.layers_sliding * windowed);
  const double cache = step.sequences * cache_bytes_per_gpu(step.context_tokens);
  const double attention =
      std::max(operations / (tp * bf16_flops_ * constants_.mfu), cache / bandwidth_);
  const double per_layer = constants_.layer_s * (shape_.mixture_of_experts ? 2 : 1);
  return matrices + attention + per_layer * shape_.layers + communication_s(n);
}

double StepTime::decode_s(double sequences, double context_tokens) const {
  const double n = std::max(sequences, 1.0);
  return step_s({n, n, context_tokens, true});
}

double StepTime::prefill_s(double new_tokens, double cached_tokens) const {
  double total = 0, done = 0;
  while (done < new_tokens) {
    const double chunk = std::min(kPrefillChunk, new_tokens - done);
    total += step_s({chunk, 1, cached_tokens + done, false});
    done += chunk;
  }
  return total;
}

}  // namespace fh::planner
