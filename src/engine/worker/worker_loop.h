#pragma once
// The worker process's side of the worker protocol (docs/formats/worker-protocol.md): reads the
// gateway's frames, drives one Engine, writes its answers back. The process around it (model
// loading, locking itself in) belongs to the caller.
//
// Threads: frames are read on the calling thread; one more thread writes. Engine callbacks only add
// to the write queue and never wait: if the gateway stops reading until the queue is full, or for
// too long, the worker gives up. System calls after the start: poll, recvfrom, sendto, shutdown,
// those of malloc and of a thread's locks.

#include <cstddef>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "engine/engine.h"
#include "engine/scheduler.h"

namespace fh::engine {

struct WorkerOptions {
  std::string lock;  // told to the gateway in Hello, for people
  std::size_t backlog_max_bytes = 16 * 1024 * 1024;
  base::Duration stall_max = std::chrono::seconds(30);  // the gateway takes no byte
  base::Duration report_interval =
      std::chrono::milliseconds(250);  // of Status and Info, if they changed
  // That of the engine, if it has one: the reading thread lends itself to it for each frame.
  ThreadScheduler* scheduler = nullptr;
};

// `fd` is one end of a stream socketpair; the caller keeps it and closes it after the return.
// Returns when the gateway closes its end or asks for the end (ok), or when it breaks the protocol
// or stops reading (error). Every request that was not over has been cancelled then, and `engine`
// may be destroyed.
base::Status run_worker(int fd, Engine& engine, const WorkerOptions& options = {});

}  // namespace fh::engine
