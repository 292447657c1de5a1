#pragma once
// The contract of engine.h as tests that any engine can be put through: include this in one test
// file and instantiate EngineContract with a case per engine. Not part of the product.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/test_support.h"

namespace fh::engine::testing {

class ContractSubject {
 public:
  virtual ~ContractSubject() = default;
  virtual Engine& engine() = 0;
  // Lets the engine work until `done` holds; returns when it does, or when that will not come
  // about.
  virtual void work_until(const std::function<bool()>& done) = 0;
  // A prompt that is answered with some ten tokens of text or more.
  virtual PrepareRequest talkative() { return ask("Tell me a story about a lighthouse."); }
  // Longer than the context window.
  virtual PrepareRequest too_long() {
    return ask(std::string(std::size_t{64} * engine().info().context_tokens, 'x'));
  }
};

struct ContractCase {
  std::string name;
  std::function<std::unique_ptr<ContractSubject>()> make;
};
inline std::string case_name(const ::testing::TestParamInfo<ContractCase>& info) {
  return info.param.name;
}

class EngineContract : public ::testing::TestWithParam<ContractCase> {
 protected:
  void SetUp() override {
    subject_ = GetParam().make();
    subject_->work_until([this] { return engine().info().state == ModelState::Ready; });
    ASSERT_EQ(engine().info().state, ModelState::Ready);
  }
  Engine& engine() { return subject_->engine(); }

  std::shared_ptr<Recorder> prepare(PrepareRequest request) {
    auto recorder = Recorder::make();
    engine().prepare(std::move(request), recorder->on_prepared());
    subject_->work_until([&] { return recorder->prepared().has_value(); });
    EXPECT_EQ(recorder->prepare_answers(), 1);
    return recorder;
  }
  std::shared_ptr<Recorder> run(PrepareRequest request) {
    auto recorder = prepare(std::move(request));
    if (!recorder->prepared() || !*recorder->prepared()) {
      ADD_FAILURE() << "prepare failed";
      return recorder;
    }
    engine().start((*recorder->prepared())->ticket, recorder->on_event());
    finish(*recorder);
    return recorder;
  }
  // Waits for the end and checks what holds for every answered request.
  void finish(const Recorder& recorder) {
    subject_->work_until([&] { return recorder.ended(); });
    EXPECT_EQ(recorder.fault(), "");
    ASSERT_EQ(recorder.terminals(), 1u);
    const auto prepared = **recorder.prepared();
    for (const auto& event : recorder.events()) {
      if (const auto* started = std::get_if<domain::Started>(&event)) {
        EXPECT_EQ(started->prompt_tokens, prepared.prompt_tokens);
      }
    }
    if (const auto finished = recorder.finished()) {
      EXPECT_LE(finished->usage.output, prepared.max_output_tokens);
      EXPECT_LE(finished->usage.prompt_total(), prepared.prompt_tokens);
      EXPECT_GE(finished->timings.queue_ns, 0);
      EXPECT_GE(finished->timings.prefill_ns, 0);
      EXPECT_GE(finished->timings.decode_ns, 0);
    }
  }

  std::unique_ptr<ContractSubject> subject_;
};

TEST_P(EngineContract, AnswersWithOneEnding) {
  PrepareRequest request = subject_->talkative();
  request.generation.max_tokens = 40;
  const auto answer = run(request);
  ASSERT_TRUE(answer->finished());
  const auto events = answer->events();
  EXPECT_TRUE(std::holds_alternative<domain::Started>(events.front()));
  EXPECT_FALSE(answer->text().empty());
  EXPECT_EQ(answer->finished()->usage.prompt_total(), (*answer->prepared())->prompt_tokens);
  EXPECT_GT(answer->finished()->usage.output, 0u);
}

TEST_P(EngineContract, HonoursMaxTokens) {
  PrepareRequest request = subject_->talkative();
  request.generation.max_tokens = 3;
  const auto answer = run(request);
  ASSERT_TRUE(answer->finished());
  EXPECT_EQ((*answer->prepared())->max_output_tokens, 3u);
  EXPECT_EQ(answer->finished()->reason, domain::EndReason::Length);
  EXPECT_EQ(answer->finished()->usage.output, 3u);
}

TEST_P(EngineContract, ZeroMaxTokensOnlyReadsThePrompt) {
  PrepareRequest request = subject_->talkative();
  request.generation.max_tokens = 0;
  const auto answer = run(request);
  ASSERT_TRUE(answer->finished());
  EXPECT_EQ(answer->text(), "");
  EXPECT_EQ(answer->finished()->reason, domain::EndReason::Length);
  EXPECT_EQ(answer->finished()->usage.output, 0u);
  EXPECT_EQ(answer->finished()->usage.prompt_total(), (*answer->prepared())->prompt_tokens);
}

TEST_P(EngineContract, CountsWithoutATicket) {
  PrepareRequest request = subject_->talkative();
  const auto real = prepare(request);
  request.count_only = true;
  const auto counted = prepare(request);
  ASSERT_TRUE(real->prepared()->has_value());
  ASSERT_TRUE(counted->prepared()->has_value());
  EXPECT_GT((*counted->prepared())->prompt_tokens, 0u);
  EXPECT_EQ((*counted->prepared())->prompt_tokens, (*real->prepared())->prompt_tokens);
  EXPECT_EQ((*counted->prepared())->ticket, 0u);
  engine().cancel((*real->prepared())->ticket);
}

TEST_P(EngineContract, RefusesAPromptThatDoesNotFit) {
  const auto answer = prepare(subject_->too_long());
  ASSERT_TRUE(answer->prepared());
  ASSERT_FALSE(answer->prepared()->has_value());
  const auto overflow = overflow_of(answer->prepared()->error());
  ASSERT_TRUE(overflow) << answer->prepared()->error().message;
  EXPECT_GT(overflow->prompt_tokens, overflow->context_tokens);
  EXPECT_EQ(overflow->context_tokens, engine().info().context_tokens);
}

TEST_P(EngineContract, ReusesAPromptOfTheSameTenantOnly) {
  PrepareRequest request = subject_->talkative();
  request.generation.max_tokens = 2;
  request.generation.conversation.messages[0].parts.push_back(
      domain::TextPart{std::string(2000, 'y')});
  const auto first = run(request);
  const auto again = run(request);
  request.tenant = "somebody else";
  const auto other = run(request);
  ASSERT_TRUE(first->finished() && again->finished() && other->finished());
  EXPECT_LT(again->finished()->work.computed, first->finished()->work.computed);
  EXPECT_EQ(again->finished()->usage.prompt_total(), first->finished()->usage.prompt_total());
  EXPECT_GT(again->finished()->usage.cache_read, 0u);
  EXPECT_EQ(other->finished()->usage.cache_read, 0u);
}

TEST_P(EngineContract, CancelBeforeStartIsSilent) {
  const auto kept = prepare(subject_->talkative());
  ASSERT_TRUE(kept->prepared()->has_value());
  engine().cancel((*kept->prepared())->ticket);
  PrepareRequest request = subject_->talkative();
  request.generation.max_tokens = 2;
  run(request);  // whatever was under way has come by now
  EXPECT_EQ(kept->prepare_answers(), 1);
  EXPECT_TRUE(kept->events().empty());
  subject_->work_until([&] { return engine().status().running == 0; });
  EXPECT_EQ(engine().status().running, 0u);
}

// More of them than an engine has places for, so that one that keeps a place shows.
TEST_P(EngineContract, AQuestionThatIsGivenUpKeepsNoPlace) {
  for (int i = 0; i < 100; ++i) {
    auto recorder = Recorder::make();
    PrepareRequest request = subject_->talkative();
    request.count_only = i % 10 == 9;
    engine().cancel(engine().prepare(std::move(request), recorder->on_prepared()));
    subject_->work_until([&] { return recorder->prepared().has_value(); });
    ASSERT_EQ(recorder->prepare_answers(), 1);
    const auto answer = *recorder->prepared();
    if (!answer) EXPECT_EQ(answer.error().code, base::Code::Cancelled) << answer.error().text();
  }
  PrepareRequest request = subject_->talkative();
  request.generation.max_tokens = 2;
  EXPECT_TRUE(run(request)->finished());
}

TEST_P(EngineContract, CancelRightAfterStart) {
  const auto answer = prepare(subject_->talkative());
  ASSERT_TRUE(answer->prepared()->has_value());
  engine().start((*answer->prepared())->ticket, answer->on_event());
  engine().cancel((*answer->prepared())->ticket);
  engine().cancel((*answer->prepared())->ticket);
  finish(*answer);
  ASSERT_TRUE(answer->finished());
}

TEST_P(EngineContract, CancelAtEveryStep) {
  for (std::size_t step = 1; step <= 8; ++step) {
    PrepareRequest request = subject_->talkative();
    request.generation.max_tokens = 200;
    const auto answer = prepare(request);
    ASSERT_TRUE(answer->prepared()->has_value());
    const Ticket ticket = (*answer->prepared())->ticket;
    engine().start(ticket, answer->on_event([this, ticket, step](std::size_t count) {
      if (count == step) engine().cancel(ticket);
    }));
    finish(*answer);
    ASSERT_TRUE(answer->finished()) << step;
    EXPECT_GE(answer->events().size(), std::min<std::size_t>(step, 2));
    if (answer->finished()->reason == domain::EndReason::ClientAbort) {
      EXPECT_LT(answer->finished()->usage.output, 200u);
    }
    engine().cancel(ticket);  // over: ignored
  }
}

TEST_P(EngineContract, UnknownTicketsAreIgnoredByCancel) {
  engine().cancel(987654321);
  PrepareRequest request = subject_->talkative();
  request.generation.max_tokens = 2;
  EXPECT_TRUE(run(request)->finished());
}

TEST_P(EngineContract, ManyAtOnceAllEnd) {
  std::vector<std::shared_ptr<Recorder>> answers;
  for (int i = 0; i < 6; ++i) {
    PrepareRequest request = subject_->talkative();
    request.generation.max_tokens = 5;
    request.tenant = i % 2 == 0 ? "even" : "odd";
    auto recorder = Recorder::make();
    engine().prepare(std::move(request), recorder->on_prepared());
    answers.push_back(std::move(recorder));
  }
  for (const auto& answer : answers) {
    subject_->work_until([&] { return answer->prepared().has_value(); });
    ASSERT_TRUE(answer->prepared() && answer->prepared()->has_value());
    engine().start((*answer->prepared())->ticket, answer->on_event());
  }
  engine().cancel((*answers[3]->prepared())->ticket);
  for (const auto& answer : answers) finish(*answer);
}

TEST_P(EngineContract, StopStringsAreCutOut) {
  PrepareRequest request = subject_->talkative();
  request.generation.max_tokens = 40;
  request.generation.sampling.temperature = 0;
  const std::string whole = run(request)->text();
  ASSERT_GE(whole.size(), 12u);
  const std::string stop = whole.substr(6, 3);
  request.generation.stop = {"\x01 never \x02", stop};
  const auto answer = run(request);
  ASSERT_TRUE(answer->finished());
  EXPECT_EQ(answer->finished()->reason, domain::EndReason::Stop);
  EXPECT_EQ(answer->finished()->stop_sequence, stop);
  EXPECT_EQ(answer->text(), whole.substr(0, whole.find(stop)));
}

TEST_P(EngineContract, ARequiredToolIsCalled) {
  PrepareRequest request = subject_->talkative();
  request.generation.max_tokens = 100;
  request.generation.conversation.tools.push_back(weather_tool());
  request.generation.conversation.tool_choice.mode = domain::ToolChoice::Mode::Named;
  request.generation.conversation.tool_choice.name = "get_weather";
  // An engine that cannot hold the model to it says so before it answers.
  if (!engine().info().tools) {
    const auto refused = prepare(request);
    ASSERT_TRUE(refused->prepared());
    if (!refused->prepared()->has_value()) {
      EXPECT_EQ(refused->prepared()->error().code, base::Code::InvalidArgument);
      return;
    }
    engine().cancel((*refused->prepared())->ticket);
  }
  const auto answer = run(request);
  ASSERT_TRUE(answer->finished());
  ASSERT_GE(answer->calls().size(), 1u);
  EXPECT_EQ(answer->calls()[0].name, "get_weather");
  if (answer->finished()->reason == domain::EndReason::ToolCall) {
    EXPECT_TRUE(answer->calls()[0].arguments_json.contains("\"city\""));
  }
}

}  // namespace fh::engine::testing
