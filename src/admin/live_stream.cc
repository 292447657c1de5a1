// The live view: one event stream for all of the console's moving parts. Changes are looked for at
// a fixed pace rather than pushed per token, which bounds the work however many requests run.
#include <chrono>
#include <utility>

#include "admin/admin_api.h"
#include "admin/admin_json.h"
#include "gateway/wire.h"

namespace fh::admin {
namespace {

constexpr auto kPace = std::chrono::milliseconds(100);  // request changes
constexpr auto kStatusPace = std::chrono::milliseconds(250);
constexpr auto kStatusMax = std::chrono::seconds(10);  // also without a change

std::string event(std::string_view name, std::string_view data) {
  std::string out = "event: ";
  out += name;
  out += "\ndata: ";
  out += data;
  out += "\n\n";
  return out;
}

}  // namespace

net::Task<void> AdminApi::live(const Call& call, net::ResponseWriter& writer) {
  std::vector<net::Header> headers =
      gateway::reply_headers("text/event-stream; charset=utf-8", call.request_id);
  headers.push_back({"cache-control", "no-cache"});
  if (!co_await writer.begin(200, std::move(headers))) co_return;
  std::uint64_t seen = 0;
  std::string last_models;
  base::TimePoint last_status{};
  while (!writer.peer_gone() && !closing_) {
    std::string out;
    const base::TimePoint now = deps_.clock.now();
    if (last_status == base::TimePoint{} || now - last_status >= kStatusPace) {
      std::string models = models_json();
      if (models != last_models || now - last_status >= kStatusMax) {
        out += event("status", status_json());
        last_models = std::move(models);
        last_status = now;
      }
    }
    for (const auto& life : deps_.live.changed_since(seen)) {
      codec::json::Writer w;
      write_life(w, *life, deps_.clock.unix_ns());
      out += event("request", w.str());
      seen = std::max(seen, life->version);
    }
    if (!out.empty() && !co_await writer.write(std::move(out))) co_return;
    co_await deps_.runtime.sleep_until(now + kPace);
  }
  co_await writer.finish();
}

}  // namespace fh::admin
