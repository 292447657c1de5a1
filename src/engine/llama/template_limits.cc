// The checks in templates and the watcher; see template_limits.h.
#include "engine/llama/template_limits.h"

#include <jinja/runtime.h>
#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace fh::engine::llama {
namespace {

constexpr unsigned kStepsPerLook = 16;  // reading the clock is a system call
constexpr double kMiB = 1024.0 * 1024.0;

thread_local TemplateRun* current_run = nullptr;

std::chrono::nanoseconds now_on(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return std::chrono::nanoseconds(0);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// In front of a loop's body.
struct LoopCheck final : jinja::statement {
  std::string type() const override { return "LoopCheck"; }
  jinja::value execute_impl(jinja::context&) const override {
    if (current_run != nullptr) current_run->step();
    return jinja::mk_val<jinja::value_undefined>();
  }
};

// Around a macro's body.
struct CallCheck final : jinja::statement {
  jinja::statements body;
  explicit CallCheck(jinja::statements&& b) : body(std::move(b)) {}
  std::string type() const override { return "CallCheck"; }
  jinja::value execute_impl(jinja::context& context) const override {
    struct Depth {
      TemplateRun* run = current_run;
      Depth() {
        if (run != nullptr) run->enter();
      }
      ~Depth() {
        if (run != nullptr) run->leave();
      }
    };
    const Depth depth;
    auto out = jinja::mk_val<jinja::value_array>();
    for (const auto& statement : body) out->push_back(statement->execute(context));
    return out;
  }
};

void add_checks(jinja::statements& body);

void guard_calls(jinja::statements& body) {
  add_checks(body);
  auto check = std::make_unique<CallCheck>(std::move(body));
  check->pos = check->body.empty() ? 0 : check->body.front()->pos;
  body.clear();
  body.push_back(std::move(check));
}

// Loops and calls stand in statements only; expressions hold none.
void add_checks(jinja::statement_ptr& statement) {
  if (auto* branch = jinja::cast_stmt<jinja::if_statement>(statement)) {
    add_checks(branch->body);
    add_checks(branch->alternate);
  } else if (auto* loop = jinja::cast_stmt<jinja::for_statement>(statement)) {
    add_checks(loop->body);
    add_checks(loop->default_block);
    auto check = std::make_unique<LoopCheck>();
    check->pos = statement->pos;
    loop->body.insert(loop->body.begin(), std::move(check));
  } else if (auto* set = jinja::cast_stmt<jinja::set_statement>(statement)) {
    add_checks(set->body);
  } else if (auto* filter = jinja::cast_stmt<jinja::filter_statement>(statement)) {
    add_checks(filter->body);
  } else if (auto* macro = jinja::cast_stmt<jinja::macro_statement>(statement)) {
    guard_calls(macro->body);
  } else if (auto* call = jinja::cast_stmt<jinja::call_statement>(statement)) {
    guard_calls(call->body);
  }
}

void add_checks(jinja::statements& body) {
  for (auto& statement : body) add_checks(statement);
}

}  // namespace

void add_template_checks(jinja::program& program) {
  add_checks(program.body);
}

std::size_t template_memory_max(const TemplateLimits& limits, std::size_t input_bytes) {
  return limits.memory_base_bytes + limits.memory_per_byte * input_bytes;
}

std::unexpected<base::Error> template_too_large() {
  return base::fail_field("messages",
                          "the model's chat template takes too much memory over this conversation",
                          "template_too_large");
}

// ---- A run ----

TemplateRun::TemplateRun(const TemplateLimits& limits, std::size_t input_bytes)
    : calls_max_(limits.calls_max), outer_(std::exchange(current_run, this)) {
  const double more =
      static_cast<double>(limits.per_mib.count()) * static_cast<double>(input_bytes) / kMiB;
  end_ = now_on(CLOCK_THREAD_CPUTIME_ID) + limits.base +
         std::chrono::nanoseconds(static_cast<std::int64_t>(more));
}

TemplateRun::~TemplateRun() {
  current_run = outer_;
}

void TemplateRun::stop() {
  overrun_ = true;
  throw jinja::raised_exception("the template is over its limits");
}

void TemplateRun::step() {
  const bool look = steps_++ % kStepsPerLook == 0;
  if (overrun_ || (look && now_on(CLOCK_THREAD_CPUTIME_ID) > end_)) stop();
}

void TemplateRun::enter() {
  if (++depth_ <= calls_max_) {
    try {
      step();
      return;
    } catch (...) {
      --depth_;
      throw;
    }
  }
  --depth_;
  stop();
}

// ---- The watcher ----

RenderWatch::RenderWatch(Options options)
    : options_(std::move(options)), thread_([this] { loop(); }) {}

RenderWatch::~RenderWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void RenderWatch::loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (watched_.empty()) {
      changed_.wait(lock);
      continue;
    }
    changed_.wait_for(lock, options_.interval);
    const bool overdue = std::ranges::any_of(watched_, [](WatchedThread& thread) {
      if (thread.told || now_on(thread.clock) <= thread.end) return false;
      thread.told = true;
      return true;
    });
    if (!overdue || stopping_) continue;
    lock.unlock();
    options_.on_overdue();
    lock.lock();
  }
}

RenderWatch::Guard::Guard(RenderWatch& watch, std::chrono::nanoseconds limit) : watch_(watch) {
  WatchedThread thread;
  // A thread whose clock cannot be had is watched on the process's.
  if (pthread_getcpuclockid(pthread_self(), &thread.clock) != 0) {
    thread.clock = CLOCK_PROCESS_CPUTIME_ID;
  }
  thread.end = now_on(thread.clock) + limit;
  const std::lock_guard lock(watch_.mutex_);
  if (watch_.watched_.empty()) watch_.changed_.notify_all();
  entry_ = watch_.watched_.insert(watch_.watched_.end(), thread);
}

RenderWatch::Guard::~Guard() {
  const std::lock_guard lock(watch_.mutex_);
  watch_.watched_.erase(entry_);
}

}  // namespace fh::engine::llama
