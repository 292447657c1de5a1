// Content blocks of an Anthropic request to parts; see messages.h. Blocks of kinds that belong to
// the hosted service alone (its server tools and their results in assistant turns) are left out,
// always, so that a session that was begun there continues here with a stable prompt.

#include "dialects/anthropic/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dialects/content.h"
#include "dialects/ids.h"

namespace fh::dialects::anthropic {
namespace {

using domain::Message;
using domain::Part;
using domain::Role;

constexpr std::size_t kMessagesMax = 100'000;

struct Reader {
  domain::Conversation& conversation;
  BlockFacts& facts;
};

base::Result<std::string> text_member(Value block, std::string_view key, const Path& path) {
  const Value value = block[key];
  const auto text = value.is_string() ? value.as_string() : std::nullopt;
  if (!text) return wrong_type(path.at(key), "a string", value);
  return std::string(*text);
}

base::Result<Part> read_image(Value block, const Path& path) {
  FH_TRY(const Value source, required_object(block, "source", path));
  const Path source_path = path.at("source");
  FH_TRY(const std::string type, required_string(source, "type", source_path));
  if (type == "base64") {
    domain::ImagePart image;
    FH_TRY(image.media_type, required_string(source, "media_type", source_path));
    FH_TRY(image.base64, required_string(source, "data", source_path));
    return image;
  }
  if (type == "url") {
    FH_TRY(const std::string url, required_string(source, "url", source_path));
    auto image = image_from_url(url);
    if (!image) return wrong(source_path.at("url"), "a data: URL must be base64");
    return *std::move(image);
  }
  if (type == "file") return domain::OpaquePart{"image file"};
  return wrong(source_path.at("type"), "must be one of: base64, url, file");
}

// The text of a document or search result that consists of text; nullopt for other sources.
base::Result<std::optional<std::string>> document_text(Value block, const Path& path) {
  FH_TRY(const Value source, required_object(block, "source", path));
  const Path source_path = path.at("source");
  FH_TRY(const std::string type, required_string(source, "type", source_path));
  std::string body;
  if (type == "text") {
    FH_TRY(body, text_member(source, "data", source_path));
  } else if (type == "content") {
    const Value content = source["content"];
    if (content.is_string()) {
      body = *content.as_string();
    } else {
      FH_TRY(const Value items, required_array(source, "content", source_path));
      for (const Value item : items.elements()) {
        if (item["type"].as_string() != "text" || !item["text"].is_string()) return std::nullopt;
        body += body.empty() ? "" : "\n";
        body += *item["text"].as_string();
      }
    }
  } else {
    return std::nullopt;
  }
  std::string text;
  for (const std::string_view key : {"title", "context"}) {
    FH_TRY(const auto head, optional_string(block, key, path));
    if (head && !head->empty()) text += *head + "\n";
  }
  return text + body;
}

base::Result<Part> read_document(Value block, const Path& path) {
  FH_TRY(auto text, document_text(block, path));
  if (!text) return domain::OpaquePart{"document"};
  return domain::TextPart{*std::move(text)};
}

base::Result<std::string> search_result_text(Value block, const Path& path) {
  std::string text;
  for (const std::string_view key : {"title", "source"}) {
    FH_TRY(const auto head, optional_string(block, key, path));
    if (head && !head->empty()) text += *head + "\n";
  }
  FH_TRY(const Value items, optional_array(block, "content", path));
  for (const Value item : items.elements()) {
    if (const auto part = item["text"].as_string(); item["text"].is_string() && part) {
      text += *part;
      text += '\n';
    }
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

base::Status read_result_item(Value item, const Path& path, BlockFacts& facts,
                              domain::ToolResultPart& out) {
  if (!item.is_object()) return wrong_type(path, "an object", item);
  FH_TRY(const std::string type, required_string(item, "type", path));
  FH_TRY_VOID(read_cache_control(item, path, facts.retention));
  std::string text;
  if (type == "text") {
    FH_TRY(text, text_member(item, "text", path));
  } else if (type == "image") {
    FH_TRY(Part part, read_image(item, path));
    if (auto* image = std::get_if<domain::ImagePart>(&part)) {
      out.images.push_back(std::move(*image));
      return {};
    }
    text = "[image: not readable here]";
  } else if (type == "search_result") {
    FH_TRY(text, search_result_text(item, path));
  } else if (type == "document") {
    FH_TRY(auto document, document_text(item, path));
    text = document ? *std::move(document) : "[document: not readable by this model]";
  } else if (type == "tool_reference") {
    FH_TRY(const std::string name, required_string(item, "tool_name", path));
    facts.referenced_tools.insert(name);
    text = "[tool available: " + name + "]";
  } else {
    text = "[" + type + ": not readable by this model]";
  }
  if (!text.empty() && !out.text.empty()) out.text += '\n';
  out.text += text;
  return {};
}

base::Result<Part> read_tool_result(Value block, const Path& path, BlockFacts& facts) {
  domain::ToolResultPart result;
  FH_TRY(const std::string id, required_string(block, "tool_use_id", path));
  result.tool_call_id = internal_tool_id(id);
  FH_TRY(const auto is_error, optional_bool(block, "is_error", path));
  result.is_error = is_error.value_or(false);
  const Value content = block["content"];
  const Path content_path = path.at("content");
  if (content.is_string()) {
    result.text = *content.as_string();
  } else if (content.is_array()) {
    std::size_t index = 0;
    for (const Value item : content.elements()) {
      FH_TRY_VOID(read_result_item(item, content_path.at(index++), facts, result));
    }
  } else if (!content.is_null()) {
    return wrong_type(content_path, "a string or an array of blocks", content);
  }
  return result;
}

base::Result<Part> read_tool_use(Value block, const Path& path) {
  domain::ToolCallPart call;
  FH_TRY(const std::string id, required_string(block, "id", path));
  call.id = internal_tool_id(id);
  FH_TRY(call.name, required_string(block, "name", path));
  const Value input = block["input"];
  if (!input.exists() || input.is_null()) {
    call.arguments_json = "{}";
  } else if (input.is_object()) {
    call.arguments_json = input.raw();
  } else {
    return wrong_type(path.at("input"), "an object", input);
  }
  return call;
}

// A signature may be of any origin, altered or empty; it is kept and never checked.
base::Result<Part> read_thinking(Value block, const Path& path) {
  domain::ReasoningPart reasoning;
  FH_TRY(reasoning.text, text_member(block, "thinking", path));
  FH_TRY(const auto signature, optional_string(block, "signature", path));
  reasoning.signature = signature.value_or("");
  return reasoning;
}

bool is_hosted_only(std::string_view type) {
  return type == "server_tool_use" || type == "mcp_tool_use" || type == "container_upload" ||
         (type.ends_with("_tool_result") && type != "tool_result");
}

base::Status read_user_block(Value block, std::string_view type, const Path& path,
                             BlockFacts& facts, std::vector<Part>& parts) {
  if (type == "image") {
    FH_TRY(Part part, read_image(block, path));
    parts.push_back(std::move(part));
  } else if (type == "document") {
    FH_TRY(Part part, read_document(block, path));
    parts.push_back(std::move(part));
  } else if (type == "search_result") {
    FH_TRY(std::string text, search_result_text(block, path));
    append_text(parts, std::move(text));
  } else if (type == "tool_result") {
    FH_TRY(Part part, read_tool_result(block, path, facts));
    parts.push_back(std::move(part));
  } else if (type == "tool_use" || type == "thinking" || type == "redacted_thinking") {
    return wrong(path.at("type"), fmt::format("{} belongs in assistant messages", type));
  } else if (!is_hosted_only(type)) {
    parts.emplace_back(domain::OpaquePart{std::string(type)});
  }
  return {};
}

base::Status read_assistant_block(Value block, std::string_view type, const Path& path,
                                  BlockFacts& facts, std::vector<Part>& parts) {
  if (type == "tool_use") {
    FH_TRY(Part part, read_tool_use(block, path));
    parts.push_back(std::move(part));
  } else if (type == "thinking") {
    FH_TRY(Part part, read_thinking(block, path));
    parts.push_back(std::move(part));
  } else if (type == "redacted_thinking") {
    FH_TRY(std::string data, text_member(block, "data", path));
    parts.emplace_back(domain::ReasoningPart{"", std::move(data)});
  } else if (type == "tool_result") {
    return wrong(path.at("type"), "tool_result belongs in user messages");
  } else if (type == "document") {
    facts.strict.document_in_assistant = true;
    FH_TRY(Part part, read_document(block, path));
    parts.push_back(std::move(part));
  } else if (type == "image") {
    FH_TRY(Part part, read_image(block, path));
    parts.push_back(std::move(part));
  } else if (!is_hosted_only(type)) {
    parts.emplace_back(domain::OpaquePart{std::string(type)});
  }
  return {};
}

base::Status read_block(Value block, Role role, const Path& path, BlockFacts& facts,
                        std::vector<Part>& parts) {
  if (!block.is_object()) return wrong_type(path, "an object", block);
  FH_TRY(const std::string type, required_string(block, "type", path));
  FH_TRY_VOID(read_cache_control(block, path, facts.retention));
  if (type == "text") {
    FH_TRY(std::string text, text_member(block, "text", path));
    FH_TRY(const Value citations, optional_array(block, "citations", path));
    if (role == Role::User && citations.size() > 0) {
      facts.strict.citations_on_user_text = true;
    }
    append_text(parts, std::move(text));
    return {};
  }
  if (role == Role::System) {
    return wrong(path.at("type"), "system messages hold text blocks only");
  }
  const std::size_t before = parts.size();
  FH_TRY_VOID(role == Role::User ? read_user_block(block, type, path, facts, parts)
                                 : read_assistant_block(block, type, path, facts, parts));
  if (parts.size() > before) note_demand(parts.back(), path, facts.demands);
  return {};
}

base::Result<std::vector<Part>> read_content(Value content, Role role, const Path& path,
                                             BlockFacts& facts) {
  std::vector<Part> parts;
  if (content.is_string()) {
    append_text(parts, std::string(*content.as_string()));
    return parts;
  }
  if (!content.is_array()) return wrong_type(path, "a string or an array of blocks", content);
  std::size_t index = 0;
  for (const Value block : content.elements()) {
    FH_TRY_VOID(read_block(block, role, path.at(index++), facts, parts));
  }
  return parts;
}

// Tool results leave the user's message: each becomes a message of its own, in place.
void append_user(std::vector<Part> parts, std::vector<Message>& messages) {
  Message user{Role::User, {}};
  bool split = false;
  for (Part& part : parts) {
    if (!std::holds_alternative<domain::ToolResultPart>(part)) {
      user.parts.push_back(std::move(part));
      continue;
    }
    split = true;
    if (!user.parts.empty()) messages.push_back(std::exchange(user, Message{Role::User, {}}));
    Message tool{Role::Tool, {}};
    tool.parts.push_back(std::move(part));
    messages.push_back(std::move(tool));
  }
  if (!split || !user.parts.empty()) messages.push_back(std::move(user));
}

base::Status read_message(Value message, const Path& path, Reader& reader) {
  if (!message.is_object()) return wrong_type(path, "an object", message);
  FH_TRY(const std::string name, required_string(message, "role", path));
  Role role = Role::User;
  if (name == "assistant") {
    role = Role::Assistant;
  } else if (name == "system") {
    role = Role::System;
  } else if (name != "user") {
    return wrong(path.at("role"), "must be one of: user, assistant, system");
  }
  FH_TRY(auto parts, read_content(message["content"], role, path.at("content"), reader.facts));
  if (role == Role::User) {
    append_user(std::move(parts), reader.conversation.messages);
  } else if (role == Role::Assistant || !parts.empty()) {
    reader.conversation.messages.push_back({role, std::move(parts)});
  }
  return {};
}

}  // namespace

base::Status read_cache_control(Value holder, const Path& path, Retention& retention) {
  FH_TRY(const Value control, optional_object(holder, "cache_control", path));
  if (!control.exists()) return {};
  const Path control_path = path.at("cache_control");
  FH_TRY_VOID(optional_choice(control, "type", control_path, {"ephemeral"}));
  FH_TRY(const auto ttl, optional_choice(control, "ttl", control_path, {"5m", "1h"}));
  const Retention asked = ttl == "1h" ? Retention::Hour1 : Retention::Minutes5;
  retention = std::max(retention, asked);
  return {};
}

base::Status read_system(Value system, domain::Conversation& out, BlockFacts& facts) {
  if (system.is_null()) return {};
  const Path root;
  const Path path = root.at("system");
  Message message{Role::System, {}};
  if (system.is_string()) {
    append_text(message.parts, std::string(strip_billing_line(*system.as_string())));
  } else if (system.is_array()) {
    std::size_t index = 0;
    for (const Value block : system.elements()) {
      const bool billing =
          index == 0 && is_billing_block(block["text"].as_string().value_or(std::string_view()));
      std::vector<Part> ignored;
      auto& parts = billing ? ignored : message.parts;
      FH_TRY_VOID(read_block(block, Role::System, path.at(index++), facts, parts));
    }
  } else {
    return wrong_type(path, "a string or an array of text blocks", system);
  }
  if (!message.parts.empty()) out.messages.push_back(std::move(message));
  return {};
}

base::Status read_messages(Value root, domain::Conversation& out, BlockFacts& facts) {
  const Path top;
  FH_TRY(const Value messages, required_array(root, "messages", top));
  const Path path = top.at("messages");
  if (messages.size() == 0) return wrong(path, "at least one message is required");
  if (messages.size() > kMessagesMax) {
    return wrong(path, fmt::format("at most {} messages are possible", kMessagesMax));
  }
  Reader reader{out, facts};
  std::size_t index = 0;
  for (const Value message : messages.elements()) {
    FH_TRY_VOID(read_message(message, path.at(index++), reader));
  }
  return {};
}

}  // namespace fh::dialects::anthropic
