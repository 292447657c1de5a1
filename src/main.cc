// Freehold: one binary, several roles. The supervisor starts the others with a hidden first
// argument; everything else is the command line.
#include <string>
#include <string_view>
#include <vector>

#include "base/os/probe.h"
#include "cli/cli.h"
#include "cli/roles.h"

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first.starts_with("--role=")) {
    const std::vector<std::string> args(argv + 1, argv + argc);
    if (first == "--role=gateway") return fh::cli::gateway_role_main(fh::cli::RoleArgs(args));
    if (first == "--role=worker") return fh::cli::worker_role_main(fh::cli::RoleArgs(args));
    if (first == "--role=probe") return fh::base::os::probe_role_main(args);
    return 2;
  }
  return fh::cli::run_cli(argc, argv);
}
