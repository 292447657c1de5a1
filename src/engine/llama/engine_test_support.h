#pragma once
// For the tests of the whole engine on a real model: one call in flight, and an engine that tells
// of its steps. Needs FH_TEST_MODEL, the path of a small GGUF file with a chat template.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/event_order.h"
#include "engine/llama/llama_engine.h"

namespace fh::engine::llama {

inline const char* model_path() {
  return std::getenv("FH_TEST_MODEL");
}
inline constexpr auto kPatience =
    std::chrono::minutes(10);  // a hang ends the test; not a measure of speed

// One request in flight: its events, checked as they come.
class Call {
 public:
  EventFn receiver() {
    return [this](domain::Event event) { receive(std::move(event)); };
  }
  void receive(domain::Event event) {
    const std::lock_guard lock(mutex_);
    const auto status = order_.accept(event);
    EXPECT_TRUE(status.has_value()) << status.error().text();
    if (auto* text = std::get_if<domain::TextDelta>(&event)) {
      text_ += text->text;
      for (auto& lp : text->logprobs) logprobs_.push_back(std::move(lp));
    }
    events_.push_back(std::move(event));
    changed_.notify_all();
  }
  // Waits for the terminal event.
  const domain::Finished& finished() {
    wait([this] { return order_.ended(); });
    const auto* done = std::get_if<domain::Finished>(&events_.back());
    static const domain::Finished kNone;
    if (done == nullptr) {
      ADD_FAILURE() << std::get<domain::Failed>(events_.back()).error.text();
      return kNone;
    }
    return *done;
  }
  void wait_text(std::size_t deltas) {
    wait([&] {
      return order_.ended() ||
             static_cast<std::size_t>(std::ranges::count_if(events_, [](const auto& e) {
               return std::holds_alternative<domain::TextDelta>(e);
             })) >= deltas;
    });
  }
  bool ended() {
    const std::lock_guard lock(mutex_);
    return order_.ended();
  }
  void wait_started() {
    wait([this] { return order_.started() || order_.ended(); });
  }
  const std::string& text() const { return text_; }
  const std::vector<domain::TokenLogprob>& logprobs() const { return logprobs_; }
  Ticket ticket = 0;

 private:
  template <typename Condition>
  void wait(Condition condition) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, kPatience, condition));
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  EventOrder order_;
  std::vector<domain::Event> events_;
  std::string text_;
  std::vector<domain::TokenLogprob> logprobs_;
};

inline domain::Generation ask(const std::string& text, std::uint32_t max_tokens = 24) {
  domain::Generation generation;
  domain::Message message;
  message.role = domain::Role::User;
  message.parts.emplace_back(domain::TextPart{text});
  generation.conversation.messages.push_back(std::move(message));
  generation.sampling.temperature = 0;
  generation.max_tokens = max_tokens;
  return generation;
}

inline std::string story(std::size_t sentences, const std::string& about) {
  std::string out;
  for (std::size_t i = 0; i < sentences; ++i) {
    out += "On day " + std::to_string(i + 1) + " the " + about + " met traveller number " +
           std::to_string(i * 17 % 101) + " and told a new story. ";
  }
  return out;
}

// Ends the engine where the test leaves the scope: a step's report comes after the last event of
// its requests, when what on_step refers to may be gone. Declared after all of that.
class EndsEngine {
 public:
  explicit EndsEngine(std::unique_ptr<LlamaEngine>& engine) : engine_(engine) {}
  ~EndsEngine() { engine_.reset(); }
  EndsEngine(const EndsEngine&) = delete;
  EndsEngine& operator=(const EndsEngine&) = delete;

 private:
  std::unique_ptr<LlamaEngine>& engine_;
};

class EngineTest : public testing::Test {
 protected:
  void SetUp() override {
    if (model_path() == nullptr) GTEST_SKIP() << "FH_TEST_MODEL is not set";
  }
  LlamaOptions options() {
    LlamaOptions o;
    o.model_path = model_path();
    o.model_id = "test";
    o.context_tokens = 2048;
    o.sequences_max = 8;
    o.threads = 1;  // a busy machine makes several wait for each other
    o.chunk_tokens = 32;
    o.step_tokens_max = 64;
    o.kv_bytes_max = 256 << 20;
    o.parked_bytes_max = 512 << 20;
    o.on_step = [this](const StepReport& report) {
      const std::lock_guard lock(steps_mutex);
      steps.push_back(report);
    };
    return o;
  }
  void open(const LlamaOptions& o) {
    engine.reset();
    auto created = LlamaEngine::create(o, {random, clock});
    ASSERT_TRUE(created.has_value()) << created.error().text();
    engine = std::move(*created);
    ASSERT_EQ(engine->wait_loaded(), ModelState::Ready) << engine->info().detail;
  }
  void open() { open(options()); }

  base::Result<Prepared> prepare(domain::Generation generation, bool count_only = false,
                                 const std::string& tenant = "t") {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<base::Result<Prepared>> answer;
    PrepareRequest request;
    request.request_id = "req_test";
    request.tenant = tenant;
    request.generation = std::move(generation);
    request.count_only = count_only;
    engine->prepare(std::move(request), [&](base::Result<Prepared> result) {
      const std::lock_guard lock(mutex);
      answer = std::move(result);
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return answer.has_value(); });
    return *answer;
  }
  void start(Call& call, domain::Generation generation, const std::string& tenant = "t") {
    const auto prepared = prepare(std::move(generation), false, tenant);
    ASSERT_TRUE(prepared.has_value()) << prepared.error().text();
    call.ticket = prepared->ticket;
    engine->start(prepared->ticket, call.receiver());
  }
  std::string answer(const domain::Generation& generation, domain::Finished* finished = nullptr) {
    Call call;
    start(call, generation);
    const domain::Finished& done = call.finished();
    if (finished != nullptr) *finished = done;
    return call.text();
  }
  std::vector<StepReport> reports() {
    const std::lock_guard lock(steps_mutex);
    return steps;
  }

  base::SeededRandom random{1};
  base::SystemClock clock;
  std::mutex steps_mutex;
  std::vector<StepReport> steps;
  std::unique_ptr<LlamaEngine> engine;
};

}  // namespace fh::engine::llama
