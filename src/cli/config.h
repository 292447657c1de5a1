#pragma once
// The configuration: freehold.toml, overridden by environment (FREEHOLD_LISTEN, FREEHOLD_DATA),
// overridden by flags. docs/configuration.md documents every key; an unknown key is an error with
// its line and the nearest known key.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "gateway/deps.h"
#include "ledger/ledger.h"
#include "net/dialer.h"
#include "net/server.h"

namespace fh::cli {

struct EngineConfig {
  std::uint32_t threads = 0;         // engine.threads; 0: every core this process may use
  std::uint32_t context_tokens = 0;  // engine.context_tokens; 0: the model's own, bounded by memory
  std::uint32_t sequences = 4;       // engine.sequences: requests that run at once
  std::uint32_t queue = 64;          // engine.queue: requests that may wait; past it 429
};

struct Config {
  std::vector<std::string> listen = {"127.0.0.1:8484"};  // listen
  std::filesystem::path data_dir;                        // data
  ledger::Durability durability =
      ledger::Durability::Process;                      // ledger.durability = "process" | "power"
  base::LogFormat log_format = base::LogFormat::Human;  // log.format = "human" | "json"
  base::Level log_level = base::Level::Info;            // log.level
  std::string default_model;  // models.default: what the alias `default` names
  std::string price_book;     // prices.book: file that overrides entries
  gateway::Settings gateway;  // limits.*, prices.compare
  net::ServerLimits server;   // limits.*
  EngineConfig engine;
  std::uint32_t drain_seconds = 30;  // limits.drain_seconds
  std::string script;                // --engine-script: serve a scripted model instead (tests)
  std::optional<std::filesystem::path> file;  // where it was read from
};

// Flags of `up` and of the verbs; empty = not given.
struct ConfigFlags {
  std::string config_file;
  std::string listen;  // one or more host:port, comma-separated
  std::string data_dir;
  std::string script;
};

// Without --config: <data>/freehold.toml if it is there, else defaults. Errors are for the
// terminal: file, line, what is allowed.
base::Result<Config> load_config(const ConfigFlags& flags);

// "127.0.0.1:8484", "[::1]:8484"
base::Result<net::HostPort> parse_listen(std::string_view text);

}  // namespace fh::cli
