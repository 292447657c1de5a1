#pragma once
// The scripted engine: an Engine without a model. It answers by rules from a text
// (docs/formats/engine-script.md) and behaves in every other respect as the llama engine does:
// queue, limits, cancellation, stop strings, tool choice, token counts, prefix reuse. Used by the
// tests, the simulation and the transcripts; never chosen by itself.
//
// Threads: callbacks come from the scheduler. Everything is deterministic given the order of calls.

#include <functional>
#include <memory>
#include <string>

#include "engine/engine.h"
#include "engine/scheduler.h"
#include "engine/scripted/script.h"

namespace fh::engine {

struct ScriptedOptions {
  std::string model_id = "scripted";
  scripted::Script script;
  std::function<void()> die;  // the action of that name; unset: std::abort
};

class ScriptedEngine final : public Engine {
 public:
  // `scheduler` outlives this object. After the destructor no callback begins; one may still be
  // running on the scheduler's thread.
  ScriptedEngine(ScriptedOptions options, Scheduler& scheduler);
  ~ScriptedEngine() override;
  ScriptedEngine(const ScriptedEngine&) = delete;
  ScriptedEngine& operator=(const ScriptedEngine&) = delete;

  ModelInfo info() const override;
  EngineStatus status() const override;
  Ticket prepare(PrepareRequest request, PrepareFn done) override;
  void start(Ticket ticket, EventFn on_event) override;
  void cancel(Ticket ticket) override;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace fh::engine
