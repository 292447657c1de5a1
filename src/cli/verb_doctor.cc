// freehold doctor: what this machine and this installation are like, each line tried rather than
// assumed.
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/os/file.h"
#include "base/os/probe.h"
#include "base/os/process.h"
#include "cli/access.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "codec/json.h"
#include "net/blocking_client.h"
#include "registry/registry.h"

namespace fh::cli {
namespace {

using codec::json::Document;
using codec::json::Value;

enum class State : std::uint8_t { Good, Note, Bad };

struct Finding {
  std::string what;
  State state = State::Good;
  std::string text;
};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

void machine(std::vector<Finding>& out) {
  const base::os::SystemFacts facts = base::os::system_facts();
  out.push_back({"machine", State::Good,
                 fmt::format("{} cores, {} memory ({} free), {}, kernel {}", facts.cores_usable,
                             human_bytes(facts.memory_bytes), human_bytes(facts.memory_free_bytes),
                             facts.cpu_model, facts.kernel)});
  out.push_back({"processor", State::Good, joined(facts.cpu_flags)});
}

void data_folder(const Config& config, std::vector<Finding>& out) {
  if (const base::Status seen = check_data_folder(config);
      !seen && seen.error().code == base::Code::PermissionDenied) {
    out.push_back({"data", State::Bad, seen.error().text()});
    return;
  }
  const auto room = base::os::free_disk_bytes(config.data_dir);
  out.push_back(
      {"data", room && *room < 1'000'000'000 ? State::Note : State::Good,
       fmt::format("{}{}", config.data_dir.string(),
                   room ? ", " + human_bytes(*room) + " free" : std::string(", not made yet"))});
  struct stat info{};
  const std::string key = admin_key_file(config).string();
  if (::stat(key.c_str(), &info) == 0) {
    const bool closed = (info.st_mode & 077) == 0;
    out.push_back({"admin key", closed ? State::Good : State::Bad,
                   closed ? key : key + " can be read by others: chmod 600 it"});
  } else {
    out.push_back({"admin key", State::Note, "not made yet; the first `freehold up` makes it"});
  }
}

void models(const Config& config, std::vector<Finding>& out) {
  const base::SystemClock clock;
  const registry::Registry store(config.data_dir, clock);
  const auto list = store.list();
  if (!list) {
    out.push_back({"models", State::Bad, list.error().text()});
    return;
  }
  std::vector<std::string> names;
  for (const registry::DamagedManifest& damaged : list->damaged) {
    out.push_back({"manifest of " + damaged.id, State::Bad, damaged.why.text()});
  }
  for (const registry::InstalledModel& model : list->models) {
    names.push_back(model.id);
    if (const auto facts = store.facts(model); !facts) {
      out.push_back({"file of " + model.id, State::Bad, facts.error().text()});
    }
  }
  out.push_back({"models", names.empty() ? State::Note : State::Good,
                 names.empty() ? "none; bring one in with `freehold models import FILE.gguf`"
                               : joined(names)});
}

// The lock is judged by what an attacker inside would meet: every attempt must fail with it and
// succeed without it.
void lock(base::os::ProbeLock kind, const char* name, const base::os::Spawner& spawner,
          std::vector<Finding>& out) {
  const auto locked = base::os::probe_in_child(spawner, kind);
  const auto open = base::os::probe_in_child(spawner, base::os::ProbeLock::None);
  if (!locked || !open) {
    out.push_back({name, State::Bad,
                   "the probe could not run: " + (locked ? open.error() : locked.error()).text()});
    return;
  }
  std::string leaks, unproven;
  std::size_t refused = 0;
  for (const base::os::ProbeResult& tried : locked->results) {
    if (tried.name == base::os::kProbeModelFile) continue;
    if (!tried.allowed) {
      ++refused;
      continue;
    }
    leaks += (leaks.empty() ? "" : ", ") + tried.name;
  }
  for (const base::os::ProbeResult& tried : open->results) {
    if (!tried.allowed) unproven += (unproven.empty() ? "" : ", ") + tried.name;
  }
  std::string text = fmt::format("{}; {} escapes tried and refused", locked->level, refused);
  if (!unproven.empty()) text += "; not possible here even unlocked: " + unproven;
  const bool worker = kind == base::os::ProbeLock::Worker;
  // The gateway serves sockets and writes the ledger: those it keeps, by design.
  if (worker && !leaks.empty()) text += "; ALLOWED: " + leaks;
  out.push_back({name, worker && !leaks.empty() ? State::Bad : State::Good, text});
}

void server(const Config& config, std::vector<Finding>& out) {
  base::Result<std::unique_ptr<Access>> access = Access::open(config);
  const bool never_ran = !access && access.error().code == base::Code::NotFound;
  if (!access && !never_ran) {
    out.push_back({"server", State::Bad, access.error().text()});
    return;
  }
  if (never_ran || !(*access)->server_runs()) {
    out.push_back({"server", State::Note, "not running; start it with `freehold up`"});
    out.push_back({"durability", State::Good,
                   config.durability == ledger::Durability::Power ? "power" : "process"});
    return;
  }
  const auto body = (*access)->call("GET", "/admin/v1/status", "");
  const auto status =
      body ? Document::parse(*body) : base::fail(base::Code::Unavailable, body.error().text());
  if (!status) {
    out.push_back({"server", State::Bad, status.error().text()});
    return;
  }
  const Value root = status->root();
  const auto text = [&](std::string_view key) {
    return std::string(root[key].as_string().value_or(""));
  };
  out.push_back({"server", State::Good,
                 fmt::format("version {} on {}", text("version"),
                             root["listen"][std::size_t{0}].as_string().value_or(""))});
  const bool healthy = root["ledger_healthy"].as_bool().value_or(false);
  out.push_back(
      {"ledger", healthy ? State::Good : State::Bad,
       fmt::format("SQLite {}, durability {}{}", text("sqlite_version"), text("durability"),
                   healthy ? "" : "; it refuses new requests: look at the disk, then restart")});
  for (const Value model : root["models"].elements()) {
    const std::string state(model["state"].as_string().value_or(""));
    out.push_back({fmt::format("model {}", model["id"].as_string().value_or("")),
                   state == "failed" ? State::Bad : State::Good,
                   fmt::format("{}{}", state,
                               model["detail"].as_string().value_or("").empty()
                                   ? std::string()
                                   : ": " + std::string(*model["detail"].as_string()))});
  }
  if (!text("worker_lock").empty())
    out.push_back({"running workers", State::Good, text("worker_lock")});
}

int ready(const Config& config) {
  const base::Result<RunningServer> where = running_server(config);
  if (!where) return kUnreachable;
  const net::Dialer dialer;
  const net::BlockingClient client(dialer, {where->host, where->port});
  net::ClientRequest request;
  request.target = "/readyz";
  const auto answer = client.request(request, 2'000);
  return answer && answer->status == 200 ? kOk : kUnreachable;
}

int url(const Config& config) {
  const base::Result<RunningServer> where = running_server(config);
  if (!where) {
    return print_error({base::Code::Unavailable,
                        "no server runs on " + config.data_dir.string(),
                        "start one with: freehold up",
                        {},
                        {}});
  }
  const bool v6 = where->host.find(':') != std::string::npos;
  fmt::print("{}\n",
             url_of(fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), where->host, where->port)));
  return kOk;
}

}  // namespace

int run_doctor(const Config& config, const DoctorArgs& args) {
  if (args.ready) return ready(config);
  if (args.key_path) {
    fmt::print("{}\n", admin_key_file(config).string());
    return kOk;
  }
  if (args.url) return url(config);
  std::vector<Finding> findings;
  machine(findings);
  data_folder(config, findings);
  models(config, findings);
  if (const auto spawner = base::os::Spawner::create()) {
    lock(base::os::ProbeLock::Worker, "worker lock", *spawner, findings);
    lock(base::os::ProbeLock::Gateway, "gateway lock", *spawner, findings);
  }
  server(config, findings);
  static constexpr std::string_view kStates[] = {"ok", "note", "bad"};
  bool bad = false;
  codec::json::Writer w;
  w.object().key("findings").array();
  for (const Finding& finding : findings) {
    bad = bad || finding.state == State::Bad;
    const std::string_view state = kStates[static_cast<std::size_t>(finding.state)];
    w.object()
        .member("what", finding.what)
        .member("state", state)
        .member("text", finding.text)
        .end_object();
    if (!args.json) fmt::print("{:<5} {:<18} {}\n", state, finding.what, finding.text);
  }
  w.end_array().member("ok", !bad).end_object();
  if (args.json) fmt::print("{}\n", w.str());
  return bad ? kFailed : kOk;
}

}  // namespace fh::cli
