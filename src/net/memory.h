#pragma once
// ResponseWriter in memory, for the simulation and for handler tests: records what a client would
// have received, and can play the client that goes away or the connection whose n-th write fails.
// Loop's thread only.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"
#include "net/runtime.h"

namespace fh::net {

class MemoryResponse final : public ResponseWriter {
 public:
  explicit MemoryResponse(Runtime& runtime);
  ~MemoryResponse() override;
  MemoryResponse(const MemoryResponse&) = delete;
  MemoryResponse& operator=(const MemoryResponse&) = delete;

  Task<base::Status> send(HttpResponse response) override;
  Task<base::Status> begin(int status, std::vector<Header> headers) override;
  Task<base::Status> write(std::string chunk) override;
  Task<base::Status> finish() override;
  void close_after() override { closing_ = true; }
  void abort() override;
  bool peer_gone() const override { return gone_; }
  void on_peer_gone(std::function<void()> fn) override;

  // The client closes now: the handler's callback runs before this returns, later writes fail.
  void go_away();
  // The same at that moment of the runtime's clock.
  void go_away_at(base::TimePoint when);
  // The n-th call (from 1) of send, begin, write or finish fails, and the client is gone from then
  // on.
  void fail_call(std::size_t n) { failing_call_ = n; }

  int status() const { return status_; }  // 0: nothing was answered
  const std::vector<Header>& headers() const { return headers_; }
  std::string_view header(std::string_view name) const;
  const std::vector<std::string>& chunks() const { return chunks_; }
  std::string body() const;  // all chunks together
  bool streamed() const { return streamed_; }
  bool finished() const { return finished_; }  // send() or finish() succeeded
  bool aborted() const { return aborted_; }
  bool closing() const { return closing_; }  // close_after() was called

 private:
  base::Status enter();
  base::Status misuse(std::string_view what);

  Runtime& runtime_;
  Runtime::TimerId timer_ = 0;
  std::function<void()> on_gone_;
  std::vector<Header> headers_;
  std::vector<std::string> chunks_;
  std::size_t calls_ = 0;
  std::size_t failing_call_ = 0;
  int status_ = 0;
  bool streamed_ = false;
  bool finished_ = false;
  bool aborted_ = false;
  bool closing_ = false;
  bool gone_ = false;
};

}  // namespace fh::net
