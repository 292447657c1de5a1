// See lonely_call.h.
#include "engine/llama/lonely_call.h"

#include "engine/llama/marker_text.h"

namespace fh::engine::llama {

bool LonelyCall::push(char c) {
  switch (at_) {
    case At::Lead:
      if (is_space(c)) return true;
      if (c == '`') {
        at_ = At::Ticks;
        ticks_ = 1;
        return true;
      }
      at_ = At::Object;
      return object(c);
    case At::Ticks:
      if (ticks_ < 3) return c == '`' && ++ticks_ > 0;
      if (c == '`') return false;
      at_ = At::Language;
      return push(c);
    case At::Language:
      if (c == '\n') {
        fenced_ = true;
        at_ = At::Object;
        return language_.empty() || language_ == "json" || language_ == "tool_call";
      }
      if (c != '\r' && c != ' ') language_ += c;
      return language_.size() < 12;
    case At::Object: return object(c);
    case At::Tail:
      if (is_space(c)) return true;
      if (!fenced_ || closing_ == 3 || c != '`') return false;
      ++closing_;
      return true;
  }
  return false;
}

bool LonelyCall::complete(std::string& name, std::string& arguments) const {
  if (at_ != At::Tail || (fenced_ && closing_ != 3)) return false;
  const CallView view = view_call(scanner_, true);
  if (!view.possible || !view.name || view.arguments == nullptr) return false;
  const ToolRule* tool = find_tool(tools_, *view.name);
  if (tool == nullptr) return false;
  name = *view.name;
  arguments = scanner_.value_text(*view.arguments);
  const auto document = codec::json::Document::parse(arguments);
  return document && (tool->schema == nullptr || tool->schema->accepts(document->root()));
}

bool LonelyCall::object(char c) {
  const std::size_t members = scanner_.members().size();
  const auto state = scanner_.push(c);
  if (state == ObjectScanner::State::Bad) return false;
  if (state == ObjectScanner::State::Done) at_ = At::Tail;
  // Look closer only where something new is known: at the end of a key or of a value.
  if (members == scanner_.members().size() && c != '"' && c != '}' && c != '{') return true;
  const CallView view = view_call(scanner_, true);
  return view.possible && (!view.name || find_tool(tools_, *view.name) != nullptr);
}

}  // namespace fh::engine::llama
