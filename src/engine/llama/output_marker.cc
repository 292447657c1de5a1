// The marker parser: a small state machine over the text that is not yet given out. Text waits only
// as long as it may be the beginning of a marker, the white space before one, or a whole answer
// that is a bare JSON call.
#include "engine/llama/output_marker.h"

#include <algorithm>
#include <deque>
#include <iterator>

#include "engine/llama/lonely_call.h"
#include "engine/llama/marker_text.h"

namespace fh::engine::llama {
namespace {

using domain::EndReason;
using domain::Event;

constexpr std::string_view kFence = "```";
constexpr std::size_t kChunkBytes = 120;  // of arguments that were held back and now leave together

bool cut_short(EndReason reason) {
  return reason != EndReason::Complete && reason != EndReason::Stop &&
         reason != EndReason::ToolCall;
}

class MarkerParser final : public OutputParser {
 public:
  MarkerParser(MarkerOptions options, base::Random& random)
      : options_(std::move(options)), random_(random) {
    if (!options_.tools) options_.tools = std::make_shared<ToolRules>();
    options_.lenient = options_.lenient && options_.calls;
    options_.fences = options_.fences && options_.lenient;
    if (options_.starts_in_reasoning) {
      state_ = State::Reasoning;
    } else if (options_.continues_text) {
      state_ = State::Text;
    }
  }

  std::vector<Event> feed(std::string_view utf8,
                          std::vector<domain::TokenLogprob> logprobs) override {
    std::size_t at = fed_;
    for (auto& entry : logprobs) {
      const std::size_t begin = at;
      at = std::min(at + entry.bytes.size(), fed_ + utf8.size());
      logprobs_.push_back({begin, std::move(entry)});
    }
    fed_ += utf8.size();
    buffer_ += utf8;
    while (step(false)) {
    }
    return std::exchange(out_, {});
  }

  std::vector<Event> finish(EndReason& reason) override {
    cut_ = cut_short(reason);
    while (step(true)) {
    }
    give_last_logprobs();
    if (ends_with_call_ &&
        (!cut_ || reason == EndReason::Length || reason == EndReason::ContextFull)) {
      reason = EndReason::ToolCall;
    }
    return std::exchange(out_, {});
  }

  bool in_reasoning() const override { return state_ == State::Reasoning; }
  bool made_call() const override { return calls_made_ > 0; }
  bool over() const override { return repeated_ || spoke_for_tool_; }

 private:
  enum class State : std::uint8_t {
    Head,
    Reasoning,
    Text,
    Lonely,
    Fences,
    Call,
    Close,
    Between,
    Over
  };
  struct Logprob {
    std::size_t begin;
    domain::TokenLogprob entry;
  };

  // One move; false when nothing more can be done with what is there.
  bool step(bool last) {
    switch (state_) {
      case State::Head: return head(last);
      case State::Reasoning: return reasoning(last);
      case State::Text: return text(last);
      case State::Lonely: return lonely(last);
      case State::Fences: return fences(last);
      case State::Call: return call(last);
      case State::Close: return close(last);
      case State::Between: return between(last);
      case State::Over: drop(buffer_.size()); return false;
    }
    return false;
  }

  // 1: it stands at `at`; 0: it does not; -1: it may, more text is needed.
  int marker_at(std::size_t at, std::string_view marker, bool last) const {
    if (marker.empty()) return 0;
    const std::string_view rest = std::string_view(buffer_).substr(at);
    if (rest.starts_with(marker)) return 1;
    return !last && marker.starts_with(rest) ? -1 : 0;
  }

  // What is left from `at` on is a part of the marker, and not all of it.
  bool is_beginning(std::size_t at, std::string_view marker) const {
    const std::string_view rest = std::string_view(buffer_).substr(at);
    return !rest.empty() && rest.size() < marker.size() && marker.starts_with(rest);
  }

  bool head(bool last) {
    const std::size_t space = leading_space(buffer_);
    if (last && options_.must_call && is_beginning(space, kCallOpen)) {
      drop(buffer_.size());
      return false;
    }
    if (space == buffer_.size()) {
      if (!last) return false;
      if (after_thinking_) drop(space);
      if (space == 0 || after_thinking_) return false;
      return emit_text(space);
    }
    const int think = marker_at(space, options_.think_start, last);
    const int open = options_.calls ? marker_at(space, kCallOpen, last) : 0;
    if (think > 0) {
      drop(space + options_.think_start.size());
      return enter(State::Reasoning);
    }
    if (open > 0) {
      lead_ = after_thinking_ ? 0 : space;
      if (after_thinking_) drop(space);
      return enter(State::Call);
    }
    if (options_.lenient && (buffer_[space] == '{' || buffer_[space] == '`')) {
      return look_closer();
    }
    if (think < 0 || open < 0) return false;
    if (after_thinking_) drop(space);
    return enter(State::Text);
  }

  bool reasoning(bool last) {
    if (reasoning_fresh_) {
      const std::size_t space = leading_space(buffer_);
      drop(space);
      if (buffer_.empty()) return false;
      reasoning_fresh_ = false;
    }
    const std::size_t end = buffer_.find(options_.think_end);
    if (end != std::string::npos) {
      emit_reasoning(without_trailing_space(std::string_view(buffer_).substr(0, end)));
      drop(leading_space(buffer_) + options_.think_end.size());
      after_thinking_ = true;
      reasoning_fresh_ = true;
      return enter(State::Head);
    }
    const std::size_t hold = last ? 0 : partial_marker(buffer_, options_.think_end);
    const std::string_view sure = std::string_view(buffer_).substr(0, buffer_.size() - hold);
    emit_reasoning(without_trailing_space(sure));
    return false;
  }

  bool text(bool last) {
    if (!options_.calls) {
      emit_text(buffer_.size());
      return false;
    }
    const std::size_t open = buffer_.find(kCallOpen);
    const std::size_t fence = options_.fences ? find_fence() : std::string::npos;
    if (fence < open) return fence_in_text(fence);
    if (open != std::string::npos && open != no_call_at_) {
      const std::size_t keep = without_trailing_space(std::string_view(buffer_).substr(0, open));
      emit_text(keep);
      lead_ = open - keep;
      return enter(State::Call);
    }
    if (open != std::string::npos) {
      // This marker was looked at and begins no call: it is text.
      emit_text(open + kCallOpen.size());
      no_call_at_ = std::string::npos;
      return true;
    }
    std::size_t sure = buffer_.size();
    if (!last || options_.must_call) sure -= partial_marker(buffer_, kCallOpen);
    if (!last)
      sure = without_trailing_space(std::string_view(buffer_).substr(0, sure_of_fence(sure)));
    emit_text(sure);
    return false;
  }

  bool begins_line(std::size_t at) const { return at == 0 ? at_line_ : buffer_[at - 1] == '\n'; }

  // The first fence that begins a line.
  std::size_t find_fence() const {
    std::size_t at = buffer_.find(kFence);
    while (at != std::string::npos && !begins_line(at)) at = buffer_.find(kFence, at + 1);
    return at;
  }

  // What of `size` bytes cannot be the beginning of such a fence.
  std::size_t sure_of_fence(std::size_t size) const {
    if (!options_.fences || size < buffer_.size()) return size;
    std::size_t begin = size;
    while (begin > 0 && buffer_[begin - 1] == '`') --begin;
    return size - begin < kFence.size() && begins_line(begin) ? begin : size;
  }

  // What stands in it may be a call; if it was looked at and is none, its opening is text.
  bool fence_in_text(std::size_t fence) {
    if (fence == no_fence_at_) {
      emit_text(fence + kFence.size());
      no_fence_at_ = std::string::npos;
      return true;
    }
    emit_text(without_trailing_space(std::string_view(buffer_).substr(0, fence)));
    no_fence_at_ = std::string::npos;
    return look_closer();
  }

  bool look_closer() {
    lonely_ = std::make_unique<LonelyCall>(*options_.tools, options_.fences);
    scanned_ = 0;
    return enter(State::Lonely);
  }

  bool lonely(bool last) {
    for (; scanned_ < buffer_.size(); ++scanned_) {
      const bool goes_on = lonely_->push(buffer_[scanned_]);
      if (options_.fences && lonely_->fence_closed()) return fence_done();
      if (!goes_on) return lonely_->has_several() ? fence_done() : not_lonely();
    }
    if (!last) return false;
    if (lonely_->has_several()) return fence_done();
    std::optional<LonelyCall::Call> call = lonely_->complete();
    if (!call) return not_lonely();
    drop(buffer_.size());
    give_call(call->name, std::move(call->arguments));
    return enter(State::Over);
  }

  // A call in a fence stands for itself, whatever the model says before it. What it says behind is
  // made up: it has not seen the result. Only further calls count. Of several in one fence those
  // count that come before the first that is none.
  bool fence_done() {
    const bool sound = lonely_->complete().has_value();
    if (!sound && !lonely_->has_several()) return not_lonely();
    std::vector<LonelyCall::Call> calls = lonely_->whole();
    if (!options_.parallel) calls.resize(1);
    drop(std::min(scanned_ + 1, buffer_.size()));
    lonely_.reset();
    for (auto& [name, arguments] : calls) give_call(name, std::move(arguments));
    behind_fence_ = true;
    return sound && options_.parallel ? enter(State::Fences) : end_of_calls();
  }

  bool end_of_calls() {
    spoke_for_tool_ = true;
    return enter(State::Over);
  }

  bool fences(bool last) {
    const std::size_t space = leading_space(buffer_);
    const int fence = marker_at(space, kFence, last);
    if (space < buffer_.size() && fence == 0) return end_of_calls();
    if (fence <= 0) {
      if (last) drop(buffer_.size());
      return false;
    }
    drop(space);
    return look_closer();
  }

  void give_call(const std::string& name, std::string arguments) {
    start_call(name);
    while (!arguments.empty()) {
      std::size_t size = std::min(arguments.size(), kChunkBytes);
      while (size < arguments.size() &&
             (static_cast<unsigned char>(arguments[size]) & 0xC0) == 0x80) {
        ++size;
      }
      out_.emplace_back(domain::ToolCallDelta{arguments.substr(0, size)});
      arguments.erase(0, size);
    }
    end_call();
  }

  bool not_lonely() {
    lonely_.reset();
    if (behind_fence_) return end_of_calls();
    if (after_thinking_ && at_line_) drop(leading_space(buffer_));
    const std::size_t space = leading_space(buffer_);
    no_fence_at_ =
        std::string_view(buffer_).substr(space).starts_with(kFence) ? space : std::string::npos;
    return enter(State::Text);
  }

  // The marker stands at lead_ in buffer_ until the call has started; what is scanned is dropped
  // from then on. Every decision falls at one byte, so that it does not depend on how the text was
  // cut into pieces.
  bool call(bool last) {
    if (scanner_ == nullptr) {
      scanner_ = std::make_unique<ObjectScanner>();
      scanned_ = lead_ + kCallOpen.size();
      sent_ = 0;
    }
    while (scanned_ < buffer_.size()) {
      const char c = buffer_[scanned_];
      const auto state = scanner_->push(c);
      if (state != ObjectScanner::State::Bad) ++scanned_;
      const bool telling = c == '"' || c == '{' || c == '}' || state != ObjectScanner::State::More;
      if (!telling) continue;
      const CallView view = view_call(*scanner_, false);
      if (!started_) {
        const bool unknown = view.name && find_tool(*options_.tools, *view.name) == nullptr;
        if (state == ObjectScanner::State::Bad || !view.possible || unknown) return no_call(view);
        if (view.name && view.arguments != nullptr) begin_streaming(view);
        if (!started_ && state == ObjectScanner::State::Done) return no_call(view);
      }
      if (started_ && (view.arguments->complete || state != ObjectScanner::State::More)) {
        return call_done(view);
      }
    }
    if (started_) {
      const CallView view = view_call(*scanner_, false);
      stream_arguments(view);
      if (!may_repeat(view)) let_go();
      drop(scanned_);
      scanned_ = 0;
    }
    if (last) give_up_call();
    return false;
  }

  // The arguments are complete, or broken off by what cannot belong to them.
  bool call_done(const CallView& view) {
    stream_arguments(view);
    const bool complete = view.arguments->complete;
    const std::string made = words_of(view);
    started_ = false;
    drop(scanned_);
    scanned_ = 0;
    if (scanner_->state() != ObjectScanner::State::More) scanner_.reset();
    repeated_ = holding_ && complete && std::ranges::find(made_, made) != made_.end();
    if (repeated_) {
      held_.clear();
      return enter(State::Over);
    }
    let_go();
    end_call(complete);
    if (options_.calls_only && complete) made_.push_back(made);
    return enter(State::Close);
  }

  // Whether the call that is being written may still become one that was made before.
  bool may_repeat(const CallView& view) const {
    if (!holding_) return false;
    const std::string begun = words_of(view);
    return std::ranges::any_of(made_, [&](const auto& one) { return one.starts_with(begun); });
  }

  std::string words_of(const CallView& view) const {
    std::string words = *view.name;
    words += '\0';
    words += scanner_->value_text(*view.arguments);
    return words;
  }

  // What was held back because it might have been a repetition.
  void let_go() {
    if (!std::exchange(holding_, false)) return;
    ends_with_call_ = false;
    out_.insert(out_.end(), std::make_move_iterator(held_.begin()),
                std::make_move_iterator(held_.end()));
    held_.clear();
  }

  void begin_streaming(const CallView& view) {
    const std::string_view text = scanner_->value_text(*view.arguments);
    const bool object = !text.empty() && text.front() == '{';
    if (!object && !view.arguments->complete)
      return;  // a string with JSON inside: wait for all of it
    std::string decoded;
    if (!object && (!decode_json_string(text, decoded) || !is_object(decoded))) return;
    holding_ = !made_.empty();
    start_call(*view.name);
    started_ = true;
    if (!object) {
      call_event(domain::ToolCallDelta{decoded});
      sent_ = text.size();
    }
  }

  static bool is_object(std::string_view json) {
    const auto document = codec::json::Document::parse(json);
    return document && document->root().is_object();
  }

  void stream_arguments(const CallView& view) {
    std::string_view text = scanner_->value_text(*view.arguments);
    // What broke the object is not part of it.
    if (scanner_->state() == ObjectScanner::State::Bad && !view.arguments->complete &&
        text.size() > sent_) {
      text.remove_suffix(1);
    }
    if (text.size() <= sent_) return;
    std::string fragment(text.substr(sent_));
    sent_ = text.size();
    call_event(domain::ToolCallDelta{std::move(fragment)});
  }

  // No tool call: no name, an unknown tool, no arguments, or no JSON.
  bool no_call(const CallView& view) {
    const bool no_arguments = scanner_->state() == ObjectScanner::State::Done && view.possible &&
                              view.name && view.arguments == nullptr &&
                              find_tool(*options_.tools, *view.name) != nullptr;
    if (no_arguments) {
      drop(scanned_);
      start_call(*view.name);
      out_.emplace_back(domain::ToolCallDelta{"{}"});
      end_call();
      scanner_.reset();
      return enter(State::Close);
    }
    scanner_.reset();
    no_call_at_ = lead_;
    ends_with_call_ = false;
    return enter(State::Text);
  }

  // The answer ends inside a call.
  void give_up_call() {
    if (holding_) {
      held_.clear();  // a repetition as far as it went
      holding_ = false;
    } else if (started_) {
      // Cut by a limit it stays open: nothing to act on. A model that stopped inside it is closed.
      if (!cut_) end_call(false);
      ends_with_call_ = false;
    } else if (cut_ || options_.must_call) {
      drop(buffer_.size());  // half a call is neither text nor call
    } else {
      emit_text(buffer_.size());
    }
    scanner_.reset();
    started_ = false;
    state_ = State::Over;
  }

  bool close(bool last) {
    if (scanner_ != nullptr) {  // members after the arguments
      std::size_t seen = 0;
      while (seen < buffer_.size() && scanner_->state() == ObjectScanner::State::More) {
        if (scanner_->push(buffer_[seen]) != ObjectScanner::State::Bad) ++seen;
      }
      drop(seen);
      if (scanner_->state() == ObjectScanner::State::More) return false;
      scanner_.reset();
    }
    const std::size_t space = leading_space(buffer_);
    if (last && is_beginning(space, kCallClose)) {
      drop(buffer_.size());  // the end came within the marker: a part of one is no text
      return enter(State::Between);
    }
    const int end = marker_at(space, kCallClose, last);
    if (end < 0) return false;
    if (end > 0) drop(space + kCallClose.size());
    return enter(State::Between);
  }

  bool between(bool last) {
    const std::size_t space = leading_space(buffer_);
    if (space == buffer_.size()) {
      if (last) drop(space);
      return false;
    }
    if (last && (cut_ || options_.must_call) && is_beginning(space, kCallOpen)) {
      drop(buffer_.size());
      return false;
    }
    const int open = marker_at(space, kCallOpen, last);
    const int think = marker_at(space, options_.think_start, last);
    if (open < 0 || think < 0) return false;
    if (!options_.parallel) return enter(State::Over);
    drop(space);
    lead_ = 0;
    if (open > 0) return enter(State::Call);
    if (think > 0) {
      drop(options_.think_start.size());
      return enter(State::Reasoning);
    }
    return enter(State::Text);
  }

  bool enter(State state) {
    state_ = state;
    return true;
  }

  void call_event(Event event) { (holding_ ? held_ : out_).push_back(std::move(event)); }

  void start_call(std::string_view name) {
    call_event(domain::ToolCallStart{make_call_id(random_), std::string(name)});
    if (!holding_) ends_with_call_ = false;
  }
  void end_call(bool complete = true) {
    out_.emplace_back(domain::ToolCallEnd{});
    ends_with_call_ = complete;
    calls_made_ += complete ? 1 : 0;
  }

  // Those of tokens without text: of a code point that a limit cut in its middle.
  void give_last_logprobs() {
    const bool in_text = state_ == State::Text || state_ == State::Head;
    if (!in_text || !buffer_.empty() || logprobs_.empty()) return;
    domain::TextDelta delta;
    for (Logprob& one : logprobs_) delta.logprobs.push_back(std::move(one.entry));
    logprobs_.clear();
    out_.emplace_back(std::move(delta));
  }

  bool emit_text(std::size_t size) {
    if (size == 0) return false;
    domain::TextDelta delta;
    delta.text = buffer_.substr(0, size);
    while (!logprobs_.empty() && logprobs_.front().begin < taken_ + size) {
      delta.logprobs.push_back(std::move(logprobs_.front().entry));
      logprobs_.pop_front();
    }
    at_line_ = delta.text.back() == '\n';
    buffer_.erase(0, size);
    taken_ += size;
    ends_with_call_ = false;
    out_.emplace_back(std::move(delta));
    return true;
  }

  void emit_reasoning(std::size_t size) {
    if (size == 0) return;
    out_.emplace_back(domain::ReasoningDelta{buffer_.substr(0, size)});
    drop(size);
    ends_with_call_ = false;
  }

  void drop(std::size_t size) {
    while (!logprobs_.empty() && logprobs_.front().begin < taken_ + size) logprobs_.pop_front();
    buffer_.erase(0, size);
    taken_ += size;
  }

  MarkerOptions options_;
  base::Random& random_;
  State state_ = State::Head;
  std::string buffer_;     // not yet given out nor dropped
  std::size_t taken_ = 0;  // bytes of the whole output before buffer_
  std::size_t fed_ = 0;
  std::deque<Logprob> logprobs_;
  std::vector<Event> out_;
  std::unique_ptr<LonelyCall> lonely_;
  std::unique_ptr<ObjectScanner> scanner_;
  std::size_t scanned_ = 0;  // bytes of buffer_ that the scanner has seen
  std::size_t lead_ = 0;     // white space in buffer_ before the marker of the call
  std::size_t sent_ = 0;     // bytes of the arguments that were given out
  std::size_t no_call_at_ = std::string::npos;
  std::size_t no_fence_at_ = std::string::npos;
  bool at_line_ = true;          // buffer_ begins a line
  bool behind_fence_ = false;    // that was a call
  bool spoke_for_tool_ = false;  // the answer goes on behind a call, with what the tool would say
  std::size_t calls_made_ = 0;
  std::vector<std::string> made_;  // words_of() the calls after which only calls may come
  std::vector<Event> held_;        // of a call that may be one of them again
  bool holding_ = false;
  bool repeated_ = false;
  bool started_ = false;
  bool after_thinking_ = false;
  bool reasoning_fresh_ = true;
  bool ends_with_call_ = false;
  bool cut_ = false;
};

}  // namespace

std::string make_call_id(base::Random& random) {
  return "call_" + random.token(24);
}

std::unique_ptr<OutputParser> make_marker_parser(MarkerOptions options, base::Random& random) {
  return std::make_unique<MarkerParser>(std::move(options), random);
}

}  // namespace fh::engine::llama
