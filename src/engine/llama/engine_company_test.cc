// The engine in company: requests beside each other, tenants, memory pressure, cancels, full
// queues, loading and stopping. Needs FH_TEST_MODEL, but for loading.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/llama/engine_test_support.h"
#include "engine/llama/facade.h"
#include "engine/llama/llama_engine.h"

namespace fh::engine::llama {
namespace {

// Promise: greedy text does not depend on company, but for near ties. The measure of a tie is the
// margin between the two best tokens where the texts part; the share of such answers is printed and
// bounded.
TEST_F(EngineTest, EightAtOnceGiveTheAnswersOfOneAlone) {
  open();
  constexpr double kNoise = 0.15;  // nats, of quantised weights on CPU
  std::vector<domain::Generation> questions;
  for (int i = 0; i < 8; ++i) {
    questions.push_back(
        ask("Name three facts about the number " + std::to_string(i + 2) + ".", 16));
    questions.back().logprobs = true;
    questions.back().top_logprobs = 2;
  }
  std::vector<std::vector<domain::TokenLogprob>> alone;
  for (const auto& question : questions) {
    Call call;
    start(call, question);
    call.finished();
    alone.push_back(call.logprobs());
  }
  std::vector<Call> calls(8);
  for (std::size_t i = 0; i < 8; ++i) start(calls[i], questions[i]);
  int ties = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    calls[i].finished();
    const auto& together = calls[i].logprobs();
    for (std::size_t t = 0; t < std::min(alone[i].size(), together.size()); ++t) {
      if (alone[i][t].token == together[t].token) continue;
      const double margin = alone[i][t].top[0].logprob - alone[i][t].top[1].logprob;
      EXPECT_LT(margin, kNoise) << "answer " << i << " parts at token " << t;
      ++ties;
      break;
    }
  }
  std::printf("near ties: %d of 8 answers\n", ties);
  EXPECT_LE(ties, 4);
  std::size_t widest = 0;
  for (const StepReport& step : reports()) widest = std::max(widest, step.decoders.size());
  EXPECT_EQ(widest, 8U);
}

TEST_F(EngineTest, OnePrefixForManyIsComputedOnce) {
  open();
  const std::string document = story(9, "miller");
  std::vector<Call> calls(6);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    start(calls[i], ask(document + "Question " + std::to_string(i) + "?", 4));
  }
  std::uint64_t computed = 0;
  std::uint64_t total = 0;
  for (Call& call : calls) {
    computed += call.finished().work.computed;
    total += call.finished().usage.prompt_total();
  }
  EXPECT_LT(computed, total / 6 + 6 * 40);
}

TEST_F(EngineTest, TenantsDoNotShare) {
  open();
  const auto question = ask(story(5, "tailor"), 4);
  Call first;
  start(first, question, "one");
  first.finished();
  Call second;
  start(second, question, "two");
  EXPECT_EQ(second.finished().work.restored, 0U);
}

TEST_F(EngineTest, CancelEndsWithinAStepAndKeepsThePrefix) {
  open();
  const auto question = ask(story(16, "smith"), 200);
  Call call;
  start(call, question);
  call.wait_started();
  // A step takes up to 64 tokens while nothing else runs; wait for the first.
  while (reports().empty()) std::this_thread::yield();
  engine->cancel(call.ticket);
  EXPECT_EQ(call.finished().reason, domain::EndReason::ClientAbort);
  const auto done = call.finished();
  EXPECT_GT(done.work.computed, 0U);
  EXPECT_EQ(done.usage.prompt_total(), done.work.computed);
  domain::Finished again;
  auto next = question;
  next.max_tokens = 4;
  answer(next, &again);
  EXPECT_GE(again.work.restored, done.work.computed / 32 * 32);
  engine->cancel(call.ticket);  // ignored
  engine->cancel(999'999);
}

TEST_F(EngineTest, ALongPrefillDoesNotStopARunningAnswer) {
  open();
  Call talker;
  auto chat = ask("Tell me a long story about a whale.", 400);
  start(talker, chat);
  talker.wait_text(3);
  Call reader;
  start(reader, ask(story(14, "notary"), 4));
  reader.finished();
  engine->cancel(talker.ticket);
  talker.finished();
  // From the first to the last piece of the long prompt the talker gets a token in every step, and
  // never waits for more than one piece's worth of prefill.
  std::size_t with_pieces = 0;
  std::size_t tokens_between = 0;
  bool begun = false;
  const auto all = reports();
  const auto is_reader = [&](const StepReport& s) {
    return std::ranges::any_of(s.pieces, [&](const auto& p) { return p.ticket == reader.ticket; });
  };
  const auto last = std::ranges::find_if(all.rbegin(), all.rend(), is_reader).base();
  for (auto it = all.begin(); it != last; ++it) {
    begun = begun || is_reader(*it);
    if (!begun) continue;
    const bool talking = std::ranges::find(it->decoders, talker.ticket) != it->decoders.end();
    if (!talking) continue;
    ++tokens_between;
    if (is_reader(*it)) {
      ++with_pieces;
      std::uint32_t prefilled = 0;
      for (const auto& piece : it->pieces) prefilled += piece.end - piece.begin;
      EXPECT_LE(prefilled, 64U);
    }
  }
  EXPECT_GE(with_pieces, 5U);
  EXPECT_GE(tokens_between, with_pieces);
}

// A short question that comes while only a long prompt is read is the next to be read, and has its
// first token in the step after that.
TEST_F(EngineTest, AShortQuestionGoesBeforeALongPrompt) {
  auto o = options();
  o.step_tokens_max = 256;
  Call reader;
  Call asker;
  std::atomic<std::uint64_t> asked_in = 0;
  std::optional<Prepared> question;
  const auto record = o.on_step;
  const EndsEngine ends(engine);
  o.on_step = [&](const StepReport& report) {
    record(report);
    if (asked_in > 0 || report.pieces.empty() || report.pieces[0].ticket != reader.ticket) return;
    asked_in = report.number;
    engine->start(question->ticket, asker.receiver());
  };
  open(o);
  const auto prepared = prepare(ask("And who are you?", 4));
  ASSERT_TRUE(prepared);
  question = *prepared;
  const auto slow = prepare(ask(story(60, "notary"), 4));
  ASSERT_TRUE(slow);
  reader.ticket = slow->ticket;
  engine->start(slow->ticket, reader.receiver());
  asker.finished();
  reader.finished();
  const auto all = reports();
  const auto step = [&](std::uint64_t number) {
    return std::ranges::find(all, number, &StepReport::number);
  };
  const auto read = step(asked_in + 1);
  ASSERT_NE(read, all.end());
  EXPECT_EQ(read->pieces.back().ticket, question->ticket);
  const auto first_token = step(asked_in + 2);
  ASSERT_NE(first_token, all.end());
  EXPECT_NE(std::ranges::find(first_token->decoders, question->ticket),
            first_token->decoders.end());
}

TEST_F(EngineTest, SideRequestsNeverEvictALongConversation) {
  auto o = options();
  o.parked_bytes_max = 480ULL * 24'000;  // about 480 tokens of the test model
  open(o);
  const auto conversation = ask(story(12, "captain"), 2);
  domain::Finished first;
  answer(conversation, &first);
  for (int i = 0; i < 5; ++i) answer(ask(story(3, "guest" + std::to_string(i)), 2));
  domain::Finished again;
  answer(conversation, &again);
  EXPECT_GE(again.work.restored, first.usage.prompt_total() / 32 * 32 - 32);
}

TEST_F(EngineTest, AFullPoolSetsTheYoungestAsideAndFailsNobody) {
  auto o = options();
  o.context_tokens = 256;
  o.kv_bytes_max = 1;  // one context for all
  o.output_reserve = 8;
  o.latency_factor = 1000;  // prompts beside answers are not held back, however fast the machine is
  // The engine thread does not go on after its first step until all have been started.
  std::mutex mutex;
  std::condition_variable changed;
  bool all_started = true;
  const auto record = o.on_step;
  const EndsEngine ends(engine);
  o.on_step = [&](const StepReport& report) {
    record(report);
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return all_started; });
  };
  open(o);
  // No answer ends by itself: each takes some 45 + 64 cells, all of them well over twice what
  // there is.
  const auto vocabulary = Model::load({model_path(), true, {}});
  ASSERT_TRUE(vocabulary.has_value());
  std::vector<std::pair<std::int32_t, double>> no_end;
  for (std::uint32_t t = 0; t < (*vocabulary)->vocabulary_size(); ++t) {
    const auto token = static_cast<Token>(t);
    if ((*vocabulary)->is_end(token)) no_end.emplace_back(token, -1000.0);
  }
  const auto question = [&](std::size_t i) {
    auto generation = ask("Tell a story about animal number " + std::to_string(i), 64);
    for (const auto& [token, bias] : no_end) {
      generation.sampling.logit_bias.emplace_back(token, bias);
    }
    return generation;
  };
  const std::string expected = answer(question(0));
  std::vector<Call> calls(6);
  {
    const std::lock_guard lock(mutex);
    all_started = false;
  }
  for (std::size_t i = 0; i < calls.size(); ++i) start(calls[i], question(i));
  {
    const std::lock_guard lock(mutex);
    all_started = true;
  }
  changed.notify_all();
  for (Call& call : calls) {
    const auto& done = call.finished();
    EXPECT_EQ(done.reason, domain::EndReason::Length);
    EXPECT_EQ(done.usage.output, 64U);
    EXPECT_FALSE(call.text().empty());
  }
  EXPECT_GE(engine->probe()->requests_parked, 2U);
  EXPECT_EQ(calls[0].text().substr(0, 20), expected.substr(0, 20));
  EXPECT_EQ(engine->status().kv_tokens_used, 0U);
}

TEST_F(EngineTest, AFullQueueIsRefusedWithAHint) {
  auto o = options();
  o.sequences_max = 1;
  o.queue_max = 2;
  open(o);
  std::vector<Call> calls(3);
  for (Call& call : calls) start(call, ask("Tell me a very long story.", 200));
  const auto refused = prepare(ask("One more?", 4));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, base::Code::ResourceExhausted);
  EXPECT_FALSE(refused.error().hint.empty());
  for (Call& call : calls) engine->cancel(call.ticket);
  for (Call& call : calls) EXPECT_EQ(call.finished().reason, domain::EndReason::ClientAbort);
  EXPECT_TRUE(prepare(ask("Now?", 4)).has_value());
}

TEST_F(EngineTest, CancelledTwiceItEndsOnce) {
  auto o = options();
  Call call;
  std::atomic<bool> cancelled = false;
  const auto record = o.on_step;
  const EndsEngine ends(engine);
  o.on_step = [&](const StepReport& report) {  // both before the engine looks again
    record(report);
    if (report.decoders.empty() || cancelled.exchange(true)) return;
    engine->cancel(call.ticket);
    engine->cancel(call.ticket);
  };
  open(o);
  start(call, ask("Tell me a very long story.", 200));
  EXPECT_EQ(call.finished().reason, domain::EndReason::ClientAbort);
  EXPECT_FALSE(answer(ask("Now?", 4)).empty());  // after it: a second end would have been seen
}

TEST_F(EngineTest, CancelBeforeStartFreesThePlace) {
  auto o = options();
  o.sequences_max = 1;
  o.queue_max = 1;
  open(o);
  for (int i = 0; i < 5; ++i) {
    const auto prepared = prepare(ask("Hello", 4));
    ASSERT_TRUE(prepared.has_value());
    engine->cancel(prepared->ticket);
  }
  EXPECT_NE(answer(ask("Hello", 4)), "");
}

TEST_F(EngineTest, PreparesAndStartsWhileLoadingAndAnswersAtTheEnd) {
  auto created = LlamaEngine::create(options(), {random, clock});
  ASSERT_TRUE(created.has_value());
  engine = std::move(*created);
  Call call;
  start(call, ask("Hello", 4));  // no waiting for Ready
  EXPECT_GT(call.finished().usage.output, 0U);
}

TEST_F(EngineTest, StoppingAnswersEverybody) {
  open();
  std::vector<Call> calls(12);
  for (Call& call : calls) start(call, ask("Tell me a very long story.", 1000));
  calls[0].wait_text(1);
  engine.reset();  // must not return before every request has its terminal event
  for (Call& call : calls) EXPECT_TRUE(call.ended());
}

TEST(EngineLoad, AnUnreadableModelFailsWithItsReason) {
  base::SeededRandom random(1);
  base::SystemClock clock;
  LlamaOptions o;
  o.model_path = "/nonexistent.gguf";
  auto created = LlamaEngine::create(o, {random, clock});
  ASSERT_TRUE(created.has_value());
  EXPECT_EQ((*created)->wait_loaded(), ModelState::Failed);
  EXPECT_NE((*created)->info().detail.find("nonexistent"), std::string::npos);
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<base::Code> code;
  (*created)->prepare({}, [&](base::Result<Prepared> result) {
    const std::lock_guard lock(mutex);
    code = result ? base::Code::Unknown : result.error().code;
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return code.has_value(); });
  EXPECT_EQ(*code, base::Code::Unavailable);
}

TEST(EngineLoad, ModelsShareTheMemory) {
  constexpr std::uint64_t kGiB = 1ULL << 30;
  EXPECT_EQ(memory_share(64 * kGiB, 1), 8 * kGiB);
  EXPECT_EQ(memory_share(64 * kGiB, 0), 8 * kGiB);
  EXPECT_EQ(memory_share(64 * kGiB, 4), 2 * kGiB);
  EXPECT_EQ(memory_share(64 * kGiB, 1000), kGiB / 4);
}

TEST(EngineLoad, RefusesImpossibleOptions) {
  base::SeededRandom random(1);
  base::SystemClock clock;
  const auto field = [&](auto change) {
    LlamaOptions o;
    o.model_path = "x";
    change(o);
    const auto created = LlamaEngine::create(o, {random, clock});
    return created ? std::string() : created.error().field;
  };
  EXPECT_EQ(field([](LlamaOptions& o) { o.model_path.clear(); }), "model_path");
  EXPECT_EQ(field([](LlamaOptions& o) { o.sequences_max = 0; }), "sequences_max");
  EXPECT_EQ(field([](LlamaOptions& o) { o.sequences_max = 65; }), "sequences_max");
  EXPECT_EQ(field([](LlamaOptions& o) { o.chunk_tokens = 100; }), "chunk_tokens");
  EXPECT_EQ(field([](LlamaOptions& o) { o.step_tokens_max = 0; }), "step_tokens_max");
  EXPECT_EQ(field([](LlamaOptions& o) { o.queue_max = 0; }), "queue_max");
}

}  // namespace
}  // namespace fh::engine::llama
