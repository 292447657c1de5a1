// A Responses `input` sent to Chat Completions. Some editors post their Responses body to this
// route and expect chat chunks back. Items become the same canonical conversation; kinds of item
// that hold nothing for a model here (item references, hosted tools' calls) are left out.

#include <utility>

#include "dialects/content.h"
#include "dialects/custom_input.h"
#include "dialects/ids.h"
#include "dialects/openai_chat/messages.h"

namespace fh::dialects::openai_chat {
namespace {

using domain::Message;
using domain::Part;
using domain::Role;

base::Status read_message_item(Value item, const Path& path, std::vector<Message>& out,
                               Demands& demands) {
  FH_TRY(const std::string role, required_string(item, "role", path));
  Message made;
  if (role == "assistant") {
    made.role = Role::Assistant;
  } else if (role == "system" || role == "developer") {
    made.role = Role::System;
  } else if (role != "user") {
    return wrong(path.at("role"), "must be one of: user, assistant, system, developer");
  }
  FH_TRY_VOID(read_content(item["content"], path.at("content"), made.parts, &demands));
  if (made.role != Role::System || !made.parts.empty()) out.push_back(std::move(made));
  return {};
}

// Reasoning and calls are items of their own there, parts of one assistant message here.
void append_to_assistant(Part part, bool starts_turn, std::vector<Message>& out) {
  if (starts_turn || out.empty() || out.back().role != Role::Assistant) {
    out.push_back({Role::Assistant, {}});
  }
  out.back().parts.push_back(std::move(part));
}

base::Status read_call_item(Value item, bool custom, const Path& path, std::vector<Message>& out) {
  domain::ToolCallPart call;
  FH_TRY(const std::string id, required_string(item, "call_id", path));
  call.id = internal_tool_id(id);
  FH_TRY(call.name, required_string(item, "name", path));
  FH_TRY(const std::string text, text_or_empty(item, custom ? "input" : "arguments", path));
  call.arguments_json = custom ? custom_arguments(text) : arguments_object(text);
  append_to_assistant(std::move(call), false, out);
  return {};
}

base::Status read_output_item(Value item, const Path& path, std::vector<Message>& out) {
  domain::ToolResultPart result;
  FH_TRY(const std::string id, required_string(item, "call_id", path));
  result.tool_call_id = internal_tool_id(id);
  FH_TRY_VOID(read_result_content(item["output"], path.at("output"), result));
  Message message{Role::Tool, {}};
  message.parts.emplace_back(std::move(result));
  out.push_back(std::move(message));
  return {};
}

void read_reasoning_item(Value item, std::vector<Message>& out) {
  std::string text;
  for (const Value part : item["content"].elements()) {
    if (part["text"].is_string()) text += *part["text"].as_string();
  }
  if (!text.empty()) append_to_assistant(domain::ReasoningPart{std::move(text), {}}, true, out);
}

base::Status read_item(Value item, const Path& path, std::vector<Message>& out, Demands& demands) {
  if (!item.is_object()) return wrong_type(path, "an object", item);
  FH_TRY(const auto type, optional_string(item, "type", path));
  if (!type || *type == "message") return read_message_item(item, path, out, demands);
  if (*type == "function_call") return read_call_item(item, false, path, out);
  if (*type == "custom_tool_call") return read_call_item(item, true, path, out);
  if (*type == "function_call_output" || *type == "custom_tool_call_output") {
    return read_output_item(item, path, out);
  }
  if (*type == "reasoning") read_reasoning_item(item, out);
  return {};
}

// A turn that begins with reasoning goes on with the assistant's text: one message.
void join_reasoning(std::vector<Message>& messages) {
  std::vector<Message> joined;
  for (Message& message : messages) {
    const bool after_reasoning =
        !joined.empty() && joined.back().role == Role::Assistant &&
        joined.back().parts.size() == 1 &&
        std::holds_alternative<domain::ReasoningPart>(joined.back().parts.front());
    if (after_reasoning && message.role == Role::Assistant) {
      for (Part& part : message.parts) joined.back().parts.push_back(std::move(part));
    } else {
      joined.push_back(std::move(message));
    }
  }
  messages = std::move(joined);
}

}  // namespace

base::Status read_input(Value root, const Path& path, Request& request) {
  domain::Conversation& out = request.generation.conversation;
  FH_TRY(std::string instructions, text_or_empty(root, "instructions", path));
  if (!instructions.empty()) {
    Message message{Role::System, {}};
    append_text(message.parts, std::move(instructions));
    out.messages.push_back(std::move(message));
  }
  const Value input = root["input"];
  const Path input_path = path.at("input");
  if (input.is_string()) {
    Message message{Role::User, {}};
    append_text(message.parts, std::string(*input.as_string()));
    out.messages.push_back(std::move(message));
    return {};
  }
  if (!input.is_array()) return wrong_type(input_path, "a string or an array of items", input);
  std::vector<Message> messages;
  std::size_t index = 0;
  for (const Value item : input.elements()) {
    FH_TRY_VOID(read_item(item, input_path.at(index++), messages, request.demands));
  }
  if (messages.empty()) return wrong(input_path, "at least one message is required");
  join_reasoning(messages);
  for (Message& message : messages) out.messages.push_back(std::move(message));
  return {};
}

}  // namespace fh::dialects::openai_chat
