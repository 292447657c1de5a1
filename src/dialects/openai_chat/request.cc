// The body of POST /v1/chat/completions; see request.h.

#include "dialects/openai_chat/request.h"

#include <charconv>
#include <limits>
#include <utility>

#include "codec/json.h"
#include "dialects/content.h"
#include "dialects/fields.h"
#include "dialects/openai_chat/messages.h"

namespace fh::dialects::openai_chat {
namespace {

constexpr std::int64_t kIntMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kTopLogprobsMax = 20;

// -1 is what local clients send for "no limit".
base::Status read_token_limit(Value root, const Path& path, Request& out) {
  // The newest name wins; all are checked.
  std::optional<std::int64_t> wanted;
  for (const std::string_view key : {"max_completion_tokens", "max_tokens", "max_output_tokens"}) {
    FH_TRY(const auto limit, optional_int(root, key, path, {-1, kIntMax}));
    if (!wanted) wanted = limit;
  }
  if (wanted.value_or(-1) >= 0) out.generation.max_tokens = static_cast<std::uint32_t>(*wanted);
  FH_TRY(const Value cache, optional_object(root, "prompt_cache_options", path));
  if (cache.exists()) {
    const Path cache_path = path.at("prompt_cache_options");
    FH_TRY(const auto prewarm, optional_bool(cache, "prewarm", cache_path));
    if (prewarm.value_or(false)) out.generation.max_tokens = 0;
    for (const std::string_view key : {"mode", "ttl"}) {
      FH_TRY_VOID(optional_string(cache, key, cache_path));
    }
  }
  return {};
}

base::Status read_logit_bias(Value root, const Path& path, domain::Sampling& sampling) {
  FH_TRY(const Value biases, optional_object(root, "logit_bias", path));
  const Path bias_path = path.at("logit_bias");
  for (const auto& [key, value] : biases.members()) {
    std::int32_t token = 0;
    const auto read = std::from_chars(key.data(), key.data() + key.size(), token);
    if (read.ec != std::errc() || read.ptr != key.data() + key.size() || token < 0) {
      return wrong(bias_path.at(key), "the key must be a token id");
    }
    FH_TRY(const auto bias, optional_number(biases, key, bias_path, {-100, 100}));
    if (bias) sampling.logit_bias.emplace_back(token, *bias);
  }
  return {};
}

base::Status read_sampling(Value root, const Path& path, Request& out) {
  domain::Sampling& sampling = out.generation.sampling;
  FH_TRY(sampling.temperature, optional_number(root, "temperature", path, {0, 2}));
  FH_TRY(sampling.top_p, optional_number(root, "top_p", path, {0, 1}));
  // A nucleus of nothing still holds the likeliest token.
  if (sampling.top_p && *sampling.top_p <= 0) sampling.top_p = 1e-6;
  FH_TRY(const auto top_k, optional_int(root, "top_k", path, {-1, kIntMax}));
  if (top_k) sampling.top_k = static_cast<std::int32_t>(*top_k < 0 ? 0 : *top_k);
  FH_TRY(sampling.min_p, optional_number(root, "min_p", path, {0, 1}));
  FH_TRY(sampling.presence_penalty, optional_number(root, "presence_penalty", path, {-2, 2}));
  FH_TRY(sampling.frequency_penalty, optional_number(root, "frequency_penalty", path, {-2, 2}));
  for (const std::string_view key : {"repetition_penalty", "repeat_penalty"}) {
    FH_TRY(const auto penalty, optional_number(root, key, path, {0, 100}));
    if (!penalty) continue;
    if (*penalty <= 0) return wrong(path.at(key), "must be greater than 0");
    sampling.repeat_penalty = penalty;
  }
  FH_TRY(const auto seed, optional_int(root, "seed", path,
                                       {std::numeric_limits<std::int64_t>::min(),
                                        std::numeric_limits<std::int64_t>::max()}));
  // -1 is what local clients send for "any".
  if (seed && *seed != -1) sampling.seed = static_cast<std::uint64_t>(*seed);
  return read_logit_bias(root, path, sampling);
}

base::Status read_logprobs(Value root, const Path& path, Request& out) {
  FH_TRY(const auto wanted, optional_bool(root, "logprobs", path));
  FH_TRY(const auto top, optional_int(root, "top_logprobs", path, {0, kTopLogprobsMax}));
  out.generation.logprobs = wanted.value_or(false);
  if (top.value_or(0) > 0 && !out.generation.logprobs) {
    return wrong(path.at("top_logprobs"), "needs logprobs to be true");
  }
  out.generation.top_logprobs = static_cast<std::uint32_t>(top.value_or(0));
  return {};
}

base::Status read_response_format(Value root, const Path& path, Request& out) {
  FH_TRY(const Value format, optional_object(root, "response_format", path));
  if (!format.exists()) return {};
  using Kind = domain::OutputFormat::Kind;
  domain::OutputFormat& made = out.generation.conversation.format;
  const Path format_path = path.at("response_format");
  FH_TRY(const std::string type, required_string(format, "type", format_path));
  if (type == "json_object") {
    made.kind = Kind::JsonObject;
    // Some local servers take a schema here.
    FH_TRY(const Value schema, optional_object(format, "schema", format_path));
    if (schema.exists()) made = {Kind::JsonSchema, std::string(schema.raw())};
  } else if (type == "json_schema") {
    FH_TRY(const Value holder, required_object(format, "json_schema", format_path));
    const Path holder_path = format_path.at("json_schema");
    FH_TRY(const Value schema, required_object(holder, "schema", holder_path));
    FH_TRY_VOID(optional_bool(holder, "strict", holder_path));
    for (const std::string_view key : {"name", "description"}) {
      FH_TRY_VOID(optional_string(holder, key, holder_path));
    }
    made = {Kind::JsonSchema, std::string(schema.raw())};
  } else if (type != "text") {
    return wrong(format_path.at("type"), "must be one of: text, json_object, json_schema");
  }
  return {};
}

// Lowest to highest precedence: the effort, the template switch, the switch at the top level.
base::Status read_reasoning(Value root, const Path& path, Request& out) {
  using Mode = domain::Reasoning::Mode;
  domain::Reasoning& reasoning = out.generation.conversation.reasoning;
  const auto take_effort = [&reasoning](const std::string& effort) {
    reasoning.mode = effort == "none" ? Mode::Off : Mode::On;
    reasoning.effort = effort == "none" ? "" : effort;
  };
  FH_TRY(const auto effort,
         optional_choice(root, "reasoning_effort", path,
                         {"none", "minimal", "low", "medium", "high", "xhigh", "max"}));
  if (effort) take_effort(*effort);
  FH_TRY(const Value kwargs, optional_object(root, "chat_template_kwargs", path));
  const Path kwargs_path = path.at("chat_template_kwargs");
  for (const std::string_view key : {"thinking", "enable_thinking"}) {
    FH_TRY(const auto on, optional_bool(kwargs, key, kwargs_path));
    if (on) reasoning.mode = *on ? Mode::On : Mode::Off;
  }
  FH_TRY(const auto on, optional_bool(root, "enable_thinking", path));
  if (on) reasoning.mode = *on ? Mode::On : Mode::Off;
  return {};
}

base::Status read_unsupported(Value root, const Path& path) {
  FH_TRY(const auto n, optional_int(root, "n", path, {1, kIntMax}));
  if (n.value_or(1) != 1) return wrong(path.at("n"), "only 1 is supported");
  FH_TRY(const Value modalities, optional_array(root, "modalities", path));
  std::size_t index = 0;
  const Path modalities_path = path.at("modalities");
  for (const Value modality : modalities.elements()) {
    if (!modality.is_string() || *modality.as_string() != "text") {
      return wrong(modalities_path.at(index), "only text is supported");
    }
    ++index;
  }
  return {};
}

// Fields that change nothing here. A mistake in one is a mistake all the same.
base::Status check_unused(Value root, const Path& path) {
  FH_TRY_VOID(optional_bool(root, "store", path));
  FH_TRY_VOID(optional_choice(root, "verbosity", path, {"low", "medium", "high"}));
  FH_TRY_VOID(optional_string(root, "prompt_cache_retention", path));
  for (const std::string_view key : {"audio", "options", "web_search_options"}) {
    FH_TRY_VOID(optional_object(root, key, path));
  }
  FH_TRY_VOID(optional_bool(root, "cache_prompt", path));
  FH_TRY(const Value metadata, optional_object(root, "metadata", path));
  for (const auto& [key, value] : metadata.members()) {
    FH_TRY_VOID(optional_string(metadata, key, path.at("metadata")));
  }
  FH_TRY(const Value prediction, optional_object(root, "prediction", path));
  const Path prediction_path = path.at("prediction");
  FH_TRY_VOID(optional_choice(prediction, "type", prediction_path, {"content"}));
  if (!prediction["content"].exists()) return {};
  std::vector<domain::Part> unused;
  return read_content(prediction["content"], prediction_path.at("content"), unused, nullptr);
}

base::Status read_extras(Value root, const Path& path, Request& out) {
  FH_TRY(const auto stream, optional_bool(root, "stream", path));
  out.stream = stream.value_or(false);
  FH_TRY(const Value options, optional_object(root, "stream_options", path));
  const Path options_path = path.at("stream_options");
  FH_TRY(const auto usage, optional_bool(options, "include_usage", options_path));
  out.include_usage = usage.value_or(false);
  FH_TRY_VOID(optional_bool(options, "include_obfuscation", options_path));
  FH_TRY_VOID(check_unused(root, path));
  FH_TRY(out.session_hint, text_or_empty(root, "prompt_cache_key", path));
  FH_TRY(const auto tier, optional_choice(root, "service_tier", path,
                                          {"auto", "default", "flex", "scale", "priority"}));
  out.service_tier = tier.value_or("");
  FH_TRY(out.user, text_or_empty(root, "user", path));
  FH_TRY(std::string safety, text_or_empty(root, "safety_identifier", path));
  if (out.user.empty()) out.user = std::move(safety);
  return {};
}

}  // namespace

base::Result<Request> parse_request(std::string_view body) {
  FH_TRY(const auto document, codec::json::Document::parse(body));
  const Value root = document.root();
  const Path path;
  if (!root.is_object()) return wrong_type(path, "a JSON object", root);
  Request out;
  FH_TRY(out.model, required_string(root, "model", path));
  if (root["messages"].is_null() && root["input"].exists()) {
    FH_TRY_VOID(read_input(root, path, out));
    out.names.messages = "input";
  } else {
    FH_TRY(const Value messages, required_array(root, "messages", path));
    FH_TRY_VOID(read_messages(messages, path.at("messages"), out));
  }
  FH_TRY_VOID(read_unsupported(root, path));
  FH_TRY_VOID(read_token_limit(root, path, out));
  FH_TRY_VOID(read_sampling(root, path, out));
  FH_TRY_VOID(read_logprobs(root, path, out));
  FH_TRY(out.generation.stop, read_stops(root["stop"], path.at("stop")));
  FH_TRY_VOID(read_tooling(root, path, out));
  FH_TRY_VOID(read_response_format(root, path, out));
  FH_TRY_VOID(read_reasoning(root, path, out));
  FH_TRY_VOID(read_extras(root, path, out));
  link_tool_results(out.generation.conversation);
  keep_offered(out.names, out.generation.conversation.tools);
  return out;
}

}  // namespace fh::dialects::openai_chat
