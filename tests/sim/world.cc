#include "world.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "codec/json.h"

namespace fh::sim {
namespace {

class MemoryKeys final : public auth::KeyStore {
 public:
  base::Result<std::vector<auth::KeyRecord>> load_keys() override { return records_; }
  base::Status save_key(const auth::KeyRecord& record) override {
    std::erase_if(records_, [&](const auto& known) { return known.id == record.id; });
    records_.push_back(record);
    return {};
  }

 private:
  std::vector<auth::KeyRecord> records_;
};

// The ledger as the gateway sees it, with the planted mistakes.
class PlantedLedger final : public ledger::Ledger {
 public:
  PlantedLedger(ledger::Ledger& inner, Plant plant) : inner_(inner), plant_(plant) {}
  void admit(ledger::Admission admission, Done done) override {
    if (plant_ == Plant::AdmitLate) {
      done({});  // says yes before the store does
      inner_.admit(std::move(admission), [](base::Status) {});
      return;
    }
    inner_.admit(std::move(admission), std::move(done));
  }
  void settle(ledger::Settlement settlement, Done done) override {
    if (plant_ == Plant::ForgetAborted && settlement.reason == domain::EndReason::ClientAbort) {
      done({});
      return;
    }
    if (plant_ == Plant::SettleTwice && settlement.reason == domain::EndReason::Complete) {
      ledger::Settlement again = settlement;
      again.attempt += 1;
      inner_.settle(std::move(again), [](base::Status) {});
    }
    inner_.settle(std::move(settlement), std::move(done));
  }
  ledger::Durability durability() const override { return inner_.durability(); }
  bool healthy() const override { return inner_.healthy(); }

 private:
  ledger::Ledger& inner_;
  Plant plant_;
};

// Small, so that a life passes through its halves many times.
constexpr std::uint64_t kJournalBytes = 20 * 1024;

constexpr const char* kScript = R"(
set context_tokens 600
set running_max 3
set queue_max 5
set pace 3ms
set prefill 10us

on user "slow"
  text "one two three four five six seven eight nine ten"
  delay 400ms
  text " and a long pause before the end."

on user "fails"
  text "this begins well"
  fail unavailable "the worker ended"

on user "hangs"
  text "waiting"
  hang

on user "tool" and tools
  tool lookup {"city":"Bern"}
)";

struct Client {
  std::string request_id;
  std::unique_ptr<net::MemoryResponse> response;
  bool stream = false;
  bool openai = false;
  bool counted = false;
};

// What the journal remembers of a request whose answer the client received whole.
struct Receipt {
  std::uint64_t output_tokens = 0;
  std::uint64_t prompt_tokens = 0;
};

// Everything that a process keeps in memory.
struct Process {
  Process(base::ManualClock& clock, base::Random& random, ledger::Store& store,
          auth::KeyTable& keys, const ledger::LedgerWriter::Options& options, Plant plant)
      : runtime(clock),
        engine_time(clock),
        writer(store, clock, options),
        planted(writer, plant),
        sessions(clock, random),
        live(clock) {
    engine::ScriptedOptions scripted;
    auto parsed = engine::scripted::parse_script(kScript);
    if (!parsed) throw std::runtime_error(parsed.error().text());
    scripted.script = *std::move(parsed);
    engine = std::make_unique<engine::ScriptedEngine>(std::move(scripted), engine_time);
    models.add({"scripted", {"default"}, "Scripted", 0, "local", engine.get(), {}});
    gateway::Settings settings;
    settings.compare_models = {"anthropic/claude-opus-5-5"};
    settings.request_ms_max = 20'000;
    settings.keep_alive_ms = 200;
    settings.cancel_wait_ms = 2'000;
    front = std::make_unique<gateway::Gateway>(gateway::Deps{runtime,
                                                             clock,
                                                             random,
                                                             planted,
                                                             keys,
                                                             sessions,
                                                             models,
                                                             pricing::PriceBook::bundled(),
                                                             metrics,
                                                             live,
                                                             settings,
                                                             {},
                                                             {}});
  }

  ~Process() { runtime.abandon(); }

  net::Runtime runtime;
  engine::ManualScheduler engine_time;
  ledger::LedgerWriter writer;
  PlantedLedger planted;
  gateway::Sessions sessions;
  gateway::LiveRequests live;
  obs::Metrics metrics;
  gateway::ModelDirectory models;
  std::unique_ptr<engine::ScriptedEngine> engine;
  std::unique_ptr<gateway::Gateway> front;
};

net::Task<void> serve(gateway::Gateway* front, net::HttpRequest request, net::MemoryResponse* to) {
  co_await front->handle(std::move(request), *to);
}

class World {
 public:
  explicit World(const Plan& plan)
      : plan_(plan),
        random_(plan.seed),
        faulty_(store_),
        keys_(key_store_, base::Secret(std::string(32, 'p')), clock_, random_) {
    options_.durability = chance(50) ? ledger::Durability::Process : ledger::Durability::Power;
    options_.direct_open_max = chance(50) ? 0 : 1 + random_.below(6);
    options_.direct_sync_max = std::chrono::seconds(chance(50) ? 0 : 1);
    options_.queue_max = 64;
    options_.batch_max = 1 + static_cast<std::size_t>(random_.below(8));
    journalled_ = chance(70);
  }

  Report life();

 private:
  bool chance(std::uint64_t percent) { return random_.below(100) < percent; }
  void boot();
  void crash();
  std::set<std::string> admitted_ids();
  void break_something();
  bool broken() const { return faulty_.broken() || file_.broken(); }
  void arrive();
  void step();
  void pass_time();
  void harvest();
  void receive(Client& client);
  void settle_down();
  void judge();
  void fail(std::string what) {
    if (!report_.ok) return;
    report_.ok = false;
    report_.failure = fmt::format("seed {}: {}", plan_.seed, what);
  }

  Plan plan_;
  base::ManualClock clock_;
  base::SeededRandom random_;
  MemoryKeys key_store_;
  ledger::MemoryStore store_;
  ledger::FaultyStore faulty_;
  ledger::MemoryJournalFile file_{kJournalBytes};
  bool journalled_ = false;
  auth::KeyTable keys_;
  ledger::LedgerWriter::Options options_;
  std::unique_ptr<ledger::JournalStore> journal_;
  std::unique_ptr<Process> process_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::map<std::string, Receipt> receipts_;  // answers received whole
  std::map<std::string, bool> seen_;         // a status line was received; true: 200
  std::set<std::string> may_be_lost_;        // power cut at level process
  std::string key_;
  bool power_cut_ = false;
  Report report_;
};

void World::boot() {
  if (journalled_) {
    auto opened = ledger::JournalStore::open(faulty_, file_);
    if (!opened) throw std::runtime_error(opened.error().text());
    journal_ = *std::move(opened);
  }
  ledger::Store& store = journal_ ? static_cast<ledger::Store&>(*journal_) : faulty_;
  process_ = std::make_unique<Process>(clock_, random_, store, keys_, options_, plan_.plant);
  if (auto recovered = process_->writer.recover(); !recovered)
    fail("recovery failed: " + recovered.error().text());
}

// Those of the store and those that a start would find in the journal.
std::set<std::string> World::admitted_ids() {
  std::set<std::string> ids;
  for (const ledger::Row& row : store_.rows()) ids.insert(row.admission.request_id);
  if (!journalled_) return ids;
  auto content = ledger::read_journal(file_);
  auto records = ledger::decode_records(content ? content->records : std::string());
  if (!records) throw std::runtime_error(records.error().text());
  for (const ledger::Record& record : *records) {
    if (const auto* admission = std::get_if<ledger::Admission>(&record))
      ids.insert(admission->request_id);
  }
  return ids;
}

// What a crash takes: everything in memory; after a power cut also what was written but not synced.
void World::crash() {
  ++report_.crashes;
  const bool power = chance(40);
  harvest();
  // A dead process settles nothing on its way out: its ledger refuses from here on.
  process_->writer.close();
  clients_.clear();
  process_.reset();
  journal_.reset();
  if (power) {
    power_cut_ = true;
    std::set<std::string> before = admitted_ids();
    store_.crash_power(random_);
    file_.crash_power(random_);
    for (const std::string& id : admitted_ids()) before.erase(id);
    // Level `process` promises nothing about a power cut within the 5 ms before the sync.
    if (options_.durability == ledger::Durability::Process) may_be_lost_.merge(before);
  } else {
    store_.crash_process();
  }
  faulty_.heal();
  file_.heal();
  boot();
}

std::string body_for(std::uint64_t kind, bool stream, bool openai, std::uint64_t max_tokens) {
  static constexpr const char* kTexts[] = {"hello there", "slow please", "this fails", "it hangs",
                                           "use the tool now"};
  codec::json::Writer w;
  w.object().member("model", "scripted").member("stream", stream);
  w.member("max_tokens", max_tokens).key("messages").array().object();
  w.member("role", "user").member("content", kTexts[kind]).end_object().end_array();
  if (stream && openai) w.key("stream_options").object().member("include_usage", true).end_object();
  if (kind == 4) {
    w.key("tools").array();
    if (openai) {
      w.raw(
          R"({"type":"function","function":{"name":"lookup","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}})");
    } else {
      w.raw(
          R"({"name":"lookup","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}})");
    }
    w.end_array();
  }
  w.end_object();
  return w.take();
}

void World::arrive() {
  auto client = std::make_unique<Client>();
  client->openai = chance(50);
  client->stream = chance(60);
  net::HttpRequest request;
  request.method = "POST";
  request.path = client->openai ? "/v1/chat/completions" : "/v1/messages";
  request.target = request.path;
  request.headers = {{"authorization", "Bearer " + key_}, {"host", "127.0.0.1"}};
  request.body = body_for(random_.below(5), client->stream, client->openai, 1 + random_.below(40));
  client->response = std::make_unique<net::MemoryResponse>(process_->runtime);
  if (chance(20)) {
    client->response->go_away_at(clock_.now() + std::chrono::microseconds(random_.below(900'000)));
  } else if (chance(10)) {
    client->response->fail_call(1 + random_.below(6));
  }
  process_->runtime.spawn(serve(process_->front.get(), std::move(request), client->response.get()));
  clients_.push_back(std::move(client));
  ++report_.requests;
}

// One thing happens: which one is the seed's choice.
void World::step() {
  ++report_.steps;
  switch (random_.below(9)) {
    case 0:
    case 1: process_->runtime.poll(); break;
    case 2:
    case 3: process_->engine_time.run_one(); break;
    case 4: process_->writer.append_queued(); break;
    case 5: process_->writer.sync_written(); break;
    case 6: process_->writer.complete_synced(); break;
    case 7: process_->writer.maintain(chance(50)); break;
    case 8: pass_time(); break;
  }
  harvest();
}

void World::pass_time() {
  std::optional<base::TimePoint> next = process_->runtime.next_timer();
  if (!process_->engine_time.idle()) {
    const base::TimePoint due = process_->engine_time.next_due();
    if (!next || due < *next) next = due;
  }
  if (!next) return;
  if (*next > clock_.now()) clock_.advance_to(*next);
  process_->runtime.advance_to_next_timer();
}

std::uint64_t number_after(std::string_view text, std::string_view name) {
  const std::size_t at = text.rfind(name);
  if (at == std::string_view::npos) return 0;
  std::uint64_t value = 0;
  for (std::size_t i = at + name.size(); i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    value = value * 10 + static_cast<std::uint64_t>(text[i] - '0');
  }
  return value;
}

void World::receive(Client& client) {
  const net::MemoryResponse& got = *client.response;
  if (got.status() == 0 || client.counted) return;
  client.request_id = std::string(got.header("x-request-id"));
  seen_[client.request_id] = got.status() == 200;
  if (!got.finished() || got.status() != 200) return;
  const std::string body = got.body();
  const bool whole = !got.streamed() || body.find("[DONE]") != std::string::npos ||
                     body.find("message_stop") != std::string::npos;
  if (!whole) return;
  client.counted = true;
  ++report_.answered;
  Receipt receipt;
  receipt.output_tokens =
      number_after(body, client.openai ? "\"completion_tokens\":" : "\"output_tokens\":");
  receipt.prompt_tokens = client.openai
                              ? number_after(body, "\"prompt_tokens\":")
                              : number_after(body, "\"input_tokens\":") +
                                    number_after(body, "\"cache_read_input_tokens\":") +
                                    number_after(body, "\"cache_creation_input_tokens\":");
  receipts_[client.request_id] = receipt;
}

void World::harvest() {
  for (const auto& client : clients_) receive(*client);
}

// No more arrivals or faults: everything in flight must come to its end by itself.
void World::settle_down() {
  for (int round = 0; round < 200'000; ++round) {
    std::size_t did = process_->runtime.poll();
    did += process_->engine_time.run_ready(1000);
    process_->writer.pump();
    did += process_->runtime.poll();
    if (did > 0) continue;
    if (!process_->runtime.next_timer() && process_->engine_time.idle()) break;
    pass_time();
  }
  harvest();
  if (process_->live.running_count() != 0)
    fail("a request is still in the live list after everything ended");
  const engine::EngineStatus status = process_->engine->status();
  if (status.running != 0 || status.queued != 0)
    fail("the engine still holds a request after everything ended");
  if (process_->front->running() != 0) fail("the gateway still counts a request as running");
}

// Promise 1, and that the rows say what the clients were told.
void World::judge() {
  std::map<std::string, std::vector<const ledger::Row*>> by_id;
  const std::vector<ledger::Row> rows = store_.rows();
  for (const ledger::Row& row : rows) {
    by_id[row.admission.request_id].push_back(&row);
    if (!row.settlement) fail(row.admission.request_id + " was admitted and never settled");
  }
  report_.settled = rows.size();
  for (const auto& [id, found] : by_id) {
    if (found.size() != 1) fail(fmt::format("{} has {} rows", id, found.size()));
  }
  const ledger::LedgerWriter::Counters counters = process_->writer.counters();
  if (counters.orphaned != 0 || counters.repeated != 0) {
    fail(fmt::format("{} settlements without admission, {} repeated", counters.orphaned,
                     counters.repeated));
  }
  for (const auto& [id, ok] : seen_) {
    if (!ok || may_be_lost_.contains(id)) continue;
    if (!by_id.contains(id)) fail(id + " was answered with 200 and has no row");
  }
  for (const auto& [id, receipt] : receipts_) {
    const auto it = by_id.find(id);
    if (it == by_id.end() || !it->second.front()->settlement) continue;
    const ledger::Settlement& row = *it->second.front()->settlement;
    if (may_be_lost_.contains(id) || (power_cut_ && row.reason == domain::EndReason::Crash))
      continue;
    if (row.usage.output != receipt.output_tokens ||
        row.usage.prompt_total() != receipt.prompt_tokens) {
      fail(fmt::format("{}: the client was told {} + {} tokens, the row says {} + {} ({})", id,
                       receipt.prompt_tokens, receipt.output_tokens, row.usage.prompt_total(),
                       row.usage.output, domain::end_reason_name(row.reason)));
    }
  }
}

void World::break_something() {
  const std::uint64_t nth = 1 + random_.below(4);
  if (journalled_ && chance(60)) {
    if (chance(50)) {
      file_.fail_write(nth);
    } else {
      file_.fail_sync(nth);
    }
  } else if (chance(50)) {
    faulty_.fail_append(nth, chance(50) ? ledger::FaultyStore::Lost::Transaction
                                        : ledger::FaultyStore::Lost::OnlyTheAnswer);
  } else {
    faulty_.fail_sync(nth);
  }
}

Report World::life() {
  auto made = keys_.create("sim", auth::Role::Member, "team", "tests");
  if (!made) {
    fail("no key: " + made.error().text());
    return report_;
  }
  key_ = made->key.reveal();
  boot();
  const bool faults = chance(70);
  while (report_.requests < plan_.requests && report_.ok) {
    if (chance(5)) arrive();
    if (faults && chance(1) && chance(30)) break_something();
    step();
    // A store that failed is trusted again only after a restart.
    const bool ends = broken() && chance(20);
    if (faults && (ends || (chance(1) && chance(20)))) crash();
  }
  if (broken()) crash();
  faulty_.heal();
  file_.heal();
  settle_down();
  judge();
  return report_;
}

}  // namespace

Report run(const Plan& plan) {
  return World(plan).life();
}

}  // namespace fh::sim
