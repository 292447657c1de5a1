// Control tokens that are none; see special_text.h.
#include "engine/llama/special_text.h"

#include <llama.h>

#include <algorithm>
#include <utility>

#include "codec/json.h"
#include "codec/utf8.h"

namespace fh::engine::llama {
namespace {

// Two noncharacters of Unicode: no text has a use for them.
constexpr std::string_view kMark = "\xEF\xB7\x90\xEF\xB7\x91";

// How a template gets a text: as it is, or as the JSON of values that it prints in its own way.
enum class Form : std::uint8_t { Plain, Json };

// `visit` gets every text, to read or to change, as the conversation allows.
template <typename Conversation, typename Visit>
void visit_texts(Conversation& conversation, Visit visit) {
  for (auto& message : conversation.messages) {
    for (auto& part : message.parts) {
      if (auto* text = std::get_if<domain::TextPart>(&part)) {
        visit(text->text, Form::Plain);
      } else if (auto* thought = std::get_if<domain::ReasoningPart>(&part)) {
        visit(thought->text, Form::Plain);
      } else if (auto* call = std::get_if<domain::ToolCallPart>(&part)) {
        visit(call->id, Form::Plain);
        visit(call->name, Form::Plain);
        visit(call->arguments_json, Form::Json);
      } else if (auto* result = std::get_if<domain::ToolResultPart>(&part)) {
        visit(result->tool_call_id, Form::Plain);
        visit(result->name, Form::Plain);
        visit(result->text, Form::Plain);
      }
    }
  }
  for (auto& tool : conversation.tools) {
    visit(tool.name, Form::Plain);
    visit(tool.description, Form::Plain);
    visit(tool.parameters_json, Form::Json);
  }
}

// The texts of an assistant's message are put together without anything between them.
std::string joined_texts(const domain::Message& message) {
  std::string out;
  if (message.role != domain::Role::Assistant) return out;
  for (const auto& part : message.parts) {
    if (const auto* text = std::get_if<domain::TextPart>(&part)) out += text->text;
  }
  return out;
}

void set_joined_texts(domain::Message& message, std::string joined) {
  for (auto& part : message.parts) {
    if (auto* text = std::get_if<domain::TextPart>(&part)) text->text = std::exchange(joined, {});
  }
}

// Only these escapes can spell a letter or a sign that a control token is made of.
bool has_spelling_escapes(std::string_view json) {
  return json.find("\\u") != std::string_view::npos || json.find("\\/") != std::string_view::npos;
}

// The end of the JSON string that begins at `at`, behind its quote.
std::size_t string_end(std::string_view json, std::size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return std::min(at + 1, json.size());
}

}  // namespace

SpecialTexts::SpecialTexts(std::vector<std::string> texts) : texts_(std::move(texts)) {
  std::erase_if(
      texts_, [](const std::string& text) { return text.size() < 2 || !codec::utf8::valid(text); });
  std::ranges::sort(texts_);
  for (const std::string& text : texts_) firsts_.set(static_cast<unsigned char>(text[0]));
}

SpecialTexts SpecialTexts::of(const llama_vocab* vocab) {
  std::vector<std::string> texts;
  const std::int32_t count = vocab == nullptr ? 0 : llama_vocab_n_tokens(vocab);
  for (llama_token token = 0; token < count; ++token) {
    const auto attributes = static_cast<unsigned>(llama_vocab_get_attr(vocab, token));
    constexpr unsigned kControl = LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN;
    const char* text = llama_vocab_get_text(vocab, token);
    if ((attributes & kControl) != 0 && text != nullptr) texts.emplace_back(text);
  }
  return SpecialTexts(std::move(texts));
}

std::size_t SpecialTexts::begins(std::string_view text) const {
  if (!firsts_.test(static_cast<unsigned char>(text[0]))) return 0;
  // Of those that begin it, the shorter sort first; breaking up the first breaks them all, for
  // they share their first character.
  const auto same_start = [&](const std::string& one, std::string_view start) {
    return std::string_view(one).substr(0, start.size()) < start;
  };
  const std::string_view start = text.substr(0, 2);
  for (auto it = std::lower_bound(texts_.begin(), texts_.end(), start, same_start);
       it != texts_.end() && it->starts_with(start); ++it) {
    if (text.starts_with(*it)) return it->size();
  }
  return 0;
}

bool SpecialTexts::found_in(std::string_view text) const {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (begins(text.substr(i)) > 0) return true;
  }
  return false;
}

std::string SpecialTexts::broken_up(std::string_view text) const {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t unit = codec::utf8::first_sequence(text.substr(at)).size_bytes;
    const bool special = begins(text.substr(at)) > 0;
    out += text.substr(at, unit);
    if (special) out += kMark;
    at += unit;
  }
  return out;
}

std::string SpecialTexts::broken_up_json(std::string_view json) const {
  if (!has_spelling_escapes(json) || !codec::json::Document::parse(json)) return broken_up(json);
  std::string out;
  for (std::size_t at = 0; at < json.size();) {
    if (json[at] != '"') {
      out += json[at++];
      continue;
    }
    const std::size_t end = string_end(json, at);
    const std::string_view literal = json.substr(at, end - at);
    at = end;
    const auto document = codec::json::Document::parse(literal);
    const auto text = document ? document->root().as_string() : std::nullopt;
    if (text && found_in(*text)) {
      codec::json::append_string(out, broken_up(*text));
    } else {
      out += literal;
    }
  }
  return out;
}

std::optional<domain::Conversation> SpecialTexts::broken_up(
    const domain::Conversation& conversation) const {
  if (texts_.empty()) return std::nullopt;
  bool found = false;
  visit_texts(conversation, [&](const std::string& text, Form form) {
    found = found || found_in(text) ||
            (form == Form::Json && has_spelling_escapes(text) && broken_up_json(text) != text);
  });
  for (const auto& message : conversation.messages) {
    found = found || found_in(joined_texts(message));
  }
  if (!found) return std::nullopt;
  domain::Conversation out = conversation;
  for (auto& message : out.messages) {
    std::string joined = joined_texts(message);
    if (found_in(joined)) set_joined_texts(message, std::move(joined));
  }
  visit_texts(out, [&](std::string& text, Form form) {
    if (form == Form::Json) {
      text = broken_up_json(text);
    } else if (found_in(text)) {
      text = broken_up(text);
    }
  });
  return out;
}

std::vector<std::string_view> prompt_pieces(std::string_view prompt) {
  std::vector<std::string_view> pieces;
  for (std::size_t mark = prompt.find(kMark); mark != std::string_view::npos;
       mark = prompt.find(kMark)) {
    pieces.push_back(prompt.substr(0, mark));
    prompt.remove_prefix(mark + kMark.size());
  }
  pieces.push_back(prompt);
  return pieces;
}

}  // namespace fh::engine::llama
