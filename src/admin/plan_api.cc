// GET /admin/v1/plan: the plan made from imported usage and the ledger, for the console's screen.
#include <utility>

#include "admin/admin_api.h"
#include "gateway/wire.h"

namespace fh::admin {

net::Task<base::Result<net::HttpResponse>> AdminApi::plan(const Call& call) {
  if (!facts_.plan) {
    co_return base::fail(base::Code::Unimplemented, "this server makes no plans");
  }
  using Plan = base::Result<std::string>;
  std::function<Plan()> make = facts_.plan;
  FH_CO_TRY(std::string json, co_await plan_offload_.run<Plan>(deps_.runtime, std::move(make)));
  net::HttpResponse response;
  response.headers = gateway::reply_headers("application/json", call.request_id);
  response.headers.push_back({"cache-control", "no-store"});
  response.body = std::move(json);
  co_return response;
}

}  // namespace fh::admin
