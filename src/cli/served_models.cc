#include "cli/served_models.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/os/process.h"
#include "models/catalogue.h"

namespace fh::cli {
namespace {

// Share of the machine's memory that workers started ahead of need may take together.
constexpr std::uint64_t kPreloadPercent = 70;

constexpr const char* kDefault = "default";

const models::CatalogueEntry* known(const registry::InstalledModel& model) {
  return models::find_in_catalogue(model.sha256);
}

// What `default` names: the configured model, else the starter, else the first.
std::string default_model(const std::vector<registry::InstalledModel>& models,
                          const std::string& configured) {
  if (!configured.empty()) return configured;
  for (const registry::InstalledModel& model : models) {
    if (known(model) != nullptr && known(model)->starter) return model.id;
  }
  return models.empty() ? std::string() : models.front().id;
}

}  // namespace

ServedModels::Entry& ServedModels::add(Entry entry) {
  engine::RemoteOptions options;
  options.info.id = entry.served.id;
  options.info.context_tokens = entry.start.context_tokens;
  options.info.sequences_max = entry.start.sequences;
  options.runtime = &loop_;
  entry.engine = std::make_unique<engine::RemoteEngine>(std::move(options), scheduler_);
  entry.served.engine = entry.engine.get();
  const std::lock_guard lock(mutex_);
  entries_.push_back(std::make_unique<Entry>(std::move(entry)));
  return *entries_.back();
}

void ServedModels::add_scripted() {
  Entry entry;
  entry.served.id = "scripted";
  entry.served.aliases = {"default"};
  entry.served.display_name = "Scripted engine";
  entry.served.created_unix_s = 1'767'225'600;
  entry.start.model_id = "scripted";
  entry.start.blob_sha256 = config_.script;
  add(std::move(entry));
}

base::Result<ServedModels::Entry> ServedModels::entry_of(
    const registry::Registry& store, const registry::InstalledModel& model) const {
  const std::uint64_t memory = base::os::system_facts().memory_bytes;
  FH_TRY(const models::GgufFacts facts, store.facts(model));
  Entry entry;
  entry.start.model_id = model.id;
  entry.start.blob_sha256 = model.sha256;
  entry.start.context_tokens = static_cast<std::uint32_t>(
      models::context_for_memory(facts, config_.engine.context_tokens, memory));
  entry.start.sequences = config_.engine.sequences;
  entry.start.threads = config_.engine.threads;
  entry.start.flags = {fmt::format("--queue={}", config_.engine.queue)};
  const models::FitReport fit = models::fit_of(facts, entry.start.context_tokens, memory);
  entry.memory_bytes = fit.weights_bytes + fit.kv_bytes + fit.working_bytes;
  entry.served.id = model.id;
  entry.served.aliases = model.aliases;
  entry.served.display_name = model.display_name;
  entry.served.created_unix_s = model.imported_unix_ns / 1'000'000'000;
  entry.served.facts_json = registry::facts_json(model, entry.start.context_tokens, memory, facts);
  return entry;
}

// A damaged file or manifest is the trouble of one model: the others are served, and whoever asks
// for this one is told what to do.
ServedModels::Entry ServedModels::broken_entry(const registry::InstalledModel& model,
                                               std::string why) const {
  Entry entry;
  entry.start.model_id = model.id;
  entry.start.context_tokens =
      static_cast<std::uint32_t>(std::clamp<std::uint64_t>(model.context_length, 512, 4'000'000));
  entry.start.sequences = config_.engine.sequences;
  entry.served.id = model.id;
  entry.served.aliases = model.aliases;
  entry.served.display_name = model.display_name;
  entry.served.created_unix_s = model.imported_unix_ns / 1'000'000'000;
  entry.broken = base::Error{base::Code::Unavailable,
                             std::move(why),
                             "import the model again: freehold models remove, then import",
                             {},
                             {}};
  return entry;
}

std::vector<ServedModels::Entry> ServedModels::entries_of(const registry::Registry& store,
                                                          const registry::Listing& listing) const {
  std::vector<Entry> out;
  const auto say = [](const std::string& id, const base::Error& why) {
    base::log_error("a model cannot be served", {{"model", id}, {"why", why.text()}});
  };
  for (const registry::InstalledModel& model : listing.models) {
    base::Result<Entry> made = entry_of(store, model);
    if (!made) say(model.id, made.error());
    out.push_back(made ? *std::move(made)
                       : broken_entry(model, "its file cannot be used: " + made.error().message));
  }
  for (const registry::DamagedManifest& damaged : listing.damaged) {
    say(damaged.id, damaged.why);
    // A file of any name can lie there, but not every name can be asked for.
    if (!registry::valid_model_id(damaged.id)) continue;
    registry::InstalledModel model;
    model.id = model.display_name = damaged.id;
    // Clients see this, whom the paths of this machine do not concern.
    out.push_back(broken_entry(model, "its manifest is damaged; `freehold models list` says more"));
  }
  return out;
}

base::Status ServedModels::add_registered() {
  const registry::Registry store(config_.data_dir, clock_);
  FH_TRY(const registry::Listing listing, store.list());
  const std::string chosen = default_model(listing.models, config_.default_model);
  bool found = chosen.empty();
  for (Entry& entry : entries_of(store, listing)) {
    if (entry.served.id == chosen) {
      entry.served.aliases.insert(entry.served.aliases.begin(), kDefault);
      found = true;
    }
    add(std::move(entry));
  }
  // Each worker takes its share of the memory for prompts, whether or not the others run just now.
  for (const auto& entry : entries_) {
    entry->start.flags.push_back(fmt::format("--models={}", entries_.size()));
  }
  if (!found) {
    return base::fail(base::Code::InvalidArgument,
                      fmt::format("models.default names `{}`, which is not here", chosen),
                      "`freehold models list` shows what there is");
  }
  // The default first: it is the one that gets memory when there is not enough for all.
  for (std::size_t i = 1; i < entries_.size(); ++i) {
    if (entries_[i]->served.id == chosen) std::swap(entries_[0], entries_[i]);
  }
  return {};
}

base::Result<std::unique_ptr<ServedModels>> ServedModels::open(const Config& config,
                                                               const base::Clock& clock,
                                                               engine::Scheduler& scheduler,
                                                               net::Runtime& loop) {
  auto models = std::unique_ptr<ServedModels>(new ServedModels(config, clock, scheduler, loop));
  if (!config.script.empty()) {
    models->add_scripted();
  } else {
    FH_TRY_VOID(models->add_registered());
  }
  return models;
}

base::Result<std::vector<ServedModels::Entry>> ServedModels::find_new() const {
  std::vector<Entry> out;
  if (!config_.script.empty()) return out;
  const registry::Registry store(config_.data_dir, clock_);
  FH_TRY(registry::Listing listing, store.list());
  const auto served = [this](const auto& model) { return find(model.id) != nullptr; };
  std::erase_if(listing.models, served);
  std::erase_if(listing.damaged, served);
  out = entries_of(store, listing);
  // Those that came in damaged are not taken up: mended, they still can be.
  std::erase_if(out, [](const Entry& entry) { return entry.broken.has_value(); });
  return out;
}

std::vector<gateway::ServedModel> ServedModels::serve(std::vector<Entry> found) {
  std::vector<gateway::ServedModel> out;
  for (Entry& entry : found) {
    if (find(entry.served.id) != nullptr) continue;
    const bool wanted = config_.default_model.empty() || config_.default_model == entry.served.id;
    if (wanted && !has_default()) {
      entry.served.aliases.insert(entry.served.aliases.begin(), kDefault);
    }
    entry.start.flags.push_back(fmt::format("--models={}", entries_.size() + 1));
    Entry& added = add(std::move(entry));
    connect(added);
    out.push_back(added.served);
    base::log_info("a model has come in and is served", {{"model", added.served.id}});
  }
  return out;
}

bool ServedModels::has_default() const {
  return std::ranges::any_of(entries_, [](const auto& entry) {
    return std::ranges::find(entry->served.aliases, kDefault) != entry->served.aliases.end();
  });
}

std::vector<gateway::ServedModel> ServedModels::directory_entries() const {
  std::vector<gateway::ServedModel> out;
  for (const auto& entry : entries_) out.push_back(entry->served);
  return out;
}

void ServedModels::start_workers(ControlClient& control) {
  control_ = &control;
  for (const auto& entry : entries_) connect(*entry);
}

// From now on the supervisor is asked for a worker when one is needed; at once where memory has
// room for it.
void ServedModels::connect(Entry& entry) {
  Entry* model = &entry;
  if (model->broken) {
    const auto refuse = [model] { model->engine->start_failed(*model->broken); };
    model->engine->set_wanted(refuse);
    return refuse();
  }
  ControlClient* control = control_;
  const auto start = [model, control] {
    model->engine->note_starting("the worker is starting");
    if (const base::Status asked = control->start_worker(model->start); !asked) {
      model->engine->start_failed(asked.error());
    }
  };
  model->engine->set_wanted(start);
  // A worker that died is started again by the supervisor, with back-off. One that is stuck does
  // not die: the supervisor ends it, by force if need be, and starts its successor.
  model->engine->set_lost([model, start, control](const base::Error& why) {
    base::log_warn("a worker is gone", {{"model", model->served.id}, {"why", why.message}});
    if (why.code != base::Code::DeadlineExceeded) return;
    if (control->stop_worker(model->start.model_id)) start();
  });
  const std::uint64_t room = base::os::system_facts().memory_bytes / 100 * kPreloadPercent;
  taken_bytes_ += model->memory_bytes;
  if (taken_bytes_ <= room || model == entries_.front().get()) start();
}

ServedModels::Entry* ServedModels::find(const std::string& model) const {
  const std::lock_guard lock(mutex_);
  for (const auto& entry : entries_) {
    if (entry->served.id == model) return entry.get();
  }
  return nullptr;
}

void ServedModels::worker_started(const WorkerStarted& started, base::os::Fd worker) {
  Entry* entry = find(started.model_id);
  if (entry == nullptr) return;
  const auto pid = static_cast<pid_t>(started.pid);
  if (const base::Status attached = entry->engine->attach(worker.release(), pid); !attached) {
    base::log_error("a worker could not be attached",
                    {{"model", started.model_id}, {"why", attached.error().text()}});
  }
}

void ServedModels::worker_exited(const WorkerExited& exited) {
  Entry* entry = find(exited.model_id);
  if (entry == nullptr) return;
  if (exited.retry_ms == kNotRetried) {
    entry->engine->start_failed({base::Code::Unavailable,
                                 "the model's worker could not be started: " + exited.description,
                                 "look at the log, then send the request again",
                                 {},
                                 {}});
    return;
  }
  entry->engine->note_starting(fmt::format("its worker ended ({}); started again in {} ms",
                                           exited.description, exited.retry_ms));
}

std::string ServedModels::worker_lock() const {
  const std::lock_guard lock(mutex_);
  for (const auto& entry : entries_) {
    if (const std::string level = entry->engine->worker_lock(); !level.empty()) return level;
  }
  return {};
}

}  // namespace fh::cli
