// How workers end and are replaced: stuck ones, slow ones, killed ones; and the worker's own end.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <thread>

#include "engine/remote/remote_test_support.h"

namespace fh::engine {
namespace {

// A long prompt comes after a long time of short ones: the time counts from when there was
// something to take, not from the last time that the worker was too slow.
TEST_P(RemoteTest, ALongPromptAfterALongRestIsNotAStall) {
  auto impatient = options();
  impatient.stall_max = std::chrono::milliseconds(400);
  open(impatient);
  const auto w = hand_made();
  w->greet();
  ASSERT_TRUE(wait_until([&] { return remote_->info().state == ModelState::Ready; }));
  const auto short_one = prepare(ask("short"));
  ASSERT_TRUE(w->receive(FrameType::Prepare));
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  const auto long_one = prepare(ask(std::string(8 << 20, 'x')));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the socket is full by now
  const auto frame = w->receive(FrameType::Prepare);
  ASSERT_TRUE(frame);
  EXPECT_GT(frame->payload.size(), std::size_t{8} << 20);
  EXPECT_EQ(losses(), 0u);
  // One that takes nothing is still given up.
  const auto never_read = prepare(ask(std::string(8 << 20, 'y')));
  ASSERT_TRUE(wait_until([&] { return losses() == 1; }));
  EXPECT_EQ(loss(0).code, base::Code::DeadlineExceeded);
}

// A worker that neither ends a cancelled request nor does anything else is given up; its other
// requests get the retryable error.
TEST_P(RemoteTest, AStuckWorkerIsGivenUp) {
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
    EXPECT_EQ(request->failed()->error.hint, "retry");
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
TEST_P(RemoteTest, AWorkerThatWorksIsGivenMoreTime) {
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

// One that does not even say whether it can run a request is stuck too, however long clients wait.
TEST_P(RemoteTest, AWorkerThatTakesNoRequestIsGivenUp) {
  auto impatient = options();
  impatient.prepare_wait = std::chrono::milliseconds(1000);  // also for a busy machine
  open(impatient);
  const auto w = hand_made();
  w->greet();
  ASSERT_TRUE(wait_until([&] { return remote_->info().state == ModelState::Ready; }));
  const auto answered = prepare(ask("a"));
  const auto first = w->receive(FrameType::Prepare);
  ASSERT_TRUE(first);
  w->prepared(first->id);
  ASSERT_TRUE(wait_until([&] { return answered->prepared().has_value(); }));
  const auto ignored = prepare(ask("b"));
  ASSERT_TRUE(wait_until([&] { return losses() == 1; }));
  EXPECT_EQ(loss(0).code, base::Code::DeadlineExceeded);
  ASSERT_TRUE(ignored->prepared().has_value());
  ASSERT_FALSE(ignored->prepared()->has_value());
  EXPECT_EQ(ignored->prepared()->error().code, base::Code::Unavailable);
}

// One that takes them slowly is not, nor one that has nothing to answer.
TEST_P(RemoteTest, AWorkerThatTakesRequestsSlowlyIsKept) {
  auto impatient = options();
  impatient.prepare_wait = std::chrono::milliseconds(1500);
  open(impatient);
  const auto w = hand_made();
  w->greet();
  ASSERT_TRUE(wait_until([&] { return remote_->info().state == ModelState::Ready; }));
  std::vector<std::shared_ptr<Recorder>> requests;
  for (int i = 0; i < 6; ++i) requests.push_back(prepare(ask("a")));
  for (const auto& request : requests) {  // longer together than the wait
    const auto frame = w->receive(FrameType::Prepare);
    ASSERT_TRUE(frame);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    w->prepared(frame->id);
    ASSERT_TRUE(wait_until([&] { return request->prepared().has_value(); }));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1800));
  EXPECT_EQ(losses(), 0u);
}

TEST_P(RemoteTest, TheOwnerMayAttachInsideLost) {
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
  shut();
}

TEST_P(RemoteTest, AttachingAgainReplacesTheWorker) {
  const auto first = worker("on any\n text \"a\"\n hang");
  const auto stuck = started(ask("x"));
  ASSERT_TRUE(wait_until([&] { return has_text(*stuck); }));
  const auto second = worker("on any\n text \"b\"");
  const auto answer = started(ask("x"));
  ASSERT_TRUE(wait_until([&] { return answer->ended() && stuck->ended(); }));
  EXPECT_EQ(answer->text(), "b");
  EXPECT_TRUE(stuck->failed());
  EXPECT_EQ(losses(), 0u);
  shut();
}

// A ticket of a worker that has been replaced is not the new one's, also before the old one's end
// has been noticed.
TEST_P(RemoteTest, ATicketIsNotStartedOnTheNextWorker) {
  const auto first = hand_made();
  first->greet();
  const auto request = prepare(ask("x"));
  first->prepared(first->receive(FrameType::Prepare)->id);
  ASSERT_TRUE(wait_until([&] { return request->prepared().has_value(); }));
  const auto ticket = (*request->prepared())->ticket;
  std::atomic<bool> held = false;
  std::atomic<bool> go_on = false;
  if (runtime_) {  // the loop is busy, so the old link ends later
    runtime_->post([&] {
      held = true;
      while (!go_on) std::this_thread::yield();
    });
    ASSERT_TRUE(wait_until([&] { return held.load(); }));
  }
  const auto second = hand_made();
  remote_->start(ticket, request->on_event());
  go_on = true;
  ASSERT_TRUE(wait_until([&] { return request->ended(); }));
  EXPECT_TRUE(request->failed());
  shut();
  EXPECT_FALSE(second->receive(FrameType::Start));
}

TEST_P(RemoteTest, AKilledProcessFailsItsRequestsOnce) {
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

// A worker that was asked for 90 tokens and talks on.
TEST_P(RemoteTest, AnEndlessAnswerEndsTheWorker) {
  const auto w = hand_made();
  w->greet();
  PrepareRequest request = ask("a");
  const auto answer = prepare(std::move(request));
  const auto id = w->receive(FrameType::Prepare)->id;
  w->prepared(id);
  ASSERT_TRUE(wait_until([&] { return answer->prepared().has_value(); }));
  remote_->start((*answer->prepared())->ticket, answer->on_event());
  const auto piece = protocol::encode_frame(
      {FrameType::Event, id, protocol::write_event(d::TextDelta{std::string(60'000, 'x'), {}})});
  for (int i = 0; i < 1000 && w->try_send(*piece); ++i) {
  }
  ASSERT_TRUE(wait_until([&] { return losses() == 1; }));
  EXPECT_TRUE(loss(0).message.contains("more output than was asked for")) << loss(0).message;
  EXPECT_LT(answer->text().size(), 8'000'000u);
  EXPECT_TRUE(answer->failed());
}

// Nothing is read while the clients' side holds too much; all of it comes once it has been taken.
TEST_P(RemoteTest, AWorkerIsNotReadWhileItsClientsDoNotTakeWhatItSaid) {
  constexpr std::size_t kPieces = 400;
  constexpr std::size_t kPieceBytes = 10'000;
  RemoteOptions small = options();
  small.backlog_max_bytes = 100'000;
  open(small);
  const auto w = hand_made();
  w->greet();
  const auto answer = prepare(ask("a"));
  const auto id = w->receive(FrameType::Prepare)->id;
  w->prepared(id);
  ASSERT_TRUE(wait_until([&] { return answer->prepared().has_value(); }));
  const auto backlog = remote_->backlog();
  std::atomic<std::size_t> held = 0;
  std::atomic<std::size_t> most = 0;
  std::atomic<std::size_t> pieces = 0;
  remote_->start((*answer->prepared())->ticket, [&](d::Event event) {
    const std::size_t bytes = held_bytes(event);
    backlog->add(bytes);
    most = std::max<std::size_t>(most, held += bytes);
    ++pieces;
  });
  std::thread talker([&] {
    for (std::size_t i = 0; i < kPieces; ++i) {
      w->event(id, d::TextDelta{std::string(kPieceBytes, 'x'), {}});
    }
  });
  const auto take_all = [&] { backlog->remove(held.exchange(0)); };
  EXPECT_TRUE(wait_until([&] { return backlog->bytes() > small.backlog_max_bytes; }));
  // Time for a link that would read on.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(backlog->bytes(), 2 * small.backlog_max_bytes);
  EXPECT_TRUE(wait_until([&] {
    take_all();
    return pieces == kPieces;
  }));
  talker.join();
  EXPECT_LT(most, 2 * small.backlog_max_bytes);
  shut();
}

}  // namespace
}  // namespace fh::engine
