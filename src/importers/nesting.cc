// Buckets of one name are sorted so that each comes behind those it lies in; a stack of the open
// ones then meets every bucket's insides before the bucket closes.

#include "importers/nesting.h"

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <iterator>

#include "codec/fast_hash.h"
#include "importers/csv_table.h"
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

constexpr int kFlat = 3;            // Place::level
constexpr std::uint8_t kByTag = 7;  // Telling::kind

struct Weight {
  std::uint64_t tokens = 0, cost = 0;
  auto operator<=>(const Weight&) const = default;
};

// Within a part of the whole: by tokens where both have some.
bool agree(const Weight& a, const Weight& b, std::uint64_t part) {
  const bool tokens = a.tokens != 0 && b.tokens != 0;
  const std::uint64_t x = tokens ? a.tokens : a.cost, y = tokens ? b.tokens : b.cost;
  return std::max(x, y) - std::min(x, y) <= std::max(x, y) / part;
}

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

Nesting::Telling Nesting::bill_of_aws(std::string_view format, std::string_view provider,
                                      std::int64_t start) {
  const bool report = format == "aws-cur";
  if (!report && format != "focus") return {};
  const std::int64_t day = start / kDayNs;
  if (day == bill_.day && format == bill_.format && provider == bill_.provider) {
    return bill_.telling;
  }
  const std::string name = lowered(provider);
  bill_ = {day, std::string(format), std::string(provider), {}};
  if (report || name == "aws" || name.starts_with("amazon")) {
    joined_.assign("aws");
    join(static_cast<std::uint64_t>(day));
    bill_.telling = {codec::fast_hash(joined_).low | 1, static_cast<std::uint8_t>(report ? 0 : 1),
                     true};
  }
  return bill_.telling;
}

// Both tell a day of a SKU to the last digit. Months are not compared: the report has none.
Nesting::Telling Nesting::bill_of_github(const domain::CostRecord& record, Telling telling) {
  const bool a_day = record.end_unix_ns - record.start_unix_ns == kDayNs;
  if (!a_day || record.service.size() != 7 || lowered(record.service) != "copilot") return telling;
  const std::int64_t day = record.start_unix_ns / kDayNs;
  if (day != github_.day || record.item != github_.item) {
    joined_.assign("github");
    join(static_cast<std::uint64_t>(day));
    join(column_key(record.item));  // "Copilot AI Credit", "copilot_ai_credit"
    github_ = {day, record.item, codec::fast_hash(joined_).low | 1};
  }
  telling.bill = github_.group;
  if (record.format == "copilot") telling.group = telling.bill;
  return telling;
}

Nesting::Telling Nesting::telling_of(const domain::UsageRecord& record) {
  if (record.format != "litellm" || record.granularity != domain::Granularity::Day) {
    return bill_of_aws(record.format, record.provider, record.start_unix_ns);
  }
  joined_.assign("litellm");
  join(static_cast<std::uint64_t>(record.start_unix_ns));
  for (const std::string* name : {&record.provider, &record.model, &record.key}) join(*name);
  const bool end_user = record.user.starts_with(kEndUserName);
  const bool organization = record.workspace.starts_with(kOrganizationName);
  std::uint8_t kind = 0;  // of a user, also of none
  if (record.user.empty() || end_user) {
    kind = !record.workspace.empty()     ? (organization ? 2 : 1)
           : !record.application.empty() ? 3
           : end_user                    ? 4
           : !record.workload.empty()    ? kByTag
                                         : 0;
  }
  return {codec::fast_hash(joined_).low | 1, kind, false};
}

Nesting::Telling Nesting::telling_of(const domain::CostRecord& record) {
  if (record.format == "copilot") return bill_of_github(record, {});
  if (record.format != "copilot-api") {
    return bill_of_aws(record.format, record.provider, record.start_unix_ns);
  }
  joined_.assign("copilot");
  join(static_cast<std::uint64_t>(record.start_unix_ns));
  join(static_cast<std::uint64_t>(record.end_unix_ns));
  for (const std::string* name :
       {&record.model, &record.item, &record.service, &record.quantity_unit}) {
    join(*name);
  }
  const std::string_view account = record.workspace;
  join(account.substr(0, account.find('/')));
  const auto parts = std::min<std::ptrdiff_t>(std::ranges::count(account, '/'), kByTag - 1);
  return bill_of_github(
      record, {codec::fast_hash(joined_).low | 1, static_cast<std::uint8_t>(parts), false});
}

bool Nesting::place_of(const domain::UsageRecord& record, Place& place, Telling& telling) {
  if (record.granularity == domain::Granularity::Request) return false;
  telling = telling_of(record);
  if (has_days_only(record.format) ||
      !period_of(record.start_unix_ns, record.end_unix_ns, place.start, place.end, place.level)) {
    place = {telling.group + telling.kind, 0, 0, kFlat};
    return telling.group != 0;
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

bool Nesting::place_of(const domain::CostRecord& record, Place& place, Telling& telling) {
  telling = telling_of(record);
  // Items of GitHub's answers are told by their kind; other rows without a model may be of
  // anything.
  const bool named = !record.model.empty() || record.format == "copilot-api";
  if (is_correction(record) || !named || has_days_only(record.format) ||
      !period_of(record.start_unix_ns, record.end_unix_ns, place.start, place.end, place.level)) {
    place = {telling.group + telling.kind, 1, 0, kFlat};
    return telling.group != 0;
  }
  joined_.assign(1, 'c');
  for (const std::string* name : {&record.format, &record.provider, &record.model, &record.item,
                                  &record.service, &record.workspace, &record.quantity_unit}) {
    join(*name);
  }
  place.names = codec::fast_hash(joined_).low;
  return true;
}

void Nesting::add(const Place& place, const Telling& telling, bool is_cost, std::uint32_t hours,
                  const Share* share, const Share* before) {
  std::size_t at = last_;
  if (at >= entries_.size() || entries_[at].place != place) {  // most rows are as the one before
    const auto known = index_.find(place);
    at = known != index_.end() ? known->second : entries_.size();
  }
  if (at == entries_.size()) {
    if (share == nullptr) return;
    if (entries_.size() >= kEntriesMax) {
      overflowed_ = true;
      return;
    }
    index_.emplace(place, static_cast<std::uint32_t>(at));
    entries_.push_back({place, share->model, is_cost, true, 0, telling, {}});
  }
  last_ = at;
  if (before != nullptr) entries_[at].totals.subtract(*before);
  if (share == nullptr) return;
  entries_[at].totals.add(*share);
  entries_[at].hours |= hours;
}

void Nesting::see(const domain::UsageRecord& record, const Share& share, const Share* before) {
  Place place;
  Telling telling;
  if (!place_of(record, place, telling)) return;
  // Of a flat place the sums are kept by model.
  if (place.level == kFlat) place.end = share.model;
  add(place, telling, false, hours_of(record.start_unix_ns, record.end_unix_ns), &share, before);
}

void Nesting::see(const domain::CostRecord& record, const Share* before) {
  Place place;
  Telling telling;
  Share share, was;
  share.cost_kind = was.cost_kind = domain::CostKind::Billed;
  share.cost_micro_usd = record.billed.value;
  const bool known = place_of(record, place, telling);
  // What took its place may have stood elsewhere: a charge that has become a credit.
  if (before != nullptr && (before->cost_micro_usd < 0) != (record.billed.value < 0)) {
    was.cost_micro_usd = before->cost_micro_usd;
    domain::CostRecord earlier = record;
    earlier.billed.value = before->cost_micro_usd;
    Place there;
    Telling told;
    if (place_of(earlier, there, told)) add(there, told, true, 0, nullptr, &was);
    before = nullptr;
  }
  if (!known) return;
  if (before != nullptr) was.cost_micro_usd = before->cost_micro_usd;
  add(place, telling, true, hours_of(record.start_unix_ns, record.end_unix_ns), &share,
      before != nullptr ? &was : nullptr);
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
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].place.level != kFlat) order.push_back(i);
  }
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
      overlaps_ = overlaps_ || overlaps;
      close(open, inside);
    }
    while (!open.empty() && entries_[open.back().entry].place.end <= place.start) {
      close(open, inside);
    }
    names = place.names;
    open.push_back({number, {}, inside.size()});
  }
  while (!open.empty()) close(open, inside);
  settle_tellings(false);
  settle_tellings(true);
  for (const Entry& entry : entries_) {
    if (!entry.counts) (entry.is_cost ? left_costs_ : left_).push_back({entry.model, entry.totals});
  }
}

// What is compared: the telling itself, or of GitHub's two bills the one that it belongs to.
Nesting::Telling Nesting::way_of(const Telling& telling, bool bills) {
  if (!bills) return telling;
  if (telling.bill == 0) return {};
  const bool report = telling.group == telling.bill;
  return {telling.bill, static_cast<std::uint8_t>(report ? 0 : 1), true};
}

// Of what the buckets that count tell in several ways, all ways but one are taken out.
void Nesting::settle_tellings(bool bills) {
  struct Ways {
    std::array<Weight, kByTag + 1> told;
    unsigned ways = 0;  // a bit each
    bool must_agree = false;
    std::uint8_t best = 0;
  };
  std::unordered_map<std::uint64_t, Ways> groups;
  for (const Entry& entry : entries_) {
    const Telling way = way_of(entry.telling, bills);
    if (way.group == 0 || !entry.counts) continue;
    Ways& group = groups[way.group];
    group.ways |= 1U << way.kind;
    group.must_agree = way.must_agree;
    const Weight more = weight_of(entry.totals);
    Weight& told = group.told[way.kind];
    told.tokens = saturating_add(told.tokens, more.tokens);
    // A cost that stands beside its tokens is told by its own record, too.
    if (entry.is_cost || !way.must_agree) told.cost = saturating_add(told.cost, more.cost);
  }
  for (auto& [key, group] : groups) {
    for (std::uint8_t kind = 0; kind < kByTag; ++kind) {
      if ((group.ways >> kind & 1) == 0) continue;
      const bool first = (group.ways & ((1U << kind) - 1)) == 0;
      if (first || group.told[kind] > group.told[group.best]) group.best = kind;
    }
    if (std::popcount(group.ways) < 2) continue;
    if (group.must_agree && !agree(group.told[0], group.told[1], bills ? 100'000 : 100)) {
      // Reports of other accounts differ, and that is no reason for a word.
      bills_differ_ = bills_differ_ || !bills;
    } else {
      best_.emplace(key, group.best);
    }
  }
  for (Entry& entry : entries_) {
    if (!is_best(way_of(entry.telling, bills))) entry.counts = false;
  }
}

bool Nesting::is_best(const Telling& way) const {
  const auto best = best_.find(way.group);
  return way.group == 0 || best == best_.end() || best->second == way.kind;
}

bool Nesting::counts(const Place& place) const {
  const auto known = index_.find(place);
  return known == index_.end() || entries_[known->second].counts;
}

bool Nesting::counts(const domain::UsageRecord& record) {
  Place place;
  Telling telling;
  if (!place_of(record, place, telling)) return true;
  if (place.level == kFlat) return counts_flat(telling);
  return counts(place);
}

bool Nesting::counts(const domain::CostRecord& record) {
  Place place;
  Telling telling;
  if (!place_of(record, place, telling)) return true;
  return place.level == kFlat ? counts_flat(telling) : counts(place);
}

bool Nesting::counts_flat(const Telling& telling) const {
  return is_best(telling) && is_best(way_of(telling, true));
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
