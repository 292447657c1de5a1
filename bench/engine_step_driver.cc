// Drives LlamaEngine through the Engine interface the way llama-bench drives libllama: one prompt's
// prefill, then S streams that all generate, greedy. The decode rate is taken between the ends of
// the first and the last step in which all S streams generated and nothing was prefilled, so it
// holds everything a step costs here: planning, the batch, sampling, output, events. The same
// number of tokens is also computed by the library alone, in batches of 512 that no prompt's end
// and no boundary of reuse cuts, and of which nothing is kept: what the engine's care for prefixes
// costs a cold prompt. Prints one line of JSON.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "engine/llama/facade.h"
#include "engine/llama/llama_engine.h"

namespace fh::bench {
namespace {

using engine::llama::Batch;
using engine::llama::Context;
using engine::llama::LlamaEngine;
using engine::llama::LlamaOptions;
using engine::llama::Model;
using engine::llama::StepReport;

constexpr std::size_t kStepsMin = 16;
constexpr std::uint32_t kUncutBatch = 512;  // what llama.cpp computes at once by default
constexpr std::uint32_t kPrefills = 3;
constexpr double kNoLimit = 1e6;  // latency_factor: prompts join as fast as they can be computed

struct Options {
  std::string model;
  std::uint32_t threads = 1;
  std::uint32_t streams = 1;
  std::uint32_t prompt_tokens = 256;   // the streams' prompts have at least this many
  std::uint32_t prefill_tokens = 512;  // and the one whose prefill is timed this many; 0 = none
  std::uint32_t output_tokens = 128;
};

// The end of each step of the engine.
struct Step {
  base::TimePoint end{};
  std::int64_t library_ns = 0;  // of it inside llama_decode
  std::size_t decoders = 0;
  bool prefill = false;
};

class Steps {
 public:
  void add(const StepReport& report) {
    const std::lock_guard lock(mutex_);
    steps_.push_back(
        {clock_.now(), report.decode_ns, report.decoders.size(), !report.pieces.empty()});
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    steps_.clear();
  }
  struct Rate {
    std::size_t steps = 0;
    double tokens_per_second = 0;
    double library_share = 0;  // of the time, inside the library; the rest is our own
  };
  // Over the longest run of steps that only decoded `streams` streams.
  Rate decode_rate(std::size_t streams) {
    const std::lock_guard lock(mutex_);
    std::size_t best_first = 0;
    std::size_t best_count = 0;
    std::size_t count = 0;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      count = steps_[i].decoders == streams && !steps_[i].prefill ? count + 1 : 0;
      if (count <= best_count) continue;
      best_count = count;
      best_first = i + 1 - count;
    }
    if (best_count < 2) return {};
    const std::chrono::duration<double> took =
        steps_[best_first + best_count - 1].end - steps_[best_first].end;
    const std::size_t steps = best_count - 1;
    double library_s = 0;
    for (std::size_t i = best_first + 1; i < best_first + best_count; ++i) {
      library_s += static_cast<double>(steps_[i].library_ns) / 1e9;
    }
    return {steps, static_cast<double>(steps * streams) / took.count(), library_s / took.count()};
  }

 private:
  const base::SystemClock clock_;
  std::mutex mutex_;
  std::vector<Step> steps_;
};

// Waits for a value that a callback brings.
template <typename T>
class Answer {
 public:
  void set(T value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
    changed_.notify_all();
  }
  T wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return value_.has_value(); });
    return std::move(*value_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
};

// A list that the model is asked to go on with: it does not come to an end soon. The number makes
// prompts differ from their beginning, so that none shares work with another.
std::string prompt_text(std::uint32_t number, std::uint32_t lines) {
  std::string out = fmt::format("List {}. Go on with this list up to line 1000, one line each.\n",
                                number * 7919 + 13);
  for (std::uint32_t i = 1; i <= lines; ++i) {
    out += fmt::format("{}. item number {} of list {}\n", i, i, number);
  }
  return out;
}

domain::Generation generation_of(const std::string& text, std::uint32_t output_tokens) {
  domain::Generation generation;
  domain::Message message;
  message.role = domain::Role::User;
  message.parts.emplace_back(domain::TextPart{text});
  generation.conversation.messages.push_back(std::move(message));
  generation.sampling.temperature = 0;
  generation.max_tokens = output_tokens;
  return generation;
}

class Bench {
 public:
  explicit Bench(Options options) : options_(std::move(options)) {}

  base::Status open() {
    LlamaOptions o;
    o.model_path = options_.model;
    o.model_id = "bench";
    o.threads = options_.threads;
    o.adapt_threads = false;
    o.sequences_max = options_.streams;
    // The pool holds a few whole contexts, not one per stream: half the streams in each is enough.
    const std::uint32_t each = (options_.prompt_tokens + options_.output_tokens) * 5 / 4 + 16;
    o.context_tokens =
        std::max({each * ((options_.streams + 1) / 2), 512U, options_.prefill_tokens * 5 / 4 + 16});
    o.latency_factor = kNoLimit;
    o.on_step = [this](const StepReport& report) { steps_.add(report); };
    FH_TRY(engine_, LlamaEngine::create(std::move(o), {random_, clock_}));
    if (engine_->wait_loaded() != engine::ModelState::Ready) {
      return base::fail(base::Code::FailedPrecondition, engine_->info().detail);
    }
    if (options_.prefill_tokens == 0) return {};
    // A server settles how prompts may be cut in its first idle seconds.
    for (int i = 0; i < 6000 && engine_->probe()->piece_tokens == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return {};
  }

  base::Status run() {
    FH_TRY(const std::uint32_t lines, find_lines(options_.prompt_tokens));
    FH_TRY(const Compared prefill_rates, compare_prefill());
    // The streams' prompts are computed once and parked, so that they join quickly.
    std::uint64_t prompt_tokens = 0;
    for (std::uint32_t s = 0; s < options_.streams; ++s) {
      FH_TRY(const Prefilled parked, prefill(s, lines));
      prompt_tokens = parked.tokens;
    }
    steps_.clear();
    FH_TRY_VOID(generate_all(lines));
    const Steps::Rate rate = steps_.decode_rate(options_.streams);
    if (rate.steps < kStepsMin) {
      return base::fail(base::Code::FailedPrecondition,
                        fmt::format("only {} steps had all streams in them", rate.steps),
                        "raise --output");
    }
    fmt::print(
        "{{\"streams\": {}, \"prompt_tokens\": {}, \"prefill_tokens\": {}, "
        "\"prefill_tokens_per_s\": {:.3f}, \"uncut_tokens_per_s\": {:.3f}, "
        "\"piece_tokens\": {}, \"decode_steps\": {}, \"decode_tokens_per_s\": {:.3f}, "
        "\"library_share\": {:.4f}}}\n",
        options_.streams, prompt_tokens, prefill_rates.tokens, prefill_rates.ours,
        prefill_rates.uncut, engine_->probe()->piece_tokens.load(), rate.steps,
        rate.tokens_per_second, rate.library_share);
    return {};
  }

 private:
  base::Result<engine::Prepared> prepare(domain::Generation generation, bool count_only) {
    engine::PrepareRequest request;
    request.request_id = "req_bench";
    request.tenant = "bench";
    request.generation = std::move(generation);
    request.count_only = count_only;
    auto answer = std::make_shared<Answer<base::Result<engine::Prepared>>>();
    engine_->prepare(std::move(request), [answer](base::Result<engine::Prepared> prepared) {
      answer->set(std::move(prepared));
    });
    return answer->wait();
  }

  base::Result<std::uint32_t> find_lines(std::uint32_t tokens) {
    for (std::uint32_t lines = 1; lines < 10'000; ++lines) {
      FH_TRY(const auto counted, prepare(generation_of(prompt_text(1, lines), 1), true));
      if (counted.prompt_tokens >= tokens) return lines;
    }
    return base::fail(base::Code::Internal, "the prompt does not grow");
  }

  using End = Answer<domain::Event>;
  // Makes a request ready; returns the tokens of its prompt.
  base::Result<std::uint64_t> make_ready(std::uint32_t number, std::uint32_t lines,
                                         std::uint32_t output_tokens) {
    FH_TRY(const auto prepared,
           prepare(generation_of(prompt_text(number, lines), output_tokens), false));
    tickets_.push_back(prepared.ticket);
    ends_.push_back(std::make_shared<End>());
    return prepared.prompt_tokens;
  }

  // Starts all that are ready.
  void launch() {
    for (std::size_t i = 0; i < tickets_.size(); ++i) {
      engine_->start(tickets_[i], [end = ends_[i]](domain::Event event) {
        if (domain::is_terminal(event)) end->set(std::move(event));
      });
    }
    tickets_.clear();
  }

  base::Status join() {
    for (const auto& end : ends_) {
      const domain::Event event = end->wait();
      if (const auto* failed = std::get_if<domain::Failed>(&event)) {
        return std::unexpected(failed->error);
      }
    }
    ends_.clear();
    return {};
  }

  struct Prefilled {
    std::uint64_t tokens = 0;
    double seconds = 0;
  };
  // From start() to the end of a request for one token.
  base::Result<Prefilled> prefill(std::uint32_t number, std::uint32_t lines) {
    Prefilled out;
    FH_TRY(out.tokens, make_ready(number, lines, 1));
    const base::TimePoint begun = clock_.now();
    launch();
    FH_TRY_VOID(join());
    out.seconds = std::chrono::duration<double>(clock_.now() - begun).count();
    return out;
  }

  struct Compared {
    std::uint64_t tokens = 0;
    double ours = 0;  // tokens per second, medians
    double uncut = 0;
  };
  // In turns, each after a first one that wakes up what is lazy.
  base::Result<Compared> compare_prefill() {
    Compared out;
    if (options_.prefill_tokens == 0) return out;
    FH_TRY(const std::uint32_t lines, find_lines(options_.prefill_tokens));
    FH_TRY(const Prefilled first, prefill(1000, lines));
    out.tokens = first.tokens;
    FH_TRY(auto model, Model::load({options_.model, false, {}}));
    FH_TRY(auto context, Context::create(std::move(model), {options_.prefill_tokens * 5 / 4 + 16, 1,
                                                            kUncutBatch, 1, options_.threads}));
    FH_TRY_VOID(uncut_seconds(*context, out.tokens));
    std::array<double, kPrefills> ours{};
    std::array<double, kPrefills> uncut{};
    for (std::uint32_t i = 0; i < kPrefills; ++i) {
      rest();
      FH_TRY(const Prefilled measured, prefill(1001 + i, lines));
      ours[i] = static_cast<double>(measured.tokens) / measured.seconds;
      rest();
      FH_TRY(const double seconds, uncut_seconds(*context, out.tokens));
      uncut[i] = static_cast<double>(out.tokens) / seconds;
    }
    std::ranges::sort(ours);
    std::ranges::sort(uncut);
    out.ours = ours[kPrefills / 2];
    out.uncut = uncut[kPrefills / 2];
    return out;
  }

  // Threads of the library go on spinning for a while after a batch: those of the one would hold up
  // the other.
  static void rest() { std::this_thread::sleep_for(std::chrono::milliseconds(500)); }

  base::Result<double> uncut_seconds(Context& context, std::uint64_t tokens) {
    context.clear_all();
    const base::TimePoint begun = clock_.now();
    for (std::uint32_t at = 0; at < tokens;) {
      const auto end =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(tokens, at + kUncutBatch));
      Batch batch;
      for (; at < end; ++at) {
        batch.add({static_cast<engine::llama::Token>(1000 + at * 31 % 20'000),
                   static_cast<engine::llama::Position>(at), 0, at + 1 == tokens});
      }
      FH_TRY_VOID(context.decode(batch));
    }
    return std::chrono::duration<double>(clock_.now() - begun).count();
  }

  base::Status generate_all(std::uint32_t lines) {
    for (std::uint32_t s = 0; s < options_.streams; ++s) {
      FH_TRY_VOID(make_ready(s, lines, options_.output_tokens));
    }
    launch();
    return join();
  }

  const Options options_;
  base::SystemClock clock_;
  base::SystemRandom random_;
  Steps steps_;
  std::unique_ptr<LlamaEngine> engine_;
  std::vector<engine::Ticket> tickets_;
  std::vector<std::shared_ptr<End>> ends_;
};

void take(const std::map<std::string, std::string>& flags, const std::string& name,
          std::uint32_t& out) {
  const auto found = flags.find(name);
  if (found == flags.end()) return;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), out);
}

base::Status run(int count, char** arguments) {
  std::map<std::string, std::string> flags;
  for (int i = 1; i + 1 < count; i += 2) flags[arguments[i]] = arguments[i + 1];
  Options options;
  options.model = flags["--model"];
  take(flags, "--threads", options.threads);
  take(flags, "--streams", options.streams);
  take(flags, "--prompt", options.prompt_tokens);
  take(flags, "--prefill", options.prefill_tokens);
  take(flags, "--output", options.output_tokens);
  if (options.model.empty()) {
    return base::fail(base::Code::InvalidArgument,
                      "usage: engine_step_driver --model FILE [--threads N] [--streams N] "
                      "[--prompt TOKENS] [--prefill TOKENS] [--output TOKENS]");
  }
  Bench bench(std::move(options));
  FH_TRY_VOID(bench.open());
  return bench.run();
}

}  // namespace
}  // namespace fh::bench

int main(int count, char** arguments) {
  fh::base::log_configure(fh::base::LogFormat::Human, fh::base::Level::Error, "bench");
  const fh::base::Status status = fh::bench::run(count, arguments);
  if (status) return 0;
  fmt::print(stderr, "engine_step_driver: {}\n", status.error().text());
  return 1;
}
