// The events of one scripted answer; see answer.h.
#include "engine/scripted/answer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/scripted/tokens.h"

namespace fh::engine::scripted {
namespace {

namespace d = domain;

std::vector<std::uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

std::string call_id(std::uint64_t ticket, std::size_t index) {
  return "call_" + std::to_string(ticket) + "_" + std::to_string(index);
}

}  // namespace

Answer::Answer(std::uint64_t ticket, const d::Generation& generation, Limits limits)
    : ticket_(ticket),
      limits_(limits),
      logprobs_(generation.logprobs),
      top_logprobs_(generation.top_logprobs),
      matcher_(generation.stop) {}

std::optional<Answer::Ending> Answer::apply(const Step& step, std::vector<d::Event>& events) {
  if (is_token(step.kind)) {
    if (output_tokens_ == limits_.output_tokens_max) {
      flush(events, true);
      // A call that is cut stays open: it is nothing to act on, and the writers say so.
      return Ending{limits_.at_limit, {}};
    }
    ++output_tokens_;
  }
  switch (step.kind) {
    case Step::Kind::Text: return take_text(step.text, events);
    case Step::Kind::Reasoning:
      flush(events);
      ++reasoning_tokens_;
      events.emplace_back(d::ReasoningDelta{step.text});
      return std::nullopt;
    case Step::Kind::ToolBegin: begin_call(step.text, events); return std::nullopt;
    case Step::Kind::ToolArgs:
      calls_.back().arguments_json += step.text;
      events.emplace_back(d::ToolCallDelta{step.text});
      return std::nullopt;
    case Step::Kind::ToolEnd: end_call(events); return std::nullopt;
    case Step::Kind::Finish: {
      flush(events);
      const bool unfounded = step.reason == d::EndReason::ToolCall && calls_.empty();
      return Ending{unfounded ? d::EndReason::Complete : step.reason, step.text};
    }
    default: return std::nullopt;
  }
}

Answer::Ending Answer::finish(std::vector<d::Event>& events) {
  flush(events);
  return {last_was_call_ ? d::EndReason::ToolCall : d::EndReason::Complete, {}};
}

void Answer::cut(std::vector<d::Event>& events) {
  end_call(events);
}

std::vector<d::Part> Answer::parts() const {
  std::vector<d::Part> parts;
  if (!text_.empty()) parts.emplace_back(d::TextPart{text_});
  for (const d::ToolCallPart& call : calls_) parts.emplace_back(call);
  return parts;
}

std::optional<Answer::Ending> Answer::take_text(const std::string& token,
                                                std::vector<d::Event>& events) {
  last_was_call_ = false;
  if (logprobs_) pending_.push_back({token.size(), logprob_of(token)});
  const StopMatcher::Output out = matcher_.push(token);
  emit_text(out, events);
  if (!out.matched) return std::nullopt;
  return Ending{d::EndReason::Stop, *out.matched};
}

void Answer::emit_text(const StopMatcher::Output& out, std::vector<d::Event>& events) {
  d::TextDelta delta;
  delta.text = out.text;
  released_bytes_ += out.source_bytes;
  while (!pending_.empty() && released_bytes_ >= pending_.front().bytes) {
    released_bytes_ -= pending_.front().bytes;
    delta.logprobs.push_back(std::move(pending_.front().logprob));
    pending_.pop_front();
  }
  if (delta.text.empty() && delta.logprobs.empty()) return;
  text_ += delta.text;
  events.emplace_back(std::move(delta));
}

// Held-back text comes out before anything that is not text.
void Answer::flush(std::vector<d::Event>& events, bool cut) {
  emit_text(matcher_.finish(cut), events);
}

void Answer::begin_call(const std::string& name, std::vector<d::Event>& events) {
  flush(events);
  calls_.push_back({call_id(ticket_, calls_.size()), name, {}});
  in_call_ = true;
  events.emplace_back(d::ToolCallStart{calls_.back().id, name});
}

void Answer::end_call(std::vector<d::Event>& events) {
  if (!std::exchange(in_call_, false)) return;
  last_was_call_ = true;
  events.emplace_back(d::ToolCallEnd{});
}

d::TokenLogprob Answer::logprob_of(const std::string& token) const {
  // Made up, but the same every time and in falling order.
  const auto value = [](std::string_view text) {
    return -static_cast<double>(hash_bytes(text) % 1024) / 1024.0;
  };
  static constexpr std::array<std::string_view, 20> kOthers = {
      " a", " b", " c", " d", " e", " f", " g", " h", " i", " j",
      " k", " l", " m", " n", " o", " p", " q", " r", " s", " t"};
  d::TokenLogprob out{token, bytes_of(token), value(token), {}};
  const std::size_t count = std::min<std::size_t>(top_logprobs_, kOthers.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view text = i == 0 ? std::string_view(token) : kOthers[i];
    out.top.push_back({std::string(text), bytes_of(text), out.logprob - static_cast<double>(i)});
  }
  return out;
}

}  // namespace fh::engine::scripted
