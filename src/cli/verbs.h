#pragma once
// The verbs, one file each. Each takes the parsed flags and returns the exit code.

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/config.h"

namespace fh::cli {

struct ModelsArgs {
  std::string action;  // list, show, import, verify, remove
  std::string name;    // of a model, or the file to import
  std::string as;
  std::vector<std::string> aliases;
  bool json = false;
};
int run_models(const Config& config, const ModelsArgs& args);

struct KeysArgs {
  std::string action;  // create, list, revoke
  std::string name;
  bool admin = false;
  std::string project, workload;
  bool json = false;
};
int run_keys(const Config& config, const KeysArgs& args);

struct UsageArgs {
  std::string by = "day";
  std::string from, to;
  bool json = false, csv = false;
  std::string action;  // import, pull, forget; empty: what this server was used for
};
int run_usage(const Config& config, const UsageArgs& args);

struct UsageImportArgs {
  std::vector<std::string> paths;
  std::string mapping;  // file
  bool json = false, dry_run = false, again = false;
};
int run_usage_import(const Config& config, const UsageImportArgs& args);

struct UsagePullArgs {
  std::string provider;  // anthropic, openai
  std::string since, until;
  std::string bucket = "1h";
  std::string base_url, key_file, ca_file;
  unsigned retries = 5;
  bool json = false, again = false;
};
int run_usage_pull(const Config& config, const UsagePullArgs& args);

struct UsageForgetArgs {
  std::string format;
  bool json = false;
};
int run_usage_forget(const Config& config, const UsageForgetArgs& args);

struct PlanArgs {
  std::string inputs;        // scenario file
  std::string write_inputs;  // where to write a scenario file with every key
  std::string xlsx, html;    // files to write
  bool json = false;
  bool despite_gap = false;  // advise although the bill is not explained
  bool example = false;      // the example company, whatever was imported
  std::string local_as;      // model as which the requests count that ran here
};
int run_plan(const Config& config, const PlanArgs& args);
// What `freehold plan --json` prints without other flags; for the console. Blocks.
base::Result<std::string> plan_for_console(const Config& config);

struct ChatArgs {
  std::string model = "default";
  std::string prompt;  // empty: read lines from the terminal
  std::string system;
  std::uint32_t max_tokens = 1024;  // 0: as much as the context holds
  bool stats = false;
  bool json = false;
};
int run_chat(const Config& config, const ChatArgs& args);

struct DoctorArgs {
  bool json = false;
  bool ready = false;     // only: is a server ready? exit 0 or 3
  bool key_path = false;  // only: where the admin key lies
  bool url = false;       // only: where the running server's console is
};
int run_doctor(const Config& config, const DoctorArgs& args);

struct UpArgs {
  std::string script;
};
int run_up(const Config& config, const UpArgs& args);

int run_version(bool json);

}  // namespace fh::cli
