#pragma once
// The supervisor role: it holds the listening sockets and the data directory's lock, starts the
// gateway and, at the gateway's request, one worker per model, and starts again what dies. It reads
// nothing that a client sent, so that there is always one process left that no request can have
// broken. Whatever kills it, the kernel ends the others.
//
//   gateway  `--role=gateway --listeners=N --data-dir=DIR` and the caller's arguments; descriptor
//            3 is the control socket (control.h), 4 to 3+N are the listeners. It locks itself
//            (base/os/sandbox.h). Exit code 0 ends the service, and so does 2, a configuration that
//            cannot be served; every other end is followed by a new start. One that has said that
//            it serves, and whose event loop then answers nothing, is killed.
//   worker   `--role=worker --model-file=DIR/models/blobs/<sha256>.gguf --model-id=… --context=…
//            --sequences=… --threads=…`, the flags of the request and the caller's arguments;
//            descriptor 3 is its stream socket, whose other end the gateway gets. Started again
//            with a back-off of its own until the gateway stops it or ends.
//
// SIGTERM or SIGINT: the listeners are closed here, the gateway is asked to drain and killed at the
// limit; a second signal kills at once. SIGHUP is ignored.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/backoff.h"
#include "cli/heartbeat.h"

namespace fh::cli {

struct SupervisorOptions {
  std::vector<std::string> listen;  // "host:port", at least one (base/os/listener.h)
  std::filesystem::path data_dir;   // made if missing, mode 0700
  std::vector<std::string> gateway_args;
  std::vector<std::string> worker_args;
  std::vector<std::string>
      environment;  // "NAME=value", for the gateway alone, which may need keys of upstreams
  std::vector<std::string> worker_environment;
  std::chrono::milliseconds drain_limit{600'000};
  // Signals that come this soon after the first are the same wish: timeout(1), for one, sends its
  // signal to the process and then to the whole group.
  std::chrono::milliseconds second_signal_after{200};
  std::chrono::milliseconds worker_stop_limit{2'000};  // between SIGTERM and SIGKILL
  std::uint32_t workers_max = 32;
  BackoffLimits backoff;
  HeartbeatLimits heartbeat;  // of the gateway's event loop
  // Called once when the ports are taken and before anything is started, with the addresses.
  std::function<void(const std::vector<std::string>&)> on_listening;
  // Called each time a gateway says that it serves.
  std::function<void()> on_ready;
};

// Runs in the calling thread, which must be the process's first and only one, until the service
// ends. Ok: ended on request. Errors: a start that cannot work (place, port, lock, folder), a
// gateway that refuses its configuration, or a drain that had to be cut short (DeadlineExceeded).
base::Status run_supervisor(const SupervisorOptions& options);

}  // namespace fh::cli
