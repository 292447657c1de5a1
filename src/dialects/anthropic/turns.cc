// Fingerprints of turns and their comparison; see turns.h.

#include "dialects/anthropic/turns.h"

#include <utility>

#include "dialects/model_names.h"

namespace fh::dialects::anthropic {
namespace {

class Print {
 public:
  // Each text goes in with its length, so that texts cannot run into each other.
  void add(std::string_view text) {
    add(static_cast<std::uint64_t>(text.size()));
    for (const char c : text) step(static_cast<unsigned char>(c));
  }
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) {
      step(static_cast<unsigned char>((number >> shift) & 0xff));
    }
  }
  std::uint64_t value() const { return hash_; }

 private:
  void step(unsigned char byte) {
    hash_ ^= byte;
    hash_ *= 0x100000001b3ULL;
  }
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

void add_image(const domain::ImagePart& image, Print& print) {
  print.add(image.media_type);
  print.add(image.base64);
  print.add(image.url);
}

void add_part(const domain::Part& part, Print& print) {
  print.add(static_cast<std::uint64_t>(part.index()));
  if (const auto* text = std::get_if<domain::TextPart>(&part)) {
    print.add(text->text);
  } else if (const auto* image = std::get_if<domain::ImagePart>(&part)) {
    add_image(*image, print);
  } else if (const auto* opaque = std::get_if<domain::OpaquePart>(&part)) {
    print.add(opaque->kind);
  } else if (const auto* reasoning = std::get_if<domain::ReasoningPart>(&part)) {
    print.add(reasoning->text);
  } else if (const auto* call = std::get_if<domain::ToolCallPart>(&part)) {
    print.add(call->id);
    print.add(call->name);
    print.add(call->arguments_json);
  } else if (const auto* result = std::get_if<domain::ToolResultPart>(&part)) {
    print.add(result->tool_call_id);
    print.add(result->text);
    print.add(static_cast<std::uint64_t>(result->is_error));
    for (const domain::ImagePart& shown : result->images) add_image(shown, print);
  }
}

std::string place_of(std::string_view tenant, std::string_view message_id) {
  std::string place(tenant);
  place += '\n';  // neither a project nor an id holds one
  place += message_id;
  return place;
}

}  // namespace

TurnPrint print_of(const Request& request) {
  TurnPrint made;
  made.model = canonical_model_name(request.model);
  const domain::Conversation& conversation = request.generation.conversation;
  Print tools;
  for (const domain::Tool& tool : conversation.tools) {
    tools.add(tool.name);
    tools.add(tool.description);
    tools.add(tool.parameters_json);
  }
  made.tools = tools.value();
  Print system;
  Print messages;
  bool begun = false;
  for (const domain::Message& message : conversation.messages) {
    begun = begun || message.role != domain::Role::System;
    Print& print = begun ? messages : system;
    print.add(static_cast<std::uint64_t>(message.role));
    for (const domain::Part& part : message.parts) add_part(part, print);
    if (begun) made.messages.push_back(messages.value());
  }
  made.system = system.value();
  return made;
}

void TurnMemory::remember(std::string_view tenant, std::string_view message_id,
                          const TurnPrint& print, std::uint64_t prompt_tokens) {
  std::string place = place_of(tenant, message_id);
  Turn turn;
  turn.model = print.model;
  turn.system = print.system;
  turn.tools = print.tools;
  turn.message_count = print.messages.size();
  turn.messages = print.messages.empty() ? 0 : print.messages.back();
  turn.prompt_tokens = prompt_tokens;
  if (turns_.insert_or_assign(place, std::move(turn)).second) order_.push_back(std::move(place));
  while (order_.size() > turns_max_) {
    turns_.erase(order_.front());
    order_.pop_front();
  }
}

std::optional<CacheMiss> TurnMemory::compare(std::string_view tenant,
                                             std::string_view previous_message_id,
                                             const TurnPrint& now) const {
  const auto found = turns_.find(place_of(tenant, previous_message_id));
  if (found == turns_.end()) return CacheMiss{"previous_message_not_found", 0};
  const Turn& before = found->second;
  const auto changed = [&before](std::string_view what) {
    return CacheMiss{std::string(what), before.prompt_tokens};
  };
  if (before.model != now.model) return changed("model_changed");
  if (before.system != now.system) return changed("system_changed");
  if (before.tools != now.tools) return changed("tools_changed");
  if (before.message_count == 0) return std::nullopt;
  const bool goes_on = now.messages.size() >= before.message_count &&
                       now.messages[before.message_count - 1] == before.messages;
  if (!goes_on) return changed("messages_changed");
  return std::nullopt;
}

}  // namespace fh::dialects::anthropic
