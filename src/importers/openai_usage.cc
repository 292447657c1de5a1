// OpenAI organization usage (GET /v1/organization/usage/...; members as in the public client
// library of 2026-08). input_tokens INCLUDES cached tokens and cache writes: they are taken out.
// Members that a grouping or an older answer lacks are absent or null.
//
// Audio tokens have prices of their own and no place in the record. Answers that split the totals
// by kind of token have them inside: they are taken out. Older answers count text alone, and audio
// beside it. Either way the row says that they were left out.

#include "importers/openai_usage.h"

#include "importers/names.h"
#include "importers/numbers.h"
#include "importers/openai_report.h"

namespace fh::importers {
namespace openai {
namespace {

using codec::json::Value;

constexpr std::string_view kName = "openai-usage";

bool is_told(Value object, std::string_view key) {
  return object[key].exists() && !object[key].is_null();
}

// Splits input_tokens into disjoint classes; what is wrong with them, or nullptr. `audio` is set
// when some were left out.
const char* read_tokens(Value result, domain::Usage& usage, bool& audio) {
  bool bad = false;
  const std::uint64_t input = count_field(result, "input_tokens", bad);
  const std::uint64_t cached = count_field(result, "input_cached_tokens", bad);
  const std::uint64_t written = count_field(result, "input_cache_write_tokens", bad);
  const std::uint64_t audio_input = count_field(result, "input_audio_tokens", bad);
  const std::uint64_t audio_cached = count_field(result, "input_cached_audio_tokens", bad);
  const std::uint64_t audio_output = count_field(result, "output_audio_tokens", bad);
  usage.output = count_field(result, "output_tokens", bad);
  if (bad) return "a token count that is no count";
  if (cached + written > input) return "more cached tokens than input tokens";
  usage.input_uncached = input - cached - written;
  usage.cache_read = cached;
  usage.cache_write_30m = written;  // the one lifetime that this provider has a price for
  audio = audio_input + audio_cached + audio_output != 0;
  const bool inside = is_told(result, "input_text_tokens") ||
                      is_told(result, "input_uncached_tokens") ||
                      is_told(result, "output_text_tokens");
  if (!audio || !inside) return nullptr;
  if (audio_input > usage.input_uncached || audio_cached > usage.cache_read ||
      audio_output > usage.output) {
    return "more audio tokens than tokens";
  }
  usage.input_uncached -= audio_input;
  usage.cache_read -= audio_cached;
  usage.output -= audio_output;
  return nullptr;
}

domain::ServiceTier tier_of(Value result) {
  if (result["batch"].as_bool().value_or(false)) return domain::ServiceTier::Batch;
  return parse_tier(text_of(result, "service_tier")).value_or(domain::ServiceTier::Standard);
}

}  // namespace

void read_usage(Value result, const Bucket& bucket, Sink& sink) {
  const std::string object = text_of(result, "object");
  const bool searches = object == "organization.usage.web_searches.result" ||
                        object == "organization.usage.web_search_calls.result";
  if (!searches && !result["input_tokens"].exists() && !result["output_tokens"].exists()) {
    sink.skip(bucket.line, "a result without tokens (images, sound, storage or sessions)");
    return;
  }
  domain::UsageRecord record;
  bool audio = false;
  if (const char* why = read_tokens(result, record.usage, audio)) {
    sink.skip(bucket.line, why);
    return;
  }
  if (audio) sink.skip(bucket.line, "audio tokens are not counted: the row's others are kept");
  bool bad = false;
  const std::uint64_t requests = count_field(result, "num_model_requests", bad);
  if (searches) record.web_searches = count_field(result, "num_requests", bad);
  if (bad) {
    sink.skip(bucket.line, "a number of requests that is no count");
    return;
  }
  if (result["num_model_requests"].is_number()) record.requests = requests;
  record.format = kName;
  record.provider = "openai";
  record.model = text_of(result, "model");
  record.start_unix_ns = bucket.start_unix_ns;
  record.end_unix_ns = bucket.end_unix_ns;
  record.granularity = granularity_of(bucket.end_unix_ns - bucket.start_unix_ns);
  record.tier = tier_of(result);
  record.workspace = text_of(result, "project_id");
  record.key = text_of(result, "api_key_id");
  record.user = text_of(result, "user_id");
  record.line = bucket.line;
  record.source_id = bucket_identity(
      result, std::to_string(bucket.start_unix_ns) + '-' + std::to_string(bucket.end_unix_ns), {});
  if (record.usage.total() == 0 && requests == 0 && record.web_searches == 0) return;
  sink.usage(std::move(record));
}

}  // namespace openai

namespace {

int recognise(const FileHint& hint) {
  const std::string_view head = hint.head;
  if (contains(head, "\"organization.usage.")) return 97;
  if (!contains(head, "\"start_time\"") || contains(head, "\"organization.costs.")) return 0;
  if (contains(head, "\"num_model_requests\"")) return 90;
  // Days without use at the beginning.
  return contains(head, "\"object\"") && contains(head, "\"bucket\"") ? 50 : 0;
}

base::Result<std::unique_ptr<Importer>> open(const FileHint&, const Options&) {
  return std::make_unique<openai::ReportImporter>();
}

}  // namespace

const Format& openai_usage_format() {
  static constexpr Format kFormat{openai::kName, "OpenAI organization usage", recognise, open};
  return kFormat;
}

}  // namespace fh::importers
