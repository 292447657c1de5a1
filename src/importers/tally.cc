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

std::int64_t negated(std::int64_t value) {
  return value == INT64_MIN ? INT64_MAX : -value;
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
  summary_.total.add(share);
  models_[share.model]->add(share);
}

void Tally::subtract(const Share& share) {
  summary_.total.subtract(share);
  models_[share.model]->subtract(share);
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
  Share share = share_of(record);
  share.model = model_of(record);
  groupings_.see(record);
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
  if (record.granularity != domain::Granularity::Request) {
    nesting_.see(record, share,
                 answer.verdict == SeenEvents::Verdict::Larger ? &answer.before : nullptr);
  }
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
  nesting_.see(record, repeated ? &answer.before : nullptr);
  return true;
}

std::string_view Tally::end_file(std::string_view format) {
  if (groupings_.end_file(format) == 0) return {};
  return "another file tells of the same days by other names: where both tell the same usage, it "
         "counts twice";
}

void Tally::settle() {
  nesting_.settle();
  for (const Nesting::Left& left : nesting_.left_out()) {
    summary_.nested += left.totals.records;
    summary_.total.subtract(left.totals);
    models_[left.model]->subtract(left.totals);
  }
  summary_.records = summary_.total.records;
  for (const Nesting::Left& left : nesting_.left_out_costs()) {
    summary_.nested_costs += left.totals.records;
    summary_.costs -= std::min(summary_.costs, left.totals.records);
    for (const std::int64_t sum : left.totals.reported_micro_usd) {
      summary_.billed_micro_usd = saturating_add(summary_.billed_micro_usd, negated(sum));
    }
  }
  summary_.parts_may_count = nesting_.partly() || nesting_.overflowed();
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
