// Usage rows of Anthropic's endpoints. The requests are counted by the analytics endpoints only;
// the messages report has none, so that its load shape must be read from buckets of a minute.

#include "importers/anthropic_usage.h"

#include "importers/anthropic_report.h"
#include "importers/names.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace anthropic {
namespace {

constexpr std::string_view kName = "anthropic-usage";
constexpr std::string_view kNotIdentity[] = {"data_refreshed_at", "starting_at", "ending_at",
                                             "date"};

// "0-200k", "200k-1m": the lower end of the band of prompt lengths.
std::optional<std::uint64_t> band_start(std::string_view band) {
  const std::size_t dash = band.find('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  std::string_view low = band.substr(0, dash);
  std::uint64_t unit = 1;
  if (low.back() == 'k' || low.back() == 'K') unit = 1'000;
  if (low.back() == 'm' || low.back() == 'M') unit = 1'000'000;
  if (unit != 1) low.remove_suffix(1);
  const auto count = parse_count(low);
  if (!count || *count > kCountMax / unit) return std::nullopt;
  return *count * unit;
}

domain::ServiceTier tier_of(codec::json::Value row) {
  if (text_of(row, "speed") == "fast") return domain::ServiceTier::Fast;
  return parse_tier(text_of(row, "service_tier")).value_or(domain::ServiceTier::Standard);
}

void read_names(codec::json::Value row, domain::UsageRecord& record) {
  record.model = text_of(row, "model");
  record.region = text_of(row, "inference_geo");
  if (record.region == "not_available") record.region.clear();
  record.workspace = text_of(row, "workspace_id");
  record.key = text_of(row, "api_key_id");
  record.user = text_of_any(
      row, {"user_email", "email_address", "user_id", "account_id", "service_account_id"});
  const codec::json::Value actor = row["actor"];
  if (record.user.empty()) record.user = text_of_any(actor, {"email_address", "user_id", "id"});
  if (record.key.empty()) record.key = text_of(actor, "api_key_name");
  record.application = text_of(row, "product");
}

}  // namespace

void read_usage(codec::json::Value row, const Bucket& bucket, std::uint64_t line, Sink& sink) {
  bool bad = false;
  domain::UsageRecord record;
  domain::Usage& usage = record.usage;
  usage.input_uncached = count_field(
      row, row["uncached_input_tokens"].exists() ? "uncached_input_tokens" : "input_tokens", bad);
  usage.cache_read = count_field(row, "cache_read_input_tokens", bad);
  bad = !read_cache_writes(row, usage) || bad;
  usage.output = count_field(row, "output_tokens", bad);
  record.web_searches = count_field(row["server_tool_use"], "web_search_requests", bad);
  for (const std::string_view name : {"requests", "request_count", "num_requests"}) {
    if (row[name].is_number()) record.requests = count_field(row, name, bad);
  }
  if (bad) {
    sink.skip(line, "a token count that is no count");
    return;
  }
  record.format = kName;
  record.provider = "anthropic";
  record.start_unix_ns = bucket.start_unix_ns;
  record.end_unix_ns = bucket.end_unix_ns;
  record.granularity = bucket.granularity;
  record.tier = tier_of(row);
  read_names(row, record);
  if (const auto band = band_start(text_of(row, "context_window"))) {
    record.prompt_over = *band;
    record.prompt_band_known = true;
  }
  record.line = line;
  record.source_id = bucket_identity(
      row, std::to_string(bucket.start_unix_ns) + '-' + std::to_string(bucket.end_unix_ns),
      kNotIdentity);
  if (usage.total() == 0 && record.web_searches == 0 && record.requests.value_or(0) == 0) return;
  sink.usage(std::move(record));
}

}  // namespace anthropic

namespace {

int recognise(const FileHint& hint) {
  const std::string_view head = hint.head;
  if (contains(head, "\"model_breakdown\"")) return 0;
  const bool cache = contains(head, "\"cache_read_input_tokens\"");
  if (contains(head, "\"uncached_input_tokens\"") && cache) return 95;
  const bool bucket = contains(head, "\"starting_at\"") && contains(head, "\"ending_at\"");
  if (bucket && cache) return 90;
  // A report that begins with days without use.
  if (bucket && contains(head, "\"results\"") && !contains(head, "\"amount\"")) return 50;
  return 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint&, const Options&) {
  return std::make_unique<anthropic::ReportImporter>();
}

}  // namespace

const Format& anthropic_usage_format() {
  static constexpr Format kFormat{anthropic::kName, "Anthropic usage report", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
