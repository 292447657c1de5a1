// See capacity.h. All quantities of one replica grow with its concurrency c (time per token, time
// to first token, requests per second), so that every limit is found by halving an interval.

#include "planner/capacity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

namespace fh::planner {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kUtilisationMax = 0.8;   // of the saturated rate: queues explode beyond
constexpr double kTailOfWait = 3.0;       // p95 / mean of an exponential wait: -ln 0.05
constexpr double kConcurrencyMax = 8192;  // what engines are configured for at most
// Bursts beyond this are a matter for a simulation of the trace itself.
constexpr double kGapCvMax = 4;
constexpr int kHalvings = 60;
constexpr double kBitsLeast = 4;  // of weights that anybody serves

// Weight formats that servers and llama.cpp run, with their nominal bits: what a format loses, not
// what its files weigh. Of formats that are equally fast the first one is told.
struct Format {
  std::string_view name;
  int bits;
};
constexpr Format kServed[] = {{"fp8", 8},  {"mxfp8", 8}, {"fp8-text-only", 8},
                              {"int8", 8}, {"bf16", 16}, {"fp4+fp8", 4},
                              {"int4", 4}, {"nvfp4", 4}, {"mxfp4", 4}};
constexpr Format kGguf[] = {{"q8_0-gguf", 8},    {"q8_k_xl-gguf", 8}, {"q5_k_xl-gguf", 5},
                            {"q4_k_m-gguf", 4},  {"q4-gguf", 4},      {"qat-q4-gguf", 4},
                            {"qat-q4_0-gguf", 4}};

bool is_fp4(const Format& format) {
  return format.name == "nvfp4" || format.name == "mxfp4";
}

// A card that runs nothing so fine of this model runs the finest there is.
double bits_wanted(const Model& model, const Accelerator& card, double bits) {
  int finest = 0;
  const auto look = [&](const Format& one) {
    if (model.weights_at(one.name) != nullptr && runs(card, one.name))
      finest = std::max(finest, one.bits);
  };
  std::ranges::for_each(kServed, look);
  std::ranges::for_each(kGguf, look);
  return std::min<double>(bits, finest);
}

// The formats to look at, whatever the number of cards and the targets: were the choice to hang on
// either, more cards could be slower for taking a finer one, and a tighter target cheaper for
// taking a smaller one. Servers take a GGUF only where there is nothing else; without FP4 products
// a 4-bit float is only unpacked, so integers, which many makers train for, stand for it.
std::vector<std::string_view> formats_of(const Model& model, const Accelerator& card,
                                         double bits_least, std::string& left_out) {
  const double bits = bits_wanted(model, card, bits_least);
  std::vector<std::string_view> out;
  const auto add = [&](const Format& format) {
    if (format.bits < bits || model.weights_at(format.name) == nullptr) return;
    if (runs(card, format.name)) {
      out.push_back(format.name);
    } else {
      left_out += fmt::format("{}{}", left_out.empty() ? "" : ", ", format.name);
    }
  };
  const bool integers = !card.fp4_flops && model.weights_at("int4") != nullptr;
  for (const Format& format : kServed) {
    if (!integers || !is_fp4(format)) add(format);
  }
  const bool llama_cpp = card.accelerator_class == AcceleratorClass::Unified ||
                         card.accelerator_class == AcceleratorClass::Laptop;
  if (llama_cpp || out.empty()) {
    for (const Format& format : kGguf) add(format);
  }
  return out;
}

// The load curve of one replica.
class Replica {
 public:
  Replica(StepTime time, const RequestShape& request) : time_(std::move(time)), request_(request) {
    const double reuse = request.prefix_reuse_share;
    prefill_mean_s_ =
        time_.prefill_s(request.prompt_mean * (1 - reuse), request.prompt_mean * reuse);
    const double fresh = request.prompt_p95_new > 0
                             ? std::min(request.prompt_p95_new, request.prompt_p95)
                             : request.prompt_p95 * (1 - reuse);
    prefill_p95_s_ = time_.prefill_s(fresh, request.prompt_p95 - fresh);
    context_ = request.prompt_mean + request.output_mean / 2;
    c_memory_ = std::min(time_.sequences_max(context_), kConcurrencyMax);
  }
  const StepTime& time() const { return time_; }
  double c_memory() const { return c_memory_; }
  double prefill_mean_s() const { return prefill_mean_s_; }
  double decode_s(double c) const { return time_.decode_s(c, context_); }
  double tpot_s(double c) const { return decode_s(c) + prefill_mean_s_ * c / request_.output_mean; }
  double rate(double c) const { return c / (request_.output_mean * tpot_s(c)); }
  double ttft_p95_s(double c) const {
    const double busy = std::min(rate(c) * prefill_mean_s_, 1 - 1e-9);
    const double ca = std::min(request_.gap_cv, kGapCvMax);
    const double variation = (ca * ca + 1) / 2;
    const double wait = busy / (1 - busy) * variation * prefill_mean_s_;
    return prefill_p95_s_ + decode_s(c) + kTailOfWait * wait;
  }
  // The largest c in (0, c_memory] for which `holds`; 0 when not even the smallest does.
  template <typename F>
  double largest(const F& holds) const {
    if (holds(c_memory_)) return c_memory_;
    double low = 0, high = c_memory_;
    for (int i = 0; i < kHalvings; ++i) {
      const double middle = (low + high) / 2;
      (holds(middle) ? low : high) = middle;
    }
    return low;
  }

 private:
  StepTime time_;
  RequestShape request_;
  double prefill_mean_s_ = 0, prefill_p95_s_ = 0, context_ = 0, c_memory_ = 0;
};

// Rounding of a bisection must not make a limit that holds at zero load look missed.
constexpr double kConcurrencyMin = 1e-6;

void limit_load(const Replica& replica, const Targets& targets, CapacityAnswer& a) {
  const double c_tpot =
      replica.largest([&](double c) { return replica.tpot_s(c) * 1e3 <= targets.tpot_ms; });
  const double c_ttft =
      replica.largest([&](double c) { return replica.ttft_p95_s(c) * 1e3 <= targets.ttft_p95_ms; });
  const double saturated = replica.rate(replica.c_memory());
  const double c_busy =
      replica.largest([&](double c) { return replica.rate(c) <= kUtilisationMax * saturated; });
  double c = c_busy;
  a.bound_by = c_busy < replica.c_memory() ? "utilisation" : "memory";
  if (c_tpot < c) {
    c = c_tpot;
    a.bound_by = "TPOT";
  }
  if (c_ttft < c) {
    c = c_ttft;
    a.bound_by = "TTFT";
  }
  a.meets_targets = c > kConcurrencyMin;
  if (!a.meets_targets) {
    c = 0;
    a.why_not = fmt::format("one request alone misses the target for {}: {:.0f} ms", a.bound_by,
                            1e3 * (a.bound_by == "TPOT" ? replica.tpot_s(kConcurrencyMin)
                                                        : replica.ttft_p95_s(kConcurrencyMin)));
  }
  a.concurrency_max = c * a.replicas;
  a.requests_per_s_max = c > 0 ? replica.rate(c) * a.replicas : 0;
}

void apply_load(const Replica& replica, double requests_per_s, CapacityAnswer& a) {
  const double each = requests_per_s / a.replicas;
  const double saturated = replica.rate(replica.c_memory());
  a.utilisation = each / saturated;
  if (each > saturated) {
    a.concurrency = a.tpot_ms = a.ttft_p95_ms = kInfinite;
    return;
  }
  const double c = replica.largest([&](double x) { return replica.rate(x) <= each; });
  a.concurrency = c * a.replicas;
  a.tpot_ms = replica.tpot_s(c) * 1e3;
  a.ttft_p95_ms = replica.ttft_p95_s(c) * 1e3;
}

CapacityAnswer answer_of(const Replica& replica, const CapacityQuery& query, int replicas) {
  const StepTime& t = replica.time();
  const RequestShape& r = query.request;
  CapacityAnswer a;
  a.precision = t.shape().precision;
  a.layout = t.layout();
  a.replicas = replicas;
  const double gpus = t.layout().tensor_parallel;
  a.weights_bytes = t.weights_bytes_per_gpu() * gpus;
  a.cache_bytes = std::max(t.cache_budget_per_gpu(), 0.0) * gpus * replicas;
  a.sessions_p50 = t.sequences_max(r.prompt_p50 + r.output_mean) * replicas;
  a.sessions_p95 = t.sequences_max(r.prompt_p95 + r.output_mean) * replicas;
  if (t.cache_budget_per_gpu() <= 0) {
    a.why_not = fmt::format("{:.0f} GB of {} weights do not fit in the memory",
                            a.weights_bytes / 1e9, a.precision);
    return a;
  }
  const double context_max = t.shape().context_tokens;
  if (context_max > 0 && r.prompt_p95 + r.output_mean > context_max) {
    a.why_not = fmt::format("its context of {:.0f} tokens is too short for the 95th percentile",
                            context_max);
    return a;
  }
  if (a.sessions_p95 < replicas) {
    a.why_not = "beside the weights there is no room for one long conversation";
    return a;
  }
  a.fits = true;
  a.prefill_tok_s =
      r.prompt_mean * (1 - r.prefix_reuse_share) / replica.prefill_mean_s() * replicas;
  a.decode_tok_s_single = 1 / replica.decode_s(1);
  limit_load(replica, query.targets, a);
  a.processed_tok_s_max = a.requests_per_s_max * (r.prompt_mean + r.output_mean);
  apply_load(replica, query.requests_per_s, a);
  return a;
}

// Which of two answers serves the query better.
bool better(const CapacityAnswer& a, const CapacityAnswer& b, double load) {
  if (a.fits != b.fits) return a.fits;
  if (!a.fits) {  // then the nearest miss is told
    if (a.cache_bytes != b.cache_bytes) return a.cache_bytes > b.cache_bytes;
    return a.weights_bytes < b.weights_bytes;
  }
  const bool a_carries = a.meets_targets && load > 0 && a.requests_per_s_max >= load;
  const bool b_carries = b.meets_targets && load > 0 && b.requests_per_s_max >= load;
  if (a_carries != b_carries) return a_carries;
  if (a_carries) return a.tpot_ms < b.tpot_ms;
  return a.requests_per_s_max > b.requests_per_s_max;
}

std::vector<Layout> layouts_of(const CapacityQuery& query, bool replicated_cache) {
  std::vector<Layout> out;
  const int most = std::min(query.gpus, query.accelerator->link_domain_gpus > 1
                                            ? query.accelerator->link_domain_gpus
                                            : query.gpus);
  for (int tp = 1; tp <= most; tp *= 2) {
    if (tp > 1 && query.accelerator->link_bytes_s <= 0) break;
    out.push_back({tp, 1, 1});
    if (tp > 1 && query.attention_data_parallel && replicated_cache) out.push_back({tp, tp, tp});
  }
  return out;
}

base::Status check(const CapacityQuery& q) {
  if (q.model == nullptr || q.accelerator == nullptr)
    return base::fail(base::Code::InvalidArgument, "a model and an accelerator are needed");
  if (q.gpus < 1 || q.gpus > 4096) return base::fail_field("gpus", "between 1 and 4096");
  const RequestShape& r = q.request;
  const bool numbers = std::isfinite(r.prompt_mean) && std::isfinite(r.prompt_p95) &&
                       std::isfinite(r.output_mean) && std::isfinite(q.requests_per_s);
  if (!numbers || r.prompt_mean < 1 || r.output_mean < 1 || r.prompt_p95 < 1 ||
      r.prompt_p95 > 1e8 || r.output_mean > 1e8 || q.requests_per_s < 0 ||
      !(r.prompt_p95_new >= 0)) {
    return base::fail_field("request", "prompt and output are at least one token each");
  }
  if (!(r.prefix_reuse_share >= 0 && r.prefix_reuse_share < 1) || !(r.gap_cv >= 0)) {
    return base::fail_field("request", "reuse is a share below 1, variation is not negative");
  }
  if (!(q.targets.tpot_ms > 0) || !(q.targets.ttft_p95_ms > 0))
    return base::fail_field("targets", "targets are above 0 ms");
  return {};
}

base::Result<CapacityAnswer> best_layout(const CapacityQuery& query, const ModelShape& shape,
                                         const StepConstants& constants) {
  std::optional<CapacityAnswer> best;
  for (const Layout& layout : layouts_of(query, shape.kv_heads == 0)) {
    FH_TRY(StepTime time, StepTime::make(shape, *query.accelerator, layout, constants));
    const CapacityAnswer a = answer_of(Replica(std::move(time), query.request), query,
                                       query.gpus / layout.tensor_parallel);
    if (!best || better(a, *best, query.requests_per_s)) best = a;
  }
  return *best;  // one GPU is always a layout
}

std::unexpected<base::Error> cannot_run(const Model& model, const Accelerator& card,
                                        std::string_view formats) {
  return base::fail(
      base::Code::FailedPrecondition,
      fmt::format("{} does not run the weights of {} ({})", card.name, model.name, formats));
}

}  // namespace

bool runs(const Accelerator& card, std::string_view precision) {
  const bool nvidia = card.vendor == "nvidia";
  if (precision == "nvfp4") return nvidia;
  if (precision == "mxfp8") return card.fp4_flops.has_value();
  if (precision.find("fp8") != precision.npos) return nvidia || card.fp8_flops.has_value();
  return true;
}

std::string_view accuracy_text(Accuracy accuracy) {
  switch (accuracy) {
    case Accuracy::Datasheet: return "datasheet, ±35 %";
    case Accuracy::Calibrated: return "calibrated, ±10 %";
    case Accuracy::Measured: return "measured";
  }
  return "datasheet, ±35 %";
}

double accuracy_band(Accuracy accuracy) {
  switch (accuracy) {
    case Accuracy::Datasheet: return 0.35;
    case Accuracy::Calibrated: return 0.10;
    case Accuracy::Measured: return 0;
  }
  return 0.35;
}

base::Result<RequestShape> request_shape_of(const WorkloadLoad& w) {
  RequestShape r;
  r.prefix_reuse_share = std::min(w.prefix_reuse_share, 0.999);
  r.gap_cv = w.arrivals.gap_cv.value_or(1);
  if (w.lengths_measured) {
    r.prompt_mean = std::max(w.prompt_lengths.mean(), 1.0);
    r.prompt_p50 = std::max(w.prompt_lengths.quantile(0.5), 1.0);
    r.prompt_p95 = std::max(w.prompt_lengths.quantile(0.95), 1.0);
    r.output_mean = std::max(w.output_lengths.mean(), 1.0);
    return r;
  }
  if (w.prompt_tokens_mean <= 0) {
    return base::fail(
        base::Code::FailedPrecondition,
        fmt::format("{}: how many requests its tokens belong to is not known", w.name),
        "state the mean prompt and output length of this workload");
  }
  r.prompt_mean = r.prompt_p50 = std::max(w.prompt_tokens_mean, 1.0);
  r.prompt_p95 = r.prompt_mean * 2.2;
  if (w.prompt_tokens_most > 0)
    r.prompt_p95 = std::max(r.prompt_mean, std::min(r.prompt_p95, w.prompt_tokens_most));
  r.output_mean = std::max(w.output_tokens_mean, 1.0);
  return r;
}

// Fewer bits may fit; whether they will do is not for a plan to say.
void DatasheetCapacity::tell_smaller(CapacityQuery query, CapacityAnswer& a) const {
  query.weight_bits = kBitsLeast;
  const auto smaller = evaluate(query);
  if (!smaller || !smaller->fits) return;
  a.why_not +=
      fmt::format(" ({:.0f} GB of {} would)", smaller->weights_bytes / 1e9, smaller->precision);
}

base::Result<CapacityAnswer> DatasheetCapacity::evaluate(const CapacityQuery& query) const {
  FH_TRY_VOID(check(query));
  const Model& model = *query.model;
  const Accelerator& card = *query.accelerator;
  if (!query.precision.empty()) {
    if (!runs(card, query.precision)) return cannot_run(model, card, query.precision);
    FH_TRY(const ModelShape shape, shape_of(model, query.precision, query.kv_element_bytes));
    return best_layout(query, shape, constants_);
  }
  std::optional<CapacityAnswer> best;
  std::string left_out;
  for (const std::string_view precision : formats_of(model, card, query.weight_bits, left_out)) {
    FH_TRY(const ModelShape shape, shape_of(model, precision, query.kv_element_bytes));
    FH_TRY(const CapacityAnswer a, best_layout(query, shape, constants_));
    if (!best || better(a, *best, query.requests_per_s)) best = a;
  }
  if (best && !best->fits && query.weight_bits > kBitsLeast) tell_smaller(query, *best);
  if (best) return *best;
  if (!left_out.empty()) return cannot_run(model, card, left_out);
  return base::fail(base::Code::FailedPrecondition,
                    fmt::format("{}: no size of its weights is established", model.name));
}

}  // namespace fh::planner
