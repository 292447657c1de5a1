#include "admin/admin_api.h"

#include <charconv>
#include <chrono>
#include <utility>

#include "admin/admin_json.h"
#include "gateway/wire.h"

namespace fh::admin {
namespace {

using codec::json::Document;
using codec::json::Writer;

constexpr std::string_view kPrefix = "/admin/v1/";
constexpr std::string_view kJson = "application/json";

net::HttpResponse json_response(std::string body, std::string_view request_id, int status = 200) {
  net::HttpResponse response;
  response.status = status;
  response.headers = gateway::reply_headers(kJson, request_id);
  response.headers.push_back({"cache-control", "no-store"});
  response.body = std::move(body);
  return response;
}

base::Error bad_query(std::string field, std::string message) {
  return base::Error{base::Code::InvalidArgument, std::move(message), {}, std::move(field), {}};
}

base::Result<std::int64_t> number(const net::HttpRequest& request, std::string_view name,
                                  std::int64_t fallback) {
  const std::string text = request.query_value(name);
  if (text.empty()) return fallback;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::unexpected(
        bad_query(std::string(name), std::string(name) + " must be a whole number"));
  }
  return value;
}

// "2026-11-24" at 00:00 UTC, or 0 when absent.
base::Result<std::int64_t> date(const net::HttpRequest& request, std::string_view name) {
  const std::string text = request.query_value(name);
  if (text.empty()) return 0;
  int y = 0;
  unsigned m = 0, d = 0;
  const bool shape = text.size() == 10 && text[4] == '-' && text[7] == '-' &&
                     std::from_chars(text.data(), text.data() + 4, y).ptr == text.data() + 4 &&
                     std::from_chars(text.data() + 5, text.data() + 7, m).ptr == text.data() + 7 &&
                     std::from_chars(text.data() + 8, text.data() + 10, d).ptr == text.data() + 10;
  const std::chrono::year_month_day day{std::chrono::year(y), std::chrono::month(m),
                                        std::chrono::day(d)};
  if (!shape || !day.ok()) {
    return std::unexpected(
        bad_query(std::string(name), std::string(name) + " must be a date like 2026-11-24"));
  }
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::sys_days(day).time_since_epoch())
      .count();
}

// "" when absent or null.
base::Result<std::string> text_member(const codec::json::Value& object, std::string_view name) {
  const codec::json::Value value = object[name];
  if (!value.exists() || value.is_null()) return std::string();
  const auto text = value.as_string();
  if (!text) return base::fail_field(std::string(name), std::string(name) + " must be a string");
  return std::string(*text);
}

// Without an admin key nobody could make another one: the server would have to be set up anew.
base::Status check_revocation(const KeyNames& keys, std::string_view id_or_name) {
  const auth::KeyRecord* revoked = nullptr;
  std::size_t admins = 0;
  for (const auth::KeyRecord& key : keys) {
    if (key.revoked_unix_ns != 0 || key.role != auth::Role::Admin) continue;
    ++admins;
    if (key.id == id_or_name || key.name == id_or_name) revoked = &key;
  }
  if (revoked == nullptr || admins > 1) return {};
  return std::unexpected(base::Error{base::Code::FailedPrecondition,
                                     "`" + revoked->name + "` is the last admin key",
                                     "make another one first: freehold keys create NAME --admin",
                                     {},
                                     "last_admin_key"});
}

base::Result<Document> object_body(const net::HttpRequest& request) {
  FH_TRY(Document body,
         Document::parse(request.body.empty() ? std::string_view("{}") : request.body));
  if (!body.root().is_object())
    return base::fail(base::Code::InvalidArgument, "the body must be a JSON object");
  return body;
}

}  // namespace

AdminApi::AdminApi(const gateway::Deps& deps, ledger::LedgerReader& reader, net::Offload& offload,
                   Facts facts)
    : deps_(deps),
      reader_(reader),
      offload_(offload),
      facts_(std::move(facts)),
      started_unix_ns_(deps.clock.unix_ns()) {}

net::Task<void> AdminApi::handle(net::HttpRequest request, net::ResponseWriter& writer,
                                 gateway::Principal who, std::string request_id) {
  Call call{std::move(request), std::move(who), std::move(request_id), {}};
  call.path = call.request.path.substr(std::min(call.request.path.size(), kPrefix.size()));
  if (call.path == "live" && call.request.method == "GET") {
    co_await live(call, writer);
    co_return;
  }
  base::Result<net::HttpResponse> response = co_await route(call);
  if (!response) {
    response =
        gateway::error_response(gateway::Surface::Admin, response.error(), call.request_id, 0);
  }
  co_await writer.send(*std::move(response));
}

net::Task<base::Result<net::HttpResponse>> AdminApi::route(const Call& call) {
  const std::string& method = call.request.method;
  const bool get = method == "GET" || method == "HEAD";
  if (call.path == "session") co_return session(call);
  if (call.path == "keys" || call.path.starts_with("keys/")) co_return keys(call);
  if (get && call.path == "status") co_return json_response(status_json(), call.request_id);
  if (get && call.path == "models") co_return json_response(models_json(), call.request_id);
  if (get && call.path == "requests") co_return co_await requests(call);
  if (get && call.path.starts_with("requests/")) co_return co_await one_request(call);
  if (get && call.path == "usage") co_return co_await usage(call);
  if (get && call.path == "plan") co_return co_await plan(call);
  if (method == "POST" && call.path == "models/refresh") co_return co_await refresh_models(call);
  if (method == "POST" && call.path == "shutdown") {
    facts_.shutdown();
    co_return json_response(R"({"stopping":true})", call.request_id, 202);
  }
  co_return base::fail(base::Code::NotFound, "the admin API has nothing at this path");
}

// The console's login. Without a key it is granted to a browser on this machine whose socket
// belongs to the user the server runs as (or root): such a caller could read admin.key anyway.
base::Result<net::HttpResponse> AdminApi::session(const Call& call) {
  const auto describe = [&](const gateway::Principal& who) {
    Writer w;
    w.object().member("key_id", who.key_id).member("key_name", who.key_name);
    w.member("role", who.role == auth::Role::Admin ? "admin" : "member").end_object();
    return w.take();
  };
  const std::string_view token = gateway::session_token(call.request);
  if (call.request.method == "GET") {
    if (auto who = deps_.sessions.find(token))
      return json_response(describe(*who), call.request_id);
    return base::fail(base::Code::Unauthenticated, "not logged in");
  }
  if (call.request.method == "DELETE") {
    deps_.sessions.close(token);
    net::HttpResponse response = json_response("", call.request_id, 204);
    response.headers.push_back(
        {"set-cookie", "fh_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"});
    return response;
  }
  FH_TRY(const Document body, object_body(call.request));
  FH_TRY(const std::string key, text_member(body.root(), "key"));
  gateway::Principal who;
  if (!key.empty()) {
    const auto record = deps_.keys.authenticate(key);
    if (record == nullptr) return base::fail(base::Code::Unauthenticated, "this key is not valid");
    who = {record->id, record->name, record->role, record->project, record->workload, true};
  } else {
    const net::Peer& peer = call.request.peer;
    if (!peer.loopback || !facts_.is_owner(peer.uid)) {
      return base::fail(base::Code::Unauthenticated, "log in with a key",
                        "the first one is in " + facts_.data_dir + "/admin.key");
    }
    who = {std::string(gateway::kLocalKeyId),
           std::string(gateway::kLocalKeyName),
           auth::Role::Admin,
           "default",
           "console",
           true};
  }
  const std::string opened = deps_.sessions.open(who);
  net::HttpResponse response = json_response(describe(who), call.request_id);
  response.headers.push_back({"set-cookie", std::string(gateway::kSessionCookie) + "=" + opened +
                                                "; Path=/; HttpOnly; SameSite=Strict"});
  return response;
}

net::Task<base::Result<net::HttpResponse>> AdminApi::requests(const Call& call) {
  ledger::RowQuery query;
  FH_CO_TRY(const std::int64_t limit, number(call.request, "limit", 50));
  if (limit < 1 || limit > 1000)
    co_return std::unexpected(bad_query("limit", "limit must be 1 to 1000"));
  query.limit = static_cast<std::uint32_t>(limit);
  FH_CO_TRY(query.before_sequence, number(call.request, "before", 0));
  query.model = call.request.query_value("model");
  query.key_id = call.request.query_value("key");
  query.workload = call.request.query_value("workload");
  if (const std::string running = call.request.query_value("running"); !running.empty()) {
    query.running = running == "true";
  }
  using Rows = base::Result<std::vector<ledger::Row>>;
  std::function<Rows()> read = [this, query] { return reader_.rows(query); };
  FH_CO_TRY(const std::vector<ledger::Row> rows,
            co_await offload_.run<Rows>(deps_.runtime, std::move(read)));
  const KeyNames keys = deps_.keys.list();
  Writer w;
  w.object().key("rows").array();
  for (const ledger::Row& row : rows) {
    write_row(w, row, keys, deps_.live.find(row.admission.request_id).get());
  }
  w.end_array().key("next_before");
  if (rows.size() == query.limit) {
    w.value(rows.back().sequence);
  } else {
    w.null();
  }
  w.end_object();
  co_return json_response(w.take(), call.request_id);
}

net::Task<base::Result<net::HttpResponse>> AdminApi::one_request(const Call& call) {
  const std::string id = call.path.substr(std::string_view("requests/").size());
  using One = base::Result<ledger::Row>;
  std::function<One()> read = [this, id] { return reader_.row(id); };
  FH_CO_TRY(const ledger::Row row, co_await offload_.run<One>(deps_.runtime, std::move(read)));
  Writer w;
  write_row(w, row, deps_.keys.list(), deps_.live.find(id).get());
  co_return json_response(w.take(), call.request_id);
}

net::Task<base::Result<net::HttpResponse>> AdminApi::usage(const Call& call) {
  ledger::UsageQuery query;
  const std::string by = call.request.query_value("by");
  bool known = by.empty();
  for (const ledger::UsageBy each :
       {ledger::UsageBy::Day, ledger::UsageBy::Week, ledger::UsageBy::Model, ledger::UsageBy::Key,
        ledger::UsageBy::Workload}) {
    if (by == usage_by_name(each)) {
      query.by = each;
      known = true;
    }
  }
  if (!known)
    co_return std::unexpected(bad_query("by", "by must be day, week, model, key or workload"));
  FH_CO_TRY(query.from_unix_ns, date(call.request, "from"));
  FH_CO_TRY(query.to_unix_ns, date(call.request, "to"));
  query.key_id = call.request.query_value("key");
  using Usage = base::Result<std::vector<ledger::UsageRow>>;
  std::function<Usage()> read = [this, query] { return reader_.usage(query); };
  FH_CO_TRY(const std::vector<ledger::UsageRow> rows,
            co_await offload_.run<Usage>(deps_.runtime, std::move(read)));
  if (call.request.query_value("format") == "csv") {
    net::HttpResponse response =
        json_response(usage_csv(query, rows, deps_.keys.list()), call.request_id);
    response.headers.front().value = "text/csv; charset=utf-8";
    co_return response;
  }
  co_return json_response(usage_json(query, rows, deps_.keys.list()), call.request_id);
}

base::Result<net::HttpResponse> AdminApi::keys(const Call& call) {
  if (call.request.method == "DELETE" && call.path.size() > 5) {
    const std::string_view id_or_name = std::string_view(call.path).substr(5);
    FH_TRY_VOID(check_revocation(deps_.keys.list(), id_or_name));
    FH_TRY(const auth::KeyRecord record, deps_.keys.revoke(id_or_name));
    deps_.sessions.close_key(record.id);
    Writer w;
    write_key(w, record);
    return json_response(w.take(), call.request_id);
  }
  if (call.path != "keys")
    return base::fail(base::Code::NotFound, "the admin API has nothing at this path");
  if (call.request.method == "POST") {
    FH_TRY(const Document body, object_body(call.request));
    FH_TRY(const std::string name, text_member(body.root(), "name"));
    FH_TRY(const std::string role, text_member(body.root(), "role"));
    FH_TRY(std::string project, text_member(body.root(), "project"));
    FH_TRY(std::string workload, text_member(body.root(), "workload"));
    if (name.empty())
      return base::fail_field("name", "name is required: what or whom the key is for");
    if (!role.empty() && role != "member" && role != "admin") {
      return base::fail_field("role", "role must be member or admin");
    }
    FH_TRY(const auth::NewKey made,
           deps_.keys.create(name, role == "admin" ? auth::Role::Admin : auth::Role::Member,
                             std::move(project), std::move(workload)));
    Writer w;
    w.object().member("key", made.key.reveal()).key("record");
    write_key(w, made.record);
    w.end_object();
    return json_response(w.take(), call.request_id, 201);
  }
  Writer w;
  w.object().key("keys").array();
  for (const auth::KeyRecord& key : deps_.keys.list()) write_key(w, key);
  w.end_array().end_object();
  return json_response(w.take(), call.request_id);
}

std::string AdminApi::models_json() const {
  Writer w;
  w.object().key("models").array();
  for (const gateway::ServedModel& model : deps_.models.all()) write_model(w, model);
  w.end_array().end_object();
  return w.take();
}

std::string AdminApi::status_json() {
  Writer w;
  w.object().member("version", facts_.version).member("sqlite_version", facts_.sqlite_version);
  w.member("llama_version", facts_.llama_version).member("data_dir", facts_.data_dir);
  w.member("started_ms", started_unix_ns_ / 1'000'000)
      .member("now_ms", deps_.clock.unix_ns() / 1'000'000);
  w.member("durability",
           deps_.ledger.durability() == ledger::Durability::Power ? "power" : "process");
  w.member("ledger_healthy", deps_.ledger.healthy()).key("price_book").object();
  w.member("version", deps_.prices.version()).key("compare").array();
  for (const std::string& model : deps_.settings.compare_models) w.value(model);
  w.end_array().end_object().key("listen").array();
  for (const std::string& address : facts_.listen) w.value(address);
  w.end_array().member("worker_lock", facts_.worker_lock()).member("rss_bytes", facts_.rss_bytes());
  w.member("requests_running", static_cast<std::uint64_t>(deps_.live.running_count()))
      .key("models")
      .array();
  for (const gateway::ServedModel& model : deps_.models.all()) write_model(w, model);
  w.end_array().end_object();
  return w.take();
}

}  // namespace fh::admin
