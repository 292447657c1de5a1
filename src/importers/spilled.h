#pragma once
// Entries that no longer fit into memory, on the disk: runs of them, each sorted by key and never
// changed, in one file without a name that is gone with its owner. What stays in memory is a filter
// of 10 bits an entry, which says of nearly every key that is new that no run has it, and the first
// key of every block; so a look at a new key costs no read, one at a known key a read of 4 KiB.
//
// The file lies in $TMPDIR, else in /var/tmp, else in /tmp. One thread.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/os/fd.h"
#include "base/os/pages.h"

namespace fh::importers {

class SpilledEntries {
 public:
  static constexpr std::size_t kPayloadMax = 255;
  using Payload = std::span<const std::uint8_t>;

  // A run: begin, its `entries` entries in the order of their keys, no key twice, end. False: there
  // is no disk to write to, or no room on it; the run is lost, those before it are not.
  bool begin(std::size_t entries);
  void put(std::uint64_t key, Payload payload);
  bool end();

  bool empty() const { return runs_.empty(); }
  std::size_t size() const { return size_; }  // keys of several runs count in each
  // Says that find will be called soon.
  void expect(std::uint64_t key) const {
    for (const Run& run : runs_) __builtin_prefetch(run.filter_of(key));
  }
  // What the youngest run with the key says; valid until the next call.
  std::optional<Payload> find(std::uint64_t key);
  // Whether a block could not be read: what it held is unknown.
  bool damaged() const { return damaged_; }

 private:
  static constexpr std::size_t kBlockBytes = 4096;
  static constexpr std::size_t kFilterWords = 8;  // of one key, a cache line
  struct Run {
    base::os::Pages filter;
    std::size_t filter_blocks = 0;
    std::vector<std::uint64_t> first;  // key of each block
    std::uint64_t offset = 0;          // of the first block in the file
    const std::uint64_t* filter_of(std::uint64_t key) const;
    void add(std::uint64_t key);
    bool may_have(std::uint64_t key) const;
  };

  bool open();
  void close_block();
  bool write_out();
  bool load(std::uint64_t offset);

  base::os::Fd file_;
  std::vector<Run> runs_;
  std::size_t size_ = 0;
  bool damaged_ = false;
  // The run that is written.
  Run writing_;
  std::size_t written_ = 0;
  bool broken_ = false;
  std::uint64_t file_bytes_ = 0;
  std::vector<std::uint8_t> out_;
  std::size_t block_at_ = 0;  // in out_, of the block that is filled
  // The block that was read last.
  std::array<std::uint8_t, kBlockBytes> block_{};
  std::optional<std::uint64_t> block_offset_;
};

// Writes the slots of a full open-addressed table to the disk, those that are not 0. Its size is a
// power of two, `key_of(slot)` a hash whose highest bits are the slot where it would like to be. A
// cluster of slots holds no entry of another, so that only the entries within one have to be
// sorted; the one that wraps around the end comes last, but for those entries that begin the table.
// `payload_of(slot)` is valid until the next call; `ahead(at)` says that slot `at` will be read
// soon.
template <typename Slot, typename KeyOf, typename PayloadOf, typename Ahead>
bool spill_table(SpilledEntries& to, std::span<const Slot> slots, std::size_t used, KeyOf&& key_of,
                 PayloadOf&& payload_of, Ahead&& ahead) {
  struct Entry {
    std::uint64_t key = 0;
    Slot slot = 0;
  };
  if (!to.begin(used)) return false;
  std::vector<Entry> cluster, wrapped;
  const auto flush = [&] {
    std::ranges::sort(cluster, {}, &Entry::key);
    for (const Entry& entry : cluster) to.put(entry.key, payload_of(entry.slot));
    cluster.clear();
  };
  const int shift = 64 - std::countr_zero(slots.size());
  std::size_t at = 0;
  for (; slots[at] != 0; ++at) {
    const std::uint64_t key = key_of(slots[at]);
    ((key >> shift) <= at ? cluster : wrapped).push_back({key, slots[at]});
  }
  for (; at < slots.size(); ++at) {
    ahead(at);
    if (slots[at] != 0) {
      cluster.push_back({key_of(slots[at]), slots[at]});
    } else if (!cluster.empty()) {
      flush();
    }
  }
  cluster.insert(cluster.end(), wrapped.begin(), wrapped.end());
  flush();
  return to.end();
}

}  // namespace fh::importers
