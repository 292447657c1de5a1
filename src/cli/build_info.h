#pragma once
// What this binary is made of, for `freehold version`, the start-up log and the console.

#include <string>

namespace fh::cli {
std::string freehold_version();  // "0.1.0"
std::string llama_version();     // "llama-cpp-python 0.3.36 (0c1e570)", or "not built in"
}  // namespace fh::cli
