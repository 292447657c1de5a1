// run_worker: the two loops of a session; see worker_loop.h.
#include "engine/worker/worker_loop.h"

#include <unistd.h>

#include <memory>
#include <thread>
#include <utility>

#include "engine/protocol/messages.h"
#include "engine/worker/session.h"

namespace fh::engine {

base::Status run_worker(int fd, Engine& engine, const WorkerOptions& options) {
  const auto session = std::make_shared<worker::Session>(fd, engine, options);
  session->send(protocol::FrameType::Hello, 0,
                protocol::write_hello({protocol::kVersion, ::getpid(), options.lock}));
  std::thread writer([session] { session->write_loop(); });
  session->close(session->read_loop());
  writer.join();
  session->cancel_all();
  return session->reason();
}

}  // namespace fh::engine
