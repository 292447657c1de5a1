#pragma once
// The llama.cpp engine in this process: the scheduler, the shared KV pool and the parked prefixes
// of engine/llama behind the Engine interface. In production a worker process of its own holds it;
// that process may die, this class may not be wrong.
//
// Loading: the vocabulary first (fractions of a second), so that prepare() answers while the
// weights still load; started requests wait for them. Promises about repeating: see kv_pool.h. A
// request without a seed gets one from the random source. Threads: one that loads and then runs the
// model, one that prepares requests, a few that sample. Callbacks come from the first two. The
// destructor waits for the step that is being computed and answers what is left.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "engine/engine.h"
#include "engine/llama/probe.h"

namespace fh::engine::llama {

struct LlamaOptions {
  std::string model_path;
  std::string model_id;  // name clients use
  std::uint32_t context_tokens =
      0;  // of one request; 0 = what the model was trained for, bounded by kv_bytes_max
  std::uint32_t sequences_max = 8;  // requests running at once, 1 .. 64
  std::uint32_t threads = 0;        // 0 = the cores this process may use
  bool adapt_threads = true;        // fewer threads while others use the cores (thread_governor.h)
  std::uint32_t queue_max = 64;     // prepared or started requests that are not running yet
  // Reuse ends at multiples of this (kv_pool.h). A multiple of 32; with fewer than 64 the CPU
  // backend computes attention by row, which is slower.
  std::uint32_t chunk_tokens = 64;
  std::uint32_t models = 1;        // served on this machine, each with a share of the next two
  std::uint64_t kv_bytes_max = 0;  // KV pool; 0 = a share of an eighth of the machine's memory
  std::uint64_t parked_bytes_max = kDefaultParked;  // prefixes parked in RAM; 0 = none
  std::uint32_t step_tokens_max =
      512;  // prefill of one step, and so how long a cancel waits, when nothing else runs
  std::uint32_t output_reserve =
      256;  // output that admission keeps room for; what is beyond may have to wait
  double step_ns_max = 1e9;  // of a step without answers: who comes meanwhile waits
  double latency_factor =
      2.5;  // inter-token latency that prefill of others may cause (step_budget.h)
  // When the model's chat template does not come to an end (template_limits.h); without one the
  // process ends, which in a worker is what helps.
  std::function<void()> on_stuck_template;
  std::function<void(const StepReport&)> on_step;  // for tests and benchmarks; on the engine thread

  static constexpr std::uint64_t kDefaultParked =
      ~std::uint64_t{0};  // a share of an eighth of the machine's memory
};

// What one of `models` gets of an eighth of `memory_bytes`, for its KV pool and again for what it
// parks; at least 256 MiB.
std::uint64_t memory_share(std::uint64_t memory_bytes, std::uint32_t models);

class LlamaEngine final : public Engine {
 public:
  struct Deps {
    base::Random& random;
    const base::Clock& clock;
  };
  // Returns at once, in state Starting; errors in the options are InvalidArgument, errors of the
  // model show in info().
  static base::Result<std::unique_ptr<LlamaEngine>> create(LlamaOptions options, Deps deps);
  ~LlamaEngine() override;

  ModelInfo info() const override;
  EngineStatus status() const override;
  Ticket prepare(PrepareRequest request, PrepareFn done) override;
  void start(Ticket ticket, EventFn on_event) override;
  void cancel(Ticket ticket) override;

  // Waits until loading has ended, well or not.
  ModelState wait_loaded() const;
  // Totals since start; null while loading.
  const Probe* probe() const;

 private:
  struct Impl;
  explicit LlamaEngine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fh::engine::llama
