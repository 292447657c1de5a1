// freehold up: becomes the supervisor, which holds the listeners and starts the other roles.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/log.h"
#include "base/os/file.h"
#include "base/os/spawner.h"
#include "cli/access.h"
#include "cli/output.h"
#include "cli/supervisor.h"
#include "cli/verbs.h"
#include "crypto/sha256.h"

namespace fh::cli {
namespace {

constexpr std::size_t kScriptBytesMax = 4 * 1024 * 1024;

// The scripted engine takes the way of every model: its text is put into the model store under its
// SHA-256, and a worker is started on that file.
base::Result<std::string> store_script(const Config& config, const std::string& path) {
  FH_TRY(const std::string text, base::os::read_file(path, kScriptBytesMax));
  std::string sha256 = crypto::to_hex(crypto::sha256(std::string_view(text)));
  const std::filesystem::path blobs = config.data_dir / "models" / "blobs";
  FH_TRY_VOID(base::os::make_folders(blobs, 0700));
  FH_TRY_VOID(base::os::write_file_atomically(blobs / (sha256 + ".gguf"), text, 0400));
  return sha256;
}

// At a terminal that waits for it: neither a service nor a script's background job.
bool started_by_hand() {
  return stdout_is_terminal() && ::tcgetpgrp(STDOUT_FILENO) == ::getpgrp();
}

// For the person who started it: where to go now. A service's log has it in its own lines.
void greet(const std::string& address) {
  fmt::print("Freehold is serving. Console and API: {}  Stop: Ctrl-C\n", url_of(address));
  std::fflush(stdout);
}

}  // namespace

int run_up(const Config& config, const UpArgs& args) {
  base::log_configure(config.log_format, config.log_level, "supervisor");
  SupervisorOptions options;
  options.listen = config.listen;
  options.data_dir = config.data_dir;
  options.environment = base::os::minimal_environment();
  options.worker_environment = base::os::minimal_environment();
  options.drain_limit = std::chrono::seconds(config.drain_seconds + 15);
  if (config.file) options.gateway_args.push_back("--config=" + config.file->string());
  if (!args.script.empty()) {
    const base::Result<std::string> sha256 = store_script(config, args.script);
    if (!sha256) return print_local_error(sha256.error());
    options.gateway_args.push_back("--script-sha256=" + *sha256);
    options.worker_args.push_back("--engine=scripted");
  }
  const std::string_view format = config.log_format == base::LogFormat::Json ? "json" : "human";
  options.worker_args.push_back(fmt::format("--log-format={}", format));
  options.worker_args.push_back(fmt::format("--log-level={}", static_cast<int>(config.log_level)));
  // A server file of an earlier run would point command-line verbs at nothing; once the lock and
  // the ports are ours, no other server can have written it.
  std::string first_address;
  options.on_listening = [&](const std::vector<std::string>& addresses) {
    std::error_code ignored;
    std::filesystem::remove(server_file(config), ignored);
    if (started_by_hand()) first_address = addresses.front();
  };
  options.on_ready = [&] {
    if (!first_address.empty()) greet(std::exchange(first_address, {}));
  };
  const base::Status ended = run_supervisor(options);
  if (ended) return kOk;
  return print_local_error(ended.error());
}

}  // namespace fh::cli
