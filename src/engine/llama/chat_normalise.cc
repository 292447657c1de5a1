// Conversation to template messages: parts to text, system messages in place, roles as the template
// wants them.
#include "engine/llama/chat_normalise.h"

#include <algorithm>

#include "engine/llama/tool_call.h"

namespace fh::engine::llama {
namespace {

using domain::Role;

void append_block(std::string& out, std::string_view text, std::string_view separator = "\n") {
  if (!out.empty() && !text.empty()) out += separator;
  out += text;
}

// The text blocks of the first system message without the billing line.
std::vector<std::string_view> system_blocks(const domain::Message& message, bool first) {
  std::vector<std::string_view> out;
  for (const auto& part : message.parts) {
    if (const auto* text = std::get_if<domain::TextPart>(&part)) out.push_back(text->text);
  }
  if (!first || out.empty() || !out[0].starts_with(kBillingPrefix)) return out;
  const std::size_t line = out[0].find('\n');
  if (out.size() > 1 || line == std::string_view::npos) {
    out.erase(out.begin());
  } else {
    out[0].remove_prefix(line + 1);
    while (out[0].starts_with('\n')) out[0].remove_prefix(1);
  }
  return out;
}

// Nine letters and digits that depend on the id alone (FNV-1a).
std::string short_id(std::string_view id) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  std::string out;
  for (int i = 0; i < 9; ++i, hash /= 36) {
    const auto digit = static_cast<char>(hash % 36);
    out += static_cast<char>(digit < 10 ? '0' + digit : 'a' + digit - 10);
  }
  return out;
}

// Arguments that are no JSON object (an answer that was cut off and sent back) are kept as one
// string member.
std::string sound_arguments(const std::string& text) {
  if (text.empty()) return "{}";
  const auto document = codec::json::Document::parse(text);
  if (document && document->root().is_object()) return text;
  codec::json::Writer out;
  out.object().member("unreadable", text).end_object();
  return out.take();
}

class Normaliser {
 public:
  Normaliser(const domain::Conversation& conversation, const Profile& profile, bool describe)
      : conversation_(conversation),
        profile_(profile),
        described_(profile.tools == ToolFormat::Described),
        describe_(describe) {}

  base::Result<NormalConversation> run() {
    const auto& messages = conversation_.messages;
    if (describe_) put_system(describe_tools(conversation_.tools), true);
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (auto error = add(messages[i], i)) return std::unexpected(*error);
    }
    if (out_.messages.empty()) return base::fail_field("messages", "there is no message to answer");
    if (profile_.system_leads) lead_with_system();
    take_prefill();
    arrange();
    return std::move(out_);
  }

 private:
  static base::Error refuse(std::size_t index, std::string_view what) {
    return base::fail_field("messages." + std::to_string(index),
                            "this model cannot take content of type " + std::string(what),
                            what == "image" ? "images_unsupported" : "content_unsupported")
        .error();
  }

  std::optional<base::Error> add(const domain::Message& message, std::size_t index) {
    for (const auto& part : message.parts) {
      if (std::holds_alternative<domain::ImagePart>(part)) return refuse(index, "image");
      if (const auto* opaque = std::get_if<domain::OpaquePart>(&part)) {
        return refuse(index, opaque->kind);
      }
      const auto* result = std::get_if<domain::ToolResultPart>(&part);
      if (result != nullptr && !result->images.empty()) return refuse(index, "image");
    }
    switch (message.role) {
      case Role::System: {
        std::string text;
        for (const auto block : system_blocks(message, index == 0)) append_block(text, block);
        if (!text.empty()) put_system(std::move(text), false);
        break;
      }
      case Role::Assistant: put_assistant(message); break;
      case Role::User:
      case Role::Tool: put_user(message); break;
    }
    return std::nullopt;
  }

  // At the very start it is the system message; later it stays where it is, or becomes a tagged
  // text of the user.
  void put_system(std::string text, bool tools) {
    auto& messages = out_.messages;
    if (tools_only_) {
      // The description of the tools opens the conversation; the first system text goes in front of
      // it.
      tools_only_ = false;
      if (messages.size() == 1) {
        std::string& first = messages[0].text;
        first = profile_.system_first ? text + "\n\n" + first
                                      : tagged(text + "\n\n" + describe_tools(conversation_.tools));
        return;
      }
    }
    tools_only_ = tools;
    const bool first = messages.empty();
    if (first ? profile_.system_first : profile_.system_anywhere) {
      push("system", std::move(text));
    } else {
      push("user", tagged(text));
    }
  }

  static std::string tagged(const std::string& text) { return "<system>\n" + text + "\n</system>"; }

  void push(std::string role, std::string text) {
    PromptMessage message;
    message.role = std::move(role);
    message.text = std::move(text);
    out_.messages.push_back(std::move(message));
  }

  void put_assistant(const domain::Message& message) {
    PromptMessage out;
    out.role = "assistant";
    for (const auto& part : message.parts) {
      if (const auto* text = std::get_if<domain::TextPart>(&part)) {
        out.text += text->text;
      } else if (const auto* thought = std::get_if<domain::ReasoningPart>(&part)) {
        append_block(out.reasoning, thought->text);
      } else if (const auto* call = std::get_if<domain::ToolCallPart>(&part)) {
        const std::string arguments = sound_arguments(call->arguments_json);
        if (described_) {
          append_block(out.text, call_text(call->name, arguments));
          text_calls_ = true;
        } else {
          out.calls.push_back({call_id(call->id), call->name, arguments});
        }
      }
    }
    if (!profile_.history_reasoning && &message != &conversation_.messages.back()) {
      out.reasoning.clear();
    }
    last_has_calls_ = !out.calls.empty() || std::exchange(text_calls_, false);
    out_.messages.push_back(std::move(out));
  }

  void put_user(const domain::Message& message) {
    std::string text;
    for (const auto& part : message.parts) {
      if (const auto* own = std::get_if<domain::TextPart>(&part)) append_block(text, own->text);
      const auto* result = std::get_if<domain::ToolResultPart>(&part);
      if (result == nullptr) continue;
      const std::string body = (result->is_error ? "Error: " : "") + result->text;
      if (described_) {
        append_block(text, "<tool_response>\n" + body + "\n</tool_response>");
        continue;
      }
      if (!text.empty()) push("user", std::exchange(text, {}));
      PromptMessage out;
      out.role = "tool";
      out.text = body;
      out.tool_call_id = call_id(result->tool_call_id);
      out.tool_name = result->name;
      out_.messages.push_back(std::move(out));
    }
    const bool only_results = message.role == Role::Tool && !described_;
    if (!text.empty() || !only_results) push("user", std::move(text));
  }

  // Each system text goes in front of the user's turn, or of the tools' results, that it directly
  // follows. Where it goes depends on nothing that comes after it: what was rendered once stays a
  // beginning of the longer conversation.
  void lead_with_system() {
    auto& messages = out_.messages;
    for (std::size_t i = 1; i < messages.size(); ++i) {
      if (messages[i].role != "system") continue;
      std::size_t to = i;
      if (messages[to - 1].role == "user") {
        --to;
      } else {
        while (to > 0 && messages[to - 1].role == "tool") --to;
      }
      const auto begin = messages.begin();
      std::rotate(begin + static_cast<std::ptrdiff_t>(to), begin + static_cast<std::ptrdiff_t>(i),
                  begin + static_cast<std::ptrdiff_t>(i + 1));
    }
  }

  std::string call_id(const std::string& id) const {
    return profile_.short_call_ids ? short_id(id) : id;
  }

  void take_prefill() {
    PromptMessage& last = out_.messages.back();
    if (last.role != "assistant" || last_has_calls_) return;
    out_.continues = true;
    out_.prefill_reasoning = std::move(last.reasoning);
    out_.prefill_text = std::move(last.text);
    out_.messages.pop_back();
  }

  // Roles in an order that the template takes.
  void arrange() {
    std::vector<PromptMessage> arranged;
    for (auto& message : out_.messages) {
      const bool start = arranged.empty() || arranged.back().role == "system";
      if (start && message.role == "assistant" && !profile_.assistant_first) {
        arranged.emplace_back();
        arranged.back().role = "user";
        arranged.back().text = "(The conversation begins with the assistant.)";
      }
      if (!arranged.empty() && joins(arranged.back(), message)) {
        PromptMessage& last = arranged.back();
        append_block(last.text, message.text, "\n\n");
        append_block(last.reasoning, message.reasoning);
        last.calls.insert(last.calls.end(), message.calls.begin(), message.calls.end());
      } else {
        arranged.push_back(std::move(message));
      }
    }
    if (arranged.empty()) {
      // Nothing but a prefill: templates want somebody to have asked.
      arranged.emplace_back();
      arranged.back().role = "user";
      arranged.back().text = "(The conversation begins with the assistant.)";
    }
    out_.messages = std::move(arranged);
  }

  bool joins(const PromptMessage& last, const PromptMessage& next) const {
    if (last.role == "tool" && next.role == "user") return !profile_.user_after_tool;
    return last.role == next.role && last.role != "tool" && last.role != "system" &&
           !profile_.repeats;
  }

  const domain::Conversation& conversation_;
  const Profile& profile_;
  bool described_;
  bool describe_;
  bool tools_only_ = false;
  bool text_calls_ = false;
  bool last_has_calls_ = false;
  NormalConversation out_;
};

}  // namespace

base::Result<NormalConversation> normalise(const domain::Conversation& conversation,
                                           const Profile& profile, bool describe) {
  return Normaliser(conversation, profile, describe).run();
}

}  // namespace fh::engine::llama
