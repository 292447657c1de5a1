// The gateway's side and the worker's side of the protocol together: a worker in a thread, and a
// hand-made worker that breaks the rules.
#include "engine/remote/remote_engine.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <vector>

#include "engine/remote/remote_test_support.h"

namespace fh::engine {
namespace {

INSTANTIATE_TEST_SUITE_P(Links, RemoteTest,
                         ::testing::Values(LinksRun::InThreads, LinksRun::InALoop),
                         [](const auto& links) {
                           return links.param == LinksRun::InThreads ? "Threads" : "Loop";
                         });

TEST_P(RemoteTest, CarriesWholeAnswers) {
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
  shut();
  w->join();
  EXPECT_TRUE(w->result) << w->result.error().message;
}

TEST_P(RemoteTest, PassesRefusalsOn) {
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

TEST_P(RemoteTest, LongDeltasAreCutToFrames) {
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

TEST_P(RemoteTest, WaitsForAWorkerThatIsAskedForOnce) {
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

TEST_P(RemoteTest, AQuestionIsGivenUpWhereverItIs) {
  auto early = Recorder::make();
  auto waiting = Recorder::make();
  const Ticket unsent = remote_->prepare(ask("a"), early->on_prepared());
  const Ticket second = remote_->prepare(ask("b"), waiting->on_prepared());
  remote_->cancel(unsent);
  ASSERT_TRUE(wait_until([&] { return early->prepared().has_value(); }));
  EXPECT_EQ(early->prepared()->error().code, base::Code::Cancelled);
  const auto w = hand_made();
  w->greet();
  EXPECT_EQ(w->receive(FrameType::Prepare)->id, second);
  remote_->cancel(second);
  remote_->cancel(second);
  EXPECT_EQ(w->receive(FrameType::Cancel)->id, second);
  w->prepared(second);  // which crosses the cancel
  ASSERT_TRUE(wait_until([&] { return waiting->prepared().has_value(); }));
  ASSERT_FALSE(waiting->prepared()->has_value());
  EXPECT_EQ(waiting->prepared()->error().code, base::Code::Cancelled);
  EXPECT_EQ(early->prepare_answers() + waiting->prepare_answers(), 2);
  EXPECT_EQ(losses(), 0u);
}

TEST_P(RemoteTest, WaitingEndsWhenTheStartFails) {
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

TEST_P(RemoteTest, WaitingEndsWhenTheModelCannotBeLoaded) {
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

TEST_P(RemoteTest, ALostWorkerAnswersEverythingOnce) {
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
  EXPECT_FALSE(failed.error.message.contains("retry"));
  EXPECT_EQ(failed.error.hint, "retry");
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

TEST_P(RemoteTest, ShutdownIsInOrder) {
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

TEST_P(RemoteTest, PingIsAnsweredOrFails) {
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
TEST_P(RemoteTest, AWorkerThatBreaksTheProtocolIsDropped) {
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

TEST_P(RemoteTest, AnotherVersionIsRefused) {
  const auto w = hand_made();
  w->send(FrameType::Hello, 0, protocol::write_hello({protocol::kVersion + 1, 1, ""}));
  ASSERT_TRUE(wait_until([&] { return losses() == 1; }));
  EXPECT_EQ(loss(0).code, base::Code::FailedPrecondition);
}

TEST_P(RemoteTest, HelloComesFirst) {
  const auto w = hand_made();
  w->info(ModelState::Ready);
  ASSERT_TRUE(wait_until([&] { return losses() == 1; }));
  EXPECT_EQ(loss(0).code, base::Code::DataLoss);
}

}  // namespace
}  // namespace fh::engine
