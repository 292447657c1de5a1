// See memory.h. The rules of use are the ones of the real writer: a handler that breaks them is
// reported as a bug.

#include "net/memory.h"

#include <utility>

#include "base/check.h"
#include "net/text.h"

namespace fh::net {

MemoryResponse::MemoryResponse(Runtime& runtime) : runtime_(runtime) {}

MemoryResponse::~MemoryResponse() {
  if (timer_ != 0) runtime_.cancel_timer(timer_);
}

base::Status MemoryResponse::enter() {
  ++calls_;
  if (calls_ == failing_call_) go_away();
  if (gone_ || aborted_) return base::fail(base::Code::Unavailable, "the connection is closed");
  return {};
}

base::Status MemoryResponse::misuse(std::string_view what) {
  FH_BUG(what);
  return base::fail(base::Code::Internal, "the response was used wrongly");
}

Task<base::Status> MemoryResponse::send(HttpResponse response) {
  FH_CO_TRY_VOID(enter());
  if (status_ != 0) co_return misuse("send() on a response that has begun");
  status_ = response.status;
  headers_ = std::move(response.headers);
  if (!response.body.empty()) chunks_.push_back(std::move(response.body));
  finished_ = true;
  co_return base::Status{};
}

Task<base::Status> MemoryResponse::begin(int status, std::vector<Header> headers) {
  FH_CO_TRY_VOID(enter());
  if (status_ != 0) co_return misuse("begin() on a response that has begun");
  status_ = status;
  headers_ = std::move(headers);
  streamed_ = true;
  co_return base::Status{};
}

Task<base::Status> MemoryResponse::write(std::string chunk) {
  FH_CO_TRY_VOID(enter());
  if (!streamed_ || finished_) co_return misuse("write() outside of begin() and finish()");
  if (!chunk.empty()) chunks_.push_back(std::move(chunk));
  co_return base::Status{};
}

Task<base::Status> MemoryResponse::finish() {
  FH_CO_TRY_VOID(enter());
  if (!streamed_ || finished_) co_return misuse("finish() without begin()");
  finished_ = true;
  co_return base::Status{};
}

void MemoryResponse::abort() {
  aborted_ = true;
}

void MemoryResponse::on_peer_gone(std::function<void()> fn) {
  if (fn && gone_) {
    fn();
    return;
  }
  on_gone_ = std::move(fn);
}

void MemoryResponse::go_away() {
  gone_ = true;
  if (const auto fn = std::exchange(on_gone_, nullptr)) fn();
}

void MemoryResponse::go_away_at(base::TimePoint when) {
  if (timer_ != 0) runtime_.cancel_timer(timer_);
  timer_ = runtime_.call_at(when, [this] {
    timer_ = 0;
    go_away();
  });
}

std::string_view MemoryResponse::header(std::string_view name) const {
  for (const Header& field : headers_) {
    if (equal_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

std::string MemoryResponse::body() const {
  std::string out;
  for (const std::string& chunk : chunks_) out += chunk;
  return out;
}

}  // namespace fh::net
