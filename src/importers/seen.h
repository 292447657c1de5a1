#pragma once
// Which events a run has counted, so that one that stands in two files counts once, and what each
// has added to the totals, so that a larger reading of it can take the place of the smaller one.
// About 35 bytes an event, of 2 Mi events; older ones lie on the disk, with less than two bytes
// each in memory. After `events_max` of them, or when there is no disk, new events are not
// remembered. An event is known by a 64-bit digest of its format and identity. One thread.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/os/pages.h"
#include "domain/usage_record.h"
#include "importers/row_identity.h"
#include "importers/spilled.h"

namespace fh::importers {

// What one event adds to the totals.
struct Share {
  std::uint32_t model = 0;  // the run's number of its model
  domain::CostKind cost_kind = domain::CostKind::None;
  bool side = false;  // read in the log of a side conversation
  std::int64_t cost_micro_usd = 0;
  std::uint64_t requests = 0, web_searches = 0;
  domain::Usage usage;
  bool operator==(const Share&) const = default;
};

class SeenEvents {
 public:
  static constexpr std::size_t kEventsMax = std::size_t{1} << 26;
  static constexpr std::size_t kInMemoryMax = std::size_t{1} << 21;
  explicit SeenEvents(std::size_t events_max = kEventsMax, std::size_t in_memory_max = kInMemoryMax)
      : events_max_(events_max),
        in_memory_max_(std::min(in_memory_max, kInMemoryMax)),
        slots_max_(std::bit_ceil(std::max<std::size_t>(1024, in_memory_max_ / 3 * 4 + 4))) {}

  enum class Verdict : std::uint8_t { New, Larger, Repeated };
  struct Answer {
    Verdict verdict = Verdict::New;
    Share before;  // with Larger: what the event counted as until now
  };
  // Larger: than a reading of a side conversation any other; then by tokens; of events without
  // tokens, by the magnitude of the cost.
  Answer add(std::uint64_t event, const Share& share);
  // What add would answer; the event is not remembered.
  Answer look(std::uint64_t event, const Share& share);
  // Says that the event will be added soon.
  void expect(std::uint64_t event) const {
    if (!slots_.empty()) __builtin_prefetch(slots_.data() + (event & (slots_.size() - 1)), 1);
    if (!spilled_.empty()) spilled_.expect(spilled_key(event));
  }

  std::size_t size() const { return size_; }
  // Whether an event came that could not be remembered: repetitions of it count again.
  bool overflowed() const { return overflowed_; }

  // The digest of an event: of its kind (a format, say) and what identifies it within that.
  // Digests are of one run: they are not kept, and may be others in another version.
  static std::uint64_t kind_of(std::string_view format);
  static std::uint64_t event_of(std::uint64_t kind, std::string_view source_id);
  static std::uint64_t event_of(std::uint64_t kind, const RowKey& key);

 private:
  static constexpr std::size_t kChunkBytes = 2 << 20;
  static constexpr std::size_t kChunksMax = 2048;      // a place has 32 bits
  static constexpr std::size_t kChunksSpilledAt = 40;  // events may be long

  void make_room();
  void grow();
  bool spill();
  // The event so that the order of slots, with the table at its largest, is that of numbers.
  std::uint64_t spilled_key(std::uint64_t event) const {
    return std::rotr(event, std::countr_zero(slots_max_));
  }
  std::uint32_t number_of(std::uint64_t event) const;  // from 1 on; 0: not in memory
  std::optional<SpilledEntries::Payload> find_spilled(std::uint64_t event);
  bool remember(std::uint64_t event, const Share& share);
  bool keep(std::uint64_t event, const Share& share, std::size_t room, std::uint32_t& place);
  std::uint8_t* at(std::uint32_t place) const;
  std::uint64_t event_at(std::uint32_t place) const;
  Answer known(std::uint32_t number, const Share& share);

  std::size_t events_max_, in_memory_max_, slots_max_;
  std::size_t size_ = 0;
  SpilledEntries spilled_;
  bool disk_ = true, overflowed_ = false;
  // A hash table of event numbers. 0: free; else 1 + the number in the lower 24 bits, and above
  // them bits of the digest, so that few events have to be looked at that are not the one.
  base::os::Pages table_;
  std::span<std::uint32_t> slots_;     // the table
  std::vector<std::uint32_t> places_;  // of the events by number, in the chunks
  std::vector<base::os::Pages> chunks_;
  std::size_t chunk_at_ = 0;  // the one that is filled; those behind it are spare
  std::size_t chunk_used_ = 0;
};

}  // namespace fh::importers
