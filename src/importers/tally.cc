// See tally.h.

#include "importers/tally.h"

#include <algorithm>
#include <utility>

#include "importers/names.h"

namespace fh::importers {
namespace {

bool same(const std::string& a, const std::string& b) {
  return a.size() == b.size() && same_bytes(a.data(), b.data(), a.size());
}

using Field = std::uint64_t domain::Usage::*;
constexpr Field kClasses[] = {&domain::Usage::input_uncached, &domain::Usage::cache_read,
                              &domain::Usage::cache_write_5m, &domain::Usage::cache_write_30m,
                              &domain::Usage::cache_write_1h, &domain::Usage::output,
                              &domain::Usage::reasoning};

void add_to(Totals& totals, const Share& share) {
  ++totals.records;
  totals.requests = saturating_add(totals.requests, share.requests);
  totals.web_searches = saturating_add(totals.web_searches, share.web_searches);
  for (const Field field : kClasses) {
    totals.usage.*field = saturating_add(totals.usage.*field, share.usage.*field);
  }
  std::int64_t& sum = totals.reported_micro_usd[static_cast<std::size_t>(share.cost_kind)];
  sum = saturating_add(sum, share.cost_micro_usd);
}

// A sum that has reached the top stays there: what it is made of can no longer be told.
void take_from(std::uint64_t& sum, std::uint64_t value) {
  if (sum != UINT64_MAX) sum -= value;
}

std::int64_t negated(std::int64_t value) {
  return value == INT64_MIN ? INT64_MAX : -value;
}

void subtract_from(Totals& totals, const Share& share) {
  --totals.records;
  take_from(totals.requests, share.requests);
  take_from(totals.web_searches, share.web_searches);
  for (const Field field : kClasses) take_from(totals.usage.*field, share.usage.*field);
  std::int64_t& sum = totals.reported_micro_usd[static_cast<std::size_t>(share.cost_kind)];
  if (sum != INT64_MAX && sum != INT64_MIN) {
    sum = saturating_add(sum, negated(share.cost_micro_usd));
  }
}

}  // namespace

std::uint32_t Tally::model_of(const domain::UsageRecord& record) {
  if (last_number_ && same(record.model, last_model_.model) &&
      same(record.provider, last_model_.provider)) {
    return *last_number_;
  }
  last_model_ = {record.provider, record.model};
  last_number_ = number_of(last_model_);
  return *last_number_;
}

// Sets what is kept of the record's format.
void Tally::see_format(const std::string& format) {
  if (last_format_count_ != nullptr && same(format, last_format_)) return;
  last_format_ = format;
  last_format_count_ = &summary_.formats[format];
  last_format_hash_ = SeenEvents::kind_of(format);
}

std::uint32_t Tally::number_of(ModelName name) {
  auto known = numbers_.find(name);
  if (known != numbers_.end()) return known->second;
  if (numbers_.size() >= kModelsMax) {
    name = {"", "(other models)"};
    known = numbers_.find(name);
    if (known != numbers_.end()) return known->second;
  }
  const auto number = static_cast<std::uint32_t>(models_.size());
  models_.push_back(&summary_.models[name]);
  numbers_.emplace(std::move(name), number);
  return number;
}

void Tally::add(const Share& share) {
  add_to(summary_.total, share);
  add_to(*models_[share.model], share);
}

void Tally::subtract(const Share& share) {
  subtract_from(summary_.total, share);
  subtract_from(*models_[share.model], share);
}

std::uint64_t Tally::expect(const domain::UsageRecord& record) {
  see_format(record.format);
  const std::uint64_t event = SeenEvents::event_of(last_format_hash_, record.source_id);
  seen_.expect(event);
  return event;
}

std::uint64_t Tally::expect(const domain::CostRecord& record) {
  constexpr std::uint64_t kCost = 0x9e3779b97f4a7c15;  // a cost is another event than its usage
  see_format(record.format);
  const std::uint64_t event = SeenEvents::event_of(last_format_hash_ ^ kCost, record.source_id);
  seen_.expect(event);
  return event;
}

bool Tally::usage(const domain::UsageRecord& record, std::uint64_t event, bool& repeated) {
  Share share;
  share.model = model_of(record);
  share.requests = record.requests.value_or(0);
  share.web_searches = record.web_searches;
  share.usage = record.usage;
  if (record.reported_cost) {
    share.cost_kind = record.cost_kind;
    share.cost_micro_usd = record.reported_cost->value;
  }
  see_format(record.format);
  SeenEvents::Answer answer;
  if (!record.source_id.empty()) answer = seen_.add(event, share);
  ++*last_format_count_;
  summary_.repeats_may_count = seen_.overflowed();
  repeated = answer.verdict != SeenEvents::Verdict::New;
  if (repeated) ++summary_.repeated;
  if (answer.verdict == SeenEvents::Verdict::Repeated) return false;
  if (answer.verdict == SeenEvents::Verdict::Larger) {
    ++summary_.replaced;
    subtract(answer.before);
  }
  add(share);
  summary_.records = summary_.total.records;
  const std::int64_t last = std::max(record.start_unix_ns, record.end_unix_ns);
  if (summary_.first_unix_ns == 0 || record.start_unix_ns < summary_.first_unix_ns) {
    summary_.first_unix_ns = record.start_unix_ns;
  }
  summary_.last_unix_ns = std::max(summary_.last_unix_ns, last);
  return true;
}

bool Tally::cost(const domain::CostRecord& record, std::uint64_t event, bool& repeated) {
  Share share;
  share.cost_micro_usd = record.billed.value;
  see_format(record.format);
  SeenEvents::Answer answer;
  if (!record.source_id.empty()) answer = seen_.add(event, share);
  ++*last_format_count_;
  repeated = answer.verdict != SeenEvents::Verdict::New;
  if (answer.verdict == SeenEvents::Verdict::Repeated) return false;
  if (repeated) {
    summary_.billed_micro_usd =
        saturating_add(summary_.billed_micro_usd, negated(answer.before.cost_micro_usd));
  } else {
    ++summary_.costs;
  }
  summary_.billed_micro_usd = saturating_add(summary_.billed_micro_usd, record.billed.value);
  return true;
}

void Tally::skip(std::string file, std::uint64_t line, std::string why) {
  ++summary_.skips_total;
  const bool full = summary_.skip_reasons.size() >= kReasonsMax;
  if (full && !summary_.skip_reasons.contains(why)) {
    ++summary_.skip_reasons["other reasons"];
  } else {
    ++summary_.skip_reasons[why];
  }
  if (summary_.skips.size() < kSkipsMax) {
    summary_.skips.push_back({std::move(file), line, std::move(why)});
  }
}

}  // namespace fh::importers
