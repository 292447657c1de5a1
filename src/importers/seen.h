#pragma once
// Which events a run has counted, so that one that stands in two files counts once, and what each
// has added to the totals, so that a larger reading of it can take the place of the smaller one.
// About 40 bytes an event; at most `events_max` of them, after which new events are not remembered.
// An event is known by a 64-bit digest of its format and identity. One thread.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "domain/usage_record.h"

namespace fh::importers {

// What one event adds to the totals.
struct Share {
  std::uint32_t model = 0;  // the run's number of its model
  domain::CostKind cost_kind = domain::CostKind::None;
  std::int64_t cost_micro_usd = 0;
  std::uint64_t requests = 0, web_searches = 0;
  domain::Usage usage;
  bool operator==(const Share&) const = default;
};

class SeenEvents {
 public:
  explicit SeenEvents(std::size_t events_max = 16 * 1024 * 1024) : events_max_(events_max) {}

  enum class Verdict : std::uint8_t { New, Larger, Repeated };
  struct Answer {
    Verdict verdict = Verdict::New;
    Share before;  // with Larger: what the event counted as until now
  };
  // Larger: by tokens; of events without tokens, by the magnitude of the cost.
  Answer add(std::uint64_t event, const Share& share);

  std::size_t size() const { return used_; }
  // Whether an event came that could not be remembered: repetitions of it count again.
  bool overflowed() const { return overflowed_; }

  static std::uint64_t event_of(std::string_view format, std::string_view source_id);

 private:
  struct Entry {
    std::uint64_t event = 0;
    std::uint64_t place = 0;  // 1 + offset of its packed share; 0: free
  };
  static constexpr std::size_t kChunkBytes = 1 << 20;

  Entry* find(std::uint64_t event);
  void grow();
  std::uint64_t keep(const Share& share);
  Share load(std::uint64_t place) const;

  std::size_t events_max_;
  std::size_t used_ = 0;
  bool overflowed_ = false;
  std::vector<Entry> table_;
  std::vector<std::unique_ptr<std::uint8_t[]>> chunks_;
  std::size_t chunk_used_ = kChunkBytes;
};

}  // namespace fh::importers
