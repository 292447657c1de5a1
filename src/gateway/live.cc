#include "gateway/live.h"

#include <algorithm>

namespace fh::gateway {

std::shared_ptr<RequestLife> LiveRequests::open(RequestLife life) {
  auto record = std::make_shared<RequestLife>(std::move(life));
  mark(*record, "received");
  running_[record->request_id] = record;
  return record;
}

void LiveRequests::mark(RequestLife& life, std::string_view stage) {
  life.stages.push_back({stage, clock_.unix_ns()});
  touch(life);
}

void LiveRequests::touch(RequestLife& life) {
  life.version = ++version_;
}

void LiveRequests::close(const std::shared_ptr<RequestLife>& life) {
  life->ended = true;
  touch(*life);
  running_.erase(life->request_id);
  recent_.push_back(life);
  if (recent_.size() > kRecentMax) recent_.pop_front();
}

std::shared_ptr<const RequestLife> LiveRequests::find(std::string_view request_id) const {
  if (const auto it = running_.find(request_id); it != running_.end()) return it->second;
  const auto it = std::find_if(recent_.rbegin(), recent_.rend(),
                               [&](const auto& life) { return life->request_id == request_id; });
  return it == recent_.rend() ? nullptr : *it;
}

std::vector<std::shared_ptr<const RequestLife>> LiveRequests::running() const {
  std::vector<std::shared_ptr<const RequestLife>> out;
  out.reserve(running_.size());
  for (const auto& [id, life] : running_) out.push_back(life);
  return out;
}

std::vector<std::shared_ptr<const RequestLife>> LiveRequests::changed_since(
    std::uint64_t since) const {
  std::vector<std::shared_ptr<const RequestLife>> out;
  for (const auto& [id, life] : running_) {
    if (life->version > since) out.push_back(life);
  }
  for (auto it = recent_.rbegin(); it != recent_.rend() && (*it)->version > since; ++it)
    out.push_back(*it);
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a->version < b->version; });
  return out;
}

}  // namespace fh::gateway
