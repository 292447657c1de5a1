#pragma once
// One accepted connection and what all connections of a server share. Not for other folders. Loop's
// thread only, except for the two counters.

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "net/message_parser_impl.h"
#include "net/response_impl.h"
#include "net/server.h"
#include "net/stream_impl.h"

namespace fh::net {

class Connection;

struct Server::Impl {
  Impl(Runtime& r, ServerOptions o) : runtime(r), options(std::move(o)), date(r.clock()) {}

  Task<void> accept_loop(std::shared_ptr<Impl> self, std::shared_ptr<Stream> listener);
  void admit(const std::shared_ptr<Impl>& self, int fd, Peer peer);
  void turn_away(int fd);
  bool warning_due();  // at most one in ten seconds
  void stop_accepting();
  void close_idle();
  void close_all();
  HttpResponse error_response(int status, std::string_view path, std::string_view message) const;

  Runtime& runtime;
  ServerOptions options;
  DateCache date;
  bool draining = false;
  base::TimePoint last_warning{};
  std::vector<std::shared_ptr<Stream>> listeners;
  std::unordered_set<Connection*> open;
  std::unordered_map<std::string, std::size_t> per_address;
  // Bytes just received by whichever connection runs; never kept over a suspension.
  std::vector<char> scratch = std::vector<char>(64 * 1024);
  std::atomic<std::size_t> connections = 0;
  std::atomic<std::size_t> in_flight = 0;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Server::Impl> server, int fd, Peer peer);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  static Task<void> run(std::shared_ptr<Connection> self);
  // Waiting for a request of which nothing has arrived.
  bool idle() const { return idle_; }
  void close() { stream_->close(); }

 private:
  enum class Arrival : std::uint8_t { Complete, Refused, Gone };
  enum class Next : std::uint8_t { Again, Close, Drop };

  Task<Next> serve_one();
  Task<Next> answer(HeadFacts facts);
  Task<Next> call_handler(HttpRequest request, const HeadFacts& facts, bool http_1_0);
  Task<Next> refuse(Refusal refusal, std::string target);
  Task<Arrival> read_head();
  Task<Arrival> read_body(const HeadFacts& facts, std::size_t bytes_max, std::string& body);
  Task<Arrival> read_by_length(std::uint64_t length, std::string& body);
  Task<Arrival> read_chunked(std::size_t bytes_max, std::string& body);
  Task<Arrival> wait_for_more(base::TimePoint deadline, bool silent_timeout);
  Task<void> send_continue();
  Task<void> linger();
  bool check_body(const HttpRequest& request, const HeadFacts& facts, const RoutePolicy& policy);
  bool decode_body(HttpRequest& request, std::size_t bytes_max);
  void find_peer_uid();
  Arrival refused(int status, std::string_view message);

  std::shared_ptr<Server::Impl> server_;
  std::shared_ptr<Stream> stream_;
  Peer peer_;
  MessageParser parser_;
  std::string carry_;  // received, not yet used
  Refusal refusal_;
  base::TimePoint arrived_{};   // first byte of the current request
  base::TimePoint deadline_{};  // head and body of the current request
  bool first_ = true;
  bool uid_known_ = false;
  bool idle_ = true;
};

}  // namespace fh::net
