// The contract of engine.h, held by the scripted engine alone and behind the worker protocol.
#include "engine/engine_contract.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "engine/remote/remote_engine.h"
#include "engine/scheduler.h"
#include "engine/scripted/scripted_engine.h"
#include "engine/worker/worker_loop.h"
#include "net/runtime.h"

namespace fh::engine::testing {
namespace {

class OnVirtualTime final : public ContractSubject {
 public:
  Engine& engine() override { return engine_; }
  void work_until(const std::function<bool()>& done) override {
    while (!done() && !scheduler_.idle()) scheduler_.run_until_idle(1);
  }

 private:
  base::ManualClock clock_;
  ManualScheduler scheduler_{clock_};
  ScriptedEngine engine_{{}, scheduler_};
};

class OnAThread final : public ContractSubject {
 public:
  Engine& engine() override { return engine_; }
  void work_until(const std::function<bool()>& done) override { wait_until(done); }

 private:
  ThreadScheduler scheduler_;
  ScriptedEngine engine_{{}, scheduler_};
};

RemoteOptions remote_options(net::Runtime* runtime) {
  RemoteOptions options;
  options.info.id = "far";
  options.runtime = runtime;
  return options;
}

class BehindTheProtocol : public ContractSubject {
 public:
  explicit BehindTheProtocol(net::Runtime* runtime = nullptr)
      : engine_(std::make_unique<RemoteEngine>(remote_options(runtime), scheduler_)) {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
    WorkerOptions worker;
    if (runtime != nullptr) worker.scheduler = &scheduler_;  // as in a worker's process
    worker_ = std::thread([this, fd = fds[1], worker] {
      EXPECT_TRUE(run_worker(fd, inner_, worker));
      ::close(fd);
    });
    EXPECT_TRUE(engine_->attach(fds[0], 1));
  }
  ~BehindTheProtocol() override { end(); }
  Engine& engine() override { return *engine_; }
  void work_until(const std::function<bool()>& done) override { wait_until(done); }

 private:
  ThreadScheduler scheduler_;
  ScriptedEngine inner_{{}, scheduler_};
  std::unique_ptr<RemoteEngine> engine_;
  std::thread worker_;

 protected:
  void end() {
    engine_.reset();
    if (worker_.joinable()) worker_.join();
  }
};

// The same with the worker's socket read by an event loop, as in the gateway.
class Loop {
 public:
  net::Runtime runtime{static_cast<base::Clock&>(clock_)};
  ~Loop() { stop(); }
  void stop() {
    runtime.stop();
    if (thread_.joinable()) thread_.join();
  }

 private:
  base::SystemClock clock_;
  std::thread thread_{[this] {
    runtime.run();
    runtime.abandon();
  }};
};

class InALoop final : Loop, public BehindTheProtocol {
 public:
  InALoop() : BehindTheProtocol(&runtime) {}
  ~InALoop() override {
    stop();
    end();
  }
};

template <typename T>
ContractCase subject(const char* name) {
  return {name, [] { return std::make_unique<T>(); }};
}

INSTANTIATE_TEST_SUITE_P(Engines, EngineContract,
                         ::testing::Values(subject<OnVirtualTime>("ScriptedOnVirtualTime"),
                                           subject<OnAThread>("ScriptedOnAThread"),
                                           subject<InALoop>("ScriptedBehindTheProtocolInALoop"),
                                           subject<BehindTheProtocol>("RemoteScripted")),
                         case_name);

}  // namespace
}  // namespace fh::engine::testing
