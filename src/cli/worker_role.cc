// The worker: one model, one socketpair, no network, no keys. It locks itself in before it looks at
// the model file, and proves nothing by words: `freehold doctor` probes the same lock from inside.
#include <fcntl.h>

#include "base/log.h"
#include "base/os/file.h"
#include "base/os/process.h"
#include "base/os/sandbox.h"
#include "cli/roles.h"
#include "engine/scheduler.h"
#include "engine/scripted/scripted_engine.h"
#include "engine/worker/worker_loop.h"
#ifdef FREEHOLD_WITH_LLAMA
#include "engine/llama/llama_engine.h"
#endif

namespace fh::cli {
namespace {

constexpr int kWorkerSocket = 3;
constexpr std::size_t kScriptBytesMax = 4 * 1024 * 1024;

// What libllama and the C library read after the lock to learn about the processor.
const std::vector<std::filesystem::path> kSystemFiles = {
    "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/proc/self/statm"};

// The one model file and the system files that exist here can be opened, nothing else.
base::Result<base::os::LockLevel> lock(const std::filesystem::path& model) {
  base::os::WorkerLockOptions options;
  options.readable.push_back(model);
  std::error_code ignored;
  for (const std::filesystem::path& path : kSystemFiles) {
    if (std::filesystem::exists(path, ignored)) options.readable.push_back(path);
  }
  return base::os::lock_worker(options);
}

int finish(const base::Status& ended) {
  if (ended) return 0;
  base::log_error("the worker ends", {{"why", ended.error().text()}});
  return 1;
}

int run_scripted(const RoleArgs& args) {
  const std::filesystem::path file = args.text("model-file");
  const base::Result<base::os::LockLevel> level = lock(file);
  if (!level) return finish(std::unexpected(level.error()));
  const base::Result<std::string> text = base::os::read_file(file, kScriptBytesMax);
  if (!text) return finish(std::unexpected(text.error()));
  base::Result<engine::scripted::Script> script = engine::scripted::parse_script(*text);
  if (!script) return finish(std::unexpected(script.error()));
  engine::ThreadScheduler scheduler;
  engine::ScriptedOptions options;
  options.model_id = args.text("model-id");
  options.script = *std::move(script);
  engine::ScriptedEngine scripted(std::move(options), scheduler);
  engine::WorkerOptions worker;
  worker.lock = level->text();
  worker.scheduler = &scheduler;
  return finish(engine::run_worker(kWorkerSocket, scripted, worker));
}

#ifdef FREEHOLD_WITH_LLAMA
int run_llama(const RoleArgs& args) {
  const std::filesystem::path model = args.text("model-file");
  const base::Result<base::os::LockLevel> level = lock(model);
  if (!level) return finish(std::unexpected(level.error()));
  const base::SystemClock clock;
  base::SystemRandom random;
  engine::llama::LlamaOptions options;
  options.model_path = model;
  options.model_id = args.text("model-id");
  options.context_tokens = static_cast<std::uint32_t>(args.number("context"));
  options.sequences_max = static_cast<std::uint32_t>(args.number("sequences"));
  options.threads = static_cast<std::uint32_t>(args.number("threads"));
  options.queue_max = static_cast<std::uint32_t>(args.number("queue"));
  options.models = static_cast<std::uint32_t>(args.number("models"));
  auto llama = engine::llama::LlamaEngine::create(std::move(options), {random, clock});
  if (!llama) return finish(std::unexpected(llama.error()));
  engine::WorkerOptions worker;
  worker.lock = level->text();
  return finish(engine::run_worker(kWorkerSocket, **llama, worker));
}
#else
int run_llama(const RoleArgs&) {
  return finish(base::fail(base::Code::Unimplemented, "this binary was built without llama.cpp",
                           "build with scripts/build, which fetches and builds it"));
}
#endif

}  // namespace

int worker_role_main(const RoleArgs& args) {
  base::log_configure(
      args.text("log-format") == "json" ? base::LogFormat::Json : base::LogFormat::Human,
      static_cast<base::Level>(args.number("log-level")), "worker");
  base::os::end_with_parent();
  base::os::ignore_broken_pipes();
  return args.text("engine") == "scripted" ? run_scripted(args) : run_llama(args);
}

}  // namespace fh::cli
