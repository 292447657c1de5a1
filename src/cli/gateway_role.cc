// The gateway process: wiring only. Order matters: the lock is entered before any thread exists,
// the ledger recovers before the first request, listeners are served last.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <map>

#include "admin/admin_api.h"
#include "admin/console_files.h"
#include "base/os/file.h"
#include "base/os/process.h"
#include "base/os/sandbox.h"
#include "cli/access.h"
#include "cli/build_info.h"
#include "cli/control.h"
#include "cli/roles.h"
#include "cli/served_models.h"
#include "cli/verbs.h"
#include "engine/remote/remote_engine.h"
#include "gateway/gateway.h"
#include "ledger/open.h"
#include "ledger/thread.h"
#include "ledger/writer.h"
#include "net/offload.h"
#include "net/server.h"
#ifdef FREEHOLD_BREAK_SETTLEMENT
#include "tests/faults/forgetful_ledger.h"
#endif

namespace fh::cli {
namespace {

constexpr int kControlSocket = 3;
constexpr int kFirstListener = 4;

// 2 ends the service: what is configured cannot be served. Anything else is tried again, if the
// service has run before. The supervisor says why; without it, the log does.
int fail_start(const base::Error& error) {
  const auto bytes = encode_control(gateway_failed(error));
  if (!bytes || !base::os::send_message(kControlSocket, *bytes)) {
    base::log_error("the gateway cannot start", {{"why", error.message}, {"hint", error.hint}});
  }
  const bool passing = error.code == base::Code::Unavailable ||
                       error.code == base::Code::ResourceExhausted ||
                       error.code == base::Code::DeadlineExceeded;
  return passing ? 1 : 2;
}

base::Result<pricing::PriceBook> price_book_of(const Config& config) {
  const pricing::PriceBook& bundled = pricing::PriceBook::bundled();
  if (config.price_book.empty()) return bundled;
  FH_TRY(const std::string text, base::os::read_file(config.price_book, 16 * 1024 * 1024));
  FH_TRY(const pricing::PriceBook own, pricing::PriceBook::parse(text));
  return bundled.overridden_by(own);
}

// Everything the gateway process owns, in the order in which it is made; destroyed in reverse.
class GatewayProcess {
 public:
  GatewayProcess(Config config, std::size_t listeners)
      : config_(std::move(config)),
        listeners_(listeners),
        runtime_(static_cast<base::Clock&>(clock_)) {}
  // Coroutines go before what they refer to.
  ~GatewayProcess() {
    server_.reset();
    runtime_.abandon();
  }
  base::Status start();
  int serve();

 private:
  base::Status open_ledger();
  base::Status open_keys();
  base::Status open_models();
  base::Status open_prices();
  base::Status open_control();
  ledger::Ledger& front_ledger();
  void open_front();
  void begin_drain();
  void watch_drain();
  void stop_now();
  std::vector<std::string> serve(std::vector<ServedModels::Entry> found);
  admin::Facts facts();

  Config config_;
  std::size_t listeners_;
  base::SystemClock clock_;
  base::SystemRandom random_;
  base::os::ResidentMemory memory_;
  net::Runtime runtime_;
  ledger::OpenLedger ledger_;
  std::unique_ptr<ledger::LedgerWriter> writer_;
  std::unique_ptr<ledger::LedgerThread> ledger_thread_;
#ifdef FREEHOLD_BREAK_SETTLEMENT
  std::unique_ptr<tests::ForgetfulLedger> forgetful_;
#endif
  std::unique_ptr<auth::KeyTable> keys_;
  std::optional<pricing::PriceBook> prices_;
  obs::Metrics metrics_;
  gateway::Sessions sessions_{clock_, random_};
  gateway::LiveRequests live_{clock_};
  engine::ThreadScheduler engine_time_;
  std::unique_ptr<ServedModels> served_;
  gateway::ModelDirectory directory_;
  net::Offload offload_;  // its thread reads ledger and models, so it ends before they do
  std::unique_ptr<ControlClient> control_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<admin::AdminApi> admin_;
  std::unique_ptr<net::Server> server_;
  bool draining_ = false;
  std::atomic<bool> loop_ended_ = false;  // in order: what follows may take the disk's time
  base::TimePoint drain_deadline_{};
};

base::Status GatewayProcess::open_ledger() {
  FH_TRY(ledger_, ledger::open_ledger(ledger_file(config_).string()));
  ledger::LedgerWriter::Options options;
  options.durability = config_.durability;
  options.direct_open_max = 4096;
  options.direct_sync_max = std::chrono::milliseconds(1);  // the loop's time, when it is idle
  writer_ = std::make_unique<ledger::LedgerWriter>(*ledger_.store, clock_, options);
  FH_TRY(const std::uint64_t recovered, writer_->recover());
  if (recovered > 0) {
    base::log_warn("requests of an earlier run were settled as crashed",
                   {{"rows", std::to_string(recovered)}});
  }
  ledger_thread_ = std::make_unique<ledger::LedgerThread>(*writer_);
  return {};
}

// The first start makes the admin key: kept 0600 beside the data, shown once.
base::Status GatewayProcess::open_keys() {
  FH_TRY(base::Secret pepper, load_pepper(config_, random_));
  keys_ = std::make_unique<auth::KeyTable>(*ledger_.database, std::move(pepper), clock_, random_);
  FH_TRY_VOID(keys_->load());
  for (const auth::KeyRecord& key : keys_->list()) {
    if (key.role == auth::Role::Admin && key.revoked_unix_ns == 0) return {};
  }
  const auto keep = [this](const base::Secret& key) {
    return base::os::write_file_atomically(admin_key_file(config_), key.reveal() + "\n", 0600);
  };
  FH_TRY(const auth::NewKey made, keys_->create("admin", auth::Role::Admin, "default", "", keep));
  fmt::print("\nYour admin key, shown this once and kept in {}:\n\n  {}\n\n",
             admin_key_file(config_).string(), made.key.reveal());
  std::fflush(stdout);
  return {};
}

base::Status GatewayProcess::open_prices() {
  base::Result<pricing::PriceBook> book = price_book_of(config_);
  if (!book) {
    base::Error error = book.error();
    error.code = base::Code::InvalidArgument;
    error.message = "`prices.book` names a file that cannot be used: " + error.message;
    return std::unexpected(std::move(error));
  }
  prices_ = *std::move(book);
  for (const std::string& model : config_.gateway.compare_models) {
    if (!prices_->knows(model)) {
      return base::fail(
          base::Code::InvalidArgument,
          fmt::format("prices.compare names `{}`, which the price book does not know", model),
          "use ids like anthropic/claude-opus-5-5");
    }
  }
  return {};
}

base::Status GatewayProcess::open_models() {
  FH_TRY(served_, ServedModels::open(config_, clock_, engine_time_, runtime_));
  for (gateway::ServedModel& model : served_->directory_entries()) directory_.add(std::move(model));
  if (directory_.all().empty()) {
    base::log_warn("no model is imported; bring one in with `freehold models import FILE.gguf`");
  }
  return {};
}

base::Status GatewayProcess::open_control() {
  ControlClient::Callbacks callbacks;
  callbacks.on_worker_started = [this](const WorkerStarted& started, base::os::Fd worker) {
    served_->worker_started(started, std::move(worker));
  };
  callbacks.on_worker_exited = [this](const WorkerExited& exited) {
    served_->worker_exited(exited);
  };
  callbacks.on_drain = [this](Drain) { runtime_.post([this] { begin_drain(); }); };
  callbacks.on_ping = [this] {
    const auto answer = [this] { static_cast<void>(control_->pong()); };
    if (loop_ended_.load(std::memory_order_acquire)) return answer();
    runtime_.post(answer);
  };
  callbacks.on_lost = [this](const base::Status& why) {
    base::log_error("the supervisor is gone; the gateway ends",
                    {{"why", why ? std::string("it closed") : why.error().text()}});
    runtime_.post([this] { stop_now(); });
  };
  FH_TRY(control_, ControlClient::start(base::os::Fd(kControlSocket), std::move(callbacks)));
  served_->start_workers(*control_);
  return {};
}

std::vector<std::string> GatewayProcess::serve(std::vector<ServedModels::Entry> found) {
  std::vector<std::string> ids;
  for (gateway::ServedModel& model : served_->serve(std::move(found))) {
    ids.push_back(model.id);
    directory_.add(std::move(model));
  }
  return ids;
}

admin::Facts GatewayProcess::facts() {
  admin::Facts facts;
  facts.version = freehold_version();
  facts.sqlite_version = ledger::sqlite_version();
  facts.llama_version = llama_version();
  facts.data_dir = config_.data_dir.string();
  facts.listen = config_.listen;
  facts.worker_lock = [this] { return served_->worker_lock(); };
  facts.rss_bytes = [this] { return static_cast<std::int64_t>(memory_.bytes()); };
  facts.is_owner = [owner = static_cast<std::int64_t>(::geteuid())](std::int64_t uid) {
    return uid == owner || uid == 0;
  };
  // The supervisor takes a gateway that ends well for the end of the service.
  facts.shutdown = [this] { begin_drain(); };
  facts.find_models = [this]() -> base::Result<std::function<std::vector<std::string>()>> {
    FH_TRY(auto found, served_->find_new());
    const auto shared = std::make_shared<decltype(found)>(std::move(found));
    return [this, shared] { return serve(std::move(*shared)); };
  };
  facts.plan = [config = config_] { return plan_for_console(config); };
  return facts;
}

ledger::Ledger& GatewayProcess::front_ledger() {
#ifdef FREEHOLD_BREAK_SETTLEMENT
  forgetful_ = std::make_unique<tests::ForgetfulLedger>(*writer_);
  return *forgetful_;
#else
  return *writer_;
#endif
}

void GatewayProcess::open_front() {
  gateway::Deps deps{runtime_, clock_,   random_, front_ledger(),  *keys_, sessions_, directory_,
                     *prices_, metrics_, live_,   config_.gateway, {},     {}};
  deps.settings.log_requests = true;
  deps.admin = [this](net::HttpRequest request, net::ResponseWriter& writer, gateway::Principal who,
                      std::string id) {
    return admin_->handle(std::move(request), writer, std::move(who), std::move(id));
  };
  deps.console = [](net::HttpRequest request, net::ResponseWriter& writer, gateway::Principal,
                    std::string id) {
    return admin::serve_console_file(std::move(request), writer, std::move(id));
  };
  gateway_ = std::make_unique<gateway::Gateway>(std::move(deps));
  admin_ = std::make_unique<admin::AdminApi>(gateway_->deps(), *ledger_.reader, offload_, facts());
  net::ServerOptions options;
  options.limits = config_.server;
  options.handler = [this](net::HttpRequest request, net::ResponseWriter& writer) {
    return gateway_->handle(std::move(request), writer);
  };
  options.route_policy = gateway::Gateway::route_policy;
  options.error_body = [this](int status, std::string_view path, std::string_view message) {
    return gateway_->error_body(status, path, message);
  };
  std::vector<int> listeners;
  for (std::size_t i = 0; i < listeners_; ++i)
    listeners.push_back(kFirstListener + static_cast<int>(i));
  server_ = std::make_unique<net::Server>(runtime_, std::move(listeners), std::move(options));
}

base::Status GatewayProcess::start() {
  FH_TRY_VOID(open_prices());
  FH_TRY_VOID(open_ledger());
  FH_TRY_VOID(open_models());
  FH_TRY_VOID(open_keys());
  FH_TRY_VOID(open_control());
  open_front();
  FH_TRY_VOID(write_server_file(config_, config_.listen.front()));
  return control_->ready();
}

void GatewayProcess::begin_drain() {
  if (draining_) return;
  draining_ = true;
  drain_deadline_ = clock_.now() + std::chrono::seconds(config_.drain_seconds);
  base::log_info("draining", {{"requests", std::to_string(gateway_->running())}});
  gateway_->drain();
  admin_->close_streams();
  server_->drain();
  watch_drain();
}

void GatewayProcess::watch_drain() {
  if (server_->requests_in_flight() == 0) {
    stop_now();
    return;
  }
  if (clock_.now() >= drain_deadline_) {
    gateway_->cancel_all();
    drain_deadline_ = clock_.now() + std::chrono::hours(1);
    // Cancelled requests settle within a step; what is still there after that is cut off.
    runtime_.call_at(clock_.now() + std::chrono::seconds(5), [this] { stop_now(); });
  }
  runtime_.call_at(clock_.now() + std::chrono::milliseconds(50), [this] { watch_drain(); });
}

void GatewayProcess::stop_now() {
  runtime_.stop();
}

int GatewayProcess::serve() {
  base::log_info(
      "serving",
      {{"listen", config_.listen.front()},
       {"durability", config_.durability == ledger::Durability::Power ? "power" : "process"},
       {"sqlite", std::string(ledger::sqlite_version())},
       {"prices", prices_->version()}});
  runtime_.run();
  loop_ended_.store(true, std::memory_order_release);
  server_.reset();
  // What is cut off here settles its row as it goes, and the ledger still takes it.
  runtime_.abandon();
  ledger_thread_->stop();
  std::error_code ignored;
  std::filesystem::remove(server_file(config_), ignored);
  base::log_info("stopped");
  return 0;
}

}  // namespace

int gateway_role_main(const RoleArgs& args) {
  ConfigFlags flags;
  flags.config_file = args.text("config");
  flags.data_dir = args.text("data-dir");
  flags.listen = args.text("listen");
  flags.script = args.text("script-sha256");
  base::Result<Config> config = load_config(flags);
  if (!config) return fail_start(config.error());
  base::log_configure(config->log_format, config->log_level, "gateway");
  base::os::end_with_parent();
  base::os::ignore_broken_pipes();
  base::os::raise_open_files_limit();
  if (const auto level = base::os::lock_gateway(); !level) return fail_start(level.error());
  GatewayProcess process(*std::move(config), args.number("listeners"));
  if (const base::Status started = process.start(); !started) return fail_start(started.error());
  return process.serve();
}

}  // namespace fh::cli
