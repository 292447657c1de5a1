// Chat messages to the canonical conversation; see messages.h and dialects/content.h.

#include "dialects/openai_chat/messages.h"

#include <fmt/format.h>

#include <utility>

#include "dialects/content.h"
#include "dialects/custom_input.h"
#include "dialects/ids.h"

namespace fh::dialects::openai_chat {
namespace {

using domain::Message;
using domain::Part;
using domain::Role;

constexpr std::size_t kMessagesMax = 100'000;

// "image_url": an object with `url`, or (Responses shape) the URL itself.
base::Result<Part> read_image(Value part, const Path& path) {
  const Value holder = part["image_url"];
  Path where = path.at("image_url");
  const Path object_path = where;
  std::string url;
  if (holder.is_object()) {
    where = object_path.at("url");
    FH_TRY(url, required_string(holder, "url", object_path));
  } else if (holder.is_string()) {
    url = *holder.as_string();
  } else if (part["file_id"].is_string()) {
    return domain::OpaquePart{"image file"};
  } else {
    return wrong_type(where, "an object with a url", holder);
  }
  if (url.empty()) return wrong(where, "must not be empty");
  auto image = image_from_url(url);
  if (!image) return wrong(where, "a data: URL must be base64");
  return *std::move(image);
}

base::Status read_part(Value part, const Path& path, std::vector<Part>& parts, Demands* demands) {
  if (!part.is_object()) return wrong_type(path, "an object", part);
  FH_TRY(const std::string type, required_string(part, "type", path));
  if (type == "text" || type == "input_text" || type == "output_text" || type == "refusal") {
    const std::string_view key = type == "refusal" ? "refusal" : "text";
    const Value text = part[key];
    if (!text.is_string()) return wrong_type(path.at(key), "a string", text);
    append_text(parts, std::string(*text.as_string()));
    return {};
  }
  if (type == "image_url" || type == "input_image") {
    FH_TRY(Part image, read_image(part, path));
    parts.push_back(std::move(image));
  } else {
    parts.emplace_back(domain::OpaquePart{type});
  }
  if (demands != nullptr) note_demand(parts.back(), path, *demands);
  return {};
}

// Ids of calls that have none on the wire (the older function_call).
struct LegacyCalls {
  std::size_t count = 0;
  std::string last_id;
};

base::Result<Part> read_tool_call(Value call, const Path& path) {
  if (!call.is_object()) return wrong_type(path, "an object", call);
  domain::ToolCallPart made;
  FH_TRY(const std::string id, required_string(call, "id", path));
  made.id = internal_tool_id(id);
  FH_TRY(const auto type, optional_choice(call, "type", path, {"function", "custom"}));
  if (type == "custom") {
    FH_TRY(const Value custom, required_object(call, "custom", path));
    FH_TRY(made.name, required_string(custom, "name", path.at("custom")));
    FH_TRY(const std::string input, text_or_empty(custom, "input", path.at("custom")));
    made.arguments_json = custom_arguments(input);
    return made;
  }
  FH_TRY(const Value function, required_object(call, "function", path));
  FH_TRY(made.name, required_string(function, "name", path.at("function")));
  const Value arguments = function["arguments"];
  if (arguments.is_object()) {
    made.arguments_json = arguments.raw();
  } else {
    FH_TRY(const std::string text, text_or_empty(function, "arguments", path.at("function")));
    made.arguments_json = arguments_object(text);
  }
  return made;
}

base::Status read_assistant(Value message, const Path& path, LegacyCalls& legacy,
                            std::vector<Part>& parts, Demands& demands) {
  FH_TRY_VOID(optional_string(message, "reasoning_content", path));
  for (const std::string_view key : {"reasoning_content", "reasoning"}) {
    // Under `reasoning` some clients keep objects of their own.
    const Value reasoning = message[key];
    if (!reasoning.is_string() || reasoning.as_string()->empty()) continue;
    parts.emplace_back(domain::ReasoningPart{std::string(*reasoning.as_string()), {}});
    break;
  }
  FH_TRY_VOID(read_content(message["content"], path.at("content"), parts, &demands));
  FH_TRY(std::string refusal, text_or_empty(message, "refusal", path));
  append_text(parts, std::move(refusal));
  FH_TRY(const Value calls, optional_array(message, "tool_calls", path));
  const Path calls_path = path.at("tool_calls");
  std::size_t index = 0;
  for (const Value call : calls.elements()) {
    FH_TRY(Part part, read_tool_call(call, calls_path.at(index++)));
    parts.push_back(std::move(part));
  }
  FH_TRY(const Value function, optional_object(message, "function_call", path));
  if (function.exists()) {
    domain::ToolCallPart made;
    const Path function_path = path.at("function_call");
    FH_TRY(made.name, required_string(function, "name", function_path));
    FH_TRY(const std::string text, text_or_empty(function, "arguments", function_path));
    made.arguments_json = arguments_object(text);
    made.id = legacy.last_id = "call_function_" + std::to_string(legacy.count++);
    parts.emplace_back(std::move(made));
  }
  return {};
}

base::Status read_tool_message(Value message, const Path& path, bool legacy_role,
                               const LegacyCalls& legacy, std::vector<Part>& parts) {
  domain::ToolResultPart result;
  FH_TRY(const auto name, optional_string(message, "name", path));
  result.name = name.value_or("");
  if (legacy_role) {
    if (result.name.empty()) return wrong(path.at("name"), "required");
    result.tool_call_id = legacy.last_id.empty() ? "call_function" : legacy.last_id;
  } else {
    FH_TRY(const std::string id, required_string(message, "tool_call_id", path));
    result.tool_call_id = internal_tool_id(id);
  }
  FH_TRY_VOID(read_result_content(message["content"], path.at("content"), result));
  parts.emplace_back(std::move(result));
  return {};
}

base::Status read_message(Value message, const Path& path, LegacyCalls& legacy, Request& out) {
  if (!message.is_object()) return wrong_type(path, "an object", message);
  FH_TRY(const std::string role, required_string(message, "role", path));
  FH_TRY_VOID(optional_string(message, "name", path));
  Message made;
  if (role == "assistant") {
    made.role = Role::Assistant;
    FH_TRY_VOID(read_assistant(message, path, legacy, made.parts, out.demands));
  } else if (role == "tool" || role == "function") {
    made.role = Role::Tool;
    FH_TRY_VOID(read_tool_message(message, path, role == "function", legacy, made.parts));
  } else if (role == "system" || role == "developer" || role == "user") {
    made.role = role == "user" ? Role::User : Role::System;
    const Value content = message["content"];
    const Path content_path = path.at("content");
    if (!content.exists()) {
      return wrong_type(content_path, "a string or an array of parts", content);
    }
    FH_TRY_VOID(read_content(content, content_path, made.parts, &out.demands));
    if (made.role == Role::System && made.parts.empty()) return {};
  } else {
    return wrong(path.at("role"),
                 "must be one of: system, developer, user, assistant, tool, function");
  }
  out.generation.conversation.messages.push_back(std::move(made));
  return {};
}

}  // namespace

base::Result<std::string> text_or_empty(Value object, std::string_view key, const Path& path) {
  FH_TRY(auto text, optional_string(object, key, path));
  return std::move(text).value_or(std::string());
}

base::Status read_content(Value content, const Path& path, std::vector<Part>& parts,
                          Demands* demands) {
  if (content.is_null()) return {};
  if (content.is_string()) {
    append_text(parts, std::string(*content.as_string()));
    return {};
  }
  if (!content.is_array()) return wrong_type(path, "a string or an array of parts", content);
  std::size_t index = 0;
  for (const Value part : content.elements()) {
    FH_TRY_VOID(read_part(part, path.at(index++), parts, demands));
  }
  return {};
}

base::Status read_result_content(Value content, const Path& path, domain::ToolResultPart& out) {
  std::vector<Part> parts;
  FH_TRY_VOID(read_content(content, path, parts, nullptr));
  for (Part& part : parts) {
    if (auto* image = std::get_if<domain::ImagePart>(&part)) {
      out.images.push_back(std::move(*image));
      continue;
    }
    std::string text;
    if (auto* plain = std::get_if<domain::TextPart>(&part)) {
      text = std::move(plain->text);
    } else if (const auto* opaque = std::get_if<domain::OpaquePart>(&part)) {
      text = "[" + opaque->kind + ": not readable by this model]";
    }
    if (!text.empty() && !out.text.empty()) out.text += '\n';
    out.text += text;
  }
  return {};
}

base::Status read_messages(Value messages, const Path& path, Request& out) {
  if (messages.size() == 0) return wrong(path, "at least one message is required");
  if (messages.size() > kMessagesMax) {
    return wrong(path, fmt::format("at most {} messages are possible", kMessagesMax));
  }
  LegacyCalls legacy;
  std::size_t index = 0;
  for (const Value message : messages.elements()) {
    FH_TRY_VOID(read_message(message, path.at(index++), legacy, out));
  }
  return {};
}

}  // namespace fh::dialects::openai_chat
