// Goal: what was spilled is found as it was, the youngest run first, what was not is not, and a
// disk that is full costs the run at hand alone. Method: random tables against a map; the limit of
// the size of files in place of a full disk.

#include "importers/spilled.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <map>
#include <random>
#include <vector>

namespace fh::importers {
namespace {

using Bytes = std::vector<std::uint8_t>;

bool write_run(SpilledEntries& to, const std::map<std::uint64_t, Bytes>& entries) {
  if (!to.begin(entries.size())) return false;
  for (const auto& [key, payload] : entries) to.put(key, payload);
  return to.end();
}

std::optional<Bytes> found(SpilledEntries& in, std::uint64_t key) {
  const auto payload = in.find(key);
  return payload ? std::optional(Bytes(payload->begin(), payload->end())) : std::nullopt;
}

TEST(SpilledEntries, AreFoundAsTheyWereTheYoungestFirst) {
  std::mt19937_64 random(3);
  SpilledEntries spilled;
  std::map<std::uint64_t, Bytes> all;
  EXPECT_EQ(found(spilled, 1), std::nullopt);
  for (int run = 0; run < 4; ++run) {
    std::map<std::uint64_t, Bytes> entries;
    for (int i = 0; i < 20'000; ++i) {
      const bool again = i % 7 == 0 && !all.empty();
      const std::uint64_t key = again ? all.lower_bound(random() / 2)->first : random();
      entries[key] = Bytes(random() % (i % 100 == 0 ? 256 : 20), static_cast<std::uint8_t>(run));
    }
    ASSERT_TRUE(write_run(spilled, entries));
    for (const auto& [key, payload] : entries) all[key] = payload;
  }
  for (const auto& [key, payload] : all) ASSERT_EQ(found(spilled, key), payload);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t key = random();
    ASSERT_EQ(found(spilled, key).has_value(), all.contains(key));
  }
  EXPECT_FALSE(spilled.damaged());
}

TEST(SpilledEntries, AFullDiskLosesOnlyTheRunThatIsWritten) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  SpilledEntries spilled;
  std::map<std::uint64_t, Bytes> small, large;
  for (std::uint64_t i = 1; i < 1000; ++i) small[i * 77] = {1, 2};
  for (std::uint64_t i = 1; i < 50'000; ++i) large[i * 78] = Bytes(30, 3);
  ASSERT_TRUE(write_run(spilled, small));
  rlimit little = before;
  little.rlim_cur = 1'000'000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const bool written = write_run(spilled, large);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_FALSE(written);
  EXPECT_EQ(found(spilled, 77), (Bytes{1, 2}));
  EXPECT_EQ(found(spilled, 78), std::nullopt);
  ASSERT_TRUE(write_run(spilled, large));
  EXPECT_EQ(found(spilled, 78), Bytes(30, 3));
  EXPECT_EQ(found(spilled, 77 * 999), (Bytes{1, 2}));
}

// A table as its owners have them: linear probing, keys that crowd at both ends.
TEST(SpilledEntries, ATableIsWrittenInTheOrderOfKeysAlsoAroundItsEnd) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    constexpr std::size_t kSlots = 64;
    std::vector<std::uint64_t> slots(kSlots);
    std::map<std::uint64_t, Bytes> entries;
    while (entries.size() < kSlots * 3 / 4) {
      std::uint64_t key = random() | 1;
      if (random() % 2 == 0) key |= 0xF800000000000000;  // the last slots
      if (!entries.emplace(key, Bytes{}).second) continue;
      std::size_t at = key >> 58;
      while (slots[at] != 0) at = (at + 1) % kSlots;
      slots[at] = key;
    }
    SpilledEntries spilled;
    std::vector<std::uint64_t> order;
    ASSERT_TRUE(spill_table(
        spilled, std::span<const std::uint64_t>(slots), entries.size(),
        [](std::uint64_t slot) { return slot; },
        [&](std::uint64_t slot) {
          order.push_back(slot);
          return SpilledEntries::Payload();
        },
        [](std::size_t) {}));
    ASSERT_TRUE(std::ranges::is_sorted(order)) << "seed " << seed;
    ASSERT_EQ(order.size(), entries.size());
    for (const auto& [key, payload] : entries) ASSERT_TRUE(spilled.find(key)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace fh::importers
