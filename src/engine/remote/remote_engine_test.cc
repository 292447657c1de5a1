// The gateway's side and the worker's side of the protocol together: a worker in a thread, a worker
// in a child process that is killed, and a hand-made worker that breaks the rules.
#include "engine/remote/remote_engine.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "engine/protocol/frame.h"
#include "engine/protocol/messages.h"
#include "engine/scripted/scripted_engine.h"
#include "engine/test_support.h"
#include "engine/worker/worker_loop.h"

namespace fh::engine {
namespace {

namespace d = domain;
using protocol::FrameType;
using testing::ask;
using testing::Recorder;
using testing::wait_until;

std::array<int, 2> make_pair() {
  std::array<int, 2> fds{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
  return fds;
}

RemoteOptions options() {
  RemoteOptions out;
  out.info.id = "far";
  out.info.context_tokens = 777;
  return out;
}

ScriptedOptions script(std::string_view text) {
  ScriptedOptions out;
  auto parsed = scripted::parse_script(text);
  EXPECT_TRUE(parsed) << parsed.error().message;
  out.script = *std::move(parsed);
  return out;
}

// A worker with a scripted engine in a thread of this process.
class ThreadWorker {
 public:
  ThreadWorker(int fd, std::string_view text, WorkerOptions worker_options = {})
      : fd_(fd),
        engine_(script(text), scheduler_),
        thread_([this, worker_options] { result = run_worker(fd_, engine_, worker_options); }) {}
  ~ThreadWorker() {
    ::shutdown(fd_, SHUT_RDWR);
    join();
    ::close(fd_);
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  ScriptedEngine& engine() { return engine_; }
  base::Status result;

 private:
  int fd_;
  ThreadScheduler scheduler_;
  ScriptedEngine engine_;
  std::thread thread_;
};

// A worker, or a gateway, that says what the test says.
class HandMade {
 public:
  explicit HandMade(int fd, protocol::Sender peer = protocol::Sender::Gateway)
      : fd_(fd), decoder_(peer) {}
  ~HandMade() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void send(FrameType type, std::uint64_t id, std::string payload) {
    const auto bytes = *protocol::encode_frame({type, id, std::move(payload)});
    send_raw(bytes);
  }
  void send_raw(std::string_view bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void greet(ModelState state = ModelState::Ready) {
    send(FrameType::Hello, 0, protocol::write_hello({protocol::kVersion, 1, "none"}));
    info(state);
  }
  void info(ModelState state, std::string detail = {}) {
    ModelInfo model;
    model.id = "what the worker calls it";
    model.context_tokens = 1234;
    model.state = state;
    model.detail = std::move(detail);
    send(FrameType::Info, 0, protocol::write_info(model));
  }
  // The next frame of a type; nullopt at the end of the stream.
  std::optional<protocol::Frame> receive(FrameType type) {
    while (true) {
      while (auto frame = decoder_.next()) {
        if (frame->type == type) return frame;
      }
      std::array<char, 4096> buffer{};
      const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (got <= 0) return std::nullopt;
      EXPECT_TRUE(decoder_.feed({buffer.data(), static_cast<std::size_t>(got)}));
    }
  }
  void prepared(std::uint64_t id) {
    send(FrameType::Prepared, id, protocol::write_prepared({0, 10, 100, 90}));
  }
  void event(std::uint64_t id, const d::Event& event) {
    send(FrameType::Event, id, protocol::write_event(event));
  }

 private:
  int fd_;
  protocol::FrameDecoder decoder_;
};

class RemoteTest : public ::testing::Test {
 protected:
  RemoteTest() { open(options()); }
  void open(RemoteOptions remote_options) {
    remote_.emplace(std::move(remote_options), scheduler_);
    remote_->set_lost([this](base::Error why) {
      const std::lock_guard lock(mutex_);
      losses_.push_back(std::move(why));
    });
    remote_->set_wanted([this] { ++wanted_; });
  }
  std::size_t losses() {
    const std::lock_guard lock(mutex_);
    return losses_.size();
  }
  base::Error loss(std::size_t i) {
    const std::lock_guard lock(mutex_);
    return losses_.at(i);
  }
  std::unique_ptr<HandMade> hand_made() {
    const auto fds = make_pair();
    EXPECT_TRUE(remote_->attach(fds[0], 4242));
    return std::make_unique<HandMade>(fds[1]);
  }
  std::unique_ptr<ThreadWorker> worker(std::string_view text, WorkerOptions worker_options = {}) {
    const auto fds = make_pair();
    EXPECT_TRUE(remote_->attach(fds[0], 4242));
    return std::make_unique<ThreadWorker>(fds[1], text, std::move(worker_options));
  }
  std::shared_ptr<Recorder> prepare(PrepareRequest request) {
    auto recorder = Recorder::make();
    remote_->prepare(std::move(request), recorder->on_prepared());
    return recorder;
  }
  std::shared_ptr<Recorder> started(PrepareRequest request) {
    auto recorder = prepare(std::move(request));
    EXPECT_TRUE(wait_until([&] { return recorder->prepared().has_value(); }));
    EXPECT_TRUE(recorder->prepared()->has_value());
    remote_->start((*recorder->prepared())->ticket, recorder->on_event());
    return recorder;
  }
  static bool has_text(const Recorder& recorder) { return !recorder.text().empty(); }

  ThreadScheduler scheduler_;
  std::mutex mutex_;
  std::vector<base::Error> losses_;
  std::atomic<int> wanted_ = 0;
  std::optional<RemoteEngine> remote_;
};

TEST_F(RemoteTest, CarriesWholeAnswers) {
  const auto w = worker(
      "set images on\non any\n reasoning \"hm\"\n text \"caf\\u00e9 au lait\"\n tool f {\"a\": 1}",
      {.lock = "seccomp"});
  PrepareRequest request = ask("x");
  request.generation.logprobs = true;
  request.generation.top_logprobs = 2;
  const auto answer = started(request);
  ASSERT_TRUE(wait_until([&] { return answer->ended(); }));
  EXPECT_EQ(answer->fault(), "");
  EXPECT_EQ(answer->text(), "caf\xC3\xA9 au lait");
  EXPECT_EQ(answer->reasoning(), "hm");
  EXPECT_EQ(answer->calls().at(0).arguments_json, R"({"a": 1})");
  EXPECT_EQ(answer->finished()->reason, d::EndReason::ToolCall);
  EXPECT_EQ(remote_->worker_lock(), "seccomp");
  EXPECT_EQ(remote_->worker_pid(), 4242);
  EXPECT_EQ(remote_->info().id, "far");
  EXPECT_EQ(remote_->info().context_tokens, 8192u);
  EXPECT_TRUE(remote_->info().images);
  remote_.reset();
  w->join();
  EXPECT_TRUE(w->result) << w->result.error().message;
}

TEST_F(RemoteTest, PassesRefusalsOn) {
  const auto w =
      worker("set context_tokens 20\non any\n refuse invalid_argument \"no\" field \"stop\"");
  auto refused = prepare(ask("x"));
  ASSERT_TRUE(wait_until([&] { return refused->prepared().has_value(); }));
  EXPECT_EQ(refused->prepared()->error().field, "stop");
  auto counted = ask(std::string(1000, 'x'));
  counted.count_only = true;
  const auto count = prepare(counted);
  ASSERT_TRUE(wait_until([&] { return count->prepared().has_value(); }));
  EXPECT_GT((*count->prepared())->prompt_tokens, 200u);
}

TEST_F(RemoteTest, LongDeltasAreCutToFrames) {
  std::string text = "set split 2000000\non any\n text \"";
  for (int i = 0; i < 60'000; ++i) text += "\\u0001\\u20ac";
  const auto w = worker(text + "\"");
  const auto answer = started(ask("x"));
  ASSERT_TRUE(wait_until([&] { return answer->ended(); }));
  EXPECT_EQ(answer->fault(), "");
  EXPECT_EQ(answer->text().size(), 240'000u);
  EXPECT_GT(answer->events().size(), 4u);
  EXPECT_EQ(losses(), 0u);
}

TEST_F(RemoteTest, WaitsForAWorkerThatIsAskedForOnce) {
  const auto early = prepare(ask("a"));
  const auto second = prepare(ask("b"));
  EXPECT_EQ(wanted_, 1);
  EXPECT_EQ(remote_->info().state, ModelState::Starting);
  EXPECT_EQ(remote_->info().context_tokens, 777u);
  EXPECT_EQ(remote_->status().queued, 2u);
  const auto w = hand_made();
  w->greet(ModelState::Starting);
  w->info(ModelState::Starting, "loading");
  ASSERT_TRUE(wait_until([&] { return remote_->info().detail == "loading"; }));
  EXPECT_FALSE(early->prepared());
  w->info(ModelState::Ready);
  const auto first_frame = w->receive(FrameType::Prepare);
  const auto second_frame = w->receive(FrameType::Prepare);
  ASSERT_TRUE(first_frame && second_frame);
  EXPECT_LT(first_frame->id, second_frame->id);  // in the order of asking
  w->prepared(second_frame->id);
  ASSERT_TRUE(wait_until([&] { return second->prepared().has_value(); }));
  EXPECT_FALSE(early->prepared());
  EXPECT_EQ(wanted_, 1);
}

TEST_F(RemoteTest, WaitingEndsWhenTheStartFails) {
  const auto waiting = prepare(ask("a"));
  remote_->start_failed({base::Code::NotFound, "the file is not there", {}, {}, {}});
  ASSERT_TRUE(waiting->prepared());
  EXPECT_EQ(waiting->prepared()->error().code, base::Code::Unavailable);
  EXPECT_TRUE(waiting->prepared()->error().message.contains("the file is not there"));
  const auto later = prepare(ask("b"));
  ASSERT_TRUE(wait_until([&] { return later->prepared().has_value(); }));
  EXPECT_EQ(later->prepared()->error().code, base::Code::Unavailable);
  EXPECT_EQ(wanted_, 2);  // the owner may try again
  remote_->note_starting("second try");
  const auto third = prepare(ask("c"));
  EXPECT_FALSE(third->prepared());
  const auto w = worker("");
  ASSERT_TRUE(wait_until([&] { return third->prepared().has_value(); }));
  EXPECT_TRUE(third->prepared()->has_value());
}

TEST_F(RemoteTest, WaitingEndsWhenTheModelCannotBeLoaded) {
  const auto waiting = prepare(ask("a"));
  const auto w = hand_made();
  w->greet(ModelState::Starting);
  w->info(ModelState::Failed, "unknown architecture");
  ASSERT_TRUE(wait_until([&] { return waiting->prepared().has_value(); }));
  EXPECT_TRUE(waiting->prepared()->error().message.contains("unknown architecture"));
  w->close();
  ASSERT_TRUE(wait_until([&] { return losses() == 1; }));
  EXPECT_EQ(remote_->info().state, ModelState::Failed);  // the reason stays visible
}

TEST(RemoteWaiting, IsBoundedInTimeAndNumber) {
  base::ManualClock clock;
  ManualScheduler scheduler(clock);
  RemoteOptions limits = options();
  limits.start_wait = std::chrono::seconds(10);
  limits.waiting_max = 2;
  RemoteEngine remote(limits, scheduler);
  std::array<std::shared_ptr<Recorder>, 3> asked;
  for (auto& recorder : asked) {
    recorder = Recorder::make();
    remote.prepare(ask("x"), recorder->on_prepared());
  }
  EXPECT_FALSE(asked[2]->prepared());  // never inside the call
  scheduler.run_ready();
  ASSERT_TRUE(asked[2]->prepared());
  EXPECT_EQ(asked[2]->prepared()->error().code, base::Code::ResourceExhausted);
  scheduler.advance(std::chrono::seconds(9));
  EXPECT_FALSE(asked[0]->prepared());
  scheduler.advance(std::chrono::seconds(1));
  ASSERT_TRUE(asked[0]->prepared() && asked[1]->prepared());
  EXPECT_EQ(asked[0]->prepared()->error().code, base::Code::Unavailable);
  EXPECT_EQ(remote.status().queued, 0u);
}

TEST(RemoteWaiting, EndsWithTheEngine) {
  base::ManualClock clock;
  ManualScheduler scheduler(clock);
  const auto recorder = Recorder::make();
  {
    RemoteEngine remote(options(), scheduler);
    remote.prepare(ask("x"), recorder->on_prepared());
  }
  EXPECT_EQ(recorder->prepare_answers(), 1);
  EXPECT_FALSE(recorder->prepared()->has_value());
  scheduler.run_until_idle();  // the timer finds nobody
  EXPECT_EQ(recorder->prepare_answers(), 1);
}

TEST_F(RemoteTest, ALostWorkerAnswersEverythingOnce) {
  auto w = hand_made();
  w->greet();
  const auto running = prepare(ask("a"));
  const auto running_id = w->receive(FrameType::Prepare)->id;
  w->prepared(running_id);
  ASSERT_TRUE(wait_until([&] { return running->prepared().has_value(); }));
  remote_->start((*running->prepared())->ticket, running->on_event());
  ASSERT_TRUE(w->receive(FrameType::Start));
  w->event(running_id, d::Started{10, {4, 6, 0}});
  w->event(running_id, d::TextDelta{"so far", {}});
  ASSERT_TRUE(wait_until([&] { return has_text(*running); }));
  const auto only_prepared = prepare(ask("b"));
  w->prepared(w->receive(FrameType::Prepare)->id);
  ASSERT_TRUE(wait_until([&] { return only_prepared->prepared().has_value(); }));
  const auto preparing = prepare(ask("c"));
  ASSERT_TRUE(w->receive(FrameType::Prepare));
  w->close();

  ASSERT_TRUE(wait_until([&] { return losses() == 1; }));
  ASSERT_TRUE(running->failed());
  EXPECT_EQ(running->terminals(), 1u);
  EXPECT_EQ(running->fault(), "");
  const auto failed = *running->failed();
  EXPECT_EQ(failed.error.code, base::Code::Unavailable);
  EXPECT_TRUE(failed.error.message.contains("worker process ended"));
  EXPECT_TRUE(failed.error.message.contains("retry"));
  EXPECT_EQ(failed.usage.prompt_total(), 10u);
  EXPECT_EQ(failed.usage.cache_read, 6u);
  EXPECT_EQ(failed.usage.output, 1u);
  ASSERT_TRUE(preparing->prepared());
  EXPECT_EQ(preparing->prepared()->error().code, base::Code::Unavailable);
  // A ticket of the dead worker: starting it is answered, cancelling it is not.
  remote_->start((*only_prepared->prepared())->ticket, only_prepared->on_event());
  ASSERT_TRUE(wait_until([&] { return only_prepared->ended(); }));
  EXPECT_EQ(only_prepared->failed()->error.code, base::Code::Unavailable);
  remote_->cancel((*running->prepared())->ticket);
  EXPECT_EQ(remote_->info().state, ModelState::Stopped);
  EXPECT_EQ(remote_->status().restarts, 1u);
  EXPECT_EQ(remote_->worker_pid(), 0);

  const auto next = worker("on any\n text \"back\"");
  const auto again = started(ask("x"));
  ASSERT_TRUE(wait_until([&] { return again->ended(); }));
  EXPECT_EQ(again->text(), "back");
  EXPECT_EQ(running->terminals(), 1u);
}

// A worker that neither ends a cancelled request nor does anything else is given up; its other
// requests get the retryable error.
TEST_F(RemoteTest, AStuckWorkerIsGivenUp) {
  auto impatient = options();
  impatient.cancel_wait = std::chrono::milliseconds(50);
  open(impatient);
  const auto w = worker("on user \"stuck\"\n text \"so\"\n wedge\non any\n text \"far\"\n hang");
  const auto stuck = started(ask("stuck"));
  const auto other = started(ask("other"));
  ASSERT_TRUE(wait_until([&] { return has_text(*stuck) && has_text(*other); }));
  remote_->cancel((*stuck->prepared())->ticket);
  ASSERT_TRUE(wait_until([&] { return losses() == 1; }));
  EXPECT_EQ(loss(0).code, base::Code::DeadlineExceeded);
  for (const auto& request : {stuck, other}) {
    ASSERT_TRUE(request->failed());
    EXPECT_EQ(request->failed()->error.code, base::Code::Unavailable);
    EXPECT_TRUE(request->failed()->error.message.contains("retry"));
    EXPECT_EQ(request->fault(), "");
  }
  EXPECT_EQ(remote_->status().restarts, 1u);
  const auto next = worker("on any\n text \"back\"");
  const auto again = started(ask("x"));
  ASSERT_TRUE(wait_until([&] { return again->ended(); }));
  EXPECT_EQ(again->text(), "back");
}

// One that is only slow is not: other answers go on, so the step that ends the cancelled one may
// still come.
TEST_F(RemoteTest, AWorkerThatWorksIsGivenMoreTime) {
  auto impatient = options();
  impatient.cancel_wait = std::chrono::milliseconds(400);
  open(impatient);
  const auto w = hand_made();
  w->greet();
  std::array<std::uint64_t, 2> ids{};
  std::array<std::shared_ptr<Recorder>, 2> requests;
  for (std::size_t i = 0; i < 2; ++i) {
    requests[i] = prepare(ask("a"));
    ids[i] = w->receive(FrameType::Prepare)->id;
    w->prepared(ids[i]);
    ASSERT_TRUE(wait_until([&] { return requests[i]->prepared().has_value(); }));
    remote_->start((*requests[i]->prepared())->ticket, requests[i]->on_event());
    ASSERT_TRUE(w->receive(FrameType::Start));
    w->event(ids[i], d::Started{10, {10, 0, 0}});
  }
  remote_->cancel((*requests[0]->prepared())->ticket);
  ASSERT_TRUE(w->receive(FrameType::Cancel));
  for (int i = 0; i < 60; ++i) {  // more than two waits, with work all the time
    w->event(ids[1], d::TextDelta{"a", {}});
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
  }
  EXPECT_EQ(losses(), 0u);
  d::Finished finished;
  finished.reason = d::EndReason::ClientAbort;
  finished.usage.input_uncached = 10;
  finished.work.computed = 10;
  w->event(ids[0], finished);
  ASSERT_TRUE(wait_until([&] { return requests[0]->ended(); }));
  EXPECT_EQ(losses(), 0u);
}

TEST_F(RemoteTest, TheOwnerMayAttachInsideLost) {
  std::unique_ptr<ThreadWorker> second;
  std::atomic<bool> attached = false;
  remote_->set_lost([&](const base::Error&) {
    if (attached) return;
    second = worker("on any\n text \"second\"");
    attached = true;
  });
  hand_made()->close();
  ASSERT_TRUE(wait_until([&] { return attached.load(); }));
  const auto answer = started(ask("x"));
  ASSERT_TRUE(wait_until([&] { return answer->ended(); }));
  EXPECT_EQ(answer->text(), "second");
  remote_.reset();
}

TEST_F(RemoteTest, AttachingAgainReplacesTheWorker) {
  const auto first = worker("on any\n text \"a\"\n hang");
  const auto stuck = started(ask("x"));
  ASSERT_TRUE(wait_until([&] { return has_text(*stuck); }));
  const auto second = worker("on any\n text \"b\"");
  const auto answer = started(ask("x"));
  ASSERT_TRUE(wait_until([&] { return answer->ended() && stuck->ended(); }));
  EXPECT_EQ(answer->text(), "b");
  EXPECT_TRUE(stuck->failed());
  EXPECT_EQ(losses(), 0u);
  remote_.reset();
}

TEST_F(RemoteTest, ShutdownIsInOrder) {
  const auto w = worker("on any\n hang");
  const auto stuck = started(ask("x"));
  remote_->shutdown_worker();
  w->join();
  EXPECT_TRUE(w->result);
  ASSERT_TRUE(wait_until([&] { return losses() == 1; }));
  EXPECT_EQ(loss(0).code, base::Code::Cancelled);
  EXPECT_TRUE(stuck->failed());
  EXPECT_EQ(remote_->status().restarts, 0u);
  ASSERT_TRUE(wait_until([&] { return w->engine().status().running == 0; }));
}

TEST_F(RemoteTest, PingIsAnsweredOrFails) {
  std::atomic<int> good = 0;
  std::atomic<int> bad = 0;
  const auto note = [&](base::Status status) { ++(status ? good : bad); };
  remote_->ping(note);
  ASSERT_TRUE(wait_until([&] { return bad == 1; }));
  {
    const auto w = worker("");
    remote_->ping(note);
    ASSERT_TRUE(wait_until([&] { return good == 1; }));
    remote_->shutdown_worker();
  }
  const auto silent = hand_made();
  remote_->ping(note);
  silent->close();
  ASSERT_TRUE(wait_until([&] { return bad == 2; }));
}

// Each of these costs the worker its connection and nobody a second ending.
TEST_F(RemoteTest, AWorkerThatBreaksTheProtocolIsDropped) {
  using Act = std::function<void(HandMade&, std::uint64_t running)>;
  const std::vector<Act> acts = {
      [](HandMade& w, std::uint64_t) { w.send_raw(std::string(64, '\xFF')); },
      [](HandMade& w, std::uint64_t) {
        w.send(FrameType::Hello, 0, protocol::write_hello({protocol::kVersion, 1, ""}));
      },
      [](HandMade& w, std::uint64_t id) { w.prepared(id); },
      [](HandMade& w, std::uint64_t) { w.prepared(999); },
      [](HandMade& w, std::uint64_t) { w.event(999, d::TextDelta{"x", {}}); },
      [](HandMade& w, std::uint64_t id) { w.event(id, d::ToolCallEnd{}); },
      [](HandMade& w, std::uint64_t id) { w.send(FrameType::Event, id, "{}"); },
      [](HandMade& w, std::uint64_t id) { w.send(FrameType::Event, id, "not json"); },
      [](HandMade& w, std::uint64_t id) {
        d::Finished lie;
        lie.usage.output = std::uint64_t{1} << 50;
        w.event(id, lie);
      },
      [](HandMade& w, std::uint64_t) { w.send(FrameType::Pong, 5, {}); },
      [](HandMade& w, std::uint64_t) { w.send(FrameType::Status, 0, "[]"); },
      [](HandMade& w, std::uint64_t) {
        w.send_raw(std::string_view("\x40\x00\x00\x00\x06", 5));
        w.close();
      },
  };
  for (std::size_t i = 0; i < acts.size(); ++i) {
    const auto w = hand_made();
    w->greet();
    const auto running = prepare(ask("x"));
    const auto id = w->receive(FrameType::Prepare)->id;
    w->prepared(id);
    ASSERT_TRUE(wait_until([&] { return running->prepared().has_value(); }));
    remote_->start((*running->prepared())->ticket, running->on_event());
    ASSERT_TRUE(w->receive(FrameType::Start));
    acts[i](*w, id);
    ASSERT_TRUE(wait_until([&] { return losses() == i + 1; })) << i;
    EXPECT_TRUE(running->failed()) << i;
    EXPECT_EQ(running->terminals(), 1u) << i;
  }
}

TEST_F(RemoteTest, AnotherVersionIsRefused) {
  const auto w = hand_made();
  w->send(FrameType::Hello, 0, protocol::write_hello({protocol::kVersion + 1, 1, ""}));
  ASSERT_TRUE(wait_until([&] { return losses() == 1; }));
  EXPECT_EQ(loss(0).code, base::Code::FailedPrecondition);
}

TEST_F(RemoteTest, HelloComesFirst) {
  const auto w = hand_made();
  w->info(ModelState::Ready);
  ASSERT_TRUE(wait_until([&] { return losses() == 1; }));
  EXPECT_EQ(loss(0).code, base::Code::DataLoss);
}

TEST_F(RemoteTest, AKilledProcessFailsItsRequestsOnce) {
  const auto fds = make_pair();
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    ::close(fds[0]);
    {
      ThreadScheduler scheduler;
      ScriptedEngine engine(script("set pace 1ms\non any\n repeat 1000000 text \"tick \""),
                            scheduler);
      static_cast<void>(run_worker(fds[1], engine));
    }
    ::_exit(0);
  }
  ::close(fds[1]);
  ASSERT_TRUE(remote_->attach(fds[0], pid));
  const auto one = started(ask("a"));
  const auto two = started(ask("b"));
  ASSERT_TRUE(wait_until([&] { return has_text(*one) && has_text(*two); }));
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(wait_until([&] { return losses() == 1; }));
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status));
  for (const auto& answer : {one, two}) {
    ASSERT_TRUE(answer->failed());
    EXPECT_EQ(answer->terminals(), 1u);
    EXPECT_EQ(answer->fault(), "");
    EXPECT_EQ(answer->failed()->error.code, base::Code::Unavailable);
  }
}

TEST(Worker, GivesUpOnAGatewayThatDoesNotRead) {
  const auto fds = make_pair();
  WorkerOptions tight;
  tight.backlog_max_bytes = 64 * 1024;
  ThreadScheduler scheduler;
  ScriptedEngine engine(script("on any\n repeat 1000000 text \"tick tock \""), scheduler);
  base::Status result;
  std::thread thread([&] { result = run_worker(fds[1], engine, tight); });
  {
    HandMade gateway(::dup(fds[0]), protocol::Sender::Worker);
    gateway.send(FrameType::Prepare, 1, protocol::write_prepare(ask("x")));
    ASSERT_TRUE(gateway.receive(FrameType::Prepared));
    gateway.send(FrameType::Start, 1, {});
    thread.join();
  }
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, base::Code::Unavailable);
  EXPECT_TRUE(wait_until([&] { return engine.status().running == 0; }));
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(Worker, EndsInOrderWhenTheGatewayGoes) {
  const auto fds = make_pair();
  ThreadWorker w(fds[1], "on any\n hang");
  {
    HandMade gateway(fds[0], protocol::Sender::Worker);
    gateway.send(FrameType::Prepare, 1, protocol::write_prepare(ask("x")));
    ASSERT_TRUE(gateway.receive(FrameType::Prepared));
    gateway.send(FrameType::Start, 1, {});
    ASSERT_TRUE(wait_until([&] { return w.engine().status().running == 1; }));
  }
  w.join();
  EXPECT_TRUE(w.result);
  EXPECT_TRUE(wait_until([&] { return w.engine().status().running == 0; }));
}

TEST(Worker, RefusesAGatewayThatBreaksTheProtocol) {
  for (const char* payload : {"{}", "not json"}) {
    const auto fds = make_pair();
    ThreadWorker w(fds[1], "");
    HandMade gateway(fds[0], protocol::Sender::Worker);
    gateway.send(FrameType::Prepare, 1, payload);
    w.join();
    EXPECT_FALSE(w.result);
  }
}

}  // namespace
}  // namespace fh::engine
