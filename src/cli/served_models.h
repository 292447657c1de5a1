#pragma once
// The models this server serves and the workers behind them: from the registry (or the scripted
// engine of the tests), each an engine::RemoteEngine that outlives its workers. Tells the
// supervisor when a worker is wanted. Callbacks of the control connection come from its thread;
// everything here is safe for that.

#include <map>
#include <memory>
#include <mutex>
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

namespace fh::cli {

class ServedModels {
 public:
  static base::Result<std::unique_ptr<ServedModels>> open(const Config& config,
                                                          const base::Clock& clock,
                                                          engine::Scheduler& scheduler,
                                                          net::Runtime& loop);
  // For the gateway's directory; the engines stay here.
  std::vector<gateway::ServedModel> directory_entries() const;
  // Starts a worker for every model that memory has room for, the default first; the others start
  // on first use.
  void start_workers(ControlClient& control);
  void worker_started(const WorkerStarted& started, base::os::Fd worker);
  void worker_exited(const WorkerExited& exited);
  // Lock level that the running workers report.
  std::string worker_lock() const;

 private:
  struct Entry {
    gateway::ServedModel served;
    StartWorker start;
    std::uint64_t memory_bytes = 0;
    std::unique_ptr<engine::RemoteEngine> engine;
  };
  ServedModels() = default;
  base::Status add_scripted(const Config& config, engine::Scheduler& scheduler, net::Runtime& loop);
  base::Status add_registered(const Config& config, const base::Clock& clock,
                              engine::Scheduler& scheduler, net::Runtime& loop);
  void add(Entry entry, engine::Scheduler& scheduler, net::Runtime& loop);
  Entry* find(const std::string& model);

  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace fh::cli
