// The body of POST /v1/messages; see request.h.

#include "dialects/anthropic/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "codec/json.h"
#include "dialects/anthropic/messages.h"
#include "dialects/content.h"
#include "dialects/fields.h"

namespace fh::dialects::anthropic {
namespace {

constexpr std::string_view kBillingPrefix = "x-anthropic-billing-header:";
constexpr std::int64_t kTokensMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kThinkingBudgetMin = 1024;

base::Status read_limits(Value root, const Path& path, bool for_count, Request& out) {
  FH_TRY(const auto max_tokens, optional_int(root, "max_tokens", path, {0, kTokensMax}));
  if (!max_tokens && !for_count) return wrong(path.at("max_tokens"), "required");
  if (max_tokens) out.generation.max_tokens = static_cast<std::uint32_t>(*max_tokens);
  FH_TRY(const Value stops, optional_array(root, "stop_sequences", path));
  FH_TRY(out.generation.stop, read_stops(stops, path.at("stop_sequences")));
  FH_TRY(const auto stream, optional_bool(root, "stream", path));
  out.stream = stream.value_or(false);
  return {};
}

base::Status read_sampling(Value root, const Path& path, Request& out) {
  domain::Sampling& sampling = out.generation.sampling;
  FH_TRY(sampling.temperature, optional_number(root, "temperature", path, {0, 1}));
  FH_TRY(sampling.top_p, optional_number(root, "top_p", path, {0, 1}));
  FH_TRY(const auto top_k, optional_int(root, "top_k", path, {0, kTokensMax}));
  if (top_k) sampling.top_k = static_cast<std::int32_t>(*top_k);
  // A nucleus of nothing still holds the likeliest token.
  if (sampling.top_p && *sampling.top_p <= 0) sampling.top_p = 1e-6;
  out.strict.sampling_given = sampling.temperature || sampling.top_p || sampling.top_k;
  return {};
}

base::Status read_tool(Value tool, const Path& path, Request& out, BlockFacts& facts) {
  if (!tool.is_object()) return wrong_type(path, "an object", tool);
  FH_TRY(const auto type, optional_string(tool, "type", path));
  if (type && *type != "custom") {
    out.ignored_tools.push_back(*type);
    return {};
  }
  domain::Tool made;
  FH_TRY(made.name, required_string(tool, "name", path));
  FH_TRY(const auto description, optional_string(tool, "description", path));
  made.description = description.value_or("");
  FH_TRY(const Value schema, required_object(tool, "input_schema", path));
  FH_TRY_VOID(check_arguments_schema(schema, path.at("input_schema")));
  made.parameters_json = schema.raw();
  FH_TRY(const auto strict, optional_bool(tool, "strict", path));
  made.strict = strict.value_or(false);
  out.names.tools.push_back({made.name, path.text(), path.at("input_schema").text()});
  FH_TRY_VOID(read_cache_control(tool, path, facts.retention));
  FH_TRY_VOID(optional_bool(tool, "eager_input_streaming", path));
  for (const std::string_view key : {"allowed_callers", "input_examples"}) {
    FH_TRY_VOID(optional_array(tool, key, path));
  }
  const auto same = [&](const domain::Tool& other) { return other.name == made.name; };
  if (std::ranges::any_of(out.generation.conversation.tools, same)) {
    return wrong(path.at("name"), "tool names must be unique: " + made.name);
  }
  FH_TRY(const auto deferred, optional_bool(tool, "defer_loading", path));
  if (deferred.value_or(false)) out.deferred_tools.push_back(made.name);
  out.generation.conversation.tools.push_back(std::move(made));
  return {};
}

// Tools marked defer_loading are offered only once a tool result has named them: that is what the
// mark means, and their definitions may be many thousands of tokens.
void hold_back_deferred(const BlockFacts& facts, Request& out) {
  auto& held = out.deferred_tools;
  std::erase_if(held, [&](const std::string& n) { return facts.referenced_tools.contains(n); });
  std::erase_if(out.generation.conversation.tools, [&](const domain::Tool& tool) {
    return std::ranges::find(held, tool.name) != held.end();
  });
}

base::Status read_tools(Value root, const Path& path, Request& out, BlockFacts& facts) {
  FH_TRY(const Value tools, optional_array(root, "tools", path));
  const Path tools_path = path.at("tools");
  std::size_t index = 0;
  for (const Value tool : tools.elements()) {
    FH_TRY_VOID(read_tool(tool, tools_path.at(index++), out, facts));
  }
  hold_back_deferred(facts, out);
  return {};
}

base::Status read_tool_choice(Value root, const Path& path, Request& out) {
  FH_TRY(const Value choice, optional_object(root, "tool_choice", path));
  if (!choice.exists()) return {};
  using Mode = domain::ToolChoice::Mode;
  domain::ToolChoice& made = out.generation.conversation.tool_choice;
  const Path choice_path = path.at("tool_choice");
  FH_TRY(const std::string type, required_string(choice, "type", choice_path));
  if (type == "any") {
    made.mode = Mode::Required;
  } else if (type == "none") {
    made.mode = Mode::None;
  } else if (type == "tool") {
    made.mode = Mode::Named;
    FH_TRY(made.name, required_string(choice, "name", choice_path));
  } else if (type != "auto") {
    return wrong(choice_path.at("type"), "must be one of: auto, any, tool, none");
  }
  FH_TRY(const auto single, optional_bool(choice, "disable_parallel_tool_use", choice_path));
  // A tool that is demanded by name is called once.
  made.parallel = !single.value_or(false) && made.mode != Mode::Named;
  return check_tool_choice(out.generation.conversation, "tool_choice");
}

base::Status read_thinking(Value root, const Path& path, Request& out) {
  FH_TRY(const Value thinking, optional_object(root, "thinking", path));
  if (!thinking.exists()) return {};
  using Mode = domain::Reasoning::Mode;
  domain::Reasoning& reasoning = out.generation.conversation.reasoning;
  const Path thinking_path = path.at("thinking");
  FH_TRY(const std::string type, required_string(thinking, "type", thinking_path));
  if (type == "enabled") {
    reasoning.mode = Mode::On;
    FH_TRY(const auto budget, optional_int(thinking, "budget_tokens", thinking_path,
                                           {kThinkingBudgetMin, kTokensMax}));
    if (!budget) return wrong(thinking_path.at("budget_tokens"), "required");
    reasoning.budget_tokens = static_cast<std::uint32_t>(*budget);
  } else if (type == "disabled") {
    reasoning.mode = Mode::Off;
  } else if (type != "adaptive" && type != "between_tools") {
    return wrong(thinking_path.at("type"),
                 "must be one of: enabled, adaptive, disabled, between_tools");
  }
  FH_TRY(const auto display,
         optional_choice(thinking, "display", thinking_path, {"summarized", "omitted"}));
  out.thinking_omitted = display == "omitted";
  return {};
}

base::Status read_format(Value holder, std::string_view key, const Path& path, Request& out) {
  FH_TRY(const Value format, optional_object(holder, key, path));
  if (!format.exists()) return {};
  const Path format_path = path.at(key);
  FH_TRY(const std::string type, required_string(format, "type", format_path));
  if (type != "json_schema") return wrong(format_path.at("type"), "must be json_schema");
  FH_TRY(const Value schema, required_object(format, "schema", format_path));
  out.names.format = format_path.text();
  out.generation.conversation.format.kind = domain::OutputFormat::Kind::JsonSchema;
  out.generation.conversation.format.schema_json = schema.raw();
  return {};
}

base::Status read_output(Value root, const Path& path, Request& out) {
  // The form of an earlier beta, at the top level.
  FH_TRY_VOID(read_format(root, "output_format", path, out));
  FH_TRY(const Value config, optional_object(root, "output_config", path));
  if (!config.exists()) return {};
  const Path config_path = path.at("output_config");
  FH_TRY(const auto effort,
         optional_choice(config, "effort", config_path, {"low", "medium", "high", "xhigh", "max"}));
  out.generation.conversation.reasoning.effort = effort.value_or("");
  return read_format(config, "format", config_path, out);
}

// Coding clients put the session into user_id: as a member of a JSON string, or after "_session_".
std::string session_of(std::string_view user_id) {
  if (user_id.starts_with('{')) {
    const auto document = codec::json::Document::parse(user_id);
    if (document) {
      const Value session = document->root()["session_id"];
      if (session.is_string()) return std::string(*session.as_string());
    }
  }
  constexpr std::string_view kMark = "_session_";
  const std::size_t at = user_id.rfind(kMark);
  if (at != std::string_view::npos) user_id.remove_prefix(at + kMark.size());
  return std::string(user_id);
}

base::Status read_extras(Value root, const Path& path, Request& out) {
  FH_TRY(const Value metadata, optional_object(root, "metadata", path));
  if (metadata.exists()) {
    FH_TRY(const auto user_id, optional_string(metadata, "user_id", path.at("metadata")));
    out.user_id = user_id.value_or("");
    out.session_hint = session_of(out.user_id);
  }
  FH_TRY(const Value diagnostics, optional_object(root, "diagnostics", path));
  if (diagnostics.exists()) {
    out.diagnostics_asked = true;
    FH_TRY(const auto previous,
           optional_string(diagnostics, "previous_message_id", path.at("diagnostics")));
    out.previous_message_id = previous.value_or("");
  }
  FH_TRY_VOID(optional_object(root, "context_management", path));
  FH_TRY_VOID(optional_array(root, "mcp_servers", path));
  FH_TRY_VOID(optional_string(root, "inference_geo", path));
  FH_TRY_VOID(optional_choice(root, "speed", path, {"standard", "fast"}));
  const Value container = root["container"];
  if (container.exists() && !container.is_null() && !container.is_string() &&
      !container.is_object()) {
    return wrong_type(path.at("container"), "a string or an object", container);
  }
  FH_TRY(const auto tier, optional_choice(root, "service_tier", path, {"auto", "standard_only"}));
  out.service_tier = tier.value_or("");
  return {};
}

}  // namespace

bool is_billing_block(std::string_view text) {
  return text.starts_with(kBillingPrefix);
}

std::string_view strip_billing_line(std::string_view system) {
  if (!is_billing_block(system)) return system;
  const std::size_t line_end = system.find('\n');
  return line_end == std::string_view::npos ? std::string_view() : system.substr(line_end + 1);
}

base::Result<Request> parse_request(std::string_view body, const ParseOptions& options) {
  FH_TRY(const auto document, codec::json::Document::parse(body));
  const Value root = document.root();
  const Path path;
  if (!root.is_object()) return wrong_type(path, "a JSON object", root);
  Request out;
  BlockFacts facts;
  FH_TRY(out.model, required_string(root, "model", path));
  FH_TRY_VOID(read_limits(root, path, options.for_count, out));
  FH_TRY_VOID(read_sampling(root, path, out));
  domain::Conversation& conversation = out.generation.conversation;
  FH_TRY_VOID(read_system(root["system"], conversation, facts));
  FH_TRY_VOID(read_messages(root, conversation, facts));
  FH_TRY_VOID(read_tools(root, path, out, facts));
  FH_TRY_VOID(read_tool_choice(root, path, out));
  FH_TRY_VOID(read_thinking(root, path, out));
  FH_TRY_VOID(read_output(root, path, out));
  FH_TRY_VOID(read_extras(root, path, out));
  FH_TRY_VOID(read_cache_control(root, path, facts.retention));
  link_tool_results(conversation);
  keep_offered(out.names, conversation.tools);
  out.retention = facts.retention;
  out.strict.document_in_assistant = facts.strict.document_in_assistant;
  out.strict.citations_on_user_text = facts.strict.citations_on_user_text;
  out.demands = std::move(facts.demands);
  return out;
}

base::Status check_strict(const Request& request, std::string_view version) {
  if (version != "2026-10-21") return {};
  if (request.strict.sampling_given) {
    const auto& sampling = request.generation.sampling;
    const char* field = sampling.temperature ? "temperature" : sampling.top_p ? "top_p" : "top_k";
    return base::fail_field(field, "is not accepted by this API version");
  }
  if (request.strict.document_in_assistant) {
    return base::fail_field("messages", "document blocks are not accepted in assistant messages");
  }
  if (request.strict.citations_on_user_text) {
    return base::fail_field("messages", "citations are not accepted on user text blocks");
  }
  return {};
}

base::Error strict_limit_overflow(std::uint64_t prompt_tokens, std::uint64_t max_tokens,
                                  std::uint64_t context_tokens) {
  return {base::Code::InvalidArgument,
          fmt::format("input length and `max_tokens` exceed context limit: {} + {} > {}, decrease "
                      "input length or `max_tokens` and try again",
                      prompt_tokens, max_tokens, context_tokens),
          {},
          {},
          {}};
}

std::string count_tokens_body(std::uint64_t input_tokens) {
  return fmt::format(R"({{"input_tokens":{}}})", input_tokens);
}

}  // namespace fh::dialects::anthropic
