// The whole engine on a real model: equality alone, together and cached, seeds, stops, UTF-8. Needs
// FH_TEST_MODEL. Nothing here is timed; what must not wait is shown by counting steps.
#include "engine/llama/llama_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <optional>
#include <thread>

#include "codec/utf8.h"
#include "engine/llama/engine_test_support.h"
#include "engine/llama/facade.h"
#include "engine/test_support.h"

namespace fh::engine::llama {
namespace {

TEST_F(EngineTest, AnswersAndCounts) {
  open();
  EXPECT_EQ(engine->info().context_tokens, 2048U);
  const auto counted = prepare(ask("What is the capital of France?"), true);
  ASSERT_TRUE(counted.has_value());
  EXPECT_EQ(counted->ticket, 0U);
  domain::Finished done;
  const std::string text = answer(ask("What is the capital of France?", 16), &done);
  EXPECT_GT(text.size(), 10U);
  EXPECT_EQ(done.usage.prompt_total(), counted->prompt_tokens);
  EXPECT_GT(done.usage.output, 3U);
  EXPECT_GT(done.timings.prefill_ns, 0);
  EXPECT_GT(done.timings.decode_ns, 0);
  EXPECT_EQ(engine->status().running, 0U);
  EXPECT_EQ(engine->status().kv_tokens_used, 0U);
}

// The preparing thread is held by the test, in the answer to the first question.
TEST_F(EngineTest, AQuestionThatWaitsForItsTurnIsGivenUpUnprepared) {
  open();
  std::promise<void> held;
  std::promise<void> go_on;
  PrepareRequest first;
  first.generation = ask("first");
  engine->prepare(std::move(first), [&](base::Result<Prepared> result) {
    EXPECT_TRUE(result.has_value());
    held.set_value();
    go_on.get_future().wait();
  });
  held.get_future().wait();
  std::promise<base::Result<Prepared>> second;
  PrepareRequest request;
  request.generation = ask("second");
  const Ticket number = engine->prepare(
      std::move(request), [&](base::Result<Prepared> result) { second.set_value(result); });
  engine->cancel(number);
  engine->cancel(number);
  go_on.set_value();
  const base::Result<Prepared> answer = second.get_future().get();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, base::Code::Cancelled);
}

TEST_F(EngineTest, GreedyAnswersCachedAreThoseComputedCold) {
  open();
  const auto question = ask(story(9, "ferryman") + "Who told the stories?", 16);
  domain::Finished cold;
  domain::Finished cached;
  const std::string first = answer(question, &cold);
  const std::string second = answer(question, &cached);
  EXPECT_EQ(first, second);
  EXPECT_EQ(cold.work.restored + cold.work.cached, 0U);
  EXPECT_GE(cached.work.restored, 128U);
  EXPECT_EQ(cached.work.computed, 1U);
  EXPECT_EQ(cold.usage.cache_write_5m, cached.usage.cache_read + cached.usage.cache_write_5m);
  EXPECT_EQ(cached.usage.prompt_total(), cold.usage.prompt_total());
}

TEST_F(EngineTest, ASeedRepeatsColdAndCachedToTheBit) {
  auto long_chunks = options();
  long_chunks.chunk_tokens = 128;
  if (const char* threads = std::getenv("FH_TEST_THREADS")) {
    // More than one splits attention by the layout of the pool; too slow for a busy machine.
    long_chunks.threads = static_cast<std::uint32_t>(std::atoi(threads));
    long_chunks.adapt_threads = false;
  }
  open(long_chunks);
  auto question = ask(story(16, "baker") + "Write a strange poem about it.", 16);
  question.sampling.temperature = 1.3;
  question.sampling.top_p = 1.0;
  question.sampling.seed = 4711;
  question.logprobs = true;
  const auto run = [&](domain::Finished* done) {
    Call call;
    start(call, question);
    *done = call.finished();
    std::vector<double> values;
    for (const auto& lp : call.logprobs()) values.push_back(lp.logprob);
    return std::pair(call.text(), values);
  };
  domain::Finished cold;
  domain::Finished cached;
  domain::Finished after_others;
  const auto first = run(&cold);
  const auto second = run(&cached);
  answer(ask(story(3, "sailor"), 4));
  const auto third = run(&after_others);
  EXPECT_EQ(first, second);
  EXPECT_EQ(first, third);
  EXPECT_GT(cached.work.restored, 0U);
  EXPECT_EQ(first.second.size(), cold.usage.output);
  open(long_chunks);  // a fresh process would see the same
  domain::Finished fresh;
  EXPECT_EQ(run(&fresh), first);
  EXPECT_EQ(fresh.work.restored, 0U);
}

// Prompts of all lengths: a repeat computes one token and gives the same numbers; so does a prompt
// that shares a beginning with others, in whole pieces only, as if it had been the first.
TEST_F(EngineTest, ARepeatComputesOneTokenAndABeginningIsSharedExactly) {
  auto o = options();
  o.chunk_tokens = 64;
  o.step_tokens_max = 512;
  const auto question = [](std::size_t words) {
    std::string text = "List:";
    for (std::size_t i = 0; i < words; ++i) text += " item " + std::to_string(i * 7 % 10);
    auto generation = ask(text, 3);
    generation.sampling.temperature = 1.2;
    generation.sampling.seed = 99 + words;
    generation.logprobs = true;
    return generation;
  };
  const auto run = [&](const domain::Generation& generation, domain::Finished* done) {
    Call call;
    start(call, generation);
    *done = call.finished();
    std::vector<double> values;
    for (const auto& lp : call.logprobs()) values.push_back(lp.logprob);
    return std::pair(call.text(), values);
  };
  open(o);
  const std::vector<std::size_t> lengths{1, 10, 19, 40, 61, 100};
  std::vector<std::pair<std::string, std::vector<double>>> answers;
  for (const std::size_t words : lengths) {  // each begins like the one before it
    domain::Finished first;
    domain::Finished again;
    answers.push_back(run(question(words), &first));
    EXPECT_EQ(run(question(words), &again), answers.back()) << words;
    EXPECT_EQ(again.work.computed, 1U);
    EXPECT_EQ(again.usage.cache_read, again.usage.prompt_total() - 1);
    EXPECT_EQ(again.usage.prompt_total(), first.usage.prompt_total());
    EXPECT_EQ(first.work.restored % 64, 0U);
  }
  for (std::size_t i = lengths.size(); i-- > 3;) {
    open(o);
    domain::Finished cold;
    EXPECT_EQ(run(question(lengths[i]), &cold), answers[i]) << lengths[i];
    EXPECT_EQ(cold.work.restored, 0U);
  }
}

// Where cuts are free, a cold prompt is computed in large pieces; the numbers are those of single
// chunks and those of a prompt whose beginning was there already.
TEST_F(EngineTest, LargePiecesGiveTheNumbersOfSmallOnes) {
  auto o = options();
  o.chunk_tokens = 64;
  o.step_tokens_max = 64;
  o.step_ns_max = 1e12;  // on no machine is a piece made smaller because it takes long
  auto question = ask(story(28, "gardener") + "What did they tell?", 4);
  question.sampling.temperature = 1.2;
  question.sampling.seed = 5;
  question.logprobs = true;
  const auto run = [&] {
    Call call;
    start(call, question);
    call.finished();
    std::vector<double> values;
    for (const auto& lp : call.logprobs()) values.push_back(lp.logprob);
    return std::pair(call.text(), values);
  };
  const auto largest = [&] {
    std::uint32_t tokens = 0;
    for (const StepReport& step : reports()) {
      for (const auto& piece : step.pieces) tokens = std::max(tokens, piece.end - piece.begin);
    }
    return tokens;
  };
  open(o);
  const auto in_chunks = run();
  EXPECT_EQ(largest(), 64U);
  o.step_tokens_max = 512;
  open(o);
  while (engine->probe()->piece_tokens == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_EQ(engine->probe()->piece_tokens, 512U);
  EXPECT_EQ(run(), in_chunks);
  EXPECT_GE(largest(), 256U);
  open(o);  // the proof is given up for a request
  answer(ask(story(7, "gardener"), 1));
  EXPECT_EQ(run(), in_chunks);
}

TEST_F(EngineTest, WithoutASeedAnswersDiffer) {
  open();
  auto question = ask("Write the first line of a novel.", 24);
  question.sampling.temperature = 1.5;
  question.sampling.top_k = 0;
  question.sampling.top_p = 1.0;
  question.sampling.min_p = 0.0;
  EXPECT_NE(answer(question), answer(question));
}

TEST_F(EngineTest, OverflowIsRefusedBeforeAnythingRuns) {
  open();
  const auto refused = prepare(ask(story(200, "judge"), 8));
  ASSERT_FALSE(refused.has_value());
  const auto overflow = overflow_of(refused.error());
  ASSERT_TRUE(overflow.has_value());
  EXPECT_GT(overflow->prompt_tokens, 2048U);
  EXPECT_EQ(overflow->context_tokens, 2048U);
  EXPECT_TRUE(reports().empty());
}

// A prompt of many megabytes is not tokenised to be refused; what it has is then an estimate.
TEST_F(EngineTest, AHugePromptIsRefusedByItsSize) {
  open();
  std::string text;
  while (text.size() < (3U << 20)) text += "a b c d e f g h ";  // a token for two bytes
  const auto refused = prepare(ask(text, 8));
  ASSERT_FALSE(refused.has_value());
  const auto overflow = overflow_of(refused.error());
  ASSERT_TRUE(overflow.has_value());
  EXPECT_EQ(overflow->context_tokens, 2048U);
  EXPECT_NEAR(static_cast<double>(overflow->prompt_tokens), static_cast<double>(text.size() / 4),
              100.0);
  text.resize(100'000);
  const auto counted = prepare(ask(text, 8), true);
  ASSERT_TRUE(counted.has_value());
  EXPECT_GT(counted->prompt_tokens, text.size() / 3);
}

TEST_F(EngineTest, TheEndOfTheContextIsItsOwnReason) {
  auto o = options();
  o.context_tokens = 128;
  open(o);
  auto question = ask("Count from one to one thousand in words.", 4000);
  const auto prepared = prepare(question);
  ASSERT_TRUE(prepared.has_value());
  EXPECT_EQ(prepared->max_output_tokens, 128 - prepared->prompt_tokens);
  Call call;
  engine->start(prepared->ticket, call.receiver());
  const auto& done = call.finished();
  if (done.reason == domain::EndReason::ContextFull) {
    EXPECT_EQ(done.usage.output, prepared->max_output_tokens);
  } else {
    EXPECT_EQ(done.reason, domain::EndReason::Complete);
  }
}

TEST_F(EngineTest, MaxTokensIsExact) {
  open();
  for (const std::uint32_t max : {1U, 2U, 7U}) {
    domain::Finished done;
    answer(ask("Tell me about the sea.", max), &done);
    EXPECT_EQ(done.reason, domain::EndReason::Length);
    EXPECT_EQ(done.usage.output, max);
  }
}

TEST_F(EngineTest, ZeroTokensOnlyPrewarms) {
  open();
  const auto warm = ask(story(6, "weaver"), 0);
  domain::Finished done;
  EXPECT_EQ(answer(warm, &done), "");
  EXPECT_EQ(done.reason, domain::EndReason::Length);
  EXPECT_EQ(done.usage.output, 0U);
  EXPECT_EQ(done.work.computed, done.usage.prompt_total());
  auto real = warm;
  real.max_tokens = 4;
  domain::Finished after;
  answer(real, &after);
  EXPECT_GT(after.work.restored, after.usage.prompt_total() - 40);
}

TEST_F(EngineTest, StopStringsAreFoundAcrossTokensAndNotGivenOut) {
  open();
  auto question = ask("Repeat exactly: The quick brown fox jumps over the lazy dog.", 40);
  const std::string whole = answer(question);
  ASSERT_GT(whole.size(), 20U);
  // From the middle of one word to the middle of another: spans tokens wherever they end.
  const std::string stop = whole.substr(7, 9);
  question.stop = {"never in there", stop};
  domain::Finished done;
  const std::string cut = answer(question, &done);
  EXPECT_EQ(done.reason, domain::EndReason::Stop);
  EXPECT_EQ(done.stop_sequence, stop);
  EXPECT_EQ(cut, whole.substr(0, whole.find(stop)));
}

domain::Generation forced(const std::string& text, std::uint32_t max_tokens) {
  auto question = ask(text, max_tokens);
  question.conversation.tools = {testing::weather_tool()};
  question.conversation.tool_choice.mode = domain::ToolChoice::Mode::Required;
  return question;
}

TEST_F(EngineTest, AStopStringInsideACallIsNone) {
  open();
  auto question = forced("What is the weather in Paris?", 80);
  question.conversation.tool_choice.parallel = false;
  question.stop = {"city", "get_weather", ":"};
  domain::Finished done;
  EXPECT_EQ(answer(question, &done), "");
  EXPECT_EQ(done.reason, domain::EndReason::ToolCall);
  EXPECT_EQ(done.stop_sequence, "");
}

TEST_F(EngineTest, ACallThatMustComeIsNotRepeatedUntilTheLimit) {
  open();
  constexpr std::uint32_t kLimit = 600;
  domain::Finished done;
  answer(forced("What is the weather in Paris?", kLimit), &done);
  EXPECT_EQ(done.reason, domain::EndReason::ToolCall);
  EXPECT_LT(done.usage.output, kLimit);
}

TEST_F(EngineTest, TextIsWholeUtf8WhateverIsSampled) {
  open();
  auto question = ask("Write emoji and 日本語 and Ελληνικά.", 40);
  question.sampling.temperature = 2.0;
  question.sampling.top_k = 0;
  question.sampling.top_p = 1.0;
  question.sampling.min_p = 0.0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    question.sampling.seed = seed;
    EXPECT_TRUE(
        codec::utf8::valid(answer(question)));  // every delta is checked on its way by EventOrder
  }
}

TEST_F(EngineTest, LogprobsComeWithEveryToken) {
  open();
  auto question = ask("What is two plus two?", 12);
  question.logprobs = true;
  question.top_logprobs = 3;
  Call call;
  start(call, question);
  const auto& done = call.finished();
  EXPECT_EQ(call.logprobs().size(), done.usage.output);
  std::string text;
  for (const auto& lp : call.logprobs()) {
    EXPECT_LE(lp.logprob, 0.0);
    ASSERT_EQ(lp.top.size(), 3U);
    EXPECT_EQ(lp.top[0].token, lp.token);  // greedy
    text.append(lp.bytes.begin(), lp.bytes.end());
  }
  EXPECT_EQ(text, call.text());
}

}  // namespace
}  // namespace fh::engine::llama
