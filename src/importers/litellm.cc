// LiteLLM's spend tables. CSV and JSON rows are brought into one list of texts first; what a row
// means is decided once, below that.

#include "importers/litellm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "codec/json_scan.h"
#include "importers/csv_table.h"
#include "importers/elements.h"
#include "importers/names.h"
#include "importers/nesting.h"

namespace fh::importers {
namespace {

using codec::json::Value;

enum Field : std::uint8_t {
  kRequestId,
  kCallType,
  kApiKey,
  kSpend,
  kPromptTokens,
  kCompletionTokens,
  kStart,
  kEnd,
  kDurationMs,
  kFirstToken,
  kModel,
  kModelGroup,
  kProvider,
  kUser,
  kMetadata,
  kCacheHit,
  kTags,
  kTeam,
  kOrganization,
  kEndUser,
  kSession,
  kStatus,
  kAgent,
  kDate,
  kRowId,
  kEndpoint,
  kCacheRead,
  kCacheWrite,
  kRequests,
  kTag,
  kFieldCount,
};

struct FieldName {
  Field field;
  std::string_view json;    // as in schema.prisma
  std::string_view column;  // its column_key
};

constexpr FieldName kNames[] = {
    {kRequestId, "request_id", "request_id"},
    {kCallType, "call_type", "call_type"},
    {kApiKey, "api_key", "api_key"},
    {kSpend, "spend", "spend"},
    {kPromptTokens, "prompt_tokens", "prompt_tokens"},
    {kCompletionTokens, "completion_tokens", "completion_tokens"},
    {kStart, "startTime", "starttime"},
    {kEnd, "endTime", "endtime"},
    {kDurationMs, "request_duration_ms", "request_duration_ms"},
    {kFirstToken, "completionStartTime", "completionstarttime"},
    {kModel, "model", "model"},
    {kModelGroup, "model_group", "model_group"},
    {kProvider, "custom_llm_provider", "custom_llm_provider"},
    {kUser, "user", "user"},
    {kUser, "user_id", "user_id"},
    {kMetadata, "metadata", "metadata"},
    {kCacheHit, "cache_hit", "cache_hit"},
    {kTags, "request_tags", "request_tags"},
    {kTeam, "team_id", "team_id"},
    {kOrganization, "organization_id", "organization_id"},
    {kEndUser, "end_user", "end_user"},
    {kEndUser, "end_user_id", "end_user_id"},
    {kSession, "session_id", "session_id"},
    {kStatus, "status", "status"},
    {kAgent, "agent_id", "agent_id"},
    {kDate, "date", "date"},
    {kRowId, "id", "id"},
    {kEndpoint, "endpoint", "endpoint"},
    {kCacheRead, "cache_read_input_tokens", "cache_read_input_tokens"},
    {kCacheWrite, "cache_creation_input_tokens", "cache_creation_input_tokens"},
    {kRequests, "api_requests", "api_requests"},
    {kTag, "tag", "tag"},
};

constexpr std::size_t kKeyBytesMin = 20;
constexpr Field kCounts[] = {kPromptTokens, kCompletionTokens, kCacheRead, kCacheWrite, kRequests};
constexpr std::array kNumbers = {kSpend,     kDurationMs, kPromptTokens, kCompletionTokens,
                                 kCacheRead, kCacheWrite, kRequests};

// One row's texts; JSON arrays and objects as their source text. Empty: not there.
struct SpendRow {
  std::array<std::string_view, kFieldCount> texts{};
  std::uint64_t line = 0;
  std::string why;  // the first mistake
  std::string_view text(Field field) const { return texts[field]; }
  std::string name(Field field) const { return name_of(texts[field]); }
  void fail(std::string reason) {
    if (why.empty()) why = std::move(reason);
  }
  std::uint64_t count(Field field, std::string_view called) {
    if (text(field).empty()) return 0;
    const auto value = parse_count(text(field));
    if (value && *value <= kCountMax) return *value;
    fail(fmt::format("{} is not a believable count", called));
    return 0;
  }
  std::optional<std::int64_t> time(Field field, std::string_view called) {
    if (text(field).empty()) return std::nullopt;
    const auto value = parse_time_ns(text(field));
    if (!value) fail(fmt::format("{} is not a time", called));
    return value;
  }
};

// What the provider's usage object says beyond the two totals.
struct Details {
  std::uint64_t cache_read = 0, cache_write = 0, cache_write_1h = 0, reasoning = 0;
  std::string tier;
};

using codec::json::Scanner;

// The value at hand if it is a larger count.
void take_larger(Scanner& scan, std::uint64_t& known) {
  std::string_view raw = scan.value();
  if (raw.size() > 2 && raw.front() == '"') raw = raw.substr(1, raw.size() - 2);
  const auto count = parse_count(raw);
  if (count && *count <= kCountMax) known = std::max(known, *count);
}

// The members of the object at hand, each taken by `member`; another value is passed over.
template <typename Fn>  // bool(std::string_view key): whether it took the value
void each_member(Scanner& scan, Fn&& member) {
  if (!scan.open_object()) {
    scan.value();
    return;
  }
  std::string_view key;
  while (scan.next_key(key)) {
    if (!member(key)) scan.value();
  }
}

void read_token_details(Scanner& scan, Details& out) {
  each_member(scan, [&](std::string_view key) {
    if (key == "cached_tokens") {
      take_larger(scan, out.cache_read);
    } else if (key == "cache_creation_tokens") {
      take_larger(scan, out.cache_write);
    } else if (key == "reasoning_tokens") {
      take_larger(scan, out.reasoning);
    } else if (key == "cache_creation_token_details") {
      each_member(scan, [&](std::string_view lifetime) {
        if (lifetime != "ephemeral_1h_input_tokens") return false;
        take_larger(scan, out.cache_write_1h);
        return true;
      });
    } else {
      return false;
    }
    return true;
  });
}

// The object comes in the OpenAI and in the Anthropic form, often in both at once.
void read_usage_object(Scanner& scan, Details& out) {
  std::string_view tier, speed;
  each_member(scan, [&](std::string_view key) {
    if (key == "cache_read_input_tokens") {
      take_larger(scan, out.cache_read);
    } else if (key == "cache_creation_input_tokens") {
      take_larger(scan, out.cache_write);
    } else if (key == "prompt_tokens_details" || key == "input_tokens_details" ||
               key == "completion_tokens_details" || key == "output_tokens_details") {
      read_token_details(scan, out);
    } else if (key == "cache_creation") {
      each_member(scan, [&](std::string_view lifetime) {
        if (lifetime != "ephemeral_1h_input_tokens") return false;
        take_larger(scan, out.cache_write_1h);
        return true;
      });
    } else if (key == "service_tier") {
      tier = scan.value();
    } else if (key == "speed") {
      speed = scan.value();
    } else {
      return false;
    }
    return true;
  });
  for (const std::string_view raw : {tier, speed}) {
    if (!out.tier.empty() && out.tier != "standard") break;
    if (!raw.empty()) out.tier = codec::json::string_of(raw).value_or("");
  }
}

// Of JSON that is cut (some exports shorten long cells) nothing is believed: the totals beside it
// are still good.
Details read_metadata(std::string_view text) {
  Details out;
  Scanner scan(text);
  if (scan.peek() != '{') return out;
  each_member(scan, [&](std::string_view key) {
    const bool usage = key == "usage_object" || key == "usage" || key == "additional_usage_values";
    if (usage) read_usage_object(scan, out);
    return usage;
  });
  return scan.ok() && scan.at_end() ? out : Details{};
}

// LiteLLM counts cached tokens inside the prompt. Versions that took Anthropic's numbers unchanged
// had them beside it, which shows when they exceed the prompt.
domain::Usage usage_of(std::uint64_t prompt, std::uint64_t completion, const Details& details) {
  domain::Usage usage;
  const std::uint64_t cached = details.cache_read + details.cache_write;
  usage.input_uncached = cached <= prompt ? prompt - cached : prompt;
  usage.cache_read = details.cache_read;
  usage.cache_write_1h = std::min(details.cache_write_1h, details.cache_write);
  usage.cache_write_5m = details.cache_write - usage.cache_write_1h;
  usage.output = completion;
  usage.reasoning = std::min(details.reasoning, completion);
  return usage;
}

// ["prod","batch-job"] as "prod,batch-job".
std::string joined_tags(std::string_view text) {
  if (text.empty() || text.front() != '[') return name_of(text);
  std::string out;
  Scanner scan(text);
  scan.open_array();
  while (scan.next_element()) {
    const auto word = codec::json::string_of(scan.value());
    // LiteLLM adds the client's program as a tag of its own.
    if (!word || word->starts_with("User-Agent:") || out.size() > kNameBytesMax) continue;
    if (!out.empty()) out += ',';
    out += *word;
  }
  return scan.ok() && scan.at_end() ? name_of(out) : std::string();
}

void set_spend(SpendRow& row, domain::UsageRecord& record) {
  if (row.text(kSpend).empty()) return;
  record.reported_cost = parse_usd(row.text(kSpend));
  record.cost_kind = domain::CostKind::Estimate;
  if (!record.reported_cost) row.fail("spend is not an amount of money");
}

void set_names(const SpendRow& row, domain::UsageRecord& record) {
  const auto either = [&](Field first, Field second) {
    return row.text(first).empty() ? row.text(second) : row.text(first);
  };
  name_to(litellm_format().name, record.format);
  record.line = row.line;
  name_to(row.text(kProvider), record.provider);
  name_to(either(kModel, kModelGroup), record.model);
  // A hash, or the name of one of LiteLLM's own; never the key, if all is well.
  const std::string_view key = row.text(kApiKey);
  key.size() < kKeyBytesMin ? name_to(key, record.key) : secret_to(key, record.key);
  name_to(either(kUser, kEndUser), record.user);
  name_to(either(kTeam, kOrganization), record.workspace);
  name_to(row.text(kAgent), record.application);
}

void set_times(SpendRow& row, domain::UsageRecord& record) {
  const auto start = row.time(kStart, "startTime");
  const auto end = row.time(kEnd, "endTime");
  const auto first = row.time(kFirstToken, "completionStartTime");
  if (!start) return row.fail("the row has no startTime");
  record.start_unix_ns = record.end_unix_ns = *start;
  if (end && *end >= *start) {
    record.end_unix_ns = *end;
    record.duration_ns = *end - *start;
  } else if (!row.text(kDurationMs).empty()) {
    record.duration_ns = parse_ms_ns(row.text(kDurationMs));
    if (record.duration_ns) record.end_unix_ns += std::min(*record.duration_ns, kDayNs);
  }
  // An answer that was not streamed has its end for its first token: that is no TTFT.
  if (first && *first > *start && *first < record.end_unix_ns) record.ttft_ns = *first - *start;
}

// What is wrong is in row.why.
void read_request(SpendRow& row, domain::UsageRecord& record) {
  set_names(row, record);
  set_times(row, record);
  set_spend(row, record);
  const std::uint64_t prompt = row.count(kPromptTokens, "prompt_tokens");
  const std::uint64_t completion = row.count(kCompletionTokens, "completion_tokens");
  name_to(row.text(kRequestId), record.source_id);
  if (record.source_id.empty()) row.fail("the row has no request_id");
  if (lowered(row.text(kCacheHit)) == "true") {
    row.fail("answered from LiteLLM's response cache: no model was used");
  }
  if (prompt + completion == 0) {
    row.fail(lowered(row.text(kStatus)) == "failure" ? "a failed request without tokens"
                                                     : "the row has no token counts");
  }
  if (!row.why.empty()) return;
  const Details details = read_metadata(row.text(kMetadata));
  record.usage = usage_of(prompt, completion, details);
  record.tier = parse_tier(details.tier).value_or(domain::ServiceTier::Standard);
  record.requests = 1;
  name_to(row.text(kSession), record.session);
  record.workload = joined_tags(row.text(kTags));
}

void read_day(SpendRow& row, domain::UsageRecord& record) {
  set_names(row, record);
  set_spend(row, record);
  record.granularity = domain::Granularity::Day;
  const auto day = row.time(kDate, "date");
  if (!day) row.fail("the row has no date");
  const std::int64_t at = day.value_or(0);
  record.start_unix_ns = at - at % kDayNs;
  record.end_unix_ns = record.start_unix_ns + kDayNs;
  Details details;
  details.cache_read = row.count(kCacheRead, "cache_read_input_tokens");
  details.cache_write = row.count(kCacheWrite, "cache_creation_input_tokens");
  const std::uint64_t prompt = row.count(kPromptTokens, "prompt_tokens");
  record.usage = usage_of(prompt, row.count(kCompletionTokens, "completion_tokens"), details);
  record.workload = row.name(kTag);
  if (!row.text(kRequests).empty()) record.requests = row.count(kRequests, "api_requests");
  if (record.usage.total() == 0) row.fail("the row has no token counts");
  if (!row.why.empty()) return;
  // Each table tells the whole use by names of one kind. Those of two kinds that share a field are
  // kept apart, see nesting.h.
  if (row.text(kUser).empty() && !row.text(kEndUser).empty()) {
    record.user = name_of(std::string(kEndUserName) + std::string(row.text(kEndUser)));
  }
  if (row.text(kTeam).empty() && !row.text(kOrganization).empty()) {
    record.workspace =
        name_of(std::string(kOrganizationName) + std::string(row.text(kOrganization)));
  }
  record.session.clear();
  record.source_id = row.name(kRowId);
  if (record.source_id.empty()) {
    const std::string parts[] = {
        row.name(kDate),         row.name(kUser),       row.name(kEndUser),  row.name(kTeam),
        row.name(kOrganization), row.name(kTag),        row.name(kAgent),    row.name(kApiKey),
        row.name(kModel),        row.name(kModelGroup), row.name(kProvider), row.name(kEndpoint)};
    record.source_id = identity_of(parts);
  }
}

void read_spend(SpendRow& row, domain::UsageRecord& record) {
  if (row.text(kRequestId).empty() && !row.text(kDate).empty()) {
    read_day(row, record);
  } else {
    read_request(row, record);
  }
}

bool is_logs(const CsvHeader& header) {
  return header.has_all({"request_id", "call_type", "starttime", "prompt_tokens"});
}

bool is_days(const CsvHeader& header) {
  return header.has_all({"date", "model", "prompt_tokens", "completion_tokens", "api_requests"});
}

class CsvSpend final : public CsvImporter {
 public:
  using CsvImporter::CsvImporter;

 protected:
  base::Status header(const CsvHeader& header) override {
    if (!is_logs(header) && !is_days(header)) {
      return base::fail(base::Code::InvalidArgument, "columns of a LiteLLM table are missing");
    }
    for (const FieldName& name : kNames) {
      const Column column = header.find({name.column});
      if (column && !columns_[name.field]) columns_[name.field] = column;
    }
    return {};
  }
  // Times are as the database writes them.
  HabitColumns habit_columns() const override {
    HabitColumns out{{columns_[kSpend].index, columns_[kDurationMs].index}, {}, {}};
    for (const Field field : kCounts) out.counts.push_back(columns_[field].index);
    return out;
  }
  void row(Cells& cells, Sink& sink) override {
    SpendRow row;
    row.line = cells.line();
    for (std::size_t i = 0; i < kFieldCount; ++i) row.texts[i] = cells.text(columns_[i]);
    for (std::size_t i = 0; i < kNumbers.size(); ++i) {
      const std::string_view text = cells.number(columns_[kNumbers[i]]);
      numbers_[i].assign(text);
      row.texts[kNumbers[i]] = numbers_[i];
    }
    if (!cells.ok()) return;
    read_spend(row, next_usage());
    if (!row.why.empty()) return cells.fail(std::move(row.why));
    emit(sink, Give::Usage);
  }

 private:
  std::array<Column, kFieldCount> columns_{};
  std::array<std::string, kNumbers.size()> numbers_;  // with a decimal point
};

constexpr std::string_view kListKeys[] = {"data"};

class JsonSpend final : public ElementImporter {
 public:
  JsonSpend() : ElementImporter(kListKeys) {}

 protected:
  void row(Value value, const Element& element, Sink& sink) override {
    SpendRow row;
    row.line = element.line;
    for (const auto& [key, member] : value.members()) {
      const auto* name = std::find_if(std::begin(kNames), std::end(kNames),
                                      [&](const FieldName& n) { return n.json == key; });
      if (name == std::end(kNames) || member.is_null()) continue;
      row.texts[name->field] = member.is_string() ? *member.as_string() : member.raw();
    }
    domain::UsageRecord record;
    read_spend(row, record);
    if (!row.why.empty()) return sink.skip(row.line, std::move(row.why));
    sink.usage(std::move(record));
  }
};

bool is_json(std::string_view head) {
  const std::string_view start = trimmed(head);
  return !start.empty() && (start.front() == '{' || start.front() == '[');
}

bool is_json_spend(std::string_view head) {
  if (!is_json(head)) return false;
  const bool logs = contains(head, "\"request_id\"") && contains(head, "\"call_type\"") &&
                    contains(head, "\"startTime\"");
  const bool days = contains(head, "\"api_requests\"") && contains(head, "\"prompt_tokens\"") &&
                    contains(head, "\"date\"");
  return logs || days;
}

int recognise(const FileHint& hint) {
  if (is_json(hint.head)) return is_json_spend(hint.head) ? 90 : 0;
  const CsvHeader header = header_of(hint.head);
  if (is_logs(header)) return 97;
  return is_days(header) ? 95 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint& hint, const Options& /*options*/) {
  if (is_json(hint.head)) return std::make_unique<JsonSpend>();
  return std::make_unique<CsvSpend>(hint.head);
}

}  // namespace

const Format& litellm_format() {
  static constexpr Format kFormat{"litellm", "LiteLLM spend tables", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
