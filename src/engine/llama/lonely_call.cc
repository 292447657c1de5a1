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
      if (c == '{' && begin_another()) return object(c);
      if (!fenced_ || closing_ == 3 || c != '`') return false;
      ++closing_;
      return true;
  }
  return false;
}

bool LonelyCall::begin_another() {
  if (!fences_ || !fenced_ || closing_ > 0) return false;
  std::optional<Call> done = call();
  if (!done) return false;
  earlier_.push_back(*std::move(done));
  scanner_ = {};
  at_ = At::Object;
  return true;
}

std::optional<LonelyCall::Call> LonelyCall::complete() const {
  if (at_ != At::Tail || (fenced_ && closing_ != 3)) return std::nullopt;
  return call();
}

std::vector<LonelyCall::Call> LonelyCall::whole() const {
  std::vector<Call> calls = earlier_;
  std::optional<Call> last = at_ == At::Tail ? call() : std::nullopt;
  if (last) calls.push_back(*std::move(last));
  return calls;
}

std::optional<LonelyCall::Call> LonelyCall::call() const {
  const CallView view = view_call(scanner_, true);
  if (!view.possible || !view.name || view.arguments == nullptr) return std::nullopt;
  const ToolRule* tool = find_tool(tools_, *view.name);
  if (tool == nullptr) return std::nullopt;
  Call out{*view.name, std::string(scanner_.value_text(*view.arguments))};
  const auto document = codec::json::Document::parse(out.arguments);
  if (!document) return std::nullopt;
  const bool fits =
      tool->schema == nullptr || tool->schema->accepts(document->root()) ||
      (fences_ && fenced_ && !tool->strict && tool->schema->names_members_of(document->root()));
  return fits ? std::optional(std::move(out)) : std::nullopt;
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
