// The table is small, four bytes a slot, because it is looked into at random: with most rows of
// most files being new events, waiting for the memory behind it is what a run spends its time with.
// All else is written one after the other and read only for an event that comes again: the digest,
// and the share as the base-128 numbers of those fields that are not 0, a dozen bytes mostly.

#include "importers/seen.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace fh::importers {
namespace {

constexpr std::size_t kFields = 13;
constexpr std::size_t kPackedMax = 2 + kFields * 10;  // which fields there are, the fields
constexpr std::size_t kHeadBytesOf = 8 + 1;           // digest, room for the share

std::uint64_t mixed(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

std::uint8_t* put(std::uint8_t* at, std::uint64_t value) {
  while (value >= 0x80) {
    *at++ = static_cast<std::uint8_t>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<std::uint8_t>(value);
  return at;
}

std::uint64_t get(const std::uint8_t*& at) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const std::uint8_t byte = *at++;
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

// Small magnitudes stay short whatever their sign.
std::uint64_t folded(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unfolded(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

bool larger(const Share& a, const Share& b) {
  if (a.side != b.side) return b.side;
  if (a.usage.total() != b.usage.total()) return a.usage.total() > b.usage.total();
  return a.usage.total() == 0 && magnitude(a.cost_micro_usd) > magnitude(b.cost_micro_usd);
}

// The fields of a share, each by its bit in the head of the packed form.
template <typename Fn>  // void(unsigned bit, std::uint64_t value)
void each_field(const Share& share, Fn&& fn) {
  const domain::Usage& u = share.usage;
  fn(0, share.model);
  fn(1, static_cast<std::uint64_t>(share.cost_kind));
  fn(2, folded(share.cost_micro_usd));
  fn(3, share.requests);
  fn(4, share.web_searches);
  fn(5, u.input_uncached);
  fn(6, u.cache_read);
  fn(7, u.cache_write_5m);
  fn(8, u.cache_write_30m);
  fn(9, u.cache_write_1h);
  fn(10, u.output);
  fn(11, u.reasoning);
  fn(12, share.side ? 1 : 0);
}

// At most kPackedMax bytes; how many.
std::size_t pack(const Share& share, std::uint8_t* to) {
  unsigned present = 0;
  std::uint8_t* at = to + 2;
  each_field(share, [&](unsigned bit, std::uint64_t value) {
    if (value == 0) return;
    present |= 1U << bit;
    at = put(at, value);
  });
  to[0] = static_cast<std::uint8_t>(present);
  to[1] = static_cast<std::uint8_t>(present >> 8);
  return static_cast<std::size_t>(at - to);
}

Share unpack(const std::uint8_t* from) {
  const unsigned present = from[0] | static_cast<unsigned>(from[1]) << 8;
  const std::uint8_t* at = from + 2;
  std::array<std::uint64_t, kFields> f{};
  for (std::size_t i = 0; i < kFields; ++i) {
    if ((present >> i & 1) != 0) f[i] = get(at);
  }
  Share share;
  share.model = static_cast<std::uint32_t>(f[0]);
  share.cost_kind = static_cast<domain::CostKind>(f[1]);
  share.cost_micro_usd = unfolded(f[2]);
  share.requests = f[3];
  share.web_searches = f[4];
  share.usage = {f[5], f[6], f[7], f[8], f[9], f[10], f[11]};
  share.side = f[12] != 0;
  return share;
}

// Two halves of a product: every bit of both numbers moves about half of the result.
std::uint64_t folded_product(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <typename Word>
std::uint64_t word_at(const char* at) {
  Word word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

constexpr std::uint64_t kOdd1 = 0x9e3779b97f4a7c15, kOdd2 = 0xd1b54a32d192ed03;

// A 64-bit digest of `text`, 16 bytes at a time; where they do not add up, bytes are taken twice.
std::uint64_t digest_of(std::string_view text, std::uint64_t seed) {
  const char* const data = text.data();
  const std::size_t size = text.size();
  std::uint64_t hash = seed ^ folded_product(size ^ kOdd1, kOdd2);
  std::uint64_t first = 0, last = 0;
  if (size >= 8) {
    for (std::size_t at = 0; at + 16 < size; at += 16) {
      hash = folded_product(word_at<std::uint64_t>(data + at) ^ hash,
                            word_at<std::uint64_t>(data + at + 8) ^ kOdd1);
    }
    first = word_at<std::uint64_t>(data + (size > 16 ? size - 16 : 0));
    last = word_at<std::uint64_t>(data + size - 8);
  } else if (size >= 4) {
    first = word_at<std::uint32_t>(data);
    last = word_at<std::uint32_t>(data + size - 4);
  } else {
    for (const char c : text) first = first << 8 | static_cast<unsigned char>(c);
  }
  return mixed(hash ^ folded_product(first ^ hash ^ kOdd1, last ^ kOdd2));
}

constexpr std::uint32_t kNumberMask = (1U << 24) - 1;

std::uint32_t tag_of(std::uint64_t event) {
  return static_cast<std::uint32_t>(event >> 32) & ~kNumberMask;
}

}  // namespace

std::uint64_t SeenEvents::kind_of(std::string_view format) {
  return digest_of(format, kOdd2);
}

std::uint64_t SeenEvents::event_of(std::uint64_t kind, std::string_view source_id) {
  return digest_of(source_id, kind);
}

std::uint64_t SeenEvents::event_of(std::uint64_t kind, const RowKey& key) {
  return folded_product(key.hash.low ^ kind, key.hash.high ^ key.which * kOdd1);
}

std::uint8_t* SeenEvents::at(std::uint32_t place) const {
  return chunks_[place / kChunkBytes].as<std::uint8_t>().data() + place % kChunkBytes;
}

std::uint64_t SeenEvents::event_at(std::uint32_t place) const {
  std::uint64_t event = 0;
  std::memcpy(&event, at(place), sizeof event);
  return event;
}

// All numbers into a larger table; some ahead, so that their slots have come from memory.
void SeenEvents::grow() {
  constexpr std::size_t kAhead = 32;
  const std::size_t times = slots_.size() < (4 << 20) ? 4 : 2;
  const std::size_t size = std::clamp<std::size_t>(slots_.size() * times, 1024, slots_max_);
  table_ = {};  // first, so that there are not two
  table_ = base::os::Pages(size * sizeof(std::uint32_t));
  slots_ = table_.as<std::uint32_t>();
  const std::size_t mask = slots_.size() - 1;
  std::uint32_t* const slots = slots_.data();
  std::array<std::uint64_t, kAhead> events;
  for (std::size_t first = 0; first < places_.size(); first += kAhead) {
    const std::size_t count = std::min(kAhead, places_.size() - first);
    for (std::size_t i = 0; i < count; ++i) {
      events[i] = event_at(places_[first + i]);
      __builtin_prefetch(slots + (events[i] & mask), 1);
    }
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t slot = events[i] & mask;
      while (slots[slot] != 0) slot = (slot + 1) & mask;
      slots[slot] = tag_of(events[i]) | static_cast<std::uint32_t>(first + i + 1);
    }
  }
}

// Writes an event with at least `room` bytes for its share. False when there is no place left.
bool SeenEvents::keep(std::uint64_t event, const Share& share, std::size_t room,
                      std::uint32_t& place) {
  std::uint8_t packed[kPackedMax];
  const std::size_t size = pack(share, packed);
  room = std::max(room, size);
  if (!chunks_.empty() && chunk_used_ + kHeadBytesOf + room > kChunkBytes) {
    if (chunk_at_ + 1 == kChunksMax) return false;
    ++chunk_at_;
    chunk_used_ = 0;
  }
  if (chunk_at_ == chunks_.size()) chunks_.emplace_back(kChunkBytes);
  place = static_cast<std::uint32_t>(chunk_at_ * kChunkBytes + chunk_used_);
  std::uint8_t* const to = chunks_[chunk_at_].as<std::uint8_t>().data() + chunk_used_;
  std::memcpy(to, &event, sizeof event);
  to[sizeof event] = static_cast<std::uint8_t>(room);
  std::memcpy(to + kHeadBytesOf, packed, size);
  chunk_used_ += kHeadBytesOf + room;
  return true;
}

// An event that was seen before. A larger share takes the smaller one's room, or the first time
// that it does not fit, room for any share.
SeenEvents::Answer SeenEvents::known(std::uint32_t number, const Share& share) {
  std::uint8_t* const packed = at(places_[number]) + kHeadBytesOf;
  const Share before = unpack(packed);
  if (!larger(share, before)) return {Verdict::Repeated, before};
  std::uint8_t fresh[kPackedMax];
  const std::size_t size = pack(share, fresh);
  if (size <= packed[-1]) {
    std::memcpy(packed, fresh, size);
  } else if (!keep(event_at(places_[number]), share, kPackedMax, places_[number])) {
    overflowed_ = true;
    return {Verdict::Repeated, before};
  }
  return {Verdict::Larger, before};
}

bool SeenEvents::spill() {
  while (slots_.size() < slots_max_) grow();
  const auto place_of = [this](std::uint32_t slot) { return places_[(slot & kNumberMask) - 1]; };
  const bool done = spill_table(
      spilled_, std::span<const std::uint32_t>(slots_), places_.size(),
      [&](std::uint32_t slot) { return spilled_key(event_at(place_of(slot))); },
      [&](std::uint32_t slot) {
        const std::uint8_t* const packed = at(place_of(slot)) + kHeadBytesOf;
        return SpilledEntries::Payload(packed, packed[-1]);
      },
      [&](std::size_t now) {
        constexpr std::size_t kFar = 64, kNear = 32;
        if (now + kFar >= slots_.size()) return;
        if (const auto slot = slots_[now + kFar]; slot != 0) {
          __builtin_prefetch(places_.data() + (slot & kNumberMask) - 1);
        }
        if (const auto slot = slots_[now + kNear]; slot != 0)
          __builtin_prefetch(at(place_of(slot)));
      });
  if (!done) return false;
  std::ranges::fill(slots_, 0);
  places_.clear();
  chunk_at_ = chunk_used_ = 0;
  return true;
}

// For one more event, if there is any to be had.
void SeenEvents::make_room() {
  const bool full = places_.size() >= in_memory_max_ || chunk_at_ >= kChunksSpilledAt;
  if (full && disk_ && size_ < events_max_) disk_ = spill();
  if ((places_.size() + 1) * 4 > slots_.size() * 3 && slots_.size() < slots_max_) grow();
}

std::uint32_t SeenEvents::number_of(std::uint64_t event) const {
  if (slots_.empty()) return 0;
  const std::size_t mask = slots_.size() - 1;
  const std::uint32_t* const slots = slots_.data();
  const std::uint32_t tag = tag_of(event);
  for (std::size_t slot = event & mask; slots[slot] != 0; slot = (slot + 1) & mask) {
    if ((slots[slot] & ~kNumberMask) != tag) continue;
    const std::uint32_t number = slots[slot] & kNumberMask;
    if (event_at(places_[number - 1]) == event) return number;
  }
  return 0;
}

// As one that is not in memory.
bool SeenEvents::remember(std::uint64_t event, const Share& share) {
  std::uint32_t place = 0;
  if (places_.size() >= in_memory_max_ || !keep(event, share, 0, place)) return false;
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = event & mask;
  while (slots_[slot] != 0) slot = (slot + 1) & mask;
  places_.push_back(place);
  slots_[slot] = tag_of(event) | static_cast<std::uint32_t>(places_.size());
  return true;
}

SeenEvents::Answer SeenEvents::look(std::uint64_t event, const Share& share) {
  Answer answer;
  if (const std::uint32_t number = number_of(event); number != 0) {
    answer.before = unpack(at(places_[number - 1]) + kHeadBytesOf);
  } else if (const auto packed = find_spilled(event)) {
    answer.before = unpack(packed->data());
  } else {
    return answer;
  }
  answer.verdict = larger(share, answer.before) ? Verdict::Larger : Verdict::Repeated;
  return answer;
}

std::optional<SpilledEntries::Payload> SeenEvents::find_spilled(std::uint64_t event) {
  if (spilled_.empty()) return std::nullopt;
  const auto found = spilled_.find(spilled_key(event));
  overflowed_ = overflowed_ || spilled_.damaged();
  return found;
}

SeenEvents::Answer SeenEvents::add(std::uint64_t event, const Share& share) {
  make_room();
  if (const std::uint32_t number = number_of(event); number != 0) return known(number - 1, share);
  if (const auto packed = find_spilled(event)) {
    const Share before = unpack(packed->data());
    if (!larger(share, before)) return {Verdict::Repeated, before};
    if (remember(event, share)) return {Verdict::Larger, before};
    overflowed_ = true;
    return {Verdict::Repeated, before};
  }
  if (size_ < events_max_ && remember(event, share)) {
    ++size_;
  } else {
    overflowed_ = true;
  }
  return {Verdict::New, {}};
}

}  // namespace fh::importers
