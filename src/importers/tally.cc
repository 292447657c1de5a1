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

TallyKey Tally::key_of(std::uint64_t kind, const std::string& source_id, const RowKey& row) const {
  TallyKey key;
  key.of_format = last_format_count_;
  if (row.which != 0) {
    key.kind = TallyKey::Kind::Row;
    key.event = SeenEvents::event_of(kind, row);
  } else if (!source_id.empty()) {
    key.kind = TallyKey::Kind::Named;
    key.event = SeenEvents::event_of(kind, source_id);
  }
  seen_.expect(key.event);
  return key;
}

TallyKey Tally::expect(const domain::UsageRecord& record, const RowKey& row) {
  see_format(record.format);
  return key_of(last_format_hash_, record.source_id, row);
}

TallyKey Tally::expect(const domain::CostRecord& record, const RowKey& row) {
  constexpr std::uint64_t kCost = 0x9e3779b97f4a7c15;  // a cost is another event than its usage
  see_format(record.format);
  return key_of(last_format_hash_ ^ kCost, record.source_id, row);
}

SeenEvents::Answer Tally::look_up(const TallyKey& key, const Share& share) {
  if (key.kind == TallyKey::Kind::None) return {};
  const bool once = key.kind == TallyKey::Kind::Row && last_file_;
  return once ? seen_.look(key.event, share) : seen_.add(key.event, share);
}

bool Tally::usage(const domain::UsageRecord& record, const TallyKey& key, bool& repeated) {
  Share share = share_of(record);
  share.model = model_of(record);
  const bool bucket = record.granularity != domain::Granularity::Request;
  if (bucket) groupings_.see(record);
  const SeenEvents::Answer answer = look_up(key, share);
  ++*key.of_format;
  summary_.repeats_may_count = seen_.overflowed();
  repeated = answer.verdict != SeenEvents::Verdict::New;
  if (repeated) ++summary_.repeated;
  if (answer.verdict == SeenEvents::Verdict::Repeated) return false;
  if (answer.verdict == SeenEvents::Verdict::Larger) {
    ++summary_.replaced;
    models_[answer.before.model]->subtract(answer.before);
  } else {
    ++summary_.records;
  }
  models_[share.model]->add(share);
  if (bucket) {
    nesting_.see(record, share,
                 answer.verdict == SeenEvents::Verdict::Larger ? &answer.before : nullptr);
  }
  const std::int64_t last = std::max(record.start_unix_ns, record.end_unix_ns);
  if (summary_.first_unix_ns == 0 || record.start_unix_ns < summary_.first_unix_ns) {
    summary_.first_unix_ns = record.start_unix_ns;
  }
  summary_.last_unix_ns = std::max(summary_.last_unix_ns, last);
  return true;
}

bool Tally::cost(const domain::CostRecord& record, const TallyKey& key, bool& repeated) {
  Share share;
  share.cost_micro_usd = record.billed.value;
  const SeenEvents::Answer answer = look_up(key, share);
  ++*key.of_format;
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
    models_[left.model]->subtract(left.totals);
  }
  for (const Totals* const model : models_) summary_.total.add(*model);
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
