// See fair_queue.h.
#include "engine/llama/fair_queue.h"

#include <algorithm>
#include <limits>

namespace fh::engine::llama {

FairQueue::Tenant& FairQueue::enter(const std::string& name) {
  Tenant& tenant = tenants_[name];
  if (tenant.active()) return tenant;
  std::uint64_t lowest = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [other, state] : tenants_) {
    if (state.active()) lowest = std::min(lowest, state.service);
  }
  if (lowest == std::numeric_limits<std::uint64_t>::max()) lowest = floor_;
  tenant.service = std::max(tenant.service, lowest);
  return tenant;
}

void FairQueue::push(const std::string& tenant, Item item) {
  enter(tenant).waiting.push_back(item);
  ++size_;
}

void FairQueue::push_front(const std::string& tenant, Item item) {
  enter(tenant).waiting.push_front(item);
  ++size_;
}

bool FairQueue::remove(Item item) {
  for (auto& [name, tenant] : tenants_) {
    const auto it = std::ranges::find(tenant.waiting, item);
    if (it == tenant.waiting.end()) continue;
    tenant.waiting.erase(it);
    --size_;
    forget_idle(name);
    return true;
  }
  return false;
}

std::map<std::string, FairQueue::Tenant>::const_iterator FairQueue::next() const {
  auto best = tenants_.end();
  for (auto it = tenants_.begin(); it != tenants_.end(); ++it) {
    if (it->second.waiting.empty()) continue;
    if (best == tenants_.end() || it->second.service < best->second.service) best = it;
  }
  return best;
}

FairQueue::Item FairQueue::front() const {
  return next()->second.waiting.front();
}

void FairQueue::pop() {
  const std::string name = next()->first;
  tenants_[name].waiting.pop_front();
  --size_;
  forget_idle(name);
}

void FairQueue::begin(const std::string& tenant) {
  ++enter(tenant).running;
}

void FairQueue::end(const std::string& name) {
  const auto it = tenants_.find(name);
  if (it == tenants_.end() || it->second.running == 0) return;
  --it->second.running;
  forget_idle(name);
}

void FairQueue::charge(const std::string& name, std::uint64_t computed, std::uint64_t generated) {
  const auto it = tenants_.find(name);
  if (it != tenants_.end()) it->second.service += computed + kGeneratedWeight * generated;
}

std::uint64_t FairQueue::service(const std::string& name) const {
  const auto it = tenants_.find(name);
  return it == tenants_.end() ? 0 : it->second.service;
}

// Counters of tenants without work are dropped: the map is as large as the number of active
// tenants.
void FairQueue::forget_idle(const std::string& name) {
  const auto it = tenants_.find(name);
  if (it == tenants_.end() || it->second.active()) return;
  floor_ = std::max(floor_, it->second.service);
  tenants_.erase(it);
}

}  // namespace fh::engine::llama
