// Rules of the event stream; see event_order.h.
#include "engine/event_order.h"

#include "codec/utf8.h"

namespace fh::engine {
namespace {

// Counts above this are a fault, not a number: sums of a few of them still fit in 64 bits.
constexpr std::uint64_t kTokensMax = std::uint64_t{1} << 40;

std::unexpected<base::Error> broken(const char* rule) {
  return base::fail(base::Code::Internal,
                    std::string("the engine broke a rule of the event stream: ") + rule);
}

bool sane(const domain::Usage& u) {
  return u.input_uncached <= kTokensMax && u.cache_read <= kTokensMax &&
         u.cache_write_5m <= kTokensMax && u.cache_write_30m <= kTokensMax &&
         u.cache_write_1h <= kTokensMax && u.output <= kTokensMax && u.valid();
}

bool sane(const domain::PromptWork& w) {
  return w.computed <= kTokensMax && w.cached <= kTokensMax && w.restored <= kTokensMax;
}

bool ends_by_itself(domain::EndReason reason) {
  using enum domain::EndReason;
  return reason == Complete || reason == Stop || reason == ToolCall;
}

}  // namespace

base::Status EventOrder::check_totals(const domain::Usage& usage,
                                      const domain::PromptWork& work) const {
  if (!sane(usage) || !sane(work)) return broken("impossible token counts");
  if (usage.prompt_total() != work.computed + work.cached + work.restored) {
    return broken("usage and prompt work differ");
  }
  if (started_ && usage.prompt_total() > prompt_tokens_) {
    return broken("more prompt tokens used than the prompt has");
  }
  return {};
}

base::Status EventOrder::accept_finished(const domain::Finished& finished) const {
  FH_TRY_VOID(check_totals(finished.usage, finished.work));
  if (in_call_ && ends_by_itself(finished.reason))
    return broken("the answer ends inside a tool call");
  if (finished.reason == domain::EndReason::ToolCall && !had_call_) {
    return broken("the answer ends with a tool call that was not made");
  }
  if (!codec::utf8::valid(finished.stop_sequence)) return broken("a stop string that is not UTF-8");
  return {};
}

base::Status EventOrder::accept(const domain::Event& event) {
  if (ended_) return broken("an event after the last one");
  if (const auto* started = std::get_if<domain::Started>(&event)) {
    if (started_ || has_output_) return broken("a second or late start");
    if (started->prompt_tokens > kTokensMax || !sane(started->work) ||
        started->work.computed + started->work.cached + started->work.restored !=
            started->prompt_tokens) {
      return broken("prompt work that is not the prompt");
    }
    started_ = true;
    prompt_tokens_ = started->prompt_tokens;
    return {};
  }
  if (const auto* finished = std::get_if<domain::Finished>(&event)) {
    ended_ = true;
    return accept_finished(*finished);
  }
  if (const auto* failed = std::get_if<domain::Failed>(&event)) {
    ended_ = true;
    return check_totals(failed->usage, failed->work);
  }
  has_output_ = true;
  if (const auto* call = std::get_if<domain::ToolCallStart>(&event)) {
    if (in_call_) return broken("a tool call inside a tool call");
    if (call->name.empty() || !codec::utf8::valid(call->name))
      return broken("a tool call without a name");
    in_call_ = had_call_ = true;
    return {};
  }
  if (const auto* delta = std::get_if<domain::ToolCallDelta>(&event)) {
    if (!in_call_) return broken("tool arguments outside a tool call");
    if (!codec::utf8::valid(delta->arguments_fragment))
      return broken("tool arguments that are not UTF-8");
    return {};
  }
  if (std::holds_alternative<domain::ToolCallEnd>(event)) {
    if (!in_call_) return broken("the end of a tool call that was not begun");
    in_call_ = false;
    return {};
  }
  if (in_call_) return broken("text inside a tool call");
  if (const auto* text = std::get_if<domain::TextDelta>(&event)) {
    if (!codec::utf8::valid(text->text)) return broken("text that is not UTF-8");
  } else if (const auto* thought = std::get_if<domain::ReasoningDelta>(&event)) {
    if (!codec::utf8::valid(thought->text)) return broken("text that is not UTF-8");
  }
  return {};
}

}  // namespace fh::engine
