// LiteLLM's spend tables. CSV and JSON rows are brought into one list of texts first; what a row
// means is decided once, below that.

#include "importers/litellm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "importers/csv_table.h"
#include "importers/elements.h"
#include "importers/names.h"

namespace fh::importers {
namespace {

using codec::json::Document;
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

std::uint64_t larger(std::uint64_t known, const Value& value) {
  const auto count = count_of(value);
  return count && *count <= kCountMax ? std::max(known, *count) : known;
}

// The object comes in the OpenAI and in the Anthropic form, often in both at once.
void read_usage_object(const Value& usage, Details& out) {
  const Value prompt = usage["prompt_tokens_details"];
  const Value input = usage["input_tokens_details"];
  out.cache_read = larger(out.cache_read, usage["cache_read_input_tokens"]);
  out.cache_read = larger(out.cache_read, prompt["cached_tokens"]);
  out.cache_read = larger(out.cache_read, input["cached_tokens"]);
  out.cache_write = larger(out.cache_write, usage["cache_creation_input_tokens"]);
  out.cache_write = larger(out.cache_write, prompt["cache_creation_tokens"]);
  for (const Value& split : {usage["cache_creation"], prompt["cache_creation_token_details"]}) {
    out.cache_write_1h = larger(out.cache_write_1h, split["ephemeral_1h_input_tokens"]);
  }
  out.reasoning = larger(out.reasoning, usage["completion_tokens_details"]["reasoning_tokens"]);
  out.reasoning = larger(out.reasoning, usage["output_tokens_details"]["reasoning_tokens"]);
  for (const std::string_view key : {"service_tier", "speed"}) {
    if (out.tier.empty() || out.tier == "standard") out.tier = text_of(usage, key);
  }
}

Details read_metadata(std::string_view text) {
  Details out;
  if (text.empty() || text.front() != '{') return out;
  const auto document = Document::parse(text);
  if (!document) return out;  // some exports cut long cells: the totals are still good
  for (const std::string_view key : {"usage_object", "usage", "additional_usage_values"}) {
    const Value usage = document->root()[key];
    if (usage.is_object()) read_usage_object(usage, out);
  }
  return out;
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
  const auto document = Document::parse(text);
  if (!document) return {};
  std::string out;
  for (const Value& tag : document->root().elements()) {
    const auto word = tag.as_string();
    // LiteLLM adds the client's program as a tag of its own.
    if (!word || word->starts_with("User-Agent:")) continue;
    if (!out.empty()) out += ',';
    out += *word;
    if (out.size() > kNameBytesMax) break;
  }
  return name_of(out);
}

void set_spend(SpendRow& row, domain::UsageRecord& record) {
  if (row.text(kSpend).empty()) return;
  record.reported_cost = parse_usd(row.text(kSpend));
  record.cost_kind = domain::CostKind::Estimate;
  if (!record.reported_cost) row.fail("spend is not an amount of money");
}

void set_names(const SpendRow& row, domain::UsageRecord& record) {
  record.format = litellm_format().name;
  record.line = row.line;
  record.provider = row.name(kProvider);
  record.model = row.name(kModel).empty() ? row.name(kModelGroup) : row.name(kModel);
  record.key = row.name(kApiKey);
  record.user = row.name(kUser).empty() ? row.name(kEndUser) : row.name(kUser);
  record.workspace = row.name(kTeam).empty() ? row.name(kOrganization) : row.name(kTeam);
  record.application = row.name(kAgent);
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

void take_request(SpendRow& row, Sink& sink) {
  domain::UsageRecord record;
  set_names(row, record);
  set_times(row, record);
  set_spend(row, record);
  const std::uint64_t prompt = row.count(kPromptTokens, "prompt_tokens");
  const std::uint64_t completion = row.count(kCompletionTokens, "completion_tokens");
  record.source_id = row.name(kRequestId);
  if (record.source_id.empty()) row.fail("the row has no request_id");
  if (lowered(row.text(kCacheHit)) == "true") {
    row.fail("answered from LiteLLM's response cache: no model was used");
  }
  if (prompt + completion == 0) {
    row.fail(lowered(row.text(kStatus)) == "failure" ? "a failed request without tokens"
                                                     : "the row has no token counts");
  }
  if (!row.why.empty()) return sink.skip(row.line, std::move(row.why));
  const Details details = read_metadata(row.text(kMetadata));
  record.usage = usage_of(prompt, completion, details);
  record.tier = parse_tier(details.tier).value_or(domain::ServiceTier::Standard);
  record.requests = 1;
  record.session = row.name(kSession);
  record.workload = joined_tags(row.text(kTags));
  sink.usage(std::move(record));
}

void take_day(SpendRow& row, Sink& sink) {
  domain::UsageRecord record;
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
  if (!row.why.empty()) return sink.skip(row.line, std::move(row.why));
  if (record.usage.total() == 0) {
    return sink.skip(row.line, "the row has no token counts");
  }
  record.source_id = row.name(kRowId);
  if (record.source_id.empty()) {
    const std::string parts[] = {
        row.name(kDate),         row.name(kUser),       row.name(kEndUser),  row.name(kTeam),
        row.name(kOrganization), row.name(kTag),        row.name(kAgent),    row.name(kApiKey),
        row.name(kModel),        row.name(kModelGroup), row.name(kProvider), row.name(kEndpoint)};
    record.source_id = identity_of(parts);
  }
  sink.usage(std::move(record));
}

void take_spend(SpendRow& row, Sink& sink) {
  return row.text(kRequestId).empty() && !row.text(kDate).empty() ? take_day(row, sink)
                                                                  : take_request(row, sink);
}

bool is_logs(const CsvHeader& header) {
  return header.has_all({"request_id", "call_type", "starttime", "prompt_tokens"});
}

bool is_days(const CsvHeader& header) {
  return header.has_all({"date", "model", "prompt_tokens", "completion_tokens", "api_requests"});
}

class CsvSpend final : public CsvImporter {
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
  void row(Cells& cells, Sink& sink) override {
    SpendRow row;
    row.line = cells.line();
    for (std::size_t i = 0; i < kFieldCount; ++i) row.texts[i] = cells.text(columns_[i]);
    take_spend(row, sink);
  }

 private:
  std::array<Column, kFieldCount> columns_{};
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
    take_spend(row, sink);
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
  return std::make_unique<CsvSpend>();
}

}  // namespace

const Format& litellm_format() {
  static constexpr Format kFormat{"litellm", "LiteLLM spend tables", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
