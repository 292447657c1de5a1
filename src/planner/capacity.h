#pragma once
// What one machine can carry of one model: does it fit, how many live conversations, how fast, and
// how many requests per second within the targets. Behind an interface, because the datasheet
// estimate is the first and widest of several ways to know.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "planner/catalogue.h"
#include "planner/profile.h"
#include "planner/step_time.h"

namespace fh::planner {

enum class Accuracy : std::uint8_t { Datasheet, Calibrated, Measured };
std::string_view accuracy_text(Accuracy accuracy);  // "datasheet, ±35 %"
double accuracy_band(Accuracy accuracy);            // 0.35, 0.10, 0

// One request of the workload. Token counts are the replacement's own.
struct RequestShape {
  double prompt_mean = 0, prompt_p50 = 0, prompt_p95 = 0;
  double output_mean = 0;
  double prefix_reuse_share = 0;  // of the prompt, already in the cache; [0, 1)
  double prompt_p95_new = 0;      // of a long prompt, not in the cache; 0: as much of it as usual
  double gap_cv = 1;              // variation of the gaps between arrivals; 1: Poisson
};
// From measured lengths; where only buckets exist, p50 = mean and p95 = 2.2 means, or the longest
// prompt that there can be.
// FailedPrecondition when the requests of the workload are not known at all.
base::Result<RequestShape> request_shape_of(const WorkloadLoad& workload);

struct Targets {
  double ttft_p95_ms = 5'000;
  double tpot_ms = 50;
};

// Whether a serving engine runs weights of this format on this card, natively or unpacked as it
// reads them. NVFP4 is NVIDIA's: before Blackwell it is unpacked, other makers only emulate it.
// FP8 needs a card with FP8 products or NVIDIA's weight-only kernels, MXFP8 the block scales that
// came with FP4 products. Integers, MXFP4 and GGUF are unpacked everywhere.
bool runs(const Accelerator& card, std::string_view precision);

struct CapacityQuery {
  const Model* model = nullptr;  // never null
  // Of the weights; empty: of those with `weight_bits` or more the one that serves best. So more
  // cards never lose to fewer that hold a smaller format, and a tighter target never gains by one.
  std::string precision;
  // 8 bits lose next to nothing. Where the card runs none so fine of this model: the finest.
  double weight_bits = 8;
  const Accelerator* accelerator = nullptr;  // never null
  int gpus = 1;                              // of the machine
  RequestShape request;
  Targets targets;
  double requests_per_s = 0;  // load of this machine, for ttft and tpot
  double kv_element_bytes = 2;
  bool attention_data_parallel = false;  // allow layouts that shard an MLA cache this way
};

struct CapacityAnswer {
  Accuracy accuracy = Accuracy::Datasheet;
  bool fits = false;           // memory holds the weights and at least one p95 conversation
  bool meets_targets = false;  // of one request alone; false: no load meets them
  std::string why_not;         // empty when both hold
  std::string precision;
  Layout layout;
  int replicas = 0;  // of `layout` in the machine

  double weights_bytes = 0;                   // of one replica
  double cache_bytes = 0;                     // left for caches, whole machine
  double sessions_p50 = 0, sessions_p95 = 0;  // live conversations of that length, whole machine
  double prefill_tok_s = 0;        // new prompt tokens, whole machine, nothing else running
  double decode_tok_s_single = 0;  // one conversation alone

  // The most load that meets the targets (whole machine); the limit that binds.
  double requests_per_s_max = 0;
  double concurrency_max = 0;
  double processed_tok_s_max = 0;  // prompt (cached too) + output
  std::string bound_by;            // "memory", "TPOT", "TTFT", "utilisation"

  // At query.requests_per_s; infinite when the load is above what the machine can do.
  double concurrency = 0, tpot_ms = 0, ttft_p95_ms = 0, utilisation = 0;
};

class CapacityModel {
 public:
  virtual ~CapacityModel() = default;
  // InvalidArgument when the query makes no sense, FailedPrecondition when a fact is not
  // established or the card runs none of the model's formats. A model that does not fit is an
  // answer, not an error.
  virtual base::Result<CapacityAnswer> evaluate(const CapacityQuery& query) const = 0;
};

// step_time.h with constants from the sheet. Tries every layout of the machine (tensor parallel 1,
// 2, 4, 8, ... with as many replicas as there is room for) and takes the one that carries most.
// Closed loop of continuous batching: TPOT(c) = T_decode(c) + T_prefill c / output; requests per
// second = c / (output TPOT(c)). Prompts wait as in a single-server queue (Kingman), p95 of the
// wait taken as three times its mean.
class DatasheetCapacity : public CapacityModel {
 public:
  explicit DatasheetCapacity(StepConstants constants = {}) : constants_(constants) {}
  base::Result<CapacityAnswer> evaluate(const CapacityQuery& query) const override;

 private:
  void tell_smaller(CapacityQuery query, CapacityAnswer& answer) const;
  StepConstants constants_;
};

}  // namespace fh::planner
