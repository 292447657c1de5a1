// The canonical form of a conversation; see content.h.

#include "dialects/content.h"

#include <algorithm>
#include <unordered_map>

#include "codec/json.h"

namespace fh::dialects {

using domain::ImagePart;
using domain::Part;

void append_text(std::vector<Part>& parts, std::string text) {
  if (!text.empty()) parts.emplace_back(domain::TextPart{std::move(text)});
}

std::optional<ImagePart> image_from_url(std::string_view url) {
  ImagePart image;
  constexpr std::string_view kData = "data:";
  if (!url.starts_with(kData)) {
    image.url = url;
    return image;
  }
  url.remove_prefix(kData.size());
  const std::size_t comma = url.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const std::string_view head = url.substr(0, comma);
  constexpr std::string_view kBase64 = ";base64";
  if (!head.ends_with(kBase64)) return std::nullopt;
  // Parameters before ";base64" (a charset, a file name) say nothing about an image.
  image.media_type = head.substr(0, head.find(';'));
  image.base64 = url.substr(comma + 1);
  return image;
}

std::string arguments_object(std::string_view arguments) {
  const bool blank = arguments.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (blank) return "{}";
  const auto document = codec::json::Document::parse(arguments);
  if (document && document->root().is_object()) return std::string(document->root().raw());
  std::string wrapped = R"({"input":)";
  codec::json::append_string(wrapped, arguments);
  wrapped += '}';
  return wrapped;
}

void link_tool_results(domain::Conversation& conversation) {
  std::unordered_map<std::string, std::string> names;
  for (domain::Message& message : conversation.messages) {
    for (Part& part : message.parts) {
      if (const auto* call = std::get_if<domain::ToolCallPart>(&part)) {
        names[call->id] = call->name;
      } else if (auto* result = std::get_if<domain::ToolResultPart>(&part)) {
        const auto found = names.find(result->tool_call_id);
        if (found != names.end()) result->name = found->second;
      }
    }
  }
}

namespace {

template <typename Test>
bool any_part(const domain::Conversation& conversation, Test test) {
  return std::ranges::any_of(conversation.messages, [&](const domain::Message& message) {
    return std::ranges::any_of(message.parts, test);
  });
}

}  // namespace

bool has_images(const domain::Conversation& conversation) {
  return any_part(conversation,
                  [](const Part& part) { return std::holds_alternative<ImagePart>(part); });
}

bool has_tool_result_images(const domain::Conversation& conversation) {
  return any_part(conversation, [](const Part& part) {
    const auto* result = std::get_if<domain::ToolResultPart>(&part);
    return result != nullptr && !result->images.empty();
  });
}

std::optional<std::string> opaque_kind(const domain::Conversation& conversation) {
  for (const domain::Message& message : conversation.messages) {
    for (const Part& part : message.parts) {
      if (const auto* opaque = std::get_if<domain::OpaquePart>(&part)) return opaque->kind;
    }
  }
  return std::nullopt;
}

void replace_tool_result_images(domain::Conversation& conversation) {
  for (domain::Message& message : conversation.messages) {
    for (Part& part : message.parts) {
      auto* result = std::get_if<domain::ToolResultPart>(&part);
      if (result == nullptr) continue;
      for (std::size_t i = 0; i < result->images.size(); ++i) {
        if (!result->text.empty()) result->text += '\n';
        result->text += "[image: not shown, this model reads text only]";
      }
      result->images.clear();
    }
  }
}

base::Status check_tool_choice(const domain::Conversation& conversation, std::string field) {
  using Mode = domain::ToolChoice::Mode;
  const domain::ToolChoice& choice = conversation.tool_choice;
  if (choice.mode == Mode::Auto || choice.mode == Mode::None) return {};
  if (conversation.tools.empty()) {
    return base::fail_field(std::move(field), "a tool is demanded, but no callable tool is given");
  }
  if (choice.mode == Mode::Required) return {};
  const bool known = std::ranges::any_of(
      conversation.tools, [&](const domain::Tool& tool) { return tool.name == choice.name; });
  if (known) return {};
  return base::fail_field(std::move(field),
                          "names a tool that is not among the callable tools: " + choice.name);
}

}  // namespace fh::dialects
