#include "cli/access.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "admin/admin_api.h"
#include "base/os/dir_lock.h"
#include "base/os/file.h"
#include "codec/json.h"
#include "codec/url.h"
#include "gateway/gateway.h"
#include "ledger/open.h"
#include "ledger/writer.h"
#include "net/blocking_client.h"
#include "net/memory.h"

namespace fh::cli {
namespace {

using codec::json::Document;
using codec::json::Value;

constexpr std::int64_t kCallTimeoutMs = 60'000;

std::string text_of(Value object, std::string_view key) {
  const auto text = object[key].as_string();
  return text ? std::string(*text) : std::string();
}

// What an answer of 400 and more says, as an Error.
base::Result<std::string> unwrap(net::HttpResponse response) {
  if (response.status < 400) return std::move(response.body);
  base::Error error;
  error.code = response.status == 400   ? base::Code::InvalidArgument
               : response.status == 404 ? base::Code::NotFound
               : response.status == 401 ? base::Code::Unauthenticated
               : response.status == 409 ? base::Code::AlreadyExists
               : response.status < 500  ? base::Code::FailedPrecondition
                                        : base::Code::Unavailable;
  error.message = fmt::format("the server answered {}", response.status);
  if (const auto body = Document::parse(response.body)) {
    const Value said = body->root()["error"];
    if (const std::string message = text_of(said, "message"); !message.empty())
      error.message = message;
    error.hint = text_of(said, "hint");
  }
  return std::unexpected(std::move(error));
}

class RemoteAccess final : public Access {
 public:
  RemoteAccess(RunningServer server, base::Secret key, std::filesystem::path key_file)
      : server_(std::move(server)), key_(std::move(key)), key_file_(std::move(key_file)) {}
  bool server_runs() const override { return true; }
  base::Result<std::string> call(std::string_view method, std::string target,
                                 std::string body) override {
    const net::BlockingClient client(dialer_, {server_.host, server_.port});
    net::ClientRequest request;
    request.method = method;
    request.target = std::move(target);
    request.headers = {{"authorization", "Bearer " + key_.reveal()},
                       {"content-type", "application/json"}};
    request.body = std::move(body);
    FH_TRY(net::HttpResponse response, client.request(request, kCallTimeoutMs));
    if (response.status == 401) return std::unexpected(refused_key(key_file_));
    return unwrap(std::move(response));
  }

 private:
  RunningServer server_;
  base::Secret key_;
  std::filesystem::path key_file_;
  net::Dialer dialer_;
};

net::Task<void> serve_once(admin::AdminApi* api, net::HttpRequest request, net::MemoryResponse* to,
                           net::Runtime* runtime) {
  co_await api->handle(std::move(request), *to,
                       {"local", "this machine", auth::Role::Admin, "default", "", false},
                       "req_local");
  runtime->stop();
}

// The admin API without a server: real tables over the store, nothing running.
class LocalAccess final : public Access {
 public:
  static base::Result<std::unique_ptr<Access>> open(const Config& config, base::os::DirLock lock) {
    auto access = std::unique_ptr<LocalAccess>(new LocalAccess(config, std::move(lock)));
    FH_TRY_VOID(access->start());
    return access;
  }
  bool server_runs() const override { return false; }
  base::Result<std::string> call(std::string_view method, std::string target,
                                 std::string body) override;

 private:
  LocalAccess(const Config& config, base::os::DirLock lock)
      : config_(config), lock_(std::move(lock)) {}
  base::Status start();

  Config config_;
  base::os::DirLock lock_;
  base::SystemClock clock_;
  base::SystemRandom random_;
  ledger::OpenLedger ledger_;
  std::unique_ptr<ledger::LedgerWriter> writer_;
  std::unique_ptr<auth::KeyTable> keys_;
};

base::Status LocalAccess::start() {
  FH_TRY(ledger_, ledger::open_ledger(ledger_file(config_).string()));
  writer_ = std::make_unique<ledger::LedgerWriter>(*ledger_.store, clock_,
                                                   ledger::LedgerWriter::Options{});
  FH_TRY(base::Secret pepper, load_pepper(config_, random_));
  keys_ = std::make_unique<auth::KeyTable>(*ledger_.database, std::move(pepper), clock_, random_);
  return keys_->load();
}

base::Result<std::string> LocalAccess::call(std::string_view method, std::string target,
                                            std::string body) {
  const std::size_t mark = target.find('?');
  // As the server does it with what comes over the wire.
  FH_TRY(std::string path, codec::url::percent_decode(target.substr(0, mark)));
  net::Runtime runtime(static_cast<base::Clock&>(clock_));
  gateway::Sessions sessions(clock_, random_);
  gateway::ModelDirectory models;
  obs::Metrics metrics;
  gateway::LiveRequests live(clock_);
  const gateway::Deps deps{runtime, clock_,   random_,         *writer_,
                           *keys_,  sessions, models,          pricing::PriceBook::bundled(),
                           metrics, live,     config_.gateway, {},
                           {}};
  net::Offload offload;
  admin::Facts facts;
  facts.data_dir = config_.data_dir.string();
  facts.worker_lock = [] { return std::string(); };
  facts.rss_bytes = [] { return std::int64_t{0}; };
  facts.is_owner = [](std::int64_t) { return false; };
  facts.shutdown = [] {};
  admin::AdminApi api(deps, *ledger_.reader, offload, std::move(facts));
  net::HttpRequest request;
  request.method = method;
  request.path = std::move(path);
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  request.target = std::move(target);
  request.body = std::move(body);
  net::MemoryResponse response(runtime);
  runtime.spawn(serve_once(&api, std::move(request), &response, &runtime));
  runtime.run();
  net::HttpResponse answer;
  answer.status = response.status();
  answer.body = response.body();
  return unwrap(std::move(answer));
}

}  // namespace

std::filesystem::path server_file(const Config& config) {
  return config.data_dir / "server.json";
}
std::filesystem::path admin_key_file(const Config& config) {
  return config.data_dir / "admin.key";
}
std::filesystem::path ledger_file(const Config& config) {
  return config.data_dir / "ledger.db";
}

base::Result<base::Secret> read_admin_key(const Config& config) {
  auto text = base::os::read_file(admin_key_file(config), 4096);
  if (!text && text.error().code == base::Code::NotFound) {
    return base::fail(base::Code::Unauthenticated,
                      fmt::format("the admin key is not in {}", admin_key_file(config).string()),
                      "put one back there; without any, stop the server and make one with: "
                      "freehold keys create NAME --admin");
  }
  if (!text) return std::unexpected(std::move(text).error());
  while (!text->empty() && (text->back() == '\n' || text->back() == ' ')) text->pop_back();
  return base::Secret(*std::move(text));
}

base::Result<base::Secret> load_pepper(const Config& config, base::Random& random) {
  const std::filesystem::path path = config.data_dir / "pepper";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    std::string bytes(32, '\0');
    random.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    FH_TRY_VOID(base::os::write_file_atomically(path, bytes, 0600));
  }
  FH_TRY(std::string bytes, base::os::read_file(path, 64));
  return base::Secret(std::move(bytes));
}

base::Status write_server_file(const Config& config, const std::string& listen) {
  codec::json::Writer w;
  w.object()
      .member("listen", listen)
      .member("pid", static_cast<std::int64_t>(::getppid()))
      .end_object();
  return base::os::write_file_atomically(server_file(config), w.str() + "\n", 0600);
}

std::string url_of(std::string_view address) {
  std::string host(address.substr(0, address.rfind(':')));
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "[::]") host = "[::1]";
  return fmt::format("http://{}{}/", host, address.substr(address.rfind(':')));
}

base::Result<RunningServer> running_server(const Config& config) {
  FH_TRY(const std::string text, base::os::read_file(server_file(config), 4096));
  FH_TRY(const Document document, Document::parse(text));
  FH_TRY(net::HostPort address, parse_listen(text_of(document.root(), "listen")));
  if (address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  return RunningServer{address.host, address.port, document.root()["pid"].as_int().value_or(0)};
}

base::Error refused_key(const std::filesystem::path& file) {
  return {base::Code::Unauthenticated,
          fmt::format("the server does not know the key in {}, or it was revoked", file.string()),
          "put a live admin key there; without any, stop the server and make one with: freehold "
          "keys create NAME --admin",
          {},
          {}};
}

base::Status check_data_folder(const Config& config) {
  std::error_code error;
  if (std::filesystem::is_regular_file(ledger_file(config), error)) return {};
  if (error == std::errc::permission_denied) {
    return base::fail(
        base::Code::PermissionDenied,
        fmt::format("the data folder {} belongs to another user", config.data_dir.string()),
        "run this as the user that runs the server, or choose another folder with --data");
  }
  return base::fail(
      base::Code::NotFound,
      fmt::format("no Freehold has run on the data folder {} yet", config.data_dir.string()),
      "start one with `freehold up`, or name another folder with --data");
}

base::Result<std::unique_ptr<Access>> Access::open(const Config& config, Folder folder) {
  if (folder == Folder::Make) {
    FH_TRY_VOID(base::os::make_folders(config.data_dir, 0700));
  } else {
    FH_TRY_VOID(check_data_folder(config));
  }
  base::Result<base::os::DirLock> lock = base::os::DirLock::acquire(config.data_dir);
  if (lock) return LocalAccess::open(config, std::move(*lock));
  if (lock.error().code != base::Code::FailedPrecondition) return std::unexpected(lock.error());
  base::Result<RunningServer> server = running_server(config);
  if (!server) {
    return base::fail(base::Code::Unavailable,
                      "a server is starting on this data folder and does not answer yet",
                      "try again in a moment");
  }
  FH_TRY(base::Secret key, read_admin_key(config));
  return std::make_unique<RemoteAccess>(*std::move(server), std::move(key), admin_key_file(config));
}

}  // namespace fh::cli
