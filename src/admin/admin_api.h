#pragma once
// The admin API under /admin/v1 (docs/api/admin.md): what the console and the CLI read and do. JSON
// in, JSON out; the live view is one server-sent event stream. Every route but /session needs an
// admin key or session, which the gateway has checked. Loop thread only; reads of the ledger run on
// the offload thread.

#include <functional>
#include <string>
#include <vector>

#include "gateway/deps.h"
#include "net/offload.h"

namespace fh::admin {

struct Facts {
  std::string version;
  std::string sqlite_version;
  std::string llama_version;
  std::string data_dir;
  std::vector<std::string> listen;
  std::function<std::string()> worker_lock;  // level reached by the workers, in words
  std::function<std::int64_t()> rss_bytes;
  std::function<bool(std::int64_t uid)> is_owner;  // may this local user log in without a key?
  std::function<void()> shutdown;
  // Looks for models that were imported since the start. Called on a helper thread; what it returns
  // serves them, on the loop thread, and says which. Empty: there are none to find.
  std::function<base::Result<std::function<std::vector<std::string>()>>()> find_models;
  // The plan as JSON (docs/formats/plan-json.md); called on a helper thread. Empty: there is none.
  std::function<base::Result<std::string>()> plan;
};

class AdminApi {
 public:
  // `deps` is the gateway's; both outlive this object.
  AdminApi(const gateway::Deps& deps, ledger::LedgerReader& reader, net::Offload& offload,
           Facts facts);

  net::Task<void> handle(net::HttpRequest request, net::ResponseWriter& writer,
                         gateway::Principal who, std::string request_id);

  // Ends the live streams, which otherwise last as long as their clients.
  void close_streams() { closing_ = true; }

 private:
  struct Call {
    net::HttpRequest request;
    gateway::Principal who;
    std::string request_id;
    std::string path;  // without "/admin/v1/"
  };
  net::Task<base::Result<net::HttpResponse>> route(const Call& call);
  base::Result<net::HttpResponse> session(const Call& call);
  net::Task<base::Result<net::HttpResponse>> requests(const Call& call);
  net::Task<base::Result<net::HttpResponse>> one_request(const Call& call);
  net::Task<base::Result<net::HttpResponse>> usage(const Call& call);
  net::Task<base::Result<net::HttpResponse>> plan(const Call& call);
  net::Task<base::Result<net::HttpResponse>> refresh_models(const Call& call);
  base::Result<net::HttpResponse> keys(const Call& call);
  net::Task<void> live(const Call& call, net::ResponseWriter& writer);
  std::string status_json();
  std::string models_json() const;

  const gateway::Deps& deps_;
  ledger::LedgerReader& reader_;
  net::Offload& offload_;
  Facts facts_;
  net::Offload plan_offload_;  // a plan takes long; the ledger's reads shall not wait for it
  std::int64_t started_unix_ns_;
  bool closing_ = false;
};

}  // namespace fh::admin
