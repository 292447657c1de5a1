// Loading, preparing and ticket keeping; see llama_engine.h. The work on the model is in runner.h.
#include "engine/llama/llama_engine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/log.h"
#include "engine/llama/chat.h"
#include "engine/llama/facade.h"
#include "engine/llama/loader.h"
#include "engine/llama/request.h"
#include "engine/llama/runner.h"
#include "engine/llama/special_text.h"
#include "engine/llama/template_limits.h"

namespace fh::engine::llama {
namespace {

using base::Code;
constexpr std::uint32_t kSequencesMax = 64;
constexpr std::uint32_t kChunkMax = 2048;
constexpr std::size_t kBacklogFactor = 4;  // requests waiting to be prepared, in units of the queue
constexpr double kSecondsSmoothing = 0.2;
constexpr std::uint64_t kShareMin = 256ULL << 20;
constexpr std::uint64_t kBytesPerToken = 4;  // of ordinary text, for what is not counted exactly
// Far above what the checks inside a template allow.
constexpr std::chrono::seconds kRenderBase{30};
constexpr std::chrono::seconds kRenderPerMib{15};

std::uint32_t usable_cores() {
  return std::max(1U, std::thread::hardware_concurrency());
}

[[noreturn]] void end_process() {
  base::log_error("the model's chat template does not come to an end: the worker ends",
                  {{"hint", "use another model file, or one with another chat template"}});
  std::_Exit(70);
}

std::size_t text_bytes(const domain::Generation& generation) {
  std::size_t bytes = 0;
  for (const auto& tool : generation.conversation.tools) {
    bytes += tool.description.size() + tool.parameters_json.size();
  }
  for (const auto& message : generation.conversation.messages) {
    for (const auto& part : message.parts) {
      if (const auto* text = std::get_if<domain::TextPart>(&part)) bytes += text->text.size();
      if (const auto* result = std::get_if<domain::ToolResultPart>(&part)) {
        bytes += result->text.size();
      }
    }
  }
  return bytes;
}

base::Error cancelled() {
  return {Code::Cancelled, "the request was given up", {}, {}, {}};
}

std::chrono::nanoseconds render_limit(std::size_t bytes) {
  return kRenderBase + kRenderPerMib * static_cast<std::int64_t>(bytes >> 20);
}

}  // namespace

std::uint64_t memory_share(std::uint64_t memory_bytes, std::uint32_t models) {
  return std::max(memory_bytes / 8 / std::max(models, 1U), kShareMin);
}

struct LlamaEngine::Impl {
  using Job = std::function<void()>;

  Impl(LlamaOptions o, Deps d)
      : options(std::move(o)),
        random(d.random),
        clock(d.clock),
        watch({options.on_stuck_template ? options.on_stuck_template : end_process}) {}
  ~Impl();

  void load() noexcept;
  base::Status load_vocabulary();
  base::Result<std::unique_ptr<Runner>> load_weights();
  void set_state(ModelState next, std::string detail);
  void prepare_loop() noexcept;
  void post(Job job);
  void prepare_now(Ticket ticket);
  base::Result<Prepared> answer(Ticket ticket, PrepareRequest& request);
  bool was_given_up() const;
  bool give_up(Ticket ticket);
  base::Result<std::unique_ptr<Request>> make_request(PrepareRequest& request, Prepared& prepared);
  base::Status check_size(const RenderedPrompt& rendered) const;
  base::Status check_room(const RenderedPrompt& rendered, std::size_t tokens,
                          const domain::Generation& generation) const;
  base::Error full() const;
  void answer_failed(EventFn on_event, base::Error error);
  EventFn counted(EventFn on_event);

  LlamaOptions options;
  base::Random& random;
  const base::Clock& clock;
  RenderWatch watch;

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  ModelState state = ModelState::Starting;
  std::string detail = "loading the vocabulary";
  std::shared_ptr<const Model> vocabulary;  // set once
  std::unique_ptr<ChatTemplate> chat;       // set once, with the vocabulary
  PoolSize size;
  std::unique_ptr<Runner> runner;  // set once
  bool stopping = false;
  bool no_more_jobs = false;  // stopping, and the model's thread has ended
  std::deque<Job> jobs;       // for the preparing thread
  struct Question {
    PrepareRequest request;
    PrepareFn done;
  };
  std::unordered_map<Ticket, Question> questions;  // each with a job that waits
  Ticket preparing = 0;                            // what the preparing thread is at
  bool given_up = false;                           // and whether for nothing
  std::unordered_map<Ticket, std::unique_ptr<Request>> prepared;
  std::vector<std::unique_ptr<Request>> started_early;  // before the weights were there
  std::uint32_t unfinished = 0;                         // tickets out, of any state
  Ticket next_ticket = 1;
  double request_seconds = 2.0;  // smoothed; for the retry hint

  std::thread model_thread;
  std::thread prepare_thread;
};

// ---- Life ----

base::Result<std::unique_ptr<LlamaEngine>> LlamaEngine::create(LlamaOptions options, Deps deps) {
  if (options.model_path.empty()) return base::fail_field("model_path", "no model file given");
  if (options.sequences_max == 0 || options.sequences_max > kSequencesMax) {
    return base::fail_field("sequences_max", "must be from 1 to " + std::to_string(kSequencesMax));
  }
  if (options.chunk_tokens == 0 || options.chunk_tokens % 32 != 0 ||
      options.chunk_tokens > kChunkMax) {
    return base::fail_field("chunk_tokens", "must be a multiple of 32, at most 2048");
  }
  if (options.step_tokens_max == 0) {
    return base::fail_field("step_tokens_max", "must be at least 1");
  }
  if (options.queue_max == 0) return base::fail_field("queue_max", "must be at least 1");
  const std::uint64_t share = memory_share(machine_memory_bytes(), options.models);
  if (options.kv_bytes_max == 0) options.kv_bytes_max = share;
  if (options.parked_bytes_max == LlamaOptions::kDefaultParked) options.parked_bytes_max = share;
  if (options.threads == 0) options.threads = usable_cores();
  auto impl = std::make_unique<Impl>(std::move(options), deps);
  Impl* const raw = impl.get();
  impl->model_thread = std::thread([raw] { raw->load(); });
  impl->prepare_thread = std::thread([raw] { raw->prepare_loop(); });
  return std::unique_ptr<LlamaEngine>(new LlamaEngine(std::move(impl)));
}

LlamaEngine::LlamaEngine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LlamaEngine::~LlamaEngine() = default;

LlamaEngine::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex);
    stopping = true;
    if (runner) runner->stop();
  }
  changed.notify_all();
  if (model_thread.joinable()) model_thread.join();
  {
    const std::lock_guard lock(mutex);
    no_more_jobs = true;
  }
  changed.notify_all();
  if (prepare_thread.joinable()) prepare_thread.join();
}

void LlamaEngine::Impl::set_state(ModelState next, std::string text) {
  {
    const std::lock_guard lock(mutex);
    state = next;
    detail = std::move(text);
  }
  changed.notify_all();
}

base::Status LlamaEngine::Impl::load_vocabulary() {
  FH_TRY(auto model, Model::load({options.model_path, true, {}}));
  std::unique_ptr<ChatTemplate> loaded_chat;
  {
    const RenderWatch::Guard watched(watch, render_limit(0));
    FH_TRY(loaded_chat, ChatTemplate::create(model->raw(), random));
  }
  FH_TRY(const PoolSize loaded_size,
         pool_size(*model, {options.context_tokens, options.sequences_max, options.kv_bytes_max}));
  {
    const std::lock_guard lock(mutex);
    vocabulary = std::move(model);
    chat = std::move(loaded_chat);
    size = loaded_size;
    detail = "loading the weights";
  }
  changed.notify_all();
  return {};
}

base::Result<std::unique_ptr<Runner>> LlamaEngine::Impl::load_weights() {
  const auto progress = [this](float done) {
    const std::lock_guard lock(mutex);
    detail = "loading the weights: " + std::to_string(static_cast<int>(done * 100)) + " %";
    return !stopping;
  };
  FH_TRY(auto model, Model::load({options.model_path, false, progress}));
  Context::Options wanted;
  wanted.cells = size.cells;
  wanted.sequences_max = options.sequences_max;
  wanted.batch_tokens_max =
      std::max({options.chunk_tokens, options.step_tokens_max, options.sequences_max + 1});
  wanted.outputs_max = options.sequences_max;
  wanted.threads = options.threads;
  FH_TRY(auto context, Context::create(std::move(model), wanted));
  Runner::Options how;
  how.pool.chunk_tokens = options.chunk_tokens;
  how.pool.parked_bytes_max = options.parked_bytes_max;
  how.pool.reuse = proven_reuse(*context);
  how.budget.latency_factor = options.latency_factor;
  how.budget.step_ns_max = options.step_ns_max;
  how.budget.burst_unit = options.chunk_tokens;
  how.budget.tokens_max = std::max(options.step_tokens_max, options.chunk_tokens);
  how.piece_tokens_max = options.step_tokens_max;
  how.threads_max = options.threads;
  how.threads = {options.threads, options.threads};
  if (options.adapt_threads) how.threads = fastest_threads(*context, options.threads, clock);
  how.adapt_threads = options.adapt_threads;
  how.output_reserve = options.output_reserve;
  how.sampling_helpers = std::min(options.sequences_max, options.threads) - 1;
  how.on_step = options.on_step;
  return std::make_unique<Runner>(std::move(context), clock, std::move(how));
}

void LlamaEngine::Impl::load() noexcept {
  base::Status status = load_vocabulary();
  if (status) {
    auto loaded = load_weights();
    if (loaded) {
      {
        const std::lock_guard lock(mutex);
        runner = std::move(*loaded);
        if (stopping) runner->stop();
        state = ModelState::Ready;
        detail.clear();
        for (auto& request : started_early) runner->submit(std::move(request));
        started_early.clear();
      }
      changed.notify_all();
      base::log_info("model is ready", {{"model", options.model_id},
                                        {"context_tokens", std::to_string(size.context_tokens)},
                                        {"kv_cells", std::to_string(size.cells)}});
      runner->run();
      return;
    }
    status = std::unexpected(std::move(loaded).error());
  }
  base::log_error("model could not be loaded",
                  {{"model", options.model_id}, {"error", status.error().text()}});
  set_state(ModelState::Failed, status.error().text());
  std::vector<std::unique_ptr<Request>> early;
  {
    const std::lock_guard lock(mutex);
    early.swap(started_early);
  }
  for (auto& request : early) {
    answer_failed(std::move(request->on_event),
                  {Code::Unavailable, "the model could not be loaded", {}, {}, {}});
  }
}

// ---- The preparing thread ----

void LlamaEngine::Impl::post(Job job) {
  {
    const std::lock_guard lock(mutex);
    jobs.push_back(std::move(job));
  }
  changed.notify_all();
}

// Ends when everything that was posted has been answered and nothing more can come.
void LlamaEngine::Impl::prepare_loop() noexcept {
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return stopping || chat || state == ModelState::Failed; });
  }
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return no_more_jobs || !jobs.empty(); });
      if (jobs.empty()) return;
      job = std::move(jobs.front());
      jobs.pop_front();
    }
    job();
  }
}

base::Error LlamaEngine::Impl::full() const {
  const double seconds =
      request_seconds * static_cast<double>(options.queue_max) / options.sequences_max;
  const int hint = static_cast<int>(std::clamp(seconds, 1.0, 60.0));
  return {Code::ResourceExhausted,
          "the model's queue is full",
          "retry in about " + std::to_string(hint) + " seconds",
          {},
          "queue_full"};
}

// A prompt that cannot fit whatever its tokens are is refused before the work of finding them; how
// many there are is then an estimate.
base::Status LlamaEngine::Impl::check_size(const RenderedPrompt& rendered) const {
  std::uint64_t least = 0;
  for (const std::string_view piece : prompt_pieces(rendered.prompt)) {
    least += vocabulary->tokens_at_least(piece);
  }
  if (least <= size.context_tokens) return {};
  ContextOverflow overflow;
  overflow.prompt_tokens = std::max<std::uint64_t>(least, rendered.prompt.size() / kBytesPerToken);
  overflow.context_tokens = size.context_tokens;
  overflow.tool_tokens = overflow.prompt_tokens * rendered.tool_bytes / rendered.prompt.size();
  return std::unexpected(make_overflow(overflow));
}

base::Status LlamaEngine::Impl::check_room(const RenderedPrompt& rendered, std::size_t tokens,
                                           const domain::Generation& generation) const {
  if (tokens == 0) return base::fail_field("messages", "the prompt is empty");
  const bool prefill_only = generation.max_tokens == 0U;
  if (tokens < size.context_tokens || (prefill_only && tokens == size.context_tokens)) return {};
  ContextOverflow overflow;
  overflow.prompt_tokens = tokens;
  overflow.context_tokens = size.context_tokens;
  if (!rendered.prompt.empty()) {
    overflow.tool_tokens = tokens * rendered.tool_bytes / rendered.prompt.size();
  }
  return std::unexpected(make_overflow(overflow));
}

base::Result<std::unique_ptr<Request>> LlamaEngine::Impl::make_request(PrepareRequest& in,
                                                                       Prepared& prepared_out) {
  const domain::Generation& generation = in.generation;
  RenderedPrompt rendered;
  {
    const RenderWatch::Guard watched(watch, render_limit(text_bytes(generation)));
    FH_TRY(rendered, chat->render(generation));
  }
  if (was_given_up()) return std::unexpected(cancelled());
  if (!in.count_only) FH_TRY_VOID(check_size(rendered));
  std::vector<Token> tokens;
  for (const std::string_view piece : prompt_pieces(rendered.prompt)) {
    const bool first = piece.data() == rendered.prompt.data();
    FH_TRY(const auto some, vocabulary->tokenize(piece, rendered.add_bos && first, true));
    tokens.insert(tokens.end(), some.begin(), some.end());
    if (was_given_up()) return std::unexpected(cancelled());
  }
  prepared_out.prompt_tokens = tokens.size();
  prepared_out.context_tokens = size.context_tokens;
  if (in.count_only) return nullptr;
  FH_TRY_VOID(check_room(rendered, tokens.size(), generation));
  const auto room = size.context_tokens - static_cast<std::uint32_t>(tokens.size());
  auto request = std::make_unique<Request>();
  request->output_max = std::min(generation.max_tokens.value_or(room), room);
  request->ends_with_context = !generation.max_tokens || *generation.max_tokens > room;
  prepared_out.max_output_tokens = request->output_max;
  const std::uint64_t seed = generation.sampling.seed.value_or(random.next_u64());
  FH_TRY(request->sampler,
         Sampler::create(*vocabulary, generation.sampling, rendered.grammar, seed));
  request->answer = std::make_unique<Answer>(*vocabulary, rendered, generation.stop);
  request->id = std::move(in.request_id);
  request->tenant = std::move(in.tenant);
  request->prompt = std::move(tokens);
  request->logprobs = generation.logprobs;
  request->top_logprobs = generation.top_logprobs;
  return request;
}

bool LlamaEngine::Impl::was_given_up() const {
  const std::lock_guard lock(mutex);
  return given_up;
}

// True: the ticket is a question's that has no answer yet, and will have an error.
bool LlamaEngine::Impl::give_up(Ticket ticket) {
  const std::lock_guard lock(mutex);
  if (preparing == ticket && ticket != 0) {
    given_up = true;
    return true;
  }
  auto question = questions.extract(ticket);
  if (!question) return false;
  jobs.push_front(
      [done = std::move(question.mapped().done)] { done(std::unexpected(cancelled())); });
  return true;
}

void LlamaEngine::Impl::prepare_now(Ticket ticket) {
  PrepareRequest request;
  PrepareFn done;
  {
    const std::lock_guard lock(mutex);
    auto question = questions.extract(ticket);
    if (!question) return;  // given up
    request = std::move(question.mapped().request);
    done = std::move(question.mapped().done);
    preparing = ticket;
    given_up = false;
  }
  done(answer(ticket, request));
}

base::Result<Prepared> LlamaEngine::Impl::answer(Ticket ticket, PrepareRequest& request) {
  Prepared out;
  std::unique_ptr<Request> made;
  if (chat) {
    FH_TRY(made, make_request(request, out));
  }
  const std::lock_guard lock(mutex);
  preparing = 0;
  if (given_up) return std::unexpected(cancelled());
  if (chat && !made) return out;
  if (state == ModelState::Failed) {
    return base::fail(Code::Unavailable, "the model could not be loaded");
  }
  if (!chat) return base::fail(Code::Unavailable, "the model is being stopped");
  if (unfinished >= options.queue_max + options.sequences_max) return std::unexpected(full());
  out.ticket = made->ticket = ticket;
  ++unfinished;
  prepared.emplace(ticket, std::move(made));
  return out;
}

void LlamaEngine::Impl::answer_failed(EventFn on_event, base::Error error) {
  post([on_event = std::move(on_event), error = std::move(error)] {
    domain::Failed failed;
    failed.error = error;
    on_event(failed);
  });
}

// Wraps a request's function so that its end frees its place in the queue.
EventFn LlamaEngine::Impl::counted(EventFn on_event) {
  const base::TimePoint start = clock.now();
  return [this, start, on_event = std::move(on_event)](domain::Event event) {
    if (domain::is_terminal(event)) {
      const std::chrono::duration<double> took = clock.now() - start;
      const std::lock_guard lock(mutex);
      --unfinished;
      request_seconds += kSecondsSmoothing * (took.count() - request_seconds);
    }
    on_event(std::move(event));
  };
}

// ---- Engine ----

ModelInfo LlamaEngine::info() const {
  const std::lock_guard lock(impl_->mutex);
  ModelInfo info;
  info.id = impl_->options.model_id;
  info.context_tokens = impl_->size.context_tokens;
  if (impl_->chat) {
    info.tools = impl_->chat->supports_tools();
    info.reasoning = impl_->chat->supports_reasoning();
  }
  info.sequences_max = impl_->options.sequences_max;
  info.state = impl_->state;
  info.detail = impl_->detail;
  return info;
}

EngineStatus LlamaEngine::status() const {
  const std::lock_guard lock(impl_->mutex);
  EngineStatus status;
  status.queue_max = impl_->options.queue_max;
  status.kv_tokens_max = impl_->size.cells;
  status.queued = static_cast<std::uint32_t>(impl_->started_early.size());
  if (impl_->runner) {
    const Runner::Counts counts = impl_->runner->counts();
    status.running = counts.running;
    status.queued += counts.queued;
    status.kv_tokens_used = counts.cells_used;
  }
  return status;
}

Ticket LlamaEngine::prepare(PrepareRequest request, PrepareFn done) {
  Impl* const impl = impl_.get();
  Ticket ticket = 0;
  {
    const std::lock_guard lock(impl->mutex);
    const std::size_t places = impl->options.queue_max + impl->options.sequences_max;
    const bool refuse = impl->questions.size() >= kBacklogFactor * places ||
                        (!request.count_only && impl->unfinished >= places);
    if (refuse) {
      impl->jobs.emplace_back(
          [done = std::move(done), error = impl->full()] { done(std::unexpected(error)); });
    } else {
      ticket = impl->next_ticket++;
      impl->questions.emplace(ticket, Impl::Question{std::move(request), std::move(done)});
      impl->jobs.emplace_back([impl, ticket] { impl->prepare_now(ticket); });
    }
  }
  impl->changed.notify_all();
  return ticket;
}

void LlamaEngine::start(Ticket ticket, EventFn on_event) {
  Impl& impl = *impl_;
  bool failed_model = false;
  {
    const std::lock_guard lock(impl.mutex);
    auto found = impl.prepared.extract(ticket);
    if (found) {
      auto request = std::move(found.mapped());
      request->on_event = impl.counted(std::move(on_event));
      failed_model = impl.state == ModelState::Failed;
      if (failed_model) {
        on_event = std::move(request->on_event);
      } else if (impl.runner) {
        impl.runner->submit(std::move(request));
        return;
      } else {
        request->queued_at = impl.clock.now();
        impl.started_early.push_back(std::move(request));
        return;
      }
    }
  }
  impl.answer_failed(
      std::move(on_event),
      failed_model ? base::Error{Code::Unavailable, "the model could not be loaded", {}, {}, {}}
                   : base::Error{Code::NotFound, "unknown ticket", {}, {}, {}});
}

void LlamaEngine::cancel(Ticket ticket) {
  Impl& impl = *impl_;
  if (impl.give_up(ticket)) {
    impl.changed.notify_all();
    return;
  }
  EventFn ended;
  {
    const std::lock_guard lock(impl.mutex);
    if (impl.prepared.erase(ticket) > 0) {
      --impl.unfinished;
      return;
    }
    const auto early = std::ranges::find(impl.started_early, ticket,
                                         [](const auto& request) { return request->ticket; });
    if (early != impl.started_early.end()) {
      ended = std::move((*early)->on_event);
      impl.started_early.erase(early);
    } else {
      if (impl.runner) impl.runner->cancel(ticket);
      return;
    }
  }
  impl.post([ended = std::move(ended)] {
    domain::Finished finished;
    finished.reason = domain::EndReason::ClientAbort;
    ended(finished);
  });
}

ModelState LlamaEngine::wait_loaded() const {
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait(lock, [this] { return impl_->state != ModelState::Starting; });
  return impl_->state;
}

const Probe* LlamaEngine::probe() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->runner ? &impl_->runner->probe() : nullptr;
}

}  // namespace fh::engine::llama
