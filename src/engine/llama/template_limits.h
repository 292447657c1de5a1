#pragma once
// What a chat template may cost. A template is a program that came with a model file: it may loop
// for hours or call itself without end. Two bounds, of which the first is the polite one:
//   * checks inside the parsed template, at the beginning of every loop round and macro call, end a
//     run that takes too long or calls too deep with an exception (template_limits.cc);
//   * a watcher, for runs that have no such checks (llama-common keeps its own copy of templates
//     whose tool format it reads): when one thread takes far too long it calls a function, which
//     in a worker ends the process. The supervisor starts a new one.
// Time is processor time of the thread that renders, so a busy machine refuses nothing. What a run
// may hold in memory is bounded too, wherever in it the memory is taken (base/memory_budget.h).

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "base/result.h"

namespace jinja {
struct program;
}

namespace fh::engine::llama {

struct TemplateLimits {
  std::chrono::nanoseconds base = std::chrono::seconds(2);     // for any conversation
  std::chrono::nanoseconds per_mib = std::chrono::seconds(2);  // more for each MiB of it
  int calls_max = 50;                                          // macros within macros
  std::size_t memory_base_bytes = 256 * 1024 * 1024;           // for any conversation
  std::size_t memory_per_byte = 100;                           // more for each byte of it
};

std::size_t template_memory_max(const TemplateLimits& limits, std::size_t input_bytes);
// InvalidArgument, for a run that needed more.
std::unexpected<base::Error> template_too_large();

// Puts the checks into a parsed template.
void add_template_checks(jinja::program& program);

// While one lives on a thread, the checks of templates that run there count for it.
class TemplateRun {
 public:
  TemplateRun(const TemplateLimits& limits, std::size_t input_bytes);
  ~TemplateRun();
  TemplateRun(const TemplateRun&) = delete;
  TemplateRun& operator=(const TemplateRun&) = delete;
  // Whether a bound was overrun; the run has then ended with an exception.
  bool overrun() const { return overrun_; }

  // For the checks. They throw.
  void step();
  void enter();
  void leave() { --depth_; }

 private:
  [[noreturn]] void stop();
  std::chrono::nanoseconds end_;
  int calls_max_;
  int depth_ = 0;
  unsigned steps_ = 0;
  bool overrun_ = false;
  TemplateRun* outer_;
};

struct WatchedThread {
  int clock = 0;                    // of the thread's processor time, a clockid_t
  std::chrono::nanoseconds end{0};  // on that clock
  bool told = false;
};

// Threads: guards on any thread; the function is called on the watcher's own.
class RenderWatch {
 public:
  struct Options {
    std::function<void()> on_overdue;  // called once per run that is overdue
    std::chrono::milliseconds interval{250};
  };
  explicit RenderWatch(Options options);
  ~RenderWatch();
  RenderWatch(const RenderWatch&) = delete;
  RenderWatch& operator=(const RenderWatch&) = delete;

  // The calling thread is watched until the guard goes, on the same thread.
  class Guard {
   public:
    Guard(RenderWatch& watch, std::chrono::nanoseconds limit);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    RenderWatch& watch_;
    std::list<WatchedThread>::iterator entry_;
  };

 private:
  void loop();

  Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<WatchedThread> watched_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace fh::engine::llama
