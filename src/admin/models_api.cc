// POST /admin/v1/models/refresh: models that were imported while the server runs are served from
// now on.
#include <utility>

#include "admin/admin_api.h"
#include "codec/json.h"
#include "gateway/wire.h"

namespace fh::admin {

net::Task<base::Result<net::HttpResponse>> AdminApi::refresh_models(const Call& call) {
  std::vector<std::string> added;
  if (facts_.find_models) {
    using Serve = std::function<std::vector<std::string>()>;
    using Found = base::Result<Serve>;
    std::function<Found()> find = facts_.find_models;
    FH_CO_TRY(const Serve serve, co_await offload_.run<Found>(deps_.runtime, std::move(find)));
    added = serve();
  }
  codec::json::Writer w;
  w.object().key("added").array();
  for (const std::string& id : added) w.value(id);
  w.end_array().end_object();
  net::HttpResponse response;
  response.headers = gateway::reply_headers("application/json", call.request_id);
  response.headers.push_back({"cache-control", "no-store"});
  response.body = w.take();
  co_return response;
}

}  // namespace fh::admin
