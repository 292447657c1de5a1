#pragma once
// What is happening now: one record per request in flight with its stages, and the last few hundred
// that ended, for the console's live view and for a request's life. Derived, never the truth: that
// is the ledger. Loop thread only.

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "domain/event.h"

namespace fh::gateway {

struct StageMark {
  std::string_view name;  // static storage
  std::int64_t unix_ns = 0;
};

struct RequestLife {
  std::string request_id;
  std::string key_id, key_name, project, workload;
  std::string_view dialect;
  std::string model_requested, model_served;
  bool stream = false;
  std::vector<StageMark> stages;
  std::uint64_t prompt_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::uint64_t output_tokens = 0;  // deltas seen while running, exact once ended
  std::int64_t first_token_unix_ns = 0;
  bool ended = false;
  domain::EndReason reason = domain::EndReason::Complete;
  std::uint64_t version = 0;  // grows with each change

  std::string_view stage() const {
    return stages.empty() ? std::string_view("received") : stages.back().name;
  }
};

class LiveRequests {
 public:
  explicit LiveRequests(base::Clock& clock) : clock_(clock) {}
  // The record lives in the registry until the returned handle dies; then it moves to the recent
  // list.
  std::shared_ptr<RequestLife> open(RequestLife life);
  void mark(RequestLife& life, std::string_view stage);
  void touch(RequestLife& life);
  void close(const std::shared_ptr<RequestLife>& life);

  std::shared_ptr<const RequestLife> find(std::string_view request_id) const;
  std::vector<std::shared_ptr<const RequestLife>> running() const;
  // Records with version > since, oldest change first.
  std::vector<std::shared_ptr<const RequestLife>> changed_since(std::uint64_t since) const;
  std::uint64_t version() const { return version_; }
  std::size_t running_count() const { return running_.size(); }

 private:
  static constexpr std::size_t kRecentMax = 500;
  base::Clock& clock_;
  std::uint64_t version_ = 0;
  std::map<std::string, std::shared_ptr<RequestLife>, std::less<>> running_;
  std::deque<std::shared_ptr<RequestLife>> recent_;
};

}  // namespace fh::gateway
