#pragma once
// The control protocol between gateway and supervisor: which workers should run, and what became of
// them. Messages are described in docs/formats/control-protocol.md. The supervisor trusts no
// message: a gateway that a request has taken over can ask for workers on models that are in the
// store, and for nothing else; it can name no path and no program.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/os/channel.h"
#include "base/os/fd.h"
#include "base/result.h"

namespace fh::cli {

inline constexpr std::uint16_t kControlVersion = 1;
inline constexpr std::size_t kControlBytesMax = 8 * 1024;
inline constexpr std::uint32_t kNotRetried = UINT32_MAX;

// Gateway to supervisor: a worker for this model should run, with these settings, from now on. A
// worker of that model that runs with other settings is replaced.
struct StartWorker {
  std::string model_id;     // [A-Za-z0-9._:/@+-], 1 to 128
  std::string blob_sha256;  // 64 lower-case hexadecimal digits: names the file in the model store
  std::uint32_t context_tokens = 0;
  std::uint32_t sequences = 0;
  std::uint32_t threads = 0;
  // "--name=value" with name [a-z-] and value [A-Za-z0-9._,-], at most 16 of at most 128 bytes; the
  // names that the supervisor sets itself are refused.
  std::vector<std::string> flags;
  bool operator==(const StartWorker&) const = default;
};
// Gateway to supervisor: it should not.
struct StopWorker {
  std::string model_id;
  bool operator==(const StopWorker&) const = default;
};
// Gateway to supervisor: requests are being served.
struct GatewayReady {
  bool operator==(const GatewayReady&) const = default;
};
// Gateway to supervisor: it cannot start and ends; why, for the person at the terminal.
struct GatewayFailed {
  std::uint16_t code = 0;     // a base::Code
  std::string message, hint;  // printable, at most 1,024 bytes each
  bool operator==(const GatewayFailed&) const = default;
};
// Gateway to supervisor: its event loop answers a Ping.
struct Pong {
  bool operator==(const Pong&) const = default;
};
// Supervisor to gateway, with the gateway's end of the worker's stream socket as the one
// descriptor.
struct WorkerStarted {
  std::string model_id;
  std::uint32_t pid = 0;
  std::uint32_t generation = 0;  // counts the starts for this model, from 1
  bool operator==(const WorkerStarted&) const = default;
};
// Supervisor to gateway: it has ended, or could not be started.
struct WorkerExited {
  std::string model_id;
  std::uint32_t generation = 0;          // of the one that ended; 0: none was started
  std::string description;               // "killed by signal 6 (SIGABRT)"; at most 512 bytes
  std::uint32_t retry_ms = kNotRetried;  // until the next start
  bool operator==(const WorkerExited&) const = default;
};
// Supervisor to gateway: take no new work, finish what runs, exit with 0; killed after the limit.
struct Drain {
  std::uint32_t limit_ms = 0;
  bool operator==(const Drain&) const = default;
};
// Supervisor to gateway: does the event loop still turn?
struct Ping {
  bool operator==(const Ping&) const = default;
};

using ControlMessage = std::variant<StartWorker, StopWorker, GatewayReady, GatewayFailed, Pong,
                                    WorkerStarted, WorkerExited, Drain, Ping>;

// InvalidArgument when a field is outside its bounds. Both check the same bounds.
base::Result<std::string> encode_control(const ControlMessage& message);
base::Result<ControlMessage> decode_control(std::string_view bytes);
// The message for an error: what is longer than a field is cut, what is not printable is a blank.
GatewayFailed gateway_failed(const base::Error& error);

// The gateway's side. Methods from any thread; they do not wait for the supervisor's answer, which
// comes as a callback on the client's own thread.
class ControlClient {
  struct Key {};  // only start() makes one

 public:
  struct Callbacks {
    std::function<void(WorkerStarted, base::os::Fd worker)> on_worker_started;
    std::function<void(WorkerExited)> on_worker_exited;
    std::function<void(Drain)> on_drain;
    std::function<void()> on_ping;  // has the event loop call pong()
    // Once, last: the supervisor is gone or does not keep to the protocol. The kernel ends the
    // gateway with its supervisor in any case; this is for the log.
    std::function<void(base::Status)> on_lost;
  };

  // `socket`: the gateway's descriptor 3.
  static base::Result<std::unique_ptr<ControlClient>> start(base::os::Fd socket,
                                                            Callbacks callbacks);
  ControlClient(Key, base::os::Fd socket, Callbacks callbacks);
  base::Status start_worker(const StartWorker& request);
  base::Status stop_worker(const std::string& model_id);
  base::Status ready();
  base::Status pong();

 private:
  base::Status send(const ControlMessage& message);
  void receive(base::os::Message message);
  void lose(base::Status why);

  base::os::Fd socket_;
  Callbacks callbacks_;
  bool lost_ = false;  // reader's thread
  std::unique_ptr<base::os::MessageReader>
      reader_;  // last: its thread ends before the rest is destroyed
};

}  // namespace fh::cli
