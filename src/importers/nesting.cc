// Buckets of one name are sorted so that each comes behind those it lies in; a stack of the open
// ones then meets every bucket's insides before the bucket closes.

#include "importers/nesting.h"

#include <algorithm>
#include <compare>
#include <iterator>
#include <numeric>

#include "codec/fast_hash.h"
#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

// The period that a bucket is compared by. False: it has none.
bool period_of(std::int64_t start, std::int64_t end, std::int64_t& from, std::int64_t& to,
               int& level) {
  if (end <= start || start < 0) return false;
  const domain::Granularity length = granularity_of(end - start);
  level = length == domain::Granularity::Minute ? 0 : length == domain::Granularity::Hour ? 1 : 2;
  from = level == 2 ? start : start - start % kDayNs;
  to = level == 2 ? end : from + kDayNs;
  return true;
}

// The hours of its UTC day that a bucket tells of, a bit each; all when it is of more than one day.
std::uint32_t hours_of(std::int64_t start, std::int64_t end) {
  constexpr std::int64_t kHourNs = 3600 * kSecondNs;
  constexpr std::uint32_t kAll = (1U << 24) - 1;
  if (start / kDayNs != (end - 1) / kDayNs) return kAll;
  const auto first = static_cast<unsigned>(start % kDayNs / kHourNs),
             last = static_cast<unsigned>((end - 1) % kDayNs / kHourNs);
  return (kAll >> (23 - (last - first))) << first;
}

// Credits, refunds, corrections: told beside the charge, not instead of it.
bool is_correction(const domain::CostRecord& record) {
  return record.billed.value < 0 || record.item.starts_with(kCorrection);
}

// Formats whose buckets are UTC days, all of them: nothing of theirs lies in anything else.
bool has_days_only(std::string_view format) {
  static constexpr std::string_view kFormats[] = {"copilot", "litellm", "openai-costs",
                                                  "anthropic-cost", "anthropic-claude-code"};
  return std::ranges::find(kFormats, format) != std::end(kFormats);
}

// Formats of reports that their reader chooses the grouping of.
bool may_be_grouped(std::string_view format) {
  static constexpr std::string_view kFormats[] = {"anthropic-usage", "openai-usage", "freehold",
                                                  "copilot"};
  return std::ranges::find(kFormats, format) != std::end(kFormats);
}

struct Weight {
  std::uint64_t tokens = 0, cost = 0;
  auto operator<=>(const Weight&) const = default;
};

Weight weight_of(const Totals& totals) {
  std::uint64_t cost = 0;
  for (const std::int64_t sum : totals.reported_micro_usd) {
    const auto bits = static_cast<std::uint64_t>(sum);
    cost = saturating_add(cost, sum < 0 ? 0 - bits : bits);
  }
  return {totals.usage.total(), cost};
}

}  // namespace

// A bucket whose insides are being met.
struct Nesting::Node {
  std::uint32_t entry = 0;
  Weight inside;                 // of what counts in it
  std::size_t first_inside = 0;  // where its insides begin in the list of them
};

std::size_t Nesting::PlaceHash::operator()(const Place& place) const {
  const auto time = static_cast<std::uint64_t>(place.start) * 0x9e3779b97f4a7c15 ^
                    static_cast<std::uint64_t>(place.end) * 0xd1b54a32d192ed03;
  return place.names ^ (time >> 20) ^ (time << 9) ^ static_cast<std::uint64_t>(place.level);
}

void Nesting::join(std::string_view name) {
  join(name.size());  // length first: no two lists of names join to the same text
  joined_.append(name);
}

void Nesting::join(std::uint64_t number) {
  joined_.append(reinterpret_cast<const char*>(&number), sizeof number);
}

bool Nesting::place_of(const domain::UsageRecord& record, Place& place) {
  if (record.granularity == domain::Granularity::Request || has_days_only(record.format)) {
    return false;
  }
  if (!period_of(record.start_unix_ns, record.end_unix_ns, place.start, place.end, place.level)) {
    return false;
  }
  joined_.assign(1, 'u');
  for (const std::string* name :
       {&record.format, &record.provider, &record.model, &record.region, &record.workspace,
        &record.key, &record.user, &record.application, &record.workload, &record.session}) {
    join(*name);
  }
  join(static_cast<std::uint64_t>(record.tier));
  join(record.prompt_band_known ? 1 + record.prompt_over : 0);
  place.names = codec::fast_hash(joined_).low;
  return true;
}

bool Nesting::place_of(const domain::CostRecord& record, Place& place) {
  if (record.model.empty() || has_days_only(record.format)) return false;
  if (!period_of(record.start_unix_ns, record.end_unix_ns, place.start, place.end, place.level)) {
    return false;
  }
  joined_.assign(1, 'c');
  for (const std::string* name : {&record.format, &record.provider, &record.model, &record.item,
                                  &record.service, &record.workspace, &record.quantity_unit}) {
    join(*name);
  }
  place.names = codec::fast_hash(joined_).low;
  return true;
}

void Nesting::add(const Place& place, bool is_cost, std::uint32_t hours, const Share* share,
                  const Share* before) {
  const auto known = index_.find(place);
  std::size_t at = known != index_.end() ? known->second : entries_.size();
  if (at == entries_.size()) {
    if (share == nullptr) return;
    if (entries_.size() >= kEntriesMax) {
      overflowed_ = true;
      return;
    }
    index_.emplace(place, static_cast<std::uint32_t>(at));
    entries_.push_back({place, share->model, is_cost, true, 0, {}});
  }
  if (before != nullptr) entries_[at].totals.subtract(*before);
  if (share == nullptr) return;
  entries_[at].totals.add(*share);
  entries_[at].hours |= hours;
}

void Nesting::see(const domain::UsageRecord& record, const Share& share, const Share* before) {
  Place place;
  if (!place_of(record, place)) return;
  add(place, false, hours_of(record.start_unix_ns, record.end_unix_ns), &share, before);
}

void Nesting::see(const domain::CostRecord& record, const Share* before) {
  Place place;
  if (!place_of(record, place)) return;
  Share share, was;
  share.cost_kind = was.cost_kind = domain::CostKind::Billed;
  share.cost_micro_usd = record.billed.value;
  if (before != nullptr) was.cost_micro_usd = before->cost_micro_usd;
  const bool counted_before = before != nullptr && was.cost_micro_usd >= 0;
  add(place, true, hours_of(record.start_unix_ns, record.end_unix_ns),
      is_correction(record) ? nullptr : &share, counted_before ? &was : nullptr);
}

bool Nesting::tells_nothing_in_common(const Entry& entry,
                                      std::span<const std::uint32_t> inside) const {
  return std::ranges::none_of(
      inside, [&](std::uint32_t other) { return (entries_[other].hours & entry.hours) != 0; });
}

// The innermost open bucket has met all its insides: it or they count.
void Nesting::close(std::vector<Node>& open, std::vector<std::uint32_t>& inside) {
  const Node node = open.back();
  open.pop_back();
  Entry& entry = entries_[node.entry];
  Weight weight = weight_of(entry.totals);
  if (node.first_inside < inside.size()) {
    if (tells_nothing_in_common(entry, std::span(inside).subspan(node.first_inside))) {
      weight = {saturating_add(weight.tokens, node.inside.tokens),
                saturating_add(weight.cost, node.inside.cost)};
    } else if (weight > node.inside) {
      for (std::size_t i = node.first_inside; i < inside.size(); ++i) {
        entries_[inside[i]].counts = false;
      }
    } else {
      entry.counts = false;
      weight = node.inside;
    }
  }
  if (open.empty()) {
    inside.clear();
    return;
  }
  inside.push_back(node.entry);
  Weight& outer = open.back().inside;
  outer = {saturating_add(outer.tokens, weight.tokens), saturating_add(outer.cost, weight.cost)};
}

void Nesting::settle() {
  std::vector<std::uint32_t> order(entries_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    const Place &x = entries_[a].place, &y = entries_[b].place;
    if (x.names != y.names) return x.names < y.names;
    if (x.start != y.start) return x.start < y.start;
    if (x.end != y.end) return x.end > y.end;
    return x.level > y.level;
  });
  std::vector<Node> open;
  std::vector<std::uint32_t> inside;  // of the open ones, innermost last
  std::uint64_t names = 0;
  for (const std::uint32_t number : order) {
    const Place& place = entries_[number].place;
    while (!open.empty() &&
           (place.names != names || entries_[open.back().entry].place.end < place.end)) {
      const bool overlaps =
          place.names == names && entries_[open.back().entry].place.end > place.start;
      partly_ = partly_ || overlaps;
      close(open, inside);
    }
    while (!open.empty() && entries_[open.back().entry].place.end <= place.start) {
      close(open, inside);
    }
    names = place.names;
    open.push_back({number, {}, inside.size()});
  }
  while (!open.empty()) close(open, inside);
  for (const Entry& entry : entries_) {
    if (!entry.counts) (entry.is_cost ? left_costs_ : left_).push_back({entry.model, entry.totals});
  }
}

bool Nesting::counts(const Place& place) const {
  const auto known = index_.find(place);
  return known == index_.end() || entries_[known->second].counts;
}

bool Nesting::counts(const domain::UsageRecord& record) {
  Place place;
  return !place_of(record, place) || counts(place);
}

bool Nesting::counts(const domain::CostRecord& record) {
  Place place;
  return is_correction(record) || !place_of(record, place) || counts(place);
}

void Groupings::see(const domain::UsageRecord& record) {
  if (record.granularity == domain::Granularity::Request || !may_be_grouped(record.format)) return;
  unsigned bit = 1;
  for (const bool told : {!record.model.empty(), !record.workspace.empty(), !record.key.empty(),
                          !record.user.empty(), !record.region.empty(), !record.application.empty(),
                          !record.workload.empty(), record.prompt_band_known}) {
    if (told) names_ |= bit;
    bit <<= 1;
  }
  if (days_.size() < kDaysMax) days_.insert(record.start_unix_ns / kDayNs);
}

std::size_t Groupings::end_file(std::string_view format) {
  std::size_t doubtful = 0;
  const std::uint64_t kind = SeenEvents::kind_of(format);
  for (const std::int64_t day : days_) {
    const std::uint64_t key = kind ^ static_cast<std::uint64_t>(day) * 0x9e3779b97f4a7c15;
    const auto known = told_.find(key);
    if (known != told_.end()) {
      doubtful += known->second != names_ ? 1 : 0;
    } else if (told_.size() < kDaysMax) {
      told_.emplace(key, static_cast<std::uint8_t>(names_));
    }
  }
  days_.clear();
  names_ = 0;
  return doubtful;
}

}  // namespace fh::importers
