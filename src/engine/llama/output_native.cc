// Streaming on top of common_chat_parse.
#include "engine/llama/output_native.h"

#include <chat.h>

#include <optional>
#include <utility>

#include "codec/json.h"
#include "engine/llama/output_marker.h"

namespace fh::engine::llama {
namespace {

using domain::EndReason;
using domain::Event;

std::size_t without_trailing_space(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \n\t\r");
  return last == std::string_view::npos ? 0 : last + 1;
}

class NativeParser final : public OutputParser {
 public:
  NativeParser(NativeOptions options, base::Random& random)
      : options_(std::move(options)), random_(random) {}

  std::vector<Event> feed(std::string_view utf8,
                          std::vector<domain::TokenLogprob> logprobs) override {
    text_ += utf8;
    for (auto& entry : logprobs) logprobs_.push_back(std::move(entry));
    if (const auto message = parse(true)) take(*message, false);
    return std::exchange(out_, {});
  }

  std::vector<Event> finish(EndReason& reason) override {
    const bool cut = reason != EndReason::Complete && reason != EndReason::Stop;
    auto message = parse(cut);
    const bool followed = message.has_value();
    if (!followed && !cut) message = parse(true);
    if (message) take(*message, true);
    if (!followed && reasoning_.empty() && content_.empty() && calls_ == 0) {
      emit_text(text_);  // the format was not followed at all: the answer is what was written
    }
    // A call that was cut off inside its arguments is closed, but it is no call to act on.
    // Cut by a limit it stays open, which tells the writers.
    const bool whole = is_object(arguments_);
    if (open_ && (whole || !cut)) end_call(whole);
    if (!trailing_text_.empty()) emit_text(std::exchange(trailing_text_, {}));
    const bool may_turn = !cut || reason == EndReason::Length || reason == EndReason::ContextFull;
    if (ends_with_call_ && may_turn) reason = EndReason::ToolCall;
    return std::exchange(out_, {});
  }

  bool in_reasoning() const override { return thinking_; }
  bool made_call() const override { return made_ > 0; }

 private:
  std::optional<common_chat_msg> parse(bool partial) const {
    try {
      return common_chat_parse(options_.prefill + text_, partial, *options_.syntax);
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }

  static bool is_object(std::string_view json) {
    const auto document = codec::json::Document::parse(json);
    return document && document->root().is_object();
  }

  // Gives out what the new result has beyond what was given out.
  void take(const common_chat_msg& message, bool last) {
    const std::string& thought = message.reasoning_content;
    const std::size_t sure = last ? thought.size() : without_trailing_space(thought);
    if (content_.empty() && calls_ == 0 && sure > reasoning_.size() &&
        thought.starts_with(reasoning_)) {
      out_.emplace_back(
          domain::ReasoningDelta{thought.substr(reasoning_.size(), sure - reasoning_.size())});
      reasoning_ = thought.substr(0, sure);
    }
    std::string_view content = message.content;
    if (content.starts_with(options_.prefill)) content.remove_prefix(options_.prefill.size());
    const bool has_calls = options_.calls && !message.tool_calls.empty();
    thinking_ = !thought.empty() && content.empty() && !has_calls;
    take_content(content, last, has_calls);
    if (!has_calls) return;
    for (std::size_t i = 0; i < message.tool_calls.size(); ++i) {
      if (i > 0 && !options_.parallel) break;
      take_call(message.tool_calls[i], i, last || i + 1 < message.tool_calls.size());
    }
  }

  void take_content(std::string_view content, bool last, bool has_calls) {
    if (content.size() <= content_.size() || !content.starts_with(content_)) return;
    // White space before a call is not text; until the end it is not known whether a call follows.
    const std::size_t sure = last && !has_calls ? content.size() : without_trailing_space(content);
    if (sure <= content_.size()) return;
    const std::string fresh(content.substr(content_.size(), sure - content_.size()));
    content_ = content.substr(0, sure);
    if (calls_ > 0) {
      trailing_text_ += fresh;  // never between the parts of a call
    } else {
      emit_text(fresh);
    }
  }

  void take_call(const common_chat_tool_call& call, std::size_t index, bool complete) {
    if (index < calls_ && !(open_ && index + 1 == calls_)) return;  // given out already
    if (call.name.empty()) return;
    if (index >= calls_) {
      if (open_) end_call(true);
      ++calls_;
      open_ = true;
      arguments_.clear();
      ends_with_call_ = false;
      out_.emplace_back(domain::ToolCallStart{make_call_id(random_), call.name});
    }
    if (call.arguments.size() > arguments_.size() && call.arguments.starts_with(arguments_)) {
      out_.emplace_back(domain::ToolCallDelta{call.arguments.substr(arguments_.size())});
      arguments_ = call.arguments;
    }
    if (complete && is_object(arguments_)) end_call(true);
  }

  void end_call(bool whole) {
    if (arguments_.empty()) {
      out_.emplace_back(domain::ToolCallDelta{"{}"});
      whole = true;
    }
    out_.emplace_back(domain::ToolCallEnd{});
    open_ = false;
    ends_with_call_ = whole;
    made_ += whole ? 1 : 0;
  }

  void emit_text(std::string text) {
    if (text.empty()) return;
    out_.emplace_back(domain::TextDelta{std::move(text), std::exchange(logprobs_, {})});
    ends_with_call_ = false;
  }

  NativeOptions options_;
  base::Random& random_;
  std::string text_;
  std::string reasoning_;  // given out
  std::string content_;    // given out or waiting in trailing_text_
  std::string trailing_text_;
  std::string arguments_;  // of the open call, given out
  std::vector<domain::TokenLogprob> logprobs_;
  std::vector<Event> out_;
  std::size_t calls_ = 0;
  std::size_t made_ = 0;
  bool open_ = false;
  bool thinking_ = false;
  bool ends_with_call_ = false;
};

}  // namespace

std::unique_ptr<OutputParser> make_native_parser(NativeOptions options, base::Random& random) {
  return std::make_unique<NativeParser>(std::move(options), random);
}

}  // namespace fh::engine::llama
