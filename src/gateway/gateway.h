#pragma once
// The gateway's front: takes every request from the server, finds its route, checks origin and key,
// and hands it to the stage that serves it. Nothing below it runs without having passed here. Loop
// thread only.

#include "gateway/deps.h"
#include "gateway/inference.h"
#include "gateway/routes.h"
#include "net/http.h"

namespace fh::gateway {

class Gateway {
 public:
  explicit Gateway(Deps deps);

  net::Task<void> handle(net::HttpRequest request, net::ResponseWriter& writer);
  // For net::ServerOptions.
  static net::RoutePolicy route_policy(std::string_view method, std::string_view path);
  net::HttpResponse error_body(int status, std::string_view path, std::string_view message);

  // Refuse new inference; then, when the caller's patience ends, cancel what runs.
  void drain() {
    inference_.refuse_new();
    draining_ = true;
  }
  void cancel_all() { inference_.cancel_all(domain::EndReason::Cancelled); }
  std::size_t running() const { return inference_.running(); }
  const Deps& deps() const { return deps_; }

 private:
  net::Task<void> dispatch(const RouteMatch& match, net::HttpRequest request,
                           net::ResponseWriter& writer, std::string request_id);
  net::Task<void> send_models(Surface surface, base::Result<std::string> body,
                              net::ResponseWriter& writer, const std::string& request_id);
  net::HttpResponse health(std::string_view request_id) const;
  net::HttpResponse ready(std::string_view request_id) const;
  net::HttpResponse metrics(std::string_view request_id) const;

  Deps deps_;
  Authenticator authenticator_;
  Inference inference_;
  bool draining_ = false;
};

}  // namespace fh::gateway
