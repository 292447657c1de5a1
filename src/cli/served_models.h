#pragma once
// The models this server serves and the workers behind them: from the registry (or the scripted
// engine of the tests), each an engine::RemoteEngine that outlives its workers. Tells the
// supervisor when a worker is wanted. A model that is imported while the server runs joins the
// others. Callbacks of the control connection come from its thread; everything here is safe for
// that.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/os/fd.h"
#include "base/result.h"
#include "cli/config.h"
#include "cli/control.h"
#include "engine/remote/remote_engine.h"
#include "gateway/directory.h"
#include "net/runtime.h"
#include "registry/registry.h"

namespace fh::cli {

class ServedModels {
 public:
  // `config` and the others outlive the object.
  static base::Result<std::unique_ptr<ServedModels>> open(const Config& config,
                                                          const base::Clock& clock,
                                                          engine::Scheduler& scheduler,
                                                          net::Runtime& loop);
  // For the gateway's directory; the engines stay here.
  std::vector<gateway::ServedModel> directory_entries() const;
  // Starts a worker for every model that memory has room for, the default first; the others start
  // on first use. `control` outlives this object's use of it.
  void start_workers(ControlClient& control);

  // Models that have come into the registry since: read on any thread, served from the loop thread,
  // after start_workers.
  struct Entry {
    gateway::ServedModel served;
    StartWorker start;
    std::uint64_t memory_bytes = 0;
    std::optional<base::Error> broken;  // cannot be used: named in the list, never started
    std::unique_ptr<engine::RemoteEngine> engine;
  };
  base::Result<std::vector<Entry>> find_new() const;
  // What the directory must learn; a model that is served already is passed over.
  std::vector<gateway::ServedModel> serve(std::vector<Entry> found);
  void worker_started(const WorkerStarted& started, base::os::Fd worker);
  void worker_exited(const WorkerExited& exited);
  // Lock level that the running workers report.
  std::string worker_lock() const;

 private:
  ServedModels(const Config& config, const base::Clock& clock, engine::Scheduler& scheduler,
               net::Runtime& loop)
      : config_(config), clock_(clock), scheduler_(scheduler), loop_(loop) {}
  void add_scripted();
  base::Status add_registered();
  base::Result<Entry> entry_of(const registry::Registry& store,
                               const registry::InstalledModel& model) const;
  Entry broken_entry(const registry::InstalledModel& model, std::string why) const;
  std::vector<Entry> entries_of(const registry::Registry& store,
                                const registry::Listing& listing) const;
  Entry& add(Entry entry);
  void connect(Entry& entry);
  Entry* find(const std::string& model) const;
  bool has_default() const;

  const Config& config_;
  const base::Clock& clock_;
  engine::Scheduler& scheduler_;
  net::Runtime& loop_;
  ControlClient* control_ = nullptr;
  std::uint64_t taken_bytes_ = 0;  // memory of the models whose workers were started ahead of need
  mutable std::mutex mutex_;       // guards the list; an entry never moves nor goes
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace fh::cli
