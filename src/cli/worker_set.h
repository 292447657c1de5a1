#pragma once
// WorkerSet: the supervisor's half that keeps workers: which models should have one, which run,
// when the dead ones start again. One thread. supervisor.cc drives it from its loop.

#include <poll.h>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/os/spawner.h"
#include "cli/backoff.h"
#include "cli/control.h"
#include "cli/supervisor.h"

namespace fh::cli {

class WorkerSet {
 public:
  // Tells the gateway; the descriptors stay the caller's.
  using Tell = std::function<void(const ControlMessage&, std::span<const int> fds)>;

  // All arguments outlive the set.
  WorkerSet(const base::os::Spawner& spawner, const SupervisorOptions& options, Tell tell);

  void want(const StartWorker& request);
  void unwant(const std::string& model_id);
  // No worker starts any more; those that run go on.
  void start_no_more() { starts_ = false; }

  // For the loop: descriptors to poll for reading, when to call tick() at the latest, and the call
  // itself.
  void add_polls(std::vector<pollfd>& polls) const;
  std::optional<base::TimePoint> next_due() const;
  void tick();

  // The gateway is gone, and with it every request: all are killed, none is wanted. Back-offs are
  // kept.
  void forget_all();
  // Asks all to end, waits for the stop limit together, kills the rest.
  void end_all();

 private:
  struct Worker {
    explicit Worker(BackoffLimits limits) : backoff(limits) {}
    StartWorker request;
    bool wanted = false;
    base::os::ChildProcess process;
    base::TimePoint started;
    std::optional<base::TimePoint> start_at;  // wanted and not running
    std::optional<base::TimePoint> kill_at;   // asked to end
    std::uint32_t generation = 0;
    Backoff backoff;
  };

  Worker* find_or_add(const std::string& model_id);
  void start(Worker& worker);
  base::Result<base::os::Fd> spawn(Worker& worker);
  void ask_to_end(Worker& worker) const;
  void reap(Worker& worker);
  void refuse(const std::string& model_id, std::string why);

  const base::os::Spawner& spawner_;
  const SupervisorOptions& options_;
  Tell tell_;
  bool starts_ = true;
  base::SystemClock clock_;
  std::map<std::string, Worker> workers_;
};

}  // namespace fh::cli
