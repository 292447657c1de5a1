// The mapping file, the guess, and times as people write them.

#include "importers/csv_mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "codec/toml.h"
#include "importers/csv_habits.h"
#include "importers/numbers.h"

namespace fh::importers {
namespace {

namespace toml = codec::toml;

constexpr std::array<std::string_view, kMapFields> kFieldNames = {
    "time",      "end",         "id",          "model",          "provider",
    "input",     "cache_read",  "cache_write", "cache_write_1h", "output",
    "reasoning", "requests",    "cost",        "user",           "key",
    "workspace", "application", "workload",    "session",        "tier",
    "region",    "ttft_ms",     "duration_ms"};

constexpr toml::Key kSchema[] = {
    {"input_includes_cache", toml::Type::Bool},
    {"output_includes_reasoning", toml::Type::Bool},
    {"tokens_per_unit", toml::Type::Int},
    {"time_format", toml::Type::String},
    {"time_zone", toml::Type::String},
    {"cost_unit", toml::Type::String},
    {"cost_kind", toml::Type::String},
    {"granularity", toml::Type::String},
    {"decimal", toml::Type::String},
    {"delimiter", toml::Type::String},
    {"columns.time", toml::Type::String},
    {"columns.end", toml::Type::String},
    {"columns.id", toml::Type::String},
    {"columns.model", toml::Type::String},
    {"columns.provider", toml::Type::String},
    {"columns.input", toml::Type::String},
    {"columns.cache_read", toml::Type::String},
    {"columns.cache_write", toml::Type::String},
    {"columns.cache_write_1h", toml::Type::String},
    {"columns.output", toml::Type::String},
    {"columns.reasoning", toml::Type::String},
    {"columns.requests", toml::Type::String},
    {"columns.cost", toml::Type::String},
    {"columns.user", toml::Type::String},
    {"columns.key", toml::Type::String},
    {"columns.workspace", toml::Type::String},
    {"columns.application", toml::Type::String},
    {"columns.workload", toml::Type::String},
    {"columns.session", toml::Type::String},
    {"columns.tier", toml::Type::String},
    {"columns.region", toml::Type::String},
    {"columns.ttft_ms", toml::Type::String},
    {"columns.duration_ms", toml::Type::String},
    {"constants.model", toml::Type::String},
    {"constants.provider", toml::Type::String},
    {"constants.user", toml::Type::String},
    {"constants.key", toml::Type::String},
    {"constants.workspace", toml::Type::String},
    {"constants.application", toml::Type::String},
    {"constants.workload", toml::Type::String},
    {"constants.session", toml::Type::String},
    {"constants.tier", toml::Type::String},
    {"constants.region", toml::Type::String},
};

template <typename T>
struct Choice {
  std::string_view word;
  T value;
};

constexpr Choice<TimeFormat> kTimeFormats[] = {
    {"auto", TimeFormat::Auto},      {"iso", TimeFormat::Iso},        {"unix_s", TimeFormat::UnixS},
    {"unix_ms", TimeFormat::UnixMs}, {"mdy", TimeFormat::MonthFirst}, {"dmy", TimeFormat::DayFirst},
};
constexpr Choice<bool> kCostUnits[] = {{"usd", false}, {"cents", true}};
constexpr Choice<DecimalSign> kDecimals[] = {{",", DecimalSign::Comma}, {".", DecimalSign::Point}};
constexpr Choice<domain::CostKind> kCostKinds[] = {
    {"billed", domain::CostKind::Billed},
    {"list", domain::CostKind::List},
    {"estimate", domain::CostKind::Estimate},
};
constexpr Choice<domain::Granularity> kGranularities[] = {
    {"request", domain::Granularity::Request},
    {"minute", domain::Granularity::Minute},
    {"hour", domain::Granularity::Hour},
    {"day", domain::Granularity::Day},
};

// The member's word as one of `choices` into `out`; nothing when it is absent.
template <typename T, std::size_t kSize, typename Out>
base::Status choose(const toml::Value& value, const Choice<T> (&choices)[kSize], Out& out) {
  if (!value.exists()) return {};
  std::string words;
  for (const Choice<T>& choice : choices) {
    if (choice.word == value.as_string().value_or("")) {
      out = choice.value;
      return {};
    }
    words += fmt::format("{}`{}`", words.empty() ? "" : ", ", choice.word);
  }
  return std::unexpected(value.error(fmt::format("must be one of {}", words)));
}

base::Status read_numbers(const toml::Value& root, CsvMapping& out) {
  out.input_includes_cache = root["input_includes_cache"].as_bool().value_or(false);
  out.output_includes_reasoning = root["output_includes_reasoning"].as_bool().value_or(true);
  if (const toml::Value unit = root["tokens_per_unit"]; unit.exists()) {
    const std::int64_t tokens = unit.as_int().value_or(0);
    if (tokens < 1 || tokens > 1'000'000'000) {
      return std::unexpected(unit.error("must be between 1 and 1000000000"));
    }
    out.tokens_per_unit = static_cast<std::uint64_t>(tokens);
  }
  if (const toml::Value zone = root["time_zone"]; zone.exists()) {
    const auto minutes = parse_zone_minutes(zone.as_string().value_or(""));
    if (!minutes) return std::unexpected(zone.error("must be an offset such as `+02:00` or `UTC`"));
    out.zone_minutes = *minutes;
  }
  if (const toml::Value delimiter = root["delimiter"]; delimiter.exists()) {
    const std::string_view text = delimiter.as_string().value_or("");
    if (text.size() != 1 || text == "\"" || text == "\n" || text == "\r") {
      return std::unexpected(delimiter.error("must be one character"));
    }
    out.delimiter = text.front();
  }
  return {};
}

base::Status need(const CsvMapping& mapping) {
  const auto told = [&](MapField field) {
    return !mapping.column(field).empty() || !mapping.constant(field).empty();
  };
  if (!told(MapField::Time)) return base::fail_field("columns.time", "`columns.time` is missing");
  if (!told(MapField::Model)) {
    return base::fail_field("columns.model",
                            "`columns.model` or `constants.model` is missing: a mapping names the "
                            "model's column or the one model");
  }
  if (!told(MapField::Input) && !told(MapField::Output)) {
    return base::fail_field("columns.input", "`columns.input` or `columns.output` is missing");
  }
  return {};
}

struct Guess {
  MapField field;
  std::initializer_list<std::string_view> keys;
};

std::span<const Guess> guesses() {
  static const Guess kGuesses[] = {
      {MapField::Time,
       {"timestamp", "time", "created_at", "start_time", "started_at", "datetime", "date", "ts"}},
      {MapField::Id, {"request_id", "id", "event_id"}},
      {MapField::Model, {"model", "model_name", "model_id"}},
      {MapField::Provider, {"provider", "vendor"}},
      {MapField::Input,
       {"input_tokens", "prompt_tokens", "tokens_in", "tokens_input", "tokens_prompt"}},
      {MapField::CacheRead,
       {"cache_read_input_tokens", "cache_read_tokens", "cache_read", "cached_tokens",
        "cached_input_tokens", "input_cached_tokens", "tokens_cached"}},
      {MapField::CacheWrite,
       {"cache_creation_input_tokens", "cache_write_tokens", "cache_creation_tokens",
        "cache_write"}},
      {MapField::Output,
       {"output_tokens", "completion_tokens", "tokens_out", "tokens_output", "tokens_completion"}},
      {MapField::Reasoning, {"reasoning_tokens", "tokens_reasoning", "reasoning_output_tokens"}},
      {MapField::Requests, {"requests", "num_requests", "request_count", "num_model_requests"}},
      {MapField::Cost, {"cost_usd", "cost", "total_cost", "spend", "amount_usd"}},
      {MapField::User, {"user", "user_id", "username", "user_email", "email"}},
      {MapField::Key, {"api_key_name", "api_key_id", "key_name", "key"}},
      {MapField::Workspace, {"workspace", "team", "project", "organization"}},
      {MapField::Application, {"application", "app", "app_name", "service"}},
      {MapField::Workload, {"workload", "tag", "use_case"}},
      {MapField::Session, {"session_id", "conversation_id", "session"}},
      {MapField::Tier, {"service_tier", "tier"}},
      {MapField::Region, {"region"}},
      {MapField::TtftMs, {"ttft_ms", "time_to_first_token_ms"}},
      {MapField::DurationMs, {"duration_ms", "latency_ms", "generation_time_ms"}},
  };
  return kGuesses;
}

}  // namespace

std::string_view map_field_name(MapField field) {
  return kFieldNames[static_cast<std::size_t>(field)];
}

base::Result<CsvMapping> parse_csv_mapping(std::string_view text) {
  FH_TRY(const toml::File file, toml::File::parse(text));
  FH_TRY_VOID(file.check(kSchema));
  const toml::Value root = file.root();
  CsvMapping out;
  FH_TRY_VOID(read_numbers(root, out));
  FH_TRY_VOID(choose(root["time_format"], kTimeFormats, out.time_format));
  FH_TRY_VOID(choose(root["cost_unit"], kCostUnits, out.cost_in_cents));
  FH_TRY_VOID(choose(root["decimal"], kDecimals, out.decimal));
  FH_TRY_VOID(choose(root["cost_kind"], kCostKinds, out.cost_kind));
  FH_TRY_VOID(choose(root["granularity"], kGranularities, out.granularity));
  for (std::size_t i = 0; i < kMapFields; ++i) {
    out.columns[i] = root["columns"][kFieldNames[i]].as_string().value_or("");
    out.constants[i] = root["constants"][kFieldNames[i]].as_string().value_or("");
  }
  const toml::Value tier = root["constants"]["tier"];
  if (tier.exists() && !parse_tier(*tier.as_string())) {
    return std::unexpected(
        tier.error("must be one of `standard`, `batch`, `flex`, `priority`, `fast`"));
  }
  FH_TRY_VOID(need(out));
  return out;
}

std::optional<CsvMapping> guess_csv_mapping(const CsvHeader& header) {
  CsvMapping out;
  for (const Guess& guess : guesses()) {
    const Column column = header.find(guess.keys);
    if (!column) continue;
    const auto index = static_cast<std::size_t>(column.index);
    out.columns[static_cast<std::size_t>(guess.field)] = header.names()[index];
    // Names by habit: "cached" tokens are told inside the input, cache reads beside it.
    if (guess.field == MapField::CacheRead) {
      out.input_includes_cache = header.keys()[index].find("cached") != std::string::npos;
    }
  }
  const bool enough = !out.column(MapField::Time).empty() && !out.column(MapField::Model).empty() &&
                      !out.column(MapField::Input).empty() && !out.column(MapField::Output).empty();
  return enough ? std::optional(std::move(out)) : std::nullopt;
}

base::Result<MappedColumns> resolve(const CsvMapping& mapping, const CsvHeader& header) {
  MappedColumns out{};
  for (std::size_t i = 0; i < kMapFields; ++i) {
    out[i].name = kFieldNames[i];
    const std::string& wanted = mapping.columns[i];
    if (wanted.empty()) continue;
    const auto& names = header.names();
    auto at = std::find(names.begin(), names.end(), wanted);
    if (at == names.end()) {
      const std::string key = column_key(wanted);
      at = std::find_if(names.begin(), names.end(),
                        [&](const std::string& name) { return column_key(name) == key; });
    }
    if (at == names.end()) {
      const std::vector<std::string_view> candidates(names.begin(), names.end());
      const std::string_view near =
          wanted.size() < 3 ? std::string_view() : toml::nearest(wanted, candidates);
      return base::fail_field(
          fmt::format("columns.{}", kFieldNames[i]),
          fmt::format("the file has no column `{}` for `columns.{}`{}", wanted, kFieldNames[i],
                      near.empty() ? "" : fmt::format("; did you mean `{}`?", near)));
    }
    out[i].index = static_cast<int>(at - names.begin());
    out[i].secret = holds_secrets(header.keys()[static_cast<std::size_t>(at - names.begin())]);
  }
  return out;
}

std::optional<std::int64_t> mapped_time_ns(const CsvMapping& mapping, std::string_view text) {
  text = trimmed(text);
  switch (mapping.time_format) {
    case TimeFormat::Auto: return parse_time_ns(text, mapping.zone_minutes);
    case TimeFormat::Iso:
      if (text.size() < 10 || text[4] != '-') return std::nullopt;
      return parse_time_ns(text, mapping.zone_minutes);
    case TimeFormat::UnixS: return parse_seconds_ns(text);
    case TimeFormat::UnixMs: return parse_ms_ns(text);
    case TimeFormat::MonthFirst: return parse_local_time_ns(text, true, mapping.zone_minutes);
    case TimeFormat::DayFirst: return parse_local_time_ns(text, false, mapping.zone_minutes);
  }
  return std::nullopt;
}

}  // namespace fh::importers
