// An open-addressing table of digests; the shares lie packed as base-128 numbers in chunks, most of
// them a dozen bytes long.

#include "importers/seen.h"

#include "base/check.h"

namespace fh::importers {
namespace {

constexpr std::size_t kPackedMax = 12 * 10;  // twelve numbers of at most ten bytes

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
  if (a.usage.total() != b.usage.total()) return a.usage.total() > b.usage.total();
  return a.usage.total() == 0 && magnitude(a.cost_micro_usd) > magnitude(b.cost_micro_usd);
}

}  // namespace

std::uint64_t SeenEvents::event_of(std::string_view format, std::string_view source_id) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a, 64 bits
  const auto take = [&hash](std::string_view text) {
    for (const char c : text) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
  };
  take(format);
  hash = (hash ^ 0xFF) * 0x100000001b3ULL;  // no byte of valid UTF-8
  take(source_id);
  return mixed(hash);
}

SeenEvents::Entry* SeenEvents::find(std::uint64_t event) {
  const std::size_t mask = table_.size() - 1;
  std::size_t at = event & mask;
  while (table_[at].place != 0 && table_[at].event != event) at = (at + 1) & mask;
  return &table_[at];
}

void SeenEvents::grow() {
  std::vector<Entry> old = std::move(table_);
  table_.assign(old.empty() ? 1024 : old.size() * 2, Entry{});
  for (const Entry& entry : old) {
    if (entry.place != 0) *find(entry.event) = entry;
  }
}

std::uint64_t SeenEvents::keep(const Share& share) {
  if (chunk_used_ + kPackedMax > kChunkBytes) {
    chunks_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(kChunkBytes));
    chunk_used_ = 0;
  }
  std::uint8_t* const begin = chunks_.back().get() + chunk_used_;
  std::uint8_t* at = put(begin, share.model);
  at = put(at, static_cast<std::uint64_t>(share.cost_kind));
  at = put(at, folded(share.cost_micro_usd));
  const domain::Usage& u = share.usage;
  for (const std::uint64_t value :
       {share.requests, share.web_searches, u.input_uncached, u.cache_read, u.cache_write_5m,
        u.cache_write_30m, u.cache_write_1h, u.output, u.reasoning}) {
    at = put(at, value);
  }
  const std::uint64_t place = (chunks_.size() - 1) * kChunkBytes + chunk_used_ + 1;
  chunk_used_ += static_cast<std::size_t>(at - begin);
  FH_DCHECK(chunk_used_ <= kChunkBytes);
  return place;
}

Share SeenEvents::load(std::uint64_t place) const {
  const std::uint8_t* at = chunks_[(place - 1) / kChunkBytes].get() + (place - 1) % kChunkBytes;
  Share share;
  share.model = static_cast<std::uint32_t>(get(at));
  share.cost_kind = static_cast<domain::CostKind>(get(at));
  share.cost_micro_usd = unfolded(get(at));
  domain::Usage& u = share.usage;
  for (std::uint64_t* value :
       {&share.requests, &share.web_searches, &u.input_uncached, &u.cache_read, &u.cache_write_5m,
        &u.cache_write_30m, &u.cache_write_1h, &u.output, &u.reasoning}) {
    *value = get(at);
  }
  return share;
}

SeenEvents::Answer SeenEvents::add(std::uint64_t event, const Share& share) {
  if (table_.empty() || (used_ + 1) * 10 > table_.size() * 7) {
    if (used_ < events_max_) grow();
  }
  Entry* entry = find(event);
  if (entry->place != 0) {
    const Share before = load(entry->place);
    if (!larger(share, before)) return {Verdict::Repeated, before};
    entry->place = keep(share);
    return {Verdict::Larger, before};
  }
  if (used_ >= events_max_) {
    overflowed_ = true;
    return {Verdict::New, {}};
  }
  *entry = {event, keep(share)};
  ++used_;
  return {Verdict::New, {}};
}

}  // namespace fh::importers
