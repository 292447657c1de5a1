#pragma once
// The time of one engine step from a model's geometry and an accelerator's sheet: a roofline with
// two efficiencies, a cost per layer and a cost per collective. What estimates miss most often is
// in it: a mixture of experts reads the unique experts that a step's tokens hit, not the active
// parameters; an MLA cache is replicated under tensor parallelism; attention weights are replicated
// when attention is data parallel; with experts spread over GPUs the fullest GPU sets the pace.
//
//   experts  X = (P - A) / (1 - k/E) parameters in routed experts, from total P and active A
//            hit(n) = 1 - (1 - k/E)^n, the share of experts that n tokens use
//            fullest GPU of EP: (mu + sigma sqrt(2 ln EP)) / mu, mu and sigma of a binomial of E/EP
//   weights  W = b ((P - X) / TP [+ attention part under DP] + X hit(n) fullest / TP)
//   matrices T_m = max(2 A n / (TP peak mfu), W / (BW mbu))
//   attention T_a = max(4 w n (L_full (ctx + n_i/2) + L_win min(ctx, window)) / (TP bf16 mfu),
//                       KV / (shards BW mbu)), w = heads * head width
//   MLA      w = heads (rank + rope/2) in decode (absorbed form), heads * 160 in prefill (128 + 64
//            for keys, 128 for values); shards: 1 under TP, DP under data parallel attention
//   T_step = T_m + T_a + t_layer L (twice in MoE layers: routing and grouped products) + T_comm
//   T_comm = 2 L (t_collective + n h 2 / link) for TP > 1; with EP and DP: 2 L t_collective
//            + L (n / TP) min(k, EP) h 3 / link (dispatch at 8, combine at 16 bits)
//
// The constants are the same for every machine and model and were not fitted to one; they were
// chosen with the measured set of bench/planner_accuracy in sight, so its errors are not those of a
// held-out set. Not modelled: sparse attention's savings (the full cost stands), speculative
// decoding, pipeline parallelism.
//
// Seconds, bytes, operations per second. Pure functions of their arguments.

#include <string>
#include <string_view>

#include "base/result.h"
#include "planner/catalogue.h"

namespace fh::planner {

struct StepConstants {
  double mfu = 0.5;
  double mbu = 0.7;
  double layer_s = 20e-6;
  double collective_s = 8e-6;
  double pcie_share = 0.45;             // of a link that is not NVLink or Infinity Fabric
  double network_bytes_s = 50e9;        // between nodes, per GPU: 400 Gb/s
  double network_collective_s = 24e-6;  // between nodes
  double memory_share = 0.9;            // of the card, for the engine
  double other_bytes_per_gpu = 3.5e9;   // runtime, graphs, communication buffers
};

struct Layout {
  int tensor_parallel = 1;          // GPUs of one replica
  int attention_data_parallel = 1;  // replicas of attention inside the replica, <= tensor_parallel
  int expert_parallel = 1;          // <= tensor_parallel
  bool operator==(const Layout&) const = default;
};

// What is needed of a model, resolved once: every optional is there or the model cannot be
// estimated.
struct ModelShape {
  std::string id, precision;
  bool mixture_of_experts = false;
  double weights_bytes = 0;
  double params_total = 0, params_active = 0;
  double expert_params = 0;  // all routed experts together
  double experts = 0, top_k = 0;
  double layers = 0, layers_full = 0, layers_sliding = 0;
  double hidden = 0;
  double width_prefill = 0, width_decode = 0;  // w
  double window = 0;
  double attention_params = 0;    // replicated under data-parallel attention
  bool recurrent = false;         // kv_fixed_bytes is state, which splits as the heads do
  double kv_bytes_per_token = 0;  // after kv_element_bytes
  double kv_fixed_bytes = 0;      // per sequence
  double kv_heads = 0;            // most ways that a cache splits under TP; 0: MLA, replicated
  double context_tokens = 0;
  double weight_bits() const { return weights_bytes * 8 / params_total; }
};

// NotFound / FailedPrecondition with what is not established. kv_element_bytes: 2 or 1.
base::Result<ModelShape> shape_of(const Model& model, std::string_view precision,
                                  double kv_element_bytes = 2);

// The rate at which the card multiplies with these weights: fp8 and fp4 natively where it can; what
// it cannot, and 4-bit integers, are unpacked and run at bf16. FailedPrecondition: no rate is
// known.
base::Result<double> peak_flops(const Accelerator& accelerator, std::string_view precision);

struct Step {
  double new_tokens = 0;  // in all sequences of the replica
  double sequences = 0;
  double context_tokens = 0;  // mean per sequence, before the step
  bool decode = true;
};

class StepTime {
 public:
  static base::Result<StepTime> make(const ModelShape& shape, const Accelerator& accelerator,
                                     const Layout& layout, const StepConstants& constants = {});
  double step_s(const Step& step) const;
  // One token for each of `sequences` live sequences at a mean context.
  double decode_s(double sequences, double context_tokens) const;
  // `new_tokens` of one prompt behind `cached_tokens` that are in the cache; chunks of 8,192.
  double prefill_s(double new_tokens, double cached_tokens) const;

  double weights_bytes_per_gpu() const;
  // Bytes of cache per GPU that one sequence of this length takes.
  double cache_bytes_per_gpu(double context_tokens) const;
  // Bytes per GPU that are left for the cache; negative: the weights do not fit.
  double cache_budget_per_gpu() const;
  // How many sequences of this length fit in the replica, whole; 0 when none.
  double sequences_max(double context_tokens) const;
  const Layout& layout() const { return layout_; }
  const ModelShape& shape() const { return shape_; }

 private:
  StepTime() = default;
  double weight_bytes_read(double tokens) const;  // per GPU
  double cache_shards() const;
  double fixed_shards() const;
  double communication_s(double tokens) const;
  ModelShape shape_;
  Layout layout_;
  StepConstants constants_;
  double peak_flops_ = 0, bf16_flops_ = 0, bandwidth_ = 0, link_ = 0, memory_ = 0;
  double collective_s_ = 0;
};

}  // namespace fh::planner
