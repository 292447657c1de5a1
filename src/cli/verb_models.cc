// freehold models: list, show, import, verify, remove.
#include <fmt/format.h>

#include "base/clock.h"
#include "base/os/process.h"
#include "cli/access.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "codec/json.h"
#include "registry/registry.h"

namespace fh::cli {
namespace {

using registry::InstalledModel;

std::string facts_of(const registry::Registry& store, const InstalledModel& model,
                     const Config& config) {
  const std::uint64_t memory = base::os::system_facts().memory_bytes;
  auto facts = store.facts(model);
  if (!facts) return "{}";
  return registry::facts_json(
      model, models::context_for_memory(*facts, config.engine.context_tokens, memory), memory,
      *facts);
}

void write_damaged(codec::json::Writer& w, const registry::DamagedManifest& damaged) {
  w.object().member("id", damaged.id).member("code", base::code_name(damaged.why.code));
  w.member("message", damaged.why.message).member("hint", damaged.why.hint).end_object();
}

void print_damaged(const registry::Listing& listing) {
  for (const registry::DamagedManifest& damaged : listing.damaged) {
    fmt::print("{} FAILED: {}\n", damaged.id, damaged.why.text());
  }
}

int list(const registry::Registry& store, const Config& config, bool json) {
  const auto listing = store.list();
  if (!listing) return print_local_error(listing.error(), json);
  const std::vector<InstalledModel>& models = listing->models;
  if (json) {
    codec::json::Writer w;
    w.object().key("models").array();
    for (const InstalledModel& model : models) {
      w.object().member("id", model.id).key("aliases").array();
      for (const std::string& alias : model.aliases) w.value(alias);
      w.end_array().member_raw("facts", facts_of(store, model, config)).end_object();
    }
    w.end_array().key("damaged").array();
    for (const registry::DamagedManifest& damaged : listing->damaged) write_damaged(w, damaged);
    w.end_array().end_object();
    fmt::print("{}\n", w.str());
    return kOk;
  }
  print_damaged(*listing);
  if (models.empty() && !listing->damaged.empty()) return kOk;
  if (models.empty()) {
    fmt::print("No models yet. Bring one in with: freehold models import FILE.gguf\n");
    return kOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const InstalledModel& model : models) {
    rows.push_back({model.id, model.architecture, model.quantization,
                    human_count(model.context_length), human_bytes(model.size_bytes),
                    model.licence.empty() ? "not stated" : model.licence});
  }
  fmt::print("{}", table({{"MODEL"},
                          {"ARCHITECTURE"},
                          {"WEIGHTS"},
                          {"CONTEXT", true},
                          {"SIZE", true},
                          {"LICENCE"}},
                         rows));
  return kOk;
}

void print_model(const InstalledModel& model, std::string_view fit_text, std::uint64_t context) {
  const auto line = [](std::string_view name, std::string_view value) {
    fmt::print("{:<16} {}\n", name, value);
  };
  line("Model", model.id);
  line("Name", model.display_name);
  line("Architecture", model.architecture);
  line("Parameters", human_count(model.parameters));
  line("Weights", model.quantization + ", " + human_bytes(model.size_bytes));
  line("Context", fmt::format("{} tokens served here, {} at most", human_count(context),
                              human_count(model.context_length)));
  line("KV memory", fmt::format("{} bytes per token", human_count(model.kv_bytes_per_token)));
  line("This machine", fit_text);
  line("Tools", model.tools_in_template ? "in its chat template" : "by Freehold's generic format");
  line("Licence", model.licence.empty() ? "not stated in the file" : model.licence);
  line("Republished by",
       model.republisher.empty() ? "not known (imported from a file)" : model.republisher);
  line("SHA-256", model.sha256);
  line("Imported from", model.source);
  line("Imported", base::format_rfc3339(model.imported_unix_ns));
}

struct Fitting {
  models::FitReport report;
  std::uint64_t context = 0;
};
Fitting fitting_here(const models::GgufFacts& facts, const Config& config) {
  const std::uint64_t memory = base::os::system_facts().memory_bytes;
  const std::uint64_t context =
      models::context_for_memory(facts, config.engine.context_tokens, memory);
  return {models::fit_of(facts, context, memory), context};
}

int show(const registry::Registry& store, const Config& config, const ModelsArgs& args) {
  const auto model = store.find(args.name);
  if (!model) return print_local_error(model.error(), args.json);
  const auto facts = store.facts(*model);
  if (!facts) return print_local_error(facts.error(), args.json);
  if (args.json) {
    codec::json::Writer w;
    w.object()
        .member("id", model->id)
        .member_raw("facts", facts_of(store, *model, config))
        .end_object();
    fmt::print("{}\n", w.str());
    return kOk;
  }
  const Fitting here = fitting_here(*facts, config);
  print_model(*model, here.report.text, here.context);
  return kOk;
}

// The way to the server that runs on this data; null when none does.
base::Result<std::unique_ptr<Access>> server_of(const Config& config) {
  if (!running_server(config)) return nullptr;
  FH_TRY(auto access, Access::open(config));
  if (!access->server_runs()) return nullptr;
  return access;
}

enum class Told : std::uint8_t { NoServer, Served, NameTaken };

// Tells the server about what is new. NameTaken: it serves a model under that name already.
base::Result<Told> tell_server(const Config& config, const std::string& id) {
  FH_TRY(const auto server, server_of(config));
  if (server == nullptr) return Told::NoServer;
  FH_TRY(const std::string answer, server->call("POST", "/admin/v1/models/refresh", "{}"));
  FH_TRY(const auto added, codec::json::Document::parse(answer));
  for (const codec::json::Value one : added.root()["added"].elements()) {
    if (one.as_string() == id) return Told::Served;
  }
  return Told::NameTaken;
}

int import(registry::Registry& store, const Config& config, const ModelsArgs& args) {
  registry::ImportOptions options;
  options.id = args.as;
  options.aliases = args.aliases;
  Progress progress(args.name);
  options.progress = [&](std::string_view phase, std::uint64_t done, std::uint64_t total) {
    if (total > 0) progress.update(phase, done, total);
    return true;
  };
  const auto model = store.import(args.name, options);
  if (!model) return print_local_error(model.error(), args.json);
  // Said before a server loads it.
  const auto facts = store.facts(*model);
  if (!facts) return print_local_error(facts.error(), args.json);
  const models::FitReport fit = fitting_here(*facts, config).report;
  if (!args.json) {
    fmt::print("Imported {} ({}, {}).\nThis machine: {}.\n", model->id, model->architecture,
               human_bytes(model->size_bytes), fit.text);
    std::fflush(stdout);
  }
  const auto told = tell_server(config, model->id);
  if (args.json) {
    codec::json::Writer w;
    w.object().member("id", model->id).member("sha256", model->sha256);
    w.member("fits", models::fit_name(fit.fit));
    w.member("served", told && *told == Told::Served).end_object();
    fmt::print("{}\n", w.str());
    return kOk;
  }
  if (!told) {
    fmt::print("The running server did not take it up ({}); it serves it after its next start.\n",
               told.error().message);
  } else if (*told == Told::Served) {
    fmt::print("The running server serves it from now on.\n");
  } else if (*told == Told::NameTaken) {
    fmt::print(
        "The running server has served a model of this name since before; if that was another one, "
        "it serves this one after its next start.\n");
  } else {
    fmt::print("`freehold up` serves it.\n");
  }
  fmt::print("`freehold models show {}` has the facts.\n", model->id);
  return kOk;
}

int verify(const registry::Registry& store, const ModelsArgs& args) {
  base::Result<registry::Listing> listing = store.list();
  if (!listing) return print_local_error(listing.error(), args.json);
  if (!args.name.empty()) {
    auto one = store.find(args.name);
    if (!one) return print_local_error(one.error(), args.json);
    listing = registry::Listing{{*std::move(one)}, {}};
  }
  int worst = kOk;
  std::uint64_t sound_count = 0;
  codec::json::Writer failed;
  failed.array();
  for (const registry::DamagedManifest& damaged : listing->damaged) {
    worst = kFailed;
    if (args.json) {
      write_damaged(failed, damaged);
    } else {
      print_local_error(damaged.why);
    }
  }
  for (const InstalledModel& model : listing->models) {
    base::Status sound;
    {
      Progress progress(model.id);
      sound = store.verify(model, [&](std::uint64_t done, std::uint64_t total) {
        progress.update("hashing", done, total);
        return true;
      });
    }
    if (sound) {
      ++sound_count;
      if (!args.json) fmt::print("{}: what was imported, byte for byte\n", model.id);
    } else if (args.json) {
      worst = kFailed;
      failed.object().member("id", model.id).member("code", base::code_name(sound.error().code));
      failed.member("message", sound.error().message).member("hint", sound.error().hint);
      failed.end_object();
    } else {
      worst = print_local_error(sound.error());
    }
  }
  failed.end_array();
  if (args.json) {
    fmt::print("{{\"verified\":{},\"failed\":{}}}\n", sound_count, failed.str());
  }
  return worst;
}

}  // namespace

int run_models(const Config& config, const ModelsArgs& args) {
  const base::SystemClock clock;
  registry::Registry store(config.data_dir, clock);
  if (args.action == "list") return list(store, config, args.json);
  if (args.action == "show") return show(store, config, args);
  if (args.action == "import") return import(store, config, args);
  if (args.action == "verify") return verify(store, args);
  const auto removed = store.remove(args.name);
  if (!removed) return print_local_error(removed.error(), args.json);
  if (args.json) {
    fmt::print("{{\"removed\":\"{}\"}}\n", removed->id);
  } else {
    fmt::print("Removed {} ({} on disk).\n", removed->id, human_bytes(removed->size_bytes));
    const auto server = server_of(config);
    if (!server || *server) fmt::print("A running server serves it until it is stopped.\n");
  }
  return kOk;
}

}  // namespace fh::cli
