// The list of models; see models.h.

#include "dialects/models.h"

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "codec/json.h"
#include "dialects/failures.h"
#include "dialects/model_names.h"

namespace fh::dialects {
namespace {

using codec::json::Writer;

struct Entry {
  std::string id;
  const ModelCard* card;
};

std::vector<Entry> entries_of(std::span<const ModelCard> cards, bool aliases) {
  std::vector<Entry> entries;
  for (const ModelCard& card : cards) entries.push_back({card.id, &card});
  for (const ModelCard& card : cards) {
    if (aliases && card.chat) entries.push_back({alias_of(card.id), &card});
  }
  return entries;
}

void write_supported(Writer& json, std::string_view key, bool supported) {
  json.key(key).object().member("supported", supported).end_object();
}

void write_count(Writer& json, std::string_view key, std::uint32_t count) {
  if (count == 0) {
    json.member_null(key);
  } else {
    json.member(key, count);
  }
}

void write_capabilities(Writer& json, const ModelCard& card) {
  json.key("capabilities").object();
  write_supported(json, "batch", false);
  write_supported(json, "citations", false);
  write_supported(json, "code_execution", false);
  json.key("context_management").object().member("supported", false);
  json.member_null("clear_thinking_20251015").member_null("clear_tool_uses_20250919");
  json.member_null("compact_20260112").end_object();
  json.key("effort").object().member("supported", card.reasoning);
  for (const std::string_view level : {"low", "medium", "high", "xhigh", "max"}) {
    write_supported(json, level, card.reasoning);
  }
  json.end_object();
  write_supported(json, "image_input", card.images);
  write_supported(json, "pdf_input", false);
  json.key("server_tools").object().member("supported", false);
  write_supported(json, "code_execution", false);
  write_supported(json, "web_search", false);
  json.end_object();
  write_supported(json, "structured_outputs", card.chat);
  json.key("thinking").object().member("supported", card.reasoning);
  json.key("types").object();
  for (const std::string_view type : {"adaptive", "between_tools", "disabled", "enabled"}) {
    write_supported(json, type, card.reasoning);
  }
  json.end_object().end_object();
  json.end_object();
}

std::string_view display_name(const ModelCard& card) {
  return card.display_name.empty() ? std::string_view(card.id) : card.display_name;
}

void write_model(Writer& json, std::string_view id, const ModelCard& card) {
  constexpr std::int64_t kNsPerS = 1'000'000'000;
  json.object().member("id", id).member("object", "model");
  json.member("created", card.created_unix_s).member("owned_by", "freehold");
  json.member("type", "model").member("display_name", display_name(card));
  // RFC 3339 with whole seconds, as the hosted services write it.
  const std::string created = base::format_rfc3339(card.created_unix_s * kNsPerS);
  json.member("created_at", created.substr(0, created.find('.')) + "Z");
  write_count(json, "max_input_tokens", card.context_tokens);
  const bool bounded = card.output_tokens_max != 0;
  write_count(json, "max_tokens", bounded ? card.output_tokens_max : card.context_tokens);
  write_count(json, "context_length", card.context_tokens);
  write_count(json, "max_model_len", card.context_tokens);
  json.member("lifecycle", "active");
  json.member_null("line").member_null("deprecated_at").member_null("retires_at");
  write_capabilities(json, card);
  json.end_object();
}

// An entry of the catalogue that Codex reads.
void write_codex_entry(Writer& json, const ModelCard& card, int priority) {
  json.object().member("slug", card.id).member("display_name", display_name(card));
  json.member("description", "Served by Freehold");
  write_count(json, "context_window", card.context_tokens);
  write_count(json, "max_context_window", card.context_tokens);
  // Compaction must begin while the answer still has room.
  write_count(json, "auto_compact_token_limit", card.context_tokens / 10 * 8);
  json.key("supported_reasoning_levels").array();
  for (const std::string_view level : {"low", "medium", "high"}) {
    if (!card.reasoning) break;
    json.object().member("effort", level).member("description", level).end_object();
  }
  json.end_array();
  if (card.reasoning) {
    json.member("default_reasoning_level", "medium");
  } else {
    json.member_null("default_reasoning_level");
  }
  json.member("shell_type", "shell_command").member("visibility", "list");
  json.member("supported_in_api", true).member("priority", priority);
  json.key("truncation_policy").object().member("mode", "tokens").member("limit", 10000);
  json.end_object();
  json.key("input_modalities").array().value("text");
  if (card.images) json.value("image");
  json.end_array();
  json.member("supports_parallel_tool_calls", card.tools);
  json.member("apply_patch_tool_type", "freeform").member("base_instructions", "");
  json.member("supports_reasoning_summaries", card.reasoning);
  json.member("support_verbosity", false);
  json.end_object();
}

struct Page {
  std::span<const Entry> entries;
  bool has_more = false;
};

// after_id: what follows it. before_id: what precedes it, the nearest ones. An unknown id gives an
// empty page.
Page page_of(std::span<const Entry> entries, const ModelsQuery& query) {
  const auto position = [&](std::string_view id) {
    const auto found = std::ranges::find(entries, id, &Entry::id);
    return static_cast<std::size_t>(found - entries.begin());
  };
  if (!query.before_id.empty()) {
    const std::size_t end = position(query.before_id);
    if (end == entries.size()) return {};
    const std::size_t count = std::min(end, query.limit);
    return {entries.subspan(end - count, count), end > count};
  }
  std::size_t begin = 0;
  if (!query.after_id.empty()) {
    begin = position(query.after_id);
    if (begin == entries.size()) return {};
    ++begin;
  }
  const std::size_t count = std::min(entries.size() - begin, query.limit);
  return {entries.subspan(begin, count), begin + count < entries.size()};
}

}  // namespace

base::Result<ModelsQuery> models_query(std::string_view limit, std::string_view after_id,
                                       std::string_view before_id) {
  ModelsQuery query;
  query.after_id = after_id;
  query.before_id = before_id;
  if (limit.empty()) return query;
  const char* const end = limit.data() + limit.size();
  const auto read = std::from_chars(limit.data(), end, query.limit);
  if (read.ec != std::errc() || read.ptr != end || query.limit == 0 ||
      query.limit > kModelsLimitMax) {
    return base::fail_field("limit", "must be between 1 and 1000");
  }
  return query;
}

std::string models_body(std::span<const ModelCard> cards, const ModelsQuery& query) {
  const std::vector<Entry> entries = entries_of(cards, query.aliases);
  const Page page = page_of(entries, query);
  Writer json;
  json.object().member("object", "list").key("data").array();
  for (const Entry& entry : page.entries) write_model(json, entry.id, *entry.card);
  json.end_array().member("has_more", page.has_more);
  if (page.entries.empty()) {
    json.member_null("first_id").member_null("last_id");
  } else {
    json.member("first_id", page.entries.front().id).member("last_id", page.entries.back().id);
  }
  json.key("models").array();
  int priority = 0;
  for (const ModelCard& card : cards) {
    if (card.chat) write_codex_entry(json, card, priority++);
  }
  json.end_array().end_object();
  return json.take();
}

const ModelCard* find_model(std::span<const ModelCard> cards, std::string_view requested) {
  // An id that happens to look like an alias or to carry the suffix is still an id.
  for (const std::string_view name :
       {requested, without_window_suffix(requested), canonical_model_name(requested)}) {
    const auto found = std::ranges::find(cards, name, &ModelCard::id);
    if (found != cards.end()) return &*found;
  }
  return nullptr;
}

std::string model_body(const ModelCard& card, std::string_view requested) {
  Writer json;
  write_model(json, without_window_suffix(requested), card);
  return json.take();
}

base::Error model_not_found(std::string_view requested) {
  return {base::Code::NotFound, "the model `" + std::string(requested) + "` does not exist here",
          "GET /v1/models lists what does", "", std::string(kReasonModelNotFound)};
}

}  // namespace fh::dialects
