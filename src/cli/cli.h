#pragma once
// The command line of the `freehold` binary: parses the arguments, runs the verb, returns the exit
// code.

namespace fh::cli {
int run_cli(int argc, char** argv);
}  // namespace fh::cli
