#pragma once
// Who is admitted next. Each tenant has a counter of the work it was given: tokens computed for its
// prompts, and generated tokens at a higher weight. The tenant with the lowest counter goes first;
// within a tenant, first come first served. A tenant that comes back is lifted to the lowest
// counter among those with work, so that idleness earns no claim (virtual token counters, Sheng et
// al., OSDI 2024, with prompts charged by what was computed). Pure; not thread-safe.

#include <cstdint>
#include <deque>
#include <map>
#include <string>

namespace fh::engine::llama {

class FairQueue {
 public:
  using Item = std::uint64_t;
  static constexpr std::uint64_t kGeneratedWeight = 2;

  void push(const std::string& tenant, Item item);
  // Back to the front of its tenant: it was running and had to make room.
  void push_front(const std::string& tenant, Item item);
  bool remove(Item item);
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  // The next item, without taking it; only if not empty.
  Item front() const;
  void pop();

  // A request of the tenant starts and ends running; between the two the tenant counts as active.
  void begin(const std::string& tenant);
  void end(const std::string& tenant);
  void charge(const std::string& tenant, std::uint64_t computed, std::uint64_t generated);
  std::uint64_t service(const std::string& tenant) const;

 private:
  struct Tenant {
    std::uint64_t service = 0;
    std::uint32_t running = 0;
    std::deque<Item> waiting;
    bool active() const { return running > 0 || !waiting.empty(); }
  };
  Tenant& enter(const std::string& tenant);
  std::map<std::string, Tenant>::const_iterator next() const;
  void forget_idle(const std::string& tenant);

  std::map<std::string, Tenant> tenants_;
  std::size_t size_ = 0;
  std::uint64_t floor_ = 0;  // a tenant that was idle starts here at least
};

}  // namespace fh::engine::llama
