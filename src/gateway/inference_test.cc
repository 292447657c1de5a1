// The life of a request where things go wrong between its stages: clients that leave and servers
// that end while the engine has not answered yet, writers that throw, loops that are torn down.
// Each admitted request still has one settled row, and no ticket is left with the engine.

#include "gateway/inference.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <vector>

#include "base/check.h"
#include "gateway/gateway.h"
#include "gateway/test_support.h"
#include "ledger/store/memory.h"
#include "ledger/writer.h"
#include "net/memory.h"

namespace fh::gateway {
namespace {

using std::chrono::milliseconds;
using testing::KeyRing;
using testing::request_for;

// Answers when the test says so.
class HeldEngine final : public engine::Engine {
 public:
  engine::ModelInfo info() const override {
    engine::ModelInfo info;
    info.id = "held";
    info.context_tokens = 1000;
    info.state = engine::ModelState::Ready;
    return info;
  }
  engine::EngineStatus status() const override { return {}; }
  engine::Ticket prepare(engine::PrepareRequest request, engine::PrepareFn done) override {
    asked_.push_back({++last_, request.count_only, std::move(done)});
    return last_;
  }
  void start(engine::Ticket ticket, engine::EventFn on_event) override {
    if (!out_.contains(ticket)) {
      on_event(domain::Failed{{base::Code::Unavailable, "unknown", {}, {}, {}}, {}, {}, {}});
      return;
    }
    out_[ticket] = std::move(on_event);
  }
  void cancel(engine::Ticket ticket) override {
    for (const Question& question : asked_) {
      if (question.number == ticket) given_up.push_back(ticket);
    }
    const auto it = out_.find(ticket);
    if (it == out_.end()) return;
    const engine::EventFn on_event = std::move(it->second);
    if (!on_event) {
      out_.erase(it);
    } else if (ends_when_cancelled) {
      out_.erase(it);
      domain::Finished finished;
      finished.reason = domain::EndReason::ClientAbort;
      on_event(finished);
    } else {
      it->second = on_event;
    }
  }

  std::size_t asked() const { return asked_.size(); }
  void answer_prepare() {
    const Question question = std::move(asked_.front());
    asked_.erase(asked_.begin());
    engine::Prepared prepared{0, 10, 1000, 100};
    if (!question.count_only) out_[prepared.ticket = question.number] = nullptr;
    question.done(prepared);
  }
  void say(std::string text) { out_.at(last_)(domain::TextDelta{std::move(text), {}}); }
  std::size_t tickets_out() const { return out_.size(); }

  std::shared_ptr<engine::Backlog> backlog() const override { return held; }

  const std::shared_ptr<engine::Backlog> held = std::make_shared<engine::Backlog>();
  bool ends_when_cancelled = true;
  std::vector<engine::Ticket> given_up;  // before they had an answer

 private:
  struct Question {
    engine::Ticket number = 0;
    bool count_only = false;
    engine::PrepareFn done;
  };
  std::vector<Question> asked_;
  std::map<engine::Ticket, engine::EventFn> out_;
  engine::Ticket last_ = 0;
};

// A writer whose second write throws.
class ThrowingResponse final : public net::ResponseWriter {
 public:
  explicit ThrowingResponse(net::Runtime& runtime) : inner_(runtime) {}
  net::Task<base::Status> send(net::HttpResponse response) override {
    return inner_.send(std::move(response));
  }
  net::Task<base::Status> begin(int status, std::vector<net::Header> headers) override {
    return inner_.begin(status, std::move(headers));
  }
  net::Task<base::Status> write(std::string chunk) override {
    if (++writes_ == 2) throw std::runtime_error("no memory");
    return inner_.write(std::move(chunk));
  }
  net::Task<base::Status> finish() override { return inner_.finish(); }
  void close_after() override {}
  void abort() override { inner_.abort(); }
  bool peer_gone() const override { return inner_.peer_gone(); }
  void on_peer_gone(std::function<void()> fn) override { inner_.on_peer_gone(std::move(fn)); }

 private:
  net::MemoryResponse inner_;
  int writes_ = 0;
};

class InferenceTest : public ::testing::Test {
 protected:
  InferenceTest() {
    key_ = ring_.make("team");
    models_.add({"held", {"default"}, "Held", 0, "local", &engine_, {}});
    open_front(20'000);
  }
  ~InferenceTest() override { runtime_.abandon(); }

  void open_front(std::int64_t request_ms_max) {
    Settings settings;
    settings.request_ms_max = request_ms_max;
    settings.cancel_wait_ms = 2'000;
    front_ = std::make_unique<Gateway>(Deps{runtime_,
                                            clock(),
                                            ring_.random,
                                            writer_,
                                            ring_.table,
                                            sessions_,
                                            models_,
                                            pricing::PriceBook::bundled(),
                                            metrics_,
                                            live_,
                                            settings,
                                            {},
                                            {}});
  }
  base::ManualClock& clock() { return ring_.clock; }
  static net::Task<void> serve(Gateway* front, net::HttpRequest request, net::ResponseWriter* to,
                               bool* ended) {
    co_await front->handle(std::move(request), *to);
    *ended = true;
  }
  void ask(net::ResponseWriter& to, bool stream = true, const std::string& path = "/v1/messages") {
    const std::string body =
        R"({"model":"held","messages":[{"role":"user","content":"x"}])" +
        std::string(path.ends_with("count_tokens") ? "" : R"(,"max_tokens":64)") +
        (stream ? R"(,"stream":true})" : "}");
    runtime_.spawn(
        serve(front_.get(),
              request_for("POST", path,
                          {{"authorization", "Bearer " + key_}, {"host", "127.0.0.1"}}, body),
              &to, &ended_));
    pump();
  }
  void pump() {
    for (std::size_t did = 1; did > 0;) {
      did = runtime_.poll();
      if (writer_.has_queued()) ++did;
      writer_.pump();
    }
  }
  void pass(milliseconds time) {
    const base::TimePoint end = clock().now() + time;
    while (runtime_.next_timer() && *runtime_.next_timer() <= end) {
      runtime_.advance_to_next_timer();
      pump();
    }
    clock().advance_to(end);
    pump();
  }
  // One row for each admission, each settled; their reasons.
  std::vector<std::string> reasons() {
    std::vector<std::string> out;
    for (const ledger::Row& row : store_.rows()) {
      out.emplace_back(row.settlement ? domain::end_reason_name(row.settlement->reason)
                                      : "not settled");
    }
    return out;
  }

  KeyRing ring_;
  net::Runtime runtime_{ring_.clock};
  HeldEngine engine_;
  ledger::MemoryStore store_;
  ledger::LedgerWriter writer_{store_, ring_.clock, {}};
  Sessions sessions_{ring_.clock, ring_.random};
  LiveRequests live_{ring_.clock};
  obs::Metrics metrics_;
  ModelDirectory models_;
  std::unique_ptr<Gateway> front_;
  std::string key_;
  bool ended_ = false;
};

// A model that loads for minutes does not hold on to whoever asked and left.
TEST_F(InferenceTest, AClientThatLeavesBeforeTheEngineAnswersIsLetGo) {
  for (const bool stream : {true, false}) {
    ended_ = false;
    net::MemoryResponse response(runtime_);
    ask(response, stream);
    ASSERT_EQ(engine_.asked(), 1u);
    EXPECT_FALSE(ended_);
    response.go_away();
    pump();
    EXPECT_TRUE(ended_);
    EXPECT_EQ(engine_.given_up.size(), stream ? 1u : 2u) << "the engine need not prepare it";
    EXPECT_EQ(live_.running_count(), 0u);
    engine_.answer_prepare();
    pump();
    EXPECT_EQ(engine_.tickets_out(), 0u) << "the ticket that came too late is the engine's again";
  }
  EXPECT_TRUE(reasons().empty());
}

TEST_F(InferenceTest, ACounterThatLeavesIsLetGo) {
  net::MemoryResponse response(runtime_);
  ask(response, false, "/v1/messages/count_tokens");
  ASSERT_EQ(engine_.asked(), 1u);
  response.go_away();
  pump();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(engine_.given_up.size(), 1u);
  engine_.answer_prepare();
  pump();
  EXPECT_EQ(response.status(), 0);
}

// The answer is there and the client leaves before it is looked at.
TEST_F(InferenceTest, ATicketThatNobodyTookGoesBack) {
  net::MemoryResponse response(runtime_);
  ask(response);
  engine_.answer_prepare();
  EXPECT_EQ(engine_.tickets_out(), 1u);
  runtime_.abandon();
  EXPECT_EQ(engine_.tickets_out(), 0u);
}

TEST_F(InferenceTest, TheRequestsTimeCountsWhileTheEngineThinks) {
  for (const bool stream : {true, false}) {
    ended_ = false;
    net::MemoryResponse response(runtime_);
    ask(response, stream);
    pass(milliseconds(19'000));
    EXPECT_FALSE(ended_);
    pass(milliseconds(1'001));
    EXPECT_TRUE(ended_);
    EXPECT_EQ(response.status(), 504);
    engine_.answer_prepare();
    pump();
    EXPECT_EQ(engine_.tickets_out(), 0u);
  }
  EXPECT_TRUE(reasons().empty());
}

// A server that ends does not begin what it had not begun.
TEST_F(InferenceTest, CancelAllReachesWhatIsNotRunningYet) {
  net::MemoryResponse response(runtime_);
  ask(response, false);
  front_->drain();
  front_->cancel_all();
  pump();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(response.status(), 529);
  EXPECT_NE(response.body().find("shutting down"), std::string::npos);
  engine_.answer_prepare();
  EXPECT_EQ(engine_.tickets_out(), 0u);
  EXPECT_TRUE(reasons().empty());
}

TEST_F(InferenceTest, AWriterThatThrowsLeavesNothingBehind) {
  ThrowingResponse response(runtime_);
  ask(response);
  engine_.answer_prepare();
  pump();
  EXPECT_EQ(front_->running(), 1u);
  const std::uint64_t bugs = base::bug_count();
  engine_.say("one");
  pump();
  EXPECT_EQ(base::bug_count(), bugs + 1) << "the exception has left the coroutine";
  EXPECT_EQ(front_->running(), 0u);
  EXPECT_EQ(engine_.tickets_out(), 0u);
  EXPECT_TRUE(engine_.given_up.empty());
  front_->cancel_all();
  EXPECT_EQ(reasons(), (std::vector<std::string>{"cancelled"}));
}

// Some clients give up on a stream that brings no event but pings for minutes. One that speaks is
// not silent, however long it lasts.
TEST_F(InferenceTest, OnlyALongSilenceIsBridgedByEmptyDeltas) {
  open_front(3'600'000);
  net::MemoryResponse response(runtime_);
  ask(response);
  engine_.answer_prepare();
  pump();
  const auto empty_deltas = [&response] {
    constexpr std::string_view kEmpty = R"("delta":{"type":"text_delta","text":""})";
    std::size_t count = 0;
    const std::string body = response.body();
    for (auto at = body.find(kEmpty); at != std::string::npos; at = body.find(kEmpty, at + 1)) {
      ++count;
    }
    return count;
  };
  for (int i = 0; i < 30; ++i) {
    pass(milliseconds(9'000));
    engine_.say("word ");
    pump();
  }
  pass(milliseconds(200'000));
  EXPECT_EQ(empty_deltas(), 0u) << response.body();
  pass(milliseconds(60'000));
  EXPECT_EQ(empty_deltas(), 1u);
  pass(milliseconds(60'000));
  EXPECT_EQ(empty_deltas(), 2u);
  response.go_away();
  pump();
  EXPECT_EQ(reasons(), (std::vector<std::string>{"client_abort"}));
}

// What a client has not taken counts; what nobody will ever take is not kept.
TEST_F(InferenceTest, WhatWaitsForAClientIsCountedAndGoesWithIt) {
  engine_.ends_when_cancelled = false;
  net::MemoryResponse response(runtime_);
  ask(response);
  engine_.answer_prepare();
  pump();
  engine_.say(std::string(100'000, 'x'));
  EXPECT_GT(engine_.held->bytes(), 100'000u);
  pump();
  EXPECT_EQ(engine_.held->bytes(), 0u);
  engine_.say("one more");
  runtime_.abandon();
  EXPECT_EQ(engine_.held->bytes(), 0u);
  engine_.say(std::string(100'000, 'x'));
  EXPECT_EQ(engine_.held->bytes(), 0u);
  writer_.pump();
}

// The end of a server whose patience is over: what runs has its row, and so has what was just
// being admitted.
TEST_F(InferenceTest, ALoopThatIsTornDownSettlesWhatItCutsOff) {
  engine_.ends_when_cancelled = false;
  net::MemoryResponse running(runtime_);
  ask(running);
  engine_.answer_prepare();
  pump();
  engine_.say("one");
  pump();
  net::MemoryResponse admitting(runtime_);
  ask(admitting);
  engine_.answer_prepare();
  runtime_.poll();  // the admission is queued and not written
  ASSERT_TRUE(writer_.has_queued());
  front_->cancel_all();
  runtime_.abandon();
  writer_.pump();
  EXPECT_EQ(reasons(), (std::vector<std::string>{"cancelled", "cancelled"}));
  EXPECT_EQ(store_.rows().front().settlement->usage.output, 1u);
  EXPECT_EQ(store_.rows().front().settlement->source, domain::UsageSource::Estimated);
}

}  // namespace
}  // namespace fh::gateway
